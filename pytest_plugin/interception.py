"""`intercept()`: requests to mParticle's own hosts go to the fake, whichever client sends them; `Inbox.intercept` calls it.

While at least one interception is open, `urllib3.HTTPConnectionPool.urlopen` and httpx's two transports look at the host first.
That catches requests, urllib3, httpx, clients made earlier, and those behind a proxy.
"""

import difflib
import re
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from urllib3 import HTTPConnectionPool

from .errors import MParticleError, about_the_test
from .socketless import Delivered, Parcel, Pool, check_in_time, courier, over_after, reason

if TYPE_CHECKING:
    import httpx

    from .inbox import Inbox

__tracebackhide__ = about_the_test

# -- mParticle's hosts -----------------------------------------------------------------------------------------------------

DOMAIN: Final = "mparticle.com"
PODS: Final = ("us1", "us2", "eu1", "au1")


class Family(NamedTuple):
    """Hosts with the same paths: `NAME.mparticle.com` and, with `pods`, `NAME.POD.mparticle.com`."""

    paths: tuple[str, ...]
    """What the fake serves of them. A part in angle brackets stands for anything without a slash."""
    pods: bool


_UPLOADS: Final = ("/v2/events", "/v2/bulkevents", "/v2/bulkevents/historical")

_NATIVE: Final = Family(("/v2/<key>/events", "/v1/identity/<key>/alias", "/v1/<key>/audience"), pods=True)
_IDENTITY: Final = Family(("/v1/identify", "/v1/login", "/v1/logout", "/v1/search", "/v1/<mpid>/modify"), pods=True)

FAMILIES: Final[dict[str, Family]] = {
    # events-api.md §1
    "s2s": Family(_UPLOADS, pods=True),
    "inbound": Family(tuple("/s2s" + path for path in _UPLOADS), pods=False),
    # client-sdks.md §1, §2.1, §4
    "jssdkcdns": Family(("/JS/v2/<key>/config",), pods=False),
    "jssdks": Family(
        ("/v3/JS/<key>/events", "/v1/JS/<key>/Forwarding", "/v2/JS/<key>/Forwarding", "/v1/identity/<key>/Alias"), pods=True
    ),
    "nativesdks": _NATIVE,
    "tracking-nativesdks": _NATIVE,
    "identity": _IDENTITY,
    "tracking-identity": _IDENTITY,
    "config2": Family(("/v4/<key>/config",), pods=False),
}

HOSTS: Final[dict[str, Family]] = {
    f"{name}.{part}{DOMAIN}": family
    for name, family in FAMILIES.items()
    for part in ("", *(f"{pod}." for pod in PODS if family.pods))
}
"""Every host that goes to the fake."""

WEBSITES: Final = frozenset(f"{name}{DOMAIN}" for name in ("", "www.", "docs.", "app.", "support.", "status.", "blog.", "go."))
"""Hosts that are no API; requests to them are left alone, as those to anybody else's."""


def is_mparticle(host: str) -> bool:
    """Whether a host is one of mParticle's APIs, served by the fake or not."""
    host = host.lower().rstrip(".")
    return host.endswith(f".{DOMAIN}") and host not in WEBSITES


def check_path(host: str, path: str) -> None:
    """Raise MParticleError if the fake does not serve this path of an mParticle host; the message names what it serves."""
    family = HOSTS.get(host.lower().rstrip("."))
    if family is None:
        raise MParticleError(_unknown_host(host))
    if not any(_pattern(known).fullmatch(path) for known in family.paths):
        raise MParticleError(_unknown_path(host, path, family))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"<([^>]+)>", path)
    return re.compile("".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts)))


def _unknown_host(host: str) -> str:
    near = difflib.get_close_matches(host.lower(), HOSTS, 1, 0.8)
    return (
        f"intercept() met a request to {host}, which looks like an API host of mParticle and is none that the fake stands for."
        + (f" Did you mean {near[0]}?" if near else "")
        + f" Known: {', '.join(HOSTS)}."
    )


def _unknown_path(host: str, path: str, family: Family) -> str:
    served = [known for known in family.paths if "<" not in known]
    near = difflib.get_close_matches(path, served, 1, 0.7)
    elsewhere = [f"{name}.{DOMAIN}" for name, other in FAMILIES.items() if path in other.paths]
    if elsewhere:
        hint = f" It is a path of {elsewhere[0]}."
    elif f"/v2{path}" in served:
        hint = " The host in the SDK's Configuration must end in /v2."
    else:
        hint = f" Did you mean {near[0]}?" if near else ""
    known = ", ".join(family.paths)
    return f"intercept() met a request to {host}{path}, which the fake does not serve.{hint} Of {host} it serves {known}."


# -- who is intercepting ---------------------------------------------------------------------------------------------------


class Interception:
    """One `intercept()`: claims the keys that it meets, and keeps what went wrong for its end."""

    def __init__(self, inbox: "Inbox") -> None:
        self.inbox = inbox
        self.thread = threading.get_ident()
        self.failures: list[MParticleError] = []
        self.lasts = True
        """Whether it has not ended yet."""
        self._deliver = courier(inbox.source)
        self._lock = threading.Lock()
        self._keys: dict[str, Callable[[], None]] = {}

    def send(self, host: str, parcel: Parcel, timeout: float | None) -> Delivered:
        """Deliver a request to an mParticle host. Raises MParticleError for what the fake does not serve."""
        try:
            check_path(host, parcel.target.partition("?")[0])
            self._claim(parcel)
            return self._deliver(parcel, timeout)
        except MParticleError as error:
            # Code that sends analytics often swallows whatever it meets: told once more at the end.
            self.failures.append(error)
            raise

    def _claim(self, parcel: Parcel) -> None:
        """Make the key of a request one of this test, with any secret, unless the test has it already."""
        key = key_of(parcel)
        if key is None:
            self.inbox.sent_keyless = True
            return
        if key in self._keys or key in self.inbox.keys:
            return
        source = self.inbox.source
        if source.forked:
            # And the lock may have been held by a thread that the child does not have.
            raise MParticleError(
                f"A forked process sent with the API key {key!r}, which the test itself has not sent with: it cannot be made one "
                "of the test's from there. Call fake_mparticle.claim(key, secret) before the fork."
            )
        with self._lock:
            if key not in self._keys:
                self._keys[key] = self.inbox.take(key, None)

    def close(self) -> None:
        """Give back the keys; what an outer interception or a claim holds too, stays."""
        self.lasts = False
        if not self.inbox.source.forked:
            with self._lock:
                for give_back in self._keys.values():
                    give_back()
                self._keys.clear()


_open: list[Interception] = []
_opening = threading.Lock()


@contextmanager
def intercept(inbox: "Inbox") -> Iterator[Interception]:
    """Send every request to an mParticle host to the fake, until the end of the block.

    It catches requests, urllib3 (so the official `mparticle` SDK too) and httpx, sync and async, and clients made before. Any key
    is the test's while it lasts, with any secret. All other hosts are untouched, and so are a custom httpx transport
    (`MockTransport`, `ASGITransport`), aiohttp and other programs: use `.environ` there. A host or a path of mParticle that the
    fake does not serve raises MParticleError where it was sent and, if that was swallowed, at the end of the block.

    The patch is the process's. Where several tests intercept at once, in threads, a request belongs to the test whose thread
    sends it, else to the one that has its key; if neither tells, it raises MParticleError and goes nowhere. A thread that still
    sends when the block has ended reaches mParticle itself.
    """
    interception = Interception(inbox)
    with _opening:
        _patch()
        _open.append(interception)
    try:
        yield interception
    finally:
        with _opening:
            _open.remove(interception)
            if not _open:
                _unpatch()
        interception.close()
    told = list(_chain(sys.exception()))
    if swallowed := [failure for failure in interception.failures if failure not in told and not _reached_pytest(failure)]:
        raise _summary(swallowed)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception that is on its way, and those that it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _reached_pytest(error: BaseException) -> bool:
    """Whether an exception has left the test, so that it is in the report already."""
    return any(frame.f_code.co_name == "pytest_pyfunc_call" for frame, _ in traceback.walk_tb(error.__traceback__))


def _summary(failures: list[MParticleError]) -> MParticleError:
    if len(failures) == 1:
        return failures[0]
    texts = list(dict.fromkeys(str(failure) for failure in failures))
    return MParticleError(f"{len(failures)} requests failed under intercept():\n" + "\n".join(f"- {text}" for text in texts[:10]))


def _owner(parcel: Parcel, host: str) -> Interception:
    """The interception that a request of this thread belongs to. Raises MParticleError."""
    candidates = list(_open)
    if not candidates:
        raise MParticleError(f"{parcel.method} {host}{parcel.target} was sent while the last intercept() was ending.")
    if all(candidate.inbox is candidates[0].inbox for candidate in candidates):
        return candidates[-1]
    mine = [candidate for candidate in candidates if candidate.thread == threading.get_ident()]
    named = mine or [candidate for candidate in candidates if key_of(parcel) in candidate.inbox.keys]
    if named:
        return named[-1]
    tests = ", ".join(dict.fromkeys(candidate.inbox.test_id for candidate in candidates))
    error = MParticleError(
        f"{parcel.method} {host}{parcel.target} was sent by a thread of its own while several tests intercept in this process "
        f"({tests}), and has the API key {key_of(parcel)!r}, which none of them has claimed: it may be anybody's. "
        "Name the key with fake_mparticle.claim(key, secret) in the test that it belongs to."
    )
    for candidate in candidates:
        candidate.failures.append(error)
    raise error


def key_of(parcel: Parcel) -> str | None:
    """The API key of a request: in its Authorization header, in x-mp-key, or in its path."""
    from mparticle_fake_server.workspaces import parse_basic

    credentials = parse_basic(parcel.header(b"authorization") or b"")
    if isinstance(credentials, tuple):
        return credentials[0]
    named = parcel.header(b"x-mp-key")
    if named:
        return named.decode("latin-1")
    path = parcel.target.partition("?")[0]
    matches = (_pattern(known).fullmatch(path) for family in FAMILIES.values() for known in family.paths if "<key>" in known)
    return next((unquote(match["key"]) for match in matches if match), None)


# -- the clients -----------------------------------------------------------------------------------------------------------


class _Patch:
    """A method of a client that is replaced while somebody intercepts."""

    def __init__(self, owner: type, name: str, make: Callable[[Any], Callable[..., Any]]) -> None:
        self._owner = owner
        self._name = name
        self._original = owner.__dict__[name]
        self._ours = make(self._original)

    def put(self) -> None:
        setattr(self._owner, self._name, self._ours)

    def undo(self) -> None:
        # Another tool that patched after us will put ours back when it undoes; ours lets everything through by then.
        if self._owner.__dict__[self._name] is self._ours:
            setattr(self._owner, self._name, self._original)


_patches: list[_Patch] = []


def _patch() -> None:
    """Replace the methods, unless they are already."""
    if _patches:
        return
    _patches.append(_Patch(HTTPConnectionPool, "urlopen", _urlopen))
    # Imported even if nobody has yet: the code under test may do so later.
    if find_spec("httpx") is not None:
        import httpx

        _patches.append(_Patch(httpx.HTTPTransport, "handle_request", _handle_request))
        _patches.append(_Patch(httpx.AsyncHTTPTransport, "handle_async_request", _handle_async_request))
    for patch in _patches:
        patch.put()


def _unpatch() -> None:
    for patch in reversed(_patches):
        patch.undo()
    _patches.clear()


def _urlopen(original: Callable[..., Any]) -> Callable[..., Any]:
    """urllib3's way in: the request goes to a pool that needs no network, with all of its options, retries among them."""

    @wraps(original)
    def urlopen(
        self: HTTPConnectionPool, method: str, url: str, body: Any = None, headers: Any = None, *arguments: Any, **options: Any
    ) -> Any:
        host, port, target = _place(self, url)
        if isinstance(self, Pool) or not _open or not is_mparticle(host):
            return original(self, method, url, body, headers, *arguments, **options)

        def deliver(parcel: Parcel, timeout: float | None) -> Delivered:
            return _owner(parcel, host).send(host, parcel, timeout)

        pool = Pool(deliver, host, port, timeout=self.timeout, retries=self.retries, headers=self.headers)
        return original(pool, method, target, body, headers, *arguments, **options)

    return urlopen


def _place(pool: HTTPConnectionPool, url: str) -> tuple[str, int | None, str]:
    """Where a request goes: host, port if it is not the usual one, path and query. A pool may be a proxy's, given whole URLs."""
    if url.startswith("/") or DOMAIN not in url.lower():
        usual = 443 if pool.scheme == "https" else 80
        return pool.host or "", None if pool.port == usual else pool.port, url
    parts = urlsplit(url)
    return parts.hostname or "", parts.port, parts._replace(scheme="", netloc="", fragment="").geturl() or "/"


def _handle_request(original: Callable[..., Any]) -> Callable[..., Any]:
    """httpx's way out of a client: the request is answered in its place."""

    @wraps(original)
    def handle_request(self: "httpx.HTTPTransport", request: "httpx.Request") -> "httpx.Response":
        if not _open or not is_mparticle(request.url.host):
            untouched: httpx.Response = original(self, request)
            return untouched
        assert isinstance(request.stream, Iterable)
        delivered = _sending(request, b"".join(request.stream))()
        time.sleep(over_after(delivered.delay, _timeout(request)))
        return _response(request, delivered)

    return handle_request


def _handle_async_request(original: Callable[..., Any]) -> Callable[..., Any]:
    """The same of httpx's asynchronous clients."""

    @wraps(original)
    async def handle_async_request(self: "httpx.AsyncHTTPTransport", request: "httpx.Request") -> "httpx.Response":
        if not _open or not is_mparticle(request.url.host):
            untouched: httpx.Response = await original(self, request)
            return untouched
        # httpx brings anyio, for asyncio and trio alike. A fake in another process would stop the event loop.
        import anyio

        assert isinstance(request.stream, AsyncIterable)
        sending = _sending(request, b"".join([part async for part in request.stream]))
        delivered = await anyio.to_thread.run_sync(sending, abandon_on_cancel=True)
        await anyio.sleep(over_after(delivered.delay, _timeout(request)))
        return _response(request, delivered)

    return handle_async_request


def _sending(request: "httpx.Request", body: bytes) -> Callable[[], Delivered]:
    """How to send an httpx request, in whichever thread; whose it is, is decided in this one."""
    host = request.url.host
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    parcel = Parcel(request.method, request.url.raw_path.decode("ascii"), headers, body)
    interception = _owner(parcel, host)

    def send() -> Delivered:
        import httpx

        try:
            return interception.send(host, parcel, _timeout(request))
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except OSError as error:
            raise httpx.ReadError(str(error), request=request) from error

    return send


def _timeout(request: "httpx.Request") -> float | None:
    timeout: float | None = request.extensions.get("timeout", {}).get("read")
    return timeout


def _response(request: "httpx.Request", delivered: Delivered) -> "httpx.Response":
    import httpx

    try:
        check_in_time(delivered.delay, _timeout(request))
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error), request=request) from error
    return httpx.Response(
        delivered.status,
        headers=delivered.headers,
        stream=httpx.ByteStream(b"".join(delivered.chunks)),
        extensions={"http_version": b"HTTP/1.1", "reason_phrase": reason(delivered.status).encode()},
    )
