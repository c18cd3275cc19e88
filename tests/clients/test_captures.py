"""Requests captured from real clients, kept outside this repository: what a stub took, the fake takes as well, and loses nothing.

Those of the Python and Node SDKs go to a fake of their own each; those of the web, Android and Apple SDKs to one, in their order,
as the pages and apps sent them.
"""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.clients.harness import KEY, SECRET, canonical, exact, open_fake
from tests.conftest import CHECKOUT
from tests.hosts import Fake, Reply, clock_at, server_host

CAPTURES = CHECKOUT.parent / "shared" / "captures"
FILES = sorted(path for client in ("python", "node") for path in (CAPTURES / client).glob("*.json"))
CAPTURED_MS = 1_795_287_300_000
"""When the last of the web and native requests had come."""


def captures(*, accepted: bool) -> pytest.MarkDecorator:
    """The captures that the stub answered with 2xx, or the others; a skip where the folder is absent."""
    return each([path for path in FILES if (read(path)["stub_status"] < 300) is accepted])


def each(paths: list[Path]) -> pytest.MarkDecorator:
    absent = pytest.param(None, marks=pytest.mark.skip(reason="no captures beside this checkout: nothing to compare with"))
    return pytest.mark.parametrize("path", paths or [absent], ids=lambda path: f"{path.parent.name} {path.stem}" if path else "")


def read(path: Path) -> dict[str, Any]:
    capture: dict[str, Any] = json.loads(path.read_bytes())
    return capture


# -- server SDKs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def fake() -> Iterator[Fake]:
    with open_fake() as opened:
        yield opened


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


# -- client SDKs -------------------------------------------------------------------------------------------------------------


def client_files(client: str, *paths: str) -> list[Path]:
    """The captures of a client whose path has one of these parts, or all."""
    files = sorted((CAPTURES / client).glob("*.json"))
    return [path for path in files if not paths or any(part in read(path)["path"] for part in paths)]


CLIENT_FILES = [*client_files("web"), *client_files("native")]
BATCHES = [path for path in CLIENT_FILES if read(path)["path"].endswith("/events") and read(path)["stub_status"] < 300]


@dataclass
class Replayed:
    """A capture after it was sent again: the answer, and the fake's record."""

    capture: dict[str, Any]
    reply: Reply
    request: dict[str, Any]
    batches: list[dict[str, Any]]


def send_again(fake: Fake, capture: dict[str, Any]) -> Reply:
    """Send a capture as it was, with the bytes that its signature is of."""
    headers = {name: value for name, value in capture["headers"].items() if name not in ("Host", "Content-Length")}
    body = b""
    if capture["body"] is not None:
        body = (capture.get("body_text") or json.dumps(capture["body"], separators=(",", ":"))).encode()
    if body and headers.get("Content-Encoding") == "gzip":
        body = gzip.compress(body, mtime=0)
    return fake.request(capture["method"], capture["path"], body, headers)


@pytest.fixture(scope="module")
def replays() -> dict[Path, Replayed]:
    """The captures of web and native clients, each client's sent to a fake of its own in their order."""
    found = {}
    for client in ("web", "native"):
        files = client_files(client)
        credentials = [(KEY, SECRET, "default")]
        with clock_at(CAPTURED_MS), server_host(credentials=credentials, unknown_keys=False) as fake:
            replies = [send_again(fake, read(path)) for path in files]
            requests = fake.items("requests?limit=1000")
            batches = fake.items("batches?limit=1000")
        for path, reply, request in zip(files, replies, requests, strict=True):
            of_this = [item for item in batches if item["request_id"] == request["id"]]
            found[path] = Replayed(read(path), reply, request, of_this)
    return found


@each(CLIENT_FILES)
def test_a_captured_request_gets_the_status_that_the_client_got(replays: dict[Path, Replayed], path: Path) -> None:
    replayed = replays[path]

    # The stub had another configuration: whoever had that one gets this one.
    expected = 200 if replayed.capture["stub_status"] == 304 else replayed.capture["stub_status"]
    assert replayed.reply.status == expected
    assert replayed.request["status"] == expected


@each([path for path in CLIENT_FILES if read(path)["stub_status"] == 403])
def test_a_wrong_signature_is_told_with_the_string_that_was_signed_here(replays: dict[Path, Replayed], path: Path) -> None:
    replayed = replays[path]

    (finding,) = replayed.request["findings"]
    assert finding["code"] == "signature_wrong"
    assert replayed.capture["headers"]["Date"] in finding["message"]
    assert replayed.capture["body_text"][:60] in finding["message"]


@each([path for path in CLIENT_FILES if path.parent.name == "web"])
def test_whatever_the_web_sdk_gets_its_page_may_read(replays: dict[Path, Replayed], path: Path) -> None:
    assert replays[path].reply.headers["access-control-allow-origin"] == "*"


@each(BATCHES)
def test_a_captured_batch_is_accepted_with_nothing_but_notes(replays: dict[Path, Replayed], path: Path) -> None:
    replayed = replays[path]

    (item,) = replayed.batches
    assert item["verdict"] == "accepted"
    assert [finding for finding in replayed.request["findings"] + item["findings"] if finding["severity"] != "note"] == []


@each([path for path in BATCHES if path.parent.name == "web"])
def test_a_batch_of_the_web_sdk_is_recorded_whole(replays: dict[Path, Replayed], path: Path) -> None:
    sent = replays[path].capture["body"]
    for event in sent["events"]:
        promotion = event["data"].get("promotion_action")
        if promotion:
            promotion["action"] = {1: "view", 2: "click"}[promotion["action"]]

    (item,) = replays[path].batches

    assert exact(item["batch"]) == exact(sent | {"mpid": int(sent["mpid"])})


EVENT_TYPES = {
    "ss": "session_start",
    "se": "session_end",
    "e": "custom_event",
    "v": "screen_view",
    "cm": "commerce_event",
    "o": "opt_out",
    "x": "crash_report",
    "pr": "push_registration",
    "fr": "first_run",
    "ast": "application_state_transition",
    "npe": "network_performance",
    "bc": "breadcrumb",
    "uac": "user_attribute_change",
    "uic": "user_identity_change",
}
"""Of `client-sdks.md §5.2` what the captures have, written once more so that the dialect is not measured with its own tables."""

COMMON = {"id": "source_message_id", "ct": "timestamp_unixtime_ms", "sid": "session_uuid", "sct": "session_start_unixtime_ms"}
MEMBERS = {
    "e": {"n": "event_name", "attrs": "custom_attributes", "est": "event_start_unixtime_ms"},
    "v": {"n": "screen_name", "attrs": "custom_attributes", "est": "event_start_unixtime_ms"},
    "cm": {"cu": "currency_code", "sn": "screen_name", "ni": "is_non_interactive"},
    "o": {"s": "is_opted_out"},
    "x": {"m": "message", "s": "severity", "c": "class_name", "st": "stack_trace", "eh": "exception_handled"},
    "pr": {"to": "registration_token", "r": "register"},
    "ast": {"ifr": "is_first_run", "iu": "is_upgrade"},
    "npe": {"v": "http_verb", "url": "url", "te": "time_elapsed", "bo": "bytes_out", "bi": "bytes_in"},
    "bc": {"sn": "session_number", "l": "label"},
    "uac": {"n": "user_attribute_name", "nv": "new", "ov": "old", "d": "deleted", "na": "is_new_attribute"},
    "se": {"sl": "session_duration_ms"},
}
"""Their members by message type, of `§5.3`, `§5.4` and `§5.5`."""

WORDS = {*EVENT_TYPES, "app_init", "Navigation", "true", "1.0", "7.0"}
"""What the canonical batch has other words for: types, a transition, `dbg`, and the numbers of identity types."""


@each([path for path in BATCHES if path.parent.name == "native"])
def test_each_message_of_a_native_batch_is_an_event_with_its_members(replays: dict[Path, Replayed], path: Path) -> None:
    messages = replays[path].capture["body"]["msgs"]

    (item,) = replays[path].batches

    events = item["batch"]["events"]
    assert [event["event_type"] for event in events] == [EVENT_TYPES[message["dt"]] for message in messages]
    for message, event in zip(messages, events, strict=True):
        for key, member in (COMMON | MEMBERS.get(message["dt"], {})).items():
            if key in message:
                assert leaves(event["data"][member]) == leaves(message[key]), (message["dt"], key)


@each([path for path in BATCHES if path.parent.name == "native"])
def test_no_value_of_a_native_batch_is_lost(replays: dict[Path, Replayed], path: Path) -> None:
    sent = leaves(replays[path].capture["body"])

    (item,) = replays[path].batches

    assert set(sent - leaves(item["batch"])) <= WORDS


@each([path for path in BATCHES if path.parent.name == "native"])
def test_who_sent_a_native_batch_is_told_as_in_the_events_api(replays: dict[Path, Replayed], path: Path) -> None:
    sent = replays[path].capture["body"]

    (item,) = replays[path].batches

    batch = item["batch"]
    assert (batch["mpid"], batch["source_request_id"]) == (int(sent["mpid"]), sent["id"])
    assert batch["user_identities"] == {"customer_id": sent["ui"][0]["i"], "email": sent["ui"][1]["i"]}
    assert (batch["user_attributes"], batch["environment"]) == (sent["ua"], "development")
    assert batch["context"]["data_plan"] == {"plan_id": "sample_plan", "plan_version": 2}
    assert item["source"] == ("android" if "Android" in replays[path].capture["headers"]["User-Agent"] else "ios")


def leaves(value: Any) -> Counter[str]:
    """The values in a JSON document with the times that each is there; a number in a text counts as the number."""
    if isinstance(value, dict):
        return sum((leaves(child) for child in value.values()), Counter())
    if isinstance(value, list):
        return sum((leaves(child) for child in value), Counter())
    if isinstance(value, bool):
        return Counter([str(value).lower()])
    try:
        return Counter([repr(float(value))])
    except (TypeError, ValueError):
        return Counter([str(value)])
