"""The command `export`: what a running fake has recorded, as NDJSON."""

import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from .asking import MOST_HINT, LocalFile, asking, filters_argument, parameters_of, token_option, url_option


@click.command()
@url_option
@token_option
@click.option(
    "--output",
    "-o",
    default="-",
    type=LocalFile("The server to ask is named with --url.", path_type=str, dir_okay=False),
    help="File, or - for stdout.",
)
@filters_argument
def export(url: str, token: str | None, output: str, filters: tuple[str, ...]) -> None:
    """Write what was recorded as NDJSON, a batch a line.

    POST it to /_fake/import to add it to what a server has recorded.
    """
    parameters = parameters_of(filters)
    with asking(url, token, "/_fake/batches", parameters, "application/x-ndjson") as answer:
        count = 0
        with _writing(output) as file:
            for chunk in answer.iter_content(65_536):
                file.write(chunk)
                count += chunk.count(b"\n")
    from .words import counted, plain

    click.echo(f"Exported {counted(count, 'batch', 'batches')}.", err=True)
    if hint := answer.headers.get("X-Fake-Hint"):
        click.echo(plain(hint, MOST_HINT), err=True)


@contextmanager
def _writing(output: str) -> Iterator[IO[bytes]]:
    """stdout; or a file that gets its name only when it is whole; or a pipe or a device."""
    if output == "-":
        # What fails there is told as by every command.
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        if Path(output).exists() and not Path(output).is_file():
            with Path(output).open("wb") as file:
                yield file
            return
        # Where a link points to, so that the link stays one.
        target = Path(output).resolve()
        part = target.with_name(f"{target.name[:200]}.{secrets.token_hex(4)}.part")
        with part.open("xb") as file:
            try:
                yield file
                file.close()
                if target.exists():
                    shutil.copymode(target, part)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        from requests import RequestException

        # Every exception of requests is an OSError too: that one is the server's.
        if isinstance(error, RequestException):
            raise
        folder = Path(output).parent
        reason = error.strerror or error
        if isinstance(error, FileNotFoundError) and not folder.is_dir():
            reason = f"there is no directory {folder}"
        raise click.ClickException(f"{output} cannot be written: {reason}.") from error
