"""Faults: how they are set over HTTP, what an upload that meets one is answered, and what is recorded of it."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from typing import Any, Protocol
from urllib.parse import quote

import pytest

from mparticle_fake_server import FakeServer
from mparticle_fake_server.recording import StoreError
from tests.hosts import BASIC, SECRET, Fake, OpenFake, Reply, batch, event

OTHER = "Basic b3RoZXI6cw=="
"""The key `other` of the workspace `shop`."""


def put(fake: Fake, *faults: Any, workspace: str | None = None) -> Reply:
    query = f"?workspace={quote(workspace)}" if workspace is not None else ""
    return fake.request("PUT", f"/_fake/faults{query}", json.dumps({"items": faults}).encode())


def left(fake: Fake) -> list[int]:
    """The statuses of the faults that nobody has met."""
    return [fault["status"] for fault in fake.items("faults")]


def codes(finder: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in finder["findings"]]


# -- what is answered ------------------------------------------------------------------------------------------------------


def test_a_fault_answers_the_next_upload_and_no_other(fake: Fake) -> None:
    put(fake, {"status": 503})

    replies = [fake.upload(batch()) for _ in range(2)]

    assert [reply.status for reply in replies] == [503, 202]


def test_faults_are_met_in_their_order(fake: Fake) -> None:
    put(fake, {"status": 429, "times": 2}, {"status": 503})

    statuses = [fake.upload(batch()).status for _ in range(4)]

    assert statuses == [429, 429, 503, 202]


def test_a_fault_without_a_number_of_times_stays_until_it_is_removed(fake: Fake) -> None:
    put(fake, {"status": 500, "times": None})

    before = [fake.upload(batch()).status for _ in range(3)]
    fake.request("DELETE", "/_fake/faults")

    assert before == [500, 500, 500]
    assert fake.upload(batch()).status == 202


def test_429_tells_the_limit_that_was_exceeded_and_when_to_come_again(fake: Fake) -> None:
    put(fake, {"status": 429, "retry_after": 7})

    reply = fake.upload(batch())

    assert reply.headers["retry-after"] == "7"
    assert reply.headers["x-mp-rate-limit-exceeded"] == "workspace"
    assert "x-mp-rate-limit-percentage-used" not in reply.headers


def test_without_retry_after_there_is_no_such_header(fake: Fake) -> None:
    put(fake, {"status": 429})

    assert "retry-after" not in fake.upload(batch()).headers


def test_other_statuses_exceed_no_limit(fake: Fake) -> None:
    put(fake, {"status": 503, "retry_after": 0})

    reply = fake.upload(batch())

    assert reply.headers["retry-after"] == "0"
    assert "x-mp-rate-limit-exceeded" not in reply.headers


def test_401_challenges_as_a_real_one_does(fake: Fake) -> None:
    put(fake, {"status": 401})

    assert fake.upload(batch()).headers["www-authenticate"] == 'Basic realm="mParticle"'


@pytest.mark.parametrize(
    ("status", "code"), [(400, "BAD_REQUEST"), (429, "TOO_MANY_REQUESTS"), (502, "BAD_GATEWAY"), (499, "UNKNOWN")]
)
def test_the_body_is_mparticles_error_body_and_says_who_asked_for_it(fake: Fake, status: int, code: str) -> None:
    put(fake, {"status": status})

    reply = fake.upload(batch())

    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    assert [error["code"] for error in reply.json["errors"]] == [code]
    assert f"A fault that was set for the workspace 'default' answered this request with {status}." in reply.messages[0]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("<h1>Bad gateway</h1> für alle", "text/plain; charset=utf-8"),
        ('{"errors": []}', "application/json"),
        ("", "text/plain; charset=utf-8"),
    ],
)
def test_a_body_is_sent_as_it_stands(fake: Fake, body: str, kind: str) -> None:
    put(fake, {"status": 502, "body": body})

    reply = fake.upload(batch())

    assert (reply.body.decode(), reply.headers["content-type"]) == (body, kind)
    assert reply.headers["content-length"] == str(len(body.encode()))


@pytest.mark.parametrize("path", ["/v2/bulkevents", "/s2s/v2/bulkevents", "/v2/bulkevents/historical"])
def test_every_upload_endpoint_meets_faults(fake: Fake, path: str) -> None:
    put(fake, {"status": 503})

    reply = fake.upload([batch(), batch()], path)

    assert reply.status == 503
    assert [item["verdict"] for item in fake.items("batches")] == ["rejected", "rejected"]


@pytest.mark.parametrize("mode", ["faithful", "strict", "lenient"])
def test_a_fault_is_met_in_every_mode(open_fake: OpenFake, mode: Any) -> None:
    with open_fake(mode=mode) as fake:
        put(fake, {"status": 429})

        assert fake.upload(batch()).status == 429


# -- what is recorded ------------------------------------------------------------------------------------------------------


def test_the_request_is_recorded_with_the_status_and_who_asked_for_it(fake: Fake) -> None:
    put(fake, {"status": 429, "retry_after": 1})

    fake.upload(batch())

    (request,) = fake.items("requests?code=fault_injected")
    assert request["status"] == 429
    assert request["findings"] == [
        {
            "code": "fault_injected",
            "severity": "note",
            "message": "A fault that was set for the workspace 'default' answered this request with 429, Retry-After 1 s.",
            "hint": "The request itself may be sound; its other findings tell. GET /_fake/faults lists what is left.",
            "help": "docs/findings.md#fault_injected",
        }
    ]


def test_the_batch_is_recorded_as_rejected(fake: Fake) -> None:
    put(fake, {"status": 503})

    fake.upload(batch(mpid=7))

    (item,) = fake.items("batches")
    assert (item["verdict"], item["status"], item["batch"]["mpid"]) == ("rejected", 503, 7)


def test_other_findings_are_kept_beside_it(fake: Fake) -> None:
    put(fake, {"status": 503})

    fake.upload(batch(events=[event("Play", customAttributes={})]))

    (request,) = fake.items("requests")
    assert codes(request) == ["fault_injected"]
    assert codes(fake.items("batches")[0]) == ["unknown_member"]


def test_a_body_that_nobody_can_read_meets_a_fault_as_well(fake: Fake) -> None:
    put(fake, {"status": 503})

    reply = fake.upload(b"{")

    assert reply.status == 503
    assert codes(fake.items("requests")[0]) == ["json_broken", "fault_injected"]


def test_a_body_that_is_too_large_meets_a_fault_as_well(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        put(fake, {"status": 503})

        reply = fake.upload(b" " * 1001)

        assert reply.status == 503
        assert codes(fake.items("requests")[0]) == ["body_too_large", "fault_injected"]


def test_what_met_a_fault_can_be_sent_again_without_being_a_duplicate(fake: Fake) -> None:
    put(fake, {"status": 429})

    statuses = [fake.upload(batch(source_request_id="r1")).status for _ in range(2)]

    assert statuses == [429, 202]
    assert [item["verdict"] for item in fake.items("batches")] == ["rejected", "accepted"]
    assert fake.items("batches?code=duplicate_batch") == []


def test_a_session_that_met_a_fault_and_is_sent_again_has_no_findings(fake: Fake) -> None:
    session = {"session_uuid": "43fdca48-ce03-4907-8627-ecd96b6ce945"}
    sent = batch(
        events=[
            {"event_type": "session_start", "data": session},
            {"event_type": "session_end", "data": session | {"session_duration_ms": 1000}},
        ]
    )
    put(fake, {"status": 503})

    replies = [fake.upload(sent) for _ in range(2)]

    assert [reply.status for reply in replies] == [503, 202]
    assert [codes(item) for item in fake.items("batches")] == [[], []]


def test_a_workspace_may_count_it_as_an_error(fake: Fake) -> None:
    fake.request("PUT", "/_fake/workspaces/default", b'{"error": ["fault_injected"]}')
    put(fake, {"status": 503})

    fake.upload(batch())

    assert fake.items("requests")[0]["findings"][0]["severity"] == "error"


def test_the_store_tells_it_too(open_fake: OpenFake, tmp_path: Any) -> None:
    with open_fake(store=f"sqlite:///{tmp_path}/fake.db") as fake:
        put(fake, {"status": 429})

        statuses = [fake.upload(batch(source_request_id="r1")).status for _ in range(2)]

        assert statuses == [429, 202]
        assert [item["verdict"] for item in fake.items("batches")] == ["rejected", "accepted"]
        assert codes(fake.items("requests?status=429")[0]) == ["fault_injected"]


# -- whom they meet --------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(open_fake: OpenFake) -> Any:
    with open_fake(credentials=[("key", SECRET, "default"), ("other", "s", "shop")], unknown_keys=False) as fake:
        yield fake


def test_a_fault_meets_its_own_workspace_alone(shop: Fake) -> None:
    put(shop, {"status": 503}, workspace="shop")

    statuses = [shop.upload(batch()).status, shop.upload(batch(), Authorization=OTHER).status]

    assert statuses == [202, 503]


@pytest.mark.parametrize(("authorization", "status"), [("absent", 401), ("Basic a2V5Ondyb25n", 403), ("Basic dW5rbm93bjpz", 403)])
def test_who_is_not_authenticated_meets_no_fault(shop: Fake, authorization: str, status: int) -> None:
    put(shop, {"status": 503})

    reply = shop.upload(batch(), Authorization=authorization)

    assert (reply.status, left(shop)) == (status, [503])


@pytest.mark.parametrize(("method", "path"), [("POST", "/v2/event"), ("GET", "/v2/events"), ("GET", "/_fake/health")])
def test_what_is_no_upload_meets_no_fault(fake: Fake, method: str, path: str) -> None:
    put(fake, {"status": 503})

    fake.request(method, path, headers={"Authorization": BASIC})

    assert left(fake) == [503]


# -- setting them ----------------------------------------------------------------------------------------------------------


def test_without_faults_the_list_is_empty(fake: Fake) -> None:
    assert fake.ask("faults") == {"items": []}


def test_setting_tells_what_was_set_in_full(fake: Fake) -> None:
    reply = put(fake, {"status": 429, "retry_after": 1}, {"delay": 2, "times": None})

    assert reply.status == 200
    assert reply.json == fake.ask("faults")
    assert reply.json["items"] == [
        {"status": 429, "retry_after": 1, "times": 1, "body": None, "delay": 0.0},
        {"status": None, "retry_after": None, "times": None, "body": None, "delay": 2.0},
    ]


def test_setting_takes_the_place_of_what_was_set(fake: Fake) -> None:
    put(fake, {"status": 429})

    put(fake, {"status": 503})

    assert left(fake) == [503]


def test_the_list_can_be_put_as_it_was_listed(fake: Fake) -> None:
    put(fake, {"status": 429, "times": 3})
    fake.upload(batch())

    reply = put(fake, *fake.items("faults"))

    assert (reply.status, reply.json["items"][0]["times"]) == (200, 2)


def test_removing_tells_what_nobody_has_met(fake: Fake) -> None:
    put(fake, {"status": 429}, {"status": 503})
    fake.upload(batch())

    reply = fake.request("DELETE", "/_fake/faults")

    assert [fault["status"] for fault in reply.json["items"]] == [503]
    assert left(fake) == []


def test_forgetting_what_was_recorded_keeps_faults(fake: Fake) -> None:
    put(fake, {"status": 429})

    fake.request("DELETE", "/_fake/batches")

    assert left(fake) == [429]


def test_a_workspace_that_was_removed_and_made_again_has_no_faults(fake: Fake) -> None:
    fake.request("POST", "/_fake/workspaces", b'{"name": "shop"}')
    put(fake, {"status": 429}, workspace="shop")

    fake.request("DELETE", "/_fake/workspaces/shop")
    fake.request("POST", "/_fake/workspaces", b'{"name": "shop"}')

    assert fake.items("faults?workspace=shop") == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "The body is empty. Expected {"),
        (b"\xff", "The body is not UTF-8: got byte 0xff"),
        (b"[" * 100_000, "The body"),
        (b"status=429", "The body is not JSON: got status at line 1, column 1 (byte 0)"),
        (b'[{"status": 429}]', 'expected an object with the one member items, a list: {"items": [{"status": 429'),
        (b'{"status": 429}', "expected an object with the one member items"),
        (b'{"items": {"status": 429}}', "expected an object with the one member items, a list"),
        (b'{"items": [], "mode": "x"}', "expected an object with the one member items"),
        (b'{"items": [{"satus": 429}]}', "Did you mean status? Valid: status, retry_after, times, body, delay."),
        (b'{"items": [{"status": 200}]}', "faults[0].status is 200; expected a whole number from 400 to 599."),
        (b'{"items": [{"status": 429, "body": "\\ud800"}]}', "The body is not JSON"),
        (b'{"items": [{"delay": 1e3}]}', "faults[0].delay is 1000.0; expected seconds from 0 to 60."),
    ],
)
def test_what_is_no_list_of_faults_gets_400_and_changes_nothing(fake: Fake, body: bytes, told: str) -> None:
    put(fake, {"status": 503})

    reply = fake.request("PUT", "/_fake/faults", body)

    assert reply.status == 400
    assert told in reply.messages[0]
    assert left(fake) == [503]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_workspace_gets_404_and_a_near_one(fake: Fake, method: str) -> None:
    reply = fake.request(method, "/_fake/faults?workspace=defualt", b'{"items": []}')

    assert reply.status == 404
    assert reply.messages == ["There is no workspace 'defualt'. Did you mean 'default'?"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_parameter_gets_400_and_the_valid_one(fake: Fake, method: str) -> None:
    reply = fake.request(method, "/_fake/faults?key=k", b'{"items": []}')

    assert (reply.status, reply.messages) == (400, ["Unknown parameter 'key'. Valid: workspace."])


def test_a_body_over_the_limit_gets_413(open_fake: OpenFake) -> None:
    with open_fake(max_body=1000) as fake:
        reply = fake.request("PUT", "/_fake/faults", b" " * 1001)

        assert (reply.status, left(fake)) == (413, [])
        assert reply.messages == ["The body has 1001 bytes or more; the server takes 1000."]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_page_of_another_origin_may_not(fake: Fake, method: str) -> None:
    headers = {"Origin": "https://example.com"}

    assert fake.request(method, "/_fake/faults", b'{"items": []}', headers).status == 403


def test_a_server_with_a_token_wants_it(open_fake: OpenFake) -> None:
    with open_fake(token="t") as fake:
        without = fake.request("GET", "/_fake/faults")
        with_it = fake.request("GET", "/_fake/faults?token=t&workspace=default")

        assert (without.status, with_it.status) == (401, 200)


# -- delays ----------------------------------------------------------------------------------------------------------------


def test_a_delay_holds_the_answer_back(fake: Fake) -> None:
    put(fake, {"delay": 0.2})

    began = time.monotonic()
    reply = fake.upload(batch())

    assert (reply.status, reply.body) == (202, b"")
    assert time.monotonic() - began >= 0.2


def test_a_delayed_upload_is_treated_and_recorded_as_always(fake: Fake) -> None:
    put(fake, {"delay": 0.01, "times": 2})

    statuses = [fake.upload(batch(source_request_id="r1")).status for _ in range(2)]

    assert statuses == [202, 202]
    assert [item["verdict"] for item in fake.items("batches")] == ["accepted", "dropped"]
    (finding,) = fake.items("requests")[0]["findings"]
    assert (finding["code"], finding["severity"]) == ("delay_injected", "note")
    assert finding["message"] == "A fault that was set for the workspace 'default' held the answer back for 0.01 s."


def test_a_delayed_refusal_is_the_one_that_the_request_has_earned(fake: Fake) -> None:
    put(fake, {"delay": 0.01})

    reply = fake.upload(batch(events=[{}]))

    assert reply.status == 400
    assert "event_type" in reply.messages[0]


def test_a_status_may_be_delayed(fake: Fake) -> None:
    put(fake, {"status": 503, "delay": 0.2})

    began = time.monotonic()
    reply = fake.upload(batch())

    assert reply.status == 503
    assert time.monotonic() - began >= 0.2
    assert "answered this request with 503, after 0.2 s." in fake.items("requests")[0]["findings"][0]["message"]


def test_a_connection_is_kept_after_a_delayed_answer(fake: Fake) -> None:
    put(fake, {"delay": 0.01}, {"status": 503, "delay": 0.01})

    statuses = [fake.upload(batch()).status for _ in range(4)]

    assert statuses == [202, 503, 202, 202]


# -- the running server ----------------------------------------------------------------------------------------------------


def head(body: bytes, *lines: str) -> bytes:
    return "\r\n".join(
        ["POST /v2/events HTTP/1.1", "Host: x", f"Authorization: {BASIC}", f"Content-Length: {len(body)}", *lines, "", ""]
    ).encode()


BODY = json.dumps(batch()).encode()
UPLOAD = head(BODY) + BODY


class Serve(Protocol):
    """Starts a server whose workspace `default` has faults."""

    def __call__(self, *faults: dict[str, Any]) -> FakeServer: ...


Connect = Callable[[FakeServer], HTTPConnection]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(*faults: dict[str, Any]) -> FakeServer:
            server = stack.enter_context(FakeServer())
            workspace = server.intake.workspaces.get("default")
            assert workspace is not None
            workspace.faults.put(faults)
            return server

        yield start


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def connect_to(server: FakeServer) -> HTTPConnection:
            connection = stack.enter_context(closing(HTTPConnection("127.0.0.1", server.port, timeout=20)))
            connection.connect()
            return connection

        yield connect_to


def wait_for_records(server: FakeServer, count: int) -> None:
    recorder = server.intake.recorder
    assert recorder.wait(lambda: recorder.last_id() >= count, 10)


def read_statuses(connection: HTTPConnection, count: int) -> list[int]:
    """The statuses of answers to what was sent at once."""
    received = b""
    while received.count(b"HTTP/1.1 ") < count or not received.endswith((b"\r\n\r\n", b"}")):
        part = connection.sock.recv(65_536)
        if not part:
            break
        received += part
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def upload(connection: HTTPConnection) -> int:
    connection.sock.sendall(UPLOAD)
    (status,) = read_statuses(connection, 1)
    return status


def test_a_delay_holds_up_nobody_else(serve: Serve, connect: Connect) -> None:
    server = serve({"delay": 30, "times": 50})
    for _ in range(50):
        connect(server).sock.sendall(UPLOAD)
    wait_for_records(server, 50)
    other = connect(server)

    began = time.monotonic()
    statuses = [upload(other) for _ in range(20)]
    other.request("GET", "/_fake/stats")
    other.getresponse().read()

    assert statuses == [202] * 20
    assert time.monotonic() - began < 5


def test_a_delayed_upload_is_recorded_when_it_comes(serve: Serve, connect: Connect) -> None:
    server = serve({"delay": 30})

    connect(server).sock.sendall(UPLOAD)

    wait_for_records(server, 1)


def test_a_server_stops_at_once_while_answers_are_held_back(serve: Serve, connect: Connect) -> None:
    server = serve({"delay": 60, "times": 3})
    for _ in range(3):
        connect(server).sock.sendall(UPLOAD)
    wait_for_records(server, 3)

    began = time.monotonic()
    server.stop()

    assert time.monotonic() - began < 1


@pytest.mark.parametrize("delayed", [0, 1, 2])
def test_what_follows_on_the_same_connection_is_answered_in_its_order(serve: Serve, connect: Connect, delayed: int) -> None:
    # Faults meet requests in the order in which they come, also those that arrive in one piece.
    faults: list[dict[str, Any]] = [{"status": 500 + number} for number in range(3)]
    faults[delayed]["delay"] = 0.1
    connection = connect(serve(*faults))

    connection.sock.sendall(UPLOAD * 4)

    assert read_statuses(connection, 4) == [500, 501, 502, 202]


def test_an_upload_that_does_not_come_in_one_piece_meets_the_same_delay(serve: Serve, connect: Connect) -> None:
    connection = connect(serve({"status": 503, "delay": 0.1}))
    connection.sock.sendall(head(BODY, "Expect: 100-continue"))
    assert connection.sock.recv(1000).startswith(b"HTTP/1.1 100")

    began = time.monotonic()
    connection.sock.sendall(BODY + UPLOAD)

    assert read_statuses(connection, 2) == [503, 202]
    assert time.monotonic() - began >= 0.1


def test_a_client_that_gives_up_was_recorded_and_costs_nobody_anything(serve: Serve, connect: Connect) -> None:
    server = serve({"delay": 60})
    connection = connect(server)
    connection.sock.sendall(UPLOAD)
    wait_for_records(server, 1)

    connection.close()

    assert upload(connect(server)) == 202


def test_a_client_that_leaves_before_its_body_is_whole_leaves_the_fault_to_the_next(serve: Serve, connect: Connect) -> None:
    server = serve({"status": 503})
    connection = connect(server)
    connection.sock.sendall(UPLOAD[:-20])
    connection.close()
    wait_for_records(server, 1)

    assert upload(connect(server)) == 503


def test_clients_at_once_never_meet_the_same_single_fault(serve: Serve, connect: Connect) -> None:
    server = serve(*({"status": 400 + number} for number in range(100)), {"status": 503, "times": 50})

    def send(connection: HTTPConnection) -> list[int]:
        return [upload(connection) for _ in range(25)]

    with ThreadPoolExecutor(8) as pool:
        met = Counter(status for statuses in pool.map(send, [connect(server) for _ in range(8)]) for status in statuses)

    assert met == {**{400 + number: 1 for number in range(100)}, 503: 50, 202: 50}


def test_what_comes_before_a_delayed_upload_is_recorded_before_it(serve: Serve, connect: Connect) -> None:
    server = serve({"status": 503}, {"delay": 30})

    connect(server).sock.sendall(UPLOAD * 2)

    wait_for_records(server, 2)
    assert [record.status for record in server.intake.recorder.requests()] == [503, 202]


def test_garbage_behind_a_delayed_upload_takes_nothing_from_its_answer(serve: Serve, connect: Connect) -> None:
    connection = connect(serve({"status": 503, "delay": 0.1}))

    connection.sock.sendall(UPLOAD + b"garbage\r\n\r\n")

    assert read_statuses(connection, 1) == [503]
    assert connection.sock.recv(1000) == b""


def test_a_body_of_half_a_megabyte_is_delayed_as_well(serve: Serve, connect: Connect) -> None:
    connection = connect(serve({"status": 503, "delay": 0.1}))
    body = BODY + b" " * 500_000

    connection.sock.sendall(head(body) + body + UPLOAD)

    assert read_statuses(connection, 2) == [503, 202]


@pytest.mark.parametrize("fault", [{"status": 503, "retry_after": 1}, {"delay": 30}])
def test_a_store_that_fails_is_told_at_once_and_uses_one_fault_up(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    def fail(_: Any) -> None:
        raise StoreError("The disk is full.")

    server = serve(fault, fault)
    monkeypatch.setattr(server.intake.recorder, "record", fail)

    status = upload(connect(server))

    workspace = server.intake.workspaces.get("default")
    assert workspace is not None
    assert (status, len(workspace.faults.list())) == (503, 1)


def test_a_failure_of_the_fake_under_a_delay_is_answered(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Any) -> None:
        raise ZeroDivisionError("a bug")

    server = serve({"delay": 30})
    monkeypatch.setattr(server.intake, "settle", fail)

    assert upload(connect(server)) == 500
