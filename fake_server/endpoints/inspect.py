"""The inspect API below `/_fake`: what was recorded, waiting for more, following, and the workspaces (`DESIGN §5`).

It shows recorded data, so it is guarded: a page of another origin, a foreign `Host` (DNS rebinding) and, on an address that
others can reach, whoever lacks the token get 403 or 401. No answer here ever carries CORS headers.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, Literal

import msgspec

from .. import query
from ..checks.finding import Finding
from ..configurations import check_config
from ..decoding import decode
from ..intake import Answer, Chunks, Endpoint, Intake, Reply, Submission, most_of_a_line, source_request_id
from ..items import RequestItem, batch_items, event_items, request_item
from ..query import Cursor, Filter, FilterError, Item, Kind, Wait
from ..recording import BatchRecord, RequestRecord, StoreError, Verdict
from ..redaction import Headers
from ..version import __version__
from ..workspaces import MODES, Mode, Workspace
from .answers import error_answer, json_answer
from .guard import Pairs, guarded
from .guard import pairs as read_pairs
from .openapi import document

MOST_ITEMS: Final = 1000
MOST_SECONDS: Final = 3600
MOST_RENDERED: Final = 2_000_000
"""Bytes of server-sent events that are kept for other streams."""

IMPORTED_AT_ONCE: Final = 2_000_000
"""Bytes of imported batches that one commit takes."""
NDJSON: Final = "application/x-ndjson"

_encode = msgspec.json.encode


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table. With a `token`, every row but health wants it, as `Authorization: Bearer TOKEN` or `?token=TOKEN`."""
    api = _Inspect(intake)
    rows = [
        Endpoint("GET", "/_fake/batches", api.listing("batches")),
        Endpoint("GET", "/_fake/events", api.listing("events")),
        Endpoint("GET", "/_fake/requests", api.listing("requests")),
        Endpoint("GET", "/_fake/batches/<id>", api.batch),
        Endpoint("GET", "/_fake/requests/<id>", api.request),
        Endpoint("GET", "/_fake/wait", api.wait, direct=True),
        Endpoint("GET", "/_fake/stream", api.stream, direct=True),
        Endpoint("GET", "/_fake/stats", api.stats),
        Endpoint("DELETE", "/_fake/batches", api.forget),
        Endpoint("POST", "/_fake/import", api.import_, streamed=True),
        Endpoint("GET", "/_fake/workspaces", api.workspaces),
        Endpoint("POST", "/_fake/workspaces", api.make_workspace),
        Endpoint("PUT", "/_fake/workspaces/<name>", api.change_workspace),
        Endpoint("DELETE", "/_fake/workspaces/<name>", api.remove_workspace),
        Endpoint("DELETE", "/_fake/workspaces/<name>/inputs/<key>", api.remove_input),
        Endpoint("GET", "/_fake/openapi.json", api.openapi),
    ]
    return [
        Endpoint("GET", "/_fake/health", guarded(api.health, None, any_host=True), direct=True),
        *(msgspec.structs.replace(row, handler=guarded(row.handler, token)) for row in rows),
    ]


# -- reading the question --------------------------------------------------------------------------------------------------


def _take(pairs: Pairs, *names: str) -> dict[str, str]:
    """Remove the parameters of these names, and the token, from `pairs`; the last of each counts."""
    taken = {name: value for name, value in pairs if name in names}
    pairs[:] = [(name, value) for name, value in pairs if name not in names and name != "token"]
    return taken


def _integer(taken: dict[str, str], name: str, default: int, most: int) -> int:
    text = taken.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 12 and 0 < int(text) <= most):
        raise FilterError(f"{name} is {text[:40]!r}; expected a whole number from 1 to {most}.")
    return int(text)


def _seconds(taken: dict[str, str], name: str, default: float) -> float:
    try:
        seconds = float(taken.get(name, default))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MOST_SECONDS:
        raise FilterError(f"{name} is {taken[name][:40]!r}; expected seconds from 0 to {MOST_SECONDS}.")
    return seconds


def _workspace_body(submission: Submission) -> "_WorkspaceBody":
    try:
        return msgspec.json.decode(submission.body, type=_WorkspaceBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        expected = (
            f'{{"name": …, "mode": "{"|".join(MODES)}", "inputs": [{{"key": …, "secret": …}}], "ignore": […], "error": […], '
            '"config": {…}, "native_config": {…}}'
        )
        raise FilterError(f"The body is not what this endpoint takes: {error}. Expected {expected}.") from error


# -- answers ---------------------------------------------------------------------------------------------------------------


class _InputBody(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    secret: str | None = None


class _WorkspaceBody(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    mode: Mode | None = None
    inputs: list[_InputBody] = []
    ignore: list[str] | None = None
    error: list[str] | None = None
    config: dict[str, Any] | None = None
    native_config: dict[str, Any] | None = None


class _Imported(msgspec.Struct):
    """A line of an export: a batch item."""

    batch: dict[str, Any]
    received_at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    verdict: Verdict = "accepted"
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] = 202
    workspace: str | None = "default"
    key: str | None = None
    source: str = "import"
    findings: list[Finding] = []


_decode_import = msgspec.json.Decoder(_Imported).decode


class _Inspect:
    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.recorder = intake.recorder
        self.rendered: dict[int, bytes] = {}
        self.rendered_bytes = 0

    def health(self, _: Submission) -> Answer:
        return json_answer(200, {"status": "ready", "version": __version__})

    def openapi(self, _: Submission) -> Answer:
        return json_answer(200, document())

    def listing(self, kind: Kind) -> Callable[[Submission], Reply]:
        def listing(submission: Submission) -> Reply:
            pairs = read_pairs(submission)
            taken = _take(pairs, "after", "limit")
            found = query.select(self.recorder, Filter.parse(pairs, kind, ("after", "limit")), kind, _after(taken))
            if NDJSON in (submission.header(b"accept") or b"").decode("latin-1").lower():
                limit = _integer(taken, "limit", 0, 2**31)
                return Chunks([(b"content-type", NDJSON.encode())], _lines(found, limit))
            limit = _integer(taken, "limit", 100, MOST_ITEMS)
            items: list[Item] = []
            for item in found:
                if len(items) == limit:
                    return json_answer(200, {"items": items, "next": items[-1].id})
                items.append(item)
            return json_answer(200, {"items": items, "next": None})

        return listing

    def batch(self, submission: Submission) -> Answer:
        id = submission.arguments["id"]
        parts = _id(id)
        record = self.recorder.request(parts[0])
        for item in batch_items(record) if record is not None and len(parts) == 2 else ():
            if item.index == parts[1]:
                return json_answer(200, item)
        return error_answer(404, f"There is no batch {id[:40]!r}. It may be forgotten: GET /_fake/batches lists those kept.")

    def request(self, submission: Submission) -> Answer:
        id = submission.arguments["id"]
        parts = _id(id)
        record = self.recorder.request(parts[0]) if len(parts) == 1 else None
        if record is None:
            return error_answer(
                404, f"There is no request {id[:40]!r}. It may be forgotten: GET /_fake/requests lists those kept."
            )
        return json_answer(200, request_item(record, body=True))

    def wait(self, submission: Submission) -> Wait:
        pairs = read_pairs(submission)
        taken = _take(pairs, "after", "count", "timeout", "of")
        of = taken.get("of", "events")
        if of not in ("events", "batches"):
            raise FilterError(f"of is {of[:40]!r}; expected events or batches.")
        kind: Literal["batches", "events"] = "events" if of == "events" else "batches"
        if all(name != "verdict" for name, _ in pairs):
            # What production would not process has not arrived.
            pairs.append(("verdict", "accepted,altered"))
        return Wait(
            self.recorder,
            Filter.parse(pairs, kind, ("after", "count", "timeout", "of")),
            kind,
            _integer(taken, "count", 1, 100_000),
            _seconds(taken, "timeout", 10.0),
            _after(taken),
            _waited,
        )

    def stream(self, submission: Submission) -> "Stream":
        pairs = read_pairs(submission)
        taken = _take(pairs, "after")
        last = submission.header(b"last-event-id")
        if last:
            taken["after"] = last.decode("latin-1")
        after = _after(taken) if taken else Cursor((self.recorder.last_id(),))
        return Stream(self, Filter.parse(pairs, "batches", ("after",)), after)

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
            for item in batch_items(record):
                verdicts[item.verdict] += 1
                codes.update(finding.code for finding in item.findings)
                event_types.update(str(event.event.get("event_type")) for event in event_items(item))
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
            },
        )

    def forget(self, submission: Submission) -> Answer:
        pairs = read_pairs(submission)
        taken = _take(pairs, "workspace")
        if pairs:
            raise FilterError(f"Unknown parameter {pairs[0][0][:80]!r}. Valid: workspace.")
        # At once: what is recorded between the two would stay, without its profile.
        with self.recorder.lock:
            forgotten = self.recorder.forget(taken.get("workspace"))
            self.intake.workspaces.forget(taken.get("workspace"))
        return json_answer(200, {"forgotten": forgotten})

    def import_(self, submission: Submission) -> Answer:
        imported = 0
        block: list[RequestRecord] = []
        size = 0
        for number, line in enumerate(submission.lines or iter(submission.body.splitlines(keepends=True)), 1):
            if not line.strip():
                continue
            if len(line) > most_of_a_line(self.intake.max_body):
                self.recorder.record(block)
                return error_answer(
                    413, f"Line {number} is too long for a batch. The {imported + len(block)} batches before it were imported."
                )
            try:
                block.append(_imported(line, submission.remote))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                if _is_request_without_batches(line):
                    continue
                self.recorder.record(block)
                return error_answer(
                    400,
                    f"Line {number} is no batch as exported: {error}. "
                    f"The {imported + len(block)} batches before it were imported. GET /_fake/batches with "
                    f"'Accept: {NDJSON}' gives the format.",
                )
            size += len(line)
            if size > IMPORTED_AT_ONCE:
                self.recorder.record(block)
                imported += len(block)
                block, size = [], 0
        if block:
            self.recorder.record(block)
        return json_answer(200, {"imported": imported + len(block)})

    def workspaces(self, _: Submission) -> Answer:
        return json_answer(200, {"items": [_workspace_item(workspace) for workspace in self.intake.workspaces]})

    def make_workspace(self, submission: Submission) -> Answer:
        body = _workspace_body(submission)
        if body.name is None:
            raise FilterError("The body has no name; a workspace needs one.")
        if self.intake.workspaces.get(body.name) is not None:
            raise FilterError(f"The workspace {body.name[:80]!r} exists; change it with PUT /_fake/workspaces/{{name}}.")
        return json_answer(201, _workspace_item(self._put(body.name, body)))

    def change_workspace(self, submission: Submission) -> Answer:
        name = submission.arguments["name"]
        body = _workspace_body(submission)
        if body.name not in (None, name):
            raise FilterError(f"The body names the workspace {str(body.name)[:80]!r}, the path {name[:80]!r}.")
        return json_answer(200, _workspace_item(self._put(name, body)))

    def _put(self, name: str, body: _WorkspaceBody) -> Workspace:
        inputs = {given.key: given.secret for given in body.inputs}
        check_config(body.config or {}, "config")
        check_config(body.native_config or {}, "native_config")
        workspace = self.intake.workspaces.put(name, body.mode, inputs, ignore=body.ignore, error=body.error)
        if body.config is not None:
            workspace.config = body.config
        if body.native_config is not None:
            workspace.native_config = body.native_config
        return workspace

    def remove_workspace(self, submission: Submission) -> Answer:
        name = submission.arguments["name"]
        with self.recorder.lock:
            if not self.intake.workspaces.remove(name):
                return error_answer(404, f"There is no workspace {name[:80]!r}.")
            return json_answer(200, {"forgotten": self.recorder.forget(name)})

    def remove_input(self, submission: Submission) -> Answer:
        name, key = submission.arguments["name"], submission.arguments["key"]
        workspace = self.intake.workspaces.release(name, key)
        if workspace is None:
            return error_answer(404, f"There is no workspace {name[:80]!r} with an input of the key {key[:80]!r}.")
        return json_answer(200, _workspace_item(workspace))

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

    def __init__(self, api: _Inspect, filter: Filter, after: Cursor) -> None:
        self.recorder = api.recorder
        self._render = api.render
        self._filter = filter
        self._after = after.within(self.recorder)
        self._position = self._after.request_id
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
            self._position = self.recorder.last_id()
            return b"event: error\ndata: " + _encode({"message": str(error)}) + b"\n\n"
        opening, self._opening = self._opening, b""
        chunks: list[bytes] = [opening]
        for record in page.records:
            had = max(self._position, *self._after.parts[:1], 0)
            if record.id > had + 1 and had:
                gap = {"after": str(had), "before": str(record.id)}
                chunks.append(b"event: forgotten\ndata: " + _encode(gap) + b"\n\n")
            self._position = record.id
            chunks.append(self._chunk(record))
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


def _server_sent(item: Item) -> bytes:
    return b"id: " + item.id.encode() + b"\ndata: " + _encode(item) + b"\n\n"


def _server_sent_request(record: RequestRecord) -> bytes:
    # A request without batches, such as one with wrong credentials, is what a developer looks for when nothing arrives.
    item = request_item(record)
    return b"id: " + item.id.encode() + b"\nevent: request\ndata: " + _encode(item) + b"\n\n"


def _after(taken: dict[str, str]) -> Cursor:
    return Cursor.parse(taken["after"]) if "after" in taken else Cursor()


def _id(text: str) -> tuple[int, ...]:
    try:
        return Cursor.parse(text).parts
    except FilterError as error:
        raise FilterError(
            f"The id is {text[:40]!r}; expected one as listed, such as 17 for a request, 17.0 for a batch."
        ) from error


def _lines(found: Iterator[Item], limit: int) -> Iterator[bytes]:
    """NDJSON in blocks of some 64 KB."""
    block: list[bytes] = []
    size = 0
    for count, item in enumerate(found, 1):
        line = _encode(item)
        block.append(line)
        size += len(line)
        if size > 65_536:
            yield b"\n".join(block) + b"\n"
            block, size = [], 0
        if count == limit:
            break
    if block:
        yield b"\n".join(block) + b"\n"


def _waited(wait: Wait) -> Answer:
    found = {"items": wait.items, "count": len(wait.items), "wanted": wait.count}
    if wait.met:
        return json_answer(200, found)
    message = f"{len(wait.items)} of {wait.count} {wait.kind} matched within {wait.timeout:g} s."
    nearest = wait.near_misses()
    if nearest:
        first = "; ".join(
            f"{difference.field} is {json.dumps(difference.got)[:80]}, expected {difference.expected!r}"
            for difference in nearest[0].differences
        )
        message += f" The nearest, {nearest[0].id}, differs: {first}."
    errors = [{"code": "REQUEST_TIMEOUT", "message": message}]
    return json_answer(408, {"errors": errors, **found, "nearest": nearest})


def _is_request_without_batches(line: bytes) -> bool:
    """Whether a line is a refused request, as the dumps of the pytest plugin have them beside batches: nothing to import."""
    try:
        return not msgspec.json.decode(line, type=RequestItem).batches
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _imported(line: bytes, remote: str) -> RequestRecord:
    item = _decode_import(line)
    body = _encode(item.batch)
    decoded = decode(body, None, None, len(body))
    if not decoded.readable:
        raise msgspec.ValidationError(decoded.findings[0].message)
    about = BatchRecord(item.verdict, item.findings, source_request_id(item.batch))
    return RequestRecord(
        received_at_ms=item.received_at_ms,
        workspace=item.workspace,
        key=item.key,
        source=item.source,
        dialect="standard",
        method="POST",
        path="/_fake/import",
        query="",
        remote=remote,
        headers=b"content-type: application/json",
        status=item.status,
        body=body,
        batches=[about],
    )


def _workspace_item(workspace: Workspace) -> dict[str, Any]:
    # Secrets stay here: whoever made the input knows them.
    rules = workspace.rules
    inputs = [{"key": key, "any_secret": secret is None} for key, secret in workspace.inputs.items()]
    return {
        "name": workspace.name,
        "mode": workspace.mode,
        "inputs": inputs,
        "ignore": sorted(rules.ignore),
        "error": sorted(rules.error),
        "config": workspace.config,
        "native_config": workspace.native_config,
    }
