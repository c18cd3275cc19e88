"""The command line as a person meets it: a process of its own, its output and its exit status."""

import gzip
import json
import os
import pty
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator

from mparticle_fake_server import FakeServer
from tests.conftest import CHECKOUT, RealPart
from tests.hosts import batch, event

COMMAND = shutil.which("mparticle-fake", path=sysconfig.get_path("scripts")) or "mparticle-fake"
PATH = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if not shutil.which("mparticle-fake", path=part))
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts commands that are killed at the end if they still run; the state directory is the test's own."""
    started: list[subprocess.Popen[str]] = []

    surroundings = {"XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path), "COLUMNS": "300", "PATH": PATH}

    def start(
        *arguments: str,
        command: str = COMMAND,
        folder: Path = tmp_path,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        **environment: str,
    ) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [command, *arguments],
            stdout=stdout,
            stderr=stderr,
            text=True,
            cwd=folder,
            env=os.environ | surroundings | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def run(start: Start, *arguments: str, **environment: Any) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command that ends by itself."""
    process = start(*arguments, **environment)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def serving(start: Start, *arguments: str, **surroundings: Any) -> "tuple[subprocess.Popen[str], str, list[str]]":
    """A `serve` on a free port, its URL, and the lines it printed before the empty one."""
    process = start("serve", "--port", "0", *arguments, **surroundings)
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
    assert f"{COMMAND} tail --url {url}" in text
    assert f"configuration.host = '{url}/v2'" in text


@pytest.mark.parametrize("client", ["web", "python"])
def test_serve_prints_the_configuration_of_the_sdk_that_is_asked_for(start: Start, client: str) -> None:
    process, url, _ = serving(start, "--store", "memory", "--snippet", client, "--credential", "shop:s3cret")

    told = requests.get(f"{url}/_fake/snippet/{client}", timeout=10).text
    assert process.stderr is not None
    assert process.stderr.read(len(told)) == told
    assert "shop" in told
    assert "s3cret" not in told


def test_a_command_below_the_folder_is_printed_with_its_path_from_there(start: Start) -> None:
    environment = Path(COMMAND).parents[1]

    _, url, lines = serving(start, "--store", "memory", folder=environment)

    assert f"  bin/mparticle-fake tail --url {url}" in lines


def test_a_command_in_this_very_folder_is_printed_so_that_a_shell_finds_it(start: Start) -> None:
    _, url, lines = serving(start, "--store", "memory", folder=Path(COMMAND).parent)

    assert f"  ./mparticle-fake tail --url {url}" in lines


def test_a_command_on_the_path_is_printed_by_its_name(start: Start) -> None:
    _, url, lines = serving(start, "--store", "memory", PATH=f"{Path(COMMAND).parent}{os.pathsep}{PATH}")

    assert f"  mparticle-fake tail --url {url}" in lines


def test_the_first_command_that_serve_prints_works(start: Start, real_part: RealPart) -> None:
    real_part(shutil.which("curl") is not None, "the command is one of curl")
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

    assert (process.returncode, out, err) == (0, "", "Stopped.\n")


def test_serve_tells_what_is_there_from_before_and_how_to_forget_it(start: Start) -> None:
    process, url, _ = serving(start)
    for _ in range(2):
        upload(url, batch())
    process.terminate()
    process.wait(timeout=20)

    _, url, lines = serving(start)

    told = f"requests 1 to 2 are there from before; to forget them: curl -X DELETE '{url}/_fake/batches'"
    assert lines[2].strip() == told


def test_serve_tells_of_nothing_from_before_once_that_is_forgotten(start: Start) -> None:
    process, url, _ = serving(start)
    upload(url, batch())
    requests.delete(f"{url}/_fake/batches", timeout=10)
    process.terminate()
    process.wait(timeout=20)

    _, _, lines = serving(start)

    assert "from before" not in "\n".join(lines)


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


def test_whoever_meets_a_store_in_use_is_told_how_to_do_without(start: Start, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/one.db"
    serving(start, "--store", store)

    _, _, err = run(start, "serve", "--port", "0", "--store", store)

    assert err.endswith(
        "choose another file with --store sqlite:///FILE, or none with --store memory "
        '(make serve ARGS="--store memory"), for this one.\n'
    )


def test_a_file_that_is_no_store_is_told_with_the_ways_out(start: Start, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 100)

    _, _, err = run(start, "serve", "--port", "0", "--store", f"sqlite:///{tmp_path}/text.db")

    assert err.endswith(', or none with --store memory (make serve ARGS="--store memory").\n')


def test_a_port_in_use_is_told_with_the_store_that_another_fake_has(start: Start) -> None:
    with FakeServer() as server:
        _, _, err = run(start, "serve", "--port", str(server.port))

    assert err.endswith('If that is a fake too, add --store memory: make serve PORT=… ARGS="--store memory".\n')


def test_a_port_in_use_is_told_in_one_line(start: Start) -> None:
    with FakeServer() as server:
        status, _, err = run(start, "serve", "--port", str(server.port), "--store", "memory")

    assert status == 1
    assert err == (
        f"Error: Port {server.port} on 127.0.0.1 is in use. "
        "Stop the program that listens there, or choose another port with --port (make serve PORT=…).\n"
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--port", "70000"], "0<=x<=65535"),
        (["--mode", "hard"], "'faithful', 'strict', 'lenient'"),
        (["--keep", "0"], "x>=1"),
        (["--store", "mysql://x"], "'mysql://x' is neither 'memory' nor 'sqlite:///FILE', for example sqlite:///fake.db."),
        (
            ["--store", "postgres://u:PW@h/db"],
            "'postgres://…@h/db' is neither 'memory' nor 'sqlite:///FILE', for example sqlite:///fake.db.",
        ),
        (["--store", "u:PW@h/db"], "'…@h/db' is neither 'memory' nor 'sqlite:///FILE', for example sqlite:///fake.db."),
        (["--store", "my/x.db"], "'my/x.db' is neither 'memory' nor 'sqlite:///FILE', for example sqlite:///my/x.db."),
        (["--store", ""], "'' is neither 'memory' nor 'sqlite:///FILE', for example sqlite:///fake.db."),
        (["--credential", "key"], "expected KEY:SECRET or KEY:SECRET@WORKSPACE"),
        (["--token", ""], "expected one or more ASCII characters without spaces"),
        (["--token", "two words"], "expected one or more ASCII characters without spaces"),
        (["--ignore", "identity_mising"], "No finding has the code 'identity_mising'; did you mean identity_missing?"),
        (["--known-keys-only"], "--known-keys-only would refuse every upload; name an input with --credential"),
        (["--sotre", "memory"], "--store"),
        (
            ["--host", "http://127.0.0.1"],
            "'http://127.0.0.1' is more than an address such as 127.0.0.1, or ::1; the port is named",
        ),
        (
            ["--host", "127.0.0.1:8080"],
            "'127.0.0.1:8080' is more than an address such as 127.0.0.1, or ::1; the port is named with",
        ),
        (["--port", "7001", "--tls-port", "7001"], "--port and --tls-port are both 7001, and HTTP and HTTPS need a port each"),
        (["--port", "8443", "--tls"], "--port and --tls-port are both 8443, and HTTP and HTTPS need a port each"),
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


@pytest.mark.parametrize("again", ["a:other", "a:s@shop", "a:s"])
def test_a_key_has_one_secret(start: Start, again: str) -> None:
    status, out, err = run(start, "serve", "--port", "0", "--credential", "a:s", "--credential", again)

    assert (status, out) == (2, "")
    assert "the key 'a' is there 2 times; an input has one secret." in err


@pytest.mark.parametrize(
    "arguments", [["demo", "--speed", "nan", "--port", "0"], ["send", "x", "--key", "k", "--secret", "s", "--patience", "nan"]]
)
def test_what_is_no_number_is_wrong_usage(start: Start, arguments: list[str]) -> None:
    status, out, err = run(start, *arguments)

    assert (status, out) == (2, "")
    assert "nan is no number." in err


def test_codes_can_be_silenced_and_raised(start: Start) -> None:
    _, url, _ = serving(
        start, "--store", "memory", "--mode", "strict", "--ignore", "environment_missing", "--error", "identity_missing"
    )

    upload(url, {"events": []})

    (found,) = requests.get(f"{url}/_fake/batches", timeout=10).json()["items"]
    assert [(finding["code"], finding["severity"]) for finding in found["findings"]] == [("identity_missing", "error")]
    assert found["status"] == 400


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


def test_a_token_is_part_of_every_command_that_wants_it(start: Start) -> None:
    _, url, lines = serving(start, "--store", "memory", "--token", "a&b")

    assert f"  curl '{url}/_fake/batches?token=a%26b'" in lines
    assert f"  {COMMAND} tail --url {url} --token 'a&b'" in lines


def test_a_token_on_loopback_is_not_said_to_be_for_others(start: Start) -> None:
    _, _, lines = serving(start, "--store", "memory", "--token", "abc")

    assert "  token         abc   (the inspect API asks for it)" in lines


def test_an_address_of_ipv6_is_printed_in_brackets(start: Start, real_part: RealPart) -> None:
    real_part(_has_ipv6(), "the address is one of IPv6")

    _, url, lines = serving(start, "--store", "memory", "--host", "::")

    assert re.fullmatch(r"http://\[::\]:\d+", url)
    assert f"  configuration.host = '{url.replace('[::]', '[::1]')}/v2'" in lines


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def test_a_secret_is_not_printed(start: Start) -> None:
    _, url, lines = serving(start, "--store", "memory", "--credential", "my-key:s3cret@shop")

    text = "\n".join(lines)
    assert "s3cret" not in text
    assert f"curl -i -u my-key:YOUR_SECRET {url}/v2/events" in text


def test_a_key_is_quoted_for_the_shell(start: Start) -> None:
    _, _, lines = serving(start, "--store", "memory", "--credential", "a $key:s")

    assert "curl -i -u 'a $key:YOUR_SECRET' http" in "\n".join(lines)


@pytest.mark.parametrize(
    ("options", "rest"),
    [
        ([], "other keys are taken too (--known-keys-only refuses them)"),
        (["--known-keys-only"], "other keys are refused"),
    ],
)
def test_serve_tells_what_becomes_of_other_keys(start: Start, options: list[str], rest: str) -> None:
    _, url, lines = serving(start, "--store", "memory", "--credential", "a:b@shop", *options)

    assert f"  credentials   as given with --credential; {rest}" in lines
    assert upload(url, batch(), ("other", "x")) == (403 if options else 202)


def test_serve_tells_into_which_workspaces_keys_go_as_a_secret_may_have_an_at_sign(start: Start) -> None:
    _, _, lines = serving(start, "--store", "memory", "--credential", "a:x", "--credential", "key:p@ss", "--credential", "b:y@ss")

    assert "                into the workspace 'default': a" in lines
    assert "                into the workspace 'ss': key, b" in lines


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ("serve", ["MPARTICLE_FAKE_TOKEN; default: (none on loopback, else a random one)"]),
        ("tail", ["MPARTICLE_FAKE_TOKEN", "MPARTICLE_FAKE_URL"]),
        ("export", ["MPARTICLE_FAKE_TOKEN", "MPARTICLE_FAKE_URL"]),
        ("verify", ["MPARTICLE_FAKE_TOKEN"]),
    ],
)
def test_help_names_the_variables_of_the_environment_that_count(start: Start, command: str, variables: list[str]) -> None:
    _, out, _ = run(start, command, "--help")

    assert all(f"[env var: {variable}" in " ".join(out.split()) for variable in variables)


def test_a_token_of_the_environment_counts_on_loopback_too(start: Start) -> None:
    _, url, _ = serving(start, "--store", "memory", MPARTICLE_FAKE_TOKEN="abc")

    assert requests.get(f"{url}/_fake/batches", timeout=10).status_code == 401


# -- explain ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "near"), [("unknown_membr", "Did you mean unknown_member?"), ("unknwn", "Without a CODE")])
def test_explain_proposes_only_a_code_that_is_near(start: Start, given: str, near: str) -> None:
    status, _, err = run(start, "explain", given)

    assert status == 2
    assert f"no finding has the code '{given}'. {near}" in err


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


def test_tail_waits_for_a_server_that_stops_and_resumes_with_what_came_since(start: Start, tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/one.db"
    with FakeServer(store=store) as server:
        upload(server.url, batch())
        process = start("tail", "--url", server.url, "--after", "0")
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["id"] == "1.0"

    with FakeServer(port=server.port, store=store):
        upload(server.url, batch())
        shown = json.loads(process.stdout.readline())["id"]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)

    assert shown == "2.0"
    assert err == f"The server ended the stream; waiting for it at {server.url} …\n{server.url} answers again.\n"


def test_tail_shows_all_that_a_server_has_whose_store_is_new(start: Start) -> None:
    with FakeServer() as server:
        for _ in range(9):
            upload(server.url, batch())
        process = start("tail", "--url", server.url, "--after", "8")
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["id"] == "9.0"

    with FakeServer(port=server.port):
        upload(server.url, batch())

        assert json.loads(process.stdout.readline())["id"] == "1.0"


def test_tail_tells_once_that_it_waits(start: Start) -> None:
    with FakeServer() as server:
        upload(server.url, batch())
        process = start("tail", "--url", server.url, "--after", "0")
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
    told = process.stderr.readline()
    # Two attempts later: each is a connection that is taken and closed.
    with socket.create_server(("127.0.0.1", server.port)) as deaf:
        for _ in range(2):
            deaf.accept()[0].close()

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert (told, err) == (f"The server ended the stream; waiting for it at {server.url} …\n", "")


def test_tail_ends_if_the_server_that_comes_back_refuses_it(start: Start) -> None:
    with FakeServer() as server:
        upload(server.url, batch())
        process = start("tail", "--url", server.url, "--after", "0")
        assert process.stdout is not None
        process.stdout.readline()

    with FakeServer(port=server.port, token="t0ken"):
        _, err = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "--token TOKEN" in err


def test_tail_on_a_terminal_tells_what_it_watches(start: Start) -> None:
    ours, theirs = pty.openpty()
    with FakeServer() as server, open(ours, encoding="utf-8") as terminal:  # noqa: PTH123  # a descriptor has no path
        start("tail", "--url", server.url, stderr=theirs)
        os.close(theirs)

        assert terminal.readline() == f"Watching {server.url} (Ctrl-C stops).\n"


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
    assert err == f"Error: No server answers at {url}. Start one with '{COMMAND} serve', or name it with --url.\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["validate", "http://x"],
            "'http://x' is a URL; expected a file. What a fake has received: `mparticle-fake export --url URL",
        ),
        (["verify", "--manifest", "http://x", "--against", "a"], "expected a file. A running fake is named with --against."),
        (
            ["send", "http://x", "--key", "k", "--secret", "s"],
            "'http://x' is a URL; expected a file. The server is named with --to.",
        ),
        (
            ["generate", "--users", "1", "-o", "https://x"],
            "expected a file. `mparticle-fake send FILE --to URL` uploads what is gen",
        ),
        (
            ["generate", "--users", "1", "--manifest", "http://x"],
            "`verify --manifest FILE --against URL` compares what a fake rec",
        ),
        (["generate", "--users", "1", "--catalogue", "http://x"], "expected a file. `curl -o FILE URL` makes one of it."),
        (["export", "http://x"], "'http://x' is a URL; name the server with --url."),
        (["tail", "http://x?a=b"], "'http://x?a=b' is a URL; name the server with --url."),
        (["export", "-o", "http://x"], "'http://x' is a URL; expected a file. The server to ask is named with --url."),
        (
            ["demo", "--host", "http://x"],
            "'http://x' is more than an address such as 127.0.0.1, or ::1; the port is named with --port",
        ),
    ],
    ids=lambda each: " ".join(each[:2]) if isinstance(each, list) else "",
)
def test_a_url_where_none_belongs_is_told_with_its_place(start: Start, arguments: list[str], told: str) -> None:
    status, out, err = run(start, *arguments)

    assert (status, out) == (2, "")
    assert told in err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [(["tail", "--to", "x"], "--url"), (["send", "--url", "x"], "--to"), (["verify", "--url", "x"], "--against")],
    ids=["tail", "send", "verify"],
)
def test_the_option_for_the_server_of_another_command_leads_to_that_of_this_one(
    start: Start, arguments: list[str], meant: str
) -> None:
    status, _, err = run(start, *arguments)

    assert (status, err.splitlines()[-1]) == (2, f"Error: No such option '{arguments[1]}'. Did you mean '{meant}'?")


@pytest.mark.parametrize(
    "arguments", [["validate", ""], ["export", "-o", ""], ["send", "", "--key", "k", "--secret", "s"], ["generate", "-o", ""]]
)
def test_a_file_without_a_name_is_wrong_usage(start: Start, tmp_path: Path, arguments: list[str]) -> None:
    status, _, err = run(start, *arguments)

    assert (status, err.endswith("the name of the file is empty.\n")) == (2, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("filter", "told"), [("workspace=shpo", "No workspace 'shpo' is known."), ("after=9", "after=9 is of ano")]
)
def test_export_prints_the_hint_of_the_server(start: Start, filter: str, told: str) -> None:
    with FakeServer() as server:
        upload(server.url, batch())

        status, _, err = run(start, "export", "--url", server.url, filter)

    first, hint = err.splitlines()
    assert (status, first[:8], hint[: len(told)]) == (0, "Exported", told)


def test_tail_after_a_place_that_the_server_never_had_says_so(start: Start) -> None:
    with FakeServer() as server:
        upload(server.url, batch())
        process = start("tail", "--url", server.url, "--after", "9")
        assert process.stdout is not None
        assert process.stderr is not None

        assert process.stderr.readline().startswith("after=9 is of another store")
        assert '"id":"1.0"' in process.stdout.readline()


@pytest.mark.parametrize("command", ["tail", "export"])
@pytest.mark.parametrize("url", ["foo", "localhost:8080", "ftp://localhost", "http://", "http://[", ""])
def test_an_address_without_http_is_wrong_usage(start: Start, command: str, url: str) -> None:
    status, out, err = run(start, command, "--url", url)

    assert (status, out) == (2, "")
    assert f"{url!r} does not begin with http:// or https:// and a host" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "--url", "http://user:hunter2@127.0.0.1:9"],
        ["tail", "--url", "http://user:hunter2@127.0.0.1:9"],
        ["export", "--url", "ftp://user:hunter2@h"],
        ["export", "http://user:hunter2@h"],
        ["export", "-o", "HTTP://user:hunter2@h"],
    ],
    ids=" ".join,
)
def test_the_password_of_a_url_is_not_told(start: Start, arguments: list[str]) -> None:
    status, _, err = run(start, *arguments)

    assert status
    assert "://…@" in err
    assert "hunter2" not in err


def test_the_password_of_a_url_that_is_no_fake_is_not_told(start: Start) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever).start()
        status, _, err = run(start, "export", "--url", f"http://user:hunter2@127.0.0.1:{server.server_port}")
        server.shutdown()

    assert (status, "://…@" in err, "hunter2" in err) == (1, True, False)
    assert err.endswith("answered 501: is it a fake mParticle?\n")


@pytest.mark.parametrize("command", ["tail", "export"])
def test_whoever_lacks_the_token_is_told_the_option(start: Start, command: str) -> None:
    with FakeServer(token="t0ken") as server:
        status, _, err = run(start, command, "--url", server.url)

    assert status == 1
    assert err.endswith(" Here: --token TOKEN, or MPARTICLE_FAKE_TOKEN in the environment.\n")


def test_a_token_is_taken_from_the_environment(start: Start) -> None:
    with FakeServer(token="t0ken") as server:
        assert run(start, "export", "--url", server.url)[0] == 1
        assert run(start, "export", "--url", server.url, MPARTICLE_FAKE_TOKEN="t0ken")[0] == 0


# -- https ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_ca_that_the_environment_names_is_trusted(start: Start, tmp_path: Path, name: str) -> None:
    with FakeServer(tls=tmp_path) as server:
        upload(server.url, batch())

        status, out, err = run(start, "export", "--url", server.tls_url, **{"REQUESTS_CA_BUNDLE": "", name: str(server.ca_path)})

    assert (status, err) == (0, "Exported 1 batch.\n")
    assert json.loads(out)["id"] == "1.0"


def test_whoever_does_not_trust_the_certificate_is_told_how_to(start: Start, tmp_path: Path) -> None:
    with FakeServer(tls=tmp_path) as server:
        status, out, err = run(start, "export", "--url", server.tls_url)

        assert (status, out) == (1, "")
        assert err.startswith(f"Error: The certificate of {server.tls_url} is not trusted here.")
        assert f"'{COMMAND} ca --out ca.pem' writes the CA, and REQUESTS_CA_BUNDLE=ca.pem in the environment trusts it." in err


def test_https_at_the_http_port_is_told_as_what_it_is(start: Start) -> None:
    with FakeServer() as server:
        status, _, err = run(start, "export", "--url", server.url.replace("http:", "https:"))

    assert status == 1
    assert err == f"Error: https://127.0.0.1:{server.port} speaks no TLS, as it seems; ask it at its http:// address.\n"


def test_a_ca_of_the_environment_that_is_not_there_is_told(start: Start, tmp_path: Path) -> None:
    with FakeServer(tls=tmp_path) as server:
        status, _, err = run(start, "export", "--url", server.tls_url, REQUESTS_CA_BUNDLE="no.pem")

    assert (status, err) == (1, "Error: REQUESTS_CA_BUNDLE in the environment names no.pem, which is not there.\n")


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


def test_export_into_a_file_whose_name_ends_with_gz_is_compressed(start: Start, tmp_path: Path) -> None:
    with FakeServer() as server:
        upload(server.url, batch())

        status, _, err = run(start, "export", "--url", server.url, "-o", str(tmp_path / "out.ndjson.gz"))

    assert (status, err) == (0, "Exported 1 batch.\n")
    assert json.loads(gzip.decompress((tmp_path / "out.ndjson.gz").read_bytes()))["verdict"] == "accepted"


@pytest.mark.parametrize("command", [("export",), ("tail", "--after", "0")])
def test_a_stdout_that_is_full_is_told_in_one_line(start: Start, command: tuple[str, ...]) -> None:
    _, url, _ = serving(start, "--store", "memory")
    upload(url, batch())

    with Path("/dev/full").open("w") as full:
        status, _, err = run(start, *command, "--url", url, stdout=full.fileno())

    assert (status, err) == (2, "Error: stdout cannot be written: No space left on device.\n")


def test_export_into_a_directory_that_is_not_there_is_a_clear_error(start: Start, tmp_path: Path) -> None:
    with FakeServer() as server:
        status, _, err = run(start, "export", "--url", server.url, "-o", str(tmp_path / "no" / "out.ndjson"))

    assert status == 1
    assert err == f"Error: {tmp_path}/no/out.ndjson cannot be written: there is no directory {tmp_path}/no.\n"


def test_export_never_touches_a_file_that_is_called_like_a_part_of_it(start: Start, tmp_path: Path) -> None:
    (tmp_path / "out.ndjson.part").write_text("mine")
    with FakeServer() as server:
        run(start, "export", "--url", server.url, "-o", str(tmp_path / "out.ndjson"))

    assert (tmp_path / "out.ndjson.part").read_text() == "mine"


def test_export_through_a_link_writes_the_file_it_points_to(start: Start, tmp_path: Path) -> None:
    (tmp_path / "real.ndjson").write_text("old")
    (tmp_path / "link.ndjson").symlink_to("real.ndjson")
    with FakeServer() as server:
        upload(server.url, batch())

        run(start, "export", "--url", server.url, "-o", str(tmp_path / "link.ndjson"))

    assert (tmp_path / "link.ndjson").is_symlink()
    assert json.loads((tmp_path / "real.ndjson").read_text())["id"] == "1.0"


def test_export_keeps_the_mode_of_a_file_that_it_replaces(start: Start, tmp_path: Path) -> None:
    target = tmp_path / "out.ndjson"
    target.touch(0o600)
    with FakeServer() as server:
        run(start, "export", "--url", server.url, "-o", str(target))

    assert target.stat().st_mode & 0o777 == 0o600


def test_export_writes_into_a_named_pipe(start: Start, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    with FakeServer() as server:
        upload(server.url, batch())

        run(start, "export", "--url", server.url, "-o", str(pipe))

    reader.join(20)
    assert json.loads(read[0])["id"] == "1.0"
    assert pipe.is_fifo()


def test_export_of_an_answer_that_breaks_off_blames_the_server_and_leaves_no_file(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        process = start("export", "--url", url, "-o", str(tmp_path / "out.ndjson"))
        connection, _ = server.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}\n{}\r\n")
        _, err = process.communicate(timeout=20)

    assert err == f"Error: {url} closed the connection in the middle of its answer.\n"
    assert not list(tmp_path.glob("out.ndjson*"))


# -- schema ----------------------------------------------------------------------------------------------------------------


def test_schema_prints_one_document(start: Start) -> None:
    status, out, _ = run(start, "schema", "product")

    assert status == 0
    assert json.loads(out)["title"] == "Product"


def test_schema_prints_all_documents_by_name(start: Start) -> None:
    _, out, _ = run(start, "schema")

    assert {"batch", "event", "product"} <= set(json.loads(out))


def test_the_bundle_is_all_that_another_tool_needs(start: Start) -> None:
    _, out, _ = run(start, "schema", "--bundle")

    validator = Draft202012Validator(json.loads(out))
    assert validator.is_valid({"environment": "development"})
    assert not validator.is_valid({"environment": "test"})


def test_an_unknown_document_is_refused_with_those_that_there_are(start: Start) -> None:
    status, _, err = run(start, "schema", "prodct")

    assert status == 2
    assert "'prodct' is none of batch, application_info," in err


# -- the command itself ----------------------------------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    heavy = {"flask", "uvicorn", "sqlalchemy", "rich", "requests", "jsonschema", "jsonschema_rs"}
    code = f"import sys, mparticle_fake_server.cli; print(sorted({heavy} & set(sys.modules)))"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert found.stdout == "[]\n"


def test_the_list_of_commands_cuts_no_summary(start: Start) -> None:
    _, out, _ = run(start, "--help", COLUMNS="80")

    summaries = out.partition("Commands:\n")[2].splitlines()
    assert len(summaries) == 11
    assert all(not summary.endswith("...") for summary in summaries)


def test_the_version_is_told(start: Start) -> None:
    status, out, _ = run(start, "--version")

    assert status == 0
    assert re.fullmatch(r"mparticle-fake, version \d+\.\d+\.\d+\n", out)


def test_the_package_runs_as_a_module(start: Start) -> None:
    status, out, _ = run(start, "-m", "mparticle_fake_server", "--version", command=sys.executable)

    assert (status, out.partition(",")[0]) == (0, "mparticle-fake")


# -- make ------------------------------------------------------------------------------------------------------------------


def old_python(path: Path) -> None:
    """This Python, as if it were 3.10."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "import sys; sys.version_info = (3, 10, 9); $2"\n')
    path.chmod(0o755)


def made(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit status and stderr of `make serve` with this Makefile in another folder."""
    shutil.copy(CHECKOUT / "Makefile", folder)
    (folder / "pyproject.toml").touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "serve", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    return done.returncode, done.stderr


def test_make_names_a_python_that_is_too_old(tmp_path: Path) -> None:
    old_python(tmp_path / "python3.10")

    status, said = made(tmp_path, "PYTHON=./python3.10")

    assert status == 2
    assert said.startswith("make: ./python3.10 is Python 3.10; name Python 3.11 or newer: make PYTHON=")
    assert not (tmp_path / ".venv").exists()


def test_make_leaves_an_environment_of_a_python_that_is_too_old_and_tells_the_way_out(tmp_path: Path) -> None:
    old_python(tmp_path / ".venv/bin/python")
    pip = tmp_path / ".venv/bin/pip"
    pip.write_text(f'#!/bin/sh\necho "pip 23.0 from {tmp_path}/.venv/lib/python3.10/site-packages/pip (python 3.10)"\n')
    pip.chmod(0o755)

    status, said = made(tmp_path)

    assert status == 2
    assert said.startswith(
        "make: .venv is of Python 3.10; this needs 3.11 or newer. 'make clean' removes it, then run make again."
    )
    assert pip.exists()


# -- stdout ----------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", [["validate"], ["explain"], ["schema"], ["--help"], ["--version"]])
def test_a_full_stdout_is_told_of(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [COMMAND, *arguments], input='{"events":[]}', stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=30
        )

    assert (done.returncode, done.stderr) == (2, "Error: stdout cannot be written: No space left on device.\n")


@pytest.mark.parametrize("arguments", [["schema"], ["validate"], ["generate", "--users", "1"]])
def test_a_closed_stdout_loses_the_output_and_nothing_else(arguments: list[str]) -> None:
    command = [COMMAND, *arguments]

    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command], input='{"events":[]}', capture_output=True, text=True, check=False, timeout=30
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False)


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", rb"w\xf6rld"), ("latin-1", b"w\xf6rld"), ("utf-8", b"w\xc3\xb6rld")])
def test_letters_that_the_terminal_lacks_are_shown_as_escapes(encoding: str, shown: bytes) -> None:
    body = '{"environment":"development","user_identities":{"customer_id":"c"},"wörld":"😀"}'.encode()

    done = subprocess.run(
        [COMMAND, "validate"],
        input=body,
        capture_output=True,
        check=False,
        timeout=30,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"unknown_member: " + shown in done.stdout


def test_a_locale_without_letters_beyond_ascii_has_them_escaped() -> None:
    done = subprocess.run(
        [COMMAND, "validate"],
        input='{"environment":"development","user_identities":{"customer_id":"c"},"wörld":1}'.encode(),
        capture_output=True,
        check=False,
        timeout=30,
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"unknown_member: w\xf6rld" in done.stdout


def test_ctrl_c_ends_validate_with_the_status_of_all_commands() -> None:
    with subprocess.Popen([COMMAND, "validate", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        # More than a pipe holds: when it is written, some of it was read.
        process.stdin.write(b'{"events":[]}\n' * 100_000)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)

    assert (process.returncode, said) == (130, b"Interrupted.\n")
