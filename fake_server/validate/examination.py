"""What is found in a chunk by itself: decoding, dialect, checks, rules, counts. Runs in worker processes; called by `run.py`.

It says of a text what the server would say of a body with the same bytes. What depends on the rest of the input is left to
`spanning.py`, which gets extracts for it: so the report is the same for any number of workers.
"""

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from mparticle_sdk import limits

from .. import dialects
from ..checks import check
from ..checks.batch import check_historical
from ..checks.finding import Finding
from ..checks.found import MOST_OF_A_CODE
from ..checks.limits import check_request, check_size
from ..checks.request import check_count, unwrapped, wrong_body, wrong_item
from ..checks.rules import Rules
from ..decoding import Decoded, decode
from ..intake import source_request_id
from ..verdicts import is_lost
from .chunks import Chunk, Piece
from .documents import MOST_OF_A_VALUE
from .extracts import Extractor, Seen

_MOST_GROWTH: Final = 6
"""How much longer JSON may get that is written anew, without blanks: `1e15` becomes `1000000000000000.0`."""

_encode = msgspec.json.Encoder().encode

Group = tuple[str, str, str]
"""Code, severity, and the pointer with * for what differs from batch to batch: findings that are counted together."""

PLAIN: Final = -1
EXPORTED: Final = -2
"""In place of an index in a bulk request: a batch by itself, and one below `batch` in a line of `mparticle-fake export`."""


class Options(msgspec.Struct, frozen=True):
    """How to examine: the time in ms since 1970, and how many findings to keep, at most, of a group and of a chunk.

    `always_now` holds all batches against that time; else those that say when they came are held against that. `historical`
    takes batches for ones to `/v2/bulkevents/historical`.
    """

    now_ms: int
    rules: Rules
    of_a_group: int
    most: int
    always_now: bool = False
    historical: bool = False


class Told(NamedTuple):
    """A finding, and the piece of its chunk in which it is; `position` as in `Known`, `offset` a byte of the piece."""

    piece: Piece
    position: int
    finding: Finding
    offset: int | None = None


class Circumstances(NamedTuple):
    """What counts for a batch besides what is in it."""

    now_ms: int
    historical: bool
    workspace: str = ""
    key: str = ""


class Known(msgspec.Struct):
    """The source_request_ids of a chunk as hashes, in their order, and where they are.

    The position is PLAIN, EXPORTED, or that in a bulk request or an array. `passing` holds those of batches that mParticle drops
    anyhow: a second one is a duplicate of none of them.
    """

    hashes: "array[int]"
    lines: "array[int]"
    columns: "array[int]"
    starts: "array[int]"
    ends: "array[int]"
    positions: "array[int]"
    passing: set[int]


class Extract(NamedTuple):
    """What the history of a workspace needs of a batch; the workspace has no name where nothing tells it."""

    piece: Piece
    position: int
    batch: dict[str, Any]
    workspace: str = ""


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
    return Known(array("Q"), array("Q"), array("Q"), array("Q"), array("Q"), array("q"), set())


def examine(chunk: Chunk, options: Options, seen: Seen) -> Result:
    """Examine each piece of a chunk."""
    examination = _Examination(chunk, options, seen)
    if chunk.finding is not None:
        piece = chunk.pieces[0] if chunk.pieces else Piece(chunk.line, 1, 0, 0)
        examination.tell(piece, PLAIN, [chunk.finding])
    elif chunk.pieces is not None:
        for index, piece in enumerate(chunk.pieces, chunk.first or 0):
            examination.look_at(piece, chunk.text[piece.start : piece.end], index)
    else:
        start = 0
        for line, text in enumerate(chunk.text.split(b"\n"), chunk.line):
            end = start + len(text)
            if text and not text.isspace():
                examination.look_at(Piece(line, 1, start, end), text, 0)
            start = end + 1
    return examination.result


class _Examination:
    def __init__(self, chunk: Chunk, options: Options, seen: Seen) -> None:
        self.options = options
        self.result = Result(0, 0, [], Counter(), known(), [])
        self.extractors = {"": Extractor(seen)}
        self.sent = sent = chunk.sent
        self.is_item = chunk.first is not None
        self.dialect = chunk.dialect
        # An array in a line, or from a browser, is a request; any other is a file of batches, of any number.
        self.is_request = chunk.pieces is None or sent is not None
        self.around = Circumstances(options.now_ms, options.historical)
        if sent is not None:
            self.around = Circumstances(
                self._time(sent.at_ms), options.historical or sent.endpoint.endswith("/historical"), key=sent.key
            )

    def _time(self, at_ms: int | None) -> int:
        return self.options.now_ms if at_ms is None or self.options.always_now else at_ms

    def look_at(self, piece: Piece, text: bytes, index: int) -> None:
        """Examine a text; `index` is its own if it is an item of an array."""
        decoded = decode(text, None, None, MOST_OF_A_VALUE, None if self.sent else piece)
        value = decoded.value
        if not decoded.readable:
            self.tell(piece, index if self.is_item else PLAIN, decoded.findings, decoded.offsets)
        elif self.is_item:
            if type(value) is dict:
                self._batch(piece, index, value, self.dialect or "standard", self.around)
                self._tell_beside(piece, index, decoded)
            else:
                self.tell(piece, index, [_at_its_position(wrong_item(value, index))])
        elif self.sent is None and type(value) is dict and "batch" in value and _is_exported(value):
            batch = value["batch"]
            dialects.strip(batch, value.get("dialect", ""))
            self._batch(piece, EXPORTED, batch, dialects.detect(batch), self._recorded(value))
            self._tell_beside(piece, EXPORTED, decoded)
        elif self.sent is None and type(value) is dict and not decoded.findings and len(text) <= limits.BATCH_SIZE:
            # Nearly all are so: a request in which there is nothing but the batch to look at.
            self._batch(piece, PLAIN, value, dialects.detect(value), self.around, len(text))
        else:
            self._request(piece, decoded)

    def _request(self, piece: Piece, decoded: Decoded) -> None:
        """What the server would say of a request with this body."""
        findings: list[Finding] = []
        value, sent = decoded.value, self.sent
        bulk = type(value) is list if sent is None else "/bulk" in sent.endpoint
        values = self._batches(value, findings, bulk=bulk)
        size = len(decoded.text)
        if values and size > limits.BATCH_SIZE and (self.is_request or not bulk):
            too_large = check_request(size, len(values))
            findings += [too_large] if too_large else []
        dialect = dialects.detect(values)
        for index, batch in enumerate(values):
            if type(batch) is dict:
                # In bulk, each is measured as its JSON is without blanks, but only where all are large enough together.
                measured = None if bulk and size > limits.BATCH_SIZE else size
                self._batch(piece, index if bulk else PLAIN, batch, dialect, self.around, measured)
        if decoded.findings and values:
            self._tell_beside(piece, None if bulk else PLAIN, decoded)
        elif decoded.findings:
            self.tell(piece, PLAIN, decoded.findings, decoded.offsets)
        for finding in findings:
            self.tell(piece, PLAIN if finding.index is None else finding.index, [_at_its_position(finding)])

    def _batches(self, value: Any, findings: list[Finding], *, bulk: bool) -> list[Any]:
        """The batches of a request, none if it is refused as a whole; adds what is wrong with its shape to `findings`."""
        if not bulk and type(value) is dict:
            return [value]
        if not bulk or type(value) is not list:
            findings.append(wrong_body(value, bulk=bulk))
            return []
        too_many = check_count(len(value)) if self.is_request else None
        wrong = (wrong_item(item, index) for index, item in enumerate(value) if type(item) is not dict)
        findings += [too_many] if too_many else islice(wrong, 1 if self.is_request else MOST_OF_A_CODE)
        return [] if findings and self.is_request else value

    def _recorded(self, exported: dict[str, Any]) -> Circumstances:
        """How a batch was recorded, by the line of the export."""
        historical = any("historical" in str(exported.get(name, ""))[:200] for name in ("source", "path"))
        workspace = exported.get("workspace")
        return Circumstances(
            self._time(exported["received_at_ms"]),
            self.options.historical or historical,
            workspace[:200] if isinstance(workspace, str) and workspace != "default" else "",
            str(exported.get("key") or "")[:1000],
        )

    def _batch(
        self,
        piece: Piece,
        position: int,
        batch: dict[str, Any],
        dialect: str,
        around: Circumstances,
        size: int | None = None,
    ) -> None:
        """Examine one batch. `size` is that of its JSON, None: as without blanks."""
        result = self.result
        result.batches += 1
        events = batch.get("events")
        if type(events) is list:
            result.events += len(events)
        quirks = dialects.translate(batch, dialect)
        # Without a history: `spanning.py` has that of the whole input.
        findings = check(batch, around.now_ms, historical=around.historical)
        if around.historical:
            findings = findings + check_historical(batch, around.now_ms)
        if quirks or findings:
            findings = dialects.told(quirks, findings)
        if size is None and (piece.end - piece.start) * _MOST_GROWTH > limits.BATCH_SIZE:
            size = len(_encode(batch))
        if size is not None and size > limits.BATCH_SIZE:
            too_large = check_size(size, dialect)
            findings = [*findings, too_large] if too_large else findings
        extractor = self.extractors.get(around.workspace) or self._extractor(around.workspace)
        extract = extractor.extract(batch)
        if extract is not None:
            result.extracts.append(Extract(piece, position, extract, around.workspace))
        if "source_request_id" in batch:
            self._know(piece, position, batch, around.key, findings)
        if findings:
            self.tell(piece, position, unwrapped(batch, findings))

    def _extractor(self, workspace: str) -> Extractor:
        """That of a workspace of an export; what its history knows is not told to the workers."""
        extractor = self.extractors[workspace] = Extractor(Seen())
        return extractor

    def _know(self, piece: Piece, position: int, batch: dict[str, Any], key: str, findings: list[Finding]) -> None:
        id = source_request_id(batch)
        if id is None:
            return
        known = self.result.known
        if is_lost(findings):
            known.passing.add(len(known.hashes))
        text = f"{key}\0{id}".encode("utf-8", "surrogatepass")
        known.hashes.append(int.from_bytes(blake2b(text, digest_size=8).digest(), "little"))
        known.lines.append(piece.line)
        known.columns.append(piece.column)
        known.starts.append(piece.start)
        known.ends.append(piece.end)
        known.positions.append(position)

    def _tell_beside(self, piece: Piece, position: int | None, decoded: Decoded) -> None:
        """Tell what decoding found, of the batch at a position; None: of the one to which the pointer leads."""
        offsets = decoded.offsets or [None] * len(decoded.findings)
        for finding, offset in zip(decoded.findings, offsets, strict=True):
            where, at = finding.raw_pointer or "", position
            if at is None:
                at = int(where[1:].partition("/")[0]) if where else PLAIN
            prefix = prefix_of(at, is_item=self.is_item)
            if not f"{where}/".startswith(f"{prefix}/"):
                # Beside the batch, in a line of an export.
                at, prefix = PLAIN, ""
            inside = msgspec.structs.replace(finding, pointer=where.removeprefix(prefix), raw_pointer=None)
            self.tell(piece, at, [inside], [offset])

    def tell(self, piece: Piece, position: int, findings: list[Finding], offsets: Sequence[int | None] = ()) -> None:
        options, groups, told = self.options, self.result.groups, self.result.told
        for number, finding in enumerate(findings):
            for ruled in options.rules.apply([finding]):
                group = group_of(ruled)
                groups[group] += 1
                if groups[group] <= options.of_a_group and len(told) < options.most:
                    told.append(Told(piece, position, ruled, offsets[number] if offsets else None))


def _at_its_position(finding: Finding) -> Finding:
    return msgspec.structs.replace(finding, index=None, raw_pointer=None)


def _is_exported(value: dict[str, Any]) -> bool:
    """Whether this is a line as `mparticle-fake export` writes it, and not a batch with a member `batch`."""
    return isinstance(value.get("batch"), dict) and type(value.get("received_at_ms")) is int


def prefix_of(position: int, *, is_item: bool = False) -> str:
    """The pointer to a batch in its piece, which `is_item` of an array itself, or has it at a position."""
    return "" if is_item or position == PLAIN else "/batch" if position == EXPORTED else f"/{position}"


def group_of(finding: Finding) -> Group:
    """What a finding is counted with."""
    return finding.code, finding.severity, _pattern(finding.pointer)


_INDEX = re.compile(r"/\d+(?=/|$)")
_MAP = re.compile(r"/(user_attributes|custom_attributes|partner_identities|gdpr|event_attributes)/[^/]+")


@lru_cache(4096)
def _pattern(pointer: str) -> str:
    return _MAP.sub(r"/\1/*", _INDEX.sub("/*", pointer))[:200]
