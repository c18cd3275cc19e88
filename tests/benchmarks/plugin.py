"""The pytest plugin against its promises: what it costs a run, and what the session without sockets saves."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import requests

from mparticle_pytest_plugin.inbox import Inbox
from mparticle_pytest_plugin.socketless import session
from mparticle_pytest_plugin.source import LocalSource
from tests.benchmarks.row import Row, at_least, below
from tests.benchmarks.subject import serving
from tests.hosts import batch, event

ROUNDS: Final = 7
UPLOADS: Final = 200
"""In a round, of each."""

COLLECTIONS: Final = 40

NAME: Final = "mparticle_pytest_plugin"
_SPOILING: Final = {"PYTHONDONTWRITEBYTECODE", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS", "PYTEST_PLUGINS"}
"""Variables that would make a run another than a user's."""

EVENTS: Final = 10_000
WAITS: Final = 50

COLLECTING: Final = """
import json, os, sys
import pytest

def cost(arguments):
    # In a child that has pytest already: importing it takes a hundred times as long as what is looked for.
    child = os.fork()
    if not child:
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os._exit(pytest.main(arguments))
    _, status, used = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == pytest.ExitCode.NO_TESTS_COLLECTED
    return (used.ru_utime + used.ru_stime) * 1000

ours, none = map(json.loads, sys.argv[1:3])
cost(ours)
print(json.dumps([(cost(ours), cost(none)) for _ in range(int(sys.argv[3]))]))
"""

TIMED: Final = """
import json, pathlib, time
import pytest

times = {}

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    began = time.perf_counter()
    result = yield
    times[item.name] = (time.perf_counter() - began) * 1000
    return result

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    began = time.perf_counter()
    result = yield
    times[item.name] += (time.perf_counter() - began) * 1000
    return result

def pytest_sessionfinish():
    pathlib.Path(__file__).with_name("times").write_text(json.dumps(times))
"""

TESTS: Final = """
import pytest

@pytest.fixture
def listening(fake_mparticle):
    return fake_mparticle.url

def test_first(listening): pass

@pytest.mark.parametrize("number", range(200))
def test_with(fake_mparticle, number): pass

@pytest.mark.parametrize("number", range(200))
def test_without(number): pass
"""


def plugin() -> Iterator[Row]:
    """The rows."""
    yield _socketless()
    with TemporaryDirectory() as folder:
        yield _collecting(Path(folder))
        yield from _fixtures(Path(folder))
    yield _waiting()
    yield from _filtering()


def _socketless() -> Row:
    """Uploads a second by one session of requests each; the peer has a process of its own."""
    source = LocalSource()
    source.open_workspace("benchmark", "key", "secret", mode="faithful")
    ours, theirs = [], []
    try:
        inbox = Inbox(source, "benchmark", "key", "secret", "benchmark")
        with serving("peer") as port, session(inbox) as socketless, requests.Session() as with_socket:
            for _ in range(ROUNDS):
                ours.append(_a_second(socketless, "http://localhost/v2/events"))
                theirs.append(_a_second(with_socket, f"http://127.0.0.1:{port}/v2/events"))
    finally:
        source.close()
    return at_least(2, "fake_mparticle.session(), against a socket to pytest-httpserver", ours, theirs, "uploads/s")


def _a_second(sender: requests.Session, url: str) -> float:
    content = batch()
    began = time.perf_counter()
    for _ in range(UPLOADS):
        sender.post(url, json=content, auth=("key", "secret"), timeout=10).raise_for_status()
    return UPLOADS / (time.perf_counter() - began)


def _python(folder: Path, *arguments: str) -> str:
    """Run Python in a folder; returns what it printed. Bytecode is kept, as of an installed package."""
    environ = {name: value for name, value in os.environ.items() if name not in _SPOILING}
    environ["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def _collecting(folder: Path) -> Row:
    """What the plugin adds to collecting nothing, where pytest looks for plugins and finds ours alone: processor time."""
    arguments = ["--collect-only", "-p", "no:cacheprovider", *_others(), str(folder)]
    command = (json.dumps(arguments), json.dumps(["-p", f"no:{NAME}", *arguments]), str(COLLECTIONS))
    times = json.loads(_python(folder, "-c", COLLECTING, *command))
    return below(10, "pytest --collect-only of nothing, more with the plugin", [ours - none for ours, none in times])


def _others() -> Iterator[str]:
    """Arguments that leave out all plugins which are installed, but ours."""
    for name in sorted({point.name for point in entry_points(group="pytest11")} - {NAME}):
        yield from ("-p", f"no:{name}")


def _fixtures(folder: Path) -> Iterator[Row]:
    (folder / "conftest.py").write_text(TIMED, encoding="utf-8")
    (folder / "test_times.py").write_text(TESTS, encoding="utf-8")
    first, later = [], []
    for number in range(1 + ROUNDS):
        _python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_others(), str(folder))
        times = json.loads((folder / "times").read_text(encoding="utf-8"))
        if number:
            first.append(times.pop("test_first"))
            with_it, without = (
                [time for name, time in times.items() if name.startswith(kind)] for kind in ("test_with[", "test_without[")
            )
            later.append(median(with_it) - median(without))
    yield below(300, "fake_mparticle: first use in a run, all imports, listening", first)
    yield below(1, "fake_mparticle: each further test", later)


def _waiting() -> Row:
    """From the commit of a batch to the return of wait_for in another thread."""
    source = LocalSource()
    source.open_workspace("benchmark", "key", "secret", mode="faithful")
    inbox = Inbox(source, "benchmark", "key", "secret", "benchmark")
    committed: list[float] = []
    source.server.intake.recorder.subscribe(lambda: committed.append(time.perf_counter()))
    times = []
    try:
        with session(inbox) as sender:
            for number in range(1, WAITS + 1):
                body = batch(events=[event(f"event {number}")])
                timer = threading.Timer(0.01, sender.post, ["/v2/events"], {"json": body, "auth": ("key", "secret")})
                timer.start()
                inbox.wait_for(f"event {number}")
                times.append((time.perf_counter() - committed[-1]) * 1000)
                timer.join()
    finally:
        source.close()
    return below(5, "wait_for: return after the commit", times)


def _filtering() -> Iterator[Row]:
    """Asking for some of many recorded events: at first, when they are read, and again."""
    first: list[float] = []
    again: list[float] = []
    for _ in range(ROUNDS):
        source = LocalSource()
        source.open_workspace("benchmark", "key", "secret", mode="faithful")
        inbox = Inbox(source, "benchmark", "key", "secret", "benchmark")
        with session(inbox) as sender:
            for start in range(0, EVENTS, 100):
                events = [event(f"event {number}") for number in range(start, start + 100)]
                sender.post("/v2/events", json=batch(events=events), auth=("key", "secret")).raise_for_status()
        for times in (first, again):
            began = time.perf_counter()
            inbox.events.named("event 777").by(customer_id="c1").one()
            times.append((time.perf_counter() - began) * 1000)
        source.close()
    yield below(50, f"{EVENTS:,} events filtered by name and user, read before", again)
    yield below(200, f"{EVENTS:,} events filtered by name and user, first time", first)
