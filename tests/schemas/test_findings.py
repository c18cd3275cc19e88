"""What the documents say of single values: fine, valid with a finding, or invalid with the code that the checks give it."""

import copy
from typing import Any

import jsonschema_rs
import pytest

from mparticle_fake_server import schemas
from tests.schemas.probes import batch_of

FOLDED = schemas.folded()
FLAWLESS = jsonschema_rs.validator_for(FOLDED)
VALID = jsonschema_rs.validator_for(schemas.bundle())

UUID = "84e1b361-a282-4adf-8a6d-1d31e6dd5a9e"
ZEROS = "00000000-0000-0000-0000-000000000000"

FINE: list[tuple[str, str, Any]] = [
    ("batch", "events", None),
    ("batch", "events", []),
    ("batch", "ip", None),
    ("batch", "ip", "192.0.2.1"),
    ("batch", "ip", "2001:db8::8a2e:370:7334"),
    ("batch", "ip", "::"),
    ("batch", "ip", "::1"),
    ("batch", "ip", "1::"),
    ("batch", "ip", "::ffff:192.0.2.1"),
    ("batch", "ip", "1:2:3:4:5:6:7:8"),
    ("batch", "ip", "1:2:3:4:5:6:7::"),
    ("batch", "ip", "::2:3:4:5:6:7:8"),
    ("batch", "ip", "1:2:3:4:5:6:192.0.2.1"),
    ("batch", "mpid", -(2**63)),
    ("batch", "mp_deviceid", UUID.upper()),
    ("batch", "partner_identities", {"Partner_Id": "p1"}),
    ("batch", "integration_attributes", {"92": {"name": "value"}}),
    ("device_info", "ios_advertising_id", ZEROS),
    ("device_info", "android_advertising_id", ""),
    ("device_info", "supports_telephony", ""),
    ("device_current_state", "battery_level", -1),
    ("device_current_state", "device_orientation", 6),
    ("device_current_state", "gps_state", "unknown"),
    ("event_data", "custom_attributes", {"text": "x" * 4096, "number": 1.5, "boolean": True, "null": None}),
    ("event_data", "custom_attributes", {"x" * 256: 1}),
    ("event_data", "custom_attributes", {"ü" * 256: "😀" * 4096}),
    ("event_data", "custom_attributes", {str(number): 1 for number in range(100)}),
    ("event_data", "session_uuid", UUID),
    ("custom_event", "event_name", "😀" * 256),
    ("custom_event", "custom_flags", {"any": [{"json": None}]}),
    ("crash_report", "ios_image_base_address", 2**64 - 1),
    ("crash_report", "breadcrumbs", ["text", {"label": "data"}, {"event_type": "breadcrumb", "data": {"label": "event"}}]),
    ("network_performance", "response_code", "200"),
    ("push_message", "push_message_behavior", 21),
    ("push_message", "action_identifier", "x" * 100),
    ("product", "custom_attributes", {"size": 43}),
    ("user_attributes", "sizes", ["M", 43, None]),
    ("user_attributes", "seen", ["x" * 512] * 1000),
    ("user_attributes", "$age", "36"),
    ("user_attributes", "$age", 36),
    ("user_attributes", "$age", None),
    ("user_attributes", "$zip", "3011"),
    ("user_identities", "email", "ada@mail.example.com"),
    ("user_identities", "email", None),
    ("user_identities", "customer_id", "ada@home"),
    ("user_attribute_change", "new", ["a", "b"]),
]

FOUND: list[tuple[str, str, Any, str]] = [
    ("batch", "mpid", "-7636538281262557000", "mpid_as_string"),
    ("batch", "unheard_of", None, "unknown_member"),
    ("product", "price", "9.99", "number_as_string"),
    ("product", "price", "-1E+3", "number_as_string"),
    ("product", "price", "", "number_as_string"),
    ("event_data", "timestamp_unixtime_ms", "1700000000000", "number_as_string"),
    ("location", "longitude", "-4.8952", "number_as_string"),
    ("event_data", "custom_attributes", {"story": "x" * 4097}, "attribute_value_too_long"),
    ("event_data", "custom_attributes", {"x" * 257: 1}, "attribute_name_too_long"),
    ("event_data", "custom_attributes", {str(number): 1 for number in range(101)}, "too_many_attributes"),
    ("custom_event", "event_name", "x" * 257, "event_name_too_long"),
    ("commerce_event", "event_name", "x" * 257, "event_name_too_long"),
    ("screen_view", "screen_name", "x" * 257, "event_name_too_long"),
    ("push_message", "action_identifier", "x" * 101, "action_identifier_too_long"),
    ("consent_state", "gdpr", {str(number): {"consented": True} for number in range(101)}, "too_many_consent_purposes"),
    ("ccpa", "data_sale", {"consented": True}, "unknown_member"),
    ("user_attributes", "bio", "x" * 4097, "user_attribute_value_too_long"),
    ("user_attributes", "x" * 257, 1, "user_attribute_name_too_long"),
    ("user_attributes", "seen", ["x" * 513], "user_attribute_entry_too_long"),
    ("user_attributes", "seen", [1] * 1001, "user_attribute_list_too_long"),
    ("user_attributes", "$FirstName", "Ada", "reserved_attribute_misused"),
    ("user_attributes", "$", "Ada", "reserved_attribute_misused"),
    ("user_attributes", "$city", ["Bern"], "reserved_attribute_misused"),
    ("user_attributes", "$age", "old", "reserved_attribute_misused"),
    ("user_attributes", "$age", "36\n", "reserved_attribute_misused"),
    ("user_attributes", "$age", "٣٦", "reserved_attribute_misused"),
    ("user_attributes", "$age", [36], "reserved_attribute_misused"),
    ("user_identities", "email", "ada at example.com", "email_malformed"),
    ("user_identities", "email", "ada@example", "email_malformed"),
    ("user_identities", "email", "ada@example.com.", "email_malformed"),
    ("user_identities", "email", "ada@example.com\n", "email_malformed"),
    ("user_identities", "email", "undefined", "identity_placeholder"),
    ("user_identities", "other_id_10", ZEROS, "identity_placeholder"),
    ("user_identities", "customer_id", "0", "identity_placeholder"),
    ("user_identities", "customer_id", "", "identity_placeholder"),
    ("user_identities", "customer_id", "ada@example.com", "customer_id_is_email"),
]

FLAWED: list[tuple[str, str, Any, str]] = [
    ("batch", "environment", "staging", "unknown_value"),
    ("batch", "events", {}, "wrong_type"),
    ("batch", "mpid", "abc", "malformed_value"),
    ("batch", "mpid", "12\n", "malformed_value"),
    ("batch", "mpid", 2**63, "out_of_range"),
    ("batch", "mpid", 1.5, "wrong_type"),
    ("batch", "ip", "localhost", "malformed_value"),
    ("batch", "ip", "192.0.2.256", "malformed_value"),
    ("batch", "ip", "192.0.2.1\n", "malformed_value"),
    ("batch", "ip", "1:2:3:4:5:6:7:8:9", "malformed_value"),
    ("batch", "ip", "2001::db8::1", "malformed_value"),
    ("batch", "mp_deviceid", "84e1b361a2824adf8a6d1d31e6dd5a9e", "malformed_value"),
    ("batch", "deleted_user_attributes", [1], "wrong_type"),
    ("event_data", "session_uuid", UUID + "\n", "malformed_value"),
    ("event_data", "timestamp_unixtime_ms", "2024-01-01T00:00:00Z", "wrong_type"),
    ("event_data", "timestamp_unixtime_ms", "12\n", "wrong_type"),
    ("event_data", "custom_attributes", {"address": {"city": "Bern"}}, "attribute_nested"),
    ("event_data", "custom_attributes", {"sizes": ["M"]}, "attribute_nested"),
    ("event_data", "custom_attributes", [], "wrong_type"),
    ("product", "price", "9,99", "wrong_type"),
    ("product", "price", "nine", "wrong_type"),
    ("product", "price", True, "wrong_type"),
    ("product", "custom_attributes", {"sizes": ["M"]}, "attribute_nested"),
    ("product_action", "action", "buy", "unknown_value"),
    ("product_action", "products", [None], "wrong_type"),
    ("commerce_event", "currency_code", "Euro", "malformed_value"),
    ("commerce_event", "currency_code", "USD\n", "malformed_value"),
    ("location", "latitude", 180, "out_of_range"),
    ("location", "country_code", "CHE", "malformed_value"),
    ("data_plan", "plan_version", 1001, "out_of_range"),
    ("device_current_state", "device_orientation", 7, "out_of_range"),
    ("device_current_state", "device_orientation", "sideways", "unknown_value"),
    ("crash_report", "ios_image_base_address", -1, "out_of_range"),
    ("crash_report", "breadcrumbs", [{}], "required"),
    ("crash_report", "breadcrumbs", [1], "wrong_type"),
    ("network_performance", "response_code", "OK", "malformed_value"),
    ("user_attributes", "address", {"city": "Bern"}, "attribute_nested"),
    ("user_attributes", "sizes", [["M"]], "attribute_nested"),
    ("user_identities", "customer_id", 12345, "wrong_type"),
]

BY_KEYWORD = {
    "type": "wrong_type", "enum": "unknown_value", "pattern": "malformed_value", "maxLength": "malformed_value",
    "minimum": "out_of_range", "maximum": "out_of_range", "additionalProperties": "unknown_member",
}  # fmt: skip


def codes(batch: Any) -> set[tuple[str, bool]]:
    """The code of each error of the folded schema, and whether it is a finding on a valid value."""
    found = set()
    for error in FLAWLESS.iter_errors(batch):
        node: Any = FOLDED
        finding = None
        for step in error.schema_path[:-1]:
            node = node[step]
            if isinstance(node, dict) and isinstance(node.get("x-code"), str):
                finding = node["x-code"]
        keyword = str(error.schema_path[-1])
        own = node.get("x-code") if isinstance(node, dict) else None
        code = finding or (own.get(keyword) if isinstance(own, dict) else None) or BY_KEYWORD.get(keyword, keyword)
        found.add((code, finding is not None or code == "unknown_member"))
    return found


def batch_with(file: str, member: str, value: Any) -> Any:
    batch, holder = batch_of(file)
    holder[member] = copy.deepcopy(value)
    return batch


def named(rows: list[Any]) -> list[Any]:
    return [pytest.param(*row, id=f"{row[0]}.{row[1]}={row[2]!a:.40}") for row in rows]


@pytest.mark.parametrize(("file", "member", "value"), named(FINE))
def test_a_fine_value_has_no_finding(file: str, member: str, value: Any) -> None:
    batch = batch_with(file, member, value)

    assert codes(batch) == set()


@pytest.mark.parametrize(("file", "member", "value", "code"), named(FOUND))
def test_a_doubtful_value_is_valid_and_has_one_finding(file: str, member: str, value: Any, code: str) -> None:
    batch = batch_with(file, member, value)

    assert VALID.is_valid(batch)
    assert codes(batch) == {(code, True)}


@pytest.mark.parametrize(("file", "member", "value", "code"), named(FLAWED))
def test_a_wrong_value_is_invalid_by_its_code(file: str, member: str, value: Any, code: str) -> None:
    batch = batch_with(file, member, value)

    assert not VALID.is_valid(batch)
    assert {code for code, finding in codes(batch) if not finding} == {code}


@pytest.mark.parametrize(
    ("file", "member", "code"),
    [
        ("batch", "environment", "environment_missing"),
        ("screen_view", "screen_name", "recommended_missing"),
        ("session_end", "session_duration_ms", "recommended_missing"),
        ("opt_out", "is_opted_out", "recommended_missing"),
        ("data_plan", "plan_id", "recommended_missing"),
        ("gdpr_consent", "consented", "recommended_missing"),
        ("product_impression", "product_impression_list", "recommended_missing"),
        ("network_performance", "url", "recommended_missing"),
    ],
)
def test_a_missing_member_that_should_be_there_is_valid_and_told(file: str, member: str, code: str) -> None:
    batch, holder = batch_of(file)
    del holder[member]

    assert VALID.is_valid(batch)
    assert codes(batch) == {(code, True)}


@pytest.mark.parametrize(
    ("file", "member"),
    [
        ("custom_event", "event_name"),
        ("custom_event", "custom_event_type"),
        ("push_registration", "register"),
        ("push_registration", "registration_token"),
        ("application_state_transition", "application_transition_type"),
        ("push_message", "push_message_type"),
        ("breadcrumb", "label"),
        ("user_attribute_change", "user_attribute_name"),
        ("product_action", "action"),
        ("promotion_action", "action"),
        ("user_identity", "identity_type"),
    ],
)
def test_a_member_without_which_the_object_means_nothing_is_required(file: str, member: str) -> None:
    batch, holder = batch_of(file)
    del holder[member]

    assert codes(batch) == {("required", False)}
