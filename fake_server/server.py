"""FakeServer: the front behind uvicorn, in a thread of its own for tests, or as the process for `mparticle-fake serve`."""

import asyncio
import errno
import ipaddress
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from email.utils import formatdate
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, Unpack

import uvicorn
from uvicorn.server import ServerState

from .exchange import Endpoint
from .front import Front
from .hosting import Options, check_options, open_intake, tables
from .intake import Intake
from .protocol import Turn, UploadProtocol
from .tls import CertificateError, Certificates, Door, normal_name

if TYPE_CHECKING:
    import ssl

    from flask import Flask

GRACE_SECONDS: Final = 1.0
"""How long a stop waits for answers that are under way."""


try:
    from uvloop import new_event_loop as _new_event_loop
except ImportError:  # no build for Windows and PyPy
    _new_event_loop = asyncio.new_event_loop  # type: ignore[assignment]


class ServerError(Exception):
    """The server cannot start, or has no such address; the message says why and what to do."""


class AddressInUseError(ServerError):
    """Another program listens on this `port`."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Port {port} on {host} is in use. Stop the program that listens there, or choose another port.")
        self.port = port


class FakeServer:
    """A fake mParticle on an address of this machine.

        with FakeServer() as server:
            print(server.url)            # http://127.0.0.1:49152
        with FakeServer(tls=True) as server:
            print(server.url, server.tls_url)
            requests.get(f"{server.tls_url}/_fake/health", verify=server.ca_path)

    `port` 0 takes a free one. The options are those of `mparticle_fake_server.hosting.Options`. On an address that others
    can reach the inspect API wants a token: `token` is given, or made here.

    `tls` True serves HTTPS besides, on `tls_port` (0: a free one), from the same store. Its certificate is signed by this user's
    own CA, which is kept in the state directory; a path says in which folder instead. It is for localhost, 127.0.0.1, ::1,
    10.0.2.2 (this machine for an Android emulator), the `host`, and `tls_names`.

    Raises TypeError and ValueError for impossible options, and on `start` ServerError and StoreError.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        tls: bool | str | os.PathLike[str] = False,
        tls_port: int = 0,
        tls_names: Iterable[str] = (),
        **options: Unpack[Options],
    ) -> None:
        self.options = check_options(options, _ADDRESS)
        _check_address(host, port, tls, tls_port, tls_names)
        if tls and port and port == tls_port:
            raise ValueError(f"port and tls_port are both {port}, and HTTP and HTTPS need a port each; 0 takes a free one.")
        self.host = host
        self.port = port
        self.tls_port = tls_port
        self.token: str | None = options.get("token")
        self.intake: Intake
        self.rows: list[Endpoint] = []
        self._tls = tls
        self._tls_names = [normal_name(name) for name in tls_names]
        self._certificates: Certificates | None = None
        self._app: Flask | None = None
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] | None = None
        self._stop_early = False
        self._open_door: Callable[[socket.socket, ssl.SSLContext], None]
        self._loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        """The base URL without a slash at the end, for example `http://127.0.0.1:8080`.

        Raises ServerError where the port is chosen on `start`, and that has not been called.
        """
        return self._url("http", self.port)

    @property
    def has_tls(self) -> bool:
        """Whether it serves HTTPS, or will once it has started."""
        return bool(self._tls) or self._certificates is not None

    @property
    def tls_url(self) -> str:
        """The base URL of HTTPS, for example `https://127.0.0.1:8443`. Raises ServerError as `url`, and where there is none."""
        if not self.has_tls:
            raise ServerError("The server has no HTTPS address: make it with tls=True, or call open_tls() once it has started.")
        return self._url("https", self.tls_port)

    @property
    def ca_path(self) -> str:
        """The file with the CA's certificate (PEM), for a client of `tls_url` to trust. Raises ServerError if there is none."""
        if self._certificates is None:
            raise ServerError("The server has no certificate: start it with tls=True, or call open_tls() once it has started.")
        return str(self._certificates.ca_path)

    def _url(self, scheme: str, port: int) -> str:
        if port == 0:
            raise ServerError("The server has no address yet: call start(), or use it in a with statement.")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104  # compared, not bound
        return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"

    @property
    def app(self) -> "Flask":
        """The Flask application over the same store, for calls without sockets; made when first asked for. Opens the store."""
        self.open()
        if self._app is None:
            from .app import make_app

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
        listener, secure = self._prepare()
        ready: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run_thread, args=(listener, secure, ready), name="mparticle-fake", daemon=True
        )
        self._thread.start()
        try:
            ready.result()
        except BaseException:
            self.stop()
            raise
        return self

    def open_tls(self, directory: str | os.PathLike[str] | None = None) -> Self:
        """Serve HTTPS too from now on, on a server that `start` has started without; certificates are kept in `directory`.

        Twice does no harm. Raises ServerError.
        """
        if self._thread is None:
            raise ServerError("The server does not run yet: call start() before open_tls().")
        if self._certificates is None:
            listener, context = self._prepare_tls(directory)

            async def open_door() -> None:
                self._open_door(listener, context)

            asyncio.run_coroutine_threadsafe(open_door(), self._loop).result()
            self._tell_addresses()
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
            listener, secure = self._prepare()
            try:
                self._run(listener, secure, started)
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

    def _prepare(self) -> "tuple[socket.socket, _Secure | None]":
        """Bind the address or both, and open the store."""
        listener = self._bind()
        secure = None
        try:
            if self._tls:
                secure = self._prepare_tls(None if isinstance(self._tls, bool) else self._tls)
            self.open()
        except BaseException:
            self._certificates = None
            for bound in (listener, *(secure or ())[:1]):
                bound.close()
            raise
        return listener, secure

    def _bind(self) -> socket.socket:
        listener = self._listen(self.port)
        self.port = listener.getsockname()[1]
        return listener

    def _prepare_tls(self, directory: str | os.PathLike[str] | None) -> "_Secure":
        """Make or read the certificates, and bind the port."""
        try:
            names = [] if self.host in _ANY else [normal_name(self.host)]
            certificates = Certificates(directory)
            context = certificates.context([*names, *self._tls_names])
        except (CertificateError, ValueError) as error:
            raise ServerError(str(error)) from error
        listener = self._listen(self.tls_port)
        self.tls_port = listener.getsockname()[1]
        self._certificates = certificates
        return listener, context

    def _listen(self, port: int) -> socket.socket:
        if not 0 <= port <= 65_535:
            raise ServerError(f"The address {self.host}:{port} cannot be used: a port is a number from 0 to 65535.")
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, port, type=socket.SOCK_STREAM, family=socket.AF_INET if self.host == "localhost" else 0
            )[0]
            listener = socket.socket(family, kind, protocol)
        except (OSError, OverflowError, UnicodeError) as error:
            raise ServerError(f"The address {self.host}:{port} cannot be used: {error}.") from error
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1024)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise AddressInUseError(self.host, port) from error
            reason = error.strerror or error
            raise ServerError(f"The address {self.host}:{port} cannot be used: {reason}.") from error
        return listener

    def _tell_addresses(self) -> None:
        self.intake.addresses = self.url, self.tls_url if self.has_tls else None

    def _run_thread(self, listener: socket.socket, secure: "_Secure | None", ready: Future[None]) -> None:
        try:
            self._run(listener, secure, lambda: ready.set_result(None))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    def _run(self, listener: socket.socket, secure: "_Secure | None", started: Callable[[], None]) -> None:
        try:
            with asyncio.Runner(loop_factory=_new_event_loop) as runner:
                runner.run(self._serve(listener, secure, started))
        finally:
            self._stop = None
            self._certificates = None
            listener.close()
            if secure is not None:
                secure[0].close()

    async def _serve(self, listener: socket.socket, secure: "_Secure | None", started: Callable[[], None]) -> None:
        self._loop = loop = asyncio.get_running_loop()
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
        doors: list[Door] = []

        def open_door(listener: socket.socket, context: "ssl.SSLContext") -> None:
            doors.append(
                Door(
                    listener,
                    context,
                    lambda: UploadProtocol(config, state, turn),
                    lambda: _Misdirected(config, state, turn),
                    lambda remote, message, hint: turn.refuse(remote, 400, message, hint),
                )
            )

        self._open_door = open_door
        if secure is not None:
            open_door(*secure)
        self._tell_addresses()

        def stop() -> None:
            loop.call_soon_threadsafe(_resolve, stopping)

        self._stop = stop
        if self._stop_early:
            stop()
        started()
        await stopping
        # Whoever presses Ctrl-C again while this ends finds the loop closed.
        self._stop = None
        # Not uvicorn's own shutdown: it looks ten times a second whether it is done.
        clock.cancel()
        server.close()
        for door in doors:
            await door.close()
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


_Secure = tuple[socket.socket, "ssl.SSLContext"]
"""The listener of the TLS port and what its handshakes need."""

_ADDRESS: Final[dict[str, tuple[type | tuple[type, ...], str]]] = {
    "host": (str, "the name or address to listen on, such as '127.0.0.1'"),
    "port": (int, "a number from 0 to 65535; 0 takes a free one"),
    "tls": ((bool, str, os.PathLike), "True, False, or the path of the folder for its CA"),
    "tls_port": (int, "a number from 0 to 65535; 0 takes a free one"),
    "tls_names": (Iterable, "a list of host names, such as ['fake.test']"),
}
"""Where a FakeServer listens: of what type each is, and what it is."""

_ANY: Final = ("", "0.0.0.0", "::")  # noqa: S104  # compared, not bound


class _Misdirected(UploadProtocol):
    """A connection to the TLS port that speaks plain HTTP, or something else."""

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            hint = "Use https:// for this port, http:// for the other one; 'mparticle-fake serve' prints both."
            self._refuse(400, "What came to the TLS port is no TLS.", hint)


def _check_address(*values: object) -> None:
    """Raise TypeError for a value of _ADDRESS, in its order, that has another type."""
    for (name, (kind, expected)), value in zip(_ADDRESS.items(), values, strict=True):
        # True would be port 1, and a text a list of letters.
        mistaken = bool if kind is int else str if kind is Iterable else ()
        if not isinstance(value, kind) or isinstance(value, mistaken):
            raise TypeError(f"{name} is {value!r:.80}; expected {expected}.")


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
