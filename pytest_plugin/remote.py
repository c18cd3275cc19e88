"""`RemoteSource`: a fake in another process, asked over HTTP below `/_fake`. `source.py` makes it for `--mparticle-url`."""

import contextlib
import http.client
import os
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from mparticle_fake_server.items import BatchItem, EventItem, RequestItem, event_items

from .errors import ClaimError, MParticleError, about_the_test
from .event_loops import in_thread, time_limit
from .source import Fault, claimed

__tracebackhide__ = about_the_test

PAGE: Final = 1000
"""Items that one question asks for."""

ANSWER_SECONDS: Final = 30.0
"""How long an answer may take, besides the time that a question itself is to wait."""

LOOK_SECONDS: Final = 1.0
"""How long one long poll waits: it is woken by batches alone, and `until` may look at requests without any."""

VERDICTS: Final = "accepted,altered,dropped,rejected"

Item = TypeVar("Item")


class _Page(msgspec.Struct, Generic[Item]):
    items: list[Item]
    next: str | None


class _Trace(msgspec.Struct):
    """What was read of one workspace."""

    batches: list[BatchItem] = []
    events: list[EventItem] = []
    requests: list[RequestItem] = []


class RemoteSource:
    """The fake at `url`, which has no slash at its end; `token` is what its inspect API wants, if it was started with one.

    Raises MParticleError if nothing answers there, or something that is no fake mParticle, or if it wants another token.
    """

    shared = True

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._pid = os.getpid()
        self._prefix = urlsplit(url).path
        self._idle: list[http.client.HTTPConnection] = []
        self._closed = False
        self._lock = threading.RLock()
        self._open: dict[str, _Trace] = {}
        self._retired: dict[str, _Trace] = {}
        self._tests: dict[str, str] = {}
        self._unclaimed = _Trace()
        self.given_back: dict[str, int] = {}
        status, answer, _ = self._exchange("GET", "/_fake/health", None, 0)
        if status != HTTPStatus.OK or not _is_health(answer):
            self.close()
            raise MParticleError(
                f"What answers at {url} is no fake mParticle: GET /_fake/health got {status}, {answer[:80]!r}. "
                "Give the address that 'mparticle-fake serve' prints."
            )
        try:
            # Health needs no token: a wrong one is told here, not by each test.
            self._before = str(self._newest())
            self._unclaimed_after = self._before
        except MParticleError:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The base URL without a slash at the end."""
        return self._url

    @property
    def tls_url(self) -> str:
        """The base URL, if it is one of HTTPS. Raises MParticleError."""
        if not self._url.startswith("https://"):
            raise MParticleError(
                f"The fake of --mparticle-url is asked over plain HTTP, at {self._url}. Start it with 'mparticle-fake serve "
                "--tls' and give the https:// address that it prints; SSL_CERT_FILE=FILE in the environment of pytest names its "
                "CA, which 'mparticle-fake ca --out FILE' writes."
            )
        return self._url

    @property
    def ca_path(self) -> str:
        """The file with the CA of a fake that this user runs on this machine. Raises MParticleError."""
        from mparticle_fake_server.tls import CertificateError, Certificates

        try:
            path = Certificates().ca_path
        except CertificateError as error:
            raise MParticleError(str(error)) from None
        if not path.exists():
            raise MParticleError(
                f"The CA of the fake of --mparticle-url is not known here: no {path}, where 'serve --tls' keeps it."
            )
        return str(path)

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that made this source."""
        return os.getpid() != self._pid

    def close(self) -> None:
        """Remove the workspaces that were made here, and what they received. Twice does no harm."""
        if self.forked:
            return
        made = [*self._open, *self._retired]
        self._open, self._retired = {}, {}
        # A fake that has ended meanwhile has forgotten them too.
        with contextlib.suppress(MParticleError):
            for name in made:
                self._ask("DELETE", _path(name))
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    # -- workspaces --------------------------------------------------------------------------------------------------------

    def open_workspace(
        self, name: str, key: str, secret: str, *, mode: str, ignore: Iterable[str] = (), error: Iterable[str] = ()
    ) -> None:
        """Make a workspace with one input."""
        body: dict[str, Any] = {"name": _there(name), "mode": mode, "inputs": [{"key": key, "secret": secret}]}
        if ignore:
            body["ignore"] = list(ignore)
        if error:
            body["error"] = list(error)
        self._ask("POST", "/_fake/workspaces", body)
        self._open[name] = _Trace()
        self._tests[_there(name)] = name

    def retire_workspace(self, name: str) -> None:
        """Forget what a workspace received and its faults; what it receives from now on is late."""
        seen = len(self._open[name].requests)
        self.clear_faults(name)
        late = self.requests(name)[seen:]
        kept = _Trace(requests=late)
        if late:
            ids = {request.id for request in late}
            kept.batches = [batch for batch in self.batches(name) if batch.request_id in ids]
            kept.events = [event for batch in kept.batches for event in event_items(batch)]
        del self._open[name]
        self._retired[name] = kept
        self._ask("DELETE", f"/_fake/batches?{urlencode({'workspace': _there(name)})}")

    def late(self) -> list[str]:
        """The retired workspaces that something came for since."""
        came = {item.workspace for page in self._pages("requests", _Page[RequestItem], self._before) for item in page}
        return [name for name, trace in self._retired.items() if trace.requests or _there(name) in came]

    def claim(self, workspace: str, key: str, secret: str | None) -> None:
        """Take a key for a workspace. Raises ClaimError, which names the test that has it."""
        try:
            self._ask("PUT", _path(workspace), {"inputs": [{"key": key, "secret": secret}]})
        except MParticleError as error:
            for other in self._ask("GET", "/_fake/workspaces")["items"]:
                if any(given["key"] == key for given in other["inputs"]) and other["name"] != _there(workspace):
                    raise ClaimError(claimed(key, self._tests.get(other["name"], other["name"]))) from None
            raise ClaimError(str(error)) from None

    def release(self, workspace: str, key: str) -> None:
        """Give a claimed key back."""
        if key not in self.given_back:
            self.given_back[key] = len(self.requests(None))
        self._ask("DELETE", f"{_path(workspace)}/inputs/{quote(key, safe='')}")

    # -- what arrived ------------------------------------------------------------------------------------------------------

    def batches(self, workspace: str) -> list[BatchItem]:
        """Every batch that a workspace received, of all verdicts, oldest first."""
        with self._lock:
            trace = self._trace(workspace)
            after = trace.batches[-1].id if trace.batches else self._before
            for page in self._pages("batches", _Page[BatchItem], after, workspace=_there(workspace)):
                trace.batches += page
                for batch in page:
                    trace.events += event_items(batch)
            return trace.batches.copy()

    def events(self, workspace: str) -> list[EventItem]:
        """Every event of these batches."""
        with self._lock:
            self.batches(workspace)
            return self._trace(workspace).events.copy()

    def requests(self, workspace: str | None) -> list[RequestItem]:
        """Every request of a workspace; None: those since this source was made that belong to none."""
        with self._lock:
            if workspace is None:
                return self._read_unclaimed()
            trace = self._trace(workspace)
            after = trace.requests[-1].id if trace.requests else self._before
            for page in self._pages("requests", _Page[RequestItem], after, workspace=_there(workspace)):
                trace.requests += page
            return trace.requests.copy()

    def _read_unclaimed(self) -> list[RequestItem]:
        # Whatever belongs to no workspace has an error.
        known = self._unclaimed.requests
        for page in self._pages("requests", _Page[RequestItem], self._unclaimed_after, severity="error"):
            known += [item for item in page if item.workspace is None]
            self._unclaimed_after = page[-1].id
        return known.copy()

    def _newest(self) -> int:
        """The id of the newest request there, 0 if there is none: what this run sends comes after it.

        Found by doubling and halving, as a question without a place to begin at reads all that a fake has kept for days.
        """
        low, high = 0, 0  # there is something after each id below `low`, nothing after `high`
        while self._has_after(high):
            low, high = high + 1, high * 2 + 1
        while low < high:
            middle = (low + high) // 2
            if self._has_after(middle):
                low = middle + 1
            else:
                high = middle
        return low

    def _has_after(self, id: int) -> bool:
        page = msgspec.json.decode(self._answer("GET", f"/_fake/requests?limit=1&after={id}"), type=_Page[RequestItem])
        # After an id that is not there yet, everything comes.
        return any(int(item.id) > id for item in page.items)

    def _trace(self, workspace: str) -> _Trace:
        trace = self._open.get(workspace) or self._retired.get(workspace)
        return _Trace() if trace is None else trace

    def _pages(self, kind: str, type: "type[_Page[Item]]", after: str, **filters: str) -> "Iterable[list[Item]]":
        while True:
            asked = filters | {"limit": str(PAGE), "after": after}
            page = msgspec.json.decode(self._answer("GET", f"/_fake/{kind}?{urlencode(asked)}"), type=type)
            if page.items:
                yield page.items
            if page.next is None:
                return
            after = page.next

    # -- waiting -----------------------------------------------------------------------------------------------------------

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Sleep until something arrives that makes `until()` true, at most `timeout` seconds; returns its last value."""
        if until():
            return True
        began = time.monotonic()
        slept = 0.0
        with time_limit(timeout) as over:
            while not over.is_set():
                # What was slept in vain counts even if the test has stopped the clock.
                left = timeout - max(time.monotonic() - began, slept)
                if left <= 0:
                    break
                seconds = min(left, LOOK_SECONDS)
                if not self._look(seconds):
                    slept += seconds
                if until():
                    return True
        return False

    async def wait_async(self, until: Callable[[], bool], timeout: float) -> bool:  # noqa: ASYNC109  # as `wait`
        """The same without blocking the event loop."""
        left = timeout
        while True:
            seconds = min(left, LOOK_SECONDS)
            # In slices, so that the thread of whoever is cancelled soon ends.
            if await in_thread(partial(self.wait, until, seconds)):
                return True
            left -= seconds
            if left <= 0:
                return False

    def _look(self, seconds: float) -> bool:
        """Return when a batch arrives that was not read, or after `seconds`; whether one arrived."""
        with self._lock:
            read = [
                (tuple(map(int, trace.batches[-1].id.split("."))), trace.batches[-1].id)
                for trace in self._open.values()
                if trace.batches
            ]
            workspaces = list(self._open)
        asked = {"of": "batches", "verdict": VERDICTS, "timeout": f"{seconds:.3f}"}
        asked["after"] = max(read)[1] if read else self._before
        if len(workspaces) == 1:
            asked["workspace"] = _there(workspaces[0])
        status, answer, _ = self._exchange("GET", f"/_fake/wait?{urlencode(asked)}", None, seconds)
        if status not in (HTTPStatus.OK, HTTPStatus.REQUEST_TIMEOUT):
            raise MParticleError(self._refusal("GET /_fake/wait", status, answer))
        for workspace in workspaces if status == HTTPStatus.OK else ():
            self.batches(workspace)
        return status == HTTPStatus.OK

    # -- faults ------------------------------------------------------------------------------------------------------------

    def put_faults(self, workspace: str, faults: list[Fault]) -> None:
        """Set what the next requests of a workspace meet. Raises MParticleError for an impossible fault."""
        self._ask("PUT", _faults(workspace), {"items": faults})

    def faults(self, workspace: str) -> list[Fault]:
        """What they still will meet."""
        found: list[Fault] = self._ask("GET", _faults(workspace))["items"]
        return found

    def clear_faults(self, workspace: str) -> list[Fault]:
        """Let them through; returns what they still would have met."""
        left: list[Fault] = self._ask("DELETE", _faults(workspace))["items"]
        return left

    # -- HTTP --------------------------------------------------------------------------------------------------------------

    def _ask(self, method: str, target: str, body: Any = None) -> Any:
        answer = self._answer(method, target, body)
        return msgspec.json.decode(answer) if answer else None

    def _answer(self, method: str, target: str, body: Any = None) -> bytes:
        status, answer, _ = self._exchange(method, target, body, 0)
        if status >= HTTPStatus.BAD_REQUEST:
            raise MParticleError(self._refusal(f"{method} {target.partition('?')[0]}", status, answer))
        return answer

    def _refusal(self, question: str, status: int, answer: bytes) -> str:
        try:
            message = msgspec.json.decode(answer)["errors"][0]["message"]
        except (msgspec.DecodeError, LookupError, TypeError):
            message = ascii(answer[:200])
        if status == HTTPStatus.UNAUTHORIZED:
            message += " The environment variable MPARTICLE_FAKE_TOKEN has it for the tests."
        return f"The fake at {self._url} answered {status} to {question}: {message}"

    def _exchange(self, method: str, target: str, body: Any, seconds: float) -> tuple[int, bytes, http.client.HTTPMessage]:
        """One request and its answer, over a connection that nobody else uses meanwhile."""
        content = None if body is None else msgspec.json.encode(body)
        headers = self._headers | ({"Content-Type": "application/json"} if content is not None else {})
        while True:
            connection, used = self._connection()
            try:
                connection.timeout = ANSWER_SECONDS + seconds
                if connection.sock is not None:
                    connection.sock.settimeout(connection.timeout)
                connection.request(method, self._prefix + target, content, headers)
                response = connection.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                # The other side closes what was silent for long: then it has not seen this request.
                if used and not isinstance(error, TimeoutError):
                    continue
                raise MParticleError(
                    f"The fake at {self._url} does not answer {method} {target.partition('?')[0]}: {error!r}. "
                    "Start it with 'mparticle-fake serve', or leave out --mparticle-url for one in this process."
                ) from None
            self._put_back(connection)
            return response.status, answer, response.headers

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        # What a child inherits, its parent still uses.
        if self._idle and not self.forked:
            with contextlib.suppress(IndexError):
                return self._idle.pop(), True
        parts = urlsplit(self._url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=ANSWER_SECONDS), False

    def _put_back(self, connection: http.client.HTTPConnection) -> None:
        if self._closed or self.forked:
            connection.close()
        else:
            self._idle.append(connection)


def _there(name: str) -> str:
    """How a workspace is called there: a slash would be taken for one of the path."""
    return name.replace("/", ":")


def _path(workspace: str) -> str:
    return f"/_fake/workspaces/{quote(_there(workspace), safe='')}"


def _faults(workspace: str) -> str:
    return f"/_fake/faults?{urlencode({'workspace': _there(workspace)})}"


def _is_health(answer: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(answer)["status"] == "ready")
    except (msgspec.DecodeError, LookupError, TypeError):
        return False
