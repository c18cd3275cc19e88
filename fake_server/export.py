"""The command `export`: what a running fake has recorded, as NDJSON."""

import gzip
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Final, cast

import click

from .asking import MOST_HINT, LocalFile, UnreachableError, asking, filters_argument, parameters_of, token_option, url_option

NDJSON: Final = "application/x-ndjson"

LEVEL: Final = 3
"""Of gzip's nine, as `generate` has it."""

_PART_NAME: Final = 200
"""Bytes of its file's name that a part has in its own: systems take 255."""

MOST_ASKED: Final = "1000"
"""Batches of a page: more than an answer in NDJSON holds back to send them together."""


@click.command()
@url_option
@token_option
@click.option(
    "--output",
    "-o",
    default="-",
    type=LocalFile("The server to ask is named with --url.", path_type=str, dir_okay=False),
    help="File, compressed if it ends with .gz; or - for stdout.",
)
@filters_argument
def export(url: str, token: str | None, output: str, filters: tuple[str, ...]) -> None:
    """Write what was recorded as NDJSON, a batch a line.

    POST it to /_fake/import to add it to what a server has recorded.
    """
    parameters = parameters_of(filters)
    count = 0
    lines = Lines()
    try:
        with asking(url, token, "/_fake/batches", parameters, NDJSON) as answer, _writing(output) as file:
            for chunk in answer.iter_content(65_536):
                file.write(chunk)
                count += chunk.count(b"\n")
                lines.add(chunk)
    except UnreachableError as error:
        raise why(error, url, token, parameters, lines.last) from error
    from .words import counted, plain

    click.echo(f"Exported {counted(count, 'batch', 'batches')}.", err=True)
    if hint := answer.headers.get("X-Fake-Hint"):
        click.echo(plain(hint, MOST_HINT), err=True)


class Lines:
    """Chunks of NDJSON that arrive: `last` is the last line that is whole, empty before there is one."""

    def __init__(self) -> None:
        self.last = self._rest = b""

    def add(self, chunk: bytes) -> None:
        """Take in what comes next."""
        whole, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        if newline:
            self.last = whole[whole.rfind(b"\n") + 1 :]


def why(
    error: UnreachableError, url: str, token: str | None, parameters: list[tuple[str, str]], last: bytes
) -> click.ClickException:
    """What a server says to who asks again, after the `last` batch of an answer that broke off; `error` if it says nothing.

    A store may turn out damaged when the status was sent; that of a page is sent when the page is whole.
    """
    if not last:
        return error
    import msgspec

    asked = [pair for pair in parameters if pair[0] not in ("after", "limit")]
    try:
        asked += [("after", str(msgspec.json.decode(last)["id"])), ("limit", MOST_ASKED)]
        with asking(url, token, "/_fake/batches", asked, "application/json") as answer:
            answer.raw.read()
    except UnreachableError:
        return error
    except click.ClickException as told:
        return told
    except (msgspec.DecodeError, TypeError, KeyError):
        return error  # No fake, then.
    return error


@contextmanager
def _writing(output: str) -> Iterator[IO[bytes]]:
    """stdout; or a file that gets its name only when it is whole; or a pipe or a device. What ends with .gz is compressed."""
    if output == "-":
        # What fails there is told as by every command.
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        if Path(output).exists() and not Path(output).is_file():
            with Path(output).open("wb") as file, _compressed(file, output) as sink:
                yield sink
            return
        # Where a link points to, so that the link stays one.
        target = Path(output).resolve()
        # A letter in the middle of which the name is cut is left out.
        name = os.fsencode(target.name)[:_PART_NAME].decode(errors="ignore")
        part = target.with_name(f"{name}.{secrets.token_hex(4)}.part")
        with part.open("xb") as file:
            try:
                with _compressed(file, output) as sink:
                    yield sink
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


def _compressed(file: IO[bytes], output: str) -> AbstractContextManager[IO[bytes]]:
    if not output.endswith(".gz"):
        return nullcontext(file)
    # Without a name or a time in it, as `generate` writes them.
    return cast("IO[bytes]", gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=file, mtime=0))
