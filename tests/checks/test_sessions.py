"""Which end goes with which start of a session, and what of the two does not agree."""

from typing import Any

import pytest

from tests.checks.meaning import HOUR, MINUTE, NOW, OTHER, SECOND, UUID, check, only, session, typed

Json = Any

SAME: list[tuple[Json, Json]] = [
    ({"session_uuid": UUID}, {"session_uuid": UUID.lower()}),
    ({"session_id": 5}, {"session_id": "5"}),
    ({"session_id": 5}, {"session_uuid": UUID}),
    ({"session_id": 0, "session_uuid": UUID}, {"session_id": 7, "session_uuid": UUID}),
    ({}, {"session_id": 5}),
    ({}, {}),
]


@pytest.mark.parametrize(("started", "ended"), SAME)
def test_an_end_with_the_id_of_its_start_or_none_to_compare_is_fine(started: Json, ended: Json) -> None:
    assert check(*session(started, ended)) == []


DIFFERENT: list[tuple[Json, Json, str]] = [
    ({"session_id": 1, "session_uuid": UUID}, {"session_id": 2, "session_uuid": UUID}, "session_id"),
    ({"session_id": 1, "session_uuid": UUID}, {"session_id": 1, "session_uuid": OTHER}, "session_uuid"),
]


@pytest.mark.parametrize(("started", "ended", "member"), DIFFERENT)
def test_an_end_that_has_one_id_of_its_start_and_not_the_other_is_told(started: Json, ended: Json, member: str) -> None:
    finding = only(*session(started, ended))

    assert (finding.code, finding.severity, finding.pointer) == (
        "session_id_differs",
        "warning",
        f"/events/1/data/{member}",
    )
    assert finding.message == (f"events[1].data.{member} is {ended[member]}; expected {started[member]}, which events[0] starts.")


@pytest.mark.parametrize(
    ("started", "ended"), [({"session_id": 1}, {"session_id": 2}), ({"session_uuid": UUID}, {"session_uuid": OTHER})]
)
def test_an_end_without_any_id_of_the_start_before_it_may_be_of_an_earlier_batch(started: Json, ended: Json) -> None:
    assert check(*session(started, ended)) == []


def test_the_duration_of_an_earlier_session_is_not_held_against_the_start_before_it() -> None:
    started = {"session_id": 2, "timestamp_unixtime_ms": NOW - MINUTE}
    ended = {"session_id": 1, "timestamp_unixtime_ms": NOW, "session_duration_ms": HOUR}

    assert check(*session(started, ended)) == []


def test_sessions_one_after_another_go_with_their_own_starts() -> None:
    assert check(*session({"session_id": 1}, {"session_id": 1}), *session({"session_id": 2}, {"session_id": 2})) == []


def test_a_session_that_has_ended_is_not_compared_again() -> None:
    assert check(*session({"session_id": 1}, {"session_id": 1}), typed("session_end", session_id=2)) == []


def test_interleaved_sessions_go_with_their_own_starts() -> None:
    starts = [typed("session_start", session_id=number) for number in (1, 2)]

    assert check(*starts, typed("session_end", session_id=1), typed("session_end", session_id=2)) == []


def test_an_end_before_the_start_belongs_to_an_earlier_session() -> None:
    assert check(*reversed(session({"session_id": 2}, {"session_id": 1}))) == []


def test_an_end_that_is_older_than_the_start_belongs_to_an_earlier_session() -> None:
    assert (
        check(
            *session(
                {"session_id": 2, "timestamp_unixtime_ms": NOW},
                {"session_id": 1, "timestamp_unixtime_ms": NOW - 1, "session_duration_ms": HOUR},
            )
        )
        == []
    )


def lasting(span: int, duration: Json) -> list[Json]:
    """A session of a span by its timestamps, with this duration."""
    return session(
        {"session_id": 1, "timestamp_unixtime_ms": NOW - span},
        {"session_id": 1, "timestamp_unixtime_ms": NOW, "session_duration_ms": duration},
    )


@pytest.mark.parametrize("duration", [HOUR, HOUR + MINUTE, HOUR - 20 * MINUTE, 5 * SECOND, 0, None, -5, "3600", [], 10.5])
def test_a_session_may_be_shorter_than_its_timestamps_and_a_minute_longer(duration: Json) -> None:
    assert check(*lasting(HOUR, duration)) == []


@pytest.mark.parametrize(
    ("duration", "said"),
    [
        (HOUR + MINUTE + 1, "is 3660001; expected at most 3600000, the time from its start to its end."),
        (3600, "is 3600; expected about 3600000, the time from its start to its end (it looks like seconds)."),
        (3600.25, "is 3600.25; expected about 3600000, the time from its start to its end (it looks like seconds)."),
        (60, "is 60; expected about 3600000, the time from its start to its end (it looks like minutes)."),
        (
            HOUR * 1000,
            "is 3600000000; expected at most 3600000, the time from its start to its end (it looks like microseconds).",
        ),
    ],
)
def test_a_duration_that_is_too_long_or_in_another_unit_is_told(duration: Json, said: str) -> None:
    finding = only(*lasting(HOUR, duration))

    assert (finding.code, finding.pointer) == ("session_duration_contradicts", "/events/1/data/session_duration_ms")
    assert finding.message == f"events[1].data.session_duration_ms {said}"
    assert finding.hint == 'Send milliseconds: "session_duration_ms": 3600000.'


@pytest.mark.parametrize(("span", "duration"), [(3 * SECOND, 3), (500, 1), (2 * MINUTE, 2), (-2 * MINUTE, 0)])
def test_short_sessions_and_unknown_durations_are_not_judged(span: int, duration: int) -> None:
    assert check(*lasting(span, duration)) == []


def test_an_end_before_its_own_start_contradicts_any_duration() -> None:
    finding = only(*lasting(-2 * MINUTE, 5))

    assert finding.message == "events[1].data.session_duration_ms is 5, but the session's end is 120000 ms before its start."


def test_an_end_alone_is_held_against_the_start_that_it_names() -> None:
    ended = typed("session_end", timestamp_unixtime_ms=NOW, session_start_unixtime_ms=NOW - HOUR, session_duration_ms=2 * HOUR)

    assert only(ended).code == "session_duration_contradicts"


def test_a_wrong_unit_of_a_timestamp_is_not_told_as_a_contradiction_too() -> None:
    ended = session(
        {"session_id": 1, "timestamp_unixtime_ms": NOW // 1000 - 3600},
        {"session_id": 1, "timestamp_unixtime_ms": NOW // 1000, "session_duration_ms": HOUR},
    )

    assert {finding.code for finding in check(*ended)} == {"timestamp_not_milliseconds"}
