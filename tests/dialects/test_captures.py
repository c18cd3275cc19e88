"""Uploads of the web and native SDKs, kept outside this repository: what they say is all in the canonical batch, in its words."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.finding import Finding
from tests.conftest import CHECKOUT

Json = Any
Path = tuple[str | int, ...]

CAPTURES = CHECKOUT.parent / "shared" / "captures"

WORDS: dict[tuple[str, Json], Json] = {
    # The last key and what is sent there -> what it stands for.
    ("et", "Navigation"): "navigation",
    ("t", "app_init"): "application_initialized",
    ("eh", "true"): True,
    ("dbg", True): "development",
    ("n", 7): "email",
    ("mpid", "810434380285165227"): 810434380285165227,
}

NOTES = {("note", "mpid_as_string"), ("note", "promotion_action_number")}


def uploads(client: str) -> pytest.MarkDecorator:
    """The bodies of all uploads of a client that were taken; a skip where there are none."""
    found = []
    for path in sorted((CAPTURES / client).glob("*.json")):
        capture = json.loads(path.read_bytes())
        if capture["method"] == "POST" and capture["path"].endswith("/events") and capture["stub_status"] < 300:
            found.append(pytest.param(capture["body"], id=path.stem))
    absent = pytest.param(None, marks=pytest.mark.skip(reason="no captures beside this checkout: nothing to compare with"))
    return pytest.mark.parametrize("body", found or [absent])


def leaves(node: Json, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Every value that has no values in it, with its path."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    empty = True
    for step, value in inside:
        empty = False
        yield from leaves(value, (*path, step))
    if empty:
        yield path, node


def now_of(body: dict[str, Json]) -> int:
    """A second after the batch was made."""
    time: int = body.get("timestamp_unixtime_ms") or body["ct"]
    return time + 1000


def copied(body: dict[str, Json]) -> dict[str, Json]:
    copy: dict[str, Json] = json.loads(json.dumps(body))
    return copy


def pointer(path: Path) -> str:
    return "".join(f"/{step}" for step in path)


@uploads("web")
def test_nothing_but_notes_is_found_in_an_upload_of_the_web_sdk(body: dict[str, Json]) -> None:
    batch = copied(body)

    quirks = dialects.translate(batch, "web")

    found = dialects.told(quirks, check(batch, now_of(body)))
    assert {(finding.severity, finding.code) for finding in found} <= {
        ("note", "mpid_as_string"),
        ("note", "promotion_action_number"),
    }


@uploads("web")
def test_the_canonical_batch_of_the_web_sdk_differs_in_the_mpid_and_in_promotion_actions_alone(body: dict[str, Json]) -> None:
    batch = copied(body)

    dialects.translate(batch, "web")

    before, after = dict(leaves(body)), dict(leaves(batch))
    assert list(before) == list(after)
    changed = {path[-1]: (before[path], value) for path, value in after.items() if before[path] != value}
    assert changed.pop("mpid") == (body["mpid"], int(body["mpid"]))
    assert changed in ({}, {"action": (1, "view")}, {"action": (2, "click")})


@uploads("web")
def test_an_upload_of_the_web_sdk_is_told_from_others(body: dict[str, Json]) -> None:
    assert dialects.detect(body) == "web"


@uploads("native")
def test_nothing_is_found_in_an_upload_of_a_native_sdk(body: dict[str, Json]) -> None:
    batch = copied(body)

    quirks = dialects.translate(batch, "native")

    assert dialects.told(quirks, check(batch, now_of(body))) == []


@uploads("native")
def test_every_message_of_a_native_sdk_is_an_event_in_its_place(body: dict[str, Json]) -> None:
    batch = copied(body)

    dialects.translate(batch, "native")

    assert [(event["data"]["source_message_id"], event["data"]["timestamp_unixtime_ms"]) for event in batch["events"]] == [
        (message["id"], message["ct"]) for message in body["msgs"]
    ]


@uploads("native")
def test_every_value_that_a_native_sdk_sends_is_in_the_batch_where_its_place_leads(body: dict[str, Json]) -> None:
    batch = copied(body)

    quirks = dialects.translate(batch, "native", whole=True)

    found = kept(batch)
    for path, value in leaves(batch):
        if "native" not in path:
            place = pointer(path)
            found[dialects.as_sent(Finding("", "note", "", place, place), quirks).raw_pointer or ""] = value
    # The type of a message is looked at with its place; identities are a list here and an object there.
    sent = {pointer(path): expected(path, value) for path, value in leaves(body) if path[0] != "ui" and path[2:] != ("dt",)}
    assert {place: (value, found.get(place)) for place, value in sent.items() if found.get(place) != value} == {}


def kept(batch: dict[str, Json]) -> dict[str, Json]:
    """What is beside the canonical members, by where it was sent."""
    found = {pointer(path): value for path, value in leaves(batch["native"])}
    for index, event in enumerate(batch["events"]):
        found |= {f"/msgs/{index}{pointer(path)}": value for path, value in leaves(event.get("native", {}))}
    return found


def expected(path: Path, value: Json) -> Json:
    return value if isinstance(value, dict | list) else WORDS.get((str(path[-1]), value), value)


@uploads("native")
def test_the_identities_of_a_native_sdk_are_all_in_the_batch(body: dict[str, Json]) -> None:
    batch = copied(body)

    dialects.translate(batch, "native", whole=True)

    names = {1: "customer_id", 7: "email"}
    assert batch["user_identities"] == {names[item["n"]]: item["i"] for item in body["ui"]}
    assert batch["native"]["ui"] == {str(index): {"dfs": item["dfs"], "f": item["f"]} for index, item in enumerate(body["ui"])}
