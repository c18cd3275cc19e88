"""Uploads of the web and native SDKs that arrive in one piece, which the server answers without ASGI and without Flask."""

import gzip
import json
import socket
from collections.abc import Iterator
from email.parser import BytesParser
from typing import Any
from urllib.parse import urlsplit

import pytest

from mparticle_fake_server.front import Front
from mparticle_fake_server.recording import StoreError
from tests.endpoints.sdk_requests import (
    ANDROID,
    CREDENTIALS,
    EVENTS,
    KEY,
    NATIVE_EVENTS,
    SECRET,
    codes,
    names,
    native_batch,
    signature,
    web_batch,
)
from tests.hosts import Fake, Reply, server_host


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """A server whose front takes no upload, so that none can come by another way."""
    take = Front.__call__

    async def call(front: Front, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] != "http" or scope["method"] == "GET" or scope["path"].startswith("/_fake")
        await take(front, scope, receive, send)

    monkeypatch.setattr(Front, "__call__", call)
    with server_host(credentials=CREDENTIALS, unknown_keys=False) as opened:
        yield opened


def exchange(fake: Fake, *requests: bytes) -> list[Reply]:
    """The answers to requests that arrive together on one connection."""
    address = urlsplit(fake.url or "")
    replies = []
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as connection:
        connection.sendall(b"".join(requests))
        with connection.makefile("rb") as stream:
            for _ in requests:
                status = int(stream.readline().split()[1])
                lines = []
                while (line := stream.readline()) not in (b"\r\n", b""):
                    lines.append(line)
                parsed = BytesParser().parsebytes(b"".join(lines))
                headers = {name.lower(): str(value) for name, value in parsed.items()}
                replies.append(Reply(status, headers, stream.read(int(headers.get("content-length", 0)))))
    return replies


def upload(path: str, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    sent = {"Host": "localhost", "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def page(body: Any, path: str = EVENTS) -> bytes:
    return upload(path, json.dumps(body).encode(), {"Content-Type": "text/plain;charset=UTF-8", "Origin": "https://shop.example"})


def app(body: Any, secret: str = SECRET) -> bytes:
    text = json.dumps(body).encode()
    signed = {"x-mp-signature": signature(secret, "POST", ANDROID["Date"], NATIVE_EVENTS, text)}
    return upload(NATIVE_EVENTS, gzip.compress(text), ANDROID | signed | {"Content-Encoding": "gzip"})


def test_uploads_of_pages_and_apps_that_come_together_are_answered_in_their_order(fake: Fake) -> None:
    replies = exchange(fake, page(web_batch("one")), app(native_batch("two")), page(web_batch("three")))

    assert [(reply.status, reply.body) for reply in replies] == [(202, b"{}")] * 3
    assert [reply.headers.get("access-control-allow-origin") for reply in replies] == ["*", None, "*"]
    assert names(fake) == ["one", "two", "three"]


def test_duplicates_that_come_together_are_told(fake: Fake) -> None:
    sent = web_batch()

    exchange(fake, page(sent), page(sent))

    assert [item["verdict"] for item in fake.items("batches")] == ["accepted", "dropped"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\x00"])
def test_a_faulty_body_of_a_page_gets_202_among_others(fake: Fake, body: bytes) -> None:
    replies = exchange(fake, upload(EVENTS, body), page(web_batch("next")))

    assert [reply.status for reply in replies] == [202, 202]
    assert names(fake) == ["next"]


def test_a_refused_key_and_a_wrong_signature_are_told_among_others(fake: Fake) -> None:
    replies = exchange(fake, page(web_batch(), "/v3/JS/other/events"), app(native_batch(), "wrong"), page(web_batch("next")))

    assert [reply.status for reply in replies] == [403, 403, 202]
    assert replies[0].headers["access-control-allow-origin"] == "*"
    assert codes(fake)[:2] == ["credentials_wrong", "signature_wrong"]


def test_each_upload_goes_to_the_input_of_its_own_path(fake: Fake) -> None:
    fake.request("POST", "/_fake/workspaces", b'{"name": "shop", "inputs": [{"key": "shop-key"}]}')

    exchange(fake, page(web_batch()), page(web_batch(), "/v3/JS/shop-key/events"), page(web_batch()))

    assert [item["key"] for item in fake.items("batches")] == [KEY, "shop-key", KEY]


def test_a_failing_store_may_be_read_by_the_page(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr("mparticle_fake_server.recording.memory.MemoryRecorder.record", fail)
        (reply,) = exchange(fake, page(web_batch()))

    assert (reply.status, reply.headers["access-control-allow-origin"]) == (503, "*")


def test_a_fault_may_be_read_by_the_page(fake: Fake) -> None:
    fake.request("PUT", "/_fake/faults", b'{"items": [{"status": 429}]}')

    replies = exchange(fake, page(web_batch()), page(web_batch()))

    assert [(reply.status, reply.headers["access-control-allow-origin"]) for reply in replies] == [(429, "*"), (202, "*")]
