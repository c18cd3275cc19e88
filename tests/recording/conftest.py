"""Recorders to test: each of them where the test asks for `open_store`, the one in a SQLite file where it asks for `store`."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Protocol

import pytest

from mparticle_fake_server.recording import Recorder, open_recorder


class OpenStore(Protocol):
    """Opens a new, empty store that is closed after the test."""

    def __call__(self, keep: int = 100_000) -> Recorder: ...


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(params=["memory", "sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    with ExitStack() as stack:

        def open_store(keep: int = 100_000) -> Recorder:
            store = "memory" if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
            return stack.enter_context(closing(open_recorder(store, keep)))

        yield open_store


@pytest.fixture
def recorder(open_store: OpenStore) -> Recorder:
    """A new store of either kind with room for all."""
    return open_store()
