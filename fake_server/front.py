"""The ASGI front: every endpoint straight from the tables, on the event loop or in a thread; what is in none goes to Flask.

Uploads never wait for anybody who watches: a poll looks at a bounded number of records, and a stream rests between its chunks.
A thread makes a part of an answer, or takes in a part of a body, and is free while the client reads or sends.
"""

import asyncio
import io
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from .endpoints.answers import error_answer
from .exchange import Answer, Chunks, Endpoint, Following, Submission, Taking, Waiting
from .hosting import CONNECTED, HEARTBEAT, HEARTBEAT_SECONDS, polled, query_of
from .intake import Intake
from .recording import StoreError
from .redaction import Headers
from .routing import Directory, Place

if TYPE_CHECKING:
    from a2wsgi import WSGIMiddleware
    from flask import Flask

Scope = dict[str, Any]
Receive = Callable[[], Any]
Send = Callable[[dict[str, Any]], Any]
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_log = logging.getLogger("mparticle_fake_server")

THREADS: Final = 4
"""For all that reads or writes the store at length; more of them would only make uploads wait for their turn to compute."""

WAKE_SECONDS: Final = 0.001
BUSY_WAKE_SECONDS: Final = 0.05
"""Commits within this time wake the watchers once: the first after a quiet time, the second under load."""

REST_SECONDS: Final = 0.1
"""How long a stream rests after a chunk, at least. With the 200 records of a poll, it carries 2 000 a second and lags beyond."""

SHARE: Final = 0.03
"""The share of the event loop's time that all streams together take for themselves; they rest longer where chunks cost more."""


class Front:
    """An ASGI application over the endpoint tables; `open` and `close` are called on its event loop."""

    def __init__(self, intake: Intake, rows: list[Endpoint], make_app: "Callable[[], Flask]") -> None:
        self._max_body = intake.max_body
        self._recorder = intake.recorder
        self._directories = {
            method: Directory(row for row in rows if row.method == method) for method in {row.method for row in rows}
        }
        self._make_app = make_app
        self._wsgi: WSGIMiddleware | None = None
        self._threads = ThreadPoolExecutor(THREADS, "mparticle-fake")
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
        """End the threads, which need the event loop to finish; not on it, and after the last request."""
        self._threads.shutdown()
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
        # The server sends no body where HEAD asks.
        directory = self._directories.get("GET" if scope["method"] == "HEAD" else scope["method"])
        place = directory[scope["path"].encode("utf-8", "surrogateescape")] if directory is not None else None
        if place is None:
            await self._to_flask(scope, receive, send)
        else:
            await self._reply(place.row, await self._submission(scope, place, receive), receive, send)

    async def _submission(self, scope: Scope, place: Place, receive: Receive) -> Submission:
        client = scope["client"]
        query, remote = query_of(scope["query_string"]), client[0] if client else ""
        submission = Submission(scope["method"], scope["path"], query, scope["headers"], b"", remote, arguments=place.arguments)
        if not place.row.streamed:
            body, submission.incomplete, size = await self._read(scope["headers"], receive)
            if size > self._max_body:
                submission.oversize = size
            else:
                submission.body = body
        return submission

    async def _reply(self, row: Endpoint, submission: Submission, receive: Receive, send: Send) -> None:
        reply = row.handler(submission) if row.direct else await self._in_thread(row.handler, submission)
        if isinstance(reply, Taking):
            reply = await self._import(reply, receive)
        if isinstance(reply, Answer):
            await self._send(reply, receive, send)
        elif isinstance(reply, Chunks):
            await self._send_chunks(reply, receive, send, whole=submission.method != "HEAD")
        elif submission.method == "HEAD" and not isinstance(reply, Waiting):
            await send({"type": "http.response.start", "status": 200, "headers": reply.headers})
            await send({"type": "http.response.body"})
        else:
            await self._watch(reply, receive, send)

    async def _in_thread(
        self, call: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
    ) -> Result:
        return await self._loop.run_in_executor(self._threads, partial(call, *arguments, **named))

    async def _import(self, taking: Taking, receive: Receive) -> Answer:
        """Take in a body as it arrives; one that breaks off ends there."""
        answer, more = None, True
        while answer is None and more:
            message = await receive()
            more = message.get("more_body", False)
            answer = await self._in_thread(polled, partial(taking.take, message.get("body", b"")))
        return await self._in_thread(polled, taking.end) if answer is None else answer

    async def _send_chunks(self, reply: Chunks, receive: Receive, send: Send, *, whole: bool) -> None:
        """Send an answer in parts, each made when the one before has left: who does not read holds one, and no thread.

        Where it is not wanted `whole`, it ends when it is known how it begins.
        """
        gone = self._loop.create_task(_gone(receive))
        started = False
        try:
            while not gone.done():
                chunk = await self._in_thread(next, reply.chunks, None)
                if chunk == b"":
                    continue
                if not started:
                    # Not before there is something: a store that fails until then can still be told by a status.
                    started = True
                    await send({"type": "http.response.start", "status": 200, "headers": reply.headers})
                if not whole:
                    chunk = None
                await send({"type": "http.response.body", "body": chunk or b"", "more_body": chunk is not None})
                if chunk is None:
                    return
        except StoreError as error:
            if not started:
                await self._send(error_answer(503, str(error)), receive, send)
                return
            # The server closes an answer that has no end, and the client sees that it is not whole.
            _log.error("An answer breaks off: %s", error)
        finally:
            gone.cancel()

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

    async def _to_flask(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Read here, so that a client that is slow to send holds no thread.
        body, _, _ = await self._read(scope["headers"], receive)
        scope["mparticle_fake.body"] = io.BytesIO(body)
        scope["query_string"] = query_of(scope["query_string"]).encode()
        if self._wsgi is None:
            # Made when somebody first asks for it: a test that only uploads need not wait for it.
            from a2wsgi import WSGIMiddleware

            self._wsgi = WSGIMiddleware(_served(self._make_app()))
        await self._wsgi(scope, receive, send)  # type: ignore[arg-type]

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

    async def _watch(self, reply: Waiting | Following, receive: Receive, send: Send) -> None:
        gone = self._loop.create_task(_gone(receive))
        try:
            if isinstance(reply, Waiting):
                answer = await self._await(reply, gone)
                if answer is not None:
                    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
                    await send({"type": "http.response.body", "body": answer.body})
            else:
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
            if answer is not None:
                return answer
            if self._closing.done():
                return error_answer(503, "The server was stopped while you waited.")
            left = end - self._loop.time()
            if left <= 0:
                waiting.expire()
            catching_up = waiting.far_behind or (waiting.behind and left <= 0)
            if catching_up:
                continue
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
                # Recorded since the last poll.
                self._recorded()
            done, _ = await asyncio.wait(wakers, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return bool(done)
        finally:
            self._sleepers.discard(sleeper)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _served(app: "Flask") -> Callable[..., Any]:
    """The application with a body that was read before."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ["wsgi.input"] = environ["asgi.scope"]["mparticle_fake.body"]
        # The server ends a chunked body for us; Werkzeug reads none unless told so.
        environ["wsgi.input_terminated"] = True
        return app.wsgi_app(environ, start_response)

    return application
