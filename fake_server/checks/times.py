"""When something was: units, the distance from now, and what is no time at all. Called by `semantics.py`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, TypeGuard

from mparticle_sdk import limits

from .events import events_of
from .found import Found, Path, shown

CLOCK_SKEW_MS: Final = 5 * 60 * 1000
"""How far a timestamp may lie ahead: clocks of devices differ by a few minutes."""

EARLIEST_MS: Final = 946_684_800_000
_LATEST_MS: Final = 4_102_444_800_000
"""From 2000 to 2100: a timestamp that is such a date in another unit, and none in milliseconds, is in that unit."""

_UNSET_MS: Final = 24 * 60 * 60 * 1000
"""A time of the first day of 1970, or before, is none that anybody has looked up."""

_MOST_DIGITS: Final = 30

_UNITS: Final = (("seconds", 1000, 1), ("microseconds", 1, 1000), ("nanoseconds", 1, 1_000_000))
_EVENT_TIMES: Final = ("timestamp_unixtime_ms", "session_start_unixtime_ms", "event_start_unixtime_ms")


def check_times(batch: dict[str, Any], found: Found, now_ms: int, *, historical: bool) -> None:
    """Tell what is wrong with the batch's own time and those of its events; a `historical` batch may be of any age."""
    oldest = _UNSET_MS if historical else now_ms - limits.MAXIMUM_AGE_MS
    _check_time(batch, "timestamp_unixtime_ms", (), found, oldest, now_ms)
    events: Any = batch.get("events")
    for index, event in enumerate(events) if isinstance(events, list) else ():
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict):
            continue
        told: set[str | None] = set()
        for member in _EVENT_TIMES:
            if member == "timestamp_unixtime_ms" or data.get(member):
                told.add(_check_time(data, member, ("events", index, "data"), found, oldest, now_ms, told))


def _check_time(
    node: dict[str, Any], member: str, path: Path, found: Found, oldest: int, now_ms: int, told: Iterable[str | None] = ()
) -> str | None:
    """Tell what is wrong with one time; not what was `told` of the same event: one wrong clock makes all its times wrong."""
    time = _number(node.get(member))
    if time is None or check_unit(node, member, path, found):
        return None
    said = _date(time)
    if time > now_ms + CLOCK_SKEW_MS:
        code, hint = "timestamp_in_future", "Check the clock of the sender, and that no time zone is added: the time is in UTC."
        said += f"{_ago(time - now_ms)} in the future; expected at most 5 minutes."
    elif time < _UNSET_MS:
        code, hint = "timestamp_too_old", f"Set {member} to when it happened, or leave it out where nobody knows."
        said = "which looks like an unset time; expected milliseconds since 1970."
    elif time < oldest:
        code, hint = "timestamp_too_old", "Send events of this age to /v2/bulkevents/historical."
        said += f"{_ago(now_ms - time)} ago; expected at most 30 days."
    else:
        return None
    if code not in told and found.room(code):
        found.add(code, (*path, member), f"is {_written(node[member])}, {said}", hint)
    return code


def check_units(batch: dict[str, Any], found: Found) -> None:
    """The times of consent, of identities and of the tracking permission: as old as they like, but in milliseconds."""
    device = batch.get("device_info")
    if isinstance(device, dict):
        check_unit(device, "att_timestamp_unixtime_ms", ("device_info",), found)
    consent: Any = batch.get("consent_state")
    for regulation in ("gdpr", "ccpa") if isinstance(consent, dict) else ():
        purposes: Any = consent.get(regulation)
        for purpose, given in purposes.items() if isinstance(purposes, dict) else ():
            if isinstance(given, dict):
                check_unit(given, "timestamp_unixtime_ms", ("consent_state", regulation, purpose), found)
    for index, data in events_of(batch.get("events"), "user_identity_change"):
        for member in ("new", "old"):
            identity = data.get(member)
            if isinstance(identity, dict):
                check_unit(identity, "timestamp_unixtime_ms", ("events", index, "data", member), found)


def check_unit(node: dict[str, Any], member: str, path: Path, found: Found) -> bool:
    """Tell if a time, the member of an object at `path`, is in another unit than milliseconds."""
    value = node.get(member)
    if value is None or (type(value) is int and EARLIEST_MS <= value < _LATEST_MS):
        return False
    time = _number(value)
    if time is None or EARLIEST_MS <= time < _LATEST_MS:
        return False
    for unit, times, part in _UNITS:
        if EARLIEST_MS * part <= time * times < _LATEST_MS * part:
            said = f"is {_written(value)}, which looks like {unit}; expected milliseconds since 1970."
            found.add("timestamp_not_milliseconds", (*path, member), said, f'Send "{member}": {round(time * times) // part}.')
            return True
    return False


def looks_like_seconds(moment: float) -> bool:
    """Whether a number for a moment is one of 1973 to 5138 in seconds; in milliseconds it would be soon after 1970."""
    return 10**8 <= moment < 10**11


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a number of JSON: true and false are none."""
    return type(value) is int or type(value) is float


def _number(value: Any) -> float | None:
    """A time as a number, also where its digits are sent as text."""
    if type(value) is str:
        digits = value.removeprefix("-")
        return int(value) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else None
    return value if is_number(value) else None


def _written(value: Any) -> str:
    return f"the text {shown(value)!r}" if isinstance(value, str) else shown(value)


def _date(time: float) -> str:
    if not 0 <= time < _LATEST_MS:
        return ""
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC, "


def _ago(span_ms: float) -> str:
    for unit, length in (("days", 86_400_000), ("hours", 3_600_000)):
        if span_ms >= 2 * length:
            # A timestamp may be any number, also one that no float holds.
            return f"{span_ms // length:.0f} {unit}" if span_ms < 10**15 else "ages"
    return f"{span_ms / 60_000:.0f} minutes"
