"""Every command and snippet of README runs, in its order, against one fake, and prints what README says (`…`: anything)."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mparticle_fake_server.app import Options
from mparticle_fake_server.cli import serve
from tests.conftest import CHECKOUT, RealPart

README = (CHECKOUT / "README.md").read_text()
ADDRESS = "127.0.0.1:8080"
SCRIPTS = Path(sysconfig.get_path("scripts"))
ON_ITS_OWN = {
    "make test": "continuous integration runs it, and with it this test",
}


@dataclass
class Block:
    """A fenced block: its language, what follows that on the line, and its text."""

    language: str
    label: str
    text: str
    line: int


def blocks() -> list[Block]:
    return [
        Block(match[1], match[2].strip(), match[3], README.count("\n", 0, match.start()) + 1)
        for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    ]


def commands(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that README shows."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert not parts[0], f"README line {block.line}: output before the first command"
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts[1:])]


def says(expected: str, got: str) -> bool:
    """Whether the output is what README shows."""
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, got.strip(), re.DOTALL) is not None


@dataclass
class Reader:
    """Somebody who follows README, on a port of their own."""

    folder: Path
    address: str
    environment: dict[str, str]

    def own(self, text: str) -> str:
        return text.replace(ADDRESS, self.address).replace(".venv/bin/", f"{SCRIPTS}/")

    def run(self, command: str | list[str]) -> str:
        """stdout and stderr of a command, which has to succeed."""
        done = subprocess.run(
            command if isinstance(command, list) else ["sh", "-c", self.own(command)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}: exit status {done.returncode}\n{done.stdout}"
        return done.stdout.replace(self.address, ADDRESS)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "HOME": str(tmp_path),
        "COLUMNS": "100",
        "MPARTICLE_FAKE_URL": f"http://127.0.0.1:{port}",
        "NODE_PATH": str(CHECKOUT / "tests/clients/node/node_modules"),
        # README's reader has activated no environment.
        "PATH": os.pathsep.join(
            part for part in os.environ["PATH"].split(os.pathsep) if not (Path(part) / "mparticle-fake").exists()
        ),
    }
    return Reader(tmp_path, f"127.0.0.1:{port}", environment)


@pytest.fixture
def served(reader: Reader) -> Iterator[str]:
    """`make serve`, as long as the test needs it; its output up to the first empty line."""
    port = reader.address.rpartition(":")[2]
    # In another environment than .venv, make would first install into that one.
    in_venv = Path(sys.prefix) == CHECKOUT / ".venv"
    command = (
        ["make", "--silent", "serve", f"PORT={port}"] if in_venv else [str(SCRIPTS / "mparticle-fake"), "serve", "--port", port]
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
    got = ""
    for block in blocks():
        if block.language == "console":
            for command, output in commands(block):
                if command == "make serve":
                    assert says(output, served), served
                elif command.startswith("python -m pip install"):
                    assert "Would install mparticle-testkit" in reader.run(_dry_run(command, tmp_path))
                elif command not in ON_ITS_OWN:
                    got = reader.run(command)
                    assert says(output, got), f"README line {block.line}: {command}\n{got}"
        elif block.language == "python":
            program = tmp_path / (block.label.removeprefix("file=") or "snippet.py")
            program.write_text(reader.own(block.text))
            got = "" if block.label else reader.run([sys.executable, str(program)])
        elif block.language == "json":
            (tmp_path / block.label.removeprefix("file=")).write_text(block.text)
        elif block.language == "js":
            (tmp_path / "snippet.js").write_text(reader.own(block.text))
            got = reader.run(["node", "snippet.js"]) if has_node else "202"
        elif block.language == "output":
            assert says(block.text, got), f"README line {block.line}:\n{got}"
        else:
            pytest.fail(f"README line {block.line}: nobody runs a block of {block.language!r}")
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
    assert f"$ {command}\n" in README


def test_readme_names_every_option_of_python_and_of_the_command_line() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `.*?` \| `(--[\w-]+)`", README, re.MULTILINE)

    known = {flag for parameter in serve.params for flag in parameter.opts}
    assert {name for name, _ in rows} == set(Options.__annotations__)
    assert {flag for _, flag in rows} == known - {"--host", "--port", "--tail", "--tls", "--tls-port", "--tls-name"}


@pytest.mark.parametrize("made", ["first_run.py", "package.json", "package-lock.json", "node_modules/mparticle/package.json"])
def test_git_ignores_what_readme_has_its_reader_make(made: str) -> None:
    done = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", made], cwd=CHECKOUT, check=False, timeout=20)

    assert done.returncode == 0


def test_readme_shows_what_differs() -> None:
    assert says("a … c", "a b c")
    assert not says("a … c", "a b d")
