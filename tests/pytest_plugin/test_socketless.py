"""`fake_mparticle.session()`: a requests session with nothing but the fake behind it, and no socket."""

import gzip
import io
import itertools
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from mparticle_pytest_plugin.errors import MParticleError
from mparticle_pytest_plugin.inbox import Inbox
from mparticle_pytest_plugin.interception import intercept
from mparticle_pytest_plugin.socketless import Delivered, Parcel, Pool, Session, _Response, read_parcel, session
from mparticle_pytest_plugin.source import LocalSource
from tests.hosts import batch, event

pytest_plugins = ["pytester"]

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def source() -> Iterator[LocalSource]:
    source = LocalSource()
    yield source
    source.close()


@pytest.fixture
def inbox(source: LocalSource) -> Inbox:
    number = next(numbers)
    source.open_workspace(f"test #{number}", f"test-{number}", "s", mode="faithful")
    return Inbox(source, f"test #{number}", f"test-{number}", "s", f"test {number}")


@pytest.fixture
def client(inbox: Inbox) -> Iterator[Session]:
    with session(inbox) as client:
        client.auth = (inbox.key, inbox.secret)
        yield client


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket was made")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)


def names(inbox: Inbox) -> list[str]:
    return [item.event["data"]["event_name"] for item in inbox.source.events(inbox.workspace)]


# -- where it goes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "/v2/events",
        "http://localhost/v2/events",
        "http://127.0.0.1:8080/v2/events",
        "http://[::1]:8080/v2/events",
        "https://s2s.mparticle.com/v2/events",
        "https://s2s.eu1.mparticle.com/v2/events",
        "https://inbound.mparticle.com/s2s/v2/events",
    ],
)
@pytest.mark.usefixtures("no_sockets")
def test_every_url_of_the_fake_reaches_it_without_a_socket(client: Session, inbox: Inbox, url: str) -> None:
    response = client.post(url, json=batch(events=[event("Play")]))

    assert response.status_code == 202
    assert names(inbox) == ["Play"]


def test_the_url_of_the_inbox_reaches_it(client: Session, inbox: Inbox) -> None:
    response = client.post(inbox.url + "/v2/events", json=batch())

    assert response.status_code == 202


@pytest.mark.usefixtures("no_sockets")
def test_another_host_is_an_error_that_says_what_to_use(client: Session) -> None:
    with pytest.raises(MParticleError) as caught:
        client.get("https://example.com/orders?card=1")

    assert str(caught.value) == (
        "fake_mparticle.session() was asked for https://example.com/orders; it reaches the fake alone. Use it with "
        "fake_mparticle.url, an mParticle host or a path, and requests.Session() for everything else."
    )


@pytest.mark.usefixtures("no_sockets")
def test_a_path_that_an_mparticle_host_does_not_have_is_an_error(client: Session) -> None:
    with pytest.raises(MParticleError, match=r"Of s2s\.mparticle\.com it serves /v2/events"):
        client.post("https://s2s.mparticle.com/v3/events")


@pytest.mark.usefixtures("no_sockets")
def test_an_unknown_path_of_the_fake_gets_its_404(client: Session) -> None:
    response = client.post("/v2/event")

    assert response.status_code == 404
    assert "Did you mean /v2/events?" in response.text


@pytest.mark.usefixtures("no_sockets")
def test_the_inspect_api_answers(client: Session, inbox: Inbox) -> None:
    client.post("/v2/events", json=batch(events=[event("Play")]))

    found = client.get("/_fake/events", params={"key": inbox.key, "event_name": "Play"}).json()["items"]

    assert [item["event"]["data"]["event_name"] for item in found] == ["Play"]


def test_it_works_while_the_test_intercepts(client: Session, inbox: Inbox) -> None:
    with intercept(inbox):
        response = client.post("https://s2s.mparticle.com/v2/events", json=batch())

    assert response.status_code == 202


def test_proxies_of_the_environment_are_left_out(client: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    response = client.post("http://localhost/v2/events", json=batch())

    assert response.status_code == 202


# -- what comes back -------------------------------------------------------------------------------------------------------


def test_the_response_is_a_true_one(client: Session) -> None:
    response = client.post("/v2/events", json=batch())

    assert type(response) is requests.Response
    assert (response.status_code, response.reason, response.ok) == (202, "Accepted", True)
    assert response.headers["X-mp-rate-limit-percentage-used"] == "0"
    assert response.headers["server"] == "mparticle-fake"
    assert response.elapsed.total_seconds() > 0
    assert not response.cookies
    assert response.raw.version == 11
    assert response.url == "http://localhost/v2/events"


def test_it_answers_with_the_headers_of_the_running_server(client: Session, inbox: Inbox) -> None:
    answers = [
        sender.post(inbox.url + "/v2/events", data=b"{", auth=(inbox.key, inbox.secret), timeout=5)
        for sender in (client, requests)
    ]

    without_socket, with_socket = ({**answer.headers, "date": ""} for answer in answers)
    assert without_socket == with_socket
    assert answers[0].content == answers[1].content


def test_credentials_are_the_callers(client: Session) -> None:
    client.auth = None

    response = client.post("/v2/events", json=batch())

    assert response.status_code == 401


def test_a_refusal_raises_for_status(client: Session) -> None:
    response = client.post("/v2/events", data=b"{")

    with pytest.raises(requests.HTTPError, match="400 Client Error: Bad Request for url: http://localhost/v2/events"):
        response.raise_for_status()


def test_an_answer_can_be_streamed(client: Session) -> None:
    with client.post("/v2/events", data=b"{", stream=True) as response:
        parts = list(response.iter_content(16))

    assert len(parts) > 1
    assert json.loads(b"".join(parts))["errors"][0]["code"] == "BAD_REQUEST"


def test_an_answer_without_an_end_is_read_while_it_comes(client: Session) -> None:
    with client.get("/_fake/stream", stream=True) as response:
        first = next(response.iter_lines())

    assert first == b": connected"


def test_a_body_in_parts_arrives_whole(client: Session, inbox: Inbox) -> None:
    body = json.dumps(batch(events=[event("Play")])).encode()

    client.post("/v2/events", data=(body[at : at + 10] for at in range(0, len(body), 10)))

    assert names(inbox) == ["Play"]


def test_a_file_as_the_body_arrives_whole(client: Session, inbox: Inbox) -> None:
    client.post("/v2/events", data=io.BytesIO(json.dumps(batch(events=[event("Play")])).encode()))

    assert names(inbox) == ["Play"]


def test_a_compressed_body_is_read(client: Session, inbox: Inbox) -> None:
    body = gzip.compress(json.dumps(batch(events=[event("Play")])).encode())

    client.post("/v2/events", data=body, headers={"Content-Encoding": "gzip"})

    assert names(inbox) == ["Play"]


def test_a_body_over_the_limit_gets_413(client: Session) -> None:
    response = client.post("/v2/events", data=b" " * 2_000_001)

    assert response.status_code == 413


@pytest.mark.parametrize(("method", "status"), [("GET", 405), ("HEAD", 405), ("OPTIONS", 405)])
def test_another_method_gets_what_the_server_answers(client: Session, method: str, status: int) -> None:
    response = client.request(method, "/v2/events")

    assert response.status_code == status
    assert response.headers["Allow"] == "POST"


def test_many_threads_lose_nothing(client: Session, inbox: Inbox) -> None:
    def send(number: int) -> int:
        return client.post("/v2/events", json=batch(events=[event(f"n{number}")])).status_code

    with ThreadPoolExecutor(8) as threads:
        statuses = set(threads.map(send, range(100)))

    assert statuses == {202}
    assert sorted(names(inbox)) == sorted(f"n{number}" for number in range(100))


# -- faults ----------------------------------------------------------------------------------------------------------------


def test_an_answer_that_comes_too_late_is_a_time_out(client: Session, inbox: Inbox) -> None:
    inbox.source.put_faults(inbox.workspace, [{"delay": 30}])

    with pytest.raises(requests.ReadTimeout):
        client.post("/v2/events", json=batch(), timeout=0.01)


def test_an_answer_that_comes_in_time_is_only_late(client: Session, inbox: Inbox) -> None:
    inbox.source.put_faults(inbox.workspace, [{"delay": 0.05}])

    response = client.post("/v2/events", json=batch(), timeout=30)

    assert response.status_code == 202
    assert response.elapsed.total_seconds() >= 0.05


def test_retries_of_a_mounted_adapter_are_made(client: Session, inbox: Inbox) -> None:
    inbox.source.put_faults(inbox.workspace, [{"status": 503, "times": 2}])
    adapter: Any = client.get_adapter("http://localhost")
    adapter.max_retries = Retry(3, status_forcelist=[503], allowed_methods=None)

    response = client.post("/v2/events", json=batch())

    assert response.status_code == 202
    assert [request.status for request in inbox.requests] == [503, 503, 202]


# -- below -----------------------------------------------------------------------------------------------------------------


def answering(*delivered: Delivered | BaseException) -> Callable[[Parcel, float | None], Delivered]:
    left = list(delivered)

    def deliver(_: Parcel, __: float | None) -> Delivered:
        following = left.pop(0)
        if isinstance(following, BaseException):
            raise following
        return following

    return deliver


def test_a_connection_that_breaks_is_a_connection_error_to_urllib3() -> None:
    pool = Pool(answering(ConnectionResetError("reset")), "s2s.mparticle.com", None)

    with pytest.raises(urllib3.exceptions.ProtocolError, match="reset"):
        pool.urlopen("POST", "/", retries=False)


def test_a_connection_is_used_again_after_an_answer() -> None:
    pool = Pool(answering(*[Delivered(202, [(b"content-length", b"0")], [])] * 3), "s2s.mparticle.com", None)

    statuses = [pool.urlopen("POST", "/").status for _ in range(3)]

    assert statuses == [202] * 3
    assert pool.num_connections == 1


def test_a_status_without_a_name_has_no_reason() -> None:
    pool = Pool(answering(Delivered(599, [(b"content-length", b"0")], [])), "s2s.mparticle.com", None)

    response = pool.urlopen("POST", "/")

    assert (response.status, response.reason) == (599, "")


def test_an_answer_without_a_length_ends_where_it_ends() -> None:
    pool = Pool(answering(Delivered(200, [], iter([b"a", b"", b"bc"]))), "s2s.mparticle.com", None)

    assert pool.urlopen("GET", "/").data == b"abc"


def test_a_request_is_read_from_the_bytes_of_a_client() -> None:
    sent = b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\r\n\r\n2\r\nbc\r\n0\r\n\r\n"

    parcel = read_parcel(sent)

    assert (parcel.method, parcel.target, parcel.header(b"host"), parcel.body) == ("POST", "/a?b=c", b"x", b"a\r\nbc")


def test_the_session_needs_no_adapter_of_another_kind(client: Session) -> None:
    kinds = {type(adapter) for adapter in client.adapters.values()}

    assert len(kinds) == 1
    assert all(issubclass(kind, HTTPAdapter) for kind in kinds)


def test_a_response_of_which_nothing_came_can_be_closed() -> None:
    response = _Response.__new__(_Response)

    response.close()

    assert response.closed
