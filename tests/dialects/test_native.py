"""The native SDKs' abbreviated keys: what each stands for, what is kept beside the canonical batch, and the way back to it."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.finding import Finding
from mparticle_fake_server.checks.found import MOST_OF_A_CODE
from tests.checks.corpus import at

Json = Any

NOW_MS = 1_700_000_060_000
MARK = "a value of its own"

KEYS: dict[str, Any] = json.loads(Path(__file__).with_name("native_keys.json").read_bytes())
"""What the keys mean by `client-sdks.md §5` and the SDKs' sources, null where the Events API has no member: those of all
messages, of each type, and of objects by their place in what is sent. Written apart from the tables of the dialect."""

OBJECTS = [(sent, known["place"], key, name) for sent, known in KEYS["objects"].items() for key, name in known["keys"].items()]
MESSAGES = [
    (kind, known["event_type"], key, name)
    for kind, known in KEYS["messages"].items()
    for key, name in {**KEYS["common"], **known["keys"]}.items()
]


def named(rows: list[Any]) -> list[Any]:
    """The rows whose key has a canonical name."""
    return [row for row in rows if row[-1] is not None]


def unnamed(rows: list[Any]) -> list[Any]:
    return [row[:-1] for row in rows if row[-1] is None]


def upload(*messages: Json, **members: Json) -> dict[str, Json]:
    """The body of an upload."""
    return {"dt": "h", "id": "b1", "mpid": "7", "dbg": True, "msgs": list(messages), **members}


def canonical(body: dict[str, Json], *, whole: bool = False) -> dict[str, Json]:
    dialects.translate(body, "native", whole=whole)
    return body


def data_of(*messages: Json) -> Json:
    return canonical(upload(*messages))["events"][0]["data"]


def notes(body: dict[str, Json]) -> list[Finding]:
    return dialects.translate(copy.deepcopy(body), "native")


def holding(place: str, members: dict[str, Json]) -> dict[str, Json]:
    """An upload with an object of these members at a place in it."""
    body = upload({"dt": "e"}, {"dt": "cm"}, {"dt": "uic"})
    node: Json = body
    steps = place.split("/")[1:]
    for step, next_step in zip(steps, [*steps[1:], ""], strict=False):
        empty: Json = [{}] if next_step.isdigit() else {}
        node = node[int(step)] if isinstance(node, list) else node.setdefault(step, empty)
    node.update(members)
    return body


# -- the tables --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "event_type", "key", "name"), named(MESSAGES))
def test_a_key_of_a_message_becomes_a_member_of_the_events_data(kind: str, event_type: str, key: str, name: str) -> None:
    body = canonical(upload({"dt": kind, key: MARK}))

    (event,) = body["events"]
    assert event["event_type"] == event_type
    assert event["data"][name] == MARK


@pytest.mark.parametrize(("kind", "event_type", "key"), unnamed(MESSAGES))
def test_a_key_of_a_message_without_a_member_is_kept_with_the_event_and_not_worth_a_note(
    kind: str, event_type: str, key: str
) -> None:
    body = upload({"dt": kind, key: MARK})

    findings = notes(body)
    (event,) = canonical(body, whole=True)["events"]

    assert event["event_type"] == event_type
    assert event["native"] == {key: MARK}
    assert MARK not in event["data"].values()
    assert findings == []


@pytest.mark.parametrize(("sent", "place", "key", "name"), named(OBJECTS))
def test_a_key_of_an_object_becomes_the_member_of_its_name(sent: str, place: str, key: str, name: str) -> None:
    body = canonical(holding(sent, {key: MARK}))

    assert at(body, place)[name] == MARK


@pytest.mark.parametrize(("sent", "place", "key"), unnamed(OBJECTS))
def test_a_key_of_an_object_without_a_member_is_kept_at_its_place(sent: str, place: str, key: str) -> None:
    body = holding(sent, {key: MARK})

    findings = notes(body)
    canonical(body, whole=True)

    _, _, index, *inner = sent.split("/") if "msgs" in sent else ("", "", "", *sent.split("/")[1:])
    kept = body["events"][int(index)]["native"] if index else body["native"]
    assert at(kept, "".join(f"/{step}" for step in inner))[key] == MARK
    assert at(body, place) is not None
    assert findings == []


@pytest.mark.parametrize(("sent", "place", "key", "name"), named(OBJECTS))
def test_a_finding_on_a_member_points_to_the_key_that_was_sent(sent: str, place: str, key: str, name: str) -> None:
    quirks = dialects.translate(holding(sent, {key: MARK}), "native")

    finding = dialects.as_sent(Finding("wrong_type", "error", "", f"{place}/{name}", f"{place}/{name}"), quirks)

    assert (finding.pointer, finding.raw_pointer) == (f"{place}/{name}", f"{sent}/{key}")


# -- values ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "documented"),
    [
        ("Navigation", "navigation"), ("Location", "location"), ("Search", "search"), ("Transaction", "transaction"),
        ("UserContent", "user_content"), ("UserPreference", "user_preference"), ("Social", "social"), ("Other", "other"),
        ("Media", "media"), ("Unknown", "unknown"), ("ProductAddToCart", "add_to_cart"),
        ("navigation", "navigation"), ("Navigations", "Navigations"), (7, 7), (["Other"], ["Other"]),
    ],
)  # fmt: skip
def test_the_type_of_a_custom_event_gets_its_documented_spelling(written: Json, documented: Json) -> None:
    assert data_of({"dt": "e", "et": written})["custom_event_type"] == documented


@pytest.mark.parametrize(
    ("written", "documented"),
    [
        ("app_init", "application_initialized"), ("app_exit", "application_exit"), ("app_back", "application_background"),
        ("app_fore", "application_foreground"), ("app_nap", "app_nap"), (None, None), ({}, {}),
    ],
)  # fmt: skip
def test_a_state_transition_gets_its_documented_name(written: Json, documented: Json) -> None:
    assert data_of({"dt": "ast", "t": written})["application_transition_type"] == documented


@pytest.mark.parametrize(
    ("written", "documented"),
    [("remove_from_wishlist", "remove_from_wish_list"), ("add_to_wishlist", "add_to_wishlist"), ("purchase", "purchase")],
)
def test_a_product_action_gets_its_documented_name(written: str, documented: str) -> None:
    assert data_of({"dt": "cm", "pd": {"an": written}})["product_action"]["action"] == documented


@pytest.mark.parametrize(("written", "read"), [("true", True), ("false", False), (True, True), ("maybe", "maybe"), (1, 1)])
def test_whether_an_error_was_handled_is_true_or_false(written: Json, read: Json) -> None:
    handled = data_of({"dt": "x", "eh": written})["exception_handled"]

    assert (type(handled), handled) == (type(read), read)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9.99", 9.99), ("2", 2), ("-1", -1), ("1e3", 1000.0), ("0", 0), (9.99, 9.99), ("1e999", "1e999"), ("9,99", "9,99"),
        ("+1", 1), ("+-1", "+-1"), ("+", "+"),
        ("٣", "٣"), ("", ""), (" 1", " 1"), ("1\n", "1\n"), ("9" * 50, "9" * 50), (None, None), (["1"], ["1"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("place", "key", "name"),
    [
        ("/msgs/1/pd/pl/0", "pr", "price"), ("/msgs/1/pd/pl/0", "qt", "quantity"), ("/msgs/1/pd/pl/0", "ps", "position"),
        ("/msgs/1/pd/pl/0", "tpa", "total_product_amount"), ("/msgs/1/pd/pl/0", "act", "added_to_cart_time_ms"),
        ("/msgs/1/pd", "cs", "checkout_step"), ("/msgs/1/pd", "tr", "total_amount"), ("/msgs/1/pd", "tt", "tax_amount"),
        ("/msgs/1/pd", "ts", "shipping_amount"),
    ],
)  # fmt: skip
def test_a_number_that_ios_sends_as_text_is_a_number(place: str, key: str, name: str, written: Json, read: Json) -> None:
    body = canonical(holding(place, {key: written}))

    value = at(body, KEYS["objects"][place]["place"])[name]
    assert (type(value), value) == (type(read), read)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("7", 7), ("-8234567890123456789", -8234567890123456789), (7, 7), (str(2**70), 2**70), ("none", "none"), (None, None),
        (7.5, 7.5),
    ],
)  # fmt: skip
def test_an_mpid_may_be_text_or_a_number(written: Json, read: Json) -> None:
    assert canonical(upload(mpid=written))["mpid"] == read


@pytest.mark.parametrize(
    ("flags", "scalars"),
    [
        ({"f": ["1"]}, {"f": "1"}), ({"f": ["a", "b"]}, {"f": "a,b"}), ({"f": "1", "g": 2}, {"f": "1", "g": 2}),
        ({"f": []}, {"f": []}), ({"f": [1, "a"]}, {"f": [1, "a"]}), (None, None), (["f"], ["f"]), ({}, {}),
    ],
)  # fmt: skip
def test_the_texts_of_a_flag_become_one(flags: Json, scalars: Json) -> None:
    assert data_of({"dt": "e", "flags": flags})["custom_flags"] == scalars


def test_the_texts_of_a_flag_that_were_joined_are_kept_as_they_came() -> None:
    body = canonical(upload({"dt": "e", "flags": {"one": ["1"], "two": ["a", "b,c"]}}), whole=True)

    assert body["events"][0]["native"] == {"flags": {"two": ["a", "b,c"]}}


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "other"), (1, "customer_id"), (2, "facebook"), (3, "twitter"), (4, "google"), (5, "microsoft"), (6, "yahoo"),
        (7, "email"), (8, "alias"), (9, "facebook_custom_audience_id"), (10, "other_id_2"), (18, "other_id_10"),
        (19, "mobile_number"), (20, "phone_number_2"), (21, "phone_number_3"),
    ],
)  # fmt: skip
def test_the_number_of_a_type_of_identity_becomes_its_name(number: int, name: str) -> None:
    body = upload({"dt": "uic", "ni": {"n": number, "i": "x"}, "oi": None}, ui=[{"n": number, "i": "x"}])

    canonical(body)

    assert body["user_identities"] == {name: "x"}
    assert body["events"][0]["data"] == {"new": {"identity_type": name, "identity": "x"}, "old": None}


def test_when_an_identity_was_first_seen_is_kept() -> None:
    body = canonical(upload(ui=[{"n": 1, "i": "c1", "dfs": 5, "f": True}, {"n": 7, "i": "a@example.com"}]), whole=True)

    assert body["native"]["ui"] == {"0": {"dfs": 5, "f": True}}


def test_of_two_identities_of_a_type_the_last_counts_and_the_other_is_kept() -> None:
    body = upload(ui=[{"n": 1, "i": "old"}, {"n": 1, "i": "new"}])

    quirks = dialects.translate(body, "native", whole=True)

    assert body["user_identities"] == {"customer_id": "new"}
    assert body["native"]["ui"] == {"0": {"n": 1, "i": "old"}}
    found = dialects.as_sent(Finding("wrong_type", "error", "", "", "/user_identities/customer_id"), quirks)
    assert found.raw_pointer == "/ui/1/i"


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"n": 22, "i": "x"}, "has no type of identity: n is the number 22"),
        ({"n": True, "i": "x"}, "has no type of identity: n is true"),
        ({"i": "x"}, "has no type of identity: n is null"),
        ("c1", "is no identity"),
        ([], "is no identity"),
    ],
)
def test_what_is_no_identity_of_a_user_is_kept_with_a_note(item: Json, said: str) -> None:
    body = upload(ui=[{"n": 1, "i": "c1"}, item])

    (note,) = notes(body)
    canonical(body, whole=True)

    assert body["user_identities"] == {"customer_id": "c1"}
    assert body["native"]["ui"]["1"] == item
    assert (note.code, note.severity, note.pointer, note.raw_pointer) == (
        "native_key_unknown",
        "note",
        "/user_identities",
        "/ui/1",
    )
    assert note.message.startswith(f"ui[1] {said}")


@pytest.mark.parametrize(
    ("members", "environment", "raw"),
    [
        ({"dbg": True}, "development", "/dbg"),
        ({"dbg": False}, "production", "/dbg"),
        ({"dbg": True, "ai": {"env": 2}}, "development", "/dbg"),
        ({"ai": {"env": 1}}, "development", "/ai/env"),
        ({"ai": {"env": 2}}, "production", "/ai/env"),
        ({"ai": {"env": 3}}, 3, "/ai/env"),
        ({"ai": {"env": "1"}}, "1", "/ai/env"),
        ({"dbg": 1}, 1, "/dbg"),
        ({"dbg": None}, None, "/dbg"),
    ],
)
def test_the_environment_is_told_by_dbg_or_by_the_application(members: dict[str, Json], environment: Json, raw: str) -> None:
    body = {"dt": "h", "msgs": [], **members}

    quirks = dialects.translate(body, "native")

    assert body["environment"] == environment
    assert dialects.as_sent(Finding("unknown_value", "error", "", "", "/environment"), quirks).raw_pointer == raw


@pytest.mark.parametrize("members", [{}, {"ai": {}}, {"ai": None}, {"ai": [1]}])
def test_without_a_word_on_it_there_is_no_environment(members: dict[str, Json]) -> None:
    assert "environment" not in canonical({"dt": "h", "msgs": [], **members})


def test_the_id_of_a_session_start_is_the_sessions_and_its_time_the_sessions_start() -> None:
    assert data_of({"dt": "ss", "id": "S1", "ct": 5}) == {
        "source_message_id": "S1",
        "timestamp_unixtime_ms": 5,
        "session_uuid": "S1",
        "session_start_unixtime_ms": 5,
    }


def test_a_finding_on_the_session_of_its_start_points_to_the_messages_id() -> None:
    quirks = dialects.translate(upload({"dt": "ss", "id": "S1"}), "native")

    finding = dialects.as_sent(Finding("malformed_value", "error", "", "", "/events/0/data/session_uuid"), quirks)

    assert finding.raw_pointer == "/msgs/0/id"


def test_a_message_outside_any_session_has_none() -> None:
    assert data_of({"dt": "e", "sid": "NO-SESSION"})["session_uuid"] is None


def test_the_image_of_ios_goes_to_the_crash_reports() -> None:
    body = upload({"dt": "x", "m": "boom"}, {"dt": "e", "n": "Play"}, ai={"iba": "4294967296", "is": 5})

    quirks = dialects.translate(body, "native")

    crash, other = (event["data"] for event in body["events"])
    assert crash == {"message": "boom", "ios_image_base_address": 4294967296, "ios_image_size": 5}
    assert other == {"event_name": "Play"}
    finding = dialects.as_sent(Finding("wrong_type", "error", "", "", "/events/0/data/ios_image_size"), quirks)
    assert finding.raw_pointer == "/ai/is"


def test_a_media_message_without_a_type_is_of_type_media() -> None:
    assert data_of({"dt": "media", "n": "Play"}) == {"event_name": "Play", "custom_event_type": "media"}


def test_a_network_message_says_that_its_response_code_is_not_known() -> None:
    assert data_of({"dt": "npe", "url": "https://example.com/"})["response_code"] is None


def test_of_two_ids_of_an_android_device_the_first_counts_and_the_other_is_kept() -> None:
    body = canonical(upload(di={"duid": "d", "anid": "a"}), whole=True)

    assert body["device_info"] == {"android_uuid": "d"}
    assert body["native"]["di"] == {"anid": "a"}


@pytest.mark.parametrize(
    ("written", "documented"), [("FireTV", "fire_tv"), ("unknown", "Unknown"), ("iOS", "iOS"), ("Symbian", "Symbian")]
)
def test_a_platform_gets_its_documented_name(written: str, documented: str) -> None:
    assert canonical(upload(di={"dp": written}))["device_info"] == {"platform": documented}


@pytest.mark.parametrize(("written", "hours"), [("+1", 1), ("+0", 0), ("-8", -8), (-8, -8)])
def test_the_time_zone_of_an_apple_device_is_told_with_its_sign(written: Json, hours: int) -> None:
    body = canonical(upload(di={"dp": "iOS", "tz": written}))

    assert body["device_info"]["timezone_offset"] == hours
    assert check(body, NOW_MS) == []


@pytest.mark.parametrize(
    ("written", "detail"), [(13, "13"), (0, "0"), ("LTE", "LTE"), (None, None), (True, True), (1.5, 1.5), (2**70, 2**70)]
)
def test_the_type_of_network_that_android_sends_as_a_number_is_text(written: Json, detail: Json) -> None:
    body = canonical(upload({"dt": "e", "cs": {"ant": written}}))

    kind = body["events"][0]["data"]["device_current_state"]["data_connection_type_detail"]
    assert (type(kind), kind) == (type(detail), detail)


def test_the_state_that_android_tells_with_each_message_is_in_order() -> None:
    state = {
        "fds": 1_000, "efds": 2_000, "amt": 5, "ama": 3, "amm": 9, "sma": 7, "tsm": 8, "bl": 0.5, "tss": 12, "gps": True,
        "dct": "wifi", "so": 1, "sbo": 1, "sml": False, "smt": 4, "ant": 13,
    }  # fmt: skip
    body = upload({"dt": "e", "n": "Play", "et": "Other", "cs": state})

    assert notes(body) == []
    assert check(canonical(body), NOW_MS) == []


# -- what no table knows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sent", "place"), [(sent, known["place"]) for sent, known in KEYS["objects"].items()])
def test_an_unknown_key_is_noted_with_its_place_and_kept(sent: str, place: str) -> None:
    body = holding(sent, {"zz": MARK})

    (note,) = notes(body)
    canonical(body, whole=True)

    assert (note.code, note.severity) == ("native_key_unknown", "note")
    assert (note.pointer, note.raw_pointer) == (place, f"{sent}/zz")
    assert "zz" in note.message
    assert MARK in list(leaves(body))
    at(body, note.pointer)


@pytest.mark.parametrize("kind", KEYS["messages"])
def test_an_unknown_key_of_a_message_is_noted_and_kept_with_the_event(kind: str) -> None:
    body = upload({"dt": "fr"}, {"dt": kind, "zz": MARK})

    (note,) = notes(body)
    canonical(body, whole=True)

    assert (note.code, note.pointer, note.raw_pointer) == ("native_key_unknown", "/events/1/data", "/msgs/1/zz")
    assert body["events"][1]["native"] == {"zz": MARK}


@pytest.mark.parametrize("member", ["events", "user_identities", "environment", "device_info"])
def test_a_member_of_the_events_apis_batch_is_told_to_be_lost(member: str) -> None:
    (finding,) = notes(upload(**{member: MARK}))

    assert (finding.code, finding.pointer, finding.raw_pointer) == ("misplaced_member", "", f"/{member}")
    assert finding.message.startswith(f"{member} is a member of the Events API's batch")
    assert finding.hint == "Send a batch of this form to /v2/events, with Basic authentication."


def test_a_member_of_the_events_apis_batch_inside_a_message_is_an_unknown_key() -> None:
    (note,) = notes(upload({"dt": "e", "events": MARK}))

    assert note.code == "native_key_unknown"


def leaves(node: Json) -> Iterator[Json]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else None
    if inner is None:
        yield node
    else:
        for item in inner:
            yield from leaves(item)


def test_a_consent_that_is_neither_gdpr_nor_ccpa_is_noted() -> None:
    (note,) = notes(upload(con={"lgpd": {}}))

    assert note.raw_pointer == "/con/lgpd"


def test_the_checks_do_not_see_what_is_kept() -> None:
    body = upload({"dt": "e", "n": "Play", "et": "Other", "zz": 1, "el": 5}, zz=1, uitl=600)

    canonical(body)

    assert "native" not in body
    assert [set(event) for event in body["events"]] == [{"event_type", "data"}]
    assert check(body, NOW_MS) == []


def test_an_own_name_of_the_app_is_no_unknown_key() -> None:
    names = {"zz": "1", "dt": "2"}
    body = upload({"dt": "e", "attrs": names, "flags": {"zz": ["1"]}}, ua=names, ia={"zz": names}, con={"gdpr": {"zz": {}}})

    assert notes(body) == []


def test_a_message_of_an_unknown_type_keeps_it_and_all_its_members() -> None:
    body = upload({"dt": "zz", "id": "m1", "n": "x", "new": {"deep": [1]}})

    findings = notes(body)
    (event,) = canonical(body, whole=True)["events"]

    assert event == {
        "event_type": "zz",
        "data": {"source_message_id": "m1"},
        "native": {"n": "x", "new": {"deep": [1]}},
    }
    assert findings == []


def test_the_checks_tell_of_an_unknown_type_where_it_was_sent() -> None:
    body = upload({"dt": "e", "n": "Play", "et": "Other"}, {"dt": "zz"})

    quirks = dialects.translate(body, "native")
    (finding,) = dialects.told(quirks, check(body, NOW_MS))

    assert (finding.code, finding.pointer, finding.raw_pointer) == ("event_type_unknown", "/events/1/event_type", "/msgs/1/dt")


@pytest.mark.parametrize("kind", [None, 5, ["e"], {"dt": "e"}, True])
def test_a_type_that_is_no_text_stays(kind: Json) -> None:
    assert canonical(upload({"dt": kind}))["events"] == [{"event_type": kind, "data": {}}]


def test_a_message_without_a_type_is_an_event_without_one() -> None:
    assert canonical(upload({"n": "x"}))["events"] == [{"data": {}}]


def test_a_body_of_the_events_api_is_no_upload_of_a_native_sdk() -> None:
    body: dict[str, Json] = {"events": [{"event_type": "custom_event", "data": {}}], "environment": "development"}
    sent = copy.deepcopy(body)

    findings = notes(body)
    canonical(body, whole=True)

    assert body == {"native": sent}
    assert [finding.raw_pointer for finding in findings] == ["/events", "/environment"]


def test_a_hostile_body_gets_no_more_notes_than_anybody_reads() -> None:
    body = upload(*({"dt": "e", f"z{number}": 1} for number in range(10_000)))

    assert len(notes(body)) == MOST_OF_A_CODE


# -- other types -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, [], {}, "x", 5, 1e300, True, [None], [[]], [{"dt": []}], {"dt": "e"}, 10**400])
@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("msgs", "events"), ("ai", "application_info"), ("di", "device_info"), ("con", "consent_state"), ("ctx", "context"),
        ("ua", "user_attributes"), ("uad", "deleted_user_attributes"), ("ia", "integration_attributes"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_stays_for_the_checks_to_tell(key: str, name: str, value: Json) -> None:
    body = canonical(upload(**{key: copy.deepcopy(value)}))

    if not isinstance(value, dict | list) or key in ("ua", "uad", "ia"):
        assert body[name] == value
    check(body, NOW_MS)


@pytest.mark.parametrize("value", [None, [], "x", 5, [None], [[]], [5]])
@pytest.mark.parametrize(
    ("kind", "key", "name"),
    [
        ("cm", "pd", "product_action"), ("cm", "pm", "promotion_action"), ("e", "lc", "location"),
        ("e", "cs", "device_current_state"), ("uic", "ni", "new"), ("e", "attrs", "custom_attributes"),
    ],
)  # fmt: skip
def test_a_list_or_a_scalar_in_place_of_an_object_stays(kind: str, key: str, name: str, value: Json) -> None:
    assert data_of({"dt": kind, key: value})[name] == value


def test_a_message_that_is_no_object_stays_at_its_place() -> None:
    body = canonical(upload(None, {"dt": "fr"}, 5, [], "x"))

    assert body["events"] == [None, {"event_type": "first_run", "data": {}}, 5, [], "x"]


def test_a_finding_on_a_wrong_type_points_as_deep_as_what_was_sent() -> None:
    body = upload({"dt": "cm", "pd": {"an": "purchase", "pl": [{"id": "a"}, {"id": "b", "pr": "cheap"}]}}, None)

    quirks = dialects.translate(body, "native")
    found = dialects.told(quirks, check(body, NOW_MS))

    assert [(finding.code, finding.raw_pointer) for finding in found] == [
        ("event_type_missing", "/msgs/1"),
        ("wrong_type", "/msgs/0/pd/pl/1/pr"),
    ]


@pytest.mark.parametrize(
    ("pointer", "raw"),
    [
        ("/events/0/data/custom_attributes/a~1b~0c", "/msgs/0/attrs/a~1b~0c"),
        ("/events/0/data/custom_flags/f", "/msgs/0/flags/f"),
        ("/events/0/data", "/msgs/0"),
        ("/events/9/data", "/msgs"),
        ("/events/0/data/screen_name", "/msgs/0"),
        ("/events/0", "/msgs/0"),
        ("/user_attributes/plan", "/ua/plan"),
        ("/ip", ""),
        ("", ""),
    ],
)
def test_a_place_that_was_not_sent_leads_to_what_it_would_be_in(pointer: str, raw: str) -> None:
    body = upload({"dt": "e", "attrs": {"a/b~c": 1}, "flags": {"f": ["1"]}}, ua={"plan": "gold"})
    quirks = dialects.translate(body, "native")

    finding = dialects.as_sent(Finding("wrong_type", "error", "", pointer, pointer), quirks)

    assert finding.raw_pointer == raw


def test_what_was_sent_is_not_changed_by_its_translation() -> None:
    body = upload({"dt": "cm", "pd": {"pl": [{"pr": "1"}]}, "flags": {"f": ["1"]}}, ui=[{"n": 1, "i": "c"}])
    messages = body["msgs"]
    before = copy.deepcopy(messages)

    canonical(body)

    assert messages == before


def test_what_was_kept_can_be_taken_out_again_and_only_of_a_native_batch() -> None:
    body = canonical(upload({"dt": "e", "el": 5}, None, uitl=600), whole=True)
    other = copy.deepcopy(body)

    dialects.strip(body, "native")
    dialects.strip(other, "standard")

    assert body == canonical(upload({"dt": "e", "el": 5}, None, uitl=600))
    assert other["native"] == {"dt": "h", "uitl": 600}
    assert other["events"][0]["native"] == {"el": 5}
