"""What happens to one submission, start to end: decoding, dialect, checks, verdict, record. Knows no web framework.

The endpoints call it; the front and the Flask application only carry Submissions to it and Answers back.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from mparticle_sdk import limits

from . import dialects
from .checks import check
from .checks.batch import check_historical
from .checks.finding import Finding, make
from .checks.history import News
from .checks.limits import check_request, check_size
from .checks.request import check_count, repeated, unwrapped, wrong_body, wrong_item
from .checks.rules import NO_RULES
from .decoding import Decoded, decode, decompress
from .exchange import Submission
from .faults import Fault
from .recording import BatchRecord, Recorder, RequestRecord, StoreError, batch_id
from .redaction import Headers, header_lines, redact, redact_query, redact_url
from .verdicts import is_lost, is_refused, judge_batches
from .words import counted
from .workspaces import Input, Mode, Workspace, Workspaces

LENIENT_BATCHES: Final = 10_000
"""Batches that a lenient workspace takes in one request; beyond, it refuses like the others, to stay responsive."""

_encode = msgspec.json.Encoder().encode

_NO_LIMIT: Final = 2**40
"""What was recorded was within the limit when it came."""


class Form(msgspec.Struct, frozen=True):
    """How a family of endpoints takes batches: `source` is recorded with them.

    `refusal` is the status for a refused body, `strict_refusal` the one in strict mode; 202 where the client cannot bear to be
    refused: then its batches are dropped instead. `dialect` is None where the batches themselves tell it.
    """

    source: str
    bulk: bool = False
    historical: bool = False
    refusal: int = 400
    strict_refusal: int = 400
    dialect: str | None = None

    def refusal_in(self, mode: Mode) -> int:
        """The status for a refused body in a workspace of this mode."""
        return self.strict_refusal if mode == "strict" else self.refusal


class Reading(msgspec.Struct):
    """A submission that was read and checked, and awaits its verdict; `Intake.settle` gives it."""

    record: RequestRecord
    sender: Input
    form: Form
    oversize: bool
    fault: Fault | None = None
    places: Sequence[int] = ()
    """Of a bulk request: where in the body each batch is. In lenient mode there may be items between them that are none."""
    news: list[tuple[BatchRecord, News]] = []
    """What the workspace learns from each batch that is taken in the end."""


class Outcome(msgspec.Struct):
    """What became of a submission: the status to answer, and all findings, those of batches with their `index`.

    `fault` says how to answer, where a test asked for that; the findings tell of it.
    """

    status: int
    findings: Sequence[Finding]
    input: Input | None = None
    batches: int = 0
    fault: Fault | None = None


class Intake:
    """One server's workspaces, recorder and limits. `max_body` in bytes; `now_ms` tells the time in ms since 1970."""

    def __init__(
        self,
        workspaces: Workspaces,
        recorder: Recorder,
        *,
        max_body: int = 2_000_000,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self.workspaces = workspaces
        self.recorder = recorder
        self.max_body = max_body
        self.now_ms = now_ms
        self.addresses: tuple[str | None, str | None] = (None, None)
        """The URLs of HTTP and HTTPS of the server that has this intake, where there is one; for snippets."""
        if recorder.last_id():
            workspaces.resume()

    def refuse(self, submission: Submission, status: int, finding: Finding, source: str, key: str | None = None) -> Outcome:
        """Record a request that is not read any further, and say so; `key` is the API key where it is not in Authorization."""
        record = self._record(submission, None, source, status)
        record.key = key or self.workspaces.key_of(submission.header(b"authorization"))
        sender = self.workspaces.input(record.key) if record.key else None
        record.workspace = sender.workspace.name if sender else None
        record.findings = (finding,)
        self.recorder.record([record])
        return Outcome(status, record.findings)

    def note(
        self, submission: Submission, sender: Input | None, source: str, status: int, findings: list[Finding] | None = None
    ) -> Outcome:
        """Record a request that carries no batches, such as one for a configuration, with the status that it is answered.

        That of an input meets the next fault of its workspace: answer with the status of the outcome. Its rules are applied to
        the findings. Raises StoreError: nothing was kept.
        """
        record = self._record(submission, sender, source, status)
        record.findings = tuple(findings or ())
        fault = None
        if sender is not None:
            record.findings = tuple(sender.workspace.rules.apply(record.findings))
            if sender.workspace.faults.waiting and not submission.incomplete:
                fault = _meet(record, sender.workspace)
        if fault is not None and fault.status is not None:
            record.status = fault.status
        self.recorder.record([record])
        return Outcome(record.status, record.findings, sender, fault=fault)

    def decode(self, submission: Submission) -> Decoded:
        """The body as JSON; unreadable too if it exceeds the limit, or has not arrived whole."""
        if submission.oversize:
            return Decoded(None, b"", [too_large(submission.oversize, self.max_body)], False)
        if submission.incomplete:
            size = len(submission.body)
            broken_off = make("body_incomplete", f"The client closed the connection after {size} bytes of the body.")
            return Decoded(None, b"", [broken_off], False)
        return decode(submission.body, *_content(submission.headers), self.max_body)

    def decode_signed(self, submission: Submission) -> tuple[Decoded, bytes | None]:
        """The body as JSON, and the bytes that its client signed before it compressed them; None where that is not known."""
        content_encoding, content_type = _content(submission.headers)
        if submission.oversize or submission.incomplete:
            return self.decode(submission), None
        if not content_encoding:
            return decode(submission.body, None, content_type, self.max_body), submission.body
        unpacked = decompress(submission.body, content_encoding, self.max_body)
        if isinstance(unpacked, Finding):
            return Decoded(None, b"", [unpacked], False), None
        return decode(unpacked, None, content_type, self.max_body), unpacked

    def read(self, submission: Submission, sender: Input, form: Form, decoded: Decoded | None = None) -> Reading:
        """Everything that can be found out about a submission by itself; `decoded` is its body, where somebody has read it."""
        record = self._record(submission, sender, form.source, 202)
        reading = Reading(record, sender, form, bool(submission.oversize))
        record.findings = tuple(self._read(submission, reading, decoded))
        # Last, so that no fault is lost on a request that fails before; one that broke off would not see its answer.
        if sender.workspace.faults.waiting and not submission.incomplete:
            reading.fault = _meet(record, sender.workspace)
        return reading

    def settle(self, readings: list[Reading]) -> list[Outcome]:
        """Look for duplicates, judge, and record all in one commit. Raises StoreError: nothing was kept."""
        seen: dict[tuple[str, str], str] = {}
        with self.recorder.lock:
            # All go into one commit, so their ids follow the last one.
            for id, reading in enumerate(readings, self.recorder.last_id() + 1):
                self._judge(reading, id, seen)
            self.recorder.record([reading.record for reading in readings])
            for reading in readings:
                for batch, news in reading.news:
                    if batch.verdict in ("accepted", "altered"):
                        reading.sender.workspace.history.learn(news)
        return [_outcome(reading) for reading in readings]

    def _record(self, submission: Submission, sender: Input | None, source: str, status: int) -> RequestRecord:
        return RequestRecord(
            received_at_ms=self.now_ms(),
            workspace=sender.workspace.name if sender else None,
            key=sender.key if sender else None,
            source=source,
            dialect="standard",
            method=submission.method,
            path=redact_url(submission.path),
            query=redact_query(submission.query) if submission.query else "",
            remote=submission.remote,
            headers=submission.kept or redact(submission.headers),
            status=status,
            body=submission.body,
        )

    def _read(self, submission: Submission, reading: Reading, decoded: Decoded | None) -> list[Finding]:
        """Fill the record's batches and dialect, and the news; returns the findings on the request as a whole."""
        record, form, workspace = reading.record, reading.form, reading.sender.workspace
        decoded = decoded or self.decode(submission)
        findings = decoded.findings
        if not decoded.readable:
            return findings
        values, problem = _batches(decoded.value, form, workspace.mode)
        if problem:
            findings.append(problem)
        if not values:
            return findings
        record.dialect = form.dialect or dialects.detect(values)
        _examine_all(values, reading)
        if len(decoded.text) > limits.BATCH_SIZE:
            findings += _measure(len(decoded.text), values, record, bulk=form.bulk)
        if form.bulk:
            reading.places = [place for place, item in enumerate(decoded.value) if isinstance(item, dict)]
            for index, (recorded, place) in enumerate(zip(record.batches, reading.places, strict=True)):
                if recorded.findings:
                    recorded.findings = tuple([_in_bulk(finding, index, place) for finding in recorded.findings])
        return _place(findings, reading)

    def _judge(self, reading: Reading, id: int, seen: dict[tuple[str, str], str]) -> None:
        """Give the request its status and its batches their verdicts; what the workspace ignores is silenced after that."""
        record = reading.record
        if reading.fault is None and not record.findings and all(map(_is_plain, record.batches)):
            # 202 and accepted, as it says from the start.
            return
        form, workspace = reading.form, reading.sender.workspace
        mode, rules = workspace.mode, workspace.rules
        if reading.fault is not None and reading.fault.status is not None:
            record.status = reading.fault.status
        elif reading.oversize or any(finding.code == "body_too_large" for finding in record.findings):
            record.status = 413
        elif is_refused(record.findings, mode, rules) and form.refusal_in(mode) >= 400:
            record.status = form.refusal_in(mode)
        else:
            here = self._look_for_duplicates(reading, id, seen)
            record.status = form.refusal_in(mode) if judge_batches(record, mode, rules) else 202
            if record.status == 202:
                seen.update(here)
        if rules is not NO_RULES:
            record.findings = tuple(rules.apply(record.findings))
        for batch in record.batches if record.status >= 400 or rules is not NO_RULES else ():
            batch.findings = tuple(rules.apply(batch.findings))
            if record.status >= 400:
                batch.verdict = "rejected"

    def _look_for_duplicates(self, reading: Reading, id: int, seen: dict[tuple[str, str], str]) -> dict[tuple[str, str], str]:
        """Findings on batches that were sent before; returns what later ones would repeat, if this request is not refused."""
        key, bulk = reading.sender.key, reading.form.bulk
        here: dict[tuple[str, str], str] = {}
        for index, batch in enumerate(reading.record.batches):
            source_request_id = batch.source_request_id
            if source_request_id is None:
                continue
            sent = (key, source_request_id)
            first = self.recorder.duplicate_of(*sent) or seen.get(sent) or here.get(sent)
            if first is None:
                if not is_lost(batch.findings):
                    here[sent] = batch_id(id, index)
                continue
            sent_before = f"by this input before, with batch {first}"
            duplicate = repeated(source_request_id, sent_before)
            if bulk:
                duplicate = _in_bulk(duplicate, index, reading.places[index])
            elif reading.form.dialect == "native":
                duplicate = msgspec.structs.replace(duplicate, raw_pointer="/id")
            batch.findings = (*batch.findings, duplicate)
        return here


def _content(headers: Headers) -> tuple[bytes | None, bytes | None]:
    """The first Content-Encoding and the first Content-Type, looked for at once."""
    content_encoding = content_type = None
    for name, value in headers:
        if name == b"content-type":
            content_type = value if content_type is None else content_type
        elif name == b"content-encoding" and content_encoding is None:
            content_encoding = value
    return content_encoding, content_type


def _meet(record: RequestRecord, workspace: Workspace) -> Fault | None:
    """Let a request meet the next fault of its workspace; the record tells of it."""
    fault = workspace.faults.take()
    if fault is not None:
        record.findings = (*record.findings, fault.finding(workspace.name))
    return fault


def _examine_all(batches: list[dict[str, Any]], reading: Reading) -> None:
    """Make batches canonical in place; the record gets what is found in them, and the reading what is new to their workspace."""
    record, history = reading.record, reading.sender.workspace.history
    before: News | None = None
    examined: list[BatchRecord] = []
    for batch in batches:
        findings = _examine(batch, record, reading.form)
        if findings:
            findings = unwrapped(batch, findings)
        about, news = history.judge(batch, before)
        recorded = BatchRecord("accepted", (*findings, *about), source_request_id(batch))
        examined.append(recorded)
        if news is not None and not is_lost(findings):
            reading.news.append((recorded, news))
            if reading.form.bulk:
                before = before or News()
                before.add(news)
    record.batches = tuple(examined)


def _examine(batch: dict[str, Any], record: RequestRecord, form: Form) -> list[Finding]:
    """Make a batch canonical in place; returns what is found in it by itself."""
    now_ms = record.received_at_ms
    quirks = dialects.translate(batch, record.dialect)
    findings = check(batch, now_ms, historical=form.historical)
    if form.historical:
        findings += check_historical(batch, now_ms)
    # A list of its own: that of a dialect may hold on to what was sent.
    return dialects.told(quirks, findings) if findings else list(quirks)


def _is_plain(batch: BatchRecord) -> bool:
    """Whether nothing was found in a batch, and it can be no duplicate."""
    return not batch.findings and batch.source_request_id is None


def _measure(size: int, values: list[dict[str, Any]], record: RequestRecord, *, bulk: bool) -> list[Finding]:
    """Findings on the size of a request in bytes; those on single batches go to these."""
    for value, batch in zip(values, record.batches, strict=True):
        # In a bulk request, as its JSON is without blanks.
        too_large = check_size(len(_encode(value)) if bulk else size, record.dialect)
        if too_large:
            batch.findings = (*batch.findings, too_large)
    too_large = check_request(size, len(values))
    return [too_large] if too_large else []


def _outcome(reading: Reading) -> Outcome:
    record = reading.record
    findings = record.findings
    for batch in record.batches:
        if batch.findings:
            findings = (*findings, *batch.findings)
    return Outcome(record.status, findings, reading.sender, len(record.batches), reading.fault)


def most_of_a_line(max_body: int) -> int:
    """Bytes of a line of an import: the largest batch, written out, with its findings."""
    return 4 * max_body + 1_000_000


def source_request_id(batch: dict[str, Any]) -> str | None:
    """By what a batch is told from its duplicates, or None."""
    value = batch.get("source_request_id")
    if value is None or isinstance(value, str):
        return value or None
    # mParticle's own schema takes numbers where it says string (`batch-schema.md §0`).
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _in_bulk(finding: Finding, index: int, place: int) -> Finding:
    raw_pointer = None if finding.raw_pointer is None else f"/{place}{finding.raw_pointer}"
    return msgspec.structs.replace(finding, index=index, raw_pointer=raw_pointer)


def _place(findings: list[Finding], reading: Reading) -> list[Finding]:
    """Hand what decoding found inside a batch to that batch; returns the rest."""
    batches, form = reading.record.batches, reading.form
    rest = []
    for finding in findings:
        if not finding.raw_pointer or finding.code == "wrong_top_level":
            rest.append(finding)
            continue
        pointer = finding.raw_pointer
        index = None
        if form.bulk:
            first, _, inner = pointer[1:].partition("/")
            if int(first) not in reading.places:
                rest.append(finding)
                continue
            index, pointer = reading.places.index(int(first)), f"/{inner}"
        batch = batches[index or 0]
        canonical = "" if form.dialect == "native" else pointer
        batch.findings = (*batch.findings, msgspec.structs.replace(finding, pointer=canonical, index=index))
    return rest


def _batches(value: Any, form: Form, mode: Mode) -> tuple[list[dict[str, Any]], Finding | None]:
    """The batches in a decoded body, and what is wrong with its shape."""
    if not form.bulk and isinstance(value, dict):
        return [value], None
    if not form.bulk or not isinstance(value, list):
        return [], wrong_body(value, bulk=form.bulk)
    problem = check_count(len(value))
    if problem is not None:
        if mode != "lenient":
            return [], problem
        if len(value) > LENIENT_BATCHES:
            return [], make("body_too_large", f"{problem.message} This server takes {LENIENT_BATCHES} in lenient mode.")
    for index, batch in enumerate(value):
        if not isinstance(batch, dict):
            problem = wrong_item(batch, index)
            return (_objects(value) if mode == "lenient" else []), problem
    return value, problem


def _objects(value: list[Any]) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)]


def too_large(size: int, max_body: int) -> Finding:
    """The finding on a body of more than `max_body` bytes."""
    return make(
        "body_too_large",
        f"The body has {size} bytes or more; this server takes {max_body}.",
        hint="mParticle takes 256 KB a request; split it. The fake's own bound is --max-body.",
    )


def canonical_batches(record: RequestRecord) -> list[dict[str, Any]]:
    """The canonical batches of a recorded request, one for each of `record.batches`. Raises StoreError if its body has others."""
    if not record.batches:
        return []
    value = decode(record.body, *_content(header_lines(record.headers)), _NO_LIMIT).value
    # In lenient mode the other items of a bulk request were passed over.
    batches = _objects(value if isinstance(value, list) else [value])
    if len(batches) != len(record.batches):
        recorded, held = (counted(len(each), "batch", "batches") for each in (record.batches, batches))
        wrong = f"request {record.id} was recorded with {recorded}, and its body holds {held}"
        raise StoreError(f"The store failed: a row is malformed ({wrong}). The file is damaged: move it away, or delete the row.")
    for batch in batches:
        dialects.translate(batch, record.dialect, whole=True)
    return batches
