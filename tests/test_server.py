"""FakeServer: starting, stopping, watchers beside uploads, addresses."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mparticle_fake_server import FakeServer, ServerError, StoreError
from mparticle_fake_server.app import make_app
from mparticle_fake_server.exchange import Answer
from mparticle_fake_server.front import Front
from mparticle_fake_server.protocol import UploadProtocol
from tests.hosts import BASIC, batch, event

HELLO = json.dumps(batch(events=[event("Hello")])).encode()
LINE = b'{"batch":%b,"received_at_ms":1}\n' % HELLO
"""Of an import."""
EXPORT = b"GET /_fake/batches HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n"


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as started:
        yield started


def upload(server: FakeServer, body: bytes = HELLO) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/v2/events", body, {"Authorization": BASIC})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def get(server: FakeServer, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    value = json.loads(answer.read())
    connection.close()
    return answer.status, value


def status_of(server: FakeServer, method: str, path: str) -> int:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request(method, path)
        return connection.getresponse().status


class Poll:
    """An open long poll."""

    def __init__(self, server: FakeServer, question: str, host: str = "127.0.0.1") -> None:
        self.connection = http.client.HTTPConnection(host, server.port, timeout=10)
        self.connection.request("GET", f"/_fake/{question}")

    def status(self) -> int:
        answer = self.connection.getresponse()
        answer.read()
        self.connection.close()
        return answer.status


class Events:
    """An open stream of server-sent events."""

    def __init__(self, server: FakeServer, path: str = "/_fake/stream", **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        self.connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        self.answer = self.connection.getresponse()
        assert self.answer.readline() == b": connected\n"

    def next(self) -> tuple[str, str, Any]:
        """Kind, id and data of the next event."""
        kind, id = "message", ""
        while line := self.answer.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "event":
                kind = value
            elif name == "id":
                id = value
            elif name == "data":
                return kind, id, json.loads(value)
        raise EOFError

    def close(self) -> None:
        self.connection.close()
        self.answer.close()


def ends(action: Callable[[], None]) -> bool:
    """Whether an action ends within 5 seconds; it runs in a thread, so that a test fails where the action hangs."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()


class Endless:
    """Requests without an end in a server's store, and exports of them that nobody reads."""

    def __init__(self, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended = threading.Semaphore(0)
        self.begun = self.read = 0
        self._server = server
        self._read_all = server.intake.recorder.requests
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(server.intake.recorder, "requests", self._requests)
        monkeypatch.setattr("mparticle_fake_server.server.GRACE_SECONDS", 0.05)

    def _requests(self, *_: Any) -> Iterator[Any]:
        record = _record(self._server)
        record.id = 1
        self.begun += 1
        try:
            while True:
                self.read += 1
                yield record
        finally:
            self.ended.release()

    @contextlib.contextmanager
    def searches(self, count: int) -> Iterator[None]:
        """That many questions whose answer never comes."""
        with contextlib.ExitStack() as clients:
            for number in range(count):
                client = clients.enter_context(socket.create_connection(("127.0.0.1", self._server.port), timeout=10))
                client.sendall(b"GET /_fake/batches?event_name=Never HTTP/1.1\r\nHost: localhost\r\n\r\n")
                while self.begun == number:
                    assert status_of(self._server, "GET", "/_fake/workspaces") == 200
            self._monkeypatch.setattr(self._server.intake.recorder, "requests", self._read_all)
            yield

    @contextlib.contextmanager
    def exports(self, count: int) -> Iterator[None]:
        """That many exports, begun and not read."""
        with contextlib.ExitStack() as clients:
            for _ in range(count):
                client = clients.enter_context(socket.socket())
                client.settimeout(10)
                # Little of what nobody reads has room on the way.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", self._server.port))
                client.sendall(EXPORT)
                assert client.recv(12) == b"HTTP/1.1 200"
            # What else is asked has an end.
            self._monkeypatch.setattr(self._server.intake.recorder, "requests", self._read_all)
            yield


# -- starting and stopping -------------------------------------------------------------------------------------------------


def test_a_server_answers_as_soon_as_it_is_started() -> None:
    with FakeServer() as server:
        assert upload(server) == 202


def test_a_free_port_is_taken_and_told_in_the_url(server: FakeServer) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}"
    assert server.port > 0


def test_a_stopped_server_leaves_no_thread() -> None:
    before = set(threading.enumerate())

    with FakeServer() as server:
        upload(server)
        get(server, "/_fake/batches")

    assert set(threading.enumerate()) <= before


def test_a_stopped_server_leaves_no_socket() -> None:
    with FakeServer() as server:
        upload(server)

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
    with FakeServer(port=server.port):
        pass


def test_stopping_twice_does_no_harm(server: FakeServer) -> None:
    server.stop()
    server.stop()


def test_starting_twice_is_refused(server: FakeServer) -> None:
    with pytest.raises(ServerError, match="runs already"):
        server.start()


def test_a_stopped_server_can_be_started_again() -> None:
    server = FakeServer()
    for _ in range(2):
        with server:
            assert upload(server) == 202


def test_a_port_in_use_is_a_clear_error(server: FakeServer) -> None:
    with pytest.raises(ServerError, match=f"Port {server.port} on 127.0.0.1 is in use"):
        FakeServer(port=server.port).start()


@pytest.mark.parametrize(("host", "port"), [("256.1.1.1", 0), ("no-such-host.invalid", 0), ("127.0.0.1", 70_000)])
def test_an_impossible_address_is_a_clear_error(host: str, port: int) -> None:
    with pytest.raises(ServerError, match="cannot be used"):
        FakeServer(host, port).start()


def test_a_store_that_cannot_be_opened_frees_the_address(tmp_path: Any) -> None:
    server = FakeServer(store=f"sqlite:///{tmp_path}/no/such/dir.db")

    with pytest.raises(StoreError):
        server.start()

    with FakeServer(port=server.port):
        pass


def test_a_server_stops_while_streams_and_long_polls_are_open() -> None:
    with FakeServer() as server:
        streams = [Events(server) for _ in range(5)]
        polls = [Poll(server, "wait?event_name=Never&timeout=60") for _ in range(5)]

    for stream in streams:
        with pytest.raises((EOFError, OSError)):
            stream.next()
        stream.close()
    for poll in polls:
        # Answered, or closed before the server had read the question.
        with contextlib.suppress(OSError, http.client.HTTPException):
            assert poll.status() == 503
        poll.connection.close()


def test_a_server_stops_while_a_client_holds_a_half_sent_request() -> None:
    with FakeServer() as server:
        client = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        client.sendall(b"POST /v2/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        upload(server)
    client.close()


def test_a_server_stops_while_nobody_reads_50_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(threading.enumerate())
    server = FakeServer().start()

    with Endless(server, monkeypatch).exports(50):
        assert ends(server.stop)

    assert set(threading.enumerate()) <= before


def test_an_export_ends_when_its_client_leaves(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = Endless(server, monkeypatch)

    with endless.exports(1):
        pass

    assert endless.ended.acquire(timeout=5)


def test_a_thread_that_dies_while_it_starts_is_an_error_and_no_endless_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    class Death(BaseException):
        pass

    def die(*_: object) -> None:
        raise Death

    monkeypatch.setattr(Front, "open", die)
    raised: list[Death] = []

    def start() -> None:
        try:
            FakeServer().start()
        except Death as death:
            raised.append(death)

    assert ends(start)
    assert len(raised) == 1


@pytest.mark.parametrize("step", ["_bind", "open"])
def test_a_signal_that_comes_while_the_server_starts_stops_it(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    server = FakeServer()
    real = getattr(server, step)

    def interrupted() -> Any:
        signal.raise_signal(signal.SIGTERM)
        return real()

    monkeypatch.setattr(server, step, interrupted)
    previous = signal.signal(signal.SIGTERM, lambda *_: None)
    late = threading.Timer(5, os.kill, (os.getpid(), signal.SIGTERM))
    late.start()
    try:
        server.run()
        assert late.is_alive()
    finally:
        late.cancel()
        late.join()
        signal.signal(signal.SIGTERM, previous)


def test_a_server_that_ran_until_a_signal_can_be_run_again() -> None:
    server = FakeServer()
    ports = []

    def started() -> None:
        ports.append(server.port)
        signal.raise_signal(signal.SIGTERM)

    for _ in range(2):
        server.run(started)

    assert ports == [server.port] * 2


def test_a_signal_that_comes_while_the_server_ends_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Loop(asyncio.SelectorEventLoop):
        def close(self) -> None:
            super().close()
            closed.append(self)
            signal.raise_signal(signal.SIGTERM)

    closed: list[Loop] = []
    monkeypatch.setattr("mparticle_fake_server.server._new_event_loop", Loop)

    FakeServer().run(lambda: signal.raise_signal(signal.SIGTERM))

    assert len(closed) == 1


# -- addresses and tokens --------------------------------------------------------------------------------------------------


def test_an_address_that_others_can_reach_gets_a_token_of_its_own() -> None:
    with FakeServer("0.0.0.0") as server:
        status, _ = get(server, "/_fake/batches")

        assert status == 401
        assert server.token is not None
        assert len(server.token) >= 20
        assert get(server, f"/_fake/batches?token={server.token}")[0] == 200


def test_loopback_needs_no_token(server: FakeServer) -> None:
    assert server.token is None


def test_an_ipv6_address_is_served_and_written_in_brackets() -> None:
    with FakeServer("::1") as server:
        assert Poll(server, "health", "::1").status() == 200
        assert server.url == f"http://[::1]:{server.port}"


# -- watching --------------------------------------------------------------------------------------------------------------


def test_a_stream_shows_batches_as_they_arrive(server: FakeServer) -> None:
    stream = Events(server)

    upload(server)

    kind, id, item = stream.next()
    assert (kind, id, item["batch"]["events"][0]["data"]["event_name"]) == ("message", "1.0", "Hello")
    stream.close()


def test_a_stream_begins_with_what_comes_after_it_was_opened(server: FakeServer) -> None:
    upload(server)
    stream = Events(server)

    upload(server)

    assert stream.next()[1] == "2.0"
    stream.close()


def test_a_stream_resumes_after_the_last_event_id(server: FakeServer) -> None:
    for _ in range(3):
        upload(server)

    stream = Events(server, Last_Event_ID="1.0")

    assert [stream.next()[1] for _ in range(2)] == ["2.0", "3.0"]
    stream.close()


def test_a_stream_keeps_to_its_filters(server: FakeServer) -> None:
    stream = Events(server, "/_fake/stream?event_name=Wanted")

    upload(server)
    upload(server, json.dumps(batch(events=[event("Wanted")])).encode())

    assert stream.next()[1] == "2.0"
    stream.close()


def test_a_stream_tells_of_requests_without_batches(server: FakeServer) -> None:
    stream = Events(server)

    upload(server, b"{")

    kind, _, item = stream.next()
    assert (kind, item["findings"][0]["code"]) == ("request", "json_broken")
    stream.close()


def test_a_stream_tells_what_was_forgotten_before_it_could_be_shown() -> None:
    with FakeServer(keep=2) as server:
        for _ in range(5):
            upload(server)
        stream = Events(server, Last_Event_ID="1.0")

        assert stream.next() == ("forgotten", "", {"after": "1", "before": "4"})
        assert stream.next()[1] == "4.0"
        stream.close()


def test_a_stream_of_more_batches_than_one_look_takes_has_them_all(server: FakeServer) -> None:
    for _ in range(450):
        server.intake.recorder.record([_record(server)])

    stream = Events(server, "/_fake/stream?after=0")

    assert [stream.next()[1] for _ in range(450)] == [f"{number}.0" for number in range(1, 451)]
    stream.close()


def _record(server: FakeServer) -> Any:
    from mparticle_fake_server.recording import BatchRecord, RequestRecord

    return RequestRecord(
        0,
        "default",
        "key",
        "events_api",
        "standard",
        "POST",
        "/v2/events",
        "",
        "",
        b"",
        202,
        HELLO,
        (),
        (BatchRecord("accepted"),),
    )


def test_waiting_is_answered_by_a_later_upload(server: FakeServer) -> None:
    poll = Poll(server, "wait?event_name=Hello&count=2&timeout=10")

    upload(server)
    upload(server)

    assert poll.status() == 200


def test_waiting_in_vain_ends_with_its_time(server: FakeServer) -> None:
    assert get(server, "/_fake/wait?event_name=Never&timeout=0.05")[0] == 408


def test_waiting_notices_what_another_thread_records(server: FakeServer) -> None:
    poll = Poll(server, "wait?event_name=Hello&timeout=10")

    server.intake.recorder.record([_record(server)])

    assert poll.status() == 200


def test_uploads_go_on_beside_50_open_watchers_and_each_watcher_gets_its_due(server: FakeServer) -> None:
    streams = [Events(server) for _ in range(25)]
    polls = [Poll(server, "wait?event_name=Hello&count=40&timeout=30") for _ in range(25)]

    statuses = [upload(server) for _ in range(40)]

    assert statuses == [202] * 40
    assert [poll.status() for poll in polls] == [200] * 25
    for stream in streams:
        assert [stream.next()[1] for _ in range(40)] == [f"{number}.0" for number in range(1, 41)]
    for stream in streams:
        stream.close()


def test_uploads_go_on_beside_a_stream_that_nobody_reads(server: FakeServer) -> None:
    big = json.dumps(batch(user_attributes={"long": "x" * 200_000})).encode()
    stream = Events(server)

    statuses = [upload(server, big) for _ in range(60)]

    # 12 MB: more than the buffers of the connection hold.
    assert statuses == [202] * 60
    assert [stream.next()[1] for _ in range(60)] == [f"{number}.0" for number in range(1, 61)]
    stream.close()


def test_a_sleeper_that_finds_something_new_at_once_is_forgotten(server: FakeServer) -> None:
    class Behind:
        timeout = 1.0
        behind = True
        far_behind = False

        def poll(self) -> Answer | None:
            return None

        def expire(self) -> None:
            self.behind = False

        def give_up(self) -> Answer:
            return Answer(408, [])

    async def sleep() -> None:
        front = Front(server.intake, [], lambda: make_app(server.intake, []))
        front.open(asyncio.get_running_loop())
        gone = asyncio.create_task(asyncio.sleep(60))
        assert await front._sleep(gone, 1, Behind())
        gone.cancel()
        front.close()
        assert not front._sleepers

    asyncio.run(sleep())


# -- slow clients ----------------------------------------------------------------------------------------------------------


def test_ten_clients_that_do_not_send_their_bodies_hold_up_nobody(server: FakeServer) -> None:
    with contextlib.ExitStack() as clients:
        for _ in range(10):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            client.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"

        assert get(server, "/_fake/batches")[0] == 200


def test_a_body_that_comes_slowly_is_read_whole(server: FakeServer) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        client.recv(100)
        client.sendall(b"12")
        client.sendall(b"345")
        assert client.recv(12) == b"HTTP/1.1 404"

    assert next(server.intake.recorder.requests()).body == b"12345"


def test_a_body_that_is_larger_than_the_server_takes_is_not_kept_on_an_unknown_path() -> None:
    with FakeServer(max_body=10) as server:
        chunked = b"POST /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = exchange(server, chunked + b"8\r\n12345678\r\n" * 3 + b"0\r\n\r\n")

        assert answer.startswith(b"HTTP/1.1 404 ")
        assert next(server.intake.recorder.requests()).body == b""


def half_an_import(server: FakeServer) -> socket.socket:
    """An import of which a line and a half were sent."""
    client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    lines = ["POST /_fake/import HTTP/1.1", "Host: localhost", "Connection: close", "Transfer-Encoding: chunked"]
    client.sendall("\r\n".join([*lines, "Expect: 100-continue", "", ""]).encode())
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"%x\r\n%b\r\n" % (len(LINE) + 10, LINE + LINE[:10]))
    return client


QUESTIONS = {
    "GET /_fake/health": 200,
    "GET /_fake/wait?event_name=Never&timeout=0.01": 408,
    "GET /_fake/requests?limit=1": 200,
    "GET /_fake/workspaces": 200,
    "DELETE /_fake/faults": 200,
    "POST /_fake/import": 200,
    "POST /v2/events": 401,
    "POST /v2/event": 404,
}


def test_50_exports_that_nobody_reads_hold_up_nobody(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with Endless(server, monkeypatch).exports(50):
        statuses = {question: status_of(server, *question.split(" ")) for question in QUESTIONS}

    assert statuses == QUESTIONS


def test_searches_that_find_nothing_hold_up_nobody(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with Endless(server, monkeypatch).searches(12):
        statuses = {question: status_of(server, *question.split(" ")) for question in QUESTIONS}

    assert statuses == QUESTIONS


def test_a_search_ends_when_its_client_leaves(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = Endless(server, monkeypatch)

    with endless.searches(1):
        pass

    assert endless.ended.acquire(timeout=5)


def test_50_imports_that_do_not_go_on_hold_up_nobody(server: FakeServer) -> None:
    with contextlib.ExitStack() as clients:
        for _ in range(50):
            clients.enter_context(half_an_import(server))

        statuses = {question: status_of(server, *question.split(" ")) for question in QUESTIONS}

    assert statuses == QUESTIONS


def test_of_an_export_that_nobody_reads_no_more_is_made_than_its_connection_holds(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = Endless(server, monkeypatch)
    with endless.exports(1):
        counts = [endless.read]
        while len(counts) < 3 or counts[-1] != counts[-3]:
            assert status_of(server, "GET", "/_fake/workspaces") == 200
            counts.append(endless.read)

        # The system's own buffers take up to 4 MB.
        assert counts[-1] * len(HELLO) < 10_000_000


def test_an_import_is_taken_line_by_line_while_it_arrives(server: FakeServer) -> None:
    with half_an_import(server) as client:
        client.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(LINE) - 10, LINE[10:]))
        answer = rest_of(client)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'{"imported":2}')


def test_of_an_import_that_breaks_off_the_whole_lines_are_kept(server: FakeServer) -> None:
    half_an_import(server).close()

    assert get(server, "/_fake/wait?of=batches&source=import")[1]["count"] == 1


def test_an_import_ends_at_its_first_wrong_line(server: FakeServer) -> None:
    with half_an_import(server) as client:
        client.sendall(b"2\r\n}\n\r\n")

        assert client.recv(12) == b"HTTP/1.1 400"


# -- the wire --------------------------------------------------------------------------------------------------------------


def head(*headers: str) -> bytes:
    """The head of an authenticated upload."""
    lines = ["POST /v2/events HTTP/1.1", "Host: x", f"Authorization: {BASIC}", *headers]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


def rest_of(client: socket.socket) -> bytes:
    """What comes until the server closes."""
    received = b""
    while part := client.recv(65_536):
        received += part
    return received


def exchange(server: FakeServer, sent: bytes, *, leave: bool = False) -> bytes:
    """What comes back for raw bytes until the server closes; with `leave`, the client says that it sends no more."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(sent)
        if leave:
            client.shutdown(socket.SHUT_WR)
        return rest_of(client)


def test_a_chunked_body_is_read(server: FakeServer) -> None:
    answer = exchange(
        server, head("Transfer-Encoding: chunked", "Connection: close") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(HELLO), HELLO)
    )

    assert answer.startswith(b"HTTP/1.1 202 ")


def test_a_body_that_ends_too_early_is_recorded(server: FakeServer) -> None:

    stream = Events(server)

    exchange(server, head("Content-Length: 100") + b'{"environment"', leave=True)

    assert [finding["code"] for finding in stream.next()[2]["findings"]] == ["body_incomplete"]
    stream.close()


def test_pipelined_requests_are_answered_in_order(server: FakeServer) -> None:
    one = (
        f"POST /v2/events HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC}\r\nContent-Length: {len(HELLO)}\r\n\r\n".encode() + HELLO
    )
    last = b"GET /v2/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    answer = exchange(server, one + one + last)

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"202", b"202", b"405"]


GARBAGE = {
    b"\x16\x03\x01\x02\x00\x01\x00": "It looks like TLS: use http://, not https://.",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": "It is HTTP/2: use HTTP/1.1.",
    b"GET\r\n\r\n": "Expected space after method",
    b"\x00" * 100: "Invalid method encountered",
    b"BREW /v2/events HTTP/1.1\r\n\r\n": "Invalid method encountered",
    b"CONNECT /v2/events HTTP/1.1\r\n\r\n": "CONNECT is for proxies",
    b"POST /v2/events HTTP/1.1\r\nContent-Length: x\r\n\r\n": "Invalid character in Content-Length",
    b"POST /v2/\xc3\xa9 HTTP/1.1\r\n\r\n": "percent-encode spaces and whatever is not ASCII",
}


@pytest.mark.parametrize(("garbage", "told"), GARBAGE.items(), ids=range(len(GARBAGE)))
def test_garbage_is_answered_recorded_and_harms_nobody_else(server: FakeServer, garbage: bytes, told: str) -> None:
    start, _, body = exchange(server, garbage).partition(b"\r\n\r\n")

    assert start.startswith(b"HTTP/1.1 400 ")
    assert told in json.loads(body)["errors"][0]["message"]
    request = get(server, "/_fake/requests?code=http_broken")[1]["items"][0]
    assert (request["method"], request["path"], request["status"]) == ("?", "", 400)
    assert upload(server) == 202


@pytest.mark.parametrize("path", ["/v2/events", "/nothing"])
def test_garbage_in_a_body_is_answered_and_recorded_once(server: FakeServer, path: str) -> None:
    lines = (f"POST {path} HTTP/1.1", "Host: x", f"Authorization: {BASIC}", "Transfer-Encoding: chunked", "", "x")

    start, _, body = exchange(server, "\r\n".join(lines).encode()).partition(b"\r\n\r\n")

    assert start.startswith(b"HTTP/1.1 400 ")
    assert "Invalid character in chunk size" in json.loads(body)["errors"][0]["message"]
    assert [item["path"] for item in get(server, "/_fake/requests")[1]["items"]] == [path]


def test_garbage_is_not_worth_a_warning(server: FakeServer, caplog: pytest.LogCaptureFixture) -> None:
    exchange(server, b"garbage\r\n\r\n")

    assert not caplog.records


def test_garbage_behind_uploads_leaves_them_their_answers(server: FakeServer) -> None:
    one = head(f"Content-Length: {len(HELLO)}") + HELLO

    answer = exchange(server, one + one + b"garbage\r\n\r\n")

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"202", b"202", b"400"]


def test_garbage_behind_a_question_leaves_it_its_answer(server: FakeServer) -> None:
    answer = exchange(server, b"GET /_fake/batches HTTP/1.1\r\nHost: localhost\r\n\r\ngarbage\r\n\r\n")

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200"]


def test_a_head_without_an_end_is_refused(server: FakeServer) -> None:
    start, _, body = exchange(server, b"POST /v2/events HTTP/1.1\r\nCookie: " + b"x" * 700_000).partition(b"\r\n\r\n")

    assert start.startswith(b"HTTP/1.1 431 ")
    assert "more than 65536 bytes" in json.loads(body)["errors"][0]["message"]


def test_a_head_of_more_than_64_kb_is_refused_in_one_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    listen = FakeServer._listen

    def listen_roomily(server: FakeServer, port: int) -> socket.socket:
        listener = listen(server, port)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 200_000)
        return listener

    monkeypatch.setattr(FakeServer, "_listen", listen_roomily)
    with FakeServer() as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        held = threading.Event()
        server._loop.call_soon_threadsafe(held.wait, 10)
        client.sendall(head(f"Cookie: {'x' * 80_000}", "Content-Length: 2", "Connection: close") + b"{}")
        held.set()

        assert rest_of(client).startswith(b"HTTP/1.1 431 ")


def test_a_head_of_100_kb_is_refused_however_it_arrives(server: FakeServer) -> None:
    answer = exchange(server, head(f"Cookie: {'x' * 100_000}", "Content-Length: 2") + b"{}")

    assert answer.startswith(b"HTTP/1.1 431 ")


def test_a_large_body_before_a_head_that_is_cut_does_not_count_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mparticle_fake_server.protocol.MOST_OF_A_HEAD", 1_000)
    body = HELLO + b" " * 2_000
    upload = head(f"Content-Length: {len(body)}") + body
    closing = head("Content-Length: 0", "Connection: close")
    with FakeServer() as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(upload + closing[:40])
        first = client.recv(65_536)
        client.sendall(closing[40:])

        assert re.findall(rb"HTTP/1.1 (\d+)", first + rest_of(client)) == [b"202", b"400"]


@pytest.mark.parametrize("cuts", [(-1,), (-3, -1), (-3, -2), (-2, -1), (-3, -2, -1)])
def test_a_large_body_behind_a_head_whose_end_is_cut_is_no_part_of_it(
    cuts: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mparticle_fake_server.protocol.MOST_OF_A_HEAD", 1_000)
    body = HELLO + b" " * 2_000
    upload = head(f"Content-Length: {len(body)}", "Connection: close")
    with FakeServer() as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        pieces = [upload[start:end] for start, end in pairwise([None, *cuts, None])]
        send_in_pieces(server, client, *pieces[:-1], pieces[-1] + body)

        assert rest_of(client).startswith(b"HTTP/1.1 202 ")


def test_a_head_of_60_kb_is_read(server: FakeServer) -> None:
    cookie = f"Cookie: {'x' * 60_000}"

    assert exchange(server, head(cookie, "Content-Length: 2", "Connection: close") + b"{}").startswith(b"HTTP/1.1 202 ")
    assert get(server, "/_fake/requests?code=http_broken")[1]["items"] == []


def chunked(*trailers: str) -> bytes:
    """An upload whose body comes in a chunk, with trailers behind it."""
    chunk = b"%x\r\n%b\r\n0\r\n" % (len(HELLO), HELLO)
    return head("Transfer-Encoding: chunked") + chunk + "".join(f"{trailer}\r\n" for trailer in [*trailers, ""]).encode()


CLOSING = head(f"Content-Length: {len(HELLO)}", "Connection: close") + HELLO


def send_in_pieces(server: FakeServer, client: socket.socket, *pieces: bytes) -> None:
    """Send pieces of which each is read by itself."""
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in pieces:
        client.sendall(piece)
        # When this is answered, the loop has read what came before.
        exchange(server, b"GET /_fake/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "cut", [10_000, -1, -2, -30], ids=["in one read", "before its end", "before the blank line", "in a trailer"]
)
@pytest.mark.parametrize(
    "trailer", ["Content-Encoding: gzip", "Content-Type: text/html; charset=utf-16", "X-Checksum: " + "0" * 20]
)
def test_a_trailer_is_no_header(server: FakeServer, trailer: str, cut: int) -> None:
    sent = chunked("X-First: " + "0" * 20, trailer)

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        send_in_pieces(server, client, *filter(None, [sent[:cut], sent[cut:] + CLOSING]))
        answer = rest_of(client)

    first, second = server.intake.recorder.requests()
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"202", b"202"]
    assert [line.partition(b":")[0] for line in first.headers.splitlines()] == [b"host", b"authorization", b"transfer-encoding"]
    assert [line.partition(b":")[0] for line in second.headers.splitlines()][2:] == [b"content-length", b"connection"]
    assert (first.body, second.body) == (HELLO, HELLO)


def test_a_trailer_lets_nobody_in(server: FakeServer) -> None:
    sent = chunked(f"Authorization: {BASIC}").replace(f"Authorization: {BASIC}\r\n".encode(), b"", 1)

    answer = exchange(server, sent + CLOSING)

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"401", b"202"]
    assert [record.key for record in server.intake.recorder.requests()] == [None, "key"]


def test_a_trailer_of_a_request_that_is_no_upload_is_no_header(server: FakeServer) -> None:
    exchange(server, chunked("X-Checksum: 0").replace(b"/v2/events", b"/nothing", 1) + CLOSING)

    assert b"x-checksum" not in next(server.intake.recorder.requests()).headers


@pytest.mark.parametrize("trailers", [["X: " + "x" * 1_000_000], ["X: y"] * 200_000], ids=["one", "many"])
def test_trailers_of_1_mb_are_refused(server: FakeServer, trailers: list[str]) -> None:
    start, _, body = exchange(server, chunked(*trailers)).partition(b"\r\n\r\n")

    assert start.startswith(b"HTTP/1.1 431 ")
    assert "more than 65536 bytes" in json.loads(body)["errors"][0]["message"]
    (record,) = get(server, "/_fake/requests")[1]["items"]
    assert [finding["code"] for finding in record["findings"]] == ["body_incomplete"]
    assert len(next(server.intake.recorder.requests()).headers) < 200


def test_a_body_in_chunks_may_be_larger_than_a_head(server: FakeServer) -> None:
    filled = HELLO + b" " * 1_000_000
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in re.findall(rb"(?s).{1,900}", filled))

    answer = exchange(server, head("Transfer-Encoding: chunked", "Connection: close") + chunks + b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 202 ")


def test_the_trailers_of_two_requests_do_not_count_together(server: FakeServer) -> None:
    sent = chunked("X: " + "x" * 40_000)
    begun = sent.index(b"X: ") + 3

    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        for _ in range(2):
            send_in_pieces(server, client, sent[:begun], sent[begun:-1], sent[-1:])
            assert client.recv(65_536).startswith(b"HTTP/1.1 202 ")


def test_a_trailer_that_would_close_the_connection_is_refused_and_told(server: FakeServer) -> None:
    start, _, body = exchange(server, chunked("Connection: close") + CLOSING).partition(b"\r\n\r\n")

    assert start.startswith(b"HTTP/1.1 400 ")
    assert "Connection stands in a trailer" in json.loads(body)["errors"][0]["message"]


def test_two_thousand_offers_to_upgrade_in_a_row_are_ignored(server: FakeServer) -> None:
    one = b"POST /v2/events HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

    answer = exchange(server, one * 2000 + head("Connection: close", "Content-Length: 0"))

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"401"] * 2000 + [b"400"]


@pytest.fixture
def soon_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections are closed after 50 to 100 ms without a request, instead of two to four minutes."""
    made = UploadProtocol.connection_made

    def connection_made(protocol: UploadProtocol, transport: Any) -> None:
        made(protocol, transport)
        protocol.timeout_keep_alive = 0.05  # type: ignore[assignment]  # uvicorn says whole seconds, and hands it to call_later

    monkeypatch.setattr(UploadProtocol, "connection_made", connection_made)


@pytest.mark.usefixtures("soon_idle")
def test_a_connection_on_which_nothing_comes_is_closed(server: FakeServer) -> None:
    answer = exchange(server, head(f"Content-Length: {len(HELLO)}") + HELLO)

    assert answer.startswith(b"HTTP/1.1 202 ")


def test_a_connection_that_was_used_since_the_last_look_stays_open(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = UploadProtocol.answer

    def answer_and_look(protocol: UploadProtocol, given: Answer) -> None:
        answer(protocol, given)
        protocol.timeout_keep_alive_handler()

    monkeypatch.setattr(UploadProtocol, "answer", answer_and_look)
    upload = head(f"Content-Length: {len(HELLO)}") + HELLO

    answers = exchange(server, upload + upload + head("Content-Length: 0", "Connection: close"))

    assert answers.count(b"HTTP/1.1 202 ") == 2


@pytest.mark.usefixtures("soon_idle")
def test_a_connection_that_awaits_an_answer_stays_open(server: FakeServer) -> None:
    question = b"GET /_fake/wait?event_name=Never&timeout=0.3 HTTP/1.1\r\nHost: localhost\r\n\r\n"

    answer = exchange(server, head(f"Content-Length: {len(HELLO)}") + HELLO + question)

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"202", b"408"]


def test_expect_100_continue_is_honoured(server: FakeServer) -> None:
    answer = exchange(server, head(f"Content-Length: {len(HELLO)}", "Expect: 100-continue", "Connection: close") + HELLO)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 ")


def test_duplicates_that_arrive_together_are_found_and_name_the_first(server: FakeServer) -> None:
    body = json.dumps(batch(source_request_id="r1")).encode()
    one = head(f"Content-Length: {len(body)}") + body

    exchange(server, one + one + head("Content-Length: 0", "Connection: close"))

    first, second = get(server, "/_fake/batches")[1]["items"]
    assert (first["verdict"], second["verdict"]) == ("accepted", "dropped")
    assert f"batch {first['id']}" in second["findings"][0]["message"]


def test_a_refused_batch_makes_no_duplicate_of_one_that_arrives_with_it() -> None:
    refused = json.dumps(batch(source_request_id="r1", mpid=2**70)).encode()
    good = json.dumps(batch(source_request_id="r1")).encode()
    with FakeServer(mode="strict") as server:
        requests = [head(f"Content-Length: {len(body)}") + body for body in (refused, good)]
        exchange(server, b"".join(requests) + head("Content-Length: 0", "Connection: close"))

        assert [item["verdict"] for item in get(server, "/_fake/batches")[1]["items"]] == ["rejected", "accepted"]


def test_a_failure_on_one_upload_leaves_those_that_arrive_with_it(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = server.intake._judge

    def fail(reading: Any, *rest: Any) -> None:
        if b"Boom" in reading.record.body:
            raise ZeroDivisionError
        judge(reading, *rest)

    monkeypatch.setattr(server.intake, "_judge", fail)
    boom = json.dumps(batch(events=[event("Boom")])).encode()
    requests = [head(f"Content-Length: {len(body)}") + body for body in (HELLO, boom, HELLO)]

    answer = exchange(server, b"".join(requests) + head("Content-Length: 0", "Connection: close"))

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"202", b"500", b"202", b"400"]


# -- a damaged store -------------------------------------------------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[FakeServer]:
    """A server on a store whose third request cannot be read any more."""
    store = f"sqlite:///{tmp_path}/damaged.db"
    with FakeServer(store=store) as server:
        for _ in range(5):
            upload(server)
    with contextlib.closing(sqlite3.connect(tmp_path / "damaged.db")) as connection, connection:
        connection.execute("UPDATE requests SET findings = 'x' WHERE id = 3")
    with FakeServer(store=store) as server:
        yield server


@pytest.mark.parametrize("question", ["batches", "wait?event_name=Never&timeout=0.01", "stats", "requests/3"])
def test_a_question_that_meets_damage_gets_503(damaged: FakeServer, question: str) -> None:
    status, answer = get(damaged, f"/_fake/{question}")

    assert status == 503
    assert "is damaged" in answer["errors"][0]["message"]


def test_an_export_that_begins_with_damage_gets_503(damaged: FakeServer) -> None:
    answer = exchange(damaged, EXPORT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    assert answer.startswith(b"HTTP/1.1 503 ")


def test_an_export_that_meets_damage_later_has_no_end(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def requests(*_: Any) -> Iterator[Any]:
        for _number in range(1000):
            yield _record(server)
        raise StoreError("The store is damaged.")

    monkeypatch.setattr(server.intake.recorder, "requests", requests)

    answer = exchange(server, EXPORT)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert not answer.endswith(b"\r\n0\r\n\r\n")
    assert "An answer breaks off: The store is damaged." in caplog.text


def test_a_stream_tells_of_damage_and_goes_on_behind_it(damaged: FakeServer) -> None:
    stream = Events(damaged, "/_fake/stream?after=0")

    kind, _, told = stream.next()
    upload(damaged)

    assert (kind, "is damaged" in told["message"]) == ("error", True)
    assert stream.next()[1] == "6.0"
    stream.close()


def test_a_stream_with_a_request_behind_it_ends_when_its_client_leaves(
    server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"GET /_fake/stream HTTP/1.1\r\nHost: localhost\r\n\r\nGET /_fake/health HTTP/1.1\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    upload(server)

    server.stop()

    assert "Exception" not in caplog.text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"keep": "many"}, "keep is 'many'; expected a number of batches"),
        ({"store": None}, "store is None; expected 'memory' or 'sqlite:///FILE'"),
        ({"credentials": [("key", "top-secret")]}, "credentials: one is 2 parts; expected tuples (key, secret, workspace)"),
        ({"mode": "hard"}, "The mode is 'hard'; expected one of faithful, strict, lenient"),
        ({"ignore": ["identity_mising"]}, "did you mean identity_missing?"),
    ],
)
def test_an_impossible_option_is_told_at_once_by_its_name(options: dict[str, Any], told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(told)) as raised:
        FakeServer(**options)

    assert "top-secret" not in str(raised.value)


def test_a_server_that_has_not_started_has_no_address() -> None:
    with pytest.raises(ServerError, match=r"call start\(\)"):
        _ = FakeServer().url
