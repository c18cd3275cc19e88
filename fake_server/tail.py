"""The command `tail`: batches of a running fake as they arrive."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from .asking import (
    UnreachableError,
    asking,
    filters_argument,
    parameters_of,
    tell_hint,
    token_option,
    url_option,
)
from .redaction import without_credentials

if TYPE_CHECKING:
    import requests

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0
"""Seconds between two attempts to reach a server that has ended a stream; each pause is twice the one before."""


@click.command()
@url_option
@token_option
@click.option("--after", help="Begin after this id instead of now; 0 shows everything that is kept.")
@click.option("--json", "as_json", is_flag=True, help="NDJSON, as in a pipe.")
@filters_argument
def tail(url: str, token: str | None, after: str | None, as_json: bool, filters: tuple[str, ...]) -> None:
    """Show batches as they arrive.

    On a terminal coloured lines, in a pipe NDJSON. If the server stops, its next start is waited for.

    NAME=VALUE filters, for example: event_name=purchase workspace=shop identity=customer_id:c1 data.currency_code=EUR
    """
    as_json = as_json or not sys.stdout.isatty()
    parameters = parameters_of(filters)
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
    server = without_credentials(url)
    while True:
        try:
            with asking(url, token, "/_fake/stream", parameters, "text/event-stream", last) as answer:
                began = time.monotonic()
                if lost:
                    click.echo(f"{server} answers again.", err=True)
                elif sys.stderr.isatty():
                    click.echo(f"Watching {server} (Ctrl-C stops).", err=True)
                if not found:
                    tell_hint(url, token, parameters)
                found, lost = True, False
                for id, kind, data in _server_sent_events(answer):
                    if data:
                        yield kind, data
                    last = id or last
        except UnreachableError:
            if not found:
                raise
        if not lost:
            click.echo(f"The server ended the stream; waiting for it at {server} …", err=True)
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
