"""What is found in a chunk by itself: decoding, dialect, checks, rules, counts. Runs in worker processes; called by `run.py`.

It says of a text what the server would say of a body with the same bytes. What depends on the rest of the input is left to
`spanning.py`, which gets extracts for it: so the report is the same for any number of workers.
"""

import re
from array import array
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from mparticle_sdk import limits

from .. import dialects
from ..checks import check
from ..checks.batch import check_historical
from ..checks.finding import CODES, Finding, make
from ..checks.limits import check_request, check_size
from ..checks.rules import Rules
from ..decoding import decode
from ..intake import source_request_id
from .chunks import MOST_OF_A_DOCUMENT, Chunk, Piece
from .extracts import Extractor, Seen

Group = tuple[str, str, str]
"""Code, severity, and the pointer with * for what differs from batch to batch: findings that are counted together."""

PLAIN: Final = -1
EXPORTED: Final = -2
"""In place of an index in a bulk request: a batch by itself, and one below `batch` in a line of `mparticle-fake export`."""


class Options(msgspec.Struct, frozen=True):
    """How to examine: the time in ms since 1970, and how many findings to keep, at most, of a group and of a chunk."""

    now_ms: int
    rules: Rules
    of_a_group: int
    most: int


class Told(NamedTuple):
    """A finding, and the piece of its chunk in which it is; `position` as in `Known`."""

    piece: Piece
    position: int
    finding: Finding


class Known(msgspec.Struct):
    """The source_request_ids of a chunk as hashes, in their order, and where they are.

    The position is PLAIN, EXPORTED, or that in a bulk request. `passing` holds those of batches that mParticle drops anyhow:
    a second one is a duplicate of none of them.
    """

    hashes: "array[int]"
    lines: "array[int]"
    starts: "array[int]"
    ends: "array[int]"
    positions: "array[int]"
    passing: set[int]


class Extract(NamedTuple):
    """What a history needs of a batch."""

    piece: Piece
    position: int
    batch: dict[str, Any]


class Result(msgspec.Struct):
    """What was found in a chunk: the first findings, in order, and the count of all by group."""

    batches: int
    events: int
    told: list[Told]
    groups: Counter[Group]
    known: Known
    extracts: list[Extract]


def known() -> Known:
    """No ids."""
    return Known(array("Q"), array("Q"), array("Q"), array("Q"), array("q"), set())


def examine(chunk: Chunk, options: Options, seen: Seen) -> Result:
    """Examine each piece of a chunk."""
    examination = _Examination(options, seen)
    if chunk.finding is not None:
        piece = chunk.pieces[0] if chunk.pieces else Piece(chunk.line, 1, 0, 0)
        examination.tell(piece, PLAIN, [chunk.finding])
    elif chunk.pieces is not None:
        for piece in chunk.pieces:
            examination.look_at(piece, chunk.text[piece.start : piece.end])
    else:
        start = 0
        for line, text in enumerate(chunk.text.split(b"\n"), chunk.line):
            end = start + len(text)
            if text and not text.isspace():
                examination.look_at(Piece(line, 1, start, end), text)
            start = end + 1
    return examination.result


class _Examination:
    def __init__(self, options: Options, seen: Seen) -> None:
        self.options = options
        self.result = Result(0, 0, [], Counter(), known(), [])
        self.extractor = Extractor(seen)

    def look_at(self, piece: Piece, text: bytes) -> None:
        decoded = decode(text, None, None, MOST_OF_A_DOCUMENT)
        if not decoded.readable:
            self.tell(piece, PLAIN, [_at_its_line(finding, piece) for finding in decoded.findings])
            return
        value, beside = decoded.value, decoded.findings
        if beside:
            beside = [_at_its_line(finding, piece) for finding in beside]
        if piece.endpoint:
            value = self._of_endpoint(piece, value)
            too_large = check_request(len(text), len(value) if isinstance(value, list) else 1)
            if too_large:
                self.tell(piece, PLAIN, [too_large])
        if type(value) is dict:
            index, key = PLAIN, ""
            if "batch" in value and "events" not in value and isinstance(value["batch"], dict):
                index, key, value = EXPORTED, str(value.get("key") or ""), value["batch"]
            self._batch(piece, index, value, dialects.detect(value), key, beside)
        elif type(value) is list:
            self._bulk(piece, value, beside)
        elif value is not None or not piece.endpoint:
            self.tell(piece, PLAIN, [_no_batch(value, "The text")])

    def _of_endpoint(self, piece: Piece, value: Any) -> Any:
        """The value if the endpoint of a HAR's request takes it, else None, and a finding."""
        bulk = "/bulk" in piece.endpoint
        if bulk == isinstance(value, list) and (bulk or isinstance(value, dict)):
            if not bulk or len(value) <= limits.BATCHES_PER_REQUEST:
                return value
            finding = make(
                "too_many_batches",
                f"The request carries {len(value)} batches; expected at most {limits.BATCHES_PER_REQUEST}.",
                hint=f"Split it into {-(-len(value) // limits.BATCHES_PER_REQUEST)} requests.",
            )
        else:
            expected = "an array of batches" if bulk else "one batch, a JSON object"
            finding = make("wrong_top_level", f"The body is {_kind(value)}; {piece.endpoint[:80]} expects {expected}.")
        self.tell(piece, PLAIN, [finding])
        return None

    def _bulk(self, piece: Piece, items: list[Any], beside: list[Finding]) -> None:
        dialect = dialects.detect(items)
        for index, batch in enumerate(items):
            if not isinstance(batch, dict):
                self.tell(piece, index, [_no_batch(batch, f"Item {index} of the array")])
                continue
            inside = [finding for finding in beside if f"{finding.raw_pointer}/".startswith(f"/{index}/")] if beside else []
            self._batch(piece, index, batch, dialect, "", inside)
        if beside:
            self.tell(piece, PLAIN, [finding for finding in beside if not finding.raw_pointer])

    def _batch(self, piece: Piece, index: int, batch: dict[str, Any], dialect: str, key: str, beside: list[Finding]) -> None:
        result = self.result
        result.batches += 1
        events = batch.get("events")
        if type(events) is list:
            result.events += len(events)
        historical = piece.endpoint.endswith("/historical")
        findings = dialects.translate(batch, dialect)
        about = _check(batch, self.options.now_ms, historical=historical)
        findings = findings + about if findings else about
        if piece.end - piece.start > limits.BATCH_SIZE:
            size = piece.end - piece.start if index == PLAIN else len(msgspec.json.encode(batch))
            too_large = check_size(size)
            findings = [*findings, too_large] if too_large else findings
        if historical:
            findings = findings + check_historical(batch, self.options.now_ms)
        if beside:
            prefix = prefix_of(index)
            findings += [
                msgspec.structs.replace(finding, pointer=(finding.raw_pointer or "").removeprefix(prefix), raw_pointer=None)
                for finding in beside
            ]
        extract = self.extractor.extract(batch)
        if extract is not None:
            result.extracts.append(Extract(piece, index, extract))
        if "source_request_id" in batch:
            self._know(piece, index, batch, key or piece.endpoint, findings)
        if findings:
            self.tell(piece, index, findings)

    def _know(self, piece: Piece, index: int, batch: dict[str, Any], key: str, findings: list[Finding]) -> None:
        id = source_request_id(batch)
        if id is None:
            return
        known = self.result.known
        if findings and any(CODES[finding.code].effect in ("refuse", "drop") for finding in findings):
            known.passing.add(len(known.hashes))
        text = f"{key}\0{id}".encode("utf-8", "surrogatepass")
        known.hashes.append(int.from_bytes(blake2b(text, digest_size=8).digest(), "little"))
        known.lines.append(piece.line)
        known.starts.append(piece.start)
        known.ends.append(piece.end)
        known.positions.append(index)

    def tell(self, piece: Piece, index: int, findings: list[Finding]) -> None:
        options, groups, told = self.options, self.result.groups, self.result.told
        for finding in options.rules.apply(findings):
            group = group_of(finding)
            groups[group] += 1
            if groups[group] <= options.of_a_group and len(told) < options.most:
                told.append(Told(piece, index, finding))


def _check(batch: dict[str, Any], now_ms: int, *, historical: bool) -> list[Finding]:
    # Without a history: `spanning.py` has that of the whole input.
    return check(batch, now_ms, historical=historical)


def prefix_of(index: int) -> str:
    """The pointer to a batch in its piece."""
    return "" if index == PLAIN else "/batch" if index == EXPORTED else f"/{index}"


def group_of(finding: Finding) -> Group:
    """What a finding is counted with."""
    return finding.code, finding.severity, _pattern(finding.pointer)


_INDEX = re.compile(r"/\d+(?=/|$)")
_MAP = re.compile(r"/(user_attributes|custom_attributes|partner_identities|gdpr|event_attributes)/[^/]+")


@lru_cache(4096)
def _pattern(pointer: str) -> str:
    return _MAP.sub(r"/\1/*", _INDEX.sub("/*", pointer))[:200]


_PLACE = re.compile(r"line (\d+), column (\d+) \(byte (\d+)\)")


def place_of(finding: Finding) -> int | None:
    """The byte of a piece that the message of a finding about unreadable text names."""
    named = _BYTE.search(finding.message)
    return int(named[1]) if named else None


_BYTE = re.compile(r"\(byte (\d+)")


def _at_its_line(finding: Finding, piece: Piece) -> Finding:
    """A finding of decoding, which knows nothing of the file: its message gets the line and the column there."""

    def in_file(place: re.Match[str]) -> str:
        line, column = int(place[1]), int(place[2])
        column += piece.column - 1 if line == 1 else 0
        return f"line {line + piece.line - 1}, column {column} (byte {place[3]} of the batch)"

    return msgspec.structs.replace(finding, message=_PLACE.sub(in_file, finding.message, count=1))


def _no_batch(value: Any, what: str) -> Finding:
    return make(
        "wrong_top_level",
        f"{what} is {_kind(value)}; expected a batch, a JSON object.",
        hint="A batch is an object with environment, user_identities and events." if value is not None else None,
    )


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    if isinstance(value, (int, float)):
        return f"the number {str(value)[:40]}"
    return "an array" if isinstance(value, list) else "an object"
