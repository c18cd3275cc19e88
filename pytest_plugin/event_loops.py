"""What sources need to wait: the event loop of the test, asyncio's or trio's, and a time limit that no stopped clock moves."""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from threading import Timer  # this one, also where a test has put another in its place
from typing import Any, Protocol, TypeVar

from .errors import MParticleError, about_the_test

__tracebackhide__ = about_the_test

T = TypeVar("T")


class Bell(Protocol):
    """Rung in one thread, heard by the task that has it."""

    def ring(self) -> None:
        """Wake the task, now or at its next wait; of any thread, also when the loop has ended."""

    async def wait(self) -> None:
        """Until it was rung since the last wait."""


def make_bell() -> Bell:
    """The bell of the running task. Raises MParticleError if it runs neither in asyncio nor in trio."""
    return _AsyncioBell() if _in_asyncio() else _TrioBell()


@contextlib.contextmanager
def time_limit(seconds: float, ring: Callable[[], None] = lambda: None) -> Iterator[threading.Event]:
    """An event that is set after so many seconds, and then `ring` is called; the end of the block ends it.

    By a thread, as the clocks of Python and of the event loop may be those that the test has stopped: what a lock waits is not.
    """
    over = threading.Event()

    def end() -> None:
        over.set()
        ring()

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield over
    finally:
        timer.cancel()


def in_event_loop() -> bool:
    """Whether this is code of a task of asyncio or trio, so that the others stand still meanwhile."""
    if _in_asyncio():
        return True
    try:
        _trio().lowlevel.current_task()
    except (MParticleError, RuntimeError):
        return False
    return True


async def in_thread(call: Callable[[], T]) -> T:
    """What a call that blocks returns. Who is cancelled meanwhile goes, and the thread ends by itself."""
    if _in_asyncio():
        return await asyncio.to_thread(call)
    result: T = await _trio().to_thread.run_sync(call, abandon_on_cancel=True)
    return result


class _AsyncioBell:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung.clear()


class _TrioBell:
    def __init__(self) -> None:
        self._trio = _trio()
        self._token = self._trio.lowlevel.current_trio_token()
        self._rung = self._trio.Event()

    def ring(self) -> None:
        with contextlib.suppress(self._trio.RunFinishedError):
            self._token.run_sync_soon(lambda: self._rung.set())  # noqa: PLW0108  # whichever it is by then

    async def wait(self) -> None:
        await self._rung.wait()
        self._rung = self._trio.Event()


def _in_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _trio() -> Any:
    # Whoever runs in it has imported it.
    trio = sys.modules.get("trio")
    if trio is None:
        raise MParticleError("An asynchronous wait needs an event loop of asyncio or trio, and runs in neither.")
    return trio
