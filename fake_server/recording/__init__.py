"""What is recorded, and the Recorder that keeps it: `memory.py` and `sql.py` implement it, `open_recorder` chooses by URL."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from ..checks.finding import Finding

Verdict = Literal["accepted", "altered", "dropped", "rejected"]


class BatchRecord(msgspec.Struct, omit_defaults=True):
    """What was found out about one batch of a request. The batch itself stays in the request's body."""

    verdict: Verdict
    findings: list[Finding] = []
    source_request_id: str | None = None


class RequestRecord(msgspec.Struct):
    """One request as it was received, with what was found out about it.

    `id` is given by the Recorder: 1, 2, 3 …, never used twice. `headers` is the header block (`name: value` lines, credentials
    redacted), `body` the bytes as sent (empty if they exceeded the size limit). `workspace` and `key` are None where no input
    could be told. `dialect` says how to read the body into canonical batches; `batches` has one record for each.
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
    findings: list[Finding] = []
    batches: list[BatchRecord] = []
    id: int = 0

    @property
    def weight(self) -> int:
        """What this request counts towards the number of kept batches; one without any counts as one."""
        return len(self.batches) or 1


class StoreError(Exception):
    """The store cannot be opened, read or written; the message says which, why, and what to do."""


class Recorder(ABC):
    """Keeps requests in the order of their ids. Every method may be called from any thread.

    `keep` bounds the number of batches kept (a request without batches counts as one); the oldest requests are forgotten
    first, some more than necessary at once, and `forgotten` says how many batches that were since the store was made.
    """

    keep: int
    forgotten: int = 0

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held by whoever must look for a duplicate and record in one step."""
        self._subscribers: list[Callable[[], None]] = []
        self._changed = threading.Condition(threading.Lock())
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
    def duplicate_of(self, key: str, source_request_id: str) -> str | None:
        """The id of the kept batch with which this input sent `source_request_id` before, or None."""

    @abstractmethod
    def last_id(self) -> int:
        """The id of the newest request ever recorded, 0 if there was none."""

    @abstractmethod
    def forget(self, workspace: str | None = None) -> int:
        """Forget the requests of one workspace, or all. Returns the number of batches forgotten."""

    @abstractmethod
    def close(self) -> None:
        """Release the store. Twice does no harm."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` after each commit, in the thread that recorded; it must return at once. Returns the way to stop it."""
        self._subscribers = [*self._subscribers, callback]

        def unsubscribe() -> None:
            self._subscribers = [other for other in self._subscribers if other is not callback]

        return unsubscribe

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Sleep until something was recorded that makes `until()` true, at most `timeout` seconds; returns its last value."""
        with self._changed:
            self._sleepers += 1
            try:
                return self._changed.wait_for(until, timeout)
            finally:
                self._sleepers -= 1

    def _notify(self) -> None:
        if self._sleepers:
            with self._changed:
                self._changed.notify_all()
        for callback in self._subscribers:
            callback()


def batch_id(request_id: int, index: int) -> str:
    """The id of a batch: its request's id, a dot, its position in the request."""
    return f"{request_id}.{index}"


def remembers(verdict: Verdict) -> bool:
    """Whether a batch with this verdict makes later ones with its `source_request_id` duplicates."""
    return verdict in ("accepted", "altered")


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
    raise ValueError(f"store is {store!r}; expected 'memory' or 'sqlite:///FILE', for example sqlite:///mparticle.db.")
