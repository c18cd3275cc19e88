"""What an answer shows of a record: batches, events and requests as the inspect API, the exports and pytest show them."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from .checks.finding import Finding, help_of
from .intake import canonical_batches
from .recording import RequestRecord, batch_id
from .redaction import header_lines

Json = Any


class ShownFinding(Finding, frozen=True, omit_defaults=True, gc=False):
    """A finding as answers show it: `help` says where its code is explained. It is not recorded."""

    help: str | None = None


class BatchItem(msgspec.Struct):
    """A batch as the inspect API shows it; `batch` is canonical."""

    id: str
    request_id: str
    index: int
    received_at_ms: int
    workspace: str | None
    key: str | None
    source: str
    dialect: str
    verdict: str
    status: int
    findings: list[Finding]
    batch: dict[str, Json]


class EventItem(msgspec.Struct):
    """One event of a batch, with what is needed to tell whose it is."""

    id: str
    batch_id: str
    index: int
    received_at_ms: int
    workspace: str | None
    key: str | None
    verdict: str
    mpid: Json
    user_identities: Json
    event: dict[str, Json]


class BatchSummary(msgspec.Struct):
    """A batch inside a request item."""

    id: str
    verdict: str
    findings: list[Finding]


class RequestItem(msgspec.Struct, omit_defaults=True):
    """A request; `headers` redacted. `body` (text) is only given for a single request."""

    id: str
    received_at_ms: int
    workspace: str | None
    key: str | None
    source: str
    method: str
    path: str
    query: str
    remote: str
    status: int
    headers: list[tuple[str, str]]
    body_bytes: int
    findings: list[Finding]
    batches: list[BatchSummary]
    body: str | None = None


def shown(findings: Iterable[Finding]) -> list[Finding]:
    """Recorded findings, each with its `help`."""
    return [
        ShownFinding(one.code, one.severity, one.message, one.pointer, one.raw_pointer, one.index, one.hint, help_of(one.code))
        for one in findings
    ]


def batch_items(record: RequestRecord) -> Iterator[BatchItem]:
    """The batches of a recorded request. Raises StoreError where its body has not as many as were recorded."""
    for index, (about, batch) in enumerate(zip(record.batches, canonical_batches(record), strict=True)):
        yield BatchItem(
            batch_id(record.id, index),
            str(record.id),
            index,
            record.received_at_ms,
            record.workspace,
            record.key,
            record.source,
            record.dialect,
            about.verdict,
            record.status,
            shown(about.findings),
            batch,
        )


def event_items(item: BatchItem) -> Iterator[EventItem]:
    """The events of a batch that are objects; anything else is told by the batch's findings."""
    events = item.batch.get("events")
    if not isinstance(events, list):
        return
    mpid, identities = item.batch.get("mpid"), item.batch.get("user_identities")
    for index, event in enumerate(events):
        if isinstance(event, dict):
            yield EventItem(
                f"{item.id}.{index}",
                item.id,
                index,
                item.received_at_ms,
                item.workspace,
                item.key,
                item.verdict,
                mpid,
                identities,
                event,
            )


def request_item(record: RequestRecord, *, body: bool = False) -> RequestItem:
    """A request, with its body as text if asked for."""
    return RequestItem(
        id=str(record.id),
        received_at_ms=record.received_at_ms,
        workspace=record.workspace,
        key=record.key,
        source=record.source,
        method=record.method,
        path=record.path,
        query=record.query,
        remote=record.remote,
        status=record.status,
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in header_lines(record.headers)],
        body_bytes=len(record.body),
        findings=shown(record.findings),
        batches=[
            BatchSummary(batch_id(record.id, index), batch.verdict, shown(batch.findings))
            for index, batch in enumerate(record.batches)
        ],
        body=record.body.decode("utf-8", "backslashreplace") if body else None,
    )


def event_names(event: dict[str, Json]) -> list[str]:
    """What an event may be called: event_name, screen_name, or its product or promotion action."""
    data = event.get("data")
    if not isinstance(data, dict):
        return []
    names = [data.get("event_name"), data.get("screen_name") if event.get("event_type") == "screen_view" else None]
    actions = (data.get("product_action"), data.get("promotion_action"))
    names += [action.get("action") for action in actions if isinstance(action, dict)]
    return [name for name in names if isinstance(name, str)]
