"""The events of one type in a batch, for the checks that look at that type alone."""

from collections.abc import Iterator
from typing import Any


def events_of(events: Any, event_type: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Position and data of the events of a type that have data; of any JSON, which may be no list of events at all."""
    for index, event in enumerate(events) if isinstance(events, list) else ():
        if type(event) is dict and event.get("event_type") == event_type and type(event.get("data")) is dict:
            yield index, event["data"]
