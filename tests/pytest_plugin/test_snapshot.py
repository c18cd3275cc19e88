"""The stable form of what was received: what is replaced, what stays, and that snapshot plugins take it."""

import json
import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pytest_plugin.inboxes import KEY, NOW, Sent, batch, event, order, sent_inbox
from tests.pytest_plugin.suites import Suite

pytest_plugins = ["pytester"]


@pytest.fixture
def sent() -> Iterator[Sent]:
    with sent_inbox() as opened:
        yield opened


def data(sent: Sent) -> dict[str, Any]:
    """The data of the only event."""
    found: dict[str, Any] = sent.inbox.snapshot()[0]["batch"]["events"][0]["data"]
    return found


def test_what_a_test_chose_stays_as_it_is(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"plan": "gold", "price": 21.49, "first": True, "none": None}))

    assert sent.inbox.snapshot() == [
        {
            "verdict": "accepted",
            "batch": {
                "environment": "development",
                "events": [
                    {
                        "event_type": "custom_event",
                        "data": {
                            "event_name": "login",
                            "custom_event_type": "other",
                            "custom_attributes": {"plan": "gold", "price": 21.49, "first": True, "none": None},
                        },
                    }
                ],
                "user_identities": {"customer_id": "c1"},
            },
        }
    ]


def test_members_are_sorted(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"b": 1, "a": 2}))

    text = json.dumps(sent.inbox.snapshot()[0]["batch"])

    assert text == json.dumps(json.loads(text), sort_keys=True)


def test_ids_are_numbered_in_the_order_of_their_appearance(sent: Sent) -> None:
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    sent.events(
        event("login", session_id=7, source_message_id=one, custom_attributes={"order": f"order {other}", "again": one.upper()}),
        event("logout", session_id=7, source_message_id=other),
        mpid=42,
        source_request_id="run 17",
    )
    sent.events(event("login", session_id=8), mpid=43)

    first, second = (found["batch"] for found in sent.inbox.snapshot())

    assert first["events"][0]["data"] == {
        "custom_attributes": {"again": "<uuid 1>", "order": "order <uuid 2>"},
        "custom_event_type": "other",
        "event_name": "login",
        "session_id": "<session_id 1>",
        "source_message_id": "<uuid 1>",
    }
    assert first["events"][1]["data"]["source_message_id"] == "<uuid 2>"
    assert (first["mpid"], second["mpid"], first["source_request_id"]) == ("<mpid 1>", "<mpid 2>", "<source_request_id 1>")
    assert second["events"][0]["data"]["session_id"] == "<session_id 2>"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("timestamp_unixtime_ms", 5, "<time>"),
        ("session_start_unixtime_ms", NOW, "<time>"),
        ("time_elapsed", 17, "<duration>"),
        ("session_duration_ms", 17, "<duration>"),
        ("event_num", 17, 17),
    ],
    ids=range(5),
)
def test_times_have_no_number_since_two_may_fall_into_the_same_millisecond(sent: Sent, name: str, value: Any, told: Any) -> None:
    sent.events(event("login", **{name: value}))

    assert data(sent)[name] == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (NOW - 5, "<time>"),
        (NOW / 1000, "<time>"),
        ("2026-11-21T23:42:01.5Z", "<time>"),
        ("at 2026-11-21 23:42", "at <time>"),
        (uuid.uuid4().hex, "<uuid 1>"),
        (KEY, "<key>"),
        (1_700_000_000, 1_700_000_000),
        ("2026-11-21", "2026-11-21"),
        (12345678, 12345678),
    ],
    ids=range(9),  # values of this moment would be other tests in each process
)
def test_what_changes_from_run_to_run_is_told_by_its_form(sent: Sent, value: Any, told: Any) -> None:
    sent.events(event("login", custom_attributes={"value": value}))

    assert data(sent)["custom_attributes"]["value"] == told


def test_findings_that_matter_and_what_was_rejected_are_told(sent: Sent) -> None:
    sent.events(order(total_amount="21.49"))
    sent.body(batch(events=[{"data": {}}]))

    accepted, rejected = sent.inbox.snapshot()

    assert accepted["findings"] == ["warning number_as_string /events/0/data/product_action/total_amount"]
    assert (rejected["verdict"], rejected["findings"]) == ("rejected", ["error event_type_missing /events/0"])


def test_it_is_the_same_in_every_run() -> None:
    def run(seed: int) -> str:
        chance = random.Random(seed)
        ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(4)]
        with sent_inbox() as sent:
            for number in range(3):
                now = NOW + chance.randrange(10_000)
                sent.events(
                    event("tick", timestamp_unixtime_ms=now, session_uuid=ids[0], custom_attributes={"id": ids[number]}),
                    session_event(chance.randrange(5000)),
                    mpid=chance.getrandbits(60),
                    at=chance.randrange(10_000),
                )
            return json.dumps(sent.inbox.snapshot())

    assert run(1) == run(2)


def session_event(duration: int) -> dict[str, Any]:
    return {"event_type": "session_end", "data": {"session_duration_ms": duration}}


# -- with snapshot plugins -------------------------------------------------------------------------------------------------

TEST = """
    def test_checkout(fake_mparticle, snapshot):
        send(fake_mparticle, batch(event(session_uuid=str(__import__("uuid").uuid4()))))
        assert fake_mparticle.snapshot() == snapshot
"""


def test_syrupy_takes_it(suite: Suite) -> None:
    pytest.importorskip("syrupy")
    suite.write(TEST)
    written = suite.run_apart("--snapshot-update", plugins=["syrupy"])
    written.assert_outcomes(passed=1)

    compared = suite.run_apart("--snapshot-details", plugins=["syrupy"])

    compared.assert_outcomes(passed=1)
    compared.stdout.fnmatch_lines(["1 snapshot passed*"])


def test_inline_snapshot_takes_it(suite: Suite) -> None:
    pytest.importorskip("inline_snapshot")
    suite.write(
        """
        from inline_snapshot import snapshot

        def test_checkout(fake_mparticle):
            send(fake_mparticle, batch(event(session_uuid=str(__import__("uuid").uuid4()))))
            assert fake_mparticle.snapshot() == snapshot()
        """
    )
    suite.run_apart("--inline-snapshot=create", plugins=["inline_snapshot"])

    compared = suite.run_apart(plugins=["inline_snapshot"])

    compared.assert_outcomes(passed=1)
    assert "<uuid 1>" in (suite.pytester.path / "test_it.py").read_text()
