"""What the Events API itself looks at before it takes a batch: the events' types, and the rules of the historical endpoint."""

from heapq import nsmallest
from typing import Any

from mparticle_sdk import limits

from .finding import Finding, make
from .found import MOST_OF_A_CODE, got, shown
from .members import misspelling


def check_events(batch: dict[str, Any]) -> list[Finding]:
    """A finding for each event without an `event_type` (`events-api.md §4`)."""
    events = batch.get("events")
    if not isinstance(events, list):
        return []
    findings: list[Finding] = []
    for index, event in enumerate(events):
        if not has_type(event):
            findings.append(_without_type(index, event))
            if len(findings) == MOST_OF_A_CODE:
                break
    return findings


def has_type(event: Any) -> bool:
    """Whether an event has an `event_type` at all, documented or not."""
    return isinstance(event, dict) and isinstance(event.get("event_type"), str) and event["event_type"] != ""


def _without_type(index: int, event: Any) -> Finding:
    pointer = f"/events/{index}"
    if not isinstance(event, dict):
        return make(
            "event_type_missing",
            f"events[{index}] is {got(event)}; expected an object with event_type and data.",
            pointer=pointer,
            raw_pointer=pointer,
        )
    near = misspelling(event, "event_type")
    if near is not None:
        hint = f"Did you mean event_type instead of {near}?"
    elif "event_type" in event:
        hint = 'Send "event_type": "custom_event", or another documented type.'
    elif "data" in event:
        hint = 'Add "event_type": "custom_event", or another documented type.'
    else:
        hint = (
            "This looks like an event's data without its wrapper: the official Python SDK sends that for Batch(events=[…]); "
            "use batch.events = […]."
        )
    said = f"is missing (members: {', '.join(map(shown, nsmallest(6, event))) or 'none'})"
    if "event_type" in event:
        said = "is empty" if event["event_type"] == "" else f"is {got(event['event_type'])}"
    return make(
        "event_type_missing",
        f"events[{index}].event_type {said}; expected a documented type, such as custom_event.",
        pointer=pointer,
        raw_pointer=pointer,
        hint=hint,
    )


def _age(age_ms: float) -> str:
    if age_ms < 0:
        return "in the future"
    return f"{age_ms // 360_000 / 10} hours old"


def _without_time(index: int, event: Any, timestamp: Any) -> Finding:
    pointer = f"/events/{index}"
    data = event.get("data") if isinstance(event, dict) else None
    near = misspelling(data, "timestamp_unixtime_ms") if isinstance(data, dict) else None
    is_there = isinstance(data, dict) and "timestamp_unixtime_ms" in data
    for name in ("data", "timestamp_unixtime_ms"):
        if isinstance(event, dict) and name in event:
            pointer, event = f"{pointer}/{name}", event[name]
    return make(
        "historical_without_timestamp",
        f"events[{index}].data.timestamp_unixtime_ms is {got(timestamp) if is_there else 'missing'}; "
        "expected milliseconds since 1970.",
        pointer=pointer,
        raw_pointer=pointer,
        hint=f"Did you mean timestamp_unixtime_ms instead of {near}?"
        if near is not None and not is_there
        else "Say when the event was, as a number: mParticle does not process historical events without a time.",
    )


def check_historical(batch: dict[str, Any], now_ms: int) -> list[Finding]:
    """Why `/v2/bulkevents/historical` would not process this batch (`events-api.md §7`)."""
    events = batch.get("events")
    if not isinstance(events, list) or not events:
        return [
            make(
                "historical_without_events",
                "The batch has no events.",
                raw_pointer="",
                hint="Send profile updates without events to /v2/events.",
            )
        ]
    findings: list[Finding] = []
    for index, event in enumerate(events):
        data = event.get("data") if isinstance(event, dict) else None
        timestamp = data.get("timestamp_unixtime_ms") if isinstance(data, dict) else None
        pointer = f"/events/{index}/data/timestamp_unixtime_ms"
        if not isinstance(timestamp, (int, float)) or isinstance(timestamp, bool):
            findings.append(_without_time(index, event, timestamp))
        elif now_ms - timestamp < limits.HISTORICAL_MINIMUM_AGE_MS:
            findings.append(
                make(
                    "historical_too_recent",
                    f"events[{index}] is {_age(now_ms - timestamp)}; expected at least 72 hours.",
                    pointer=pointer,
                    raw_pointer=pointer,
                    hint="Send recent events to /v2/events or /v2/bulkevents.",
                )
            )
        if len(findings) == MOST_OF_A_CODE:
            break
    return findings
