"""Every test here runs twice: over the Flask application alone, and over the running server with its ASGI front."""

from collections.abc import Iterator

import pytest

from tests.hosts import Fake, OpenFake, flask_host, server_host


@pytest.fixture(params=[flask_host, server_host], ids=["flask", "server"])
def open_fake(request: pytest.FixtureRequest) -> OpenFake:
    """Both hosts in turn, to be opened with options."""
    opener: OpenFake = request.param
    return opener


@pytest.fixture
def fake(open_fake: OpenFake) -> Iterator[Fake]:
    """A fake with the default options and the memory store."""
    with open_fake() as opened:
        yield opened
