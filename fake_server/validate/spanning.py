"""What spans batches, whichever worker read them: duplicates, and a workspace's history. Called by `run.py`."""

from collections import Counter
from typing import Final

from ..checks.finding import Finding, make
from ..checks.rules import Rules
from ..decoding import decode
from ..intake import source_request_id
from .chunks import MOST_OF_A_DOCUMENT, Chunk, Piece
from .examination import PLAIN, Extract, Group, Known, Result, Told, group_of, prefix_of
from .extracts import Followed, Seen
from .report import FileCounts, Report

REMEMBERED: Final = 250_000
"""Ids among which duplicates are surely found; up to twice as many are kept, at some 110 bytes each."""

_LINE_BITS: Final = 40


class Spanning:
    """The history of the whole input, and its ids: as hashes of 64 bits, with the places where each was first."""

    def __init__(self, report: Report, rules: Rules) -> None:
        self._report = report
        self._rules = rules
        self._history = Followed()
        self._recent: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def seen(self) -> Seen:
        """What the next chunk has to know of those before it."""
        return self._history.seen()

    def look_at(self, file: FileCounts, chunk: Chunk, result: Result) -> None:
        """Remember what was in a chunk, and report what does not go with what came before."""
        if result.extracts:
            self._follow(file, chunk, result.extracts)
        if result.known.hashes:
            self._remember(file, chunk, result.known)

    def _follow(self, file: FileCounts, chunk: Chunk, extracts: list[Extract]) -> None:
        told: list[Told] = []
        groups: Counter[Group] = Counter()
        for piece, index, batch in extracts:
            for finding in self._rules.apply(self._history.check(batch)):
                group = group_of(finding)
                groups[group] += 1
                if len(told) < self._report.most and groups[group] <= self._report.of_a_group:
                    told.append(Told(piece, index, finding))
        self._report.add(file, chunk, told, groups)

    def _remember(self, file: FileCounts, chunk: Chunk, known: Known) -> None:
        places = [file.number << _LINE_BITS | line for line in known.lines]
        hashes = set(known.hashes)
        if (
            len(hashes) == len(places)
            and not known.passing
            and self._recent.keys().isdisjoint(hashes)
            and self._before.keys().isdisjoint(hashes)
        ):
            self._recent.update(zip(known.hashes, places, strict=True))
        else:
            self._one_by_one(file, chunk, known, places)
        if len(self._recent) >= REMEMBERED:
            self._before, self._recent = self._recent, {}

    def _one_by_one(self, file: FileCounts, chunk: Chunk, known: Known, places: list[int]) -> None:
        told: list[Told] = []
        groups: Counter[Group] = Counter()
        for position, (id, place) in enumerate(zip(known.hashes, places, strict=True)):
            first = self._recent.get(id, self._before.get(id))
            if first is None:
                if position not in known.passing:
                    self._recent[id] = place
                continue
            for finding in self._rules.apply([self._finding(first, "")]):
                group = group_of(finding)
                groups[group] += 1
                # Reads the batch again, so only for what is shown.
                if len(told) < self._report.most and groups[group] <= self._report.of_a_group:
                    piece = Piece(known.lines[position], 1, known.starts[position], known.ends[position])
                    sent = _id(chunk.text[piece.start : piece.end], known.positions[position])
                    told += [
                        Told(piece, known.positions[position], one) for one in self._rules.apply([self._finding(first, sent)])
                    ]
        self._report.add(file, chunk, told, groups)

    def _finding(self, first: int, id: str) -> Finding:
        file, line = self._report.files[first >> _LINE_BITS], first & (1 << _LINE_BITS) - 1
        return make(
            "duplicate_batch",
            f"source_request_id {id[:80]!r} was sent before, with the batch at {file.name}:{line}.",
            pointer="/source_request_id",
            hint="Give every batch its own source_request_id; keep it only when you send the same batch again.",
        )


def _id(text: bytes, index: int) -> str:
    value = decode(text, None, None, MOST_OF_A_DOCUMENT).value
    if index != PLAIN:
        step = prefix_of(index)[1:]
        value = value[int(step) if isinstance(value, list) else step]
    return source_request_id(value) or ""
