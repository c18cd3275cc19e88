"""Every command and snippet of README runs, in its order, against one fake, and prints what README says (`…`: anything)."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mparticle_fake_server.endpoints.openapi import document
from mparticle_fake_server.export import export
from mparticle_fake_server.hosting import Options
from mparticle_fake_server.query import FIELDS, SOURCES
from mparticle_fake_server.serve import serve
from mparticle_fake_server.tail import tail
from mparticle_fake_server.verify import verify
from tests.conftest import CHECKOUT, RealPart
from tests.pages import ADDRESS, SCRIPTS, Block, Page, Reader, new_reader, says

README = Page("README", (CHECKOUT / "README.md").read_text())
ON_ITS_OWN = {
    "make test": "continuous integration runs it, and with it this test",
}


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reader = new_reader(tmp_path, f"127.0.0.1:{port}")
    reader.environment["NODE_PATH"] = str(CHECKOUT / "tests/clients/node/node_modules")
    return reader


@pytest.fixture
def served(reader: Reader) -> Iterator[str]:
    """`make serve`, as long as the test needs it; its output up to the first empty line."""
    port = reader.address.rpartition(":")[2]
    # In another environment than .venv, make would first install into that one.
    in_venv = Path(sys.prefix) == CHECKOUT / ".venv"
    command = (
        # ARGS too: those of `make test ARGS=…` would be handed on.
        ["make", "--silent", "serve", f"PORT={port}", "ARGS="]
        if in_venv
        else [str(SCRIPTS / "mparticle-fake"), "serve", "--port", port]
    )
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=reader.environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    lines = []
    while (line := process.stderr.readline()).strip():
        lines.append(line)
    yield "".join(lines).replace(reader.address, ADDRESS).replace(f"{SCRIPTS}/", ".venv/bin/")
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=20)


def test_every_command_and_snippet_does_what_readme_says(
    reader: Reader, served: str, real_part: RealPart, tmp_path: Path
) -> None:
    real_part(shutil.which("curl") is not None, "README's commands need curl")
    has_node = shutil.which("node") is not None and (CHECKOUT / "tests/clients/node/node_modules/mparticle").is_dir()

    def run(command: str) -> str | None:
        if command == "make serve":
            return served
        if command.startswith("python -m pip install"):
            assert "Would install mparticle-testkit" in reader.run(_dry_run(command, tmp_path))
            return None
        return None if command in ON_ITS_OWN else reader.run(command)

    def run_node(block: Block) -> str:
        (tmp_path / "snippet.js").write_text(reader.own(block.text))
        return reader.run(["node", "snippet.js"]) if has_node else "202"

    README.follow(reader, run, {"js": run_node})

    real_part(has_node, "README's Node snippet needs node and the npm package mparticle")


def _dry_run(command: str, tmp_path: Path) -> list[str]:
    """The same installation from a copy of the sources, told and not done."""
    copy = tmp_path / "copy"
    for name in ("mparticle_sdk", "fake_server", "fixtures", "pytest_plugin"):
        shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, copy)
    words = shlex.split(command)
    assert words[-1] == "."
    return [sys.executable, *words[1:-1], "--dry-run", "--no-deps", "--no-build-isolation", "--force-reinstall", str(copy)]


@pytest.mark.parametrize("command", ON_ITS_OWN)
def test_a_command_that_is_not_run_here_is_run_by_continuous_integration(command: str) -> None:
    assert re.search(r"^make\b.*\btest$", (CHECKOUT / ".ci/run").read_text(), re.MULTILINE)
    assert f"$ {command}\n" in README.text


def test_readme_names_every_option_of_python_and_of_the_command_line() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `.*?` \| `(--[\w-]+)`", README.text, re.MULTILINE)

    known = {flag for parameter in serve.params for flag in parameter.opts}
    assert {name for name, _ in rows} == set(Options.__annotations__)
    assert {flag for _, flag in rows} == known - {"--host", "--port", "--tail", "--snippet", "--tls", "--tls-port", "--tls-name"}


MADE = (
    "first_run.py",
    "package.json",
    "package-lock.json",
    "node_modules/mparticle/package.json",
    "test_shop.py",
    "wrong.json",
    "m.json",
    "traffic.ndjson",
    "traffic/index.json",
)


@pytest.mark.parametrize("made", MADE)
def test_git_ignores_what_readme_has_its_reader_make(made: str) -> None:
    done = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", made], cwd=CHECKOUT, check=False, timeout=20)

    assert done.returncode == 0


@pytest.mark.parametrize("code", ["fixtures/traffic/new.py", "tests/fixtures/test_shop.py", "fixtures/data/m.json"])
def test_git_ignores_none_of_that_below_the_top(code: str) -> None:
    done = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", code], cwd=CHECKOUT, check=False, timeout=20)

    assert done.returncode == 1


def test_readme_names_the_filters_of_requests() -> None:
    named = ", ".join(f"`{name}`" for name in FIELDS["requests"])

    assert f"`/_fake/requests` has others: {named}." in " ".join(README.text.split())


def test_readme_names_the_sources() -> None:
    (told,) = re.findall(r"A `source` is (.*?)\.", " ".join(README.text.split()))

    assert tuple(re.findall(r"`(\w+)`", told)) == SOURCES


def test_readme_names_every_path_of_the_inspect_api() -> None:
    table = " ".join(re.findall(r"^\| (`.*?) \|", README.text, re.MULTILINE))

    paths = {path for path in document()["paths"] if path.startswith("/_fake/")}
    assert sorted(path for path in paths if f"{path}`" not in table) == []


def test_readme_names_the_variables_of_the_environment_that_stand_for_options() -> None:
    commands = (serve, tail, export, verify)

    known = {str(parameter.envvar) for command in commands for parameter in command.params if parameter.envvar}
    assert {name for name in known if f"`{name}`" not in README.text} == set()


def test_readme_shows_what_differs() -> None:
    assert says("a … c", "a b c")
    assert not says("a … c", "a b d")
