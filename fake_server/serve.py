"""The command `serve`: the fake as a process, and what to try with it."""

import re
import shlex
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from .asking import called, check_token
from .redaction import without_credentials
from .snippets import CLIENTS, snippet
from .words import plain

if TYPE_CHECKING:
    from .server import FakeServer


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


Credentials = tuple[tuple[str, str, str], ...]
"""Keys, secrets and workspaces."""


def _check_keys(_: click.Context, __: click.Parameter, given: Credentials) -> Credentials:
    keys = [key for key, _, _ in given]
    for key in keys:
        if keys.count(key) > 1:
            raise click.BadParameter(f"the key {plain(key, 40)!r} is there {keys.count(key)} times; an input has one secret.")
    return given


def check_host(_: click.Context, __: click.Parameter, host: str) -> str:
    """The callback of every option that takes the address to listen on."""
    if "/" in host or re.fullmatch(r"[^:]+:[0-9]*|\[.*", host):
        raise click.BadParameter(f"{host!r} is more than an address such as 127.0.0.1, or ::1; the port is named with --port.")
    return host


def _check_names(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        return names
    from .tls import normal_name

    try:
        return tuple(normal_name(name) for name in names)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, callback=check_host, help="Address to listen on.")
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
    callback=_check_keys,
    multiple=True,
    type=_Credential(),
    help="An input, of the workspace 'default' unless named: behind the last @, so that a secret that has one needs a "
    "workspace too. May be repeated.",
)
@click.option("--known-keys-only", is_flag=True, help="Refuse keys that no --credential names; else they are all taken.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave out findings of this code. May be repeated.")
@click.option("--error", multiple=True, metavar="CODE", help="Make findings of this code errors. May be repeated.")
@click.option("--seed", default=0, show_default=True, type=int, help="Of the mpids that are made.")
@click.option("--max-body", default=2_000_000, show_default=True, type=click.IntRange(1), help="Bytes; larger bodies get 413.")
@click.option(
    "--token",
    envvar="MPARTICLE_FAKE_TOKEN",
    show_envvar=True,
    show_default="none on loopback, else a random one",
    callback=check_token,
    help="Whoever asks the inspect API has to give it.",
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
def serve(  # noqa: PLR0913, PLR0917  # options are arguments
    host: str,
    port: int,
    mode: str,
    store: str | None,
    keep: int,
    credentials: Credentials,
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
        given = without_credentials(repr(store))
        is_file = "://" not in store and store.strip("/") and given == repr(store)
        example = f"sqlite:///{store}" if is_file else "sqlite:///fake.db"
        raise click.BadParameter(
            f"{given} is neither 'memory' nor 'sqlite:///FILE', for example {example}.", param_hint="--store"
        )
    if known_keys_only and not credentials:
        raise click.UsageError("--known-keys-only would refuse every upload; name an input with --credential.")
    tls = tls or tls_port is not None or bool(tls_names)
    if tls_port is None:
        # Whoever leaves one port to chance does so with the other.
        tls_port = 8443 if port else 0
    if tls and port and port == tls_port:
        raise click.UsageError(
            f"--port and --tls-port are both {port}, and HTTP and HTTPS need a port each: choose another for one of them "
            "(--tls-port is 8443 unless given)."
        )
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
            tls=tls,
            tls_port=tls_port,
            tls_names=tls_names,
        )
    except RuleError as wrong:
        raise click.UsageError(str(wrong)) from wrong

    def started() -> None:
        _welcome(server, store, credentials, client, token_is_given=token is not None, known_keys_only=known_keys_only)
        if tail if tail is not None else sys.stderr.isatty():
            from .arrivals import print_arrivals

            print_arrivals(server)

    try:
        server.run(started)
    except AddressInUseError as failure:
        is_http = failure.port == server.port
        option = "--port (make serve PORT=…)" if is_http else "--tls-port"
        # Another fake has the store too, which would be told next.
        also = ' If that is a fake too, add --store memory: make serve PORT=… ARGS="--store memory".'
        also = also if is_http and store != "memory" else ""
        raise click.ClickException(f"{str(failure).removesuffix('.')} with {option}.{also}") from failure
    except StoreError as failure:
        from .recording.sql import ANOTHER_FILE

        none = f'{ANOTHER_FILE}, or none with --store memory (make serve ARGS="--store memory"),'
        message = str(failure).replace(f"{ANOTHER_FILE} for", f"{none} for").replace(f"{ANOTHER_FILE}.", f"{none[:-1]}.")
        raise click.ClickException(message) from failure
    except (ServerError, WorkspaceError) as failure:
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
    credentials: Credentials,
    client: str | None,
    *,
    token_is_given: bool,
    known_keys_only: bool,
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
    lines += _credentials(credentials, known_keys_only=known_keys_only)
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


def _credentials(credentials: Credentials, *, known_keys_only: bool) -> list[str]:
    """Which keys are taken, and into which workspaces: whoever has an @ in a secret sees what became of it."""
    if not credentials:
        return ["  credentials   any key and secret"]
    rest = "are refused" if known_keys_only else "are taken too (--known-keys-only refuses them)"
    into: dict[str, list[str]] = {}
    for key, _, workspace in credentials:
        into.setdefault(workspace, []).append(plain(key, 40))
    return [
        f"  credentials   as given with --credential; other keys {rest}",
        *(f"                into the workspace '{plain(name, 40)}': {', '.join(keys)}" for name, keys in into.items()),
    ]


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
