"""The report of `validate` for people: findings by kind, with the offending text, and counts. Colours on a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len
from rich.text import Text

from ..checks.finding import SEVERITIES, help_of
from ..words import counted, plain
from .examination import Group
from .report import Report, Shown

_STYLES: Final = {"error": "bold red", "warning": "yellow", "note": "cyan"}
_INDENT: Final = "    "
_FIRST: Final = "The first findings are shown, more with --max."


def text_lines(report: Report) -> Iterator[Text]:
    """The whole report."""
    groups: dict[Group, list[Shown]] = {}
    for shown in report.shown:
        groups.setdefault(shown.group, []).append(shown)
    order = list(reversed(SEVERITIES))
    for group, examples in sorted(groups.items(), key=lambda item: order.index(item[0][1])):  # type: ignore[arg-type]
        yield from _group_lines(examples, report.groups[group])
        yield Text()
    yield from _summary(report, len(groups))


def _group_lines(examples: list[Shown], count: int) -> Iterator[Text]:
    finding = examples[0].finding
    same = len({shown.finding.hint for shown in examples}) == 1
    for shown in examples:
        line = Text(f"{shown.file.name}:{shown.line}:{shown.column}: ", style="bold")
        line.append(finding.severity, style=_STYLES[finding.severity])
        line.append(f" {finding.code}", style="default")
        line.append(f": {_where(shown)}{plain(shown.finding.message, 400)}", style="not bold")
        yield line
        yield from _excerpt_lines(shown)
        # Once where it is the same for all.
        if shown.finding.hint and (shown is examples[-1] or not same):
            yield Text(f"{_INDENT}hint: {plain(shown.finding.hint, 400)}", style="green")
    if count > len(examples):
        yield Text(f"{_INDENT}… and {count - len(examples):,} more like this".replace(",", " "), style="dim")
    yield Text(f"{_INDENT}{help_of(finding.code)}", style="dim")


def _where(shown: Shown) -> str:
    return "" if shown.index is None else f"batch [{shown.index}]: "


def _excerpt_lines(shown: Shown) -> Iterator[Text]:
    around = shown.excerpt
    if not (around.before or around.offending or around.after):
        return
    style = _STYLES[shown.finding.severity]
    line = Text(f"{_INDENT}{around.before}", style="dim")
    line.append(around.offending, style=f"not dim {style}")
    line.append(around.after)
    yield line
    yield Text(f"{_INDENT}{' ' * cell_len(around.before)}{'^' * max(cell_len(around.offending), 1)}", style=style)


def _summary(report: Report, groups: int) -> Iterator[Text]:
    counts = report.by_severity()
    if groups < len(report.groups):
        yield Text(_FIRST, style="dim")
    for severity, code, count in report.by_code():
        line = Text(f"{count:>9} ")
        line.append(f"{severity:<8}", style=_STYLES[severity])
        line.append(code)
        yield line
    for file in report.files:
        if file.skipped:
            yield Text(
                f"{file.name}: {counted(file.skipped, 'request')} skipped: not {'an upload' if file.skipped == 1 else 'uploads'}"
            )
    worst = "error" if report.problems else next((severity for severity, count in counts.items() if count), None)
    yield Text(summary(report), style=_STYLES[worst] if worst else "green")


def summary(report: Report) -> str:
    """One line that counts everything."""
    unread = f"{counted(report.problems, 'input')} could not be used, or not to the end."
    if report.problems == len(report.files) and not report.batches and not report.found:
        # To count no errors would sound as if all were fine.
        return unread
    found = ", ".join(counted(count, severity) for severity, count in report.by_severity().items())
    everything = f"{counted(report.batches, 'batch', 'batches')}, {counted(report.events, 'event')}: {found}."
    return f"{everything} {unread}" if report.problems else everything
