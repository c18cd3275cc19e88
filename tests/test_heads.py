"""Uploads whose heads came before: read without the parser, recorded and answered as if it had read them."""

import os
import socket
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from mparticle_fake_server import FakeServer
from mparticle_fake_server.exchange import Answer, Endpoint
from mparticle_fake_server.heads import LONGEST_HEAD, MOST_HEADS, Heads
from mparticle_fake_server.recording import RequestRecord
from mparticle_fake_server.routing import Place

KEY, OTHER = "Basic a2V5OnNlY3JldA==", "Basic b3RoZXI6c2VjcmV0"
BODIES = (b'{"environment":"development"}', b'{"environment":"production" }')
"""Two of one length."""

ACCEPTED = b"HTTP/1.1 202 Accepted\r\n"


def head(authorization: str = KEY, path: str = "/v2/events", length: str = f"Content-Length: {len(BODIES[0])}") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: {authorization}", length, "", ""]
    return "\r\n".join(lines).encode()


class Client:
    """A connection to the server, and how many of its requests had a head that was known."""

    def __init__(self, server: FakeServer, found: list[bool]) -> None:
        self.server = server
        self.found = found
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=10)

    def send(self, *parts: bytes, answers: int = 1) -> bytes:
        """What comes back to bytes that are sent in parts, each after the one before has arrived."""
        for part in parts:
            known = len(self.found)
            self.socket.sendall(part)
            while part is not parts[-1] and len(self.found) == known:
                os.sched_yield()
        received = b""
        while received.count(b"\r\n\r\n") < answers:
            part = self.socket.recv(65_536)
            assert part, f"The server has closed the connection after {received!r}."
            received += part
        return received

    def records(self) -> list[RequestRecord]:
        return list(self.server.intake.recorder.requests())

    def hits(self) -> int:
        return sum(self.found)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    found: list[bool] = []
    find = Heads.find

    def watched(heads: Heads, data: bytes) -> Any:
        known = find(heads, data)
        found.append(known is not None)
        return known

    monkeypatch.setattr(Heads, "find", watched)
    with FakeServer() as server:
        client = Client(server, found)
        yield client
        client.socket.close()


def test_the_second_upload_with_a_head_is_recorded_like_the_first(client: Client) -> None:
    assert client.send(head() + BODIES[0]).startswith(ACCEPTED)
    assert client.send(head() + BODIES[1]).startswith(ACCEPTED)

    first, second = client.records()
    assert client.hits() == 1
    assert (first.body, second.body) == BODIES
    assert (first.headers, first.key, first.path, first.remote) == (second.headers, second.key, second.path, second.remote)
    assert b"a2V5" not in second.headers


def test_a_head_is_known_on_another_connection_too(client: Client) -> None:
    client.send(head() + BODIES[0])
    other = Client(client.server, client.found)

    assert other.send(head() + BODIES[1]).startswith(ACCEPTED)

    other.socket.close()
    assert client.hits() == 1


def test_a_known_head_that_comes_before_its_body_waits_for_it(client: Client) -> None:
    client.send(head() + BODIES[0])

    assert client.send(head(), BODIES[1]).startswith(ACCEPTED)
    assert client.send(head() + BODIES[0]).startswith(ACCEPTED)

    assert [record.body for record in client.records()] == [*BODIES, BODIES[0]]
    assert client.hits() == 1


def test_uploads_that_arrive_together_are_all_read(client: Client) -> None:
    together = b"".join(head(authorization) + body for authorization, body in product((KEY, OTHER), BODIES))
    client.send(head() + BODIES[0])

    client.send(together, answers=4)

    keys = [(record.key, record.body) for record in client.records()[1:]]
    assert keys == [("key", BODIES[0]), ("key", BODIES[1]), ("other", BODIES[0]), ("other", BODIES[1])]


def test_another_key_or_path_is_another_head(client: Client) -> None:
    for authorization, path in product((KEY, OTHER), ("/v2/events", "/s2s/v2/events")):
        client.send(head(authorization, path) + BODIES[0])
    for authorization, path in product((KEY, OTHER), ("/v2/events", "/s2s/v2/events")):
        client.send(head(authorization, path) + BODIES[1])

    asked = [(record.key, record.path) for record in client.records()]
    assert client.hits() == 4
    assert asked[:4] == asked[4:] == list(product(("key", "other"), ("/v2/events", "/s2s/v2/events")))


def test_an_answer_that_is_due_first_comes_first(client: Client) -> None:
    client.send(head() + BODIES[0])

    received = client.send(b"GET /_fake/health HTTP/1.1\r\nHost: localhost\r\n\r\n", head() + BODIES[1], answers=2)

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.count(ACCEPTED) == 1


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"HEAD /_fake/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        head(length="Content-Length: 2\r\nExpect: 100-continue") + b"{}",
    ],
    ids=["a new connection", "after HEAD", "after Expect"],
)
def test_an_answer_that_a_fault_delays_comes_on_any_connection(client: Client, before: bytes) -> None:
    client.send(head() + BODIES[0])
    other = Client(client.server, client.found)
    if before:
        other.send(before, answers=before.count(b"Expect") + 1)
    client.server.intake.workspaces.put("default").faults.put([{"status": 503, "body": "later", "delay": 0.01}])

    delayed = other.send(head() + BODIES[1])
    after = other.send(head() + BODIES[0])

    other.socket.close()
    assert client.hits() == 2
    assert delayed.startswith(b"HTTP/1.1 503 ")
    assert delayed.endswith(b"\r\n\r\nlater")
    assert after.startswith(ACCEPTED)
    assert [record.status for record in client.records()][-2:] == [503, 202]


def test_a_body_in_chunks_is_read_each_time(client: Client) -> None:
    chunked = head(length="Transfer-Encoding: chunked") + b"1d\r\n%b\r\n0\r\n\r\n"

    for body in BODIES:
        assert client.send(chunked % body).startswith(ACCEPTED)

    assert client.hits() == 0
    assert client.records()[1].batches[0].verdict == "accepted"


def test_what_is_remembered_is_bounded() -> None:
    heads = Heads()
    row = Endpoint("POST", "/v2/events", lambda _: Answer(202, []))
    place = Place(row, row.path, {})
    many = [head(path=f"/v2/events?{number}") for number in range(MOST_HEADS + 5)]

    for one in many:
        heads.learn(one + b"{}", b"{}", place, [(b"content-length", b"2")])
    heads.learn(head("x" * LONGEST_HEAD) + b"{}", b"{}", place, [(b"content-length", b"2")])

    assert list(heads) == many[MOST_HEADS:]
