"""`/_fake/import`: batches of an export are recorded again, while they arrive."""

from typing import Annotated, Any, Final

import msgspec

from ..checks.finding import Finding
from ..decoding import decode
from ..exchange import Answer, Endpoint, Reply, Submission
from ..intake import Intake, most_of_a_line, source_request_id
from ..items import RequestItem
from ..query import SOURCES, Source
from ..recording import BatchRecord, RequestRecord, Verdict
from ..words import counted
from .answers import error_answer, json_answer
from .guard import guarded
from .refusals import Refused, misfit, reading

IMPORTED_AT_ONCE: Final = 2_000_000
"""Bytes of imported batches that one commit takes."""


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table; guarded as the rest of the inspect API."""

    def begin(submission: Submission) -> Reply:
        return Import(intake, submission.remote)

    return [Endpoint("POST", "/_fake/import", guarded(begin, token, bare=True), streamed=True)]


class Imported(msgspec.Struct):
    """A line of an export: a batch item."""

    batch: dict[str, Any]
    received_at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    verdict: Verdict = "accepted"
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] = 202
    workspace: str | None = "default"
    key: str | None = None
    source: Source = "import"
    findings: list[Finding] = []


_EXPECTED: Final = {
    "batch": "an object, the batch (batches with nothing around them are for `mparticle-fake send`)",
    "received_at_ms": "milliseconds since 1970, a whole number",
    "verdict": "accepted, altered, dropped or rejected",
    "status": "an HTTP status, 100 to 599",
    "workspace": "a name or null",
    "key": "an API key or null",
    "source": f"one of {', '.join(SOURCES)}",
    "findings": "an array of findings as exported",
}

_decode_import = msgspec.json.Decoder(Imported).decode


class Import:
    """The batches of an export, taken from its bytes as they arrive, in whatever blocks.

    Nobody waits in here for a client: between two blocks there is a part of a line, and less than a commit of batches.
    """

    def __init__(self, intake: Intake, remote: str) -> None:
        self._recorder = intake.recorder
        self._remote = remote
        self._most = most_of_a_line(intake.max_body)
        self._rest = bytearray()
        self._number = 0
        self._waiting: list[RequestRecord] = []
        self._size = 0
        self._imported = 0

    def take(self, block: bytes) -> Answer | None:
        """Take in the next bytes; the answer, if nothing of what follows is wanted. Raises StoreError."""
        first, *others = block.split(b"\n")
        self._rest += first
        if others:
            for line in (bytes(self._rest), *others[:-1]):
                refusal = self._line(line)
                if refusal is not None:
                    return refusal
            self._rest = bytearray(others[-1])
        return self._too_long() if len(self._rest) > self._most else None

    def end(self) -> Answer:
        """The answer to all that was taken in. Raises StoreError."""
        refusal = self._line(bytes(self._rest))
        if refusal is not None:
            return refusal
        self._commit()
        return json_answer(200, {"imported": self._imported})

    def _line(self, line: bytes) -> Answer | None:
        if len(line) > self._most:
            return self._too_long()
        self._number += 1
        if not line.strip():
            return None
        try:
            record = _record(line, self._remote)
        except Refused as error:
            if _is_request_without_batches(line):
                return None
            return error_answer(
                400,
                f"Line {self._number} is no batch as exported. {_fault(line, self._number) or f'{error}.'} {self._before()} "
                "GET /_fake/batches with 'Accept: application/x-ndjson' gives the format.",
            )
        self._waiting.append(record)
        self._size += len(line)
        if self._size > IMPORTED_AT_ONCE:
            self._commit()
        return None

    def _too_long(self) -> Answer:
        return error_answer(413, f"Line {self._number + 1} is too long for a batch. {self._before()}")

    def _before(self) -> str:
        """Keep what came before a line that is refused, and say so."""
        self._commit()
        count = self._imported
        return f"{counted(count, 'batch', 'batches')} before it {'was' if count == 1 else 'were'} imported."

    def _commit(self) -> None:
        if self._waiting:
            self._recorder.record(self._waiting)
            self._imported += len(self._waiting)
            self._waiting, self._size = [], 0


def _is_request_without_batches(line: bytes) -> bool:
    """Whether a line is a refused request, as the dumps of the pytest plugin have them beside batches: nothing to import."""
    try:
        return not msgspec.json.decode(line, type=RequestItem).batches
    except Refused:
        return False


class _Line(msgspec.Struct, frozen=True):
    """Where a line begins in the body."""

    line: int
    column: int = 1


_LINES_OF_AN_ARRAY: Final = "python3 -c 'import json, sys; [print(json.dumps(each)) for each in json.load(sys.stdin)]' < FILE"
"""No jq, of which some versions round numbers of 64 bits, as mpids are."""


def _fault(line: bytes, number: int) -> str | None:
    """What keeps a line from being imported, and how to mend that."""
    if line[:2] == b"\x1f\x8b":
        return "It is compressed with gzip. Send it as it was before: `gunzip -c FILE | curl --data-binary @- …`."
    if line.strip() in (b"{", b"["):
        return (
            "It begins a JSON document of many lines; expected a batch a line. `python3 -m json.tool --compact FILE` puts one "
            f"batch on a line, `{_LINES_OF_AN_ARRAY}` each item of an array."
        )
    item, wrong = reading(line, _Line(number))
    if wrong is not None:
        return wrong
    if isinstance(item, list):
        return f"It is an array; expected an object. `{_LINES_OF_AN_ARRAY}` makes lines of an array."
    if isinstance(item, dict) and "batch" not in item and isinstance(item.get("items"), list):
        return "It is a page; expected a batch a line. `mparticle-fake export` writes that."
    return misfit(item, Imported, _EXPECTED)


def _record(line: bytes, remote: str) -> RequestRecord:
    item = _decode_import(line)
    body = msgspec.json.encode(item.batch)
    decoded = decode(body, None, None, len(body))
    if not decoded.readable:
        raise msgspec.ValidationError(decoded.findings[0].message)
    about = BatchRecord(item.verdict, tuple(item.findings), source_request_id(item.batch))
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
        batches=(about,),
    )
