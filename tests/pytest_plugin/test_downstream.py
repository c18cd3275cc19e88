"""The example under tests/downstream, run as its authors would: a shop that sends with the official SDK in every way there is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

from mparticle_fake_server import FakeServer
from tests.conftest import RealPart

pytestmark = pytest.mark.slow

Run = Callable[..., str]

TESTS = 22
"""What the example has, so that a run which collects too few is noticed."""

INSTALLED = any(point.name == "mparticle_pytest_plugin" for point in entry_points(group="pytest11"))


@pytest.fixture
def run(checkout: Path, tmp_path: Path) -> Run:
    """Runs the example in a process of its own, in a copy, and returns the last line; fails with all it printed."""

    def run(*arguments: str, **variables: str) -> str:
        folder = tmp_path / "shop"
        shutil.copytree(checkout / "tests/downstream", folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        # Where the checkout is installed without its entry points, for example by links, the plugin is named.
        named = () if INSTALLED else ("-p", "mparticle_pytest_plugin.plugin")
        # Not the surrounding run's: it may have options, a worker's id, or a fake of its own.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "MPARTICLE_"))}
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *named, "-p", "no:cacheprovider", *arguments],
            cwd=folder,
            env=kept | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout.strip().splitlines()[-1]

    return run


def test_it_passes(run: Run) -> None:
    assert f"{TESTS} passed" in run()


def test_it_passes_in_four_processes(run: Run, real_part: RealPart) -> None:
    real_part(find_spec("xdist") is not None, "pytest-xdist is not installed")

    assert f"{TESTS} passed" in run("-n", "4")


def test_it_passes_in_importlib_mode(run: Run) -> None:
    assert f"{TESTS} passed" in run("--import-mode=importlib")


def test_it_passes_where_plugins_are_only_loaded_by_name(run: Run) -> None:
    ours = ("-p", "mparticle_pytest_plugin") if INSTALLED else ()

    assert f"{TESTS} passed" in run(*ours, "-p", "anyio", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


def test_it_passes_with_a_fake_that_runs_elsewhere(run: Run) -> None:
    with FakeServer() as server:
        assert f"{TESTS} passed" in run("--mparticle-url", server.url)


def test_neither_an_interception_nor_a_session_needs_a_socket(run: Run, real_part: RealPart) -> None:
    real_part(find_spec("pytest_socket") is not None, "pytest-socket is not installed")

    files = [f"tests/test_{name}.py" for name in ("refunds", "reviews", "stock")]

    assert "6 passed" in run("--disable-socket", "--allow-unix-socket", *files)
