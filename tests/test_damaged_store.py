"""A store whose recorded bodies are damaged: who asks for what was recorded is told which row it is, by HTTP and the commands."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import msgspec
import pytest
import requests

from mparticle_fake_server import FakeServer
from mparticle_fake_server.items import batch_items
from mparticle_fake_server.recording import StoreError, open_recorder
from mparticle_fixtures.simulation.manifest import Manifest
from tests.fixtures.traffic import call, numbered, send, write

MANY = 450
"""Requests: more than the server looks at before it sends the beginning of an answer."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of single uploads and a bulk one (s.db), and the manifest of what was sent (m.json)."""
    folder = tmp_path_factory.mktemp("filled")
    sent = numbered(MANY + 2)
    with FakeServer(store=f"sqlite:///{folder}/s.db") as server:
        send(write(folder / "a", sent[:MANY]), server.url)
        send(write(folder / "b", sent[MANY:]), server.url, "--bulk")
    (folder / "m.json").write_bytes(Manifest.count(sent).to_json())
    return folder


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Path:
    (tmp_path / "s.db").write_bytes((filled / "s.db").read_bytes())
    return tmp_path / "s.db"


def damage(store: Path, id: int, body: bytes) -> None:
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("UPDATE requests SET body = ? WHERE id = ?", (body, id)).rowcount == 1
        connection.commit()


@pytest.fixture
def early(store: Path) -> Iterator[FakeServer]:
    """Its third request is damaged."""
    damage(store, 3, b"xx")
    with FakeServer(store=f"sqlite:///{store}") as server:
        yield server


@pytest.fixture
def late(store: Path) -> Iterator[FakeServer]:
    """A request is damaged that is read when the beginning of the answer was sent."""
    damage(store, MANY - 10, b"xx")
    with FakeServer(store=f"sqlite:///{store}") as server:
        yield server


OF_THIRD = "a row is malformed (request 3 was recorded with 1 batch, and its body holds 0 batches). The file is damaged"
OF_LATE = f"a row is malformed (request {MANY - 10} was recorded with 1 batch, and its body holds 0 batches)"


def test_the_store_as_it_was_has_no_difference(filled: Path, store: Path) -> None:
    assert call("verify", "--manifest", filled / "m.json", "--against", store).exit_code == 0


@pytest.mark.parametrize("body", [b"xx", b"", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_verify_tells_which_row_of_a_store_is_damaged(filled: Path, store: Path, body: bytes) -> None:
    damage(store, 3, body)

    result = call("verify", "--manifest", filled / "m.json", "--against", store)

    assert result.exit_code == 2
    assert OF_THIRD in result.stderr


@pytest.mark.parametrize(("count", "told"), [(1, "1 batch"), (3, "3 batches")])
def test_a_bulk_upload_with_a_batch_fewer_or_more_is_damaged(store: Path, count: int, told: str) -> None:
    damage(store, MANY + 1, msgspec.json.encode(numbered(count)))

    with closing(open_recorder(f"sqlite:///{store}")) as recorder, pytest.raises(StoreError) as raised:
        [*map(list, map(batch_items, recorder.requests()))]

    assert f"request {MANY + 1} was recorded with 2 batches, and its body holds {told})" in str(raised.value)


@pytest.mark.parametrize("path", ["batches", "events", "batches/3.0", "wait?count=600&of=batches", "profiles", "stats"])
def test_a_server_tells_it_with_a_status(early: FakeServer, path: str) -> None:
    answer = requests.get(f"{early.url}/_fake/{path}", timeout=20)

    assert answer.status_code == 503
    assert OF_THIRD in answer.json()["errors"][0]["message"]


def test_a_stream_tells_it_and_goes_on(early: FakeServer) -> None:
    with requests.get(f"{early.url}/_fake/stream?after=1", stream=True, timeout=20) as answer:
        lines = answer.iter_lines(chunk_size=None)
        told = [line.partition(b" ")[2] for line in islice(lines, 20) if line.startswith((b"id", b"event"))]

    assert told[:4] == [b"1", b"2.0", b"error", b"4.0"]


def test_other_batches_can_be_read(early: FakeServer) -> None:
    assert requests.get(f"{early.url}/_fake/batches/4.0", timeout=20).status_code == 200
    assert len(requests.get(f"{early.url}/_fake/batches?after=3&limit=5", timeout=20).json()["items"]) == 5


def test_verify_and_export_tell_what_the_server_says(filled: Path, early: FakeServer, tmp_path: Path) -> None:
    verified = call("verify", "--manifest", filled / "m.json", "--against", early.url)
    exported = call("export", "--url", early.url, "-o", tmp_path / "e")

    assert (verified.exit_code, exported.exit_code) == (2, 1)
    assert OF_THIRD in verified.stderr
    assert OF_THIRD in exported.stderr
    assert not (tmp_path / "e").exists()


def test_verify_and_export_tell_why_an_answer_broke_off(filled: Path, late: FakeServer, tmp_path: Path) -> None:
    with requests.get(f"{late.url}/_fake/batches", headers={"Accept": "application/x-ndjson"}, stream=True, timeout=20) as answer:
        assert answer.status_code == 200

    verified = call("verify", "--manifest", filled / "m.json", "--against", late.url)
    exported = call("export", "--url", late.url, "-o", tmp_path / "e", "key=key")

    assert (verified.exit_code, exported.exit_code) == (2, 1)
    assert OF_LATE in verified.stderr
    assert OF_LATE in exported.stderr
    assert not (tmp_path / "e").exists()
