"""The pages on traffic and simulation: each command and snippet runs, in its order, and prints what they say."""

import os
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from mparticle_fake_server import FakeServer
from tests.conftest import CHECKOUT
from tests.fixtures.traffic import process
from tests.pages import ADDRESS, SCRIPTS, Page, Reader, new_reader, says

ENDLESS = "mparticle-fake demo"
"""It has a test of its own."""


def page(name: str) -> Page:
    return Page(f"docs/{name}.md", (CHECKOUT / "docs" / f"{name}.md").read_text())


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with FakeServer() as fake:
        reader = new_reader(tmp_path, f"{fake.host}:{fake.port}")
        reader.environment["PATH"] = os.pathsep.join([str(SCRIPTS), reader.environment["PATH"]])
        yield reader


@pytest.mark.parametrize("name", ["traffic", "simulation"])
def test_every_command_and_snippet_does_what_the_page_says(reader: Reader, name: str) -> None:
    page(name).follow(reader, lambda command: None if command == ENDLESS else reader.run(command))


def test_the_demo_greets_as_the_page_says(tmp_path: Path) -> None:
    traffic = page("traffic")
    ((command, shown),) = traffic.commands(traffic.blocks()[0])
    greeting, _, arrival = shown.partition("\n\n")

    with process(*command.split()[1:], "--port", "0", folder=tmp_path) as running:
        assert running.stderr is not None
        said = "".join(takewhile(str.strip, running.stderr))
        arrived = running.stderr.readline()
        running.terminate()

    # It calls itself by its path where PATH has it not.
    said = re.sub(r"\S*/mparticle-fake ", "mparticle-fake ", said)
    assert says(greeting, re.sub(r"127\.0\.0\.1:[0-9]+", ADDRESS, said))
    assert arrival.startswith("… 202 accepted demo  ")
    assert says("… 202 accepted demo  …", arrived)
