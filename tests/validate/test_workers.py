"""Several processes: the same report as with one, for everything that spans batches too."""

import os
import pty
import random
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mparticle_fake_server.checks import history
from mparticle_fake_server.checks.batch import has_type
from mparticle_fake_server.checks.history import History
from mparticle_fake_server.validate import extracts, sources, spanning
from mparticle_fake_server.validate import workers as processes
from mparticle_fake_server.validate.extracts import Extractor, Followed
from mparticle_sdk import limits
from tests.validate.conftest import NOW_MS, Validate, batch, exported, findings, line, ndjson, told

RUN = [sys.executable, "-m", "mparticle_fake_server", "validate", f"--now={NOW_MS}"]


def stormy(seed: int, count: int) -> list[Any]:
    """Batches with names beyond the limit, attributes of changing kind, sessions over several batches, duplicates."""
    chance = random.Random(seed)
    return [_stormy(chance, number) for number in range(count)]


def _stormy(chance: random.Random, number: int) -> Any:
    events: list[Any] = []
    # An event without a type is refused with all that is beside it, and not learnt.
    untyped: list[Any] = [None, []] if chance.random() < 0.1 else []
    for _ in range(chance.randrange(6)):
        kind: Any = chance.choice(["custom_event", "screen_view", "session_start", "session_end", "push_message", *untyped])
        data: Any = {
            "event_name": chance.choice([f"Name {chance.randrange(3000)}", "x" * 300 + chance.choice("ab"), 7]),
            "screen_name": f"Screen {chance.randrange(2000)}",
            "session_id": chance.choice([number // 5, str(number // 3), 0, None]),
            "session_uuid": chance.choice([f"uuid-{number // 4}", f"UUID-{number // 4}", None]),
            "timestamp_unixtime_ms": NOW_MS + chance.randrange(-9, 9),
        }
        odd: list[Any] = [None, {"data": []}] if untyped else [{"event_type": kind, "data": []}]
        events.append(chance.choice([{"event_type": kind, "data": data}, {"event_type": kind, "data": data}, *odd]))
    names = [f"a{chance.randrange(20)}", "n" * 256 + chance.choice("ab")]
    attributes: Any = {name: chance.choice(["x", ["x"], 1, None, {}]) for name in names}
    return {
        "environment": "development",
        "user_identities": {"customer_id": "c"},
        "deleted_user_attributes": chance.choice([None, None, None, ["a5", "a6", 7], "a5"]),
        "user_attributes": chance.choice([attributes, attributes, [], None]),
        "source_request_id": str(chance.randrange(100_000) if chance.random() < 0.9 else number - 1),
        "events": chance.choice([events, events, events, None]),
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_history_finds_the_same_in_extracts_as_in_batches(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (history, extracts):
        monkeypatch.setattr(module, "MOST_SESSIONS", 400)
    whole, followed = History(), Followed()
    batches = stormy(seed, 3000)
    # What a chunk is told of the history is older than the chunk itself, where several are on their way.
    known = [followed.seen()]
    found = 0
    for start in range(0, len(batches), 100):
        extractor = Extractor(known[max(0, len(known) - 4)])
        for one in batches[start : start + 100]:
            extract = extractor.extract(one)
            told = followed.follow(extract) if extract else []
            refused = not all(map(has_type, one["events"] or ()))
            assert told == (whole.judge(one)[0] if refused else whole.check(one))
            found += len(told)
        known.append(followed.seen())

    assert found > 100


@pytest.fixture(scope="module")
def storm() -> str:
    return ndjson(*stormy(1, 600))


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_report_is_the_same_for_any_number_of_workers(
    validate: Validate, monkeypatch: pytest.MonkeyPatch, storm: str, form: str
) -> None:
    monkeypatch.setattr(sources, "BLOCK", 10_000)
    monkeypatch.setattr(processes, "IN_PROCESS", 10_000)
    # Some chunks are longer.
    monkeypatch.setattr(processes, "PLACE", 10_000)
    monkeypatch.setattr(limits, "EVENT_NAMES_PER_WORKSPACE", 100)

    results = [validate(storm, f"--workers={workers}", f"--format={form}", "--max=30000") for workers in (1, 2, 3)]

    assert results[0].exit_code == 1
    for code in ("duplicate_batch", "attribute_kind_changed", "session_end_without_start", "too_many_event_names"):
        assert code in results[0].stdout
    assert results[0].stdout == results[1].stdout == results[2].stdout


def test_a_report_that_is_cut_is_the_same_for_any_number_of_workers(
    validate: Validate, monkeypatch: pytest.MonkeyPatch, storm: str
) -> None:
    monkeypatch.setattr(sources, "BLOCK", 10_000)
    monkeypatch.setattr(processes, "IN_PROCESS", 10_000)
    # Some chunks are longer.
    monkeypatch.setattr(processes, "PLACE", 10_000)
    monkeypatch.setattr(limits, "EVENT_NAMES_PER_WORKSPACE", 100)

    one, two = (validate(storm, f"--workers={workers}", "--format=json", "--max=77").stdout for workers in (1, 2))

    assert one == two
    assert one.count('"code"') == 77


def test_a_duplicate_is_told_with_the_place_of_the_first(validate: Validate) -> None:
    result = validate(ndjson(batch(source_request_id="a"), batch(), [batch(), batch(source_request_id="a")]), "--format=json")

    [finding] = findings(result)
    assert (finding["code"], finding["line"], finding["index"]) == ("duplicate_batch", 3, 1)
    assert finding["message"] == "source_request_id 'a' was sent before, with the batch at input.ndjson:1."
    assert line([batch(), batch(source_request_id="a")])[finding["column"] - 1 :].startswith('"a"')


def test_duplicates_are_found_between_files_and_not_between_inputs_of_an_export(validate: Validate) -> None:
    lines = [exported(batch(source_request_id="a"), key=key) for key in ("k1", "k2", "k2")]
    Path("export.ndjson").write_text(ndjson(*lines))
    Path("again.json").write_text(line(lines[0]))

    result = validate(None, "export.ndjson", "again.json", "--format=json")

    assert told(result) == [("export.ndjson", 3, "duplicate_batch"), ("again.json", 1, "duplicate_batch")]


def test_a_batch_that_mparticle_refuses_is_no_first_of_duplicates(validate: Validate) -> None:
    flawed = batch(source_request_id="a", events=[{"data": {}}])

    result = validate(ndjson(flawed, batch(source_request_id="a"), batch(source_request_id="a")), "--format=json")

    assert told(result)[1:] == [("input.ndjson", 3, "duplicate_batch")]


def test_a_duplicate_is_not_held_against_what_comes_after_it(validate: Validate) -> None:
    first, last = batch(source_request_id="a"), batch(user_attributes={"sizes": "M"})

    result = validate(ndjson(first, batch(source_request_id="a", user_attributes={"sizes": ["M"]}), last), "--format=json")

    assert told(result) == [("input.ndjson", 2, "duplicate_batch")]


def test_a_refused_batch_is_not_held_against_what_comes_after_it(validate: Validate) -> None:
    refused = batch(user_attributes={"sizes": ["M"]}, events=[{"data": {}}])

    result = validate(ndjson(refused, batch(user_attributes={"sizes": "M"})), "--format=json")

    assert [code for _, _, code in told(result)] == ["event_type_missing"]


def test_only_so_many_ids_are_remembered(validate: Validate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "BLOCK", 1000)
    monkeypatch.setattr(spanning, "REMEMBERED", 20)
    batches = [batch(source_request_id=str(number)) for number in range(100)]

    result = validate(ndjson(*batches, batch(source_request_id="0"), batch(source_request_id="99")), "--format=json")

    assert told(result) == [("input.ndjson", 102, "duplicate_batch")]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_it_and_its_workers(workers: int, tmp_path: Path) -> None:
    # Ever more of a pipe: it would never end by itself.
    process = subprocess.Popen(
        [*RUN, f"--workers={workers}", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        cwd=tmp_path,
    )
    assert process.stdin is not None
    text = ndjson(batch()).encode() * 20_000
    process.stdin.write(text)
    process.stdin.flush()
    while workers > 1 and len(_group(process.pid)) < 1 + workers:
        time.sleep(0.02)

    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)

    assert (process.returncode, said) == (130, b"Interrupted.\n")
    assert not _group(process.pid)


@pytest.mark.slow
def test_ctrl_c_twice_leaves_no_worker(tmp_path: Path) -> None:
    process = _working(tmp_path)

    process.send_signal(signal.SIGINT)
    # The second comes while the first is dealt with.
    time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode != 0
    assert _has_ended(process.pid)


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    process = _working(tmp_path)

    process.kill()
    process.communicate(timeout=20)

    assert _has_ended(process.pid)


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_run_with_a_message(tmp_path: Path) -> None:
    process = _working(tmp_path)

    os.kill(max(_group(process.pid)), signal.SIGKILL)
    _, said = process.communicate(ndjson(batch()).encode() * 20_000, timeout=20)

    assert process.returncode == 2
    assert said.startswith(b"Error: A worker process ended before its work was done"), said
    assert not _group(process.pid)


@pytest.mark.slow
def test_workers_that_cannot_be_started_end_the_run_with_a_message(tmp_path: Path) -> None:
    path = tmp_path / "input.ndjson"
    path.write_text(ndjson(batch()) * 10_000)

    script = f"ulimit -n 60; {shlex.join([*RUN, '--workers=64', str(path)])}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=30)

    assert done.returncode == 2
    assert done.stderr == "Error: 64 worker processes cannot be started: Too many open files. Use fewer --workers.\n"


def _working(folder: Path) -> "subprocess.Popen[bytes]":
    """A run with two workers that are there, and wait for more."""
    process = subprocess.Popen(
        [*RUN, "--workers=2", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, cwd=folder
    )
    assert process.stdin is not None
    process.stdin.write(ndjson(batch()).encode() * 20_000)
    process.stdin.flush()
    while len(_group(process.pid)) < 3:
        time.sleep(0.02)
    return process


def _has_ended(leader: int) -> bool:
    """Whether no process of a group is left, soon."""
    deadline = time.monotonic() + 10
    while _group(leader) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not _group(leader)


def _group(leader: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            state, _, group = entry.joinpath("stat").read_text().rpartition(")")[2].split()[:3] if entry.name.isdigit() else "000"
        except OSError:
            continue
        if group == str(leader) and state != "Z":
            found.append(int(entry.name))
    return found


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    text = ndjson(*[batch(number, events=[{"data": {}}]) for number in range(2000)])
    path = tmp_path / "input.ndjson"
    path.write_text(text)

    script = f'{shlex.join([*RUN, "--format=github", str(path)])} | head -n 1; echo "status ${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=30)

    assert done.stdout.splitlines()[1:] == ["status 1"]
    assert done.stderr == ""


@pytest.mark.slow
def test_a_pipe_gets_neither_colours_nor_progress(tmp_path: Path) -> None:
    path = tmp_path / "input.ndjson"
    path.write_text(ndjson(batch(events=[{"data": {}}])))

    done = subprocess.run([*RUN, str(path)], capture_output=True, check=False, timeout=30)

    assert done.returncode == 1
    assert b"\x1b" not in done.stdout + done.stderr


@pytest.mark.slow
def test_a_terminal_gets_colours_and_for_big_files_progress(tmp_path: Path) -> None:
    path = tmp_path / "input.ndjson"
    path.write_text(ndjson(batch(events=[{"data": {}}]), *[batch(user_attributes={"note": "x" * 4000})] * 2200))
    ours, theirs = pty.openpty()

    surroundings = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen([*RUN, "--workers=2", str(path)], stdout=theirs, stderr=theirs, env=surroundings) as process:
        os.close(theirs)
        shown = _everything(ours)

    assert process.returncode == 1
    assert b"\x1b[1;31merror\x1b[0m" in shown
    assert b"Checking" in shown


def _everything(terminal: int) -> bytes:
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # Linux tells the end so
            part = b""
        if not part:
            os.close(terminal)
            return shown
        shown += part
