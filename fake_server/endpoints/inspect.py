"""The inspect API below `/_fake`: what was recorded, waiting for more, following, and the workspaces (`DESIGN §5`).

It shows recorded data, so it is guarded: a page of another origin, a foreign `Host` (DNS rebinding) and, on an address that
others can reach, whoever lacks the token get 403 or 401. No answer here ever carries CORS headers.
"""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final, Literal

import msgspec

from .. import query
from ..exchange import Answer, Chunks, Endpoint, Reply, Submission
from ..intake import Intake, canonical_batches
from ..items import batch_items, request_item
from ..query import Cursor, Filter, FilterError, Item, Kind
from ..redaction import Headers
from ..version import __version__
from ..waiting import Wait
from . import inspect_import, inspect_stream, inspect_workspaces, start_page
from .answers import error_answer, json_answer
from .guard import guarded
from .guard import pairs as read_pairs
from .inspect_question import after_of, integer, of_another_store, seconds, take, unknown_workspace, workspaces_of
from .openapi import document

MOST_ITEMS: Final = 1000
NDJSON: Final = "application/x-ndjson"
HINT: Final = b"x-fake-hint"
"""The header of NDJSON that says what a page has as `hint`."""

BLOCK: Final = 65_536
"""Bytes of NDJSON after which a block is sent."""

Found = Iterable[tuple[int, Iterable[Item]]]

_encode = msgspec.json.encode


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table. With a `token`, every row but health wants it, as `Authorization: Bearer TOKEN` or `?token=TOKEN`."""
    api = _Inspect(intake)
    rows = [
        Endpoint("GET", "/_fake/batches", api.listing("batches")),
        Endpoint("GET", "/_fake/events", api.listing("events")),
        Endpoint("GET", "/_fake/requests", api.listing("requests")),
        Endpoint("GET", "/_fake/wait", api.wait, direct=True),
        Endpoint("GET", "/_fake/stats", api.stats),
        Endpoint("DELETE", "/_fake/batches", api.forget),
    ]
    bare = [
        Endpoint("GET", "/_fake/batches/<id>", api.batch),
        Endpoint("GET", "/_fake/requests/<id>", api.request),
        Endpoint("GET", "/_fake/openapi.json", api.openapi),
    ]
    return [
        # Takes any parameter, as what watches servers adds some against caches.
        Endpoint("GET", "/_fake/health", guarded(api.health, None, any_host=True), direct=True),
        *(msgspec.structs.replace(row, handler=guarded(row.handler, token)) for row in rows),
        *(msgspec.structs.replace(row, handler=guarded(row.handler, token, bare=True)) for row in bare),
        *inspect_stream.endpoints(intake, token),
        *inspect_import.endpoints(intake, token),
        *inspect_workspaces.endpoints(intake, token),
        *start_page.endpoints(),
    ]


class _Inspect:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.recorder = intake.recorder
        self.instance = secrets.token_hex(8)

    def health(self, _: Submission) -> Answer:
        return json_answer(200, {"status": "ready", "version": __version__, "instance": self.instance})

    def openapi(self, _: Submission) -> Answer:
        return json_answer(200, document())

    def listing(self, kind: Kind) -> Callable[[Submission], Reply]:
        def listing(submission: Submission) -> Reply:
            pairs = read_pairs(submission)
            taken = take(pairs, "after", "limit")
            filter = Filter.parse(pairs, kind, ("after", "limit"))
            after = after_of(taken)
            foreign = of_another_store(self.recorder, after)

            def hint(is_empty: bool) -> str | None:
                return (unknown_workspace(self.intake, workspaces_of(filter)) if is_empty else None) or foreign

            found = query.by_request(self.recorder, filter, kind, after)
            if NDJSON in (submission.header(b"accept") or b"").decode("latin-1").lower():
                limit = integer(taken, "limit", 0, 2**31)
                headers = [(b"content-type", NDJSON.encode())]
                return Chunks(headers, _hinted(_lines(found, limit), headers, hint))
            limit = integer(taken, "limit", 100, MOST_ITEMS)
            return Chunks([(b"content-type", b"application/json")], _page(found, limit, hint))

        return listing

    def batch(self, submission: Submission) -> Answer:
        id = submission.arguments["id"]
        parts = _id(id)
        record = self.recorder.request(parts[0])
        for item in batch_items(record) if record is not None and len(parts) == 2 else ():
            if item.index == parts[1]:
                return json_answer(200, item)
        return _unknown("batch", "batches", id, len(parts))

    def request(self, submission: Submission) -> Answer:
        id = submission.arguments["id"]
        parts = _id(id)
        record = self.recorder.request(parts[0]) if len(parts) == 1 else None
        if record is None:
            return _unknown("request", "requests", id, len(parts))
        return json_answer(200, request_item(record, body=True))

    def wait(self, submission: Submission) -> Wait:
        pairs = read_pairs(submission)
        taken = take(pairs, "after", "count", "timeout", "of")
        of = taken.get("of", "events")
        if of not in ("events", "batches"):
            raise FilterError(f"of is {of[:40]!r}; expected events or batches.")
        kind: Literal["batches", "events"] = "events" if of == "events" else "batches"
        if all(name != "verdict" for name, _ in pairs):
            # What production would not process has not arrived.
            pairs.append(("verdict", "accepted,altered"))
        after = after_of(taken)
        return Wait(
            self.recorder,
            Filter.parse(pairs, kind, ("after", "count", "timeout", "of")),
            kind,
            integer(taken, "count", 1, 100_000),
            seconds(taken, "timeout", 10.0),
            after,
            partial(self._waited, of_another_store(self.recorder, after)),
        )

    def _waited(self, foreign: str | None, wait: Wait) -> Answer:
        found: dict[str, Any] = {"items": wait.items, "count": len(wait.items), "wanted": wait.count}
        if foreign is not None:
            found["hint"] = foreign
        if wait.met:
            return json_answer(200, found)
        message = f"{len(wait.items)} of {wait.count} {wait.kind} matched within {wait.timeout:g} s."
        nearest = wait.near_misses()
        hint = unknown_workspace(self.intake, workspaces_of(wait.filter)) if not nearest and not wait.items else None
        if nearest:
            first = "; ".join(
                f"{difference.field} is {json.dumps(difference.got)[:80]}, expected {difference.expected!r}"
                for difference in nearest[0].differences
            )
            message += f" The nearest, {nearest[0].id}, differs: {first}."
        elif hint is not None:
            message += f" {hint}"
        errors = [{"code": "REQUEST_TIMEOUT", "message": message}]
        return json_answer(408, {"errors": errors, **found, "nearest": nearest})

    def stats(self, submission: Submission) -> Answer:
        pairs = read_pairs(submission)
        on_requests = Filter.parse([pair for pair in pairs if pair[0] != "token"], "requests", ())
        verdicts: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        event_types: Counter[str] = Counter()
        codes: Counter[str] = Counter()
        workspaces: Counter[str] = Counter()
        requests = 0
        for record in self.recorder.requests():
            if not on_requests.may_match(record):
                continue
            requests += 1
            statuses[str(record.status)] += 1
            codes.update(finding.code for finding in record.findings)
            workspaces[record.workspace or ""] += len(record.batches)
            for about in record.batches:
                verdicts[about.verdict] += 1
                codes.update(finding.code for finding in about.findings)
            for batch in canonical_batches(record):
                events = batch.get("events")
                event_types.update(
                    str(event.get("event_type"))
                    for event in (events if isinstance(events, list) else ())
                    if isinstance(event, dict)
                )
        hint = None if requests else unknown_workspace(self.intake, workspaces_of(on_requests))
        return json_answer(
            200,
            {
                "requests": requests,
                "batches": sum(verdicts.values()),
                "events": sum(event_types.values()),
                "requests_by_status": statuses,
                "batches_by_verdict": verdicts,
                "batches_by_workspace": {name: count for name, count in workspaces.items() if name},
                "events_by_type": event_types,
                "findings_by_code": codes,
                "keep": self.recorder.keep,
                "forgotten": self.recorder.forgotten,
            }
            | ({} if hint is None else {"hint": hint}),
        )

    def forget(self, submission: Submission) -> Answer:
        pairs = read_pairs(submission)
        taken = take(pairs, "workspace")
        if pairs:
            raise FilterError(f"Unknown parameter {pairs[0][0][:80]!r}. Valid: workspace.")
        # Before its last records are gone, by which alone it may be known.
        hint = unknown_workspace(self.intake, taken.values())
        # At once: what is recorded between the two would stay, without its profile.
        with self.recorder.lock:
            forgotten = self.recorder.forget(taken.get("workspace"))
            self.intake.workspaces.forget(taken.get("workspace"))
        return json_answer(200, {"forgotten": forgotten} | ({} if hint is None or forgotten else {"hint": hint}))


_WITH_PARTS: Final = {1: "requests", 2: "batches", 3: "events"}
"""What has an id of so many parts."""


def _unknown(noun: str, kind: Kind, id: str, parts: int) -> Answer:
    found = _WITH_PARTS[parts]
    where = "It may be forgotten" if found == kind else f"Such ids are those of {found}, not of {kind}"
    return error_answer(404, f"There is no {noun} {id[:40]!r}. {where}: GET /_fake/{kind} lists those kept.")


def _id(text: str) -> tuple[int, ...]:
    try:
        return Cursor.parse(text).parts
    except FilterError as error:
        raise FilterError(
            f"The id is {text[:40]!r}; expected one as listed, such as 17 for a request, 17.0 for a batch."
        ) from error


def _page(found: Found, limit: int, hint: Callable[[bool], str | None]) -> Iterator[bytes]:
    """A page in one chunk, behind an empty one for every so many requests that were looked at.

    `hint` tells what there is to tell of an empty page, or of another.
    """
    items: list[Item] = []
    looked = 0
    for worth, of_request in found:
        for item in of_request:
            if len(items) == limit:
                told = hint(False)
                yield _encode({"items": items, "next": items[-1].id} | ({} if told is None else {"hint": told}))
                return
            items.append(item)
        looked += worth
        if looked >= query.AT_ONCE:
            looked = 0
            yield b""
    told = hint(not items)
    yield _encode({"items": items, "next": None} | ({} if told is None else {"hint": told}))


def _hinted(chunks: Iterator[bytes], headers: Headers, hint: Callable[[bool], str | None]) -> Iterator[bytes]:
    """The chunks; what there is to tell goes into a header. Those leave with the first chunk that is not empty, or at the end."""
    first = b""
    for first in chunks:
        if first:
            break
        yield b""
    told = hint(not first)
    if told is not None:
        headers.append((HINT, told.encode("ascii", "backslashreplace")))
    yield first
    yield from chunks


def _lines(found: Found, limit: int) -> Iterator[bytes]:
    """NDJSON in blocks of some 64 KB, or of what a number of requests have, be that nothing: no block takes long to make."""
    block: list[bytes] = []
    size = count = looked = 0
    for worth, of_request in found:
        for item in of_request:
            line = _encode(item) + b"\n"
            block.append(line)
            size += len(line)
            count += 1
            if count == limit:
                yield b"".join(block)
                return
            if size > BLOCK:
                yield b"".join(block)
                block, size = [], 0
        looked += worth
        if looked >= query.AT_ONCE:
            yield b"".join(block)
            block, size, looked = [], 0, 0
    yield b"".join(block)
