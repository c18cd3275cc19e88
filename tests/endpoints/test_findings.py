"""What is found in a batch, as a client meets it: what is recorded, statuses and verdicts by mode, sizes, bounds."""

import gzip
import time
from collections import Counter
from typing import Any

import pytest

from mparticle_fake_server.checks.found import MOST_OF_A_CODE
from mparticle_sdk import limits
from tests.endpoints.found import BULK, END, NESTED, codes, codes_of_requests, findings, of_size, verdict, written
from tests.hosts import Fake, OpenFake, batch, event

SEVERAL = batch(
    user_attributes={"address": {"city": "Bern"}},
    events=[
        event("Play"),
        event("Stop", custom_event_type="bogus", customAttributes={}),
        {"event_type": "commerce_event", "data": {"currency_code": "EUR"}},
    ],
)


def identity_change(**identities: str | None) -> Any:
    data = {name: {"identity_type": "customer_id", "identity": identity} for name, identity in identities.items()}
    return {"event_type": "user_identity_change", "data": data}


# -- what is recorded ------------------------------------------------------------------------------------------------------


def test_a_finding_is_recorded_with_what_a_developer_needs(fake: Fake) -> None:
    fake.upload(batch(events=[event("Play"), event("Stop", customAttributes={})]))

    (finding,) = findings(fake)
    assert finding == {
        "code": "unknown_member",
        "severity": "warning",
        "message": "events[1].data.customAttributes is not a member of a custom event; mParticle ignores it.",
        "pointer": "/events/1/data/customAttributes",
        "raw_pointer": "/events/1/data/customAttributes",
        "hint": "Did you mean custom_attributes instead of customAttributes?",
        "help": "docs/findings.md#unknown_member",
    }


def test_all_faults_of_a_batch_are_recorded(fake: Fake) -> None:
    fake.upload(SEVERAL)

    assert {(finding["code"], finding["severity"], finding["pointer"]) for finding in findings(fake)} == {
        ("attribute_nested", "error", "/user_attributes/address"),
        ("unknown_member", "warning", "/events/1/data/customAttributes"),
        ("unknown_value", "error", "/events/1/data/custom_event_type"),
        ("commerce_without_action", "error", "/events/2/data"),
    }


def test_the_sample_of_this_suite_is_flawless(fake: Fake) -> None:
    fake.upload(batch())

    assert (verdict(fake), findings(fake)) == ("accepted", [])


def test_in_bulk_a_finding_has_the_position_of_its_batch(fake: Fake) -> None:
    fake.upload([batch(), NESTED], BULK)

    (finding,) = findings(fake)
    places = (finding["index"], finding["pointer"], finding["raw_pointer"])
    assert places == (1, "/user_attributes/address", "/1/user_attributes/address")


def test_in_bulk_a_finding_on_a_whole_batch_points_to_it(fake: Fake) -> None:
    fake.upload([batch(), {"environment": "development", "user_attributes": {"plan": "gold"}}], BULK)

    (finding,) = findings(fake)
    assert (finding["code"], finding["index"], finding["raw_pointer"]) == ("identity_missing", 1, "/1")
    assert "pointer" not in finding


@pytest.mark.parametrize(("bulk", "prefix"), [(False, ""), (True, "/1")])
def test_the_raw_pointer_names_customerid_where_that_was_sent(fake: Fake, bulk: bool, prefix: str) -> None:
    sent = batch(user_identities={"customerid": "null"})

    fake.upload([batch(), sent] if bulk else sent, BULK if bulk else "/v2/events")

    (placeholder,) = [finding for finding in findings(fake) if finding["code"] == "identity_placeholder"]
    assert placeholder["pointer"] == "/user_identities/customer_id"
    assert placeholder["raw_pointer"] == f"{prefix}/user_identities/customerid"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("code=attribute_nested", ["nested"]),
        ("code=identity_placeholder", ["placeholder"]),
        ("code=environment_missing", ["silent"]),
        ("code=product_total_contradicts", []),
        ("severity=error", ["nested"]),
        ("severity=warning", ["placeholder"]),
        ("severity=note", ["silent"]),
        ("severity=warning,error", ["nested", "placeholder"]),
    ],
)
def test_batches_are_filtered_by_what_is_found_in_them(fake: Fake, filters: str, expected: list[str]) -> None:
    fake.upload(NESTED | {"source_request_id": "nested"})
    fake.upload(batch(source_request_id="placeholder", user_identities={"customer_id": "undefined"}))
    fake.upload({name: value for name, value in batch(source_request_id="silent").items() if name != "environment"})
    fake.upload(batch(source_request_id="flawless"))

    assert [item["batch"]["source_request_id"] for item in fake.items(f"batches?{filters}")] == expected


def test_stats_count_what_was_found(fake: Fake) -> None:
    fake.upload([NESTED, NESTED, batch(user_identities={})], BULK)

    assert fake.ask("stats")["findings_by_code"] == {"attribute_nested": 2, "identity_missing": 1}


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"partner_identities": {"Acme_Id": "undefined"}}, "/partner_identities/Acme_Id"),
        ({"events": [identity_change(new="null", old="c1")]}, "/events/0/data/new/identity"),
        ({"events": [identity_change(new="c1", old="0")]}, "/events/0/data/old/identity"),
    ],
)
def test_a_placeholder_is_told_wherever_an_identity_stands(fake: Fake, members: Any, pointer: str) -> None:
    fake.upload(batch(**members))

    assert [(finding["code"], finding["pointer"]) for finding in findings(fake)] == [("identity_placeholder", pointer)]


@pytest.mark.parametrize(
    "members", [{"partner_identities": {"Acme_Id": None}}, {"events": [identity_change(new="c2", old=None)]}]
)
def test_an_identity_that_is_null_is_no_placeholder(fake: Fake, members: Any) -> None:
    fake.upload(batch(**members))

    assert findings(fake) == []


# -- status and verdict ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "status", "given"), [("faithful", 202, "altered"), ("lenient", 202, "altered")])
def test_a_wrong_batch_gets_202_where_production_swallows_it(open_fake: OpenFake, mode: Any, status: int, given: str) -> None:
    with open_fake(mode=mode) as fake:
        reply = fake.upload(SEVERAL)

        assert (reply.status, reply.body, verdict(fake)) == (status, b"", given)


def test_strict_mode_refuses_with_every_error_and_its_place(open_fake: OpenFake) -> None:
    with open_fake(mode="strict") as fake:
        reply = fake.upload(SEVERAL)

        assert (reply.status, verdict(fake)) == (400, "rejected")
        # The misspelt member is a warning: it is recorded, and is no reason to refuse.
        first, second, third = reply.messages
        assert first.startswith("user_attributes.address is an object")
        assert second.startswith("events[1].data.custom_event_type is the text 'bogus'")
        assert third.startswith("events[2].data has none of product_action")


def test_strict_mode_tells_in_which_batch_of_a_bulk_request_an_error_is(open_fake: OpenFake) -> None:
    with open_fake(mode="strict") as fake:
        reply = fake.upload([batch(), NESTED], BULK)

        assert reply.status == 400
        assert [message[:40] for message in reply.messages] == ["batch 1: user_attributes.address is an o"]


@pytest.mark.parametrize(
    "sent",
    [
        {"environment": "development", "user_attributes": {"plan": "gold"}},
        batch(events=[event("Play", customAttributes={})]),
        batch(user_attributes={"contact": "ada@example.com"}),
    ],
    ids=["identity_missing", "unknown_member", "personal_data"],
)
def test_strict_mode_takes_a_batch_with_warnings_and_notes(open_fake: OpenFake, sent: Any) -> None:
    with open_fake(mode="strict") as fake:
        reply = fake.upload(sent)

        assert (reply.status, len(findings(fake))) == (202, 1)


@pytest.mark.parametrize(
    ("members", "code", "given"),
    [
        ({"user_identities": {"customer_id": "null"}}, "identity_placeholder", "accepted"),
        ({"user_attributes": {"contact": "ada@example.com"}}, "personal_data", "accepted"),
        ({"events": [event("x" * 257)]}, "event_name_too_long", "altered"),
        ({"events": [event("Play", customAttributes={})]}, "unknown_member", "altered"),
        ({"user_attributes": {"a": {"b": 1}}}, "attribute_nested", "altered"),
        ({"events": [{"event_type": "page_view", "data": {}}]}, "event_type_unknown", "altered"),
    ],
)
def test_the_verdict_follows_from_what_mparticle_does(fake: Fake, members: Any, code: str, given: str) -> None:
    fake.upload(batch(**members))

    assert (codes(fake), verdict(fake)) == ([code], given)


# -- sizes -----------------------------------------------------------------------------------------------------------------


def test_a_batch_of_128_kb_is_flawless(fake: Fake) -> None:
    fake.upload(written(of_size(limits.BATCH_SIZE)))

    assert findings(fake) == []


def test_a_larger_batch_is_told(fake: Fake) -> None:
    reply = fake.upload(written(of_size(limits.BATCH_SIZE + 1)))

    assert (reply.status, verdict(fake), codes(fake)) == (202, "accepted", ["batch_too_large"])
    assert "131073 bytes" in findings(fake)[0]["message"]
    assert codes_of_requests(fake) == [[]]


def test_the_size_is_that_after_decompression(fake: Fake) -> None:
    fake.upload(gzip.compress(written(of_size(limits.BATCH_SIZE + 1))), Content_Encoding="gzip")

    assert codes(fake) == ["batch_too_large"]


def test_a_request_of_more_than_256_kb_is_told_besides(fake: Fake) -> None:
    fake.upload(written(of_size(limits.REQUEST_SIZE)))
    fake.upload(written(of_size(limits.REQUEST_SIZE + 1)))

    assert codes(fake) == ["batch_too_large"]
    assert codes_of_requests(fake) == [[], ["request_too_large"]]


def test_in_bulk_each_batch_is_measured(fake: Fake) -> None:
    fake.upload(written([of_size(limits.BATCH_SIZE - 10), of_size(limits.BATCH_SIZE + 1)]), BULK)

    first, second = fake.items("batches")
    assert (first["findings"], [finding["index"] for finding in second["findings"]]) == ([], [1])
    assert codes(fake) == ["batch_too_large"]
    assert codes_of_requests(fake) == [[]]


def test_brackets_around_a_single_batch_do_not_count_as_its_size(fake: Fake) -> None:
    fake.upload(written([of_size(limits.BATCH_SIZE)]), BULK)

    assert findings(fake) == []


def test_a_bulk_request_of_small_batches_can_be_too_large(fake: Fake) -> None:
    fake.upload(written([of_size(10_000)] * 27), BULK)

    assert {len(item["findings"]) for item in fake.items("batches")} == {0}
    assert codes_of_requests(fake) == [["request_too_large"]]


@pytest.mark.parametrize(
    ("size", "path", "status"), [(limits.BATCH_SIZE, "/v2/events", 202), (limits.BATCH_SIZE + 1, "/v2/events", 400)]
)
def test_strict_mode_refuses_by_size(open_fake: OpenFake, size: int, path: str, status: int) -> None:
    with open_fake(mode="strict") as fake:
        assert fake.upload(written(of_size(size)), path).status == status


def test_a_large_bulk_request_may_hold_integers_that_no_64_bits_hold(fake: Fake) -> None:
    reply = fake.upload(written([of_size(100_000) | {"mpid": 2**70}] * 2), BULK)

    assert reply.status == 202


# -- bounds ----------------------------------------------------------------------------------------------------------------

FAULTY = [
    {"data": {}},
    5,
    {"event_type": "page_view", "data": {}},
    {"event_type": "commerce_event", "data": {}},
    {"event_type": "custom_event", "data": {"event_name": 5, "custom_event_type": [], "timestamp_unixtime_ms": "x"}},
    event("ada@example.com", customAttributes={}, timestamp_unixtime_ms=1_700_000_000),
    event("Play", custom_attributes={"a": {"b": 1}, "c": [1], "d": "4111111111111111"}),
    END,
]


@pytest.mark.parametrize("path", ["/v2/events", BULK])
def test_10_000_faulty_events_are_answered_soon_with_few_findings(open_fake: OpenFake, path: str) -> None:
    with open_fake(mode="lenient") as fake:
        count = 10_000 // len(FAULTY)
        body = written(batch(events=FAULTY * count) if path != BULK else [batch(events=FAULTY * (count // 50))] * 50)

        began = time.perf_counter()
        reply = fake.upload(body, path)
        seconds = time.perf_counter() - began

        assert (reply.status, seconds < 10) == (202, True), seconds
        for item in fake.items("batches?limit=1000"):
            counts = Counter(finding["code"] for finding in item["findings"])
            assert len(counts) > 5
            assert max(counts.values()) <= MOST_OF_A_CODE


def test_an_error_body_has_at_most_20_messages(open_fake: OpenFake) -> None:
    with open_fake(mode="strict") as fake:
        reply = fake.upload(batch(user_attributes={f"a{number}": {} for number in range(100)}))

        assert (reply.status, len(reply.messages)) == (400, 20)
