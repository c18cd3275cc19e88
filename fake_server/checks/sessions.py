"""Sessions: which end goes with which start in a batch, and whether the two agree."""

from collections.abc import Container, Iterator
from typing import Any, Final, NamedTuple

from .found import Found, shown
from .times import EARLIEST_MS

DURATION_TOLERANCE_MS: Final = 60 * 1000
"""How much longer than the time between its timestamps a session may last: both are stamped a little beside their moments."""

_UNITS: Final = (("seconds", 1000), ("minutes", 60_000))

Ids = tuple[str | None, str | None]


class SessionEnd(NamedTuple):
    """The end of a session, and the position of the start in the same batch that goes with it, if there is one.

    `same` tells that they share an id; `differs` is the member in which they name different sessions, `session_id` or
    `session_uuid`.
    """

    position: int
    start: int | None
    same: bool
    differs: str | None


def session_ids(data: dict[str, Any]) -> Ids:
    """`session_id` and `session_uuid` of an event in a form that compares; None where there is none."""
    number, uuid = data.get("session_id"), data.get("session_uuid")
    if type(number) is int and -(2**63) <= number < 2**64:
        number = str(number)
    # The Go SDK sends 0 where it knows no id, the web SDK UUIDs in upper case.
    return (
        number if type(number) is str and number not in ("", "0") and len(number) < 100 else None,
        uuid.lower() if type(uuid) is str and 0 < len(uuid) < 100 else None,
    )


def session_ends(events: list[Any], lost: Container[int] | None = None) -> list[SessionEnd]:
    """The ends of sessions among the events of a batch, in their order.

    An end goes with the start before it that has its id; failing that with the latest start before it that is still open. If it
    is known which ends are `lost`, of a session that has not started here before, the others with an id do not: their session
    started in an earlier batch.
    """
    sessions = list(_sessions(events))
    same = _with_same_id(sessions)
    taken = set(same.values())
    ends: list[SessionEnd] = []
    open_starts: list[int] = []
    for index, kind, data in sessions:
        if kind == "session_start":
            if index not in taken:
                open_starts.append(index)
            continue
        start = same.get(index)
        if start is not None:
            ends.append(SessionEnd(index, start, True, _difference(events[start]["data"], data)))
        elif lost is not None and index not in lost and any(session_ids(data)):
            ends.append(SessionEnd(index, None, False, None))
        elif open_starts and not _is_before(data, events[open_starts[-1]]["data"]):
            start = open_starts.pop()
            ends.append(SessionEnd(index, start, False, _difference(events[start]["data"], data)))
        else:
            ends.append(SessionEnd(index, None, False, None))
    return ends


def check_sessions(events: list[Any], found: Found) -> None:
    """Tell of ends that share one id with their start and not the other, or have a duration that their timestamps contradict.

    Whether an end without an id in common with a start in the batch goes with that or an earlier one, only a history can tell.
    """
    for end in session_ends(events):
        if end.same and end.differs is not None:
            tell_difference(end, events, found)
        else:
            start = events[end.start]["data"] if end.start is not None and end.differs is None else {}
            _check_duration(end.position, events[end.position]["data"], start, found)


def tell_difference(end: SessionEnd, events: list[Any], found: Found) -> None:
    """Tell that an end has another id than the start that it goes with."""
    assert end.start is not None
    assert end.differs is not None
    if found.room("session_id_differs"):
        got, expected = (shown(events[index]["data"][end.differs]) for index in (end.position, end.start))
        found.add(
            "session_id_differs",
            ("events", end.position, "data", end.differs),
            f"is {got}; expected {expected}, which events[{end.start}] starts.",
            f"End a session with the {end.differs} it started with, and start another before it is ended.",
        )


def _sessions(events: list[Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for index, event in enumerate(events):
        if type(event) is dict and event.get("event_type") in ("session_start", "session_end"):
            data = event.get("data")
            if type(data) is dict:
                yield index, event["event_type"], data


def _with_same_id(sessions: list[tuple[int, str, dict[str, Any]]]) -> dict[int, int]:
    """The positions of the ends that share an id with a start before them, and of these starts."""
    started: dict[tuple[str, str | None], int] = {}
    same: dict[int, int] = {}
    for index, kind, data in sessions:
        number, uuid = session_ids(data)
        if kind == "session_start":
            started["session_uuid", uuid] = started["session_id", number] = index
            continue
        start = started.get(("session_uuid", uuid)) if uuid is not None else None
        if start is None and number is not None:
            start = started.get(("session_id", number))
        if start is not None:
            same[index] = start
    return same


def _difference(start: dict[str, Any], end: dict[str, Any]) -> str | None:
    """The member in which a start and an end name different sessions, if both have it."""
    (number, uuid), (end_number, end_uuid) = session_ids(start), session_ids(end)
    if uuid is not None and end_uuid is not None and uuid != end_uuid:
        return "session_uuid"
    if number is not None and end_number is not None and number != end_number:
        return "session_id"
    return None


def _is_before(end: dict[str, Any], start: dict[str, Any]) -> bool:
    """Whether an end is older than a start: then it belongs to a session before that."""
    ended, started = _time(end, "timestamp_unixtime_ms"), _time(start, "timestamp_unixtime_ms")
    return ended is not None and started is not None and ended < started


def _time(data: dict[str, Any], member: str) -> float | None:
    """A time, if it can be in milliseconds; of others another check tells."""
    time: Any = data.get(member)
    return time if (type(time) is int or type(time) is float) and EARLIEST_MS <= time < 10**13 else None


def _check_duration(index: int, data: dict[str, Any], start: dict[str, Any], found: Found) -> None:
    """Tell of a duration that cannot be.

    A session may well be shorter than the time between its timestamps, since time in the background need not count, and may end
    by a timeout. So only these contradict: a duration longer than that by more than DURATION_TOLERANCE_MS, and one that is that
    time in seconds or minutes.
    """
    duration = data.get("session_duration_ms")
    started = _time(start, "timestamp_unixtime_ms") or _time(data, "session_start_unixtime_ms")
    ended = _time(data, "timestamp_unixtime_ms")
    if started is None or ended is None or not (type(duration) is int or type(duration) is float) or duration <= 0:
        return
    span = round(ended - started)
    unit = next((name for name, length in _UNITS if span >= 10 * length and abs(duration * length - span) <= length), None)
    if unit is None and duration <= span + DURATION_TOLERANCE_MS:
        return
    said = f"is {shown(duration)}; expected {'about' if unit else 'at most'} {span}, the time from its start to its end"
    if span < 0:
        said = f"is {shown(duration)}, but the session's end is {-span} ms before its start"
    elif unit is None and abs(duration - 1000 * span) <= 1_000_000 < 1000 * span:
        unit = "microseconds"
    found.add(
        "session_duration_contradicts",
        ("events", index, "data", "session_duration_ms"),
        said + (f" (it looks like {unit})." if unit else "."),
        f'Send milliseconds: "session_duration_ms": {span}.' if span > 0 else "Check the clocks that stamp start and end.",
    )
