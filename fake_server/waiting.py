"""Waiting until enough was recorded, and what came nearest where it was not: for `GET /_fake/wait`."""

import difflib
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Literal

import msgspec

from .checks.finding import Finding
from .exchange import Answer
from .items import BatchItem, EventItem, event_items
from .query import AT_ONCE, Cursor, Difference, Filter, Item
from .recording import Recorder

Json = Any

MOST_BATCHES: Final = 5000
"""Batches, or requests without, in which near misses are looked for."""

_STEP: Final = 20
"""Requests that are counted at once."""


class NearMiss(msgspec.Struct):
    """An event or a batch that meets all conditions but `differences`."""

    id: str
    received_at_ms: int
    verdict: str
    differences: list[Difference]
    event: Json = None
    findings: list[Finding] = []


class Wait:
    """Waits until `count` items match. `timeout` in seconds."""

    def __init__(
        self,
        recorder: Recorder,
        filter: Filter,
        kind: Literal["batches", "events"],
        count: int,
        timeout: float,
        after: Cursor,
        render: Callable[["Wait"], Answer],
    ) -> None:
        self.recorder = recorder
        self.filter = filter
        self.kind = kind
        self.count = count
        self.timeout = timeout
        self.after = after.within(recorder)
        self.items: list[Item] = []
        self._render = render
        self._position = self.after.request_id
        self._filled = False
        self._last: int | None = None

    @property
    def behind(self) -> bool:
        """Whether there are records that `poll` has not looked at; of those after `expire`, none counts."""
        return self._position < (self.recorder.last_id() if self._last is None else self._last)

    @property
    def far_behind(self) -> bool:
        """Whether the last look took all that one may, and was not enough."""
        return self._filled and self.behind

    def expire(self) -> None:
        """The time is up: what is recorded from now on is not waited for."""
        if self._last is None:
            self._last = self.recorder.last_id()

    @property
    def met(self) -> bool:
        """Whether enough items were found."""
        return len(self.items) >= self.count

    def poll(self) -> Answer | None:
        """Look at up to AT_ONCE new records."""
        page = self.recorder.page(self._position, AT_ONCE)
        self._position, self._filled = page.end, page.full
        if self.filter.may_match_any(page):
            for record in filter(self.filter.may_match, page.records):
                found: Iterator[Item] = getattr(self.filter, self.kind)(record)
                self.items.extend(item for item in found if self.after.precedes(item))
        return self._render(self) if self.met else None

    def give_up(self) -> Answer:
        """The answer after the time-out."""
        return self._render(self)

    def near_misses(self, most: int = 3) -> list[NearMiss]:
        """The items that fail the fewest conditions, newest first among equals; only made when the wait was in vain.

        They are looked for in the newest MOST_BATCHES batches: in a full store, all would take longer than anybody waits.
        """
        best: list[tuple[float, NearMiss]] = []
        on_requests = Filter(request=self.filter.request)
        for record in self.recorder.requests(self._newest()):
            for batch in on_requests.batches(record):
                events: list[EventItem | None] = [*event_items(batch)]
                for event in events or ([None] if self.kind == "batches" else []):
                    differences = self.filter.differences(batch, event)
                    distance = sum(_distance(difference) for difference in differences)
                    if differences and (len(best) < most or distance <= best[-1][0]):
                        best.insert(0, (distance, _near_miss(batch, event, differences)))
                        best.sort(key=lambda miss: miss[0])
                        del best[most:]
        return [miss for _, miss in best]

    def _newest(self) -> int:
        """The id after which the newest MOST_BATCHES batches begin, and a few more."""
        first, weight = self.recorder.last_id(), 0
        while first > self.after.request_id and weight < MOST_BATCHES:
            first = max(self.after.request_id, first - _STEP)
            weight += sum(record.weight for record in islice(self.recorder.requests(first), _STEP))
        return first


def _distance(difference: Difference) -> float:
    """1 for a condition that does not hold, less if what was got resembles what was expected."""
    if not isinstance(difference.got, str):
        return 1.0
    return 1.0 - _likeness(difference.expected.lower(), difference.got[:200].lower()) / 2


@lru_cache(4096)
def _likeness(expected: str, got: str) -> float:
    # To compare costs more than to read a batch, and most of what was recorded has few names.
    return difflib.SequenceMatcher(None, expected, got).ratio()


def _near_miss(batch: BatchItem, event: EventItem | None, differences: list[Difference]) -> NearMiss:
    return NearMiss(
        event.id if event else batch.id,
        batch.received_at_ms,
        batch.verdict,
        differences,
        event.event if event else None,
        batch.findings,
    )
