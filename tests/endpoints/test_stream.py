"""What a stream says, look by look, without a server: `tests/test_server.py` follows real ones."""

import json
from typing import Any

from mparticle_fake_server.endpoints.inspect_stream import Stream
from mparticle_fake_server.exchange import Submission
from mparticle_fake_server.hosting import open_intake, tables
from mparticle_fake_server.intake import Intake
from tests.hosts import BASIC, batch


def uploaded(*bodies: Any) -> Intake:
    intake = open_intake()
    for body in bodies:
        path = "/v2/bulkevents" if isinstance(body, list) else "/v2/events"
        answer(intake, "POST", path, body=json.dumps(body).encode())
    return intake


def answer(intake: Intake, method: str, path: str, query: str = "", body: bytes = b"") -> Any:
    row = next(row for row in tables(intake) if (row.method, row.path) == (method, path))
    return row.handler(Submission(method, path, query, [(b"authorization", BASIC.encode())], body))


def stream(intake: Intake, query: str) -> Stream:
    opened = answer(intake, "GET", "/_fake/stream", query)
    assert isinstance(opened, Stream)
    return opened


def ids(chunk: bytes) -> list[str]:
    """The ids of the events that have data."""
    events = [event for event in chunk.split(b"\n\n") if b"data: " in event]
    return [line[4:].decode() for event in events for line in event.split(b"\n") if line.startswith(b"id: ")]


def test_a_stream_that_is_resumed_inside_a_bulk_request_has_the_rest_of_it() -> None:
    intake = uploaded(batch(), [batch(), batch(), batch()], batch())

    assert ids(stream(intake, "after=2.0").poll()) == ["2.1", "2.2", "3.0"]


def test_a_stream_that_is_resumed_behind_a_bulk_request_has_nothing_twice() -> None:
    intake = uploaded([batch(), batch()], batch())

    assert ids(stream(intake, "after=1.1").poll()) == ["2.0"]


def test_a_filter_holds_for_the_rest_of_a_bulk_request_too() -> None:
    intake = uploaded([batch(), batch(mpid=1), batch(mpid=2)])

    assert ids(stream(intake, "after=1.0&identity=mpid:2").poll()) == ["1.2"]


def test_one_look_is_bounded_in_bytes() -> None:
    intake = uploaded(*[batch(user_attributes={"long": "x" * 100_000})] * 9)
    opened = stream(intake, "after=0")

    looks = [ids(opened.poll()) for _ in range(3)]

    assert looks == [["1.0", "2.0", "3.0"], ["4.0", "5.0", "6.0"], ["7.0", "8.0", "9.0"]]
    assert not opened.behind


def test_a_stream_begins_with_the_id_to_resume_from() -> None:
    intake = uploaded(batch(), batch())

    assert stream(intake, "").poll() == b"id: 2\n\n"


def test_a_stream_that_is_resumed_on_a_new_store_begins_anew() -> None:
    intake = uploaded(batch())

    assert ids(stream(intake, "after=2.0").poll()) == ["1.0"]


def test_a_stream_that_fell_behind_tells_of_all_that_was_forgotten() -> None:
    intake = open_intake(keep=3)
    upload = json.dumps(batch()).encode()
    for _ in range(2):
        answer(intake, "POST", "/v2/events", body=upload)
    opened = stream(intake, "after=0")
    opened.poll()
    for _ in range(600):
        answer(intake, "POST", "/v2/events", body=upload)
    text = b""
    while opened.behind:
        text += opened.poll()

    assert b'event: forgotten\ndata: {"after":"2","before":"600"}\n\n' in text
    assert ids(text)[-3:] == ["600.0", "601.0", "602.0"]
