"""The two hosts of the conformance suite, the Flask application alone and the running server, and small batches to send."""

import base64
import http.client
import json
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, Unpack

import pytest

from mparticle_fake_server import FakeServer, create_app
from mparticle_fake_server.hosting import Options

KEY, SECRET = "key", "secret"
BASIC = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()


@dataclass
class Reply:
    """What a host answered; header names lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def messages(self) -> list[str]:
        """The messages of an error body, which must have mParticle's form."""
        errors = self.json["errors"]
        assert all(set(error) == {"code", "message"} for error in errors)
        return [error["message"] for error in errors]


Send = Callable[[str, str, bytes, dict[str, str]], Reply]


@dataclass
class Fake:
    """A running fake, whichever host it is."""

    send: Send
    url: str | None
    extra: dict[str, Any] = field(default_factory=dict)

    def request(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
        return self.send(method, path, body, headers or {})

    def upload(self, body: Any, path: str = "/v2/events", **headers: str) -> Reply:
        """POST a batch, an array of them, or bytes as they are, with this suite's credentials unless told otherwise."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": BASIC, "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, content, {name: value for name, value in sent.items() if value != "absent"})

    def ask(self, path: str, **headers: str) -> Any:
        """The JSON of a successful GET below /_fake."""
        reply = self.request("GET", f"/_fake/{path}", headers=headers)
        assert reply.status == 200, reply.body
        return reply.json

    def items(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(path)["items"]
        return found


class OpenFake(Protocol):
    """Makes a fake with options."""

    def __call__(self, **options: Unpack[Options]) -> AbstractContextManager[Fake]: ...


@contextmanager
def flask_host(**options: Unpack[Options]) -> Iterator[Fake]:
    app = create_app(**options)
    client = app.test_client(use_cookies=False)

    def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
        # A path of two slashes would be taken for a host.
        odd = {"PATH_INFO": path} if path.startswith("//") else {}
        answer = client.open(path, method=method, data=body, headers=headers, environ_overrides=odd)
        return Reply(answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    yield Fake(send, None)
    app.extensions["mparticle_fake"].recorder.close()


@contextmanager
def server_host(**options: Unpack[Options]) -> Iterator[Fake]:
    with FakeServer(**options) as server, closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)) as connection:

        def send(method: str, path: str, body: bytes, headers: dict[str, str]) -> Reply:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

        yield Fake(send, server.url)


@contextmanager
def clock_at(now_ms: int) -> Iterator[None]:
    """The time at which the hosts receive everything, in ms since 1970: for samples with fixed timestamps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mparticle_fake_server.intake.time", types.SimpleNamespace(time_ns=lambda: now_ms * 1_000_000))
        yield


def batch(**members: Any) -> dict[str, Any]:
    """A small flawless batch: nothing is found in it."""
    return {
        "environment": "development",
        "user_identities": {"customer_id": "c1"},
        "events": [event("Play")],
    } | members


def event(name: str, **data: Any) -> dict[str, Any]:
    """A custom event."""
    return {"event_type": "custom_event", "data": {"event_name": name, "custom_event_type": "other"} | data}
