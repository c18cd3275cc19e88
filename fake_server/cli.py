"""The command `mparticle-fake`. Data goes to stdout, messages to stderr; exit status 0 fine, 1 failures, 2 wrong usage.

Everything heavy is imported by the command that needs it, so that `--help` stays quick.
"""

import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from mparticle_fixtures.traffic.command import generate, send
from mparticle_fixtures.traffic.interruption import INTERRUPTED

from .ca import ca
from .demo import demo
from .explain import explain
from .export import export
from .serve import serve
from .tail import tail
from .validate.command import schema, validate
from .verify import verify

_NO_ROOM: Final = {errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}

_SERVER: Final = frozenset({"--url", "--to", "--against"})
"""What names a server: each command has one of them, and they do not resemble each other."""


class _Commands(click.Group):
    """Ends as scripts expect it, also where stdout takes no more, or was never meant for all letters."""

    def main(self, *args: Any, **extra: Any) -> Any:
        # Closed ones (`>&-`) take what there is and lose it, as whoever closed them wants.
        sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115  # until the process ends
        sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115  # until the process ends
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
                # Of a terminal or a file that is not UTF-8: what it lacks is shown as an escape.
                stream.reconfigure(errors="backslashreplace")
        try:
            try:
                return super().main(*args, **extra)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            _drop_stdout()
            sys.exit(1)
        except OSError as error:
            # Commands tell of the files that they write themselves.
            if error.filename is not None or error.errno not in _NO_ROOM:
                raise
            _drop_stdout()
            click.echo(f"Error: stdout cannot be written: {error.strerror or error}.", err=True)
            sys.exit(2)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            params = error.ctx.command.params if error.ctx is not None and error.option_name in _SERVER else []
            own = next((name for param in params for name in param.opts if name in _SERVER), None)
            if own is None:
                raise
            raise click.UsageError(f"No such option '{error.option_name}'. Did you mean '{own}'?", error.ctx) from None
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None


def _drop_stdout() -> None:
    """Let what is left for stdout go nowhere: the interpreter writes it when it ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mparticle-testkit", prog_name="mparticle-fake")
def main() -> None:
    """A fake mParticle: point an SDK at it and see what arrived."""


for command in (ca, demo, explain, export, generate, schema, send, serve, tail, validate, verify):
    main.add_command(command)


def run() -> None:
    """What `mparticle-fake` calls: `main`, after which an interrupted process ends at once.

    The end of an interpreter whose process pool was stopped may wait for it, or complain of what it finds half closed.
    """
    try:
        main()
    except SystemExit as ended:
        if ended.code != INTERRUPTED:
            raise
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(INTERRUPTED)
