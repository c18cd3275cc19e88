"""What only the Recorder in a SQLite file does: it outlives the process, has one owner, and meets damage and full disks."""

import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from mparticle_fake_server import FakeServer
from mparticle_fake_server.recording import Recorder, RequestRecord, StoreError, open_recorder
from mparticle_fake_server.recording.sql import SqlRecorder
from tests.recording.samples import sent, upload
from tests.recording.serving import Client, served

NOBODY = 65534


def opened(store: str, keep: int = 100_000) -> closing[SqlRecorder]:
    recorder = open_recorder(store, keep)
    assert isinstance(recorder, SqlRecorder)
    return closing(recorder)


def ids(recorder: Recorder) -> list[int]:
    return [request.id for request in recorder.requests()]


def refusal(store: str) -> str:
    """The message with which opening fails."""
    with pytest.raises(StoreError) as caught:
        open_recorder(store)
    return str(caught.value)


def file_of(store: str) -> Path:
    return Path(store.removeprefix("sqlite:///"))


def change(store: str, statement: str, *values: object) -> None:
    """Change a store that nobody has open."""
    with closing(sqlite3.connect(file_of(store))) as connection:
        connection.execute(statement, values)
        connection.commit()


def test_the_last_id_tells_of_a_request_when_it_can_be_read_and_not_before(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(store) as recorder:
        recorder.record([upload()])
        told: list[int] = []
        show = recorder._show

        def watched(requests: list[RequestRecord]) -> None:
            told.append(recorder.last_id())
            show(requests)

        monkeypatch.setattr(recorder, "_show", watched)
        recorder.record([upload()])
        told.append(recorder.last_id())

    assert told == [1, 2]


# -- the next process ------------------------------------------------------------------------------------------------------


def test_requests_are_there_when_the_file_is_opened_again(store: str) -> None:
    requests = [sent("a", "b"), sent(), upload()]
    with opened(store) as recorder:
        recorder.record(requests)

    with opened(store) as recorder:
        assert list(recorder.requests()) == requests
        assert recorder.last_id() == 3


def test_half_a_surrogate_pair_is_replaced_for_who_reads_now_and_later(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([sent("a", path="/\udcff", key="\ud83d\ude00")])
        now = list(recorder.requests())

    with opened(store) as recorder:
        assert list(recorder.requests()) == now
        assert (now[0].path, now[0].key) == ("/\ufffd", "😀")
        assert recorder.duplicate_of("😀", "a") == "1.0"


def test_duplicates_are_known_when_the_file_is_opened_again(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([sent("a"), sent("b", verdict="rejected"), sent("c"), sent("a")])

    with opened(store) as recorder:
        assert [recorder.duplicate_of("key", id) for id in "abc"] == ["4.0", None, "3.0"]


def test_an_id_is_not_used_again_after_everything_was_forgotten_and_the_file_is_opened_again(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([upload(), upload(), upload()])
        recorder.forget()

    with opened(store) as recorder:
        recorder.record([upload()])
        assert ids(recorder) == [4]


def test_an_id_is_not_used_again_after_the_newest_workspace_was_forgotten_twice(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([sent(workspace="a"), sent(workspace="b")])
        recorder.forget("b")
        recorder.record([sent(workspace="a"), sent(workspace="b")])
        recorder.forget("b")

    with opened(store) as recorder:
        recorder.record([upload()])
        assert ids(recorder) == [1, 3, 5]


def test_the_number_of_forgotten_batches_goes_on_where_it_was(store: str) -> None:
    with opened(store, keep=2) as recorder:
        recorder.record([upload() for _ in range(5)])

    with opened(store, keep=2) as recorder:
        recorder.record([upload()])
        assert recorder.forgotten == 4


def test_what_was_kept_before_counts_when_the_file_is_opened_again(store: str) -> None:
    with opened(store, keep=5) as recorder:
        recorder.record([sent(None, None), sent(), upload()])

    with opened(store, keep=5) as recorder:
        recorder.record([sent(None, None)])
        assert ids(recorder) == [2, 3, 4]


def test_whoever_watches_a_full_store_reads_the_newest_requests_from_memory(store: str) -> None:
    with opened(store, keep=5) as recorder:
        requests = [upload() for _ in range(20)]
        for request in requests:
            recorder.record([request])

        read = list(recorder.requests(after=15))

    assert recorder.forgotten == 15
    assert [record is other for record, other in zip(read, requests[15:], strict=True)] == [True] * 5


@pytest.mark.parametrize("what", ["_unremember", "_unremember_all"])
def test_a_page_that_is_made_while_requests_are_forgotten_has_none_of_them(
    store: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(store, keep=10) as recorder:
        recorder.record([upload() for _ in range(10)])
        forget = getattr(recorder, what)

        def forget_and_look(which: object) -> None:
            forget(which)
            recorder.page(0, 5)

        monkeypatch.setattr(recorder, what, forget_and_look)
        if what == "_unremember_all":
            recorder.forget()
        else:
            recorder.record([upload()])

        assert recorder.page(0, 5).records == list(recorder.requests())[:4]


def test_a_store_opened_with_a_smaller_keep_shrinks_at_the_next_request(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([upload() for _ in range(10)])

    with opened(store, keep=3) as recorder:
        recorder.record([upload()])
        assert ids(recorder) == [9, 10, 11]


def test_a_closed_store_says_so(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([upload()])

    for action in (lambda: recorder.record([upload()]), lambda: ids(recorder), lambda: recorder.request(1), recorder.forget):
        with pytest.raises(StoreError, match=r"store\.db is closed"):
            action()


def test_a_closed_store_is_one_file_and_its_lock(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([upload()])

    assert sorted(path.name for path in file_of(store).parent.iterdir()) == ["store.db", "store.db.lock"]


# -- one owner -------------------------------------------------------------------------------------------------------------


def test_a_second_process_is_refused_and_told_who_has_the_store(store: str) -> None:
    with served(store) as first:
        message = refusal(store)

    assert message.startswith(f"The store {file_of(store)} is in use by process {first.process.pid} (since ")
    assert "Stop that server, or choose another file with --store sqlite:///FILE" in message


def test_a_second_opener_in_the_same_process_is_refused(store: str) -> None:
    with opened(store):
        assert f"in use by process {os.getpid()} " in refusal(store)


def test_a_refused_opener_does_the_first_no_harm(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([upload()])
        refusal(store)
        recorder.record([upload()])

        assert ids(recorder) == [1, 2]
        refusal(store)


def test_a_link_to_a_store_in_use_is_refused_as_well(store: str, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    with opened(store):
        link.symlink_to(file_of(store))

        assert "in use by process" in refusal(f"sqlite:///{link}")


def test_a_store_is_free_when_its_owner_has_closed_it(store: str) -> None:
    with opened(store):
        pass

    with opened(store) as recorder:
        assert recorder.last_id() == 0


def test_a_store_is_free_when_its_owner_was_killed(store: str) -> None:
    with served(store) as first:
        first.process.kill()
        first.process.wait()

        with opened(store) as recorder:
            assert recorder.last_id() == 0


def test_a_store_that_could_not_be_opened_is_not_held(store: str) -> None:
    file_of(store).write_bytes(b"garbage" * 1000)
    refusal(store)
    file_of(store).unlink()

    with opened(store) as recorder:
        assert recorder.last_id() == 0


# -- where the file may be -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["with space.db", "naïve 🎉.db", "100%25.db", "a?mode=ro.db", "a#b.db", "'quoted'.db", "no-suffix"]
)
def test_the_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    with opened(f"sqlite:///{tmp_path}/{name}") as recorder:
        recorder.record([upload()])

        assert (tmp_path / name).is_file()


def test_a_relative_path_stays_where_it_was_when_the_process_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with opened("sqlite:///store.db") as recorder:
        monkeypatch.chdir(tmp_path / "elsewhere")
        recorder.record([upload()])

        assert ids(recorder) == [1]
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == []


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    with opened("sqlite:///~/store.db"):
        assert (tmp_path / "store.db").is_file()


def test_a_file_with_two_names_is_refused(store: str) -> None:
    with opened(store):
        other = file_of(store).with_name("other.db")
        other.hardlink_to(file_of(store))

        assert refusal(f"sqlite:///{other}").startswith(f"The store {other} has another name too (a hard link): ")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}") == (
        f"The store {tmp_path} is a directory; name a file, for example sqlite:///{tmp_path}/fake.db."
    )


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert f"the directory {tmp_path}/none does not exist" in refusal(f"sqlite:///{tmp_path}/none/store.db")


def test_a_device_is_refused() -> None:
    assert "/dev/null is no regular file" in refusal("sqlite:////dev/null")


@pytest.mark.parametrize("name", ["~nobody-of-this-name/x.db", "x" * 5000, "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    assert "cannot be used" in refusal(f"sqlite:///{name}")


def test_the_memory_of_sqlite_is_refused() -> None:
    with pytest.raises(ValueError, match="use 'memory'"):
        open_recorder("sqlite:///:memory:")


@pytest.fixture
def others_directory() -> Iterator[Path]:
    """A directory whose files the process may not write while `unprivileged`."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory
        directory.chmod(0o755)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Give up, for a while, root's right to write everywhere."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_directory_that_cannot_be_written_is_a_clear_error(others_directory: Path) -> None:
    others_directory.chmod(0o555)

    with unprivileged():
        message = refusal(f"sqlite:///{others_directory}/store.db")

    assert message == (
        f"The store {others_directory}/store.db cannot be locked: Permission denied. See to it that its directory can be written."
    )


def test_a_directory_that_cannot_be_searched_is_a_clear_error(others_directory: Path) -> None:
    (others_directory / "private").mkdir(mode=0o000)

    with unprivileged():
        message = refusal(f"sqlite:///{others_directory}/private/store.db")

    assert "cannot be used" in message
    assert "Permission denied" in message


def test_a_file_that_cannot_be_written_is_a_clear_error(others_directory: Path) -> None:
    store = f"sqlite:///{others_directory}/store.db"
    with opened(store):
        pass
    file_of(store).chmod(0o444)
    others_directory.chmod(0o777)
    file_of(f"{store}.lock").chmod(0o666)

    with unprivileged():
        message = refusal(store)

    assert message.startswith(f"The store {others_directory}/store.db failed: attempt to write a readonly database.")
    assert "See to it that the file and its directory can be written" in message


# -- files of others, and damaged ones -------------------------------------------------------------------------------------


def test_a_database_of_something_else_is_refused_and_left_as_it_was(store: str) -> None:
    change(store, "CREATE TABLE invoices (id INTEGER)")
    before = file_of(store).read_bytes()

    message = refusal(store)

    assert "is a database of something else (tables: invoices)" in message
    assert file_of(store).read_bytes() == before


def test_a_store_of_another_format_is_refused_and_left_as_it_was(store: str) -> None:
    with opened(store):
        pass
    change(store, "UPDATE mparticle_fake SET value = '99' WHERE name = 'format'")
    change(store, "DROP TABLE requests")
    before = file_of(store).read_bytes()

    message = refusal(store)

    assert "has format 99, this version reads and writes 1" in message
    assert file_of(store).read_bytes() == before


def test_an_empty_file_becomes_a_store(store: str) -> None:
    file_of(store).touch()

    with opened(store) as recorder:
        recorder.record([upload()])
        assert ids(recorder) == [1]


@pytest.mark.parametrize("content", [b"note\n", b"garbage" * 10_000, b"\x89PNG\r\n\x1a\n" + bytes(5000)])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(store: str, content: bytes) -> None:
    file_of(store).write_bytes(content)

    message = refusal(store)

    assert "file is not a database. The file is damaged, or no store of this server: move it away" in message
    assert file_of(store).read_bytes() == content


def filled(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([sent(str(number), body=b"x" * 1000) for number in range(200)])


def test_a_file_that_was_cut_is_refused(store: str) -> None:
    filled(store)
    os.truncate(file_of(store), file_of(store).stat().st_size // 2)

    assert "database disk image is malformed. The file is damaged" in refusal(store)


@pytest.mark.parametrize(
    ("column", "value"),
    [("batches", b"\xff\xfe"), ("batches", "no JSON"), ("batches", "[{}]"), ("batches", 7)],
)
def test_a_row_that_holds_something_else_is_refused(store: str, column: str, value: object) -> None:
    filled(store)
    change(store, f"UPDATE requests SET {column} = ? WHERE id = 100", value)

    message = refusal(store)

    assert "a row is malformed (request 100: " in message
    assert "The file is damaged" in message


@pytest.mark.parametrize(("column", "value"), [("findings", "no JSON"), ("findings", 7), ("path", sqlite3.Binary(b"\xff"))])
def test_a_row_that_turns_out_damaged_when_read_is_a_clear_error(store: str, column: str, value: object) -> None:
    filled(store)
    with opened(store) as recorder:
        statement = f"UPDATE requests SET {column} = CAST(? AS TEXT) WHERE id = 100"
        change(store, statement, value)

        with pytest.raises(StoreError, match="The file is damaged"):
            recorder.request(100)
        assert recorder.request(99) is not None


def overwrite(store: str) -> None:
    """Damage the pages in the middle of the file."""
    size = file_of(store).stat().st_size
    with file_of(store).open("r+b") as file:
        file.seek(size // 8 * 4)
        file.write(Random(7).randbytes(size // 4))


def test_damage_in_the_middle_of_the_file_is_a_clear_error_when_it_is_read(store: str) -> None:
    filled(store)
    with opened(store) as recorder:
        overwrite(store)

        with pytest.raises(StoreError, match=r"database disk image is malformed\. The file is damaged"):
            ids(recorder)


def test_a_size_that_damage_has_made_absurd_is_told_as_damage(store: str) -> None:
    filled(store)
    with opened(store) as recorder:
        # To SQLite every row is then too big.
        sa.event.listen(recorder._engine, "checkout", lambda driver, *_: driver.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 500))

        with pytest.raises(StoreError, match=r"string or blob too big\. The file is damaged"):
            ids(recorder)


def test_a_server_whose_store_is_damaged_does_not_start(store: str) -> None:
    filled(store)
    overwrite(store)

    with pytest.raises(StoreError, match="The file is damaged"), FakeServer(store=store):
        pass


# -- what cannot be written ------------------------------------------------------------------------------------------------


def fill_disk(recorder: SqlRecorder) -> None:
    """Let the file have no more pages than it has."""
    assert recorder._connection is not None
    pages = recorder._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    recorder._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    recorder._connection.commit()


def free_disk(recorder: SqlRecorder) -> None:
    assert recorder._connection is not None
    recorder._connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    recorder._connection.commit()


def test_a_full_disk_is_a_clear_error(store: str) -> None:
    with opened(store) as recorder:
        fill_disk(recorder)

        with pytest.raises(StoreError, match=r"database or disk is full\. Free some space"):
            recorder.record([sent(body=b"x" * 100_000)])


def test_of_requests_that_do_not_fit_together_none_is_kept(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([sent("a")])
        fill_disk(recorder)

        with pytest.raises(StoreError):
            recorder.record([sent("b"), sent("c", body=b"x" * 100_000)])

        assert ids(recorder) == [1]
        assert (recorder.last_id(), recorder.duplicate_of("key", "b")) == (1, None)
    with opened(store) as recorder:
        assert ids(recorder) == [1]


def test_a_request_that_was_not_kept_leaves_its_id_to_the_next(store: str) -> None:
    with opened(store) as recorder:
        fill_disk(recorder)
        with pytest.raises(StoreError):
            recorder.record([sent(body=b"x" * 100_000)])
        free_disk(recorder)

        recorder.record([upload()])

        assert ids(recorder) == [1]


def test_a_request_that_was_not_kept_pushes_none_out(store: str) -> None:
    with opened(store, keep=3) as recorder:
        recorder.record([sent("a"), sent("b"), sent("c")])
        fill_disk(recorder)

        with pytest.raises(StoreError):
            recorder.record([sent("d", body=b"x" * 100_000)])

        assert (ids(recorder), recorder.forgotten, recorder.duplicate_of("key", "a")) == ([1, 2, 3], 0, "1.0")
        free_disk(recorder)
        recorder.record([sent("d")])
        assert (ids(recorder), recorder.forgotten, recorder.duplicate_of("key", "a")) == ([2, 3, 4], 1, None)


def test_nobody_is_told_of_a_request_that_was_not_kept(store: str) -> None:
    told: list[int] = []
    with opened(store) as recorder:
        fill_disk(recorder)
        recorder.subscribe(lambda: told.append(recorder.last_id()))

        with pytest.raises(StoreError):
            recorder.record([sent(body=b"x" * 100_000)])

    assert told == []


def test_a_request_that_no_row_can_hold_leaves_nothing_behind(store: str) -> None:
    with opened(store) as recorder:
        wrong = upload()
        wrong.received_at_ms = 2**70

        with pytest.raises(OverflowError):
            recorder.record([upload(), wrong])

        assert ids(recorder) == []
        recorder.record([upload()])
        assert ids(recorder) == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can bound the files of a running process")
def test_on_a_full_disk_uploads_get_503_and_what_got_202_is_kept(store: str) -> None:
    import resource

    with served(store) as server, closing(Client(server.url)) as client:
        statuses = {str(number): client.upload(str(number)).status for number in range(5)}
        assert set(statuses.values()) == {202}

        written = Path(f"{file_of(store)}-wal").stat().st_size
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (written + 50_000, resource.RLIM_INFINITY))
        for number in range(5, 50):
            reply = client.upload(str(number), user_attributes={"note": "x" * 2000})
            statuses[str(number)] = reply.status
        full = [number for number, status in statuses.items() if status == 503]
        assert len(full) > 30
        assert set(statuses.values()) == {202, 503}
        assert reply.json["errors"][0]["code"] == "SERVICE_UNAVAILABLE"
        assert f"The store {file_of(store)} failed: " in reply.messages[0]
        assert "Free some space" in reply.messages[0]
        kept = [number for number, status in statuses.items() if status == 202]
        assert client.get("/_fake/stats").json["batches"] == len(kept)

        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        # Sent again, as a client does after a 503.
        assert {client.upload(number).status for number in full} == {202}
        server.process.kill()
        server.process.wait()

    with opened(store) as recorder:
        assert [request.batches[0].source_request_id for request in recorder.requests()] == kept + full
        assert {request.batches[0].verdict for request in recorder.requests()} == {"accepted"}


def test_a_store_on_a_full_disk_can_be_closed(store: str) -> None:
    with opened(store) as recorder:
        recorder.record([upload()])
        fill_disk(recorder)
        with pytest.raises(StoreError):
            recorder.record([sent(body=b"x" * 100_000)])

    with opened(store) as recorder:
        assert ids(recorder) == [1]
