"""What `validate` found, as far as it is shown: the first findings with their places, and counts of all. Filled by `run.py`."""

from collections import Counter
from typing import Final

import msgspec

from ..checks.finding import SEVERITIES, Finding
from ..terminal import plain
from .chunks import Chunk
from .examination import Group, Told, group_of, place_of, prefix_of
from .places import NAMED, Excerpt, Span, excerpt, line_and_column, locate
from .sources import STDIN

MOST_GROUPS: Final = 1_000
"""Groups that are told apart; more are counted by code."""


class Shown(msgspec.Struct):
    """A finding with its place: lines and columns from 1, columns in characters.

    `index` is that of the batch in a bulk request, if it was one.
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
        for one in told:
            if len(self.shown) == self.most:
                break
            group = self._group(group_of(one.finding))
            if self._kept[group] < self.of_a_group:
                self._kept[group] += 1
                line, column, around = _place(chunk, one)
                index = one.position if one.position >= 0 else None
                self.shown.append(Shown(file, line, column, index, one.finding, around, group))

    def wants(self, group: Group) -> bool:
        """Whether one more finding of a group would be shown."""
        return len(self.shown) < self.most and self._kept[self._group(group)] < self.of_a_group

    def sort(self) -> None:
        """Bring what is shown into the order of the inputs."""
        self.shown.sort(key=lambda shown: (shown.file.number, shown.line))

    def _group(self, group: Group) -> Group:
        return group if group in self.groups or len(self.groups) < MOST_GROUPS else (group[0], group[1], "…")


def _place(chunk: Chunk, told: Told) -> tuple[int, int, Excerpt]:
    piece, finding = told.piece, told.finding
    text = chunk.text[piece.start : piece.end]
    at = place_of(finding)
    if at is not None:
        span = Span(at, at + 1)
    elif not text:
        span = Span(0, 0)
    else:
        span = _span(text, told)
    if piece.endpoint:
        # The text is a string in the file: its places are not those of the file.
        return piece.line, piece.column, excerpt(text, span)
    line, column = line_and_column(text, span.start)
    return piece.line + line - 1, column + piece.column - 1 if line == 1 else column, excerpt(text, span)


def _span(text: bytes, told: Told) -> Span:
    finding = told.finding
    pointer = finding.pointer if finding.raw_pointer is None else finding.raw_pointer
    return locate(text, prefix_of(told.position) + pointer, name=finding.code in NAMED)
