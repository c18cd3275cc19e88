"""What every Recorder does, in memory and in a SQLite file alike."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from itertools import pairwise

import pytest

from mparticle_fake_server.checks.finding import make
from mparticle_fake_server.recording import BatchRecord, Recorder, RequestRecord, Verdict, open_recorder
from tests.recording.conftest import OpenStore
from tests.recording.samples import sent, upload


def ids(recorder: Recorder) -> list[int]:
    return [request.id for request in recorder.requests()]


@pytest.fixture
def restless() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def in_threads(*actions: Callable[[], object]) -> None:
    """Run all at once; raises what the first of them raised, or if they take more than 20 seconds."""
    start = threading.Barrier(len(actions))
    done: list[Future[object]] = [Future() for _ in actions]

    def run(action: Callable[[], object], outcome: Future[object]) -> None:
        start.wait()
        try:
            outcome.set_result(action())
        except BaseException as error:  # noqa: BLE001 - raised below
            outcome.set_exception(error)

    for action, outcome in zip(actions, done, strict=True):
        threading.Thread(target=run, args=(action, outcome), daemon=True).start()
    end = time.monotonic() + 20
    for outcome in done:
        outcome.result(end - time.monotonic())


# -- ids -------------------------------------------------------------------------------------------------------------------


def test_a_new_store_is_empty(recorder: Recorder) -> None:
    assert (recorder.last_id(), recorder.forgotten, ids(recorder)) == (0, 0, [])


def test_requests_are_numbered_from_1_in_the_order_of_recording(recorder: Recorder) -> None:
    first, second, third = upload(), upload(), upload()

    recorder.record([first, second])
    recorder.record([third])

    assert [first.id, second.id, third.id] == [1, 2, 3]


def test_the_last_id_is_the_one_of_the_newest_request(recorder: Recorder) -> None:
    recorder.record([upload(), upload()])

    assert recorder.last_id() == 2


def test_recording_nothing_uses_no_id(recorder: Recorder) -> None:
    recorder.record([])

    assert recorder.last_id() == 0


def test_an_id_is_not_used_again_after_everything_was_forgotten(recorder: Recorder) -> None:
    recorder.record([upload(), upload()])
    recorder.forget()

    recorder.record([upload()])

    assert ids(recorder) == [3]


@pytest.mark.usefixtures("restless")
def test_threads_that_record_at_once_each_get_their_own_ids(recorder: Recorder) -> None:
    requests = [[upload() for _ in range(100)] for _ in range(8)]

    def record(own: list[RequestRecord]) -> None:
        for request in own:
            recorder.record([request])

    in_threads(*(partial(record, own) for own in requests))

    assert sorted(request.id for own in requests for request in own) == list(range(1, 801))
    assert ids(recorder) == list(range(1, 801))


# -- reading ---------------------------------------------------------------------------------------------------------------


def test_a_request_is_read_as_it_was_recorded(recorder: Recorder) -> None:
    finding = make("duplicate_batch", "Sent before.", pointer="/source_request_id", raw_pointer="/0/source_request_id", index=0)
    request = RequestRecord(
        received_at_ms=1_763_000_000_123,
        workspace="shop",
        key="us1-key",
        source="events_api",
        dialect="java",
        method="POST",
        path="/v2/bulkevents",
        query="a=1&b",
        remote="::1",
        headers=b"host: localhost\ncontent-type: application/json",
        status=202,
        body=b"[{}, {}]",
        findings=(make("lone_surrogate", "1 stands alone.", hint="Cut between characters."),),
        batches=(BatchRecord("dropped", (finding,), "a"), BatchRecord("accepted")),
    )

    recorder.record([request])

    assert list(recorder.requests()) == [request]
    assert recorder.request(1) == request


def test_a_request_from_nobody_known_is_read_as_it_was_recorded(recorder: Recorder) -> None:
    request = sent(workspace=None, key=None)

    recorder.record([request])

    assert list(recorder.requests()) == [request]


def test_every_byte_of_body_and_headers_is_kept(recorder: Recorder) -> None:
    request = sent(body=bytes(range(256)) * 100)
    request.headers = bytes(range(256))

    recorder.record([request])

    assert [(kept.headers, kept.body) for kept in recorder.requests()] == [(request.headers, request.body)]


@pytest.mark.parametrize("text", ["", "naïve 🎉", "a\0b", "'; DROP TABLE requests; --", "\ufffe\uffff"])
def test_any_text_is_kept(recorder: Recorder, text: str) -> None:
    request = sent(text, workspace=text, key=text, path=text)

    recorder.record([request])

    assert list(recorder.requests()) == [request]
    assert recorder.duplicate_of(text, text) == "1.0"


def test_half_a_surrogate_pair_in_a_path_harms_no_other_request(recorder: Recorder) -> None:
    recorder.record([upload(), sent(path="/\udcff", key="\ud83d"), upload()])

    assert ids(recorder) == [1, 2, 3]


def test_requests_come_oldest_first_however_many_there_are(recorder: Recorder) -> None:
    recorder.record([upload() for _ in range(1234)])

    assert ids(recorder) == list(range(1, 1235))


@pytest.mark.parametrize(("after", "expected"), [(-1, [1, 2, 3]), (0, [1, 2, 3]), (2, [3]), (3, []), (2**70, [])])
def test_reading_begins_after_the_given_id(recorder: Recorder, after: int, expected: list[int]) -> None:
    recorder.record([upload(), upload(), upload()])

    assert [request.id for request in recorder.requests(after)] == expected


@pytest.mark.parametrize("id", [-(2**70), -1, 0, 3, 2**63, 2**70])
def test_there_is_no_request_of_an_unknown_id(recorder: Recorder, id: int) -> None:
    recorder.record([upload(), upload()])

    assert recorder.request(id) is None


def test_there_is_no_request_of_a_forgotten_id(recorder: Recorder) -> None:
    recorder.record([sent(workspace="a"), sent(workspace="b"), sent(workspace="a")])

    recorder.forget("b")

    found = [recorder.request(id) for id in (1, 2, 3)]
    assert [request.id if request else None for request in found] == [1, None, 3]


def test_recording_and_forgetting_do_not_disturb_who_reads(recorder: Recorder) -> None:
    recorder.record([sent(workspace="ab"[n % 2]) for n in range(1000)])
    seen: list[int] = []

    for request in recorder.requests():
        seen.append(request.id)
        if len(seen) == 100:
            recorder.forget("a")
            recorder.record([upload()])

    assert all(earlier < later for earlier, later in pairwise(seen))
    assert set(seen) >= {id for id in range(1, 1001) if id % 2 == 0}


@pytest.mark.usefixtures("restless")
def test_a_reader_beside_a_writer_finds_what_the_last_id_promises(recorder: Recorder) -> None:
    def write() -> None:
        for _ in range(1000):
            recorder.record([upload(), upload()])

    def read() -> None:
        while (last := recorder.last_id()) < 2000:
            after = max(0, last - 3)
            found = [request.id for request in recorder.requests(after)]
            assert found[: last - after] == list(range(after + 1, last + 1))

    in_threads(write, read)


def test_who_follows_sees_every_request_once(recorder: Recorder) -> None:
    seen: list[int] = []

    for number in range(2100):
        recorder.record([upload()] * (number % 700 == 0) + [upload()])
        if number % 3 == 0:
            seen += [request.id for request in recorder.requests(seen[-1] if seen else 0)]

    assert seen == list(range(1, seen[-1] + 1))
    assert seen[-1] > 2100


def test_who_is_far_behind_sees_every_request_once(recorder: Recorder) -> None:
    sizes = [0, 9_000_000, 9_000_000, 17_000_000, 1, 2]
    for size in sizes:
        recorder.record([sent(body=b"x" * size), upload()])

    requests = list(recorder.requests())

    assert [request.id for request in requests] == list(range(1, 13))
    assert [len(request.body) for request in requests][::2] == sizes


def test_a_page_is_shared_while_older_requests_are_forgotten(open_store: OpenStore) -> None:
    recorder = open_store(keep=3)
    recorder.record([upload() for _ in range(3)])
    page = recorder.page(2, 1)
    recorder.record([upload()])

    assert (recorder.forgotten, recorder.page(2, 1)) == (1, page)
    assert recorder.page(2, 1) is page


def test_a_page_that_was_looked_at_is_not_shown_again_once_it_is_forgotten(recorder: Recorder) -> None:
    recorder.record([upload()])
    looked_at = recorder.page(0, 10).records

    recorder.forget()

    assert (len(looked_at), recorder.page(0, 10).records) == (1, [])


# -- duplicates ------------------------------------------------------------------------------------------------------------


def test_a_source_request_id_seen_before_names_the_batch_that_had_it(recorder: Recorder) -> None:
    recorder.record([upload()])
    recorder.record([sent("a", "b")])

    assert recorder.duplicate_of("key", "b") == "2.1"


def test_a_source_request_id_is_unknown_to_another_input(recorder: Recorder) -> None:
    recorder.record([sent("a", key="one")])

    assert recorder.duplicate_of("two", "a") is None


@pytest.mark.parametrize(
    ("verdict", "expected"), [("accepted", "1.0"), ("altered", "1.0"), ("dropped", None), ("rejected", None)]
)
def test_only_what_production_would_process_makes_later_batches_duplicates(
    recorder: Recorder, verdict: Verdict, expected: str | None
) -> None:
    recorder.record([sent("a", verdict=verdict)])

    assert recorder.duplicate_of("key", "a") == expected


def test_a_batch_from_nobody_known_makes_no_duplicates(recorder: Recorder) -> None:
    recorder.record([sent("a", key=None)])

    assert list(recorder._seen) == []


def test_a_forgotten_batch_makes_no_duplicates(recorder: Recorder) -> None:
    recorder.record([sent("a", workspace="one"), sent("b", workspace="two")])

    recorder.forget("one")

    assert [recorder.duplicate_of("key", id) for id in "ab"] == [None, "2.0"]


def test_a_batch_pushed_out_by_newer_ones_makes_no_duplicates(open_store: OpenStore) -> None:
    recorder = open_store(keep=2)

    for id in "abc":
        recorder.record([sent(id)])

    assert [recorder.duplicate_of("key", id) for id in "abc"] == [None, "2.0", "3.0"]


def test_of_two_batches_with_one_source_request_id_the_newer_is_known_when_the_older_is_gone(open_store: OpenStore) -> None:
    recorder = open_store(keep=2)

    for id in "abac":
        recorder.record([sent(id)])

    assert [recorder.duplicate_of("key", id) for id in "abc"] == ["3.0", None, "4.0"]


@pytest.mark.usefixtures("restless")
def test_looking_for_a_duplicate_and_recording_is_one_step_under_the_lock(recorder: Recorder) -> None:
    accepted: list[int] = []

    def submit() -> None:
        for number in range(50):
            with recorder.lock:
                if recorder.duplicate_of("key", str(number)) is None:
                    recorder.record([sent(str(number))])
                    accepted.append(number)

    in_threads(*[submit] * 4)

    assert sorted(accepted) == list(range(50))


# -- keeping so many -------------------------------------------------------------------------------------------------------


def test_the_oldest_requests_make_room_for_the_newest(open_store: OpenStore) -> None:
    recorder = open_store(keep=10)

    for _ in range(15):
        recorder.record([upload()])

    assert ids(recorder) == list(range(6, 16))
    assert recorder.forgotten == 5


def test_at_least_keep_batches_are_kept_and_at_most_a_hundredth_more(open_store: OpenStore) -> None:
    recorder = open_store(keep=200)
    counts = []

    for _ in range(250):
        recorder.record([upload()])
        counts.append(len(ids(recorder)))

    assert counts[:202] == list(range(1, 203))
    assert set(counts[202:]) == {200, 201, 202}


def test_a_bulk_request_counts_by_its_batches(open_store: OpenStore) -> None:
    recorder = open_store(keep=10)
    recorder.record([upload(), upload()])

    recorder.record([sent(*[None] * 9)])

    assert (ids(recorder), recorder.forgotten) == ([2, 3], 1)


def test_the_newest_request_is_kept_even_if_it_has_more_batches_than_keep(open_store: OpenStore) -> None:
    recorder = open_store(keep=2)
    recorder.record([upload()])

    recorder.record([sent(*[None] * 5)])

    assert (ids(recorder), recorder.forgotten) == ([2], 1)


def test_a_request_without_batches_takes_the_place_of_one_and_counts_as_none_when_it_goes(open_store: OpenStore) -> None:
    recorder = open_store(keep=2)

    for _ in range(3):
        recorder.record([sent()])

    assert (ids(recorder), recorder.forgotten) == ([2, 3], 0)


def test_more_requests_at_once_than_keep_leave_the_newest(open_store: OpenStore) -> None:
    recorder = open_store(keep=3)

    recorder.record([upload() for _ in range(8)])

    assert (ids(recorder), recorder.forgotten) == ([6, 7, 8], 5)


def test_what_was_forgotten_on_request_makes_room(open_store: OpenStore) -> None:
    recorder = open_store(keep=10)
    recorder.record([sent(None, None, workspace="a") for _ in range(3)])
    recorder.record([sent(workspace="b") for _ in range(4)])
    recorder.forget("a")

    recorder.record([upload() for _ in range(6)])

    assert (len(ids(recorder)), recorder.forgotten) == (10, 0)


@pytest.mark.parametrize("keep", [0, -1])
def test_a_store_that_keeps_nothing_cannot_be_opened(keep: int) -> None:
    with pytest.raises(ValueError, match=f"keep is {keep}; it must be at least 1 batch"):
        open_recorder("memory", keep)


@pytest.mark.parametrize(
    "store", ["", "memories", "sqlite://", "sqlite:///", "sqlite:/x.db", "/tmp/x.db", "postgresql://host/db"]
)
def test_a_store_of_another_kind_is_refused_with_the_kinds_there_are(store: str) -> None:
    with pytest.raises(ValueError, match=r"expected 'memory' or 'sqlite:///FILE'"):
        open_recorder(store)


# -- forgetting ------------------------------------------------------------------------------------------------------------


def test_forgetting_everything_leaves_nothing_and_tells_how_many_batches_went(recorder: Recorder) -> None:
    recorder.record([sent("a", "b"), sent(), upload(), sent(workspace=None)])

    assert recorder.forget() == 3
    assert ids(recorder) == []
    assert recorder.duplicate_of("key", "a") is None


def test_forgetting_a_workspace_leaves_the_others(recorder: Recorder) -> None:
    recorder.record([sent(None, workspace="a"), sent(None, workspace="b"), sent(workspace=None), sent(None, workspace="a")])

    assert recorder.forget("a") == 2
    assert ids(recorder) == [2, 3]


def test_forgetting_an_unknown_workspace_forgets_nothing(recorder: Recorder) -> None:
    recorder.record([upload()])

    assert recorder.forget("nobody's") == 0
    assert ids(recorder) == [1]


def test_what_is_forgotten_on_request_is_not_counted_as_pushed_out(recorder: Recorder) -> None:
    recorder.record([upload()])

    recorder.forget()

    assert recorder.forgotten == 0


@pytest.mark.usefixtures("restless")
def test_forgetting_a_workspace_while_others_record_loses_nothing_of_theirs(open_store: OpenStore) -> None:
    recorder = open_store(keep=400)
    forgotten: list[int] = []

    def record(workspace: str) -> None:
        for number in range(200):
            recorder.record([sent(f"{workspace}{number}", workspace=workspace)])

    def forget() -> None:
        while recorder.last_id() < 400:
            forgotten.append(recorder.forget("a"))

    in_threads(lambda: record("a"), lambda: record("b"), forget)

    forgotten.append(recorder.forget("a"))
    assert sum(forgotten) == 200
    assert [request.batches[0].source_request_id for request in recorder.requests()] == [f"b{n}" for n in range(200)]
    recorder.record([upload() for _ in range(200)])
    assert (len(ids(recorder)), recorder.forgotten) == (400, 0)


# -- being told ------------------------------------------------------------------------------------------------------------


def test_waiting_ends_when_something_is_recorded_that_was_waited_for(recorder: Recorder) -> None:
    asked = threading.Event()
    woken: list[bool] = []

    def met() -> bool:
        asked.set()
        return recorder.last_id() >= 3

    def record() -> None:
        asked.wait()
        for _ in range(3):
            recorder.record([upload()])

    in_threads(record, lambda: woken.append(recorder.wait(met, 60)))

    assert woken == [True]


def test_waiting_for_what_is_there_already_ends_at_once(recorder: Recorder) -> None:
    recorder.record([upload()])

    assert recorder.wait(lambda: recorder.last_id() == 1, 0)


def test_waiting_in_vain_ends_after_the_timeout(recorder: Recorder) -> None:
    assert not recorder.wait(lambda: False, 0.01)


def test_who_waits_may_read_while_another_records_under_the_lock(recorder: Recorder) -> None:
    asked = threading.Event()
    locked = threading.Event()
    seen: list[list[int]] = []

    def met() -> bool:
        asked.set()
        locked.wait(0.05)
        seen.append(ids(recorder))
        return seen[-1] == [1]

    def record() -> None:
        asked.wait()
        with recorder.lock:
            locked.set()
            recorder.record([upload()])

    in_threads(record, lambda: recorder.wait(met, 60))

    assert seen[-1] == [1]


def test_a_subscriber_is_called_after_each_commit_and_sees_what_it_brought(recorder: Recorder) -> None:
    seen: list[list[int]] = []
    recorder.subscribe(lambda: seen.append(ids(recorder)))

    recorder.record([upload(), upload()])
    recorder.record([upload()])

    assert seen == [[1, 2], [1, 2, 3]]


def test_a_subscriber_that_has_left_is_called_no_more(recorder: Recorder) -> None:
    stayed: list[int] = []
    left: list[int] = []
    leave = recorder.subscribe(lambda: left.append(recorder.last_id()))
    recorder.subscribe(lambda: stayed.append(recorder.last_id()))
    recorder.record([upload()])

    leave()
    recorder.record([upload()])

    assert (left, stayed) == ([1], [1, 2])


# -- closing ---------------------------------------------------------------------------------------------------------------


def test_closing_twice_does_no_harm(recorder: Recorder) -> None:
    recorder.close()
    recorder.close()
