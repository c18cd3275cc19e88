"""From the JSON of an identity request to what it asks for, with findings (`identity.md §3`, `§7`). Called on receipt, and again
whenever the profiles are made anew from what was recorded: the result depends on the JSON and the action alone.
"""

import re
from functools import cache
from typing import Any, Final, Literal, get_args

import msgspec

from .. import schemas
from ..checks.finding import Finding, make
from ..checks.found import Found, got, shown
from ..words import did_you_mean
from .identity_types import BY_NAME, BY_WIRE, Identities
from .profiles import Change

Action = Literal["identify", "login", "logout", "search", "modify"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

ENVIRONMENTS: Final = ("production", "development")
PLATFORMS: Final = ("ios", "android", "web", "tvos", "roku", "alexa", "smart_tv", "fire", "xbox", "other")

_BASE: Final = frozenset({"client_sdk", "context", "environment", "request_id", "request_timestamp_ms"})
_MEMBERS: Final[dict[bool, frozenset[str]]] = {
    # Whether it is a modify request -> what it may have.
    False: _BASE | {"previous_mpid", "known_identities"},
    True: _BASE | {"identity_changes"},
}
_CLIENT_SDK: Final = frozenset({"platform", "sdk_vendor", "sdk_version"})
_CHANGE: Final = ("old_value", "new_value", "identity_type")

_HINTS: Final = {
    # What people write for an identity type that is none.
    "email_sha256": "The web SDK sends email_sha256 as other.",
    "mobile_sha256": "The web SDK sends mobile_sha256 as other2.",
}

_AS_TEXT: Final = "Keep mpids as text: a float cuts their last digits."

_MPID: Final = re.compile(r"-?[0-9]{1,40}")


class IdentityRequest(msgspec.Struct):
    """What is asked: for whoever has the `known` identities, by the Events API's names, or for `changes` of somebody."""

    known: Identities = {}
    changes: list[Change] = []


def read(value: Any, action: Action) -> tuple[IdentityRequest, list[Finding]]:
    """What a decoded body asks for, as far as it can be understood, and what is wrong with it."""
    request = IdentityRequest()
    if not isinstance(value, dict):
        finding = make(
            "wrong_top_level",
            f"The body is {got(value)}; expected an object with {_expected(action)}.",
            raw_pointer="",
        )
        return request, [finding]
    found = Found()
    _check_base(value, action, found)
    if action == "modify":
        request.changes = _changes(value, found)
    else:
        request.known = _known(value, action, found)
        _check_previous_mpid(value, found)
    return request, list(found)


def parse_mpid(text: str) -> int | None:
    """The mpid in a text, or None if that is no integer of 64 bits with a sign."""
    # Python refuses to read thousands of digits.
    mpid = int(text) if _MPID.fullmatch(text) else None
    return mpid if mpid is not None and -(2**63) <= mpid < 2**63 else None


def expected_mpid(text: str) -> tuple[str, str]:
    """What is wrong with a text that is no mpid, to follow its place, and how to mend it."""
    if _MPID.fullmatch(text):
        return f"is {shown(text)}; expected an integer from -2^63 to 2^63-1.", _AS_TEXT
    return f"is {shown(text)!r}; expected the digits of a 64-bit integer.", "Send the mpid of an identify response as it is."


def _expected(action: Action) -> str:
    return "environment and " + ("identity_changes" if action == "modify" else "known_identities")


# -- what every request has ------------------------------------------------------------------------------------------------


def _check_base(value: dict[str, Any], action: Action, found: Found) -> None:
    environment = value.get("environment")
    if environment is None:
        found.add(
            "identity_member_missing",
            ("environment",),
            f"is {'null' if 'environment' in value else 'missing'}; expected production or development.",
            'Add "environment": "development".',
        )
    elif environment not in ENVIRONMENTS:
        hint = did_you_mean(environment, ENVIRONMENTS).strip() or 'Send "environment": "development".'
        found.add("identity_member_wrong", ("environment",), f"is {got(environment)}; expected production or development.", hint)
    members = _MEMBERS[action == "modify"]
    for name in value:
        if name not in members and found.room("identity_member_ignored"):
            here = "a modify request" if action == "modify" else "this request"
            _ignore(found, (name,), f"is no member of {here}", did_you_mean(name, members, 0.7).strip() or None)
    _check_text(value, found)
    _check_client_sdk(value.get("client_sdk"), found)
    time = value.get("request_timestamp_ms")
    if time is not None and (not isinstance(time, int) or isinstance(time, bool)):
        _ignore(found, ("request_timestamp_ms",), f"is {got(time)}; expected milliseconds since 1970, a whole number")


def _check_text(value: dict[str, Any], found: Found) -> None:
    for name in ("context", "request_id"):
        text = value.get(name)
        if text is not None and not isinstance(text, str):
            _ignore(found, (name,), f"is {got(text)}; expected text")


def _check_client_sdk(client: Any, found: Found) -> None:
    if client is None:
        return
    if not isinstance(client, dict):
        _ignore(found, ("client_sdk",), f"is {got(client)}; expected an object with {', '.join(sorted(_CLIENT_SDK))}")
        return
    platform = client.get("platform")
    if platform is not None and platform not in PLATFORMS:
        hint = did_you_mean(platform, PLATFORMS, 0.7).strip() or None
        _ignore(found, ("client_sdk", "platform"), f"is {got(platform)}; expected {', '.join(PLATFORMS)}", hint)
    for name in client:
        if name not in _CLIENT_SDK and found.room("identity_member_ignored"):
            hint = did_you_mean(name, _CLIENT_SDK, 0.7).strip() or None
            _ignore(found, ("client_sdk", name), "is no member of client_sdk", hint)


def _ignore(found: Found, path: tuple[str, ...], said: str, hint: str | None = None) -> None:
    found.add("identity_member_ignored", path, f"{said}; it is passed over.", hint)


# -- whom it knows ---------------------------------------------------------------------------------------------------------


def _known(value: dict[str, Any], action: Action, found: Found) -> Identities:
    given = value.get("known_identities")
    example = 'Add "known_identities": {"customerid": "c1"}, or the ids of the device.'
    if not isinstance(given, dict):
        if given is None:
            said = f"is {'null' if 'known_identities' in value else 'missing'}; {action} needs at least one identity."
            found.add("identity_member_missing", ("known_identities",), said, example)
        else:
            said = f"is {got(given)}; expected an object of identity types and values."
            found.add("identity_member_wrong", ("known_identities",), said, example)
        return {}
    known: Identities = {}
    for wire, identity in given.items():
        path = ("known_identities", wire)
        kind = BY_WIRE.get(wire)
        if kind is None:
            if found.room("identity_type_unknown"):
                _add_unknown_type(found, path, wire)
        elif identity is None or identity == "":
            said = f"is {'null' if identity is None else 'an empty text'}; read as absent."
            found.add("identity_value_absent", path, said, "Leave out what is not known.")
        elif not isinstance(identity, str):
            hint = f'Send "{wire}": "{shown(identity)}".' if isinstance(identity, (int, float)) else None
            found.add("identity_member_wrong", path, f"is {got(identity)}; expected text.", hint)
        else:
            known[kind.name] = identity
            if _is_placeholder(identity):
                said = f"is the placeholder {shown(identity)!r}: everybody who has it becomes one person."
                found.add("identity_placeholder", path, said, "Leave out what is not known.")
    if all(identity in (None, "") for identity in given.values()):
        said = f"names nobody; {action} needs at least one identity."
        found.add("identity_member_missing", ("known_identities",), said, example)
    return known


def _add_unknown_type(found: Found, path: tuple[str | int, ...], wire: str) -> None:
    twin = BY_NAME.get(wire)
    if twin is not None:
        hint: str | None = f"That is the name in the Events API; here it is {twin.wire}."
    else:
        hint = _HINTS.get(wire) or did_you_mean(wire, BY_WIRE).strip() or f"Valid: {', '.join(BY_WIRE)}."
    found.add("identity_type_unknown", path, "is no identity type of this API.", hint)


def _check_previous_mpid(value: dict[str, Any], found: Found) -> None:
    mpid = value.get("previous_mpid")
    path = ("previous_mpid",)
    if mpid is None:
        return
    if isinstance(mpid, bool) or not isinstance(mpid, (int, str)):
        found.add("identity_member_wrong", path, f"is {got(mpid)}; expected an mpid as text.")
        return
    if isinstance(mpid, int):
        if -(2**63) <= mpid < 2**63:
            said = "is a number, as the Android SDK writes it; the documented type is text."
            found.add("previous_mpid_as_number", path, said)
        else:
            said = f"is {got(mpid)}; expected an integer from -2^63 to 2^63-1, as text."
            found.add("mpid_out_of_range", path, said, _AS_TEXT)
    elif parse_mpid(mpid) is None:
        said, hint = expected_mpid(mpid)
        found.add("mpid_out_of_range" if _MPID.fullmatch(mpid) else "identity_member_wrong", path, said, hint)


# -- what it changes -------------------------------------------------------------------------------------------------------


def _changes(value: dict[str, Any], found: Found) -> list[Change]:
    given = value.get("identity_changes")
    example = 'Send "identity_changes": [{"old_value": null, "new_value": "c1", "identity_type": "customerid"}].'
    if given is None:
        found.add("identity_member_missing", ("identity_changes",), "is missing; modify needs a list of changes.", example)
        return []
    if not isinstance(given, list):
        found.add("identity_member_wrong", ("identity_changes",), f"is {got(given)}; expected a list of changes.", example)
        return []
    changes: list[Change] = []
    for index, item in enumerate(given):
        if not isinstance(item, dict):
            found.add("identity_member_wrong", ("identity_changes", index), f"is {got(item)}; expected an object.", example)
            continue
        change = _change(item, index, found)
        if change is not None:
            changes.append(change)
    return changes


def _change(item: dict[str, Any], index: int, found: Found) -> Change | None:
    path: tuple[str | int, ...] = ("identity_changes", index)
    missing = [name for name in _CHANGE if name not in item]
    if missing:
        hint = "Write null for an identity that there was not, or is to be no more."
        said = f"lacks {' and '.join(missing)}; a change has {', '.join(_CHANGE)}."
        found.add("identity_member_missing", path, said, hint)
        return None
    wire = item["identity_type"]
    kind = BY_WIRE.get(wire) if isinstance(wire, str) else None
    if kind is None:
        if not isinstance(wire, str):
            found.add("identity_member_wrong", (*path, "identity_type"), f"is {got(wire)}; expected text.")
        elif found.room("identity_type_unknown"):
            found_path = (*path, "identity_type")
            _add_unknown_type(found, found_path, wire)
        return None
    values: dict[str, str | None] = {}
    for name in ("old_value", "new_value"):
        text = item[name]
        if text is not None and not isinstance(text, str):
            found.add("identity_member_wrong", (*path, name), f"is {got(text)}; expected text or null.")
            return None
        values[name] = text or None
    new = values["new_value"]
    if new is not None and _is_placeholder(new):
        said = f"is the placeholder {shown(new)!r}: everybody who has it becomes one person."
        found.add("identity_placeholder", (*path, "new_value"), said, "Send null to remove an identity.")
    return Change(kind.name, values["old_value"], new)


@cache
def _placeholder() -> re.Pattern[str]:
    return re.compile(schemas.load()["values.json"]["$defs"]["placeholder"]["pattern"])


def _is_placeholder(identity: str) -> bool:
    return len(identity) <= 64 and _placeholder().search(identity) is not None
