"""The command `demo`: a fake with the traffic of simulated people, for a first look."""

import math
import shlex
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import click
import msgspec

from .serve import check_host
from .words import plain

if TYPE_CHECKING:
    from mparticle_fixtures.simulation.simulation import Simulation

    from .server import FakeServer

KEY: Final = "demo"
DAYS: Final = 7
"""So many days are played; they end now, so that no timestamp is too old or lies in the future. Then others follow."""

LONGEST_PAUSE: Final = 2.0
"""Seconds: a quiet night is not waited for."""


class _Data(msgspec.Struct):
    timestamp_unixtime_ms: int


class _Event(msgspec.Struct):
    data: _Data


class _Batch(msgspec.Struct):
    events: list[_Event]


_decode: Final = msgspec.json.Decoder(_Batch).decode


def _check_speed(_: click.Context, __: click.Parameter, speed: float) -> float:
    # Neither below nor above anything, so click lets it pass.
    if math.isnan(speed):
        raise click.BadParameter("nan is no number.")
    return speed


@click.command()
@click.option("--users", default=2000, show_default=True, type=int, help="People who are simulated.")
@click.option("--profile", default="retail", show_default=True, help="What they do: retail, media, games, or a file of your own.")
@click.option(
    "--speed",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0, 1e6, min_open=True),
    callback=_check_speed,
    help="How much faster than real time it goes; 60 makes a minute of an hour.",
)
@click.option("--seed", default=0, show_default=True, type=int, help="Another number, other people.")
@click.option("--host", default="127.0.0.1", show_default=True, callback=check_host, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--store", default="memory", show_default=True, metavar="memory|sqlite:///FILE", help="Where to record.")
def demo(users: int, profile: str, speed: float, seed: int, host: str, port: int, store: str) -> None:
    """Serve with live traffic until Ctrl-C, for a first look.

    Simulated people visit an application, and what they upload is shown as it arrives. Nothing is written to the disk, unless
    --store names a file.
    """
    from .arrivals import print_arrivals
    from .recording import StoreError
    from .server import AddressInUseError, FakeServer, ServerError

    try:
        first = _simulation(users, profile, seed)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    server = FakeServer(host, port, store=store)
    stopping = threading.Event()
    batches = _batches(first, lambda number: _simulation(users, profile, seed + number))

    def started() -> None:
        _welcome(server, users, profile, speed)
        print_arrivals(server)
        threading.Thread(target=_feed, args=(server, batches, speed, stopping), name="mparticle-fake-demo", daemon=True).start()

    try:
        server.run(started)
    except AddressInUseError as failure:
        raise click.ClickException(f"{str(failure).removesuffix('.')} with --port.") from failure
    except (ServerError, StoreError) as failure:
        raise click.ClickException(str(failure)) from failure
    except ValueError as failure:
        raise click.BadParameter(str(failure), param_hint="--store") from failure
    finally:
        stopping.set()
    click.echo("Stopped.", err=True)


def _simulation(users: int, profile: str, seed: int) -> "Simulation":
    from mparticle_fixtures.simulation.simulation import Simulation

    return Simulation(users=users, days=DAYS, start=datetime.now(UTC) - timedelta(days=DAYS), seed=seed, profile=profile)


def _batches(first: "Simulation", other: Callable[[int], Any]) -> Iterator[bytes]:
    """The batches of one simulation after the other, without end."""
    number = 0
    simulation = first
    while True:
        for chunk in simulation.chunks():
            yield from chunk.splitlines()
        number += 1
        simulation = other(number)


def _paced(batches: Iterator[bytes], speed: float, stopping: threading.Event) -> Iterator[bytes]:
    """Each batch when it is due: so long after the one before as its events are, divided by the speed."""
    before: int | None = None
    for batch in batches:
        now = max(event.data.timestamp_unixtime_ms for event in _decode(batch).events)
        if before is not None and stopping.wait(min(max(now - before, 0) / 1000 / speed, LONGEST_PAUSE)):
            return
        before = now
        yield batch


def _feed(server: "FakeServer", batches: Iterator[bytes], speed: float, stopping: threading.Event) -> None:
    """Upload as an application does, over HTTP; the end of the server is the end of this."""
    from mparticle_sdk import Configuration
    from mparticle_sdk.api_client import ApiClient
    from mparticle_sdk.client import EVENTS
    from mparticle_sdk.errors import ApiException, TransportError

    try:
        with ApiClient(configuration=Configuration(KEY, KEY, host=server.url)) as client:
            for batch in _paced(batches, speed, stopping):
                client.post(EVENTS, batch)
    except TransportError:
        pass  # The server has ended.
    except ApiException as error:
        click.echo(f"The traffic stops: {plain(error, 300)}", err=True)


def _welcome(server: "FakeServer", users: int, profile: str, speed: float) -> None:
    from .asking import called

    token = f" --token {shlex.quote(server.token)}" if server.token else ""
    query = f"?token={quote(server.token, safe='')}" if server.token else ""
    click.echo(
        f"""\
The fake mParticle serves on {server.url} (Ctrl-C stops it), and {users} people use an application ({plain(profile)}).
An hour of theirs takes {3600 / speed:.3g} s here. In another terminal:
  {called()} tail --url {server.url}{token} event_name=purchase
  curl '{server.url}/_fake/stats{query}'
""",
        err=True,
    )
