"""`mparticle-fake export` and `tail` with a workspace that the server does not know: a process of its own, and its stderr."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import requests

from mparticle_fake_server import FakeServer, tail
from tests.hosts import BASIC, batch

HINT = "No workspace 'defualt' is known. Did you mean default? There are: default.\n"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command, which is killed at the end if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "mparticle_fake_server", *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server that has received a batch."""
    with FakeServer() as server:
        upload(server)
        yield server


def upload(server: FakeServer) -> None:
    answer = requests.post(f"{server.url}/v2/events", json=batch(), headers={"Authorization": BASIC}, timeout=10)
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        (["workspace=defualt"], HINT),
        (["workspace=defualt", "event_name=Play"], HINT),
        (["workspace=default", "event_name=None"], ""),
        (["event_name=None"], ""),
    ],
)
def test_an_export_of_nothing_tells_that_nothing_is_known_of_its_workspace(
    start: Start, server: FakeServer, filters: list[str], told: str
) -> None:
    process = start("export", "--url", server.url, *filters)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (0, "", f"Exported 0 batches.\n{told}")


def test_tail_tells_at_its_start_that_nothing_is_known_of_its_workspace(start: Start, server: FakeServer) -> None:
    process = start("tail", "--url", server.url, "workspace=defualt")
    assert process.stderr is not None

    assert process.stderr.readline() == HINT


def test_tail_shows_what_comes_of_a_workspace_that_is_made_later(start: Start, server: FakeServer) -> None:
    process = start("tail", "--url", server.url, "workspace=shop")
    assert process.stderr is not None
    assert process.stdout is not None
    process.stderr.readline()

    server.intake.workspaces.put("shop", inputs={"key": None})
    upload(server)

    assert '"workspace":"shop"' in process.stdout.readline()


def test_tail_asks_for_its_workspace_once_also_if_the_server_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(tail, "tell_hint", lambda url, _, __: asked.append(url))
    with FakeServer() as server:
        upload(server)
        upload(server)
        shown = tail._followed(server.url, None, [("after", "0")])
        events = [next(shown), next(shown)]

    # It has not come to where the other was, so that all of it is shown.
    with FakeServer(port=server.port) as anew:
        upload(anew)
        events.append(next(shown))

    assert ([kind for kind, _ in events], asked) == (["message"] * 3, [server.url])
