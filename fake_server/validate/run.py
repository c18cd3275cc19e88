"""Goes through all inputs: chunks to the workers, their results in order, and what spans batches. Called by the command line."""

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import msgspec

from mparticle_fixtures.mapped import Mapped, mapped_files

from .chunks import Chunk, chunks
from .examination import Options, Result, examine
from .extracts import Seen
from .report import FileCounts, Report
from .sources import BLOCK, SourceError, reading
from .spanning import Spanning

AHEAD: Final = 3
"""Chunks for each worker that wait or are examined."""

IN_PROCESS: Final = BLOCK
"""Bytes that are examined here before workers are started: for a small input these would cost more than they save."""

Look = Callable[[Chunk, Seen], "Future[Result]"]


def run(paths: list[str], options: Options, workers: int, progress: Callable[[int], None]) -> Report:
    """Examine the inputs; `progress` is told how many bytes of the files were read."""
    report = Report(options.most, options.of_a_group)
    spans = Spanning(report, options.rules)
    with _looking(options, workers) as look:
        waiting: deque[tuple[FileCounts, Chunk, Future[Result]]] = deque()
        read = 0
        for path in paths:
            file = FileCounts(path, len(report.files))
            report.files.append(file)
            try:
                with reading(path) as source:
                    for chunk in chunks(source):
                        waiting.append((file, chunk, look(chunk, spans.seen())))
                        if len(waiting) > AHEAD * workers:
                            _take(report, spans, *waiting.popleft())
                        progress(read + source.read_bytes)
                    read += source.read_bytes
            except SourceError as error:
                file.problem = str(error)
            progress(read)
        while waiting:
            _take(report, spans, *waiting.popleft())
    report.sort()
    return report


def _take(report: Report, spans: Spanning, file: FileCounts, chunk: Chunk, future: "Future[Result]") -> None:
    result = future.result()
    file.batches += result.batches
    file.events += result.events
    file.skipped += chunk.skipped
    report.add(file, chunk, result.told, result.groups)
    spans.look_at(file, chunk, result)


# -- workers ---------------------------------------------------------------------------------------------------------------


@contextmanager
def _looking(options: Options, workers: int) -> Iterator[Look]:
    """A function that examines a chunk, here or in another process, and gives the result when it is asked for."""
    if workers < 2:
        yield partial(_here, options)
        return
    # A fork is ready at once, but must not copy a process with threads.
    forks = sys.platform == "linux" and threading.active_count() == 1
    pool: ProcessPoolExecutor | None = None
    taken = 0
    # One for each chunk that waits, and for the next: when that is handed out, what was in its file has been examined.
    count = AHEAD * workers + 1
    with mapped_files(count) as paths:
        texts = cycle(enumerate(map(Mapped, paths)))

        def look(chunk: Chunk, seen: Seen) -> "Future[Result]":
            nonlocal pool, taken
            taken += len(chunk.text)
            if taken <= IN_PROCESS:
                return _here(options, chunk, seen)
            if pool is None:
                pool = ProcessPoolExecutor(workers, get_context("fork" if forks else "spawn"), _begin, (os.getpid(), paths))
            number, text = next(texts)
            text.write(chunk.text)
            return pool.submit(_examine, number, len(chunk.text), msgspec.structs.replace(chunk, text=b""), options, seen)

        try:
            yield look
        finally:
            if pool is not None:
                pool.shutdown(cancel_futures=True)


def _here(options: Options, chunk: Chunk, seen: Seen) -> "Future[Result]":
    future: Future[Result] = Future()
    future.set_result(examine(chunk, options, seen))
    return future


# -- in a worker -----------------------------------------------------------------------------------------------------------

_texts: list[Mapped] = []


def _examine(number: int, size: int, chunk: Chunk, options: Options, seen: Seen) -> Result:
    """Examine a chunk whose text is in the mapped file of this number."""
    chunk.text = bytes(_texts[number].read(size))
    return examine(chunk, options, seen)


def _begin(parent: int, paths: list[Path]) -> None:
    _texts[:] = map(Mapped, paths)
    # Ctrl-C is for the parent, which stops its workers; if it is killed they end by themselves.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
