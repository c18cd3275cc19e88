"""The command `mparticle-fake`. Data goes to stdout, messages to stderr; exit status 0 fine, 1 failures, 2 wrong usage.

Everything heavy is imported by the command that needs it, so that `--help` stays quick.
"""

import json
import re
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import click

from mparticle_fixtures.traffic.command import generate, send

from .asking import UnreachableError, asking, called
from .ca import ca
from .demo import demo
from .snippets import CLIENTS, snippet
from .validate.command import schema, validate
from .verify import verify

if TYPE_CHECKING:
    import requests

    from .server import FakeServer

DEFAULT_URL: Final = "http://127.0.0.1:8080"
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0
"""Seconds between two attempts to reach a server that has ended a stream; each pause is twice the one before."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mparticle-testkit", prog_name="mparticle-fake")
def main() -> None:
    """A fake mParticle: point an SDK at it and see what arrived."""


main.add_command(ca)
main.add_command(demo)
main.add_command(generate)
main.add_command(schema)
main.add_command(send)
main.add_command(validate)
main.add_command(verify)


def _check_token(_: click.Context, __: click.Parameter, token: str | None) -> str | None:
    if token is not None and not re.fullmatch("[!-~]+", token):
        raise click.BadParameter("expected one or more ASCII characters without spaces.")
    return token


# -- serve -----------------------------------------------------------------------------------------------------------------


class _Credential(click.ParamType[tuple[str, str, str]]):
    name = "KEY:SECRET[@WORKSPACE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str, str]:
        if isinstance(value, tuple):
            return value
        pair, at, workspace = str(value).rpartition("@")
        if not at:
            pair, workspace = workspace, "default"
        key, colon, secret = pair.partition(":")
        if not (key and colon and secret and workspace):
            self.fail("expected KEY:SECRET or KEY:SECRET@WORKSPACE, for example my-key:my-secret@shop.", param, ctx)
        return key, secret, workspace


def _check_names(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return names
    from .tls import normal_name

    try:
        return tuple(normal_name(name) for name in names)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option(
    "--mode",
    default="faithful",
    show_default=True,
    type=click.Choice(["faithful", "strict", "lenient"]),
    help="Answer as production does; refuse every error with 400; or take everything.",
)
@click.option(
    "--store",
    metavar="memory|sqlite:///FILE",
    help="Where to record.  [default: a SQLite file in the user's state directory]",
)
@click.option(
    "--keep", default=100_000, show_default=True, type=click.IntRange(1), help="Batches kept; older ones are forgotten."
)
@click.option(
    "--credential",
    "credentials",
    multiple=True,
    type=_Credential(),
    help="An input, of the workspace 'default' unless named. May be repeated.",
)
@click.option("--known-keys-only", is_flag=True, help="Refuse keys that no --credential names; else they are all taken.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave out findings of this code. May be repeated.")
@click.option("--error", multiple=True, metavar="CODE", help="Make findings of this code errors. May be repeated.")
@click.option("--seed", default=0, show_default=True, type=int, help="Of the mpids that are made.")
@click.option("--max-body", default=2_000_000, show_default=True, type=click.IntRange(1), help="Bytes; larger bodies get 413.")
@click.option(
    "--token",
    envvar="MPARTICLE_FAKE_TOKEN",
    callback=_check_token,
    help="Whoever asks the inspect API has to give it.  [default: none on loopback, else a random one]",
)
@click.option(
    "--tls", is_flag=True, help="Serve HTTPS too, on a port of its own; 'mparticle-fake ca' has what clients must trust."
)
@click.option(
    "--tls-port", type=click.IntRange(0, 65535), help="Port of HTTPS, implies --tls; 0 takes a free one.  [default: 8443]"
)
@click.option(
    "--tls-name",
    "tls_names",
    multiple=True,
    callback=_check_names,
    metavar="NAME",
    help="Another address or host name of this machine that the certificate is for; implies --tls. May be repeated.",
)
@click.option(
    "--snippet",
    "client",
    type=click.Choice(CLIENTS),
    metavar="CLIENT",
    help=f"Print the configuration of this SDK for this server: {', '.join(CLIENTS)}.",
)
@click.option("--tail/--no-tail", default=None, help="Print what arrives.  [default: on a terminal]")
def serve(
    host: str,
    port: int,
    mode: str,
    store: str | None,
    keep: int,
    credentials: tuple[tuple[str, str, str], ...],
    known_keys_only: bool,
    ignore: tuple[str, ...],
    error: tuple[str, ...],
    max_body: int,
    seed: int,
    token: str | None,
    tls: bool,
    tls_port: int | None,
    tls_names: tuple[str, ...],
    client: str | None,
    tail: bool | None,
) -> None:
    """Serve until Ctrl-C."""
    from .checks.rules import RuleError
    from .recording import StoreError
    from .server import AddressInUseError, FakeServer, ServerError
    from .workspaces import WorkspaceError, check_mode

    if store is None:
        store = _default_store()
    elif store != "memory" and (not store.startswith("sqlite:///") or store == "sqlite:///"):
        example = "sqlite:///fake.db" if "://" in store or not store.strip("/") else f"sqlite:///{store}"
        raise click.BadParameter(
            f"{store!r} is neither 'memory' nor 'sqlite:///FILE', for example {example}.", param_hint="--store"
        )
    if known_keys_only and not credentials:
        raise click.UsageError("--known-keys-only would refuse every upload; name an input with --credential.")
    try:
        server = FakeServer(
            host,
            port,
            mode=check_mode(mode),
            store=store,
            keep=keep,
            credentials=credentials,
            unknown_keys=not known_keys_only,
            ignore=ignore,
            error=error,
            max_body=max_body,
            seed=seed,
            token=token,
            tls=tls or tls_port is not None or bool(tls_names),
            # Whoever leaves one port to chance does so with the other.
            tls_port=tls_port if tls_port is not None else 8443 if port else 0,
            tls_names=tls_names,
        )
    except RuleError as wrong:
        raise click.UsageError(str(wrong)) from wrong

    def started() -> None:
        _welcome(server, store, credentials, client, token_is_given=token is not None)
        if tail if tail is not None else sys.stderr.isatty():
            from .arrivals import print_arrivals

            print_arrivals(server)

    try:
        server.run(started)
    except AddressInUseError as failure:
        option = "--tls-port" if failure.port != server.port else "--port (make serve PORT=…)"
        raise click.ClickException(f"{str(failure).removesuffix('.')} with {option}.") from failure
    except (ServerError, StoreError, WorkspaceError) as failure:
        raise click.ClickException(str(failure)) from failure
    click.echo("Stopped.", err=True)


def _default_store() -> str:
    from .tls import state_directory

    try:
        directory = state_directory()
    except OSError as error:
        raise click.ClickException(
            f"The state directory cannot be made: {error}. Name a store with --store memory or --store sqlite:///FILE."
        ) from error
    return f"sqlite:///{directory / 'fake.db'}"


_HELLO = (
    '{"environment":"development","user_identities":{"customer_id":"c1"},'
    '"events":[{"event_type":"custom_event","data":{"event_name":"Hello","custom_event_type":"other"}}]}'
)


def _welcome(
    server: "FakeServer",
    store: str,
    credentials: tuple[tuple[str, str, str], ...],
    client: str | None,
    *,
    token_is_given: bool,
) -> None:
    others = [client for client in CLIENTS if client != "python"]
    # Not server.url, which has loopback in place of 0.0.0.0 and ::.
    host = f"[{server.host}]" if ":" in server.host else server.host
    address = f"http://{host}:{server.port}" + (f" and https://{host}:{server.tls_port}" if server.has_tls else "")
    user = f"{credentials[0][0]}:YOUR_SECRET" if credentials else "key:secret"
    query = f"?token={quote(server.token, safe='')}" if server.token else ""
    batches = f"{server.url}/_fake/batches{query}"
    tail = f"{called()} tail --url {shlex.quote(server.url)}" + (f" --token {shlex.quote(server.token)}" if server.token else "")
    lines = [f"The fake mParticle serves on {address} (Ctrl-C stops it).", f"  recording     {store}"]
    if span := _kept_before(server):
        lines.append(f"                requests {span} are there from before; to forget them: curl -X DELETE '{batches}'")
    lines.append(f"  credentials   {'as given with --credential' if credentials else 'any key and secret'}")
    if server.token:
        why = "" if token_is_given else "others can reach this address, so "
        lines.append(f"  token         {server.token}   ({why}the inspect API asks for it)")
    if server.has_tls:
        lines.append(f"  https         for clients that trust its CA: {called()} ca")
    lines.append(f"""\
Try, in another terminal:
  curl -i -u {shlex.quote(user)} {shlex.quote(f"{server.url}/v2/events")} -d '{_HELLO}'
  curl '{batches}'
  {tail}
The official Python SDK:
  configuration.host = '{server.url}/v2'
Other SDKs ({", ".join(others)}), their configuration to paste:
  curl '{server.url}/_fake/snippet/{others[0]}{query}'
""")
    if client is not None:
        key = credentials[0][0] if credentials else "my-key"
        lines.append(snippet(client, server.url, key, "my-secret", server.tls_url if server.has_tls else None))
    click.echo("\n".join(lines), err=True)


def _kept_before(server: "FakeServer") -> str | None:
    """The ids of the requests that the store had already, as `1 to 9`."""
    from .recording import StoreError

    recorder = server.intake.recorder
    newest = recorder.last_id()
    # A damaged store tells its fault to whoever reads it.
    with suppress(StoreError):
        for oldest in recorder.requests():
            return f"{oldest.id} to {newest}"
    return None


# -- asking a running server -----------------------------------------------------------------------------------------------


def _check_url(_: click.Context, __: click.Parameter, url: str) -> str:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        known = False
    if not known:
        raise click.BadParameter(f"{url!r} does not begin with http:// or https:// and a host, for example {DEFAULT_URL}.")
    return url.rstrip("/")


_url = click.option(
    "--url",
    default=DEFAULT_URL,
    show_default=True,
    envvar="MPARTICLE_FAKE_URL",
    callback=_check_url,
    help="The server to ask.",
)
_token = click.option(
    "--token", envvar="MPARTICLE_FAKE_TOKEN", callback=_check_token, help="The token that the server printed, if it wants one."
)
_filters = click.argument("filters", nargs=-1, metavar="[NAME=VALUE]...")


@main.command()
@_url
@_token
@click.option("--after", help="Begin after this id instead of now; 0 shows everything that is kept.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON, as in a pipe.")
@_filters
def tail(url: str, token: str | None, after: str | None, as_json: bool, filters: tuple[str, ...]) -> None:
    """Show batches as they arrive.

    On a terminal coloured lines, in a pipe NDJSON. If the server stops, its next start is waited for.

    NAME=VALUE filters, for example: event_name=purchase workspace=shop identity=customer_id:c1 data.currency_code=EUR
    """
    as_json = as_json or not sys.stdout.isatty()
    parameters = _parameters(filters)
    if after is not None:
        parameters.append(("after", after))
    from rich.console import Console

    from .terminal import batch_lines, print_lines, request_lines

    out = Console(highlight=False)
    messages = Console(stderr=True, highlight=False)
    with suppress(KeyboardInterrupt):
        for kind, data in _followed(url, token, parameters):
            if kind == "forgotten":
                gap = json.loads(data)
                click.echo(f"Requests {gap['after']} to {gap['before']} were forgotten before they could be shown.", err=True)
            elif kind == "error":
                click.echo(f"Error: {json.loads(data)['message']}", err=True)
            elif kind == "request":
                print_lines(messages if as_json else out, request_lines(json.loads(data)))
            elif as_json:
                click.echo(data)
            else:
                print_lines(out, batch_lines(json.loads(data)))


def _followed(url: str, token: str | None, parameters: list[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    """Kind and data of server-sent events, without end: a server that goes is waited for, and resumed after the last."""
    last = ""
    pause = FIRST_PAUSE
    found = lost = False
    while True:
        try:
            with asking(url, token, "/_fake/stream", parameters, "text/event-stream", last) as answer:
                began = time.monotonic()
                if lost:
                    click.echo(f"{url} answers again.", err=True)
                elif sys.stderr.isatty():
                    click.echo(f"Watching {url} (Ctrl-C stops).", err=True)
                found, lost = True, False
                for id, kind, data in _server_sent_events(answer):
                    if data:
                        yield kind, data
                    last = id or last
        except UnreachableError:
            if not found:
                raise
        if not lost:
            click.echo(f"The server ended the stream; waiting for it at {url} …", err=True)
            # Whoever ends every stream at once is not asked ever faster.
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            lost = True
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _server_sent_events(answer: "requests.Response") -> Iterator[tuple[str, str, bytes]]:
    id, kind, data = "", "message", b""
    for line in answer.iter_lines(chunk_size=None):
        name, _, value = line.partition(b": ")
        if name == b"id":
            id = value.decode()
        elif name == b"event":
            kind = value.decode()
        elif name == b"data":
            data = value
        elif not line:
            yield id, kind, data
            id, kind, data = "", "message", b""


@main.command()
@_url
@_token
@click.option("--output", "-o", default="-", type=click.Path(path_type=str, dir_okay=False), help="File, or - for stdout.")
@_filters
def export(url: str, token: str | None, output: str, filters: tuple[str, ...]) -> None:
    """Write what was recorded as NDJSON, a batch a line.

    POST it to /_fake/import to add it to what a server has recorded.
    """
    with asking(url, token, "/_fake/batches", _parameters(filters), "application/x-ndjson") as answer:
        count = 0
        with _writing(output) as file:
            for chunk in answer.iter_content(65_536):
                file.write(chunk)
                count += chunk.count(b"\n")
    click.echo(f"Exported {count} {'batch' if count == 1 else 'batches'}.", err=True)


@contextmanager
def _writing(output: str) -> Iterator[IO[bytes]]:
    """stdout; or a file that gets its name only when it is whole; or a pipe or a device."""
    if output == "-":
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
        raise click.ClickException(f"{output} cannot be written: {error.strerror or error}.") from error


def _parameters(filters: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for text in filters:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"The filter {text!r} is not NAME=VALUE, for example event_name=purchase.")
        pairs.append((name, value))
    return pairs


if __name__ == "__main__":
    main()
