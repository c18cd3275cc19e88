"""The ASGI front: uploads, waiting and following straight from the endpoint tables, on the event loop; the rest goes to Flask.

Uploads never wait for anybody who watches: a poll looks at a bounded number of records, and a stream rests between its chunks.
"""

import asyncio
import io
import itertools
import threading
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_from_bytes

from a2wsgi import WSGIMiddleware
from flask import Flask
from werkzeug.wsgi import ClosingIterator

from .app import CONNECTED, HEARTBEAT, HEARTBEAT_SECONDS, polled
from .endpoints.answers import error_answer
from .intake import Answer, Chunks, Endpoint, Following, Intake, Reply, Submission, Waiting
from .redaction import Headers
from .routing import Directory

Scope = dict[str, Any]
Receive = Callable[[], Any]
Send = Callable[[dict[str, Any]], Any]

WAKE_SECONDS: Final = 0.001
BUSY_WAKE_SECONDS: Final = 0.01
"""Commits within this time wake the watchers once: the first after a quiet time, the second under load."""

REST_SECONDS: Final = 0.1
"""How long a stream rests after a chunk, at least. With the 200 records of a poll, it carries 2 000 a second and lags beyond."""

SHARE: Final = 0.05
"""The share of the event loop's time that all streams together take for themselves; they rest longer where chunks cost more."""


_ASCII: Final = bytes(range(0x21, 0x7F))
"""What may stand in a query for Flask as it came: a signature is over the query as its client wrote it."""


class Front:
    """An ASGI application over the endpoint tables; `open` and `close` are called on its event loop."""

    def __init__(self, intake: Intake, rows: list[Endpoint], make_app: Callable[[], Flask]) -> None:
        self._max_body = intake.max_body
        self._recorder = intake.recorder
        self._direct = {(row.method, row.path): row for row in rows if row.direct and "<" not in row.path}
        self._variable = Directory(row for row in rows if row.direct and "<" in row.path)
        self._streamed = {(row.method, row.path) for row in rows if row.streamed}
        self._make_app = make_app
        self._wsgi: WSGIMiddleware | None = None
        self._sleepers: set[asyncio.Future[None]] = set()
        self._followers = 0
        self._waking = False
        self._woken = 0.0

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to watch the recorder."""
        self._loop = loop
        self._thread = threading.get_ident()
        self._closing: asyncio.Future[None] = loop.create_future()
        self._looking = asyncio.Lock()
        self._unsubscribe = self._recorder.subscribe(self._recorded)

    def close(self) -> None:
        """End every stream, and answer whoever waits, at once."""
        self._unsubscribe()
        self._closing.set_result(None)

    def release(self) -> None:
        """End the threads that ran Flask, which need the event loop to finish; not on it, and after the last request."""
        if self._wsgi is not None:
            self._wsgi.executor.shutdown(wait=True)

    # -- requests ----------------------------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        delayed: Answer | None = scope.get("mparticle_fake.answer")
        if delayed is not None:
            await self._send(delayed, receive, send)
            return
        method, path = scope["method"], scope["path"]
        row, arguments = self._direct.get((method, path)), {}
        if row is None:
            place = self._variable[path.encode("utf-8", "surrogateescape")]
            if place is None or place.row.method != method:
                await self._to_flask(scope, receive, send, streamed=(method, path) in self._streamed)
                return
            row, arguments = place.row, place.arguments
        client = scope["client"]
        query, remote = scope["query_string"].decode("latin-1"), client[0] if client else ""
        submission = Submission(method, path, query, scope["headers"], b"", remote, arguments=arguments)
        body, submission.incomplete, size = await self._read(scope["headers"], receive)
        if size > self._max_body:
            submission.oversize = size
        else:
            submission.body = body
        reply = row.handler(submission)
        if isinstance(reply, Answer):
            await self._send(reply, receive, send)
        else:
            await self._watch(reply, receive, send)

    async def _send(self, answer: Answer, receive: Receive, send: Send) -> None:
        """Send an answer, after its delay; at once if the server stops meanwhile."""
        if answer.delay:
            gone = self._loop.create_task(_gone(receive))
            try:
                await self._sleep(gone, answer.delay)
            finally:
                gone.cancel()
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _read(self, headers: Headers, receive: Receive) -> tuple[bytes, bool, int]:
        """A body, no further than a byte beyond the limit; whether the client left before its end; its size as far as known."""
        announced = next((value for name, value in headers if name == b"content-length"), None)
        if announced is not None and announced.isdigit() and int(announced) > self._max_body:
            # Not read: the server discards what still arrives, so that the client lives to see the answer.
            return b"", False, int(announced)
        message = await receive()
        body = message.get("body", b"")
        while message.get("more_body") and len(body) <= self._max_body:
            message = await receive()
            body += message.get("body", b"")
        return body[: self._max_body + 1], message["type"] == "http.disconnect", len(body)

    async def _to_flask(self, scope: Scope, receive: Receive, send: Send, *, streamed: bool) -> None:
        left = threading.Event()
        scope["mparticle_fake.left"] = left
        if not streamed:
            # Read here, so that a client that is slow to send holds no thread.
            body, _, _ = await self._read(scope["headers"], receive)
            scope["mparticle_fake.body"] = io.BytesIO(body)
        scope["query_string"] = quote_from_bytes(scope["query_string"], safe=_ASCII).encode()
        watch: asyncio.Task[None] | None = None

        async def send_and_watch(message: dict[str, Any]) -> None:
            nonlocal watch
            await send(message)
            if watch is None and not streamed:
                watch = self._loop.create_task(_gone(receive, left))

        if self._wsgi is None:
            # Made when somebody first asks for it: a test that only uploads need not wait for it.
            self._wsgi = WSGIMiddleware(_served(self._make_app()))
        try:
            await self._wsgi(scope, receive, send_and_watch)  # type: ignore[arg-type]
        finally:
            if watch is not None:
                watch.cancel()

    # -- whoever watches ---------------------------------------------------------------------------------------------------

    def _recorded(self) -> None:
        if not self._sleepers or self._waking:
            return
        self._waking = True
        if threading.get_ident() == self._thread:
            self._wake_soon()
        else:
            self._loop.call_soon_threadsafe(self._wake_soon)

    def _wake_soon(self) -> None:
        now = self._loop.time()
        self._loop.call_at(max(now + WAKE_SECONDS, self._woken + BUSY_WAKE_SECONDS), self._wake)

    def _wake(self) -> None:
        self._waking = False
        self._woken = self._loop.time()
        for sleeper in self._sleepers:
            if not sleeper.done():
                sleeper.set_result(None)
        self._sleepers.clear()

    async def _watch(self, reply: Reply, receive: Receive, send: Send) -> None:
        gone = self._loop.create_task(_gone(receive))
        try:
            if isinstance(reply, Waiting):
                answer = await self._await(reply, gone)
                if answer is not None:
                    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
                    await send({"type": "http.response.body", "body": answer.body})
            else:
                assert not isinstance(reply, Answer | Chunks)
                await send({"type": "http.response.start", "status": 200, "headers": reply.headers})
                await self._follow(reply, gone, send)
                await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()

    async def _await(self, waiting: Waiting, gone: asyncio.Task[None]) -> Answer | None:
        end = self._loop.time() + waiting.timeout
        catching_up = True
        while not gone.done():
            if catching_up:
                # One look after another, and whatever has arrived between them.
                async with self._looking:
                    answer = polled(waiting.poll)
                    await asyncio.sleep(0)
            else:
                answer = polled(waiting.poll)
            catching_up = waiting.behind
            if answer is not None:
                return answer
            if self._closing.done():
                return error_answer(503, "The server was stopped while you waited.")
            if waiting.behind:
                continue
            left = end - self._loop.time()
            if left <= 0:
                # Looking for near misses reads everything that was recorded.
                return await self._loop.run_in_executor(None, polled, waiting.give_up)
            await self._sleep(gone, left, waiting)
        return None

    async def _follow(self, following: Following, gone: asyncio.Task[None], send: Send) -> None:
        chunk, cost = CONNECTED, 0.0
        self._followers += 1
        try:
            while not gone.done() and not self._closing.done():
                if chunk:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    await self._sleep(gone, max(REST_SECONDS, cost * self._followers / SHARE))
                began = self._loop.time()
                chunk = following.poll()
                cost = self._loop.time() - began
                if not chunk and not await self._sleep(gone, HEARTBEAT_SECONDS, following):
                    chunk = HEARTBEAT
        finally:
            self._followers -= 1

    async def _sleep(self, gone: asyncio.Task[None], seconds: float, watching: Waiting | Following | None = None) -> bool:
        """Sleep until the client leaves, the server stops or, if `watching`, the next commit; false after the full time."""
        wakers: set[asyncio.Future[None]] = {gone, self._closing}
        sleeper = self._loop.create_future()
        if watching is not None:
            self._sleepers.add(sleeper)
            wakers.add(sleeper)
        try:
            if watching is not None and watching.behind:
                # Recorded by another thread since the last poll.
                return True
            done, _ = await asyncio.wait(wakers, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return bool(done)
        finally:
            self._sleepers.discard(sleeper)


async def _gone(receive: Receive, left: threading.Event | None = None) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    if left is not None:
        left.set()


def _served(app: Flask) -> Callable[..., Any]:
    """The application with a body that was read before, and answers that end when the client has left."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        scope = environ["asgi.scope"]
        environ["wsgi.input"] = scope.get("mparticle_fake.body", environ["wsgi.input"])
        # The server ends a chunked body for us; Werkzeug reads none unless told so.
        environ["wsgi.input_terminated"] = True
        left: threading.Event = scope["mparticle_fake.left"]
        parts = app.wsgi_app(environ, start_response)
        return ClosingIterator(itertools.takewhile(lambda _: not left.is_set(), parts), getattr(parts, "close", None))

    return application
