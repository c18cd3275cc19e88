"""What `validate` found, as far as it is shown: the first findings with their places, and counts of all. Filled by `run.py`."""

from collections import Counter
from typing import Final

import msgspec

from ..checks.finding import SEVERITIES, Finding
from ..words import counted, plain
from .chunks import Chunk, Piece
from .examination import Group, Told, group_of, prefix_of
from .places import NAMED, Excerpt, Ruler, Span, Wanted, excerpt, locate
from .sources import STDIN

MOST_GROUPS: Final = 1_000
"""Groups that are told apart; more are counted by code."""


class Shown(msgspec.Struct):
    """A finding with its place: lines and columns from 1, columns in characters.

    `index` is that of the batch in an array, if it was in one.
    """

    file: "FileCounts"
    line: int
    column: int
    index: int | None
    finding: Finding
    excerpt: Excerpt
    group: Group


class FileCounts(msgspec.Struct):
    """What was read of one input; `problem` says why it could not be used, or not to its end."""

    path: str
    number: int
    batches: int = 0
    events: int = 0
    findings: int = 0
    skipped: int = 0
    problem: str | None = None

    @property
    def lacking(self) -> str:
        """What an input without batches does not have."""
        return f"upload of batches among its {counted(self.skipped, 'request')}" if self.skipped else "batches"

    @property
    def name(self) -> str:
        """As it is shown."""
        return "stdin" if self.path == STDIN else plain(self.path, 1_000)


class Report(msgspec.Struct):
    """Everything that a format shows. At most `most` findings are kept, and of each group at most `of_a_group`."""

    most: int
    of_a_group: int
    files: list[FileCounts] = []
    shown: list[Shown] = []
    groups: Counter[Group] = msgspec.field(default_factory=Counter)
    _kept: Counter[Group] = msgspec.field(default_factory=Counter)

    @property
    def batches(self) -> int:
        """Batches that were read."""
        return sum(file.batches for file in self.files)

    @property
    def events(self) -> int:
        """Events in them."""
        return sum(file.events for file in self.files)

    @property
    def problems(self) -> int:
        """Inputs that could not be used, or not to their end."""
        return sum(file.problem is not None for file in self.files)

    @property
    def found(self) -> int:
        """Findings, shown or not."""
        return self.groups.total()

    def by_severity(self) -> dict[str, int]:
        """Counts, from error to note."""
        counts = dict.fromkeys(reversed(SEVERITIES), 0)
        for (_, severity, _), count in self.groups.items():
            counts[severity] += count  # type: ignore[index]
        return {str(severity): count for severity, count in counts.items()}

    def by_code(self) -> list[tuple[str, str, int]]:
        """Severity, code and count: errors first, then the most frequent."""
        counts: Counter[tuple[str, str]] = Counter()
        for (code, severity, _), count in self.groups.items():
            counts[severity, code] += count
        order = list(reversed(SEVERITIES))
        rows = [(severity, code, count) for (severity, code), count in counts.items()]
        return sorted(rows, key=lambda row: (order.index(row[0]), -row[2], row[1]))  # type: ignore[arg-type]

    def add(self, file: FileCounts, chunk: Chunk, told: list[Told], groups: Counter[Group]) -> None:
        """Count findings of a chunk by group, and keep those of `told` that are still to be shown."""
        file.findings += groups.total()
        for group, count in groups.items():
            self.groups[self._group(group)] += count
        kept: list[tuple[Told, Group]] = []
        for one in told:
            if len(self.shown) + len(kept) == self.most:
                break
            group = self._group(group_of(one.finding))
            if self._kept[group] < self.of_a_group:
                self._kept[group] += 1
                kept.append((one, group))
        for (one, group), (line, column, around) in zip(kept, _places(chunk, [one for one, _ in kept]), strict=True):
            index = one.position if one.position >= 0 else None
            self.shown.append(Shown(file, line, column, index, one.finding, around, group))

    def refuse_nothing(self) -> None:
        """Make it a problem of every input if there was nothing to check in any: a broken export must not pass as a good one."""
        if any(file.batches or file.findings or file.problem is not None for file in self.files):
            return
        for file in self.files:
            file.problem = f"has no {file.lacking}, so nothing was checked"

    def sort(self) -> None:
        """Bring what is shown into the order of the inputs."""
        self.shown.sort(key=lambda shown: (shown.file.number, shown.line))

    def _group(self, group: Group) -> Group:
        return group if group in self.groups or len(self.groups) < MOST_GROUPS else (group[0], group[1], "…")


_Place = tuple[int, int, Excerpt]


def _places(chunk: Chunk, told: list[Told]) -> list[_Place]:
    """The places of findings, in their order. Each piece is walked once, however many are in it."""
    by_piece: dict[Piece, list[int]] = {}
    for number, one in enumerate(told):
        by_piece.setdefault(one.piece, []).append(number)
    places: dict[int, _Place] = {}
    for piece, numbers in by_piece.items():
        text = chunk.text[piece.start : piece.end]
        spans = _spans(chunk, text, [told[number] for number in numbers])
        ruler = Ruler(text, piece.line, piece.column)
        for span, number in sorted(zip(spans, numbers, strict=True)):
            if chunk.sent is None:
                ruler.to(span.start)
            # Otherwise the text is a string in the file: its places are not those of the file.
            places[number] = ruler.line, ruler.column, excerpt(text, span)
    return [places[number] for number in range(len(told))]


def _spans(chunk: Chunk, text: bytes, told: list[Told]) -> list[Span]:
    is_item = chunk.first is not None
    wanted = []
    for one in told:
        pointer = one.finding.pointer if one.finding.raw_pointer is None else one.finding.raw_pointer
        wanted.append(Wanted(prefix_of(one.position, is_item=is_item) + pointer, one.finding.code in NAMED))
    spans = locate(text, wanted) if any(one.offset is None for one in told) else [Span(0, 0)] * len(told)
    return [span if one.offset is None else Span(one.offset, one.offset + 1) for one, span in zip(told, spans, strict=True)]
