"""The requests that the real SDKs once sent, sent again as they were: the same coverage on a machine without Node."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.harness import (
    CLIENTS,
    SECRET,
    Client,
    canonical,
    exact,
    open_fake,
    read_recording,
    replay_headers,
)
from tests.hosts import Reply

LINES = {(client.name, line["step"]): line for client in CLIENTS for line in read_recording(client)}

each_request = pytest.mark.parametrize("which", LINES, ids=" ".join)


@dataclass
class Replayed:
    """A recorded request after it was sent again: the answer, and the fake's record."""

    line: dict[str, Any]
    reply: Reply
    request: dict[str, Any]
    batches: list[dict[str, Any]]


@pytest.fixture(scope="module")
def replays() -> dict[tuple[str, str], Replayed]:
    """All recordings, each sent to a fake of its own in the order of the recording, so that duplicates are ones."""
    found = {}
    for client in CLIENTS:
        lines = read_recording(client)
        with open_fake() as fake:
            replies = [fake.request(line["method"], line["path"], line["body"].encode(), replay_headers(line)) for line in lines]
            requests = fake.items("requests?limit=1000")
            batches = fake.items("batches?limit=1000")
        for line, reply, request in zip(lines, replies, requests, strict=True):
            of_this = [item for item in batches if item["request_id"] == request["id"]]
            found[client.name, line["step"]] = Replayed(line, reply, request, of_this)
    return found


@each_request
def test_a_recorded_request_gets_the_status_that_the_sdk_got(
    replays: dict[tuple[str, str], Replayed], which: tuple[str, str]
) -> None:
    replayed = replays[which]

    assert replayed.reply.status == replayed.line["status"]
    assert replayed.request["status"] == replayed.line["status"]


@each_request
def test_the_batches_of_a_recorded_request_are_recorded_again(
    replays: dict[tuple[str, str], Replayed], which: tuple[str, str]
) -> None:
    replayed = replays[which]
    if not replayed.batches:
        assert replayed.line["status"] >= 400 or replayed.line["body"] == "[]"
        return
    body = json.loads(replayed.line["body"])

    sent = [canonical(batch) for batch in (body if isinstance(body, list) else [body])]

    assert [exact(item["batch"]) for item in replayed.batches] == [exact(batch) for batch in sent]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_recording_holds_no_secret_and_no_address(client: Client) -> None:
    text = client.recording.read_text(encoding="utf-8")

    assert SECRET not in text
    assert "127.0.0.1" not in text
    assert not [line for line in read_recording(client) if {"host", "authorization"} & set(line["headers"])]
