"""Reading identity requests: whom they know, what they change, and what is found wrong, with its place and how to mend it."""

import json
from typing import Any

import pytest

from mparticle_fake_server.checks.finding import CODES, Finding
from mparticle_fake_server.checks.found import MOST_OF_A_CODE
from mparticle_fake_server.idsync.identity_request import IdentityRequest, parse_mpid, read
from mparticle_fake_server.idsync.identity_types import BY_WIRE
from mparticle_fake_server.idsync.profiles import Change


def identify(**members: Any) -> tuple[IdentityRequest, list[Finding]]:
    """A sound request with other members."""
    return read({"environment": "development", "known_identities": {"customerid": "c1"}} | members, "identify")


def modify(*changes: Any, **members: Any) -> tuple[IdentityRequest, list[Finding]]:
    return read({"environment": "development", "identity_changes": list(changes)} | members, "modify")


def change(**members: Any) -> dict[str, Any]:
    return {"old_value": None, "new_value": "c1", "identity_type": "customerid"} | members


def test_every_identity_type_is_read_by_its_name_in_this_api() -> None:
    request, findings = identify(known_identities={wire: f"value of {wire}" for wire in BY_WIRE})

    assert request.known == {kind.name: f"value of {wire}" for wire, kind in BY_WIRE.items()}
    assert findings == []


def test_a_request_as_the_web_sdk_writes_it_is_sound() -> None:
    _, findings = identify(
        client_sdk={"platform": "web", "sdk_vendor": "mparticle", "sdk_version": "2.71.2"},
        context=None,
        request_id="7c8b0c0e-3f3f-4d6e-0a2b-9d0c5b1f6a70",
        request_timestamp_ms=1_700_000_000_000,
        previous_mpid=None,
    )

    assert findings == []


@pytest.mark.parametrize(
    ("members", "code", "pointer", "said"),
    [
        ({"environment": None}, "identity_member_missing", "/environment", "environment is null"),
        ({"environment": "dev"}, "identity_member_wrong", "/environment", "the text 'dev'"),
        ({"environment": ["production"]}, "identity_member_wrong", "/environment", "an array"),
        ({"known_identities": None}, "identity_member_missing", "/known_identities", "null"),
        ({"known_identities": {}}, "identity_member_missing", "/known_identities", "names nobody"),
        ({"known_identities": {"email": None}}, "identity_member_missing", "/known_identities", "names nobody"),
        ({"known_identities": []}, "identity_member_wrong", "/known_identities", "an array"),
        ({"known_identities": "c1"}, "identity_member_wrong", "/known_identities", "the text 'c1'"),
        ({"known_identities": {"customerid": 5}}, "identity_member_wrong", "/known_identities/customerid", "the number 5"),
        ({"known_identities": {"email": ["e"]}}, "identity_member_wrong", "/known_identities/email", "an array"),
        ({"known_identities": {"emial": "e"}}, "identity_type_unknown", "/known_identities/emial", "emial"),
        ({"known_identities": {"__proto__": {}}}, "identity_type_unknown", "/known_identities/__proto__", "__proto__"),
        ({"known_identities": {"a/b~": "x"}}, "identity_type_unknown", "/known_identities/a~1b~0", "a/b~"),
        ({"previous_mpid": 2**63}, "mpid_out_of_range", "/previous_mpid", "9223372036854775808"),
        ({"previous_mpid": str(-(2**63) - 1)}, "mpid_out_of_range", "/previous_mpid", "-9223372036854775809"),
        ({"previous_mpid": 10**5000}, "mpid_out_of_range", "/previous_mpid", "more than 40 digits"),
        ({"previous_mpid": "abc"}, "identity_member_wrong", "/previous_mpid", "abc"),
        ({"previous_mpid": True}, "identity_member_wrong", "/previous_mpid", "true"),
        ({"previous_mpid": 1.5}, "identity_member_wrong", "/previous_mpid", "1.5"),
        ({"previous_mpid": -5}, "previous_mpid_as_number", "/previous_mpid", "is a number"),
        ({"request_timestamp_unixtime_ms": 1}, "identity_member_ignored", "/request_timestamp_unixtime_ms", "no member"),
        ({"constructor": {"prototype": {}}}, "identity_member_ignored", "/constructor", "no member"),
        ({"identity_changes": []}, "identity_member_ignored", "/identity_changes", "no member"),
        ({"request_timestamp_ms": "now"}, "identity_member_ignored", "/request_timestamp_ms", "the text 'now'"),
        ({"request_id": 5}, "identity_member_ignored", "/request_id", "the number 5"),
        ({"context": {}}, "identity_member_ignored", "/context", "an object"),
        ({"client_sdk": "web"}, "identity_member_ignored", "/client_sdk", "the text 'web'"),
        ({"client_sdk": {"platform": "Web"}}, "identity_member_ignored", "/client_sdk/platform", "'Web'"),
        ({"client_sdk": {"version": "1"}}, "identity_member_ignored", "/client_sdk/version", "no member of client_sdk"),
        ({"known_identities": {"other": "x", "email": ""}}, "identity_value_absent", "/known_identities/email", "empty text"),
        ({"known_identities": {"other": "x", "email": None}}, "identity_value_absent", "/known_identities/email", "null"),
        ({"known_identities": {"customerid": "undefined"}}, "identity_placeholder", "/known_identities/customerid", "undefined"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(members: dict[str, Any], code: str, pointer: str, said: str) -> None:
    _, findings = identify(**members)

    found = [finding for finding in findings if finding.code == code]
    assert [(finding.pointer, finding.raw_pointer) for finding in found] == [(pointer, pointer)]
    assert said in found[0].message


def test_a_missing_member_is_told_as_missing() -> None:
    _, findings = read({}, "login")

    assert [finding.message for finding in findings] == [
        "environment is missing; expected production or development.",
        "known_identities is missing; login needs at least one identity.",
    ]


@pytest.mark.parametrize("body", [None, 5, "text", [], [{"environment": "development"}], True])
def test_a_body_that_is_no_object_says_what_to_send(body: Any) -> None:
    request, findings = read(body, "identify")

    assert request == IdentityRequest()
    assert [finding.code for finding in findings] == ["wrong_top_level"]
    assert "expected an object with environment and known_identities" in findings[0].message


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("emial", "Did you mean email?"),
        ("customer_id", "That is the name in the Events API; here it is customerid."),
        ("mp_deviceid", "That is the name in the Events API; here it is device_application_stamp."),
        ("email_sha256", "The web SDK sends email_sha256 as other."),
        ("§§§", "Valid: customerid, email, other,"),
    ],
)
def test_an_unknown_identity_type_says_which_was_meant(wrong: str, hint: str) -> None:
    _, findings = identify(known_identities={wrong: "x"})

    assert (findings[0].hint or "").startswith(hint)


def test_the_rest_of_a_faulty_request_is_understood() -> None:
    request, _ = identify(known_identities={"emial": "x", "customerid": 5, "email": "e", "other": None})

    assert request.known == {"email": "e"}


def test_a_hundred_thousand_unknown_types_give_a_bounded_number_of_findings() -> None:
    _, findings = identify(known_identities={f"type{number}": "x" for number in range(100_000)})

    assert len(findings) == MOST_OF_A_CODE


def test_a_flawless_modify_request_gives_its_changes() -> None:
    request, findings = modify(change(), change(old_value="a@x.test", new_value=None, identity_type="email"))

    assert request.changes == [Change("customer_id", None, "c1"), Change("email", "a@x.test", None)]
    assert findings == []


@pytest.mark.parametrize(
    ("changes", "code", "pointer", "said"),
    [
        ([{"identity_type": "email"}], "identity_member_missing", "/identity_changes/0", "lacks old_value and new_value"),
        ([change(), 5], "identity_member_wrong", "/identity_changes/1", "the number 5"),
        ([change(identity_type="emial")], "identity_type_unknown", "/identity_changes/0/identity_type", "no identity type"),
        ([change(identity_type=7)], "identity_member_wrong", "/identity_changes/0/identity_type", "the number 7"),
        ([change(new_value=5)], "identity_member_wrong", "/identity_changes/0/new_value", "the number 5"),
        ([change(old_value={})], "identity_member_wrong", "/identity_changes/0/old_value", "an object"),
        ([change(new_value="null")], "identity_placeholder", "/identity_changes/0/new_value", "null"),
    ],
)
def test_what_is_wrong_with_a_change_is_told_with_its_place(changes: list[Any], code: str, pointer: str, said: str) -> None:
    _, findings = modify(*changes)

    assert [(finding.code, finding.pointer) for finding in findings] == [(code, pointer)]
    assert said in findings[0].message


@pytest.mark.parametrize("given", [None, {}, "email"])
def test_changes_that_are_no_list_are_told(given: Any) -> None:
    _, findings = modify(identity_changes=given)

    assert findings[0].pointer == "/identity_changes"
    assert CODES[findings[0].code].effect == "refuse"


def test_a_modify_request_has_no_known_identities() -> None:
    _, findings = modify(change(), known_identities={"customerid": "c1"})

    assert [finding.code for finding in findings] == ["identity_member_ignored"]


@pytest.mark.parametrize(
    ("text", "mpid"),
    [
        ("0", 0),
        ("-9223372036854775808", -(2**63)),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("9" * 5000, None),
        ("", None),
        ("-", None),
        ("+1", None),
        ("1.0", None),
        ("１２", None),
        ("1\n", None),
        ("__proto__", None),
    ],
)
def test_an_mpid_is_a_signed_integer_of_64_bits(text: str, mpid: int | None) -> None:
    assert parse_mpid(text) == mpid


def test_findings_can_be_written_as_json() -> None:
    _, findings = identify(known_identities={"\ud83d": "x", "a\x00b": 10**400})

    assert json.dumps([finding.message for finding in findings])
