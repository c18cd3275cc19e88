"""The web SDK's way of writing a batch: an mpid as text, numbers for promotion actions, and much that is fine as it is."""

import copy
from typing import Any

import pytest

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.found import MOST_OF_A_CODE

Json = Any

NOW_MS = 1_795_285_230_000


def web_batch(*events: Json, **members: Json) -> dict[str, Json]:
    """A batch as the SDK writes it (`client-sdks.md §2.3`), with an event or several."""
    return {
        "source_request_id": "845c2238-177f-45d6-570a-76c01907ecc8",
        "mpid": "-8234567890123456789",
        "timestamp_unixtime_ms": 1795285227336,
        "environment": "development",
        "mp_deviceid": "5734d8dd-653d-4732-fc54-f167ba83cf81",
        "sdk_version": "2.71.2",
        "application_info": {"application_version": "1", "application_name": "A"},
        "device_info": {"platform": "web", "screen_width": 800, "screen_height": 600},
        "user_attributes": {"k": "v", "l": ["a", "b"], "tag": None},
        "user_identities": None,
        "consent_state": None,
        "integration_attributes": {},
        "context": {"data_plan": {"plan_id": "p", "plan_version": 2}},
        "events": list(events) or [event("custom_event", custom_event_type="unknown", event_name="Ev")],
        **members,
    }


def event(event_type: str, **data: Json) -> dict[str, Json]:
    """An event with what the SDK writes into all of them."""
    return {
        "event_type": event_type,
        "data": {
            "timestamp_unixtime_ms": 1795285227624,
            "session_uuid": "EF73AEB9-0605-4291-1DDA-043036BA4817",
            "session_start_unixtime_ms": 1795285227324,
            "custom_attributes": {"a": "1", "b": 2, "c": True, "d": None},
            "location": None,
            "source_message_id": "c2e05a0e-1111-4222-0333-123456789abc",
            "active_time_on_site_ms": 0,
            "page_url": "https://example.com/",
            **data,
        },
    }


def commerce(**data: Json) -> dict[str, Json]:
    """A commerce event with nulls for the kinds that it is not."""
    nothing = dict.fromkeys(("product_action", "promotion_action", "product_impressions", "shopping_cart", "currency_code"))
    return event("commerce_event", **{**nothing, "custom_flags": {}, **data})


def promotion(action: Json) -> dict[str, Json]:
    promotions = [{"id": "p1", "name": "Spring", "creative": "banner", "position": 1}]
    return commerce(promotion_action={"action": action, "promotions": promotions})


# -- what is translated ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("-8234567890123456789", -8234567890123456789),
        ("9223372036854775807", 2**63 - 1),
        ("1", 1),
        ("0", 0),
        ("99999999999999999999", 99999999999999999999),
    ],
)
def test_an_mpid_of_digits_becomes_the_number_with_a_note(written: str, number: int) -> None:
    batch = web_batch(mpid=written)

    (note,) = dialects.translate(batch, "web")

    assert batch["mpid"] == number
    assert (note.code, note.severity, note.pointer, note.raw_pointer) == ("mpid_as_string", "note", "/mpid", "/mpid")
    assert repr(written) in note.message


@pytest.mark.parametrize(
    "written", ["", "-", "abc", "1.5", "+1", "--1", " 1", "1_000", "١٢", "1" * 21, None, 5, 5.0, True, ["1"], {"id": "1"}]
)
def test_another_mpid_stays_as_it_is(written: Json) -> None:
    batch = web_batch(mpid=written)

    findings = dialects.translate(batch, "web")

    assert (batch["mpid"], findings) == (written, [])


def test_an_mpid_beyond_64_bits_is_told_by_the_checks() -> None:
    batch = web_batch(mpid=str(2**63))

    dialects.translate(batch, "web")

    assert [finding.code for finding in check(batch, NOW_MS)] == ["out_of_range"]


def with_ids(id: Json) -> list[Json]:
    """Commerce events with this id wherever an app may give the SDK a number."""
    product = {"id": id, "name": "Shoe", "price": 9.99, "quantity": 1, "total_product_amount": 9.99, "position": 1}
    return [
        commerce(product_action={"action": "purchase", "transaction_id": id, "products": [product]}),
        commerce(product_impressions=[{"product_impression_list": "Search", "products": [product]}]),
        commerce(promotion_action={"action": 1, "promotions": [{"id": id, "name": "Spring", "position": 1}]}),
    ]


@pytest.mark.parametrize(("written", "text"), [(12345, "12345"), (0, "0"), (-1, "-1"), ("sku-1", "sku-1"), (None, None)])
def test_an_id_that_an_app_gave_as_a_number_becomes_text(written: Json, text: Json) -> None:
    batch = web_batch(*copy.deepcopy(with_ids(written)))

    quirks = dialects.translate(batch, "web")

    purchase, impression, promotion = (event["data"] for event in batch["events"])
    assert purchase["product_action"]["transaction_id"] == text
    assert purchase["product_action"]["products"][0]["id"] == text
    assert impression["product_impressions"][0]["products"][0]["id"] == text
    assert promotion["promotion_action"]["promotions"][0]["id"] == text
    assert {finding.severity for finding in dialects.told(quirks, check(batch, NOW_MS))} == {"note"}


@pytest.mark.parametrize("id", [True, 1.5, 2**64, 10**5000, ["1"], {"id": 1}], ids=lambda id: type(id).__name__)
def test_what_is_no_id_stays_as_it_is(id: Json) -> None:
    batch = web_batch(*copy.deepcopy(with_ids(id)))

    dialects.translate(batch, "web")

    purchase, impression, promotion = (event["data"] for event in batch["events"])
    assert purchase["product_action"]["transaction_id"] is not None
    assert purchase["product_action"]["products"][0]["id"] == id
    assert promotion["promotion_action"]["promotions"][0]["id"] == id
    assert impression["product_impressions"][0]["products"][0]["id"] == id


@pytest.mark.parametrize(
    "data",
    [
        {"product_action": 5, "promotion_action": []},
        {"product_action": {"products": {"id": 1}}, "promotion_action": {"promotions": {"id": 1}}},
        {"product_action": {"products": [5, None]}, "promotion_action": {"promotions": [5, None]}, "shopping_cart": "x"},
    ],
)
def test_commerce_events_of_another_shape_stay_as_they_are(data: dict[str, Json]) -> None:
    sent = commerce(**data)
    batch = web_batch(copy.deepcopy(sent))

    dialects.translate(batch, "web")

    assert batch["events"] == [sent]


@pytest.mark.parametrize(("number", "name"), [(1, "view"), (2, "click")])
def test_the_number_of_a_promotion_action_becomes_its_name_with_a_note(number: int, name: str) -> None:
    batch = web_batch(commerce(product_action={"action": "purchase"}), promotion(number), mpid=1)

    (note,) = dialects.translate(batch, "web")

    assert batch["events"][1]["data"]["promotion_action"]["action"] == name
    assert (note.code, note.severity) == ("promotion_action_number", "note")
    assert note.pointer == note.raw_pointer == "/events/1/data/promotion_action/action"
    assert name in note.message


@pytest.mark.parametrize("action", ["view", "click", "1", 0, 3, -1, True, 1.0, 2.0, None, [1], {"action": 1}])
def test_another_promotion_action_stays_as_it_is(action: Json) -> None:
    batch = web_batch(promotion(action), mpid=1)

    findings = dialects.translate(batch, "web")

    written = batch["events"][0]["data"]["promotion_action"]["action"]
    assert (type(written), written, findings) == (type(action), action, [])


def test_a_number_stays_where_it_is_no_promotion_action() -> None:
    batch = web_batch(event("custom_event", promotion_action={"action": 1}), commerce(product_action={"action": 1}), mpid=1)
    before = copy.deepcopy(batch)

    dialects.translate(batch, "web")

    assert batch == before


@pytest.mark.parametrize("events", [None, [], {}, "x", [None, 5, []], [{"event_type": "commerce_event"}], [commerce()]])
def test_events_without_a_promotion_stay_as_they_are(events: Json) -> None:
    batch = web_batch(events=copy.deepcopy(events), mpid=1)

    findings = dialects.translate(batch, "web")

    assert (batch["events"], findings) == (events, [])


def test_notes_on_promotions_are_no_more_than_anybody_reads() -> None:
    batch = web_batch(*(promotion(1) for _ in range(200)))

    findings = dialects.translate(batch, "web")

    assert len(findings) == MOST_OF_A_CODE
    assert {item["data"]["promotion_action"]["action"] for item in batch["events"]} == {"view"}


def test_a_canonical_batch_is_not_changed_by_a_second_translation() -> None:
    batch = web_batch(promotion(1))
    dialects.translate(batch, "web")
    canonical = copy.deepcopy(batch)

    findings = dialects.translate(batch, "web")

    assert (batch, findings) == (canonical, [])


# -- what is fine as it is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        event("session_start", custom_attributes=None),
        event("application_state_transition", application_transition_type="application_initialized", is_first_run=True,
              is_upgrade=False, launch_referral="http://localhost/"),
        event("user_identity_change",
              new={"identity_type": "email", "identity": "a@example.com", "timestamp_unixtime_ms": 1795285227624,
                   "created_this_batch": True},
              old={"identity_type": "email", "identity": None, "timestamp_unixtime_ms": 1795285227624,
                   "created_this_batch": False}),
        event("user_attribute_change", user_attribute_name="plan", new=["a", "b"], old=None, deleted=False,
              is_new_attribute=True),
        event("screen_view", screen_name="Home", custom_flags={"list": ["a"]}),
        event("crash_report", message="Error", custom_attributes={"m": "boom", "s": "Error", "t": "at line 1"}),
        event("session_end", session_duration_ms=200),
        commerce(product_action={"action": "unknown", "products": [{"id": "s", "name": "n", "position": 1, "price": 5,
                                 "quantity": 1, "total_product_amount": 5, "custom_attributes": None}]}),
        commerce(product_impressions=[{"product_impression_list": "x", "products": []}]),
    ],
    ids=lambda sent: sent["event_type"],
)  # fmt: skip
def test_nothing_else_is_touched_or_worth_more_than_a_note(sent: dict[str, Json]) -> None:
    batch = web_batch(copy.deepcopy(sent))

    quirks = dialects.translate(batch, "web")

    assert batch["events"] == [sent]
    assert [finding.code for finding in dialects.told(quirks, check(batch, NOW_MS))] == ["mpid_as_string"]


def test_identities_and_consent_that_were_given_stay_as_they_are() -> None:
    given: dict[str, Json] = {
        "user_identities": {"customer_id": "c1", "other_id_2": "o2"},
        "consent_state": {
            "gdpr": {"marketing": {"consented": True, "hardware_id": "hw", "timestamp_unixtime_ms": 1795285227624}},
            "ccpa": {"data_sale_opt_out": {"consented": False}},
        },
    }
    batch = web_batch(**copy.deepcopy(given))

    quirks = dialects.translate(batch, "web")

    assert {name: batch[name] for name in given} == given
    assert [finding.code for finding in dialects.told(quirks, check(batch, NOW_MS))] == ["mpid_as_string"]


# -- who wrote it ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batches", [web_batch(), [web_batch()], [{"environment": "development"}, web_batch()]])
def test_a_batch_of_the_web_sdk_is_told_where_somebody_replays_it(batches: Json) -> None:
    assert dialects.detect(batches) == "web"


@pytest.mark.parametrize(
    "members",
    [
        {"mpid": 5}, {"mpid": None}, {"sdk_version": None}, {"sdk_version": 2}, {"device_info": None}, {"device_info": "web"},
        {"device_info": {"platform": "Android"}}, {"device_info": {"platform": ["web"]}},
    ],
)  # fmt: skip
def test_a_batch_that_another_client_might_have_written_is_not_one_of_the_web_sdk(members: dict[str, Json]) -> None:
    assert dialects.detect(web_batch(**members)) == "standard"


def test_a_java_batch_in_the_same_request_comes_first() -> None:
    java: dict[str, Json] = {"environment": "DEVELOPMENT", "events": []}

    assert dialects.detect([web_batch(), java]) == dialects.detect([java, web_batch()]) == "java"
