"""`mparticle-fake validate` on small batches: reading, decoding, dialect, every check, counts; with one process and with two."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.benchmarks.row import Row, at_least

ROUNDS = 5
BATCHES = 400_000
PROMISED = 25_000

_NOW_MS = 1_700_000_000_000
_BATCH = (
    '{"environment":"development","source_request_id":"r-%d","user_identities":{"customer_id":"c-%d"},'
    '"user_attributes":{"plan":"trial","likes":["tea"]},"events":[{"event_type":"custom_event","data":{'
    '"event_name":"Play %d","custom_event_type":"media","timestamp_unixtime_ms":%d,"session_id":%d,'
    '"custom_attributes":{"title":"Song"}}}]}\n'
)


def validate() -> Iterator[Row]:
    """Batches a second of the command, less its start; the runs with one and two workers follow each other."""
    with TemporaryDirectory() as folder:
        many, few = Path(folder, "many.ndjson"), Path(folder, "few.ndjson")
        _write(many, BATCHES)
        _write(few, 1)
        one, two = zip(*((_rate(many, few, 1), _rate(many, few, 2)) for _ in range(ROUNDS)), strict=True)
    rate = median(one)
    yield Row("validate, 1 worker", f"{rate:,.0f} batches/s", "", "", f">= {PROMISED:,}", rate >= PROMISED)
    if (os.cpu_count() or 1) > 1:
        yield at_least(1.8, "validate, 2 workers, vs 1", two, one, "batches/s")


def _write(path: Path, batches: int) -> None:
    with path.open("w") as file:
        for number in range(batches):
            file.write(_BATCH % (number, number % 9000, number % 40, _NOW_MS - number, number // 3))


def _rate(many: Path, few: Path, workers: int) -> float:
    return (BATCHES - 1) / (_time(many, BATCHES, workers) - _time(few, 1, workers))


def _time(path: Path, batches: int, workers: int) -> float:
    command = [
        sys.executable,
        "-m",
        "mparticle_fake_server",
        "validate",
        f"--workers={workers}",
        f"--now={_NOW_MS}",
        str(path),
    ]
    start = perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    elapsed = perf_counter() - start
    if done.returncode or ": 0 errors, 0 warnings, 0 notes." not in done.stdout or not done.stdout.startswith(f"{batches} batch"):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[:2000]}{done.stderr[:2000]}")
    return elapsed
