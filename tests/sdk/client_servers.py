"""Servers that the client is tried against besides the fake: scripted answers, silence, resets, a proxy, TLS."""

import base64
import http.client
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from werkzeug.serving import make_server

from mparticle_fake_server import create_app


@dataclass
class Seen:
    """A request that a server got; header names lower-case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What a scripted server answers."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Server:
    """A running server: its address, what it got, and how many connections it took."""

    url: str
    seen: list[Seen] = field(default_factory=list, repr=False)
    connections: list[Any] = field(default_factory=list)


Script = Callable[[Seen], Reply]


def read(handler: BaseHTTPRequestHandler) -> Seen:
    body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
    return Seen(handler.path, {name.lower(): value for name, value in handler.headers.items()}, body)


@contextmanager
def _running(handler: type[BaseHTTPRequestHandler], connections: list[Any]) -> Iterator[str]:
    class Counting(ThreadingHTTPServer):
        # Waits for the threads of its connections when it closes, so nothing of one test is left in the next.
        daemon_threads = False

        def get_request(self) -> tuple[socket.socket, Any]:
            connection, address = super().get_request()
            connections.append(connection)
            return connection, address

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away is no news."""

    with Counting(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            for connection in connections:
                # Ends what a client keeps open; a socket that is closed already does not mind.
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def scripted(script: Script | None = None) -> Iterator[Server]:
    """A server that keeps connections open and answers what the script says; 202 without one."""
    server = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            seen = read(self)
            server.seen.append(seen)
            reply = script(seen) if script else Reply()
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _running(Handler, server.connections) as server.url:
        yield server


def answering(*replies: Reply) -> Script:
    """These replies, one a request, then 202."""
    left = list(replies)
    return lambda _: left.pop(0) if left else Reply()


# -- servers that do not behave ----------------------------------------------------------------------------------------------


@contextmanager
def listener(behave: Callable[[socket.socket], None]) -> Iterator[Server]:
    """A server that does with each connection what `behave` does, in a thread of its own, and closes it at the end."""
    server = Server("")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server.url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        def accept() -> None:
            while True:
                try:
                    connection, _ = taken.accept()
                except OSError:
                    return
                server.connections.append(connection)
                with connection:
                    behave(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server
        finally:
            taken.shutdown(socket.SHUT_RDWR)
            taken.close()
            thread.join()


def stay_silent(connection: socket.socket) -> None:
    """Read until the client gives up."""
    while connection.recv(65_536):
        pass


def stop_halfway(connection: socket.socket) -> None:
    """Send half of an answer, then nothing more until the client gives up."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf")
    stay_silent(connection)


def cut_short(connection: socket.socket) -> None:
    """Close in the middle of an answer."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nhalf")


def reset(connection: socket.socket) -> None:
    """End the connection with RST instead of an answer."""
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def talk_nonsense(connection: socket.socket) -> None:
    """Answer what is no HTTP."""
    connection.recv(65_536)
    connection.sendall(b"220 mail.example.com ESMTP\r\n")


# -- a proxy -----------------------------------------------------------------------------------------------------------------

NAME = "mparticle.test"


def give_name(patch: pytest.MonkeyPatch, name: str = NAME) -> None:
    """Let this process find 127.0.0.1 by a name: for one of its own no proxy is asked."""
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host == name else host, *arguments, **options)

    patch.setattr(socket, "getaddrinfo", getaddrinfo)


def by_name(url: str, name: str = NAME) -> str:
    """The URL of a server at 127.0.0.1, as if it were elsewhere."""
    return url.replace("127.0.0.1", name)


@contextmanager
def proxy(credentials: str | None = None) -> Iterator[Server]:
    """A forward proxy for http and, by CONNECT, https; with credentials it answers 407 to whoever has others."""
    server = Server("")
    wanted = f"Basic {base64.b64encode(credentials.encode()).decode()}" if credentials else None

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def may_pass(self) -> bool:
            if wanted is None or self.headers.get("Proxy-Authorization") == wanted:
                return True
            self.send_response(407)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return False

        def do_POST(self) -> None:
            seen = read(self)
            server.seen.append(seen)
            if not self.may_pass():
                return
            target = urlsplit(self.path)
            connection = http.client.HTTPConnection(target.netloc, timeout=20)
            connection.request(
                "POST", target.path, seen.body, {name: seen.headers[name] for name in ("authorization", "content-type")}
            )
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Via", "1.1 a-proxy")
            self.end_headers()
            self.wfile.write(body)

        def do_CONNECT(self) -> None:
            server.seen.append(Seen(self.path, {name.lower(): value for name, value in self.headers.items()}, b""))
            if not self.may_pass():
                return
            name, _, port = self.path.rpartition(":")
            with socket.create_connection((name, int(port))) as target:
                self.send_response(200)
                self.end_headers()
                self.relay(target)
            self.close_connection = True

        def relay(self, target: socket.socket) -> None:
            ends = {self.connection: target, target: self.connection}
            while True:
                for ready in select.select(list(ends), [], [], 20)[0] or [None]:
                    data = ready.recv(65_536) if ready else b""
                    if not data:
                        return
                    ends[ready].sendall(data)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _running(Handler, server.connections) as server.url:
        yield server


# -- TLS ---------------------------------------------------------------------------------------------------------------------


@dataclass
class Secured:
    """A complete fake behind TLS, and the file of the authority that signed its certificate."""

    url: str
    authority: Path
    app: Any

    @property
    def batches(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.app.test_client().get("/_fake/batches").json["items"]
        return items


@contextmanager
def secured(folder: Path, clients: trustme.CA | None = None) -> Iterator[Secured]:
    """With `clients`, those alone get in whom this authority has given a certificate."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", NAME).configure_cert(context)
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    app = create_app()
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context)
    server.log = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Secured(f"https://127.0.0.1:{server.server_port}", folder / "authority.pem", app)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["mparticle_fake"].recorder.close()
