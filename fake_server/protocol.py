"""uvicorn's HTTP protocol with a short way for uploads: no task, no ASGI messages, and one commit for all that came at once."""

import asyncio
from typing import Final

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from .endpoints.answers import error_answer
from .intake import Answer, Endpoint, Intake, Reading, Submission, Upload
from .recording import StoreError

MOST_AT_ONCE: Final = 100
"""Uploads that one commit takes at most."""


class Turn:
    """The uploads that arrived in one turn of the event loop: read at once, recorded together, then answered."""

    def __init__(self, intake: Intake, rows: list[Endpoint], loop: asyncio.AbstractEventLoop) -> None:
        self.max_body = intake.max_body
        self.rows = {row.path.encode(): row for row in rows if row.upload is not None}
        self._intake = intake
        self._loop = loop
        self._waiting: list[tuple[UploadProtocol, Endpoint, Submission, Reading]] = []

    def take(self, protocol: "UploadProtocol", row: Endpoint, submission: Submission) -> None:
        """Read an upload; `end` answers it."""
        try:
            reading = _upload(row).read(submission)
        except Exception:  # noqa: BLE001  # the handler meets it again, and knows what to do about it
            reading = _alone(row, submission)
        if isinstance(reading, Answer):
            # Behind the answers to what came before it on this connection, if there is any.
            self.end()
            protocol.answer(reading)
            return
        self._waiting.append((protocol, row, submission, reading))
        if len(self._waiting) == 1:
            self._loop.call_soon(self.end)
        elif len(self._waiting) == MOST_AT_ONCE:
            self.end()

    def end(self) -> None:
        """Record what was read, and answer."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            outcomes = self._intake.settle([reading for _, _, _, reading in waiting])
            answers = [_upload(row).answer(outcome) for (_, row, _, _), outcome in zip(waiting, outcomes, strict=True)]
        except StoreError as error:
            answers = [error_answer(503, str(error)) for _ in waiting]
        except Exception:  # noqa: BLE001  # one of them is to blame: each by itself
            answers = [_alone(row, submission) for _, row, submission, _ in waiting]
        for (protocol, *_), answer in zip(waiting, answers, strict=True):
            protocol.answer(answer)


def _upload(row: Endpoint) -> Upload:
    assert row.upload is not None
    return row.upload


def _alone(row: Endpoint, submission: Submission) -> Answer:
    answer = row.handler(submission)
    assert isinstance(answer, Answer)
    return answer


class UploadProtocol(HttpToolsProtocol):
    """A connection. An upload that arrives in one piece goes to the Turn; everything else goes uvicorn's way, through ASGI."""

    def __init__(self, config: uvicorn.Config, state: ServerState, turn: Turn) -> None:
        super().__init__(config, state, {})
        self._turn = turn
        self._row: Endpoint | None = None
        self._parts: list[bytes] = []
        self._unanswered = 0
        self._offer: bytes | None = None

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with what has arrived."""
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as end:
            self._go_on_without_upgrade(data[end.args[0] :])
            return
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if self._row is not None:
            # The body has not arrived whole.
            self._row = None
            self._go_through_asgi()
            for part in self._parts:
                super().on_body(part)

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        # httptools ends at an offer to upgrade, and takes the body for another protocol's bytes. Java's HttpClient offers h2c
        # with its first request. An offer may be ignored (RFC 9110 §7.8): the head is parsed again without it.
        if self._offer is None:  # CONNECT
            self.send_400_response("Invalid HTTP request received.")
            return
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", self.parser.get_http_version().encode(), b"\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                head += (name, b": ", value, b"\r\n")
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"".join([*head, b"\r\n", rest]))

    def on_headers_complete(self) -> None:
        """Called by the parser after a request's head."""
        if self.parser.should_upgrade():
            self._offer = next((value for name, value in self.headers if name == b"upgrade"), None)
            if self._offer is not None:
                return
        elif self._offer is not None:
            self.headers.append((b"upgrade", self._offer))
            self._offer = None
        row = self._turn.rows.get(self.url)
        parser = self.parser
        if (
            row is not None
            and parser.get_method() == b"POST"
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and getattr(self.cycle, "response_complete", True)
        ):
            self._row = row
            self._parts = []
        else:
            self._go_through_asgi()

    def _go_through_asgi(self) -> None:
        if self._unanswered:
            self._turn.end()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Called by the parser with a part of a body."""
        if self._row is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a request."""
        if self._offer is not None:
            return
        row, self._row = self._row, None
        if row is None:
            super().on_message_complete()
            return
        parts = self._parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        submission = Submission("POST", row.path, "", self.headers, body, self.client[0] if self.client else "")
        if len(body) > self._turn.max_body:
            submission.oversize, submission.body = len(body), b""
        self._unanswered += 1
        self._turn.take(self, row, submission)

    def answer(self, answer: Answer) -> None:
        """Send the answer to an upload."""
        self._unanswered -= 1
        if self.transport.is_closing():
            return
        lines = [STATUS_LINE[answer.status]]
        for name, value in self.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        for name, value in answer.headers:
            lines += (name, b": ", value, b"\r\n")
        lines += (b"\r\n", answer.body)
        self.transport.write(b"".join(lines))
        self.on_response_complete()
