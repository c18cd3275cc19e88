"""The command line as a person meets it: a process of its own, its output and its exit status."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from mparticle_fake_server import FakeServer
from tests.hosts import batch, event

COMMAND = shutil.which("mparticle-fake", path=sysconfig.get_path("scripts")) or "mparticle-fake"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts commands that are killed at the end if they still run; the state directory is the test's own."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path), "COLUMNS": "300"} | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def run(start: Start, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command that ends by itself."""
    process = start(*arguments, **environment)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def serving(start: Start, *arguments: str) -> "tuple[subprocess.Popen[str], str, list[str]]":
    """A `serve` on a free port, its URL, and the lines it printed before the empty one."""
    process = start("serve", "--port", "0", *arguments)
    assert process.stderr is not None
    lines = []
    while line := process.stderr.readline().rstrip("\n"):
        lines.append(line)
    found = re.search(r"serves on (http://\S+)", "\n".join(lines))
    assert found, [*lines, process.stderr.read()]
    return process, found[1], lines


def upload(url: str, content: Any, auth: tuple[str, str] = ("key", "secret")) -> int:
    return requests.post(f"{url}/v2/events", json=content, auth=auth, timeout=10).status_code


# -- serve -----------------------------------------------------------------------------------------------------------------


def test_serve_prints_what_to_try_next(start: Start) -> None:
    _, url, lines = serving(start, "--store", "memory")

    text = "\n".join(lines)
    assert f"curl -i -u key:secret {url}/v2/events" in text
    assert f"mparticle-fake tail --url {url}" in text
    assert f"configuration.host = '{url}/v2'" in text


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_first_command_that_serve_prints_works(start: Start) -> None:
    _, _, lines = serving(start, "--store", "memory")
    command = next(line for line in lines if "curl -i" in line)

    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=20)

    assert answer.stdout.startswith("HTTP/1.1 202 ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly_on_a_signal(start: Start, number: signal.Signals) -> None:
    process, url, _ = serving(start, "--store", "memory")
    upload(url, batch())

    process.send_signal(number)
    out, err = process.communicate(timeout=20)

    assert (process.returncode, out, err) == (0, "", "")


def test_serve_records_into_the_state_directory_and_finds_it_again(start: Start, tmp_path: Path) -> None:
    process, url, _ = serving(start)
    upload(url, batch())
    process.terminate()
    process.wait(timeout=20)

    _, url, _ = serving(start)

    assert len(requests.get(f"{url}/_fake/batches", timeout=10).json()["items"]) == 1
    assert list(tmp_path.rglob("fake.db"))


def test_a_second_serve_on_a_store_refuses_and_names_the_first(start: Start, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/one.db"
    first, _, _ = serving(start, "--store", store)

    status, out, err = run(start, "serve", "--port", "0", "--store", store)

    assert (status, out) == (1, "")
    assert f"one.db is in use by process {first.pid}" in err


def test_a_port_in_use_is_told_in_one_line(start: Start) -> None:
    with FakeServer() as server:
        status, _, err = run(start, "serve", "--port", str(server.port), "--store", "memory")

    assert status == 1
    assert err == (
        f"Error: Port {server.port} on 127.0.0.1 is in use. "
        "Stop the program that listens there, or choose another port with --port.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "0<=x<=65535"),
        (["--mode", "hard"], "'faithful', 'strict', 'lenient'"),
        (["--keep", "0"], "x>=1"),
        (["--store", "mysql://x"], "neither 'memory' nor 'sqlite:///FILE'"),
        (["--credential", "key"], "expected KEY:SECRET or KEY:SECRET@WORKSPACE"),
        (["--sotre", "memory"], "--store"),
    ],
)
def test_wrong_usage_exits_with_2_and_tells_the_right_one(start: Start, arguments: list[str], told: str) -> None:
    status, out, err = run(start, "serve", *arguments)

    assert (status, out) == (2, "")
    assert told in err


def test_credentials_name_inputs_and_workspaces(start: Start) -> None:
    _, url, _ = serving(start, "--store", "memory", "--credential", "a:s", "--credential", "b:s:t@shop", "--known-keys-only")

    statuses = [upload(url, batch(), auth) for auth in [("a", "s"), ("b", "s:t"), ("a", "x"), ("c", "s")]]

    assert statuses == [202, 202, 403, 403]
    items = requests.get(f"{url}/_fake/batches", timeout=10).json()["items"]
    assert [item["workspace"] for item in items] == ["default", "shop"]


def test_serve_prints_what_arrives_if_told_to(start: Start) -> None:
    process, url, _ = serving(start, "--store", "memory", "--tail")
    assert process.stderr is not None

    upload(url, batch(events=[event("Play\x1b[31m")]))

    line = process.stderr.readline()
    assert "202 accepted key  customer_id=c1  custom_event 'Play\\x1b[31m'  #1.0" in line


def test_on_another_address_serve_prints_a_token(start: Start) -> None:
    _, url, lines = serving(start, "--store", "memory", "--host", "0.0.0.0")
    token = next(line.split()[1] for line in lines if line.startswith("  token"))
    url = url.replace("0.0.0.0", "127.0.0.1")

    assert requests.get(f"{url}/_fake/batches", timeout=10).status_code == 401
    assert requests.get(f"{url}/_fake/batches?token={token}", timeout=10).status_code == 200


# -- tail ------------------------------------------------------------------------------------------------------------------


def test_tail_in_a_pipe_prints_a_batch_a_line(start: Start) -> None:
    with FakeServer() as server:
        upload(server.url, batch())
        process = start("tail", "--url", server.url, "--after", "0")
        assert process.stdout is not None

        item = json.loads(process.stdout.readline())

    assert (item["id"], item["verdict"]) == ("1.0", "accepted")


def test_tail_shows_batches_as_they_arrive(start: Start) -> None:
    with FakeServer() as server:
        process = start("tail", "--url", server.url, "--after", "0")
        assert process.stdout is not None
        for number in (1, 2):
            upload(server.url, batch())
            assert json.loads(process.stdout.readline())["id"] == f"{number}.0"


def test_tail_tells_of_a_refused_request_on_stderr(start: Start) -> None:
    with FakeServer() as server:
        requests.post(f"{server.url}/v2/events", data=b"{", timeout=10)
        process = start("tail", "--url", server.url, "--after", "0")
        assert process.stderr is not None

        lines = process.stderr.readline() + process.stderr.readline()

    assert "401 rejected" in lines
    assert "credentials_missing" in lines


def test_tail_keeps_to_filters(start: Start) -> None:
    with FakeServer() as server:
        upload(server.url, batch())
        upload(server.url, batch(events=[event("Wanted")]))
        process = start("tail", "--url", server.url, "--after", "0", "event_name=Wanted")
        assert process.stdout is not None

        assert json.loads(process.stdout.readline())["id"] == "2.0"


def test_tail_ends_when_the_server_stops(start: Start) -> None:
    with FakeServer() as server:
        process = start("tail", "--url", server.url, "--after", "0")
        upload(server.url, batch())
        assert process.stdout is not None
        process.stdout.readline()
    _, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, "The server ended the stream.\n")


def test_tail_ends_cleanly_on_ctrl_c(start: Start) -> None:
    with FakeServer() as server:
        upload(server.url, batch())
        process = start("tail", "--url", server.url, "--after", "0")
        assert process.stdout is not None
        process.stdout.readline()

        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)

    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize("command", ["tail", "export"])
def test_a_wrong_filter_is_told_with_the_valid_ones(start: Start, command: str) -> None:
    with FakeServer() as server:
        status, out, err = run(start, command, "--url", server.url, "event_nam=x")

    assert (status, out) == (1, "")
    assert "Did you mean event_name?" in err


@pytest.mark.parametrize("command", ["tail", "export"])
def test_a_filter_without_a_value_is_wrong_usage(start: Start, command: str) -> None:
    status, _, err = run(start, command, "event_name")

    assert status == 2
    assert "is not NAME=VALUE" in err


@pytest.mark.parametrize("command", ["tail", "export"])
def test_without_a_server_the_command_tells_how_to_start_one(start: Start, command: str) -> None:
    with FakeServer() as server:
        url = server.url

    status, out, err = run(start, command, "--url", url)

    assert (status, out) == (1, "")
    assert err == f"Error: No server answers at {url}. Start one with 'mparticle-fake serve', or name it with --url.\n"


def test_a_token_is_taken_from_the_environment(start: Start) -> None:
    with FakeServer(token="t0ken") as server:
        assert run(start, "export", "--url", server.url)[0] == 1
        assert run(start, "export", "--url", server.url, MPARTICLE_FAKE_TOKEN="t0ken")[0] == 0


# -- export ----------------------------------------------------------------------------------------------------------------


def test_export_writes_a_batch_a_line(start: Start) -> None:
    with FakeServer() as server:
        for _ in range(3):
            upload(server.url, batch())

        status, out, err = run(start, "export", "--url", server.url)

    assert (status, err) == (0, "Exported 3 batches.\n")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["1.0", "2.0", "3.0"]


def test_export_into_a_file_leaves_no_part_behind(start: Start, tmp_path: Path) -> None:
    with FakeServer() as server:
        upload(server.url, batch())

        run(start, "export", "--url", server.url, "-o", str(tmp_path / "out.ndjson"))

    assert len((tmp_path / "out.ndjson").read_text().splitlines()) == 1
    assert not list(tmp_path.glob("*.part"))


def test_export_into_a_directory_that_is_not_there_is_a_clear_error(start: Start, tmp_path: Path) -> None:
    with FakeServer() as server:
        status, _, err = run(start, "export", "--url", server.url, "-o", str(tmp_path / "no" / "out.ndjson"))

    assert status == 1
    assert "cannot be written: No such file or directory" in err


# -- the command itself ----------------------------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    heavy = {"flask", "uvicorn", "sqlalchemy", "rich", "requests"}
    code = f"import sys, mparticle_fake_server.cli; print(sorted({heavy} & set(sys.modules)))"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert found.stdout == "[]\n"


def test_the_version_is_told(start: Start) -> None:
    status, out, _ = run(start, "--version")

    assert status == 0
    assert re.fullmatch(r"mparticle-fake, version \d+\.\d+\.\d+\n", out)
