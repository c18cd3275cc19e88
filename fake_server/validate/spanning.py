"""What spans batches, whichever worker read them: duplicates, and a workspace's history. Called by `run.py`."""

from collections import Counter
from typing import Any, Final

from ..checks.finding import Finding
from ..checks.request import repeated
from ..checks.rules import Rules
from ..decoding import decode
from ..intake import source_request_id
from .chunks import Chunk, Piece
from .documents import MOST_OF_A_VALUE
from .examination import Extract, Group, Known, Result, Told, group_of, prefix_of
from .extracts import Followed, Seen
from .report import FileCounts, Report

REMEMBERED: Final = 250_000
"""Ids among which duplicates are surely found; up to twice as many are kept, at some 110 bytes each."""

MOST_WORKSPACES: Final = 1000
"""Workspaces of an export that are told apart; the rest is taken for one."""

_LINE_BITS: Final = 40
_FILE_BITS: Final = 24


class Spanning:
    """The history of the whole input, and its ids: as hashes of 64 bits, with the places where each was first."""

    def __init__(self, report: Report, rules: Rules) -> None:
        self._report = report
        self._rules = rules
        self._histories = {"": Followed()}
        self._recent: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def seen(self) -> Seen:
        """What the next chunk has to know of those before it."""
        return self._histories[""].seen()

    def look_at(self, file: FileCounts, chunk: Chunk, result: Result) -> None:
        """Remember what was in a chunk, and report what does not go with what came before."""
        dropped = self._remember(file, chunk, result.known) if result.known.hashes else set()
        if result.extracts:
            self._follow(file, chunk, result.extracts, dropped)

    def _follow(self, file: FileCounts, chunk: Chunk, extracts: list[Extract], dropped: set[tuple[int, int]]) -> None:
        told: list[Told] = []
        groups: Counter[Group] = Counter()
        for piece, index, batch, workspace in extracts:
            history = self._history_of(workspace)
            for finding in self._rules.apply(history.follow(batch, dropped=(piece.start, index) in dropped)):
                group = group_of(finding)
                groups[group] += 1
                if len(told) < self._report.most and groups[group] <= self._report.of_a_group:
                    told.append(Told(piece, index, finding))
        self._report.add(file, chunk, told, groups)

    def _history_of(self, workspace: str) -> Followed:
        history = self._histories.get(workspace)
        if history is None:
            name = workspace if len(self._histories) < MOST_WORKSPACES else "…"
            history = self._histories.setdefault(name, Followed())
        return history

    def _remember(self, file: FileCounts, chunk: Chunk, known: Known) -> set[tuple[int, int]]:
        """Remember the ids of a chunk; returns where the batches are that mParticle drops, for whatever reason."""
        dropped: set[tuple[int, int]] = {(known.starts[at], known.positions[at]) for at in known.passing}
        places = [file.number << _LINE_BITS | line for line in known.lines]
        if any(position >= 0 for position in known.positions):
            places = [
                max(position + 1, 0) << _FILE_BITS + _LINE_BITS | place
                for position, place in zip(known.positions, places, strict=True)
            ]
        hashes = set(known.hashes)
        if (
            len(hashes) == len(places)
            and not known.passing
            and self._recent.keys().isdisjoint(hashes)
            and self._before.keys().isdisjoint(hashes)
        ):
            self._recent.update(zip(known.hashes, places, strict=True))
        else:
            dropped |= self._one_by_one(file, chunk, known, places)
        if len(self._recent) >= REMEMBERED:
            self._before, self._recent = self._recent, {}
        return dropped

    def _one_by_one(self, file: FileCounts, chunk: Chunk, known: Known, places: list[int]) -> set[tuple[int, int]]:
        """Tell of duplicates; returns where they are."""
        duplicates: set[tuple[int, int]] = set()
        told: list[Told] = []
        groups: Counter[Group] = Counter()
        ids = _Ids()
        for position, (id, place) in enumerate(zip(known.hashes, places, strict=True)):
            first = self._recent.get(id, self._before.get(id))
            if first is None:
                if position not in known.passing:
                    self._recent[id] = place
                continue
            duplicates.add((known.starts[position], known.positions[position]))
            for finding in self._rules.apply([self._finding(first, "")]):
                group = group_of(finding)
                groups[group] += 1
                # Reads the batch again, so only for what is shown.
                if len(told) < self._report.most and groups[group] <= self._report.of_a_group:
                    piece = Piece(known.lines[position], known.columns[position], known.starts[position], known.ends[position])
                    sent = ids.of(chunk, piece, known.positions[position])
                    told += [
                        Told(piece, known.positions[position], one) for one in self._rules.apply([self._finding(first, sent)])
                    ]
        self._report.add(file, chunk, told, groups)
        return duplicates

    def _finding(self, first: int, id: str) -> Finding:
        line, file = first & (1 << _LINE_BITS) - 1, first >> _LINE_BITS & (1 << _FILE_BITS) - 1
        index = (first >> _FILE_BITS + _LINE_BITS) - 1
        which = "the batch" if index < 0 else f"batch [{index}]"
        return repeated(id, f"before, with {which} at {self._report.files[file].name}:{line}")


class _Ids:
    """Reads ids in pieces again; of a piece with many batches only once."""

    def __init__(self) -> None:
        self._piece: Piece | None = None
        self._value: Any = None

    def of(self, chunk: Chunk, piece: Piece, position: int) -> str:
        """The source_request_id of the batch at a position."""
        if piece != self._piece:
            self._piece = piece
            self._value = decode(chunk.text[piece.start : piece.end], None, None, MOST_OF_A_VALUE).value
        value = self._value
        prefix = prefix_of(position, is_item=chunk.first is not None)
        if prefix:
            value = value[int(prefix[1:])] if isinstance(value, list) else value[prefix[1:]]
        return source_request_id(value) or ""
