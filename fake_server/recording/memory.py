"""The Recorder that keeps requests in memory, for tests and for `serve --store memory`."""

from bisect import bisect_right
from collections.abc import Iterator

from . import Recorder, RequestRecord, batch_id, remembers


def _id(record: RequestRecord) -> int:
    return record.id


class MemoryRecorder(Recorder):
    """Requests in a list sorted by id."""

    def __init__(self, keep: int = 100_000) -> None:
        super().__init__()
        self.keep = keep
        self._slack = keep // 100
        self._records: list[RequestRecord] = []
        self._weight = 0
        self._last_id = 0
        self._seen: dict[tuple[str, str], str] = {}

    def record(self, requests: list[RequestRecord]) -> None:
        with self.lock:
            for record in requests:
                self._last_id += 1
                record.id = self._last_id
                self._weight += record.weight
                self._records.append(record)
                for index, batch in enumerate(record.batches):
                    if batch.source_request_id is not None and remembers(batch.verdict):
                        assert record.key is not None
                        self._seen.setdefault((record.key, batch.source_request_id), batch_id(record.id, index))
            if self._weight > self.keep + self._slack:
                self._trim()
        self._notify()

    def _trim(self) -> None:
        count = 0
        weight = self._weight
        # The newest request is kept whatever its weight: a bulk request may hold more batches than `keep`.
        while weight > self.keep and count < len(self._records) - 1:
            weight -= self._records[count].weight
            count += 1
        trimmed, self._records = self._records[:count], self._records[count:]
        self._weight = weight
        self.forgotten += self._drop(trimmed)

    def _drop(self, records: list[RequestRecord]) -> int:
        dropped = 0
        for record in records:
            dropped += len(record.batches)
            for index, batch in enumerate(record.batches):
                if batch.source_request_id is not None and record.key is not None:
                    seen = (record.key, batch.source_request_id)
                    if self._seen.get(seen) == batch_id(record.id, index):
                        del self._seen[seen]
        return dropped

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
            start = bisect_right(self._records, id - 1, key=_id)
            record = self._records[start] if start < len(self._records) else None
        return record if record is not None and record.id == id else None

    def duplicate_of(self, key: str, source_request_id: str) -> str | None:
        return self._seen.get((key, source_request_id))

    def last_id(self) -> int:
        return self._last_id

    def forget(self, workspace: str | None = None) -> int:
        with self.lock:
            gone = [record for record in self._records if workspace is None or record.workspace == workspace]
            self._records = [record for record in self._records if workspace is not None and record.workspace != workspace]
            self._weight = sum(record.weight for record in self._records)
            return self._drop(gone)

    def close(self) -> None:
        """Nothing to release: what was recorded stays readable until the Recorder itself goes."""
