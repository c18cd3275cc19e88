"""Examines chunks in other processes, where there is enough of them. Called by `run.py`."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from mmap import mmap
from multiprocessing import active_children, get_context
from typing import Final

import msgspec

from .chunks import Chunk
from .examination import Options, Result, examine
from .extracts import Seen
from .sources import BLOCK

AHEAD: Final = 3
"""Chunks for each worker that wait or are examined, at most, when the next one is handed out."""

IN_PROCESS: Final = BLOCK
"""Bytes that are examined here before workers are started: for a small input these would cost more than they save."""

PLACE: Final = 2 * BLOCK
"""Bytes of text that a worker finds in memory which it shares with its parent; longer ones go through its pipe, for more."""

_PATIENCE_SECONDS: Final = 2

Look = Callable[[Chunk, Seen], "Future[Result]"]


class WorkerError(Exception):
    """The work cannot go on: no process can be started, or one has ended before its time; the message says what to do."""


@contextmanager
def looking(options: Options, workers: int) -> Iterator[Look]:
    """A function that examines a chunk, here or in another process, and gives the result when it is asked for.

    Results have to be taken in their order, and no more than AHEAD for each worker may be left when the next chunk is handed out.
    Raises WorkerError, also while they are taken.
    """
    if workers < 2:
        yield partial(_here, options)
        return
    pool = _Pool(options, workers)
    try:
        yield pool.look
    except BrokenProcessPool:
        pool.stop()
        raise WorkerError(
            "A worker process ended before its work was done; was it killed, or is there too little memory? "
            "Fewer --workers need less."
        ) from None
    except BaseException:
        pool.stop()
        raise
    pool.close()


def _here(options: Options, chunk: Chunk, seen: Seen) -> "Future[Result]":
    future: Future[Result] = Future()
    future.set_result(examine(chunk, options, seen))
    return future


class _Pool:
    def __init__(self, options: Options, workers: int) -> None:
        self._options = options
        self._workers = workers
        # A fork is ready at once, but must not copy a process with threads.
        self._forks = sys.platform == "linux" and threading.active_count() == 1
        self._others = set(threading.enumerate())
        self._executor: ProcessPoolExecutor | None = None
        self._taken = 0
        # When a place comes round again, the chunk that was in it has been taken.
        self._places = AHEAD * workers + 1
        self._number = 0
        self._memory: mmap | None = None

    def look(self, chunk: Chunk, seen: Seen) -> "Future[Result]":
        self._taken += len(chunk.text)
        if self._taken <= IN_PROCESS:
            return _here(self._options, chunk, seen)
        try:
            executor = self._executor or self._start()
            text, memory = chunk.text, self._memory
            place = None
            if memory is not None and len(text) <= PLACE:
                self._number = (self._number + 1) % self._places
                start = self._number * PLACE
                memory[start : start + len(text)] = text
                place = start, len(text)
                chunk = msgspec.structs.replace(chunk, text=b"")
            return executor.submit(_examine, chunk, self._options, seen, place)
        except OSError as error:
            reason = error.strerror or error
            raise WorkerError(f"{self._workers} worker processes cannot be started: {reason}. Use fewer --workers.") from error

    def _start(self) -> ProcessPoolExecutor:
        if self._forks:
            # Only a fork has it too; of what nobody writes to, no memory is used.
            self._memory = mmap(-1, self._places * PLACE)
        context = get_context("fork" if self._forks else "spawn")
        self._executor = ProcessPoolExecutor(self._workers, context, _begin, (os.getpid(), self._memory))
        return self._executor

    def close(self) -> None:
        """When all is done: let the workers end."""
        if self._executor is not None:
            self._executor.shutdown()

    def stop(self) -> None:
        """End the workers at once: interrupted twice, a shutdown in good order would wait for them for ever."""
        for process in active_children():
            process.terminate()
        if self._executor is not None:
            own = [thread for thread in threading.enumerate() if thread not in self._others and not thread.daemon]
            self._executor.shutdown(wait=False, cancel_futures=True)
            # What these close, the interpreter must not find half closed when it ends.
            for thread in own:
                thread.join(_PATIENCE_SECONDS)


# -- in a worker -----------------------------------------------------------------------------------------------------------

_shared: list[mmap] = []


def _begin(parent: int, memory: mmap | None) -> None:
    # Ctrl-C is for the parent, which stops its workers; if it is killed they end by themselves.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if memory is not None:
        _shared.append(memory)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _examine(chunk: Chunk, options: Options, seen: Seen, place: tuple[int, int] | None) -> Result:
    """Examine a chunk whose text is in the shared memory, if there is a place: where it begins, and its bytes."""
    if place is not None:
        start, size = place
        chunk.text = _shared[0][start : start + size]
    return examine(chunk, options, seen)
