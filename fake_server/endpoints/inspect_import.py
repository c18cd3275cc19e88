"""`/_fake/import`: batches of an export are recorded again, while they arrive."""

from typing import Annotated, Any, Final

import msgspec

from ..checks.finding import Finding
from ..decoding import decode
from ..exchange import Answer, Endpoint, Reply, Submission
from ..intake import Intake, most_of_a_line, source_request_id
from ..items import RequestItem
from ..recording import BatchRecord, RequestRecord, Verdict
from ..words import counted
from .answers import error_answer, json_answer
from .guard import guarded

IMPORTED_AT_ONCE: Final = 2_000_000
"""Bytes of imported batches that one commit takes."""

_FAILURES: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def endpoints(intake: Intake, token: str | None = None) -> list[Endpoint]:
    """The table; guarded as the rest of the inspect API."""

    def begin(submission: Submission) -> Reply:
        return Import(intake, submission.remote)

    return [Endpoint("POST", "/_fake/import", guarded(begin, token), streamed=True)]


class Imported(msgspec.Struct):
    """A line of an export: a batch item."""

    batch: dict[str, Any]
    received_at_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    verdict: Verdict = "accepted"
    status: Annotated[int, msgspec.Meta(ge=100, le=599)] = 202
    workspace: str | None = "default"
    key: str | None = None
    source: str = "import"
    findings: list[Finding] = []


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
        except _FAILURES as error:
            if _is_request_without_batches(line):
                return None
            before = self._before()
            return error_answer(
                400,
                f"Line {self._number} is no batch as exported: {error}. {before} "
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
    except _FAILURES:
        return False


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
