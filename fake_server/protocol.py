"""uvicorn's HTTP protocol with a short way for uploads: no task, no ASGI messages, and one commit for all that came at once."""

import asyncio
from collections import deque
from typing import Final

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from .checks.finding import make
from .endpoints import cors
from .endpoints.answers import error_answer, tell
from .exchange import Answer, Endpoint, Submission, Upload
from .heads import Heads
from .intake import Intake, Reading
from .recording import StoreError
from .redaction import Headers
from .routing import Directory, Place

MOST_AT_ONCE: Final = 100
"""Uploads that one commit takes at most."""

MOST_OF_A_HEAD: Final = 65_536
"""Bytes of a request's head, or of its trailers; more get 431, or a head without an end would fill the memory."""

LINGER_SECONDS: Final = 1.0
"""How long a refused connection is held open: closed at once, while bytes arrive, it would be reset before the answer is read."""


class Turn:
    """The uploads that arrived in one turn of the event loop: read at once, recorded together, then answered."""

    def __init__(self, intake: Intake, rows: list[Endpoint], loop: asyncio.AbstractEventLoop) -> None:
        self.max_body = intake.max_body
        self.heads = Heads()
        self.uploads = Directory(row for row in rows if row.upload is not None)
        self._intake = intake
        self._loop = loop
        self._waiting: list[tuple[UploadProtocol, Endpoint, Submission, Reading]] = []
        self._headers: Headers = []
        self._written = b""

    def take(self, protocol: "UploadProtocol", row: Endpoint, submission: Submission) -> None:
        """Read an upload; `end` answers it."""
        try:
            reading = _upload(row).read(submission)
        except Exception:  # noqa: BLE001  # the handler meets it again, and knows what to do about it
            reading = _alone(row, submission)
        if isinstance(reading, Reading) and reading.fault is not None and reading.fault.delay:
            reading = self._settle(row, submission, reading)
        if isinstance(reading, Answer):
            # Behind the answers to what came before it on this connection, if there is any.
            self.end()
            if reading.delay:
                protocol.answer_later(reading)
            else:
                protocol.answer(reading)
            return
        self._waiting.append((protocol, row, submission, reading))
        if len(self._waiting) == 1:
            self._loop.call_soon(self.end)
        elif len(self._waiting) == MOST_AT_ONCE:
            self.end()

    def _settle(self, row: Endpoint, submission: Submission, reading: Reading) -> Answer:
        """The answer to an upload that is recorded now, and answered later."""
        self.end()
        try:
            return _upload(row).answer(self._intake.settle([reading])[0])
        except StoreError as error:
            return _not_kept(row, error)
        except Exception:  # noqa: BLE001  # the handler meets it again, and knows what to do about it
            return _alone(row, submission)

    def end(self) -> None:
        """Record what was read, and answer."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            outcomes = self._intake.settle([reading for _, _, _, reading in waiting])
            answers = [_upload(row).answer(outcome) for (_, row, _, _), outcome in zip(waiting, outcomes, strict=True)]
        except StoreError as error:
            answers = [_not_kept(row, error) for _, row, _, _ in waiting]
        except Exception:  # noqa: BLE001  # one of them is to blame: each by itself
            answers = [_alone(row, submission) for _, row, submission, _ in waiting]
        for (protocol, *_), answer in zip(waiting, answers, strict=True):
            protocol.answer(answer)

    def write_headers(self, headers: Headers) -> bytes:
        """The headers of every answer, written once as long as they stay the same object."""
        if headers is not self._headers:
            self._headers = headers
            self._written = b"".join([name + b": " + value + b"\r\n" for name, value in headers])
        return self._written

    def refuse(self, remote: str, status: int, message: str, hint: str | None) -> Answer:
        """Record that something arrived which is no request, and answer."""
        self.end()
        finding = make("http_broken", message, hint=hint)
        try:
            self._intake.refuse(Submission("?", "", "", [], b"", remote), status, finding, "unknown")
        except StoreError as error:
            return error_answer(503, str(error))
        return error_answer(status, tell(finding))


def _upload(row: Endpoint) -> Upload:
    assert row.upload is not None
    return row.upload


def _not_kept(row: Endpoint, error: StoreError) -> Answer:
    answer = error_answer(503, str(error))
    return cors.allow(answer) if row.cors else answer


def _alone(row: Endpoint, submission: Submission) -> Answer:
    answer = row.handler(submission)
    assert isinstance(answer, Answer)
    return answer


class UploadProtocol(HttpToolsProtocol):
    """A connection. An upload that arrives in one piece goes to the Turn; everything else goes uvicorn's way, through ASGI."""

    def __init__(self, config: uvicorn.Config, state: ServerState, turn: Turn) -> None:
        super().__init__(config, state, {})
        self._turn = turn
        self._quiet = False
        self._between = True
        self._request: bytes | None = None
        self._unparsed: bytes | None = None
        self._place: Place | None = None
        self._parts: list[bytes] = []
        self._unanswered = 0
        self._offer: bytes | None = None
        self._sent: Headers = []
        self._whole_head: Headers | None = None
        self._head_size = 0
        self._body_came = False
        self._head_end = b""
        self._refused = False
        self._asked: deque[RequestResponseCycle] = deque()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with what has arrived."""
        if self._refused:
            return
        self._quiet = False
        self._request = None
        if self._between:
            if self._take_known(data):
                return
            self._request = data
        if self._has_large_head(data):
            self._refuse_head()
            return
        headers = self.headers
        try:
            while True:
                try:
                    self.parser.feed_data(data)
                    break
                except httptools.HttpParserUpgrade as end:
                    data = self._without_upgrade(data[end.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(400, f"What was received is no HTTP/1.1 request: {error.__context__ or error}.", _hint(data, error))
            return
        if self._place is not None:
            self._go_on_through_asgi()
        elif not self._between:
            self._bound(data, headers)

    def _bound(self, data: bytes, headers: Headers) -> None:
        """Refuse a request that has not ended where its head or its trailers are too large; `headers` are those before `data`."""
        if self.headers is self._whole_head:
            # Without a part of the body, it may be one of a trailer, which the parser keeps until it ends.
            self._head_size = 0 if self._body_came else self._head_size + len(data)
            self._body_came = False
            if self._head_size > MOST_OF_A_HEAD:
                message = f"The trailers behind a body in chunks have more than {MOST_OF_A_HEAD} bytes."
                self._refuse(431, message, "An SDK sends none.")
            return
        if self.headers is headers:
            self._head_size += len(data)
        else:
            # What came before it in the same read belongs to another request.
            self._head_size = len(data) if self._request is not None else 0
        self._head_end = (self._head_end + data)[-3:]
        if self._head_size > MOST_OF_A_HEAD:
            self._refuse_head()

    def _take_known(self, data: bytes) -> bool:
        """Take an upload whose head came before, which needs no parsing; False where it has to be parsed."""
        known = self._turn.heads.find(data)
        if known is None or not self._is_free():
            return False
        head, body = known
        self._unparsed = data
        self._upload(head.place, head.headers, head.kept, body)
        self._unparsed = None
        return True

    def _has_large_head(self, data: bytes) -> bool:
        """Whether what came of a head, with what has just arrived, passes the limit."""
        if self._between:
            return len(data) > MOST_OF_A_HEAD and data.find(b"\r\n\r\n", 0, MOST_OF_A_HEAD) < 0
        if self.headers is self._whole_head:
            return False
        # The end of the head may be cut too.
        end = (self._head_end + data).find(b"\r\n\r\n")
        return self._head_size + (len(data) if end < 0 else end - len(self._head_end)) > MOST_OF_A_HEAD

    def _refuse_head(self) -> None:
        self._refuse(
            431,
            f"The request line and headers have more than {MOST_OF_A_HEAD} bytes.",
            "An SDK sends less than 1 KB; look for a header or a cookie that grows.",
        )

    def _without_upgrade(self, rest: bytes) -> bytes:
        # httptools ends at an offer to upgrade, and takes the body for another protocol's bytes. Java's HttpClient offers h2c
        # with its first request. An offer may be ignored (RFC 9110 §7.8): the head is parsed again without it.
        head = [self.parser.get_method(), b" ", self.url, b" HTTP/", self.parser.get_http_version().encode(), b"\r\n"]
        for name, value in self.headers:
            if name != b"upgrade":
                head += (name, b": ", value, b"\r\n")
        self.parser = httptools.HttpRequestParser(self)
        return b"".join([*head, b"\r\n", rest])

    def _refuse(self, status: int, message: str, hint: str | None) -> None:
        """Answer what is no request, behind the answers to what came before it, and close."""
        self._refused = True
        if self._place is not None:
            self._go_on_through_asgi()
        cycle = self.cycle
        under_way = not getattr(cycle, "response_complete", True)
        if under_way and cycle.more_body:
            # The fault is in its body; it is recorded as incomplete.
            if cycle.response_started or self.pipeline:
                self.transport.close()
                return
            cycle.disconnected = True
            cycle.message_event.set()
            answer = error_answer(status, message)
        else:
            answer = self._turn.refuse(self.client[0] if self.client else "", status, message, hint)
            if under_way:
                # The answer to a whole request is the last one.
                cycle.keep_alive = False
                return
        answer.headers.append((b"connection", b"close"))
        self._write(answer)
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Called by the event loop; closes a connection on which nothing came since the last time, and nothing is to be answered.

        uvicorn stops this timer and starts another with each request, which an upload would feel. Here it runs on.
        """
        if self._quiet and getattr(self.cycle, "response_complete", True):
            super().timeout_keep_alive_handler()
        elif not self.transport.is_closing():
            self._quiet = True
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        """Called by the parser before a request; uploads need no more than this of what uvicorn prepares."""
        self._between = False
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Called by the parser after a request's head."""
        self._sent = self._whole_head = self.headers
        if self.parser.should_upgrade():
            self._offer = next((value for name, value in self.headers if name == b"upgrade"), None)
            if self._offer is None:
                raise ValueError("CONNECT is for proxies")
            return
        if self._offer is not None:
            self.headers.append((b"upgrade", self._offer))
            self._offer = None
        place = self._turn.uploads[self.url]
        parser = self.parser
        if (
            place is not None
            and parser.get_method() == b"POST"
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and self._unparsed is None
            and self._is_free()
        ):
            self._place = place
            self._parts = []
        else:
            self._go_through_asgi()

    def _is_free(self) -> bool:
        """Whether an answer can be sent at once."""
        return not self.flow.write_paused and getattr(self.cycle, "response_complete", True)

    def _go_through_asgi(self) -> None:
        if self._unanswered:
            self._turn.end()
        url, headers, expects = self.url, self._sent, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        self._whole_head = self.headers
        self._head_size, self._body_came = 0, True
        super().on_headers_complete()
        # They are answered in their order.
        while self._asked and self._asked[0].response_complete:
            self._asked.popleft()
        self._asked.append(self.cycle)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop when the connection is closed."""
        # uvicorn tells only the newest request; with pipelining, the one that is being answered is another.
        for cycle in self._asked:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        super().connection_lost(exc)

    def _go_on_through_asgi(self) -> None:
        # The body has not arrived whole.
        self._place = None
        self._go_through_asgi()
        for part in self._parts:
            super().on_body(part)
        self._body_came = False
        self._put_trailers_aside()

    def _put_trailers_aside(self) -> None:
        """Let the parser add what is no header any more to another list; `_sent` stays as it is."""
        self.headers = self._whole_head = []

    def on_chunk_header(self) -> None:
        """Called by the parser before each part of a body in chunks; behind the last one come trailers, which nobody needs."""
        self._put_trailers_aside()

    def on_chunk_complete(self) -> None:
        """Called by the parser after each part of a body in chunks; after the last one, behind the trailers."""
        if any(name == b"connection" for name, _ in self.headers):
            # The parser heeds it and reads no further request, but the answer does not say so (RFC 9110 §6.5.1 forbids it).
            raise ValueError("Connection stands in a trailer")

    def on_body(self, body: bytes) -> None:
        """Called by the parser with a part of a body."""
        if self._place is None:
            self._body_came = True
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of a request."""
        if self._offer is not None:
            return
        self._between = True
        # What else came with it is another request's.
        request, self._request = self._request, None
        place, self._place = self._place, None
        if place is None:
            super().on_message_complete()
            return
        parts, self._parts = self._parts, []
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        if request is not None:
            self._turn.heads.learn(request, body, place, self._sent)
        self._upload(place, self._sent, b"", body)

    def _upload(self, place: Place, headers: Headers, kept: bytes, body: bytes) -> None:
        remote = self.client[0] if self.client else ""
        submission = Submission("POST", place.path, "", headers, body, remote, 0, False, place.arguments, kept)
        if len(body) > self._turn.max_body:
            submission.oversize, submission.body = len(body), b""
        self._unanswered += 1
        self._turn.take(self, place.row, submission)

    def answer(self, answer: Answer) -> None:
        """Send the answer to an upload."""
        self._unanswered -= 1
        if self.transport.is_closing():
            return
        self._write(answer)
        if self.timeout_keep_alive_task is None or self.pipeline:
            self.on_response_complete()

    def answer_later(self, answer: Answer) -> None:
        """Let the front send the answer to the upload that has just come, when its delay is over.

        As long as that takes, uvicorn keeps what else arrives on this connection waiting, and answers it in its order.
        """
        self._unanswered -= 1
        if self._unparsed is None:
            self._go_on_through_asgi()
            super().on_message_complete()
        else:
            # Its head was known: what the parser has read last is another request, if there was any.
            self.parser.feed_data(self._unparsed)
        # The task that answers has not begun.
        self.scope["mparticle_fake.answer"] = answer  # type: ignore[typeddict-unknown-key]

    def _write(self, answer: Answer) -> None:
        lines = [STATUS_LINE[answer.status], self._turn.write_headers(self.server_state.default_headers)]
        for name, value in answer.headers:
            lines += (name, b": ", value, b"\r\n")
        lines += (b"\r\n", answer.body)
        self.transport.write(b"".join(lines))


def _hint(data: bytes, error: Exception) -> str | None:
    if data[:2] == b"\x16\x03":
        return "It looks like TLS: use http://, not https://."
    if data[:14] == b"PRI * HTTP/2.0":
        return "It is HTTP/2: use HTTP/1.1."
    if isinstance(error, httptools.HttpParserInvalidURLError):
        return "The path begins with a slash; percent-encode spaces and whatever is not ASCII."
    return None
