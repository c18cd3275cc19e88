"""The command `mparticle-fake`. Data goes to stdout, messages to stderr; exit status 0 fine, 1 failures, 2 wrong usage.

Everything heavy is imported by the command that needs it, so that `--help` stays quick.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import requests

    from .server import FakeServer

DEFAULT_URL = "http://127.0.0.1:8080"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="mparticle-testkit", prog_name="mparticle-fake")
def main() -> None:
    """A fake mParticle: point an SDK at it and see what arrived."""


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
@click.option("--keep", default=100_000, show_default=True, type=click.IntRange(1), help="Batches kept; the oldest beyond go.")
@click.option(
    "--credential",
    "credentials",
    multiple=True,
    type=_Credential(),
    help="An input, of the workspace 'default' unless named. May be repeated.",
)
@click.option("--known-keys-only", is_flag=True, help="Answer 403 to keys that no --credential names; else they are all taken.")
@click.option("--max-body", default=2_000_000, show_default=True, type=click.IntRange(1), help="Bytes; larger bodies get 413.")
@click.option("--token", envvar="MPARTICLE_FAKE_TOKEN", help="What the inspect API wants; made up if others can reach --host.")
@click.option("--tail/--no-tail", default=None, help="Print what arrives.  [default: on a terminal]")
def serve(
    host: str,
    port: int,
    mode: str,
    store: str | None,
    keep: int,
    credentials: tuple[tuple[str, str, str], ...],
    known_keys_only: bool,
    max_body: int,
    token: str | None,
    tail: bool | None,
) -> None:
    """Serve until Ctrl-C."""
    from .recording import StoreError
    from .server import AddressInUseError, FakeServer, ServerError
    from .workspaces import WorkspaceError, check_mode

    if store is None:
        store = _default_store()
    elif store != "memory" and (not store.startswith("sqlite:///") or store == "sqlite:///"):
        raise click.BadParameter(
            f"{store!r} is neither 'memory' nor 'sqlite:///FILE', for example sqlite:///fake.db.", param_hint="--store"
        )
    server = FakeServer(
        host,
        port,
        mode=check_mode(mode),
        store=store,
        keep=keep,
        credentials=credentials,
        unknown_keys=not known_keys_only,
        max_body=max_body,
        token=token,
    )

    def started() -> None:
        _welcome(server, store, credentials)
        if tail if tail is not None else sys.stderr.isatty():
            _print_arrivals(server)

    try:
        server.run(started)
    except AddressInUseError as error:
        raise click.ClickException(f"{str(error).removesuffix('.')} with --port.") from error
    except (ServerError, StoreError, WorkspaceError) as error:
        raise click.ClickException(str(error)) from error


def _default_store() -> str:
    from platformdirs import user_state_path

    try:
        directory = user_state_path("mparticle-testkit", appauthor=False, ensure_exists=True)
    except OSError as error:
        raise click.ClickException(
            f"The state directory cannot be made: {error}. Name a store with --store memory or --store sqlite:///FILE."
        ) from error
    return f"sqlite:///{directory / 'fake.db'}"


_HELLO = (
    '{"environment":"development","user_identities":{"customer_id":"c1"},'
    '"events":[{"event_type":"custom_event","data":{"event_name":"Hello","custom_event_type":"other"}}]}'
)


def _welcome(server: "FakeServer", store: str, credentials: tuple[tuple[str, str, str], ...]) -> None:
    key, secret = credentials[0][:2] if credentials else ("key", "secret")
    ask = f"{server.url}/_fake/batches" + (f"?token={server.token}" if server.token else "")
    host = f"http://{server.host}:{server.port}" if server.token else server.url
    lines = [
        f"The fake mParticle serves on {host} (Ctrl-C stops it).",
        f"  recording     {store}",
        f"  credentials   {'as given with --credential' if credentials else 'any key and secret'}",
    ]
    if server.token:
        lines.append(f"  token         {server.token}   (others can reach this address: the inspect API wants it)")
    lines.append(f"""\
Try, in another terminal:
  curl -i -u {key}:{secret} {server.url}/v2/events -d '{_HELLO}'
  curl '{ask}'
  mparticle-fake tail --url {server.url}
The official Python SDK:
  configuration.host = '{server.url}/v2'
""")
    click.echo("\n".join(lines), err=True)


def _print_arrivals(server: "FakeServer") -> None:
    """Print what is recorded from now on, from a thread that ends with the process."""
    import threading

    import msgspec
    from rich.console import Console

    from .query import batch_items, request_item
    from .recording import StoreError
    from .terminal import batch_lines, request_lines

    recorder = server.intake.recorder
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    most = 50

    def follow() -> None:
        position = recorder.last_id()
        while True:
            newest = recorder.last_id()
            if newest == position:
                recorder.wait(lambda at=position: recorder.last_id() > at, 60)  # type: ignore[misc]
                continue
            for record in recorder.requests(max(position, newest - most)):
                if record.id > newest:
                    break
                for item in batch_items(record):
                    for line in batch_lines(msgspec.to_builtins(item)):
                        console.print(line)
                if not record.batches:
                    for line in request_lines(msgspec.to_builtins(request_item(record))):
                        console.print(line)
            if newest - position > most:
                console.print(f"             … and {newest - position - most} requests before these", style="dim")
            position = newest

    def follow_while_open() -> None:
        with suppress(StoreError):
            follow()

    threading.Thread(target=follow_while_open, name="mparticle-fake-arrivals", daemon=True).start()


# -- asking a running server -----------------------------------------------------------------------------------------------

_url = click.option("--url", default=DEFAULT_URL, show_default=True, envvar="MPARTICLE_FAKE_URL", help="The server to ask.")
_token = click.option("--token", envvar="MPARTICLE_FAKE_TOKEN", help="The token printed by a server that others can reach.")
_filters = click.argument("filters", nargs=-1, metavar="[NAME=VALUE]...")


@main.command()
@_url
@_token
@click.option("--after", help="Begin after this id instead of now; 0 shows everything that is kept.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON, as in a pipe.")
@_filters
def tail(url: str, token: str | None, after: str | None, as_json: bool, filters: tuple[str, ...]) -> None:
    """Show batches as they arrive: coloured lines on a terminal, NDJSON in a pipe.

    NAME=VALUE filters, for example: event_name=purchase workspace=shop identity=customer_id:c1 data.currency_code=EUR
    """
    as_json = as_json or not sys.stdout.isatty()
    parameters = _parameters(filters)
    if after is not None:
        parameters.append(("after", after))
    from rich.console import Console

    from .terminal import batch_lines, request_lines

    out = Console(highlight=False, soft_wrap=True)
    messages = Console(stderr=True, highlight=False, soft_wrap=True)
    with suppress(KeyboardInterrupt), _asking(url, token, "/_fake/stream", parameters, "text/event-stream") as answer:
        for kind, data in _server_sent_events(answer):
            if kind == "forgotten":
                gap = json.loads(data)
                click.echo(f"Requests {gap['after']} to {gap['before']} were forgotten before they could be shown.", err=True)
            elif kind == "error":
                click.echo(f"Error: {json.loads(data)['message']}", err=True)
            elif kind == "request":
                for line in request_lines(json.loads(data)):
                    (messages if as_json else out).print(line)
            elif as_json:
                click.echo(data)
            else:
                for line in batch_lines(json.loads(data)):
                    out.print(line)
        click.echo("The server ended the stream.", err=True)


def _server_sent_events(answer: "requests.Response") -> Iterator[tuple[str, bytes]]:
    kind = "message"
    for line in answer.iter_lines(chunk_size=None):
        if line.startswith(b"event: "):
            kind = line[7:].decode()
        elif line.startswith(b"data: "):
            yield kind, line[6:]
            kind = "message"


@main.command()
@_url
@_token
@click.option("--output", "-o", default="-", type=click.Path(path_type=str, dir_okay=False), help="File, or - for stdout.")
@_filters
def export(url: str, token: str | None, output: str, filters: tuple[str, ...]) -> None:
    """Write what was recorded as NDJSON, a batch a line; POST it to /_fake/import to read it back."""
    with _asking(url, token, "/_fake/batches", _parameters(filters), "application/x-ndjson") as answer:
        count = 0
        with _writing(output) as file:
            for chunk in answer.iter_content(65_536):
                file.write(chunk)
                count += chunk.count(b"\n")
    click.echo(f"Exported {count} {'batch' if count == 1 else 'batches'}.", err=True)


@contextmanager
def _writing(output: str) -> Iterator[IO[bytes]]:
    """stdout, or a file that gets its name only when it is whole."""
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{output}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)


def _parameters(filters: tuple[str, ...]) -> list[tuple[str, str]]:
    pairs = []
    for text in filters:
        name, equals, value = text.partition("=")
        if not equals:
            raise click.UsageError(f"The filter {text!r} is not NAME=VALUE, for example event_name=purchase.")
        pairs.append((name, value))
    return pairs


@contextmanager
def _asking(
    url: str, token: str | None, path: str, parameters: list[tuple[str, str]], accept: str
) -> Iterator["requests.Response"]:
    """A streamed GET of the inspect API; what goes wrong becomes a message for the person at the terminal."""
    import requests

    headers = {"Accept": accept} | ({"Authorization": f"Bearer {token}"} if token else {})
    session = requests.Session()
    # Local traffic: no proxy of the environment, no .netrc in place of the token.
    session.trust_env = False
    try:
        with session.get(f"{url.rstrip('/')}{path}", params=parameters, headers=headers, stream=True, timeout=(5, 60)) as answer:
            if answer.status_code != 200:
                raise click.ClickException(_problem(answer))
            yield answer
    except requests.exceptions.ConnectionError as error:
        if "Read timed out" in str(error):
            raise click.ClickException(f"{url} stopped answering.") from error
        raise click.ClickException(
            f"No server answers at {url}. Start one with 'mparticle-fake serve', or name it with --url."
        ) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise click.ClickException(f"{url} closed the connection in the middle of its answer.") from error
    except requests.exceptions.RequestException as error:
        raise click.ClickException(f"{url} cannot be asked: {error}") from error


def _problem(answer: "requests.Response") -> str:
    try:
        return " ".join(str(error["message"]) for error in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.url} answered {answer.status_code}: is it a fake mParticle?"


if __name__ == "__main__":
    main()
