"""How a wait looks at what is recorded, look by look, without a server: `test_inspect.py` asks real ones."""

import pytest

from mparticle_fake_server.exchange import Answer
from mparticle_fake_server.query import Cursor, Filter
from mparticle_fake_server.recording import Recorder, open_recorder
from mparticle_fake_server.waiting import Wait
from tests.recording.samples import sent, upload


@pytest.fixture
def recorder() -> Recorder:
    return open_recorder("memory")


def wait(recorder: Recorder) -> Wait:
    """A wait for what never comes."""
    return Wait(
        recorder, Filter.parse([("event_name", "Never")], "events"), "events", 1, 10.0, Cursor(), lambda _: Answer(408, [])
    )


def test_a_look_that_took_all_there_is_can_wait_for_more(recorder: Recorder) -> None:
    recorder.record([upload() for _ in range(30)])
    waiting = wait(recorder)
    waiting.poll()
    recorder.record([upload()])

    assert (waiting.behind, waiting.far_behind) == (True, False)


def test_a_look_that_large_bodies_cut_short_goes_on_at_once(recorder: Recorder) -> None:
    recorder.record([sent(None, body=b" " * 200_000) for _ in range(4)])
    waiting = wait(recorder)
    waiting.poll()

    assert (waiting.behind, waiting.far_behind) == (True, True)


def test_when_its_time_is_up_a_wait_looks_at_what_came_before_and_no_more(recorder: Recorder) -> None:
    recorder.record([sent(None, body=b" " * 200_000) for _ in range(4)])
    waiting = wait(recorder)
    waiting.expire()
    looks = 0
    while waiting.behind:
        waiting.poll()
        recorder.record([upload()])
        waiting.expire()
        looks += 1

    assert looks == 2
