"""FakeServer: the front behind uvicorn, in a thread of its own for tests, or as the process for `mparticle-fake serve`."""

import asyncio
import errno
import ipaddress
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from email.utils import formatdate
from types import TracebackType
from typing import Final, Self, Unpack

import uvicorn
from flask import Flask
from uvicorn.server import ServerState

from .app import Options, check_options, make_app, open_intake, tables
from .front import Front
from .intake import Endpoint, Intake
from .protocol import Turn, UploadProtocol

GRACE_SECONDS: Final = 1.0
"""How long a stop waits for answers that are under way."""


try:
    from uvloop import new_event_loop as _new_event_loop
except ImportError:  # no build for Windows and PyPy
    _new_event_loop = asyncio.new_event_loop  # type: ignore[assignment]


class ServerError(Exception):
    """The server cannot start; the message says why and what to do."""


class AddressInUseError(ServerError):
    """Another program listens on this port."""


class FakeServer:
    """A fake mParticle on an address of this machine.

        with FakeServer() as server:
            print(server.url)            # http://127.0.0.1:49152

    `port` 0 takes a free one. The options are those of `mparticle_fake_server.app.Options`. On an address that others can reach
    the inspect API wants a token: `token` is given, or made here. Raises TypeError and ValueError for impossible options, and on
    `start` ServerError and StoreError.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, **options: Unpack[Options]) -> None:
        self.host = host
        self.port = port
        self.options = check_options(options)
        self.token: str | None = options.get("token")
        self.intake: Intake
        self.rows: list[Endpoint] = []
        self._app: Flask | None = None
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] | None = None
        self._stop_early = False

    @property
    def url(self) -> str:
        """The base URL without a slash at the end, for example `http://127.0.0.1:8080`.

        Raises ServerError where the port is chosen on `start`, and that has not been called.
        """
        if self.port == 0:
            raise ServerError("The server has no address yet: call start(), or use it in a with statement.")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def app(self) -> Flask:
        """The Flask application over the same store, for calls without sockets; made when first asked for. Opens the store."""
        self.open()
        if self._app is None:
            self._app = make_app(self.intake, self.rows)
        return self._app

    def open(self) -> Self:
        """Open the store, without an address: `intake`, `rows` and `app` can be used. Twice does no harm."""
        if not self.rows:
            if self.token is None and not _is_loopback(self.host):
                self.token = secrets.token_urlsafe(16)
            self.intake = open_intake(**self.options)
            self.rows = tables(self.intake, self.token)
        return self

    def start(self) -> Self:
        """Bind the address, open the store and serve in a thread; returns when requests are answered."""
        if self._thread is not None:
            raise ServerError("The server runs already.")
        listener = self._prepare()
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run_thread, args=(listener, ready), name="mparticle-fake", daemon=True)
        self._thread.start()
        try:
            ready.result()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Close the address, end what is open and release the store. Twice does no harm."""
        thread, self._thread = self._thread, None
        if thread is not None:
            if self._stop is not None:
                self._stop()
            thread.join()
        self._release()

    def _release(self) -> None:
        if self.rows:
            self.rows, self._app = [], None
            self.intake.recorder.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Serve in this thread, the main one, until SIGINT or SIGTERM; calls `started` when requests are answered."""
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            listener = self._prepare()
            try:
                self._run(listener, started)
            finally:
                self._release()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            self._stop_early = False

    def _on_signal(self, *_: object) -> None:
        if self._stop is None:
            self._stop_early = True
        else:
            self._stop()

    def _prepare(self) -> socket.socket:
        """Bind the address and open the store."""
        listener = self._bind()
        try:
            self.open()
        except BaseException:
            listener.close()
            raise
        return listener

    def _bind(self) -> socket.socket:
        if not 0 <= self.port <= 65_535:
            raise ServerError(f"The address {self.host}:{self.port} cannot be used: a port is a number from 0 to 65535.")
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, family=socket.AF_INET if self.host == "localhost" else 0
            )[0]
            listener = socket.socket(family, kind, protocol)
        except (OSError, OverflowError, UnicodeError) as error:
            raise ServerError(f"The address {self.host}:{self.port} cannot be used: {error}.") from error
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1024)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise AddressInUseError(
                    f"Port {self.port} on {self.host} is in use. Stop the program that listens there, or choose another port."
                ) from error
            reason = error.strerror or error
            raise ServerError(f"The address {self.host}:{self.port} cannot be used: {reason}.") from error
        self.port = listener.getsockname()[1]
        return listener

    def _run_thread(self, listener: socket.socket, ready: Future[None]) -> None:
        try:
            self._run(listener, lambda: ready.set_result(None))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    def _run(self, listener: socket.socket, started: Callable[[], None]) -> None:
        try:
            with asyncio.Runner(loop_factory=_new_event_loop) as runner:
                runner.run(self._serve(listener, started))
        finally:
            self._stop = None
            listener.close()

    async def _serve(self, listener: socket.socket, started: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        stopping = loop.create_future()
        front = Front(self.intake, self.rows, lambda: self.app)
        config = uvicorn.Config(
            front,
            interface="asgi3",
            loop="none",
            http=UploadProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=120,
        )
        config.load()
        state = ServerState()
        clock = loop.create_task(_keep_date(state))
        front.open(loop)
        turn = Turn(self.intake, self.rows, loop)
        server = await loop.create_server(lambda: UploadProtocol(config, state, turn), sock=listener)

        def stop() -> None:
            loop.call_soon_threadsafe(_resolve, stopping)

        self._stop = stop
        if self._stop_early:
            stop()
        started()
        await stopping
        # Not uvicorn's own shutdown: it looks ten times a second whether it is done.
        clock.cancel()
        server.close()
        front.close()
        turn.end()
        for connection in list(state.connections):
            connection.shutdown()
        await _end(state.tasks)
        await asyncio.sleep(0)
        for connection in list(state.connections):
            connection.transport.abort()
        await _end(state.tasks)
        if state.tasks:
            # Threads still run Flask, and need this loop to come to their end.
            await loop.run_in_executor(None, front.release)
            await _end(state.tasks)
        else:
            front.release()
        await server.wait_closed()


def _is_loopback(host: str) -> bool:
    # The usual ones without a look-up: where sockets are forbidden, a server that does not listen has to open all the same.
    if host in ("127.0.0.1", "::1", "localhost"):
        return True
    try:
        address = str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
    except (OSError, UnicodeError):
        return False  # Whether it can be bound is told when it is.
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    if tasks:
        await asyncio.wait(list(tasks), timeout=GRACE_SECONDS)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _keep_date(state: ServerState) -> None:
    while True:
        state.default_headers = [
            (b"date", formatdate(time.time(), usegmt=True).encode()),
            (b"server", b"mparticle-fake"),
        ]
        await asyncio.sleep(1)
