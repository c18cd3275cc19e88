"""Asking a running fake from the command line: the options for it, one streamed GET, and what to do where that fails."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click

from .redaction import redact_message, without_credentials

if TYPE_CHECKING:
    import requests

DEFAULT_URL: Final = "http://127.0.0.1:8080"
MOST_HINT: Final = 1000
"""Characters that are printed of a server's hint."""


def called() -> str:
    """How a shell calls this command: by its name if PATH has it, else by the path of the running script."""
    if shutil.which("mparticle-fake"):
        return "mparticle-fake"
    script = Path(sys.argv[0]).absolute()
    if not script.name.startswith("mparticle-fake"):
        return f"{shlex.quote(sys.executable)} -m mparticle_fake_server"
    with suppress(ValueError):
        script = script.relative_to(Path.cwd())
    return shlex.quote(str(script) if len(script.parts) > 1 else os.path.join(".", script))  # noqa: PTH118  # Path drops the dot


def check_token(_: click.Context, __: click.Parameter, token: str | None) -> str | None:
    """The callback of every option that takes a token."""
    if token is not None and not re.fullmatch("[!-~]+", token):
        raise click.BadParameter("expected one or more ASCII characters without spaces.")
    return token


_URL: Final = re.compile("https?://", re.IGNORECASE)
_ANY_URL: Final = re.compile(r"\s*[a-z][\w+.-]+:/", re.IGNORECASE)


class LocalFile(click.Path):
    """A file or directory of this machine, and no URL: `instead` says where a server is named."""

    def __init__(self, instead: str, **about: Any) -> None:
        super().__init__(**about)
        self._instead = instead

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if _ANY_URL.match(str(value)):
            self.fail(f"{without_credentials(repr(value))} is a URL; expected a file. {self._instead}", param, ctx)
        if not str(value):
            self.fail("the name of the file is empty.", param, ctx)
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            raise click.BadParameter(redact_message(error.message), ctx, param) from error


def _check_url(_: click.Context, __: click.Parameter, url: str) -> str:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        known = False
    if not known:
        raise click.BadParameter(
            f"{without_credentials(repr(url))} does not begin with http:// or https:// and a host, for example {DEFAULT_URL}."
        )
    return url.rstrip("/")


url_option = click.option(
    "--url",
    default=DEFAULT_URL,
    show_default=True,
    envvar="MPARTICLE_FAKE_URL",
    show_envvar=True,
    callback=_check_url,
    help="The server to ask.",
)
token_option = click.option(
    "--token",
    envvar="MPARTICLE_FAKE_TOKEN",
    show_envvar=True,
    callback=check_token,
    help="The token that the server printed, if it wants one.",
)
filters_argument = click.argument("filters", nargs=-1, metavar="[NAME=VALUE]...")


def parameters_of(filters: tuple[str, ...]) -> list[tuple[str, str]]:
    """The names and values of `filters_argument`."""
    pairs = []
    for text in filters:
        name, equals, value = text.partition("=")
        if _URL.match(text):
            raise click.UsageError(f"{without_credentials(repr(text))} is a URL; name the server with --url.")
        if not equals:
            raise click.UsageError(
                f"The filter {without_credentials(repr(text))} is not NAME=VALUE, for example event_name=purchase."
            )
        pairs.append((name, value))
    return pairs


class UnreachableError(click.ClickException):
    """No server answers, or it answers no more."""


_CA_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""What requests looks for in the environment, in this order."""


def _trusted(url: str) -> str | bool:
    """The file or folder of CAs that the environment names, or True for those that requests brings."""
    for name in _CA_BUNDLES if url.startswith("https:") else ():
        if path := os.environ.get(name):
            if not Path(path).exists():
                raise click.ClickException(f"{name} in the environment names {path}, which is not there.")
            return path
    return True


@contextmanager
def asking(
    url: str, token: str | None, path: str, parameters: list[tuple[str, str]], accept: str, last_event_id: str = ""
) -> Iterator["requests.Response"]:
    """A streamed GET of the inspect API; what goes wrong becomes a message for the person at the terminal."""
    import requests

    headers = {"Accept": accept}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    session = requests.Session()
    # Local traffic: no proxy of the environment, no .netrc in place of the token. What it names as CAs counts as ever.
    session.trust_env = False
    session.verify = _trusted(url)
    server = without_credentials(url)
    try:
        with session.get(f"{url}{path}", params=parameters, headers=headers, stream=True, timeout=(5, 60)) as answer:
            if answer.status_code != 200:
                raise click.ClickException(_problem(answer))
            yield answer
    except requests.exceptions.SSLError as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            raise click.ClickException(f"{server} speaks no TLS, as it seems; ask it at its http:// address.") from error
        raise click.ClickException(
            f"The certificate of {server} is not trusted here. If it is one of a fake, '{called()} ca --out ca.pem' writes the "
            f"CA, and {_CA_BUNDLES[0]}=ca.pem in the environment trusts it. At its http:// address a fake needs none."
        ) from error
    except requests.exceptions.ConnectionError as error:
        if "Read timed out" in str(error):
            raise UnreachableError(f"{server} stopped answering.") from error
        raise UnreachableError(
            f"No server answers at {server}. Start one with '{called()} serve', or name it with --url."
        ) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise UnreachableError(f"{server} closed the connection in the middle of its answer.") from error
    except requests.exceptions.RequestException as error:
        raise click.ClickException(f"{server} cannot be asked: {error}") from error


def tell_hint(url: str, token: str | None, parameters: list[tuple[str, str]]) -> None:
    """Print on stderr what the server says of a workspace that it does not know, or of a place that it never had; else nothing.

    What goes wrong here is told by nobody: the question that matters is another one.
    """
    asked = [(name, value) for name, value in parameters if name in ("workspace", "after")]
    if not asked:
        return
    with suppress(click.ClickException, ValueError):
        with asking(url, token, "/_fake/batches", [*asked, ("limit", "1")], "application/json") as answer:
            page = answer.json()
        if isinstance(page, dict) and "hint" in page:
            from .words import plain

            click.echo(plain(page["hint"], MOST_HINT), err=True)


def _problem(answer: "requests.Response") -> str:
    try:
        told = " ".join(str(error["message"]) for error in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return f"{without_credentials(answer.url)} answered {answer.status_code}: is it a fake mParticle?"
    return f"{told} Here: --token TOKEN, or MPARTICLE_FAKE_TOKEN in the environment." if answer.status_code == 401 else told
