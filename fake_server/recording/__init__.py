"""What is recorded, and the Recorder that keeps it: `memory.py` and `sql.py` implement it, `open_recorder` chooses by URL."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import takewhile
from typing import Final, Literal

import msgspec

from ..checks.finding import Finding
from ..redaction import without_credentials

Verdict = Literal["accepted", "altered", "dropped", "rejected"]


class BatchRecord(msgspec.Struct, omit_defaults=True, gc=False):
    """What was found out about one batch of a request. The batch itself stays in the request's body."""

    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    source_request_id: str | None = None


class RequestRecord(msgspec.Struct, gc=False):
    """One request as it was received, with what was found out about it.

    `id` is given by the Recorder: 1, 2, 3 …, never used twice. `headers` is the header block (`name: value` lines, credentials
    redacted), `body` the bytes as sent (empty if they exceeded the size limit). `workspace` and `key` are None where no input
    could be told. `dialect` says how to read the body into canonical batches; `batches` has one record for each. `literal` is
    not kept: whether the body holds every text of its batches as it stands, once somebody has looked.
    """

    received_at_ms: int
    workspace: str | None
    key: str | None
    source: str
    dialect: str
    method: str
    path: str
    query: str
    remote: str
    headers: bytes
    status: int
    body: bytes
    findings: tuple[Finding, ...] = ()
    batches: tuple[BatchRecord, ...] = ()
    id: int = 0
    literal: bool | None = None

    @property
    def weight(self) -> int:
        """What this request counts towards the number of kept batches; one without any counts as one."""
        return len(self.batches) or 1


MOST_PAGES: Final = 16
"""Pages that are kept for others who look at them."""

PAGE_BYTES: Final = 250_000
"""Bytes of bodies after which a page ends, so that no look at one takes long."""


class Page(msgspec.Struct):
    """Requests after an id, and the id up to which nothing is left to look at; a `full` one stays as it is.

    `text` is for whoever searches them: made once, for all who look at the same page.
    """

    after: int
    most: int
    newest: int
    records: list[RequestRecord]
    end: int
    full: bool = False
    text: bytes | None = None


class StoreError(Exception):
    """The store cannot be opened, read or written; the message says which, why, and what to do."""


class Recorder(ABC):
    """Keeps requests in the order of their ids. Every method may be called from any thread.

    `keep` bounds the number of batches kept (a request without batches counts as one); the oldest requests are forgotten
    first, some more than necessary at once, the newest never. `forgotten` says how many batches that were since the store was
    made.
    """

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.forgotten = 0
        self.lock = threading.RLock()
        """Held by whoever must look for a duplicate and record in one step."""
        self._last_id = 0
        self._weight = 0
        self._seen: dict[tuple[str, str], tuple[int, int]] = {}
        self._pages: dict[int, Page] = {}
        self._subscribers: list[Callable[[], None]] = []
        # One lock for all: whoever holds it may record, whoever waits may read.
        self._changed = threading.Condition(self.lock)
        self._sleepers = 0

    @abstractmethod
    def record(self, requests: list[RequestRecord]) -> None:
        """Give `requests` their ids and keep them all; returns after they are committed. Raises StoreError, then none is kept."""

    @abstractmethod
    def requests(self, after: int = 0) -> Iterator[RequestRecord]:
        """All requests with a greater id than `after`, oldest first; those recorded meanwhile may or may not come."""

    @abstractmethod
    def request(self, id: int) -> RequestRecord | None:
        """One request, or None if it is unknown or forgotten."""

    @abstractmethod
    def forget(self, workspace: str | None = None) -> int:
        """Forget the requests of one workspace, or all. Returns the number of batches forgotten."""

    @abstractmethod
    def close(self) -> None:
        """Release the store. Twice does no harm."""

    def page(self, after: int, most: int) -> Page:
        """Requests after an id, up to the next multiple of `most`: whoever looks at the same ones gets the same object."""
        newest, pages = self._last_id, self._pages
        known = pages.get(after)
        if known is not None and known.most == most and (known.full or known.newest == newest):
            return known
        records: list[RequestRecord] = []
        size = 0
        last = after - after % most + most
        full = False
        for record in self.requests(after):
            if record.id > last:
                full = True
                break
            records.append(record)
            size += len(record.body)
            if record.id == last or size > PAGE_BYTES:
                full = True
                break
        # A page that is not full has all there is; some of the ids below may be forgotten.
        end = newest if not full else records[-1].id if size > PAGE_BYTES else last
        page = Page(after, most, newest, records, max(end, records[-1].id if records else after), full)
        if len(pages) >= MOST_PAGES:
            pages.clear()
        # Into the pages that were there at first: others came in their place if something was forgotten meanwhile.
        pages[after] = page
        return page

    def last_id(self) -> int:
        """The id of the newest request ever recorded, 0 if there was none."""
        return self._last_id

    def duplicate_of(self, key: str, source_request_id: str) -> str | None:
        """The id of the kept batch with which this input sent `source_request_id` before, or None."""
        place = self._seen.get((key, source_request_id))
        return batch_id(*place) if place else None

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each commit, in the thread that recorded; it must return at once. Returns the way to stop it."""
        with self.lock:
            self._subscribers = [*self._subscribers, callback]

        def unsubscribe() -> None:
            with self.lock:
                self._subscribers = [other for other in self._subscribers if other is not callback]

        return unsubscribe

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Sleep until something was recorded that makes `until()` true, at most `timeout` seconds; returns its last value.

        `until` is called after each commit and holds up the next one.
        """
        with self._changed:
            self._sleepers += 1
            try:
                return self._changed.wait_for(until, timeout)
            finally:
                self._sleepers -= 1

    # -- for the Recorders; all but `_notify` under the lock ---------------------------------------------------------------

    def _notify(self) -> None:
        if self._sleepers:
            with self._changed:
                self._changed.notify_all()
        for callback in self._subscribers:
            callback()

    def _is_too_heavy(self, weight: int) -> bool:
        # A hundredth more than `keep`, so that not each request has to push out another.
        return weight > self.keep + self.keep // 100

    def _excess(self, oldest: Iterable[tuple[int, int]], weight: int, newest: int) -> tuple[int, int, int]:
        """What to forget so that `keep` holds, given the ids and numbers of batches of the kept requests, oldest first.

        Returns the id up to which, the weight that is left, the number of batches that go.
        """
        cut = gone = 0
        for id, count in oldest:
            if weight <= self.keep or id == newest:
                break
            cut = id
            weight -= count or 1
            gone += count
        return cut, weight, gone

    def _remember(self, id: int, key: str | None, batches: tuple[BatchRecord, ...]) -> None:
        if key is None:
            return
        for index, batch in enumerate(batches):
            if batch.source_request_id is not None and batch.verdict in ("accepted", "altered"):
                # The newest place counts, and comes last: the oldest places are the first to go.
                self._seen.pop((key, batch.source_request_id), None)
                self._seen[key, batch.source_request_id] = (id, index)

    def _unremember(self, up_to: int) -> None:
        if up_to:
            # Another dictionary: a page that is being made, perhaps by another thread, may hold what goes now.
            self._pages = {after: page for after, page in list(self._pages.items()) if after >= up_to}
        for seen in list(takewhile(lambda seen: self._seen[seen][0] <= up_to, self._seen)):
            del self._seen[seen]

    def _unremember_all(self, ids: Container[int]) -> None:
        self._pages = {}
        self._seen = {seen: place for seen, place in self._seen.items() if place[0] not in ids}


def batch_id(request_id: int, index: int) -> str:
    """The id of a batch: its request's id, a dot, its position in the request."""
    return f"{request_id}.{index}"


def open_recorder(store: str = "memory", keep: int = 100_000) -> Recorder:
    """The Recorder for `memory` or a database URL such as `sqlite:///file.db`. Raises StoreError, ValueError for another."""
    if keep < 1:
        raise ValueError(f"keep is {keep}; it must be at least 1 batch.")
    if store == "memory":
        from .memory import MemoryRecorder

        return MemoryRecorder(keep)
    if store.startswith("sqlite:///") and store != "sqlite:///":
        from .sql import SqlRecorder

        return SqlRecorder(store, keep)
    given = without_credentials(repr(store))
    raise ValueError(f"store is {given}; expected 'memory' or 'sqlite:///FILE', for example sqlite:///mparticle.db.")
