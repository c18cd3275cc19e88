"""A page of documentation as its reader follows it: each block in its order, and whether what comes out is what the page shows.

`test_readme.py` and `test_docs_traffic.py` use it.
"""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ADDRESS = "127.0.0.1:8080"
"""Where the pages have the fake."""

SCRIPTS = Path(sysconfig.get_path("scripts"))


@dataclass
class Block:
    """A fenced block: its language, what follows that on the line, and its text."""

    language: str
    label: str
    text: str
    line: int


@dataclass
class Page:
    """A page in Markdown; `name` is for messages."""

    name: str
    text: str

    def blocks(self) -> list[Block]:
        return [
            Block(match[1], match[2].strip(), match[3], self.text.count("\n", 0, match.start()) + 1)
            for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)
        ]

    def commands(self, block: Block) -> list[tuple[str, str]]:
        """The commands of a console block, each with the output that the page shows."""
        parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
        assert not parts[0], f"{self.name} line {block.line}: output before the first command"
        return [(command, output) for command, _, output in (part.partition("\n") for part in parts[1:])]

    def follow(
        self,
        reader: "Reader",
        run: Callable[[str], str | None],
        others: Mapping[str, Callable[[Block], str]] | None = None,
    ) -> None:
        """Do what the page says, block after block.

        run: gives a command's output, None where there is nothing to compare; others: that of a block of another language.
        """
        got = ""
        for block in self.blocks():
            where = f"{self.name} line {block.line}"
            if block.language == "console":
                for command, output in self.commands(block):
                    ran = run(command)
                    if ran is not None:
                        got = ran
                        assert says(output, got), f"{where}: {command}\n{got}"
            elif block.language == "python":
                program = reader.folder / (block.label.removeprefix("file=") or "snippet.py")
                program.write_text(reader.own(block.text))
                got = "" if block.label else reader.run([sys.executable, str(program)])
            elif block.language == "json":
                (reader.folder / block.label.removeprefix("file=")).write_text(block.text)
            elif block.language == "output":
                assert says(block.text, got), f"{where}:\n{got}"
            elif others is not None and block.language in others:
                got = others[block.language](block)
            else:
                pytest.fail(f"{where}: nobody runs a block of {block.language!r}")


@dataclass
class Reader:
    """Somebody who follows a page in a folder, with a fake on an address of their own."""

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


def new_reader(folder: Path, address: str) -> Reader:
    """One whose home is the folder, and who has `mparticle-fake` not on the PATH."""
    return Reader(
        folder,
        address,
        os.environ
        | {
            "XDG_STATE_HOME": str(folder / "state"),
            "HOME": str(folder),
            "COLUMNS": "100",
            "MPARTICLE_FAKE_URL": f"http://{address}",
            # A reader has no pytest-asyncio, which warns.
            "PYTEST_ADDOPTS": "-p no:asyncio",
            "PATH": os.pathsep.join(
                part for part in os.environ["PATH"].split(os.pathsep) if not (Path(part) / "mparticle-fake").exists()
            ),
        },
    )


def says(expected: str, got: str) -> bool:
    """Whether the output is what a page shows; `…` stands for anything."""
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, got.strip(), re.DOTALL) is not None
