"""Where an Inbox gets its facts from: `LocalSource`, a FakeServer in this process. `remote.py` has the one of `--mparticle-url`.

Every test has a workspace of its own on one source; `plugin.py` makes the source, `inbox.py` asks it.
"""

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from .errors import ClaimError, MParticleError, about_the_test
from .event_loops import make_bell, time_limit
from .options import SERVER_OPTIONS
from .settings import Settings

if TYPE_CHECKING:
    import socket

    from flask import Flask

    from mparticle_fake_server.items import BatchItem, EventItem, RequestItem
    from mparticle_fake_server.recording import Recorder, RequestRecord
    from mparticle_fake_server.server import FakeServer
    from mparticle_fake_server.workspaces import Workspace

__tracebackhide__ = about_the_test

Fault = dict[str, Any]
"""What the next requests meet, as PUT /_fake/faults takes it."""

Item = TypeVar("Item")


class Source(Protocol):
    """A fake mParticle, here or elsewhere. Every method may be called from any thread; those that ask raise MParticleError."""

    @property
    def url(self) -> str:
        """The base URL without a slash at the end; the local one starts to listen when first asked."""

    @property
    def tls_url(self) -> str:
        """The base URL of HTTPS; the local one starts to listen when first asked."""

    @property
    def ca_path(self) -> str:
        """The file with the certificate (PEM) of the CA that a client of `tls_url` has to trust."""

    def open_workspace(
        self, name: str, key: str, secret: str, *, mode: str, ignore: Iterable[str] = (), error: Iterable[str] = ()
    ) -> None:
        """Make a workspace with one input. `ignore` and `error` are codes of findings to leave out, or to raise to errors."""

    def retire_workspace(self, name: str) -> None:
        """Forget what a workspace received and its faults; its inputs still answer, and what they receive from now on is late."""

    def late(self) -> list[str]:
        """The retired workspaces that something came for since; `requests` and `events` have it."""

    @property
    def forked(self) -> bool:
        """Whether this is another process than the one that made this source: there is nothing to ask, and nothing to end."""

    @property
    def shared(self) -> bool:
        """Whether other runs and workers may send here too."""

    @property
    def given_back(self) -> dict[str, int]:
        """The keys that tests claimed and gave back, with how many requests belonged to no workspace at the first time."""

    def claim(self, workspace: str, key: str, secret: str | None) -> None:
        """Take a key for a workspace; None accepts every secret. Raises ClaimError, which names the test that has the key."""

    def release(self, workspace: str, key: str) -> None:
        """Give a claimed key back."""

    def batches(self, workspace: str) -> "list[BatchItem]":
        """Every batch that a workspace received, of all verdicts, oldest first. A new list each time."""

    def events(self, workspace: str) -> "list[EventItem]":
        """Every event of these batches. A new list each time."""

    def requests(self, workspace: str | None) -> "list[RequestItem]":
        """Every request of a workspace; None: those since the run began that belong to none, as with an unknown key."""

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Sleep until something arrives that makes `until()` true, at most `timeout` seconds; returns its last value."""

    async def wait_async(self, until: Callable[[], bool], timeout: float) -> bool:  # noqa: ASYNC109  # as `wait`
        """The same without blocking the event loop."""

    def put_faults(self, workspace: str, faults: list[Fault]) -> None:
        """Set what the next requests of a workspace meet."""

    def faults(self, workspace: str) -> list[Fault]:
        """What they still will meet."""

    def clear_faults(self, workspace: str) -> list[Fault]:
        """Let them through; returns what they still would have met."""

    def close(self) -> None:
        """Release everything. Twice does no harm."""


# -- a server in this process ----------------------------------------------------------------------------------------------


class LocalSource:
    """A FakeServer in this process, in memory; it has no socket before somebody asks for `url`.

    `host` and `port` (0 takes a free one) say where it listens; `options` are those of `mparticle_fake_server.hosting.Options`.
    `certificates` is the folder in which the CA and the certificate of `tls_url` are kept from run to run; by default they are
    made anew in a temporary one. Raises MParticleError for an option that is impossible.
    """

    shared = False

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, *, certificates: str | os.PathLike[str] | None = None, **options: Any
    ) -> None:
        self._pid = os.getpid()
        self._certificates = certificates
        self._temporary: str | None = None
        self._tls_url: str | None = None
        self._server = _make_server(host, port, {"store": "memory", "unknown_keys": False} | options)
        try:
            self._server.open()
        except ValueError as error:
            raise MParticleError(f"The fixture fake_mparticle_options: {error}") from error
        self._starting = threading.Lock()
        self._url: str | None = None
        self._recorder: Recorder = self._server.intake.recorder
        self._position = 0
        self._traces: dict[str | None, _Trace] = {}
        self._retired: list[str] = []
        self.given_back: dict[str, int] = {}

    # -- the server --------------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base URL without a slash at the end. Listens from the first time on. Raises MParticleError."""
        if self._url is None:
            self._check_process()
            with self._starting:
                if self._url is None:
                    self._url = self._start()
        return self._url

    @property
    def tls_url(self) -> str:
        """The base URL of HTTPS, on a free port. Listens from the first time on, and `url` with it. Raises MParticleError."""
        if self._tls_url is None:
            self._check_process()
            _ = self.url
            with self._starting:
                if self._tls_url is None:
                    self._tls_url = self._start_tls()
        return self._tls_url

    @property
    def ca_path(self) -> str:
        """The file with the certificate (PEM) of the CA that a client of `tls_url` has to trust; `tls_url` listens then."""
        _ = self.tls_url
        return self._server.ca_path

    def _start_tls(self) -> str:
        from mparticle_fake_server.server import ServerError

        directory = self._certificates
        if directory is None:
            directory = self._temporary = tempfile.mkdtemp(prefix="mparticle-fake-")
        try:
            return self._server.open_tls(directory).tls_url
        except ServerError as error:
            whose = "" if self._certificates is None else " The option certificates of fake_mparticle_options names that folder."
            # Of what the operating system said, the message has all: its own traceback would come first.
            raise MParticleError(f"The fake cannot serve HTTPS: {error}{whose}") from None

    def _start(self) -> str:
        from mparticle_fake_server.server import AddressInUseError, ServerError

        try:
            return self._server.start().url
        except AddressInUseError as error:
            raise MParticleError(
                f"{error} The fixture fake_mparticle_address chooses it; port 0 takes a free one, which each worker of "
                "pytest-xdist needs."
            ) from None
        except ServerError as error:
            raise MParticleError(f"{error} The fixture fake_mparticle_address chooses it.") from None
        except RuntimeError as error:
            if type(error).__module__ != "pytest_socket":
                raise
            raise MParticleError(
                f"The fake cannot listen, as pytest-socket forbids it: {error} Allow it: --allow-hosts=127.0.0.1, or do without "
                ".url and all that has it: fake_mparticle.intercept() and .session() need no socket."
            ) from None

    @property
    def server(self) -> "FakeServer":
        """The server itself: `intake`, `rows`, `token`."""
        return self._server

    @property
    def app(self) -> "Flask":
        """The Flask application over the same store, for calls without sockets."""
        self._check_process()
        return self._server.app

    def close(self) -> None:
        """Stop the server. Twice does no harm, nor in a forked child, which has no server."""
        if not self.forked:
            self._server.stop()
            if self._temporary is not None:
                shutil.rmtree(self._temporary, ignore_errors=True)

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that made this source."""
        return os.getpid() != self._pid

    def _check_process(self) -> None:
        # The lock may have been held by a thread that the child does not have: without this, it would wait for ever.
        if self.forked:
            raise MParticleError(
                f"This is process {os.getpid()}, forked from process {self._pid}, where the fake mParticle runs and what it "
                "received is kept. Send from here as you like (.url and .environ taken before the fork), but ask and assert "
                "in the test's own process."
            )

    # -- workspaces --------------------------------------------------------------------------------------------------------

    def open_workspace(
        self, name: str, key: str, secret: str, *, mode: str, ignore: Iterable[str] = (), error: Iterable[str] = ()
    ) -> None:
        """Make a workspace with one input."""
        from mparticle_fake_server.checks.rules import Rules
        from mparticle_fake_server.workspaces import check_mode

        self._check_process()
        rules = Rules.parse(ignore, error) if ignore or error else None
        self._server.intake.workspaces.put(name, check_mode(mode), {key: secret}, rules)

    def retire_workspace(self, name: str) -> None:
        """Forget what a workspace received and its faults; what it receives from now on is late."""
        self.clear_faults(name)
        with self._recorder.lock:
            self._catch_up()
            seen = self._traces.pop(name, None)
            late = seen.unseen() if seen else []
            self._recorder.forget(name)
            self._server.intake.workspaces.forget(name)
            if late:
                self._traces[name] = _Trace(late)
            self._retired.append(name)

    def late(self) -> list[str]:
        """The retired workspaces that something came for since."""
        self._check_process()
        with self._recorder.lock:
            self._catch_up()
            return [name for name in self._retired if name in self._traces]

    def claim(self, workspace: str, key: str, secret: str | None) -> None:
        """Take a key for a workspace. Raises ClaimError, which names the test that has it."""
        from mparticle_fake_server.workspaces import WorkspaceError

        self._check_process()
        workspaces = self._server.intake.workspaces
        try:
            workspaces.put(workspace, inputs={key: secret})
        except WorkspaceError as error:
            holder = workspaces.input(key)
            if holder is None or holder.workspace.name == workspace:
                raise ClaimError(str(error)) from None
            raise ClaimError(claimed(key, holder.workspace.name)) from None

    def release(self, workspace: str, key: str) -> None:
        """Give a claimed key back."""
        self._check_process()
        if key not in self.given_back:
            self.given_back[key] = len(self.requests(None))
        self._server.intake.workspaces.release(workspace, key)

    # -- what arrived ------------------------------------------------------------------------------------------------------

    def batches(self, workspace: str) -> "list[BatchItem]":
        """Every batch that a workspace received, of all verdicts, oldest first."""
        return self._read(workspace, lambda trace: trace.batches())

    def events(self, workspace: str) -> "list[EventItem]":
        """Every event of these batches."""
        return self._read(workspace, lambda trace: trace.events())

    def requests(self, workspace: str | None) -> "list[RequestItem]":
        """Every request of a workspace; None: those that belong to none."""
        return self._read(workspace, lambda trace: trace.requests())

    def _read(self, workspace: str | None, read: "Callable[[_Trace], list[Item]]") -> list[Item]:
        self._check_process()
        with self._recorder.lock:
            self._catch_up()
            trace = self._traces.get(workspace)
            return read(trace) if trace else []

    def _catch_up(self) -> None:
        """Sort what is new by workspace, once for all who ask. Under the recorder's lock, so that nobody waits for two."""
        if self._position == self._recorder.last_id():
            return
        traces = self._traces
        for record in self._recorder.requests(self._position):
            trace = traces.get(record.workspace)
            if trace is None:
                trace = traces[record.workspace] = _Trace([])
            trace.records.append(record)
            self._position = record.id
        self._position = self._recorder.last_id()

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Sleep until something arrives that makes `until()` true, at most `timeout` seconds; returns its last value."""
        self._check_process()
        # A first look, without the thread that the time limit costs.
        if until():
            return True
        if timeout <= 0:
            return False
        bell = threading.Event()
        unsubscribe = self._recorder.subscribe(bell.set)
        try:
            with time_limit(timeout, bell.set) as over:
                # Not under the recorder's lock: a condition of the test may itself send to this server.
                while not until():
                    if over.is_set():
                        return until()
                    bell.wait()
                    bell.clear()
        finally:
            unsubscribe()
        return True

    async def wait_async(self, until: Callable[[], bool], timeout: float) -> bool:  # noqa: ASYNC109  # as `wait`
        """The same without blocking the event loop."""
        self._check_process()
        bell = make_bell()
        if until():
            return True
        if timeout <= 0:
            return False
        unsubscribe = self._recorder.subscribe(bell.ring)
        try:
            with time_limit(timeout, bell.ring) as over:
                while not until():
                    if over.is_set():
                        return until()
                    await bell.wait()
        finally:
            unsubscribe()
        return True

    # -- faults ------------------------------------------------------------------------------------------------------------

    def put_faults(self, workspace: str, faults: list[Fault]) -> None:
        """Set what the next requests of a workspace meet. Raises MParticleError for an impossible fault."""
        from mparticle_fake_server.faults import FaultError

        try:
            self._workspace(workspace).faults.put(faults)
        except FaultError as error:
            raise MParticleError(str(error)) from error

    def faults(self, workspace: str) -> list[Fault]:
        """What they still will meet."""
        return self._workspace(workspace).faults.list()

    def clear_faults(self, workspace: str) -> list[Fault]:
        """Let them through; returns what they still would have met."""
        return self._workspace(workspace).faults.clear()

    def _workspace(self, name: str) -> "Workspace":
        self._check_process()
        workspace = self._server.intake.workspaces.get(name)
        if workspace is None:
            raise MParticleError(f"There is no workspace {name!r}: its test has ended.")
        return workspace


def open_source(settings: Settings, address: tuple[str, int], options: Mapping[str, Any]) -> Source:
    """The source of a run; `address` and `options` are those of the fixtures, checked. Raises MParticleError."""
    if settings.url is not None:
        from .remote import RemoteSource

        return RemoteSource(settings.url, os.environ.get("MPARTICLE_FAKE_TOKEN"))
    return LocalSource(*address, **{name: value for name, value in options.items() if name in SERVER_OPTIONS})


class _Trace:
    """What one workspace received; items are made when somebody asks, each once."""

    def __init__(self, records: "list[RequestRecord]") -> None:
        self.records = records
        self._told = 0
        self._requests: list[RequestItem] = []
        self._batches: list[BatchItem] = []
        self._events: list[EventItem] = []
        self._batched = self._evented = 0

    def requests(self) -> "list[RequestItem]":
        from mparticle_fake_server.items import request_item

        for record in self.records[len(self._requests) :]:
            self._requests.append(request_item(record))
        return self._requests.copy()

    def batches(self) -> "list[BatchItem]":
        from mparticle_fake_server.items import batch_items

        for record in self.records[self._batched :]:
            self._batches += batch_items(record)
            self._batched += 1
        return self._batches.copy()

    def events(self) -> "list[EventItem]":
        from mparticle_fake_server.items import event_items

        self.batches()
        for batch in self._batches[self._evented :]:
            self._events += event_items(batch)
            self._evented += 1
        return self._events.copy()

    def unseen(self) -> "list[RequestRecord]":
        """The records that nobody has read as requests yet, which is what a verdict reads last."""
        return self.records[len(self._requests) :]


def claimed(key: str, workspace: str) -> str:
    """What to tell whoever claims a key that another test has."""
    return (
        f"The API key {key!r} is claimed by the test {test_of(workspace)} until it ends. Two tests that run at the same time "
        "on one server cannot share a key: their events could not be told apart. Run them one after the other, or let the "
        "code under test take its key from fake_mparticle.key."
    )


SEPARATOR: Final = " #"
"""Between the id of a test and what makes the name of its workspace unique."""


def workspace_name(test_id: str, mark: str) -> str:
    """The name of a test's workspace, of at most 200 characters; `mark` makes it unique."""
    return f"{test_id[-180:]}{SEPARATOR}{mark}"


def test_of(workspace: str) -> str:
    """The id of the test that a workspace was made for."""
    return workspace.rpartition(SEPARATOR)[0] or workspace


def _make_server(host: str, port: int, options: dict[str, Any]) -> "FakeServer":
    """A server whose ports are not held by children that were forked from this process and outlive it."""
    from mparticle_fake_server.server import FakeServer

    class Server(FakeServer):
        def __init__(self) -> None:
            super().__init__(host, port, **options)
            self.listeners: list[socket.socket] = []

        def _listen(self, port: int) -> "socket.socket":
            listener = super()._listen(port)
            self.listeners.append(listener)
            return listener

    server = Server()
    reference = weakref.ref(server)

    def give_up_ports() -> None:
        inherited = reference()
        for listener in inherited.listeners if inherited is not None else ():
            if listener.fileno() >= 0:
                # Not closed but replaced: the event loop that the child inherited counts on the number.
                nothing = os.open(os.devnull, os.O_RDWR)
                os.dup2(nothing, listener.fileno(), inheritable=False)
                os.close(nothing)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=give_up_ports)
    return server
