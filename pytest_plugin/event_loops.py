"""The event loop that a test runs in, asyncio's or trio's: what the sources need of it to wait, and whether there is one."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from .errors import MParticleError, about_the_test

__tracebackhide__ = about_the_test

T = TypeVar("T")


class Bell(Protocol):
    """Rung in one thread, heard by the task that has it."""

    def ring(self) -> None:
        """Wake the task, now or at its next wait; of any thread, also when the loop has ended."""

    async def wait(self, seconds: float) -> bool:
        """Until it was rung since the last wait, at most so long; whether it was."""


def make_bell() -> Bell:
    """The bell of the running task. Raises MParticleError if it runs neither in asyncio nor in trio."""
    return _AsyncioBell() if _in_asyncio() else _TrioBell()


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

    async def wait(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        rung = self._rung.is_set()
        self._rung.clear()
        return rung


class _TrioBell:
    def __init__(self) -> None:
        self._trio = _trio()
        self._token = self._trio.lowlevel.current_trio_token()
        self._rung = self._trio.Event()

    def ring(self) -> None:
        with contextlib.suppress(self._trio.RunFinishedError):
            self._token.run_sync_soon(lambda: self._rung.set())  # noqa: PLW0108  # whichever it is by then

    async def wait(self, seconds: float) -> bool:
        with self._trio.move_on_after(seconds):
            await self._rung.wait()
        rung: bool = self._rung.is_set()
        self._rung = self._trio.Event()
        return rung


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
