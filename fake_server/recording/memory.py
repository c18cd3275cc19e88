"""The Recorder that keeps requests in memory, for tests and for `serve --store memory`."""

from bisect import bisect_right
from collections.abc import Iterator

from . import Recorder, RequestRecord


def _id(record: RequestRecord) -> int:
    return record.id


class MemoryRecorder(Recorder):
    """Requests in a list sorted by id."""

    def __init__(self, keep: int = 100_000) -> None:
        super().__init__(keep)
        self._records: list[RequestRecord] = []

    def record(self, requests: list[RequestRecord]) -> None:
        with self.lock:
            for record in requests:
                self._last_id += 1
                record.id = self._last_id
                self._weight += record.weight
                self._records.append(record)
                self._remember(record.id, record.key, record.batches)
            if self._is_too_heavy(self._weight):
                self._trim()
        self._notify()

    def _trim(self) -> None:
        oldest = ((record.id, len(record.batches)) for record in self._records)
        cut, self._weight, gone = self._excess(oldest, self._weight, self._last_id)
        self.forgotten += gone
        del self._records[: bisect_right(self._records, cut, key=_id)]
        self._unremember(cut)

    def requests(self, after: int = 0) -> Iterator[RequestRecord]:
        while True:
            with self.lock:
                start = bisect_right(self._records, after, key=_id)
                page = self._records[start : start + 500]
            if not page:
                return
            yield from page
            after = page[-1].id

    def request(self, id: int) -> RequestRecord | None:
        with self.lock:
            end = bisect_right(self._records, id, key=_id)
            found = self._records[end - 1] if end else None
        return found if found is not None and found.id == id else None

    def forget(self, workspace: str | None = None) -> int:
        with self.lock:
            gone = [record for record in self._records if workspace is None or record.workspace == workspace]
            ids = {record.id for record in gone}
            self._records = [record for record in self._records if record.id not in ids]
            self._weight -= sum(record.weight for record in gone)
            self._unremember_all(ids)
        return sum(len(record.batches) for record in gone)

    def close(self) -> None:
        """Nothing to release: what was recorded stays readable until the Recorder itself goes."""
