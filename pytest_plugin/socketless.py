"""Requests that reach the fake without a socket: `session()` for tests, and the parts that `interception` delivers with.

What http.client writes is read from memory and handed to the endpoint tables of the fake in this process; http.client then reads
the body of the answer. So everything above it is the real thing: requests, urllib3, their retries, time-outs and streaming. Where
the fake is in another process, a request goes there over HTTP.
"""

import http.client
import io
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection

from .errors import MParticleError, about_the_test
from .source import LocalSource

if TYPE_CHECKING:
    from .inbox import Inbox
    from .source import Source

__tracebackhide__ = about_the_test

Headers = list[tuple[bytes, bytes]]
Environ = dict[str, Any]


class Parcel(NamedTuple):
    """A request on its way to the fake, its body without any transfer encoding; `target` is path and query as in HTTP."""

    method: str
    target: str
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The first header of this lower-case name."""
        return next((value for other, value in self.headers if other.lower() == name), None)


class Delivered(NamedTuple):
    """What the fake answered; the chunks are made while they are read. `delay` is how many seconds to hold it back first."""

    status: int
    headers: Headers
    chunks: Iterable[bytes]
    delay: float = 0.0


def over_after(delay: float, timeout: float | None) -> float:
    """How many seconds a client waits for an answer that is held back, before it comes or the client gives up."""
    return delay if timeout is None else min(delay, timeout)


def check_in_time(delay: float, timeout: float | None) -> None:
    """Raise TimeoutError if the client has given up by then."""
    if timeout is not None and delay > timeout:
        raise TimeoutError("timed out")


Deliver = Callable[[Parcel, float | None], Delivered]
"""Delivers a parcel, waiting for the answer no longer than a number of seconds. Raises TimeoutError, OSError, MParticleError."""


def courier(source: "Source") -> Deliver:
    """How to deliver to a source: without a socket if its fake is in this process, else over HTTP."""
    return _Local(source) if isinstance(source, LocalSource) else _over_http(source.url)


class _Local:
    """Delivers to a fake in this process, from any thread."""

    def __init__(self, source: LocalSource) -> None:
        self._source = source
        self._server = source.server
        # Uploads answer at once; what waits, follows or has variable parts in its path is Flask's.
        self._handlers = {(row.method, row.path): row.handler for row in self._server.rows if row.upload is not None}

    def __call__(self, parcel: Parcel, timeout: float | None) -> Delivered:
        if self._source.forked:
            # What a child records in its copy of the store, nobody would ever see.
            return _over_http(self._source.url)(parcel, timeout)
        path, _, query = parcel.target.partition("?")
        handler = self._handlers.get((parcel.method, unquote(path)))
        if handler is None:
            delivered = _through_wsgi(self._server.app, parcel)
        else:
            delivered = self._directly(handler, parcel, unquote(path), query)
        return delivered._replace(headers=[*_server_headers(), *delivered.headers])

    def _directly(self, handler: Callable[..., Any], parcel: Parcel, path: str, query: str) -> Delivered:
        from mparticle_fake_server.exchange import Answer, Submission

        headers = [(name.lower(), value) for name, value in parcel.headers]
        submission = Submission(parcel.method, path, query, headers, parcel.body, "127.0.0.1")
        if len(parcel.body) > self._server.intake.max_body:
            submission.oversize, submission.body = len(parcel.body), b""
        reply = handler(submission)
        assert isinstance(reply, Answer)
        return Delivered(reply.status, reply.headers, [reply.body] if reply.body else [], reply.delay)


def _server_headers() -> Headers:
    """What the running server adds to every answer."""
    return [(b"date", formatdate(time.time(), usegmt=True).encode()), (b"server", b"mparticle-fake")]


def _over_http(url: str) -> Deliver:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection

    def deliver(parcel: Parcel, timeout: float | None) -> Delivered:
        with closing(kind(parts.hostname or "", parts.port, timeout=timeout)) as connection:
            connection.putrequest(parcel.method, parts.path + parcel.target, skip_host=True, skip_accept_encoding=True)
            for name, value in _framed(parcel):
                connection.putheader(name.decode("latin-1"), value)
            connection.endheaders(parcel.body)
            response = connection.getresponse()
            body = response.read()
            headers = [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in response.getheaders()
                if name.lower() not in ("transfer-encoding", "connection", "content-length")
            ]
            return Delivered(response.status, [*headers, (b"content-length", str(len(body)).encode())], [body])

    return deliver


def _framed(parcel: Parcel) -> Iterator[tuple[bytes, bytes]]:
    """The headers for a body that is sent in one piece."""
    for name, value in parcel.headers:
        if name.lower() not in (b"transfer-encoding", b"content-length", b"connection"):
            yield name, value
    if parcel.body or parcel.method in ("POST", "PUT", "PATCH"):
        yield b"content-length", str(len(parcel.body)).encode()


def _through_wsgi(app: Callable[..., Any], parcel: Parcel) -> Delivered:
    from werkzeug.test import run_wsgi_app

    path, _, query = parcel.target.partition("?")
    environ: Environ = {
        "REQUEST_METHOD": parcel.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(parcel.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in _framed(parcel):
        variable = name.decode("latin-1").upper().replace("-", "_")
        environ[variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"] = value.decode("latin-1")
    chunks, status, headers = run_wsgi_app(app, environ)
    return Delivered(
        int(status.split(" ", 1)[0]),
        [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        chunks,
    )


# -- below http.client -----------------------------------------------------------------------------------------------------


class Pool(HTTPConnectionPool):
    """A urllib3 pool whose connections write into memory and read what `deliver` brings."""

    def __init__(self, deliver: Deliver, host: str, port: int | None, **options: Any) -> None:
        super().__init__(host, port, **options)
        self._deliver = deliver

    def _new_conn(self) -> "_Connection":
        self.num_connections += 1
        connection = _Connection(self.host, self.port, timeout=self.timeout.connect_timeout)
        connection.deliver = self._deliver
        return connection


class _Response(http.client.HTTPResponse):
    """A response whose head need not be parsed, which takes as long as all the fake does; its body is read as ever."""

    fp: Any = None
    """Before there is one: where none comes, because the request failed, `close` is called all the same."""

    def begin(self) -> None:
        """Called by http.client to read the head."""
        stream = self.fp.raw  # of the BufferedReader that `makefile` made
        assert isinstance(stream, _Stream)
        self.version, self.will_close, self.chunk_left = 11, False, None
        self.code = self.status = stream.delivered.status
        self.reason = reason(self.status)
        self.headers = self.msg = http.client.HTTPMessage()
        for name, value in stream.delivered.headers:
            self.headers[name.decode("latin-1")] = value.decode("latin-1")
        length = self.headers.get("content-length")
        self.length = None if length is None else int(length)
        self.chunked = length is None
        if self.chunked:
            # A reader is given each chunk as it comes, as by the server.
            self.headers["transfer-encoding"] = "chunked"
        if self._method == "HEAD":  # type: ignore[attr-defined]
            self.length = 0


class _Connection(HTTPConnection):
    deliver: Deliver
    response_class = _Response

    def connect(self) -> None:
        self.sock = _Socket(self.deliver)

    def getresponse(self) -> Any:
        response = super().getresponse()
        # One socket for each request: without one, a pool finds nothing to look at when it takes the connection again.
        self.sock = None
        return response


class _Socket:
    """The little of a socket that http.client uses."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._sent = bytearray()
        self._timeout: float | None = None

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def makefile(self, _mode: str) -> io.BufferedReader:
        parcel = read_parcel(bytes(self._sent))
        self._sent.clear()
        delivered = self._deliver(parcel, self._timeout)
        if delivered.delay:
            time.sleep(over_after(delivered.delay, self._timeout))
            check_in_time(delivered.delay, self._timeout)
        return io.BufferedReader(_Stream(delivered))

    def shutdown(self, _how: int) -> None:
        pass

    def close(self) -> None:
        pass


class _Stream(io.RawIOBase):
    """The body of an answer as a file."""

    def __init__(self, delivered: Delivered) -> None:
        self.delivered = delivered
        whole = any(name == b"content-length" for name, _ in delivered.headers)
        self._chunks = iter(delivered.chunks) if whole else _chunked(delivered.chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        part = self._rest[: len(buffer)]
        self._rest = self._rest[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def read_parcel(sent: bytes) -> Parcel:
    """The request that http.client wrote, whole."""
    head, _, body = sent.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, _, rest = first.decode("latin-1").partition(" ")
    headers = []
    chunked = False
    for line in lines:
        name, _, value = line.partition(b":")
        name = name.lower()
        headers.append((name, value.strip()))
        chunked = chunked or (name == b"transfer-encoding" and b"chunked" in value.lower())
    return Parcel(method, rest.rpartition(" ")[0], headers, b"".join(_unchunked(body)) if chunked else body)


def _unchunked(body: bytes) -> Iterator[bytes]:
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end], 16)
        if not size:
            return
        yield body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


def _chunked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if chunk:
            yield b"%x\r\n%s\r\n" % (len(chunk), chunk)
    yield b"0\r\n\r\n"


def reason(status: int) -> str:
    """The phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


# -- for tests -------------------------------------------------------------------------------------------------------------

BASE: Final = "http://localhost"
"""What a URL that begins with a slash is completed with; nothing is ever looked up."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Session(requests.Session):
    """A requests session that has nothing but the fake behind it, whatever the scheme and the port of the URL."""

    def __init__(self, inbox: "Inbox") -> None:
        super().__init__()
        # There is no way to a proxy, and looking for one in the environment takes longer than all the rest.
        self.trust_env = False
        self.adapters.clear()
        adapter = _Adapter(inbox)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(self, method: str | bytes, url: str | bytes, *arguments: Any, **options: Any) -> requests.Response:
        """Like any session's; a URL that begins with a slash is one of the fake."""
        text = url.decode() if isinstance(url, bytes) else str(url)
        return super().request(method, urljoin(BASE, text) if text.startswith("/") else text, *arguments, **options)


def session(inbox: "Inbox") -> Session:
    """A `requests` session whose requests reach the fake without a socket, also where pytest-socket forbids them.

    Its URLs are those of `inbox.url`, of mParticle's own hosts, any of this machine, or paths such as `/v2/events`. It sends what
    it is told to: credentials are the caller's. Everything else works as in any session: streaming, time-outs, mounted adapters,
    retries, hooks. A URL of any other host raises MParticleError. The keys of mParticle's hosts are not claimed: see `intercept`.
    """
    return Session(inbox)


class _Adapter(HTTPAdapter):
    """Sends as the adapter of requests does, through a pool that needs no network."""

    def __init__(self, inbox: "Inbox") -> None:
        self._inbox = inbox
        self._pool = Pool(courier(inbox.source), "localhost", None, maxsize=10)
        super().__init__()

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool, for requests since 2.32."""
        return self.get_connection(request.url or "", proxies)

    def get_connection(self, url: str | bytes, proxies: Any = None) -> HTTPConnectionPool:
        """The pool, for requests before 2.32. Raises MParticleError for a URL that is not the fake's."""
        from .interception import check_path, is_mparticle

        parts = urlsplit(url.decode() if isinstance(url, bytes) else url)
        host = parts.hostname or ""
        if is_mparticle(host):
            check_path(host, parts.path)
        elif host not in LOOPBACK and host != self._remote_host():
            raise MParticleError(
                f"fake_mparticle.session() was asked for {parts.scheme}://{parts.netloc}{parts.path}; it reaches the fake alone. "
                "Use it with fake_mparticle.url, an mParticle host or a path, and requests.Session() for everything else."
            )
        return self._pool

    def _remote_host(self) -> str | None:
        source = self._inbox.source
        return None if isinstance(source, LocalSource) else urlsplit(source.url).hostname

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Path and query; there is no proxy that would need more."""
        return request.path_url

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """There is no certificate."""

    def close(self) -> None:
        """Release the pool."""
        self._pool.close()
        super().close()
