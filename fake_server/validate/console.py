"""What `validate` does with the terminal: progress, the report on stdout, problems on stderr, the exit status.

What only some runs need is imported by them, so that small files are quick.
"""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.console import Console

from ..checks.finding import SEVERITIES
from .report import Report
from .sources import sizes
from .text import text_lines

SHOWN_FROM: Final = 8 << 20
"""Bytes of input from which progress is shown."""


def is_piped() -> bool:
    """Whether somebody means stdin to be read: a pipe or a file, and neither a terminal nor /dev/null."""
    if sys.stdin is None:
        return False
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        # No file of the system: a test put it there.
        return not sys.stdin.closed and not sys.stdin.isatty()
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


@contextmanager
def progress(paths: list[str]) -> Iterator[Callable[[int], None]]:
    """A function to tell how many bytes were read; on a terminal it draws a bar."""
    total = sizes(paths) if sys.stderr.isatty() else 0
    if total is not None and total < SHOWN_FROM:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("Checking"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    # Drawn between chunks: a thread of its own would stand in the way of forks.
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        task = bar.add_task("", total=total)

        def advance(read: int) -> None:
            bar.update(task, completed=read, refresh=True)

        yield advance


def write(report: Report, form: str) -> None:
    """The report on stdout, in one of the formats; what could not be read on stderr."""
    if form == "text":
        console = Console(highlight=False, soft_wrap=True)
        for line in text_lines(report):
            console.print(line)
    else:
        from .formats import FORMATS

        click.echo(FORMATS[form](report), nl=False)
    for file in report.files:
        if file.problem is not None:
            click.echo(f"Error: {file.name} {file.problem}.", err=True)
        elif not file.batches and not file.findings:
            click.echo(f"Note: {file.name} has no {file.lacking}.", err=True)


def exit_status(report: Report, fail_on: str) -> int:
    """2 if an input cannot be used, 1 if there are findings as severe as `fail_on`, else 0."""
    if report.problems:
        return 2
    at_least = SEVERITIES[SEVERITIES.index(fail_on) :]
    return int(any(count and severity in at_least for severity, count in report.by_severity().items()))
