"""An Inbox on a fake without sockets and with a clock of the test's own, for the tests of what a test calls on it."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mparticle_fake_server.exchange import Answer, Submission
from mparticle_pytest_plugin.inbox import Inbox
from mparticle_pytest_plugin.source import LocalSource
from tests.hosts import batch, event

__all__ = ["NOW", "Sent", "batch", "event", "order", "report_of", "sent_inbox"]

NOW = 1_790_000_000_000
KEY, SECRET = "test-00000001", "secret"


class Sent:
    """Sends to an Inbox; `now` is the time of receipt in ms."""

    def __init__(self, source: LocalSource, inbox: Inbox) -> None:
        self.source = source
        self.inbox = inbox
        self.now = NOW
        source.server.intake.now_ms = lambda: self.now

    def events(self, *events: dict[str, Any], at: int = 0, **members: Any) -> Answer:
        """A batch of these events, `at` ms after the test began."""
        return self.body(batch(events=list(events), **members), at=at)

    def body(self, body: Any, *, at: int = 0, key: str = KEY, path: str = "/v2/events") -> Answer:
        """Any JSON, or bytes as they are."""
        self.now = NOW + at
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        basic = b"Basic " + base64.b64encode(f"{key}:{SECRET}".encode())
        headers = [(b"authorization", basic), (b"content-type", b"application/json")]
        handler = next(row.handler for row in self.source.server.rows if (row.method, row.path) == ("POST", path))
        answer = handler(Submission("POST", path, "", headers, content))
        assert isinstance(answer, Answer)
        return answer


@contextmanager
def sent_inbox(mode: str = "faithful", default_timeout: float = 0.0) -> Iterator[Sent]:
    """An empty Inbox, and the way to send to it; nothing waits unless told to."""
    source = LocalSource()
    source.open_workspace("tests/test_shop.py::test_checkout #1", KEY, SECRET, mode=mode)
    test = "tests/test_shop.py::test_checkout"
    inbox = Inbox(source, f"{test} #1", KEY, SECRET, test, default_timeout)
    inbox.began_ms = NOW
    yield Sent(source, inbox)
    inbox.close()
    source.close()


def order(action: str = "purchase", **members: Any) -> dict[str, Any]:
    """A commerce event; `members` are those of its product action."""
    product = {"id": "sku", "name": "Shirt", "price": 21.49, "quantity": 1}
    return {"event_type": "commerce_event", "data": {"product_action": {"action": action, "products": [product]} | members}}


def report_of(call: Callable[[], object]) -> str:
    """The report with which an assertion fails, framed by line ends to be compared with a text block."""
    try:
        call()
    except AssertionError as error:
        return f"\n{error}\n"
    raise ValueError("The assertion holds.")
