"""What `serve` prints for somebody who works on a page."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests


@pytest.fixture
def served(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A running `mparticle-fake serve` that prints what arrives."""
    command = [sys.executable, "-m", "mparticle_fake_server", "serve", "--port", "0", "--store", "memory", "--tail"]
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path), "COLUMNS": "200"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as process:
        yield process
        process.terminate()
        process.communicate(timeout=20)


def banner(served: "subprocess.Popen[str]") -> str:
    """What it prints up to the first empty line."""
    assert served.stderr is not None
    lines: list[str] = []
    while (line := served.stderr.readline()) != "\n":
        assert line, f"serve ended: {''.join(lines)}"
        lines.append(line)
    return "".join(lines)


def test_serve_prints_where_the_configuration_of_an_sdk_is(served: "subprocess.Popen[str]") -> None:
    (command,) = re.findall(r"^  curl '(\S+/_fake/snippet/web)'$", banner(served), re.MULTILINE)

    assert "window.mParticle" in requests.get(command, timeout=10).text


def test_serve_prints_no_preflight_that_is_allowed(served: "subprocess.Popen[str]") -> None:
    found = re.search(r"serves on (\S+)", banner(served))
    assert found is not None
    headers = {"Origin": "http://localhost:8000", "Access-Control-Request-Method": "POST"}
    requests.options(f"{found[1]}/v1/identify", headers=headers, timeout=10).raise_for_status()
    requests.get(f"{found[1]}/JS/v2/my-key/config", timeout=10).raise_for_status()

    assert served.stderr is not None
    assert "GET /JS/v2/my-key/config" in served.stderr.readline()


def test_serve_prints_a_request_of_a_page_that_is_refused(served: "subprocess.Popen[str]") -> None:
    found = re.search(r"serves on (\S+)", banner(served))
    assert found is not None

    requests.options(f"{found[1]}/v1/idntify", timeout=10)

    assert served.stderr is not None
    assert "OPTIONS /v1/idntify" in served.stderr.readline()
