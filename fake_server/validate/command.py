"""The commands `validate` and `schema`, which need no server. Whatever is heavy is imported when they run."""

import json
import os
import re
import sys
import time
from typing import Any

import click

from ..asking import LocalFile


class _Moment(click.ParamType[int]):
    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from datetime import UTC, datetime

        if isinstance(value, int):
            return value
        try:
            if re.fullmatch("[0-9]{1,16}", value):
                return int(value)
            moment = datetime.fromisoformat(value)
            return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither milliseconds since 1970 nor a time such as 2026-01-31T12:00:00Z.", param, ctx)


@click.command()
@click.argument(
    "files",
    nargs=-1,
    metavar="[FILE]...",
    type=LocalFile(
        "What a fake has received: `mparticle-fake export --url URL | mparticle-fake validate -`; what another server has: "
        "`curl -s URL | mparticle-fake validate -`.",
        path_type=str,
    ),
)
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    type=click.Choice(["text", "json", "github", "junit", "sarif"]),
    help="For people, or for CI.",
)
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave out findings of this code. May be repeated.")
@click.option("--error", multiple=True, metavar="CODE", help="Make findings of this code errors. May be repeated.")
@click.option(
    "--fail-on",
    default="error",
    show_default=True,
    type=click.Choice(["error", "warning", "note"]),
    help="What makes the exit status 1.",
)
@click.option("--max", "most", type=click.IntRange(1), help="Findings shown; all are counted.  [default: 50 in text, else 10000]")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that check big files.  [default: the number of cores]")
@click.option("--historical", is_flag=True, help="Check for /v2/bulkevents/historical: what is older than 72 hours.")
@click.option(
    "--now",
    "now_ms",
    type=_Moment(),
    help="The time that timestamps are held against.  [default: when a batch was received if the file says so, else the clock's]",
)
def validate(
    files: tuple[str, ...],
    form: str,
    fail_on: str,
    most: int | None,
    workers: int | None,
    now_ms: int | None,
    **judged: Any,
) -> None:
    """Check batches in files, without a server.

    A FILE holds NDJSON (a batch a line, also as `export` writes them), one batch, an array of batches, or a HAR export of a
    browser; it may be compressed with gzip, or be a directory of shards that `generate` wrote; - is stdin, which is also read if
    no FILE is named and something is piped in.

    Exit status: 0 nothing to mend, 1 there are errors, 2 a file cannot be used, or no file has batches, 130 after Ctrl-C.
    """
    from ..checks.rules import RuleError, Rules
    from . import console
    from .examination import Options
    from .run import run
    from .sources import STDIN, expanded
    from .workers import WorkerError

    try:
        rules = Rules.parse(judged["ignore"], judged["error"])
    except RuleError as wrong:
        raise click.UsageError(str(wrong)) from wrong
    if not files and not console.is_piped():
        raise click.UsageError("Missing argument '[FILE]...': name files, or pipe batches in.")
    paths = expanded(list(files)) or [STDIN]
    as_text = form == "text"
    options = Options(
        now_ms=now_ms if now_ms is not None else time.time_ns() // 1_000_000,
        rules=rules,
        of_a_group=3 if as_text else sys.maxsize,
        most=most or (50 if as_text else 10_000),
        always_now=now_ms is not None,
        historical=judged["historical"],
    )
    try:
        with console.progress(paths) as progress:
            report = run(paths, options, workers or min(os.cpu_count() or 1, 8), progress)
    except WorkerError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(2) from error
    if not files and not report.batches and not report.found and not report.problems:
        raise click.UsageError("Nothing came from stdin, and no FILE is named.")
    report.refuse_nothing()
    console.write(report, form)
    raise SystemExit(console.exit_status(report, fail_on))


@click.command()
@click.argument("name", required=False)
@click.option("--bundle", is_flag=True, help="One document that needs no other, for tools that take a schema.")
def schema(name: str | None, bundle: bool) -> None:
    """Print the JSON Schema of the batch.

    All documents as one JSON object by name, the document NAME (for example product), or with --bundle one that holds all.
    """
    from .. import schemas

    documents = {file.removesuffix(".json"): document for file, document in schemas.load().items()}
    if name is None:
        found: Any = schemas.bundle() if bundle else documents
    elif bundle:
        raise click.UsageError("--bundle prints all documents in one: leave NAME out.")
    else:
        found = documents.get(name.removesuffix(".json"))
    if found is None:
        raise click.BadParameter(f"{name!r} is none of {', '.join(documents)}.", param_hint="NAME")
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
