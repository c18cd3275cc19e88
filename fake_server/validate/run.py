"""Goes through all inputs: chunks to the workers, their results in order, and what spans batches. Called by the command line."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from .chunks import Chunk, chunks
from .examination import Options, Result
from .report import FileCounts, Report
from .sources import SourceError, reading
from .spanning import Spanning
from .workers import AHEAD, looking


def run(paths: list[str], options: Options, workers: int, progress: Callable[[int], None]) -> Report:
    """Examine the inputs; `progress` is told how many bytes of the files were read. Raises WorkerError."""
    report = Report(options.most, options.of_a_group)
    spans = Spanning(report, options.rules)
    with looking(options, workers) as look:
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
