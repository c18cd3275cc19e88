"""`/_fake/stream`: what is recorded, as server-sent events."""

from typing import Final

import msgspec

from .. import query
from ..exchange import Endpoint, Submission
from ..intake import Intake
from ..items import batch_items, request_item
from ..query import Cursor, Filter, Item
from ..recording import RequestRecord, StoreError
from ..redaction import Headers
from .guard import guarded
from .guard import pairs as read_pairs
from .inspect_question import after_of, take

MOST_RENDERED: Final = 2_000_000
"""Bytes of server-sent events that are kept for other streams."""

_encode = msgspec.json.encode


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table; guarded as the rest of the inspect API."""
    return [Endpoint("GET", "/_fake/stream", guarded(_Api(intake).stream, token), direct=True)]


class _Api:
    def __init__(self, intake: Intake) -> None:
        self.recorder = intake.recorder
        self.rendered: dict[int, bytes] = {}
        self.rendered_bytes = 0

    def stream(self, submission: Submission) -> "Stream":
        pairs = read_pairs(submission)
        taken = take(pairs, "after")
        last = submission.header(b"last-event-id")
        if last:
            taken["after"] = last.decode("latin-1")
        after = after_of(taken) if taken else Cursor((self.recorder.last_id(),))
        return Stream(self, Filter.parse(pairs, "batches", ("after",)), after)

    def render(self, record: RequestRecord) -> bytes:
        """All batches of a record as server-sent events; made once for all streams that show everything."""
        chunk = self.rendered.get(record.id)
        if chunk is None:
            chunk = b"".join(map(_server_sent, batch_items(record))) or _server_sent_request(record)
            self.rendered_bytes += len(chunk)
            if self.rendered_bytes > MOST_RENDERED:
                self.rendered.clear()
                self.rendered_bytes = len(chunk)
            self.rendered[record.id] = chunk
        return chunk


class Stream:
    """Batches as server-sent events, and as `event: request` the requests without any, unless a filter asks for batches.

    A client that is slower than the uploads lags, and loses nothing that is kept; `event: forgotten` tells what was lost.
    """

    headers: Final[Headers] = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]

    def __init__(self, api: _Api, filter: Filter, after: Cursor) -> None:
        self.recorder = api.recorder
        self._render = api.render
        self._filter = filter
        self._after = after.within(self.recorder)
        self._position = self._had = self._after.request_id
        # Whoever is cut off before the first batch resumes from here too.
        self._opening = b"id: %d\n\n" % self._position if len(self._after.parts) == 1 else b""

    @property
    def behind(self) -> bool:
        """Whether there are records that `poll` has not looked at."""
        return self._position < self.recorder.last_id()

    def poll(self) -> bytes:
        """What up to AT_ONCE new records hold."""
        try:
            page = self.recorder.page(self._position, query.AT_ONCE)
        except StoreError as error:
            # Past the damage: what comes later can still be shown.
            self._position = self._had = self.recorder.last_id()
            return _failed(error)
        opening, self._opening = self._opening, b""
        chunks: list[bytes] = [opening]
        for record in page.records:
            had = max(self._had, *self._after.parts[:1], 0)
            if record.id > had + 1 and had:
                gap = {"after": str(had), "before": str(record.id)}
                chunks.append(b"event: forgotten\ndata: " + _encode(gap) + b"\n\n")
            self._had = record.id
            try:
                chunks.append(self._chunk(record))
            except StoreError as error:
                chunks.append(_failed(error))
        self._position = page.end
        return b"".join(chunks)

    def _chunk(self, record: RequestRecord) -> bytes:
        filter = self._filter
        if not filter.may_match(record):
            return b""
        if record.id in self._after.parts[:1]:
            # Resumed in the middle of a bulk request.
            return b"".join(_server_sent(item) for item in filter.batches(record) if self._after.precedes(item))
        if filter.batch or filter.event:
            return b"".join(map(_server_sent, filter.batches(record)))
        return self._render(record)


def _failed(error: StoreError) -> bytes:
    return b"event: error\ndata: " + _encode({"message": str(error)}) + b"\n\n"


def _server_sent(item: Item) -> bytes:
    return b"id: " + item.id.encode() + b"\ndata: " + _encode(item) + b"\n\n"


def _server_sent_request(record: RequestRecord) -> bytes:
    # A request without batches, such as one with wrong credentials, is what a developer looks for when nothing arrives.
    item = request_item(record)
    return b"id: " + item.id.encode() + b"\nevent: request\ndata: " + _encode(item) + b"\n\n"
