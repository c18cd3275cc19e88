"""ApiClient: one POST to mParticle, by `requests`, for `client.EventsApi`. What can go wrong is an exception of `errors`."""

import ipaddress
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, NoReturn, Self, TypeVar
from urllib.parse import urlsplit

from . import codec
from .configuration import Configuration, base_url, user_agent
from .errors import ConfigurationError, ConnectionFailedError, TimedOutError, escaped, of_answer

# requests is loaded with the first request: a program that only builds batches does without it.
if TYPE_CHECKING:
    import requests

_log = logging.getLogger("mparticle_sdk")

CA_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

UNTRUSTED_HINT: Final = (
    "Is the certificate signed by an authority of your own? Name its file in ssl_ca_cert or REQUESTS_CA_BUNDLE."
)

_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
"""What OpenSSL's versions say of an answer in plain HTTP."""

ANSWER_READ: Final = 1_000_000
"""Bytes of an answer after which no more of it is read, and the connection is closed: mParticle's have a few hundred."""

SECRET_SHOWN_BELOW: Final = 16
"""Characters below which a secret is not looked for in answers: it would blot out words. mParticle's are longer."""

T = TypeVar("T")


class Answer(NamedTuple, Generic[T]):
    """What a call returns, in the official SDK's order: `data, status, headers = api.upload_events(batch)`."""

    data: T
    """None for one request: mParticle answers with a status alone. For a bulk upload, the answers to its requests."""
    status: int
    """202; 0 where nothing had to be sent."""
    headers: Mapping[str, str]
    """The names are found in any case."""


class _Received(NamedTuple):
    """An answer whose status was not looked at."""

    status: int
    reason: str
    data: str
    headers: Mapping[str, str]

    def getheaders(self) -> Mapping[str, str]:
        return self.headers


class _Route(NamedTuple):
    """How to get to the host: what the environment and the configuration say together."""

    proxies: dict[str, str]
    verify: bool | str
    cert: str | tuple[str, str] | None


class ApiClient:
    """Sends to one host, with headers of its own if wanted. Threads may share it: each request has a connection to itself, which
    is kept open for the next.

    `host` overrides that of the configuration, `header_name` and `header_value` are a header for every request, `cookie` is the
    Cookie header. What is needed to get to the host (proxies, certificates) is worked out once, with the first request.
    """

    def __init__(
        self,
        host: str | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
        cookie: str | None = None,
        configuration: Configuration | None = None,
    ) -> None:
        self.config = configuration_of(configuration, "ApiClient(configuration=…)")
        self.default_headers: dict[str, str] = {"User-Agent": user_agent()}
        if header_name is not None:
            self.default_headers[header_name] = header_value or ""
        self.cookie = cookie
        self._host = self.config.host if host is None else base_url(host)
        self._route: _Route | None = None
        self._prepared: dict[str, tuple[dict[str, str], requests.PreparedRequest]] = {}
        self._idle: deque[requests.Session] = deque()
        self._process = os.getpid()

    @property
    def host(self) -> str:
        """The base URL."""
        return self._host

    @host.setter
    def host(self, value: str) -> None:
        self._host = base_url(value)
        self._route = None
        self._prepared = {}
        self.close()

    @property
    def user_agent(self) -> str:
        """The User-Agent header."""
        return self.default_headers["User-Agent"]

    @user_agent.setter
    def user_agent(self, value: str) -> None:
        self.default_headers["User-Agent"] = value

    def set_default_header(self, header_name: str, header_value: str) -> None:
        """Send this header with every request."""
        self.default_headers[header_name] = header_value

    @staticmethod
    def sanitize_for_serialization(obj: Any) -> Any:
        """What would be sent for a batch or a list of them, as dicts and lists."""
        import msgspec

        return msgspec.json.decode(codec.encode(obj))

    def post(self, path: str, body: bytes) -> Answer[None]:
        """Send a JSON document to a path below the host. Raises ApiException, in the form that fits the status or the failure."""
        url = self._host + path
        session, idle = self._take()
        try:
            received = self._exchange(session, url, body)
        finally:
            # A session of before close() or a fork goes where nobody takes it from.
            idle.append(session)
            if idle is not self._idle:
                _close(idle)
        if not 200 <= received.status < 300:
            raise of_answer(received)
        return Answer(None, received.status, received.headers)

    def close(self) -> None:
        """Close the connections that are kept open; a request that is under way keeps its own. The next opens a new one."""
        idle, self._idle = self._idle, deque()
        _close(idle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ApiClient(host={self._host!r})"

    # -- one exchange ----------------------------------------------------------------------------------------------------------

    def _take(self) -> tuple["requests.Session", deque["requests.Session"]]:
        """A session that nobody else uses, and where to put it afterwards."""
        if self._process != os.getpid():
            # The connections are the parent's: two processes must not write to one.
            self._idle, self._process = deque(), os.getpid()
        idle = self._idle
        try:
            return idle.pop(), idle
        except IndexError:
            return self._open(), idle

    def _open(self) -> "requests.Session":
        import requests
        from requests.adapters import HTTPAdapter

        session = requests.Session()
        session.trust_env = False
        size = max(1, int(self.config.connection_pool_size))
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=size))
        return session

    def _exchange(self, session: "requests.Session", url: str, body: bytes) -> _Received:
        import requests
        import urllib3

        begun = time.perf_counter()
        try:
            if self._route is None:
                self._route = _route(self._host, self.config)
            response = session.send(
                self._request(url, body),
                proxies=self._route.proxies,
                verify=self._route.verify,
                cert=self._route.cert,
                timeout=self.config.timeout,
                allow_redirects=False,
                stream=True,
            )
            received = _Received(
                response.status_code,
                self._redacted(response.reason or ""),
                self._redacted(_content(response).decode("utf-8", "replace")),
                response.headers if response.ok else self._without_credentials(response.headers),
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            _log.debug("POST %s, %d bytes: %s", url, len(body), type(error).__name__)
            self._fail(url, error)
        ms = (time.perf_counter() - begun) * 1000
        status, reason, answer, _ = received
        if _log.isEnabledFor(logging.DEBUG):
            said = [escaped(text).replace("\n", "\\n") for text in (reason, answer)]
            _log.debug("POST %s, %d bytes: %d %s in %.0f ms %s", url, len(body), status, said[0], ms, said[1])
        return received

    def _request(self, url: str, body: bytes) -> "requests.PreparedRequest":
        import requests

        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            **self.default_headers,
        }
        if self.cookie:
            headers["Cookie"] = self.cookie
        # Checking URL and headers is a fifth of an upload: done once for the same ones.
        known, prepared = self._prepared.get(url, (None, None))
        if prepared is None or known != headers:
            prepared = requests.Request("POST", url, headers).prepare()
            self._prepared[url] = headers, prepared
        request = prepared.copy()
        request.body = body
        request.headers["Content-Length"] = str(len(body))
        # Not among the locals of any frame: tools that report exceptions show those.
        request.headers["Authorization"] = self.config.get_basic_auth_token()
        return request

    def _redacted(self, text: str) -> str:
        """What a server said, without the credentials that it may have echoed."""
        secret = self.config.api_secret
        if secret and text:
            text = text.replace(self.config.get_basic_auth_token().removeprefix("Basic "), "…")
            if len(secret) >= SECRET_SHOWN_BELOW:
                text = text.replace(secret, "…")
        return text

    def _without_credentials(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        from requests.structures import CaseInsensitiveDict

        return CaseInsensitiveDict({name: self._redacted(value) for name, value in headers.items()})

    def _fail(self, url: str, error: Exception) -> NoReturn:
        """Raise the exception of our tree for one of `requests`."""
        import requests
        import urllib3

        if isinstance(error, ConfigurationError):
            raise error
        _forget_the_request(error)
        root = innermost(error)
        told = f"{type(root).__name__}: {root}" if str(root) else type(root).__name__
        told = self._redacted(told)
        timed_out = (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)
        if isinstance(error, timed_out) or isinstance(root, timed_out):
            raise TimedOutError(0, f"No answer from {url} within {self.config.timeout} s ({told})") from error
        if isinstance(error, requests.exceptions.SSLError):
            if getattr(root, "reason", None) in _NO_TLS:
                hint = "Name it with http://, or the port for TLS."
                raise ConnectionFailedError(0, f"{url} speaks no TLS ({told}). {hint}") from error
            raise ConnectionFailedError(0, f"No trusted connection to {url} ({told}). {UNTRUSTED_HINT}") from error
        if isinstance(error, requests.exceptions.ProxyError):
            raise ConnectionFailedError(0, f"The proxy did not connect to {url} ({told})") from error
        if isinstance(error, ValueError):
            raise ConfigurationError(f"{url} cannot be requested ({told})") from error
        raise ConnectionFailedError(0, f"No complete answer from {url} ({told})") from error


def _content(response: "requests.Response") -> bytes:
    """The body; the first part of one that is endless or unpacks to more than a program can hold."""
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(16_384):
        parts.append(part)
        size += len(part)
        if size > ANSWER_READ:
            response.close()
            break
    return b"".join(parts)[:ANSWER_READ]


def configuration_of(given: Any, taker: str) -> Configuration:
    """What `taker` was given, or the default for None. Raises TypeError for what is no Configuration."""
    if given is None:
        return Configuration()
    if not isinstance(given, Configuration):
        # Not shown: it may be the key, or have the secret in it.
        raise TypeError(
            f"{taker} got a value of type {type(given).__name__}; expected a Configuration, such as "
            'mparticle_sdk.Configuration("key", "secret"). An ApiClient of your own is set as its api_client.'
        )
    return given


def _route(host: str, config: Configuration) -> _Route:
    """Raises ConfigurationError for a file that is not there."""
    from requests.utils import get_environ_proxies

    verify: bool | str = bool(config.verify_ssl)
    if verify and config.ssl_ca_cert:
        verify = _existing("ssl_ca_cert", config.ssl_ca_cert)
    elif verify and host.startswith("https:"):
        variable = next((name for name in CA_VARIABLES if os.environ.get(name)), None)
        verify = _existing(variable, os.environ[variable]) if variable else True
    cert: str | tuple[str, str] | None = None
    if config.cert_file:
        cert = _existing("cert_file", config.cert_file)
        if config.key_file:
            cert = (cert, _existing("key_file", config.key_file))
    return _Route({} if is_here(host) else get_environ_proxies(host), verify, cert)


def is_here(url: str) -> bool:
    """Whether a URL names this machine: a proxy would look for it on its own, whatever NO_PROXY forgets."""
    name = (urlsplit(url).hostname or "").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(name))  # 127.1, and other spellings that resolvers take
        except (OSError, UnicodeError):
            return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_unspecified


def _existing(name: str, path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if not os.path.exists(text):  # noqa: PTH110  # what a variable names, as it is
        raise ConfigurationError(f"{name} names {text!r}, and there is no such file.")
    return text


def _close(sessions: deque["requests.Session"]) -> None:
    while True:
        try:
            session = sessions.pop()
        except IndexError:
            return
        session.close()


def _chain(error: BaseException) -> list[BaseException]:
    """The exception and all that it was made of, the innermost last."""
    found = [error]
    for one in found:
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        found += [other for other in inner if isinstance(other, BaseException) and all(other is not known for known in found)]
    return found


def innermost(error: BaseException) -> BaseException:
    """What an exception was made of in the end, such as the ConnectionRefusedError in one of `requests`."""
    return _chain(error)[-1]


def _forget_the_request(error: BaseException) -> None:
    """Take from an exception of `requests` what holds the Authorization header: the request, and the frames that sent it."""
    for one in _chain(error):
        one.__traceback__ = None
        for name in ("request", "response"):
            if getattr(one, name, None) is not None:
                setattr(one, name, None)
