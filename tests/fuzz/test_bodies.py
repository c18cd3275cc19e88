"""Whatever the bytes: a status of the table, the error body, one record that can be read back, and a server that lives."""

import http.client
import io
import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from werkzeug.test import run_wsgi_app

from mparticle_fake_server import FakeServer, create_app
from mparticle_fake_server.checks.finding import CODES
from mparticle_fake_server.hosting import Options
from mparticle_fake_server.recording import RequestRecord
from tests.checks.corpus import NOW_MS
from tests.fuzz.strategies import MODES, UPLOADS, Sent, basic, requests, uploads
from tests.hosts import batch, clock_at

fuzz = settings(
    # The same examples in every run, new ones where somebody asks for a number of them.
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "250")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

SECONDS = 10
"""Longer than any answer may take: beyond is a hang."""

Exchange = Callable[[Sent], tuple[int, bytes]]


# -- the two hosts -----------------------------------------------------------------------------------------------------------


@contextmanager
def _flask(**options: Any) -> Iterator[Exchange]:
    app = create_app(**options)

    def exchange(sent: Sent) -> tuple[int, bytes]:
        path, _, query = sent.target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": sent.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(sent.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(sent.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in [(b"Host", b"127.0.0.1"), *sent.headers]:
            variable = name.decode().upper().replace("-", "_")
            environ[variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"] = value.decode("latin-1")
        chunks, status, _ = run_wsgi_app(app, environ)
        return int(status[:3]), b"".join(chunks)

    yield exchange
    app.extensions["mparticle_fake"].recorder.close()


def _open(server: FakeServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)


@contextmanager
def _server(**options: Any) -> Iterator[Exchange]:
    with FakeServer(**options) as server, _server_exchange(server) as exchange:
        yield exchange


@contextmanager
def _server_exchange(server: FakeServer) -> Iterator[Exchange]:
    connection = _open(server)

    def exchange(sent: Sent) -> tuple[int, bytes]:
        nonlocal connection
        headers = dict([(b"Host", b"127.0.0.1"), *sent.headers]) | {b"Content-Length": str(len(sent.body)).encode()}
        head = f"{sent.method} {sent.target} HTTP/1.1\r\n".encode()
        connection.sendall(
            head + b"".join(name + b": " + value + b"\r\n" for name, value in headers.items()) + b"\r\n" + sent.body
        )
        answer = http.client.HTTPResponse(connection, method=sent.method)
        answer.begin()
        body = answer.read()
        if answer.will_close:
            connection.close()
            connection = _open(server)
        return answer.status, body

    try:
        yield exchange
    finally:
        connection.close()


OPTIONS: Options = {
    "max_body": 20_000,
    "credentials": [(f"{mode}-key", "secret", mode) for mode in MODES],
    "unknown_keys": False,
}
HOSTS = {"flask": _flask, "server": _server}


class Fake:
    """A host with a workspace for each mode, which checks what it answers."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.last = 0

    def ask(self, question: str) -> Any:
        status, body = self.exchange(Sent("GET", f"/_fake/{question}", [], b""))
        assert status == 200, (question, body)
        return json.loads(body)

    def check(self, sent: Sent) -> dict[str, Any]:
        """Send; returns the record, after it was read in every way."""
        note(f"Sent {sent!r}")
        status, body = self.exchange(sent)
        self.check_answer(sent, status, body)
        record: dict[str, Any]
        (record,) = self.ask(f"requests?after={self.last}")["items"]
        before, self.last = self.last, int(record["id"])
        assert record["status"] == status
        assert record["method"] == sent.method
        self.check_reading(record, before)
        ordinary = Sent("POST", "/v2/events", [(b"Authorization", basic("strict"))], json.dumps(batch()).encode())
        assert self.exchange(ordinary) == (202, b"")
        self.last += 1
        return record

    @staticmethod
    def check_answer(sent: Sent, status: int, body: bytes) -> None:
        assert status in (202, 400, 401, 403, 404, 405, 413)
        if status == 202 or sent.method == "HEAD":
            assert body == b""
            return
        errors = json.loads(body)["errors"]
        assert errors
        assert all(set(error) == {"code", "message"} for error in errors)
        assert all(isinstance(text, str) and text for error in errors for text in error.values())

    def check_reading(self, record: dict[str, Any], before: int) -> None:
        assert self.ask(f"requests/{record['id']}")["findings"] == record["findings"]
        batches = self.ask(f"batches?after={before}&limit=1000")["items"]
        assert [item["id"] for item in batches] == [item["id"] for item in record["batches"]]
        for item in batches[:2]:
            assert self.ask(f"batches/{item['id']}") == item
        lists = [item["batch"].get("events", []) for item in batches]
        if all(isinstance(events, list) for events in lists):
            events = [event for events in lists for event in events if isinstance(event, dict)]
            assert [item["event"] for item in self.ask(f"events?after={before}&limit=1000")["items"]] == events
        self.ask(f"requests?after={before}&severity=error,warning,note")


@pytest.fixture(scope="module", params=sorted(HOSTS))
def fake(request: pytest.FixtureRequest) -> Iterator[Fake]:
    # The time of the labelled batches, from which bodies are made: their events are neither old nor to come.
    with clock_at(NOW_MS), HOSTS[request.param](**OPTIONS) as exchange:
        for mode in MODES:
            told = json.dumps({"mode": mode}).encode()
            assert exchange(Sent("PUT", f"/_fake/workspaces/{mode}", [], told))[0] == 200
        yield Fake(exchange)


def _effects(findings: list[dict[str, Any]]) -> set[str]:
    return {CODES[finding["code"]].effect for finding in findings}


@fuzz
@given(sent=uploads())
def test_any_body_gets_the_status_of_its_mode_and_is_recorded(fake: Fake, sent: Sent) -> None:
    record = fake.check(sent)

    findings = record["findings"] + [finding for item in record["batches"] for finding in item["findings"]]
    assert record["status"] in (202, 400, 413)
    assert (record["status"] == 413) == any(finding["code"] == "body_too_large" for finding in findings)
    if record["status"] == 202:
        assert sent.mode == "lenient" or "refuse" not in _effects(record["findings"])
        assert sent.mode != "strict" or all(finding["severity"] != "error" for finding in findings)
    elif record["status"] == 400:
        assert sent.mode != "lenient"
        assert any(finding["severity"] == "error" for finding in findings)


@fuzz
@given(sent=requests())
def test_any_request_is_answered_and_recorded_once(fake: Fake, sent: Sent) -> None:
    record = fake.check(sent)

    # Also another spelling of an upload's path, such as /v2/%65vents.
    assert record["status"] != 202 or record["path"].removeprefix("/s2s") in UPLOADS
    assert basic(sent.mode or "")[6:].decode() not in json.dumps(record["headers"])


# -- bytes that are no request, or half of one ---------------------------------------------------------------------------------


def _read_all(connection: socket.socket) -> bytes:
    received = b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def _recorded(server: FakeServer) -> list[RequestRecord]:
    return list(server.intake.recorder.requests())


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as started:
        yield started
        with _open(started) as connection:
            connection.sendall(_upload(b"{}", b"Connection: close"))
            assert _read_all(connection).startswith(b"HTTP/1.1 202 ")


def _upload(body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    lines = [b"POST /v2/events HTTP/1.1", b"Host: localhost", b"Authorization: " + basic("any"), *headers]
    if length is None and not any(line.startswith(b"Transfer-Encoding") for line in headers):
        length = len(body)
    if length is not None:
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join([*lines, b"", body])


@settings(fuzz, max_examples=40)
@given(
    garbage=st.binary(max_size=200)
    | st.sampled_from([b"\x16\x03\x01\x02\0", b"GET / HTTP/9.9\r\n\r\n", b"POST /v2/\xff HTTP/1.1\r\n\r\n"])
)
def test_bytes_that_are_no_request_end_the_connection(server: FakeServer, garbage: bytes) -> None:
    with _open(server) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        received = _read_all(connection)

    assert not received or received.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "half",
    [
        _upload(b'{"events": [', length=1000),
        _upload(b"5\r\n{}", b"Transfer-Encoding: chunked"),
        _upload(b"2\r\n{}\r\n", b"Transfer-Encoding: chunked"),
        _upload(b"zz\r\n", b"Transfer-Encoding: chunked"),
    ],
    ids=["length", "chunk", "no last chunk", "wrong chunk"],
)
def test_half_an_upload_is_recorded_as_such(server: FakeServer, half: bytes) -> None:
    with _open(server) as connection:
        connection.sendall(half)
        connection.shutdown(socket.SHUT_WR)
        _read_all(connection)

    end = time.monotonic() + SECONDS
    while not _recorded(server) and time.monotonic() < end:
        time.sleep(0.005)
    (record,) = _recorded(server)
    assert [finding.code for finding in record.findings] == ["body_incomplete"]
    assert record.batches == ()


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
def test_an_offer_to_upgrade_is_ignored(server: FakeServer, protocol: bytes) -> None:
    # Java's HttpClient offers h2c with its first request.
    offer = (b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", b"Upgrade: " + protocol)

    with _open(server) as connection:
        connection.sendall(_upload(b"{}", *offer) + _upload(b"{}", b"Connection: close"))
        received = _read_all(connection)

    assert received.count(b"HTTP/1.1 202 ") == 2
    assert [record.body for record in _recorded(server)] == [b"{}", b"{}"]


@pytest.mark.parametrize("length", [10, 70_000], ids=["short", "long"])
def test_an_upload_may_arrive_in_any_two_packets(server: FakeServer, length: int) -> None:
    sent = _upload(b'{"user_attributes":{"a":"' + b"x" * length + b'"}}')
    places = [*range(1, 180, 7), len(sent) // 2, len(sent) - 1]

    with _open(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in places:
            connection.sendall(sent[:place])
            time.sleep(0.002)
            connection.sendall(sent[place:])
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 202
            answer.read()

    assert {record.body for record in _recorded(server)} == {sent.partition(b"\r\n\r\n")[2]}
    assert len(_recorded(server)) == len(places)


def test_requests_in_one_packet_are_answered_in_their_order(server: FakeServer) -> None:
    with _open(server) as connection:
        connection.sendall(_upload(b"{}") + _upload(b"[") + _upload(b"{}", b"Connection: close"))
        received = _read_all(connection)

    assert [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]] == [202, 400, 202]


def test_an_upload_repeats_none_that_was_refused_right_before_it(server: FakeServer) -> None:
    server.intake.workspaces.put("default", "strict")

    with _open(server) as connection:
        connection.sendall(
            _upload(b'{"source_request_id":"r1","mpid":99999999999999999999}')
            + _upload(b'{"source_request_id":"r1"}')
            + _upload(b'{"source_request_id":"r1"}', b"Connection: close")
        )
        _read_all(connection)

    verdicts = [record.batches[0].verdict for record in _recorded(server)]
    assert verdicts == ["rejected", "accepted", "dropped"]


# -- all of it at once ---------------------------------------------------------------------------------------------------------


def _exported(exchange: Exchange) -> list[dict[str, Any]]:
    status, lines = exchange(Sent("GET", "/_fake/batches", [(b"Accept", b"application/x-ndjson")], b""))
    assert status == 200
    return [json.loads(line) for line in lines.splitlines()]


@settings(fuzz, max_examples=30)
@given(several=st.lists(uploads(), max_size=8))
def test_an_export_can_be_imported_whatever_was_sent(several: list[Sent]) -> None:
    with _flask(**OPTIONS) as exchange, _flask() as another:
        for sent in several:
            exchange(sent)
        _, lines = exchange(Sent("GET", "/_fake/batches", [(b"Accept", b"application/x-ndjson")], b""))

        answer = another(Sent("POST", "/_fake/import", [], lines))

        original = _exported(exchange)
        assert answer == (200, b'{"imported":%d}' % len(original))
        for before, after in zip(original, _exported(another), strict=True):
            assert all(
                after[name] == before[name] for name in ("batch", "findings", "verdict", "workspace", "key", "received_at_ms")
            )


@settings(fuzz, max_examples=10)
@given(several=st.lists(uploads(), max_size=8))
def test_a_stream_brings_all_batches_whatever_was_sent(several: list[Sent]) -> None:
    with FakeServer(**OPTIONS) as server, _server_exchange(server) as exchange:
        for sent in several:
            exchange(sent)
        expected = [item["id"] for item in _exported(exchange)]

        with _open(server) as connection:
            connection.sendall(b"GET /_fake/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b": connected" not in received or (expected and f"id: {expected[-1]}\n".encode() not in received):
                received += connection.recv(65_536)

    assert re.findall(rb"id: (\S+)\ndata: ", received) == [id.encode() for id in expected]
