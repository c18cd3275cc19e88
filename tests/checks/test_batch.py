"""The rules of the historical endpoint: what it would not process, and why."""

from typing import Any

import pytest

from mparticle_fake_server.checks.batch import check_historical

NOW = 1_700_000_000_000
HOUR = 3_600_000


def of_times(*times: Any) -> dict[str, Any]:
    return {"events": [{"event_type": "first_run", "data": {"timestamp_unixtime_ms": time}} for time in times]}


def test_events_of_72_hours_ago_and_more_are_processed() -> None:
    assert check_historical(of_times(NOW - 72 * HOUR, NOW - 1000 * HOUR), NOW) == []


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (NOW - 72 * HOUR + 1, "events[0] is 71.9 hours old; expected at least 72 hours."),
        (NOW - 30 * HOUR, "events[0] is 30.0 hours old; expected at least 72 hours."),
        (NOW + HOUR, "events[0] is in the future; expected at least 72 hours."),
        (10**400, "events[0] is in the future; expected at least 72 hours."),
    ],
)
def test_of_a_later_event_its_age_is_told(time: int, said: str) -> None:
    (finding,) = check_historical(of_times(time), NOW)

    assert (finding.code, finding.message) == ("historical_too_recent", said)
    assert finding.pointer == finding.raw_pointer == "/events/0/data/timestamp_unixtime_ms"
