"""CORS: a page of any origin may call what the web SDK calls, and read every answer; what was recorded it may not."""

import json
from typing import Any

import pytest

from mparticle_fake_server.endpoints import cors
from mparticle_fake_server.exchange import Answer
from mparticle_fake_server.hosting import open_intake, tables
from mparticle_fake_server.recording import StoreError
from tests.endpoints.sdk_requests import CREDENTIALS, EVENTS, KEY, ORIGIN, native, native_batch
from tests.hosts import Fake, OpenFake, Reply, batch

ARGUMENTS = {"<key>": KEY, "<mpid>": "-123"}


def concrete(path: str) -> str:
    for part, value in ARGUMENTS.items():
        path = path.replace(part, value)
    return path


ROWS = tables(open_intake())
SHARED = sorted({concrete(row.path) for row in ROWS if row.cors})
NOT_SHARED = sorted({concrete(row.path) for row in ROWS} - set(SHARED))

PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,x-mp-key",
    "Sec-Fetch-Site": "cross-site",
}


def ask(fake: Fake, path: str) -> Reply:
    """A request that this path answers, with nothing to complain of where the body may be anything."""
    method = "GET" if path.endswith(("config", "audience")) else "POST"
    # A query takes an upload off the short way through the server.
    target = f"{path}?mpid=1" if path.endswith("audience") else path
    return fake.request(method, target, b"{}" if method == "POST" else b"", {"x-mp-key": KEY})


def is_open(reply: Reply) -> bool:
    """Whether a page of another origin may read this answer, with the header that the SDK looks for."""
    allowed = reply.headers.get("access-control-allow-origin") in ("*", ORIGIN)
    return allowed and "x-mp-max-age" in reply.headers.get("access-control-expose-headers", "")


def test_what_the_web_sdk_calls_is_shared() -> None:
    called = {
        f"/JS/v2/{KEY}/config",
        f"/v3/JS/{KEY}/events",
        f"/v1/JS/{KEY}/Forwarding",
        f"/v2/JS/{KEY}/Forwarding",
        f"/v1/identity/{KEY}/Alias",
        f"/v1/{KEY}/audience",
        f"/tags/JS/v2/{KEY}/config",
        f"/webevents/v3/JS/{KEY}/events",
        f"/webevents/v1/JS/{KEY}/Forwarding",
        f"/webevents/v2/JS/{KEY}/Forwarding",
        f"/webevents/v1/identity/{KEY}/Alias",
        "/v1/identify",
        "/v1/login",
        "/v1/logout",
        "/v1/search",
        "/v1/-123/modify",
        "/identity/v1/identify",
        "/identity/v1/-123/modify",
    }

    assert called <= set(SHARED)


def test_nothing_of_the_inspect_api_and_of_the_events_api_is_shared() -> None:
    assert not [path for path in SHARED if path.startswith(("/_fake", "/s2s", "/v2/events", "/v2/bulk"))]


# -- preflight ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHARED)
def test_a_preflight_gets_204_and_what_a_page_may_do(fake: Fake, path: str) -> None:
    reply = fake.request("OPTIONS", path, headers=PREFLIGHT)

    allowed = {name.strip() for name in reply.headers["access-control-allow-headers"].split(",")}
    methods = {name.strip() for name in reply.headers["access-control-allow-methods"].split(",")}
    assert (reply.status, reply.body) == (204, b"")
    assert {"accept", "content-type", "x-mp-key"} <= allowed
    assert "OPTIONS" in methods
    assert methods & {"GET", "POST"}
    assert int(reply.headers["access-control-max-age"]) > 0
    assert is_open(reply)


def test_a_preflight_with_a_query_is_one_too(fake: Fake) -> None:
    assert fake.request("OPTIONS", "/v1/search?cb=1", headers=PREFLIGHT).status == 204


def test_a_preflight_tells_no_credentials_to_be_used(fake: Fake) -> None:
    reply = fake.request("OPTIONS", EVENTS, headers=PREFLIGHT)

    assert "access-control-allow-credentials" not in reply.headers


def test_a_page_of_a_public_address_may_call_this_machine_if_its_browser_asks(fake: Fake) -> None:
    asked = fake.request("OPTIONS", EVENTS, headers=PREFLIGHT | {"Access-Control-Request-Private-Network": "true"})
    not_asked = fake.request("OPTIONS", EVENTS, headers=PREFLIGHT)

    assert asked.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-private-network" not in not_asked.headers


def test_a_preflight_is_recorded_and_meets_no_fault(fake: Fake) -> None:
    fake.request("PUT", "/_fake/faults", b'{"items": [{"status": 500}]}')

    reply = fake.request("OPTIONS", EVENTS, headers=PREFLIGHT)

    (request,) = fake.items("requests")
    assert reply.status == 204
    assert (request["method"], request["path"], request["status"], request["source"]) == ("OPTIONS", EVENTS, 204, "web")
    assert len(fake.ask("faults")["items"]) == 1


# -- every answer ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_whatever_is_asked_the_answer_may_be_read(fake: Fake, method: str) -> None:
    replies = {path: fake.request(method, path, headers={"Origin": ORIGIN}) for path in SHARED}

    assert {path: reply for path, reply in replies.items() if not is_open(reply)} == {}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_key_may_be_read(open_fake: OpenFake, method: str) -> None:
    with open_fake(credentials=CREDENTIALS, unknown_keys=False) as fake:
        other = {"x-mp-key": "other-key"}
        replies = {path: fake.request(method, path.replace(KEY, "other-key"), b"{}", other) for path in SHARED}

        assert {reply.status for reply in replies.values()} <= {401, 403, 405}
        assert {path: reply for path, reply in replies.items() if not is_open(reply)} == {}


@pytest.mark.parametrize("path", ["/v1/identfy", "/v3/js/key/events", "/webevents/v4/JS/key/events", "/tags", "/JS/v2/key/confg"])
def test_an_unknown_path_may_be_read_as_it_tells_what_is_wrong(fake: Fake, path: str) -> None:
    reply = fake.request("POST", path, b"{}")

    assert reply.status == 404
    assert is_open(reply)


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 500, "body": "no"}, {"status": 503, "retry_after": 1}, {"delay": 0.001}]
)
def test_a_fault_may_be_read(fake: Fake, fault: dict[str, Any]) -> None:
    fake.request("PUT", "/_fake/faults", json.dumps({"items": [fault | {"times": len(SHARED)}]}).encode())

    replies = {path: ask(fake, path) for path in SHARED}

    assert fake.ask("faults")["items"] == []
    assert {path: reply for path, reply in replies.items() if not is_open(reply)} == {}


@pytest.mark.parametrize("error", [StoreError("The disk is full."), ValueError("a bug")])
def test_a_failure_may_be_read(open_fake: OpenFake, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    with open_fake() as fake, monkeypatch.context() as patch:
        patch.setattr("mparticle_fake_server.recording.memory.MemoryRecorder.record", fail)
        replies = {path: ask(fake, path) for path in SHARED}

        assert {reply.status for reply in replies.values()} == {503 if isinstance(error, StoreError) else 500}
        assert {path: reply for path, reply in replies.items() if not is_open(reply)} == {}


# -- what a page may not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "PUT", "DELETE", "POST"])
def test_no_answer_of_the_inspect_api_may_be_read_by_another_origin(fake: Fake, method: str) -> None:
    paths = [path for path in NOT_SHARED if path.startswith("/_fake") and path not in ("/_fake", "/_fake/health")]

    replies = [fake.request(method, path, headers=PREFLIGHT) for path in paths]

    assert {reply.status for reply in replies} <= {403, 405}
    assert not [name for reply in replies for name in reply.headers if name.startswith("access-control")]


def test_a_path_below_fake_that_is_unknown_may_not_be_read_either(fake: Fake) -> None:
    reply = fake.request("GET", "/_fake/nothing", headers=PREFLIGHT)

    assert (reply.status, is_open(reply)) == (404, False)


def test_the_events_api_and_the_native_endpoints_are_no_page_s_business(fake: Fake) -> None:
    replies = [
        fake.upload(batch(), Origin=ORIGIN),
        fake.request("OPTIONS", "/v2/events", headers=PREFLIGHT),
        native(fake, "POST", f"/v2/{KEY}/events", native_batch()),
        native(fake, "GET", f"/v4/{KEY}/config"),
    ]

    assert [reply.status for reply in replies] == [202, 405, 202, 200]
    assert not any(is_open(reply) for reply in replies)


def test_an_answer_that_others_share_is_not_changed_by_opening_it() -> None:

    shared = Answer(200, [(b"content-length", b"0")])

    opened = cors.allow(cors.allow(shared))

    assert shared.headers == [(b"content-length", b"0")]
    assert [name for name, _ in opened.headers].count(b"access-control-allow-origin") == 1
