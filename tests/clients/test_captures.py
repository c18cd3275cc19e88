"""Requests captured from real Python and Node clients, kept outside this repository: what a stub took, the fake takes as well."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.harness import KEY, SECRET, canonical, exact, open_fake
from tests.conftest import CHECKOUT
from tests.hosts import Fake, Reply

CAPTURES = CHECKOUT.parent / "shared" / "captures"
FILES = sorted(path for client in ("python", "node") for path in (CAPTURES / client).glob("*.json"))


def captures(*, accepted: bool) -> pytest.MarkDecorator:
    """The captures that the stub answered with 2xx, or the others; a skip where the folder is absent."""
    chosen = [path for path in FILES if (json.loads(path.read_bytes())["stub_status"] < 300) is accepted]
    absent = pytest.param(None, marks=pytest.mark.skip(reason="no captures beside this checkout: nothing to compare with"))
    return pytest.mark.parametrize("path", chosen or [absent], ids=lambda path: f"{path.parent.name} {path.stem}" if path else "")


@pytest.fixture
def fake() -> Iterator[Fake]:
    with open_fake() as opened:
        yield opened


def read(path: Path) -> dict[str, Any]:
    capture: dict[str, Any] = json.loads(path.read_bytes())
    return capture


def send(fake: Fake, capture: dict[str, Any]) -> Reply:
    """Send a capture as it was. Its credentials were removed: a wrong secret stands for whatever the stub answered 403."""
    headers = {name: value for name, value in capture["headers"].items() if name not in ("Host", "Content-Length")}
    secret = f"not-{SECRET}" if capture["stub_status"] == 403 else SECRET
    if headers["Authorization"]:
        headers["Authorization"] = f"Basic {base64.b64encode(f'{KEY}:{secret}'.encode()).decode()}"
    return fake.request(capture["method"], capture["path"], json.dumps(capture["body"]).encode(), headers)


def batches_of(capture: dict[str, Any]) -> list[dict[str, Any]]:
    body = capture["body"]
    return [canonical(batch) for batch in (body if isinstance(body, list) else [body])]


@captures(accepted=True)
def test_a_capture_that_the_stub_accepted_gets_202(fake: Fake, path: Path) -> None:
    reply = send(fake, read(path))

    assert (reply.status, reply.body) == (202, b"")


@captures(accepted=True)
def test_its_batches_are_recorded_without_an_error(fake: Fake, path: Path) -> None:
    capture = read(path)

    send(fake, capture)

    items = fake.items("batches?limit=1000")
    assert [exact(item["batch"]) for item in items] == [exact(batch) for batch in batches_of(capture)]
    assert {item["verdict"] for item in items} <= {"accepted", "altered"}
    assert not [finding for item in items for finding in item["findings"] if finding["severity"] == "error"]


@captures(accepted=True)
def test_each_of_its_events_is_recorded(fake: Fake, path: Path) -> None:
    capture = read(path)

    send(fake, capture)

    recorded = [exact(item["event"]) for item in fake.items("events?limit=1000")]
    assert recorded == [exact(event) for batch in batches_of(capture) for event in batch.get("events", [])]


@captures(accepted=False)
def test_a_capture_that_the_stub_refused_is_refused_with_the_same_status(fake: Fake, path: Path) -> None:
    capture = read(path)

    reply = send(fake, capture)

    assert reply.status == capture["stub_status"]
    assert reply.messages


@captures(accepted=False)
def test_a_refused_capture_is_recorded_as_a_request_without_accepted_batches(fake: Fake, path: Path) -> None:
    capture = read(path)

    send(fake, capture)

    (request,) = fake.items("requests")
    assert request["status"] == capture["stub_status"]
    assert {batch["verdict"] for batch in request["batches"]} <= {"rejected"}
