"""Uploads a second: against pytest-httpserver answering canned 202s, with watchers open, and in bulk."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.load import Load, upload
from tests.benchmarks.row import Row, at_least
from tests.benchmarks.subject import serving

ROUNDS = 11
SECONDS = 0.5
"""Of a measurement: the machine's own speed changes within seconds, so that many short ones tell more than few long ones."""

WATCHERS = 8
BULK = 100


def uploads() -> Iterator[Row]:
    """16 connections, a small batch; a fresh server for each number, the peer and the fake in turns."""
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        with serving("peer") as port:
            rates["peer"].append(upload(Load(port, seconds=SECONDS)).rate)
        for store in ("memory", "sqlite"):
            rates[store].append(_measure(store))
            rates[f"{store}, watched"].append(_measure(store, watchers=WATCHERS))
            rates[f"{store}, bulk"].append(BULK * _measure(store, batches=BULK))
    for store, promised in (("memory", 8.0), ("sqlite", 6.0)):
        yield at_least(promised, f"{store} store, vs pytest-httpserver", rates[store], rates["peer"], "requests/s")
        yield at_least(
            0.8,
            f"{store} store, {WATCHERS} streams and {WATCHERS} polls open, vs none",
            rates[f"{store}, watched"],
            rates[store],
            "requests/s",
        )
        yield at_least(1.4, f"{store} store, bulk of {BULK}, vs singles", rates[f"{store}, bulk"], rates[store], "batches/s")


def _measure(store: str, *, batches: int = 1, watchers: int = 0) -> float:
    with TemporaryDirectory() as directory:
        url = f"sqlite:///{Path(directory) / 'fake.db'}" if store == "sqlite" else store
        with serving("fake", url) as port:
            return upload(Load(port, batches=batches, streams=watchers, polls=watchers, seconds=SECONDS)).rate
