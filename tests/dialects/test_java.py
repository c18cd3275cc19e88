"""The Java SDK's way of writing a batch: constants in upper case, nulls and empty collections for whatever was not set."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mparticle_fake_server import dialects
from tests.hosts import Fake, batch, clock_at, event, server_host

SENT_MS = 1_700_000_060_000
"""A minute after the events of `java_batch.json`."""

ORIENTATIONS = {
    "PORTRAIT": "portrait", "PORTRAIT_UPSIDE_DOWN": "portrait_upside_down", "LANDSCAPE": "landscape",
    "LANDSCAPELEFT": "LandscapeLeft", "LANDSCAPE_LEFT": "LandscapeLeft", "LANDSCAPERIGHT": "LandscapeRight",
    "LANDSCAPE_RIGHT": "LandscapeRight", "FACEUP": "FaceUp", "FACE_UP": "FaceUp", "FACEDOWN": "FaceDown", "SQUARE": "Square",
}  # fmt: skip
IDENTITY_TYPES = {
    "OTHER": "other", "CUSTOMER_ID": "customer_id", "FACEBOOK": "facebook", "TWITTER": "twitter", "GOOGLE": "google",
    "MICROSOFT": "microsoft", "YAHOO": "yahoo", "EMAIL": "email", "ALIAS": "alias",
    "FACEBOOK_CUSTOM_AUDIENCE_ID": "facebook_custom_audience_id", "OTHER_ID_2": "other_id_2", "OTHER_ID_10": "other_id_10",
    "MOBILE_NUMBER": "mobile_number", "PHONE_NUMBER_2": "phone_number_2",
}  # fmt: skip
CONSTANTS: dict[str, dict[str, str]] = {
    # Path in the batch -> what the SDK writes there, and the documented value.
    "environment": {"DEVELOPMENT": "development", "PRODUCTION": "production", "UNKNOWN": "unknown"},
    "device_info.platform": {
        "IOS": "iOS", "ANDROID": "Android", "WEB": "web", "DESKTOP": "desktop", "TVOS": "tvOS", "ROKU": "roku",
        "OUT_OF_BAND": "out_of_band", "SMART_TV": "smart_tv", "XBOX": "xbox", "FIRE_TV": "fire_tv", "SAMSUNG_TV": "samsung_tv",
    },
    "device_info.att_authorization_status": {
        "AUTHORIZED": "authorized", "DENIED": "denied", "NOT_DETERMINED": "not_determined", "RESTRICTED": "restricted",
    },
    "application_info.os": {
        "UNKNOWN": "Unknown", "IOS": "IOS", "ANDROID": "Android", "WINDOWSPHONE": "WindowsPhone", "MOBILEWEB": "MobileWeb",
        "UNITYIOS": "UnityIOS", "UNITYANDROID": "UnityAndroid", "DESKTOP": "Desktop", "TVOS": "TVOS", "ROKU": "Roku",
        "OUTOFBAND": "OutOfBand", "ALEXA": "Alexa", "SMARTTV": "SmartTV", "FIRETV": "FireTV", "XBOX": "Xbox",
    },
    "source_info.channel": {
        "NATIVE": "native", "JAVASCRIPT": "javascript", "PIXEL": "pixel", "DESKTOP": "desktop", "PARTNER": "partner",
        "SERVER_TO_SERVER": "server_to_server",
    },
    "events.0.event_type": {
        "CUSTOM_EVENT": "custom_event", "COMMERCE_EVENT": "commerce_event", "SESSION_START": "session_start",
        "SESSION_END": "session_end", "SCREEN_VIEW": "screen_view", "CRASH_REPORT": "crash_report", "OPT_OUT": "opt_out",
        "PUSH_REGISTRATION": "push_registration", "APPLICATION_STATE_TRANSITION": "application_state_transition",
        "PUSH_MESSAGE": "push_message", "NETWORK_PERFORMANCE": "network_performance", "BREADCRUMB": "breadcrumb",
        "PROFILE": "profile", "USER_ATTRIBUTE_CHANGE": "user_attribute_change", "USER_IDENTITY_CHANGE": "user_identity_change",
    },
    "events.0.data.custom_event_type": {
        "NAVIGATION": "navigation", "LOCATION": "location", "SEARCH": "search", "TRANSACTION": "transaction",
        "USER_CONTENT": "user_content", "USER_PREFERENCE": "user_preference", "SOCIAL": "social", "OTHER": "other",
    },
    "events.0.data.device_current_state.device_orientation": ORIENTATIONS,
    "events.0.data.device_current_state.status_bar_orientation": ORIENTATIONS,
    "events.0.data.event_system_notification_info.type": {"GDPR_CHANGE": "gdpr_change"},
    "events.0.data.product_action.action": {
        "ADD_TO_CART": "add_to_cart", "REMOVE_FROM_CART": "remove_from_cart", "CHECKOUT": "checkout",
        "CHECKOUT_OPTION": "checkout_option", "CLICK": "click", "VIEW_DETAIL": "view_detail", "PURCHASE": "purchase",
        "REFUND": "refund", "ADD_TO_WISHLIST": "add_to_wishlist", "REMOVE_FROM_WISH_LIST": "remove_from_wish_list",
    },
    "events.0.data.promotion_action.action": {"VIEW": "view", "CLICK": "click"},
    "events.0.data.application_transition_type": {
        "INITIALIZED": "application_initialized", "EXIT": "application_exit", "BACKGROUND": "application_background",
        "FOREGROUND": "application_foreground",
    },
    "events.0.data.push_message_type": {"SENT": "sent", "RECEIVED": "received", "ACTION": "action"},
    "events.0.data.application_state": {
        "NOT_RUNNING": "not_running", "BACKGROUND": "background", "FOREGROUND": "foreground",
    },
    "events.0.data.push_message_behavior": {
        "RECEIVED": "Received", "DIRECTOPEN": "DirectOpen", "READ": "Read", "INFLUENCEDOPEN": "InfluencedOpen",
        "DISPLAYED": "Displayed",
    },
    "events.0.data.profile_event_type": {
        "SIGNUP": "signup", "LOGIN": "login", "LOGOUT": "logout", "UPDATE": "update", "DELETE": "delete",
    },
    "events.0.data.new.identity_type": IDENTITY_TYPES,
    "events.0.data.old.identity_type": IDENTITY_TYPES,
}  # fmt: skip

Json = Any


def java_batch() -> dict[str, Json]:
    """A batch as the SDK writes it."""
    read: dict[str, Json] = json.loads(Path(__file__).with_name("java_batch.json").read_bytes())
    return read


def small_java_batch(**members: Json) -> dict[str, Json]:
    return {"environment": "DEVELOPMENT", "events": [{"event_type": "CUSTOM_EVENT", "data": {}}]} | members


def with_value(path: str, value: Json) -> dict[str, Json]:
    """A small batch of the SDK with a value at a path."""
    made = small_java_batch()
    *steps, last = path.split(".")
    node: Json = made
    for step in steps:
        node = node[int(step)] if step.isdigit() else node.setdefault(step, {})
    node[last] = value
    return made


def at(path: str, node: Json) -> Json:
    for step in path.split("."):
        node = node[int(step)] if step.isdigit() else node[step]
    return node


def leaves(node: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every value that is no object or array with members, with its path."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [leaf for name, member in members for leaf in leaves(member, f"{path}.{name}" if path else str(name))]
    yield from found or [(path, node)]


# -- constants ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "constant", "documented"),
    [(path, constant, value) for path, values in CONSTANTS.items() for constant, value in values.items()],
)
def test_a_constant_becomes_the_documented_value(path: str, constant: str, documented: str) -> None:
    written = with_value(path, constant)

    dialects.translate(written, "java")

    assert at(path, written) == documented


@pytest.mark.parametrize("path", CONSTANTS)
@pytest.mark.parametrize("value", ["NO_SUCH_CONSTANT", "", None, 6, True, ["PRODUCTION"], {"action": "PURCHASE"}])
def test_another_value_stays_as_it_is(path: str, value: Json) -> None:
    written = with_value(path, value)

    dialects.translate(written, "java")

    assert at(path, written) == value


@pytest.mark.parametrize("path", CONSTANTS)
def test_a_documented_value_stays_as_it_is(path: str) -> None:
    documented = next(iter(CONSTANTS[path].values()))
    written = with_value(path, documented)

    dialects.translate(written, "java")

    assert at(path, written) == documented


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("device_info.platform", "ios"),
        ("device_info.platform", "Ios"),
        ("events.0.data.push_message_behavior", "received"),
        ("events.0.data.product_action.action", "Purchase"),
    ],
)
def test_a_value_that_is_not_all_upper_case_stays_as_it_is(path: str, value: str) -> None:
    written = with_value(path, value)

    dialects.translate(written, "java")

    assert at(path, written) == value


@pytest.mark.parametrize("container", [None, [], {}, "EVENTS", 5, [None], ["CUSTOM_EVENT"], [[]], [{"data": None}]])
def test_a_container_of_another_type_does_no_harm(container: Json) -> None:
    written = {"environment": "PRODUCTION", "events": container, "device_info": container, "source_info": container}

    dialects.translate(written, "java")

    assert written == {"environment": "production", "events": container, "device_info": container, "source_info": container}


# -- a whole batch -----------------------------------------------------------------------------------------------------------


def test_nothing_but_the_constants_changes_in_a_batch_of_the_sdk() -> None:
    written = java_batch()

    dialects.translate(written, "java")

    before, after = dict(leaves(java_batch())), dict(leaves(written))
    changed = {path: value for path, value in after.items() if before[path] != value}
    assert list(before) == list(after)
    assert changed == {
        "environment": "development",
        "device_info.platform": "iOS",
        "device_info.att_authorization_status": "not_determined",
        "application_info.os": "UnityAndroid",
        "source_info.channel": "server_to_server",
        "events.0.event_type": "custom_event",
        "events.0.data.custom_event_type": "location",
        "events.0.data.device_current_state.device_orientation": "LandscapeLeft",
        "events.0.data.device_current_state.status_bar_orientation": "portrait_upside_down",
        "events.0.data.event_system_notification_info.type": "gdpr_change",
        "events.1.event_type": "commerce_event",
        "events.1.data.product_action.action": "add_to_cart",
        "events.2.event_type": "commerce_event",
        "events.2.data.promotion_action.action": "view",
        "events.3.event_type": "application_state_transition",
        "events.3.data.application_transition_type": "application_foreground",
        "events.4.event_type": "push_message",
        "events.4.data.push_message_type": "received",
        "events.4.data.application_state": "not_running",
        "events.4.data.push_message_behavior": "DirectOpen",
        "events.5.event_type": "network_performance",
        "events.6.event_type": "profile",
        "events.6.data.profile_event_type": "login",
        "events.7.event_type": "user_attribute_change",
        "events.8.event_type": "user_identity_change",
        "events.8.data.new.identity_type": "customer_id",
        "events.8.data.old.identity_type": "other_id_4",
    }


@pytest.mark.parametrize("member", ["api_key", "ip", "mp_deviceid", "batch_id", "job_id", "partner_identity"])
def test_a_null_stays_a_null(member: str) -> None:
    written = java_batch()

    dialects.translate(written, "java")

    assert member in written
    assert written[member] is None


@pytest.mark.parametrize(
    ("member", "empty"), [("deleted_user_attributes", []), ("integration_attributes", {}), ("partner_identities", {})]
)
def test_an_empty_collection_stays_one(member: str, empty: Json) -> None:
    written = java_batch()

    dialects.translate(written, "java")

    assert written[member] == empty


def test_a_canonical_batch_is_not_changed_by_a_second_translation() -> None:
    written = java_batch()
    dialects.translate(written, "java")
    canonical = copy.deepcopy(written)

    findings = dialects.translate(written, "java")

    assert (written, findings) == (canonical, [])


def test_the_customer_id_of_a_java_batch_gets_its_documented_name_as_well() -> None:
    written = small_java_batch(user_identities={"customerid": "c1"})

    dialects.translate(written, "java")

    assert written["user_identities"] == {"customer_id": "c1"}


# -- the note ----------------------------------------------------------------------------------------------------------------


def test_one_note_tells_how_many_constants_were_read() -> None:
    (finding,) = dialects.translate(java_batch(), "java")

    assert (finding.code, finding.severity) == ("upper_case_enum", "note")
    assert finding.message.startswith("27 enumerated value(s)")


def test_a_value_that_is_documented_in_upper_case_is_not_counted() -> None:
    written = small_java_batch(application_info={"os": "TVOS"})

    (finding,) = dialects.translate(written, "java")

    assert finding.message.startswith("2 enumerated value(s)")


# -- who wrote it ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        java_batch(),
        small_java_batch(),
        small_java_batch(events=[]),
        small_java_batch(events=None),
        small_java_batch(environment=None),
        {"events": [{"event_type": "SCREEN_VIEW", "data": {}}]},
        {"environment": "PRODUCTION"},
        {"environment": "UNKNOWN", "events": [None, 5, {"data": {}}, {"event_type": None}]},
        # A map among the events, for a type that the SDK has no class for.
        small_java_batch(events=[{"event_type": "uninstall"}, {"event_type": "OPT_OUT", "data": {}}]),
    ],
)
def test_a_batch_of_the_java_sdk_is_told(written: dict[str, Json]) -> None:
    assert dialects.detect(written) == "java"


@pytest.mark.parametrize(
    "written",
    [
        batch(),
        batch(events=[event("HELLO", custom_attributes={"ENVIRONMENT": "PRODUCTION"})]),
        batch(user_attributes={"event_type": "CUSTOM_EVENT"}, source_request_id="PRODUCTION"),
        batch(device_info={"platform": "IOS"}, application_info={"os": "IOS"}),
        {},
        {"events": []},
        {"environment": None, "events": [{}]},
        {"environment": 5, "events": {"event_type": "CUSTOM_EVENT"}},
    ],
)
def test_upper_case_elsewhere_does_not_make_a_batch_one_of_the_java_sdk(written: dict[str, Json]) -> None:
    assert dialects.detect(written) == "standard"


@pytest.mark.parametrize(
    "written",
    [
        batch(environment="PRODUCTION"),
        batch(environment="STAGING"),
        batch(environment="STAGING", events=[]),
        batch(events=[{"event_type": "CUSTOM_EVENT", "data": {}}]),
        batch(environment="Production", events=[{"event_type": "CUSTOM_EVENT", "data": {}}]),
        {"events": [{"event_type": "NO_SUCH_TYPE", "data": {}}]},
    ],
)
def test_a_single_upper_case_value_is_another_clients_mistake_and_stays(written: dict[str, Json]) -> None:
    before = copy.deepcopy(written)

    dialect = dialects.detect(written)
    dialects.translate(written, dialect)

    assert dialect == "standard"
    assert written == before


def test_one_batch_tells_the_dialect_of_a_bulk_request() -> None:
    without_a_trace: dict[str, Json] = {"environment": None, "events": [], "device_info": {"platform": "IOS"}}

    dialect = dialects.detect([without_a_trace, small_java_batch()])
    dialects.translate(without_a_trace, dialect)

    assert dialect == "java"
    assert without_a_trace["device_info"] == {"platform": "iOS"}


def test_a_batch_of_the_web_sdk_beside_one_of_the_java_sdk_is_read_as_such() -> None:
    java: dict[str, Json] = {"environment": "DEVELOPMENT", "events": []}
    promotion = {"event_type": "commerce_event", "data": {"promotion_action": {"action": 1}}}
    web: dict[str, Json] = {"mpid": "5", "sdk_version": "2.71.2", "device_info": {"platform": "web"}, "events": [promotion]}
    dialect = dialects.detect([java, web])

    notes = [finding.code for batch in (java, web) for finding in dialects.translate(batch, dialect)]

    assert notes == ["upper_case_enum", "mpid_as_string", "promotion_action_number"]
    assert (java["environment"], web["mpid"]) == ("development", 5)
    assert web["events"] == [{"event_type": "commerce_event", "data": {"promotion_action": {"action": "view"}}}]


def test_another_clients_batch_is_not_touched_beside_one_of_the_java_sdk() -> None:
    other = batch(device_info={"platform": "IOS"}, events=[event("x", custom_event_type="OTHER")])
    before = copy.deepcopy(other)

    dialect = dialects.detect([small_java_batch(), other])
    dialects.translate(other, dialect)

    assert dialect == "java"
    assert other == before


# -- through the server ------------------------------------------------------------------------------------------------------


@pytest.fixture
def fake() -> Iterator[Fake]:
    with clock_at(SENT_MS), server_host() as opened:
        yield opened


def test_the_server_records_the_canonical_batch_its_dialect_and_the_note(fake: Fake) -> None:
    expected = java_batch()
    dialects.translate(expected, "java")

    reply = fake.upload(java_batch())

    (item,) = fake.items("batches")
    assert (reply.status, item["verdict"], item["dialect"]) == (202, "accepted", "java")
    assert item["batch"] == expected
    assert [(finding["code"], finding["severity"]) for finding in item["findings"]] == [("upper_case_enum", "note")]


def test_the_request_keeps_what_the_sdk_wrote(fake: Fake) -> None:
    fake.upload(java_batch())

    (listed,) = fake.items("requests")
    request = fake.ask(f"requests/{listed['id']}")
    assert json.loads(request["body"]) == java_batch()


def test_filters_speak_of_documented_values(fake: Fake) -> None:
    fake.upload(java_batch())

    (found,) = fake.items("events?event_type=custom_event&event_name=HELLO&data.custom_event_type=location")

    assert found["event"]["data"]["event_name"] == "HELLO"


def test_an_event_without_a_type_is_told_in_a_java_batch_as_well(fake: Fake) -> None:
    reply = fake.upload(small_java_batch(events=[{"event_type": "OPT_OUT", "data": {}}, {"event_type": None, "data": {}}]))

    assert reply.status == 400
    assert "events[1].event_type is null" in reply.messages[0]


def test_each_batch_of_a_bulk_request_is_canonical_and_has_its_note(fake: Fake) -> None:
    reply = fake.upload([java_batch() | {"source_request_id": f"java-{number}"} for number in range(3)], "/v2/bulkevents")

    items = fake.items("batches")
    assert reply.status == 202
    assert [item["batch"]["environment"] for item in items] == ["development"] * 3
    assert [finding["index"] for item in items for finding in item["findings"]] == [0, 1, 2]


def test_a_java_batch_behind_another_clients_in_a_bulk_request_is_canonical(fake: Fake) -> None:
    fake.upload([batch(), small_java_batch()], "/v2/bulkevents")

    first, second = fake.items("batches")
    assert (first["batch"], second["batch"]["environment"]) == (batch(), "development")
