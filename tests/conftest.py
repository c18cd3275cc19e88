"""Fixtures for the whole suite: what a test may require of its surroundings, and what happens where that is missing."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hosts import Fake, OpenFake, flask_host, server_host

collect_ignore = ["downstream"]
"""A suite of its own, which `tests/pytest_plugin/test_downstream.py` runs."""

RealPart = Callable[[bool, str], None]

CHECKOUT = Path(__file__).resolve().parents[1]

_OF_THE_DEVELOPER = re.compile(
    "(HTTPS?|ALL|NO)_PROXY|(REQUESTS|CURL)_CA_BUNDLE|SSL_CERT_(FILE|DIR)|NETRC"  # the way to other machines: no test goes there
    "|MPARTICLE_.*"
    "|(FORCE|NO|PY)_COLORS?|CLICOLOR(_FORCE)?|TERM|COLUMNS|LINES|TTY_.*"  # how output looks
    "|PYTHON(IOENCODING|UTF8|WARNINGS|OPTIMIZE)|PYTEST_ADDOPTS",
    re.IGNORECASE,
)
"""Variables that would change what is tested; a test that is about one sets it. What a test starts inherits none, either."""

for _name in filter(_OF_THE_DEVELOPER.fullmatch, list(os.environ)):
    del os.environ[_name]

# A shell has what it runs in the background ignore Ctrl-C, and every program that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The folder with pyproject.toml."""
    return CHECKOUT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Notes and captures kept beside the checkout, for tests that compare with them."""
    folder = CHECKOUT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no folder 'shared' beside this checkout: nothing to compare with")
    return folder


@pytest.fixture(scope="session")
def real_part() -> RealPart:
    """To be called as `real_part(available, reason)` before Node or another real part is used.

    Where the part is missing the test skips; with the environment variable CI set it fails.
    """

    def require(available: bool, reason: str) -> None:
        if available:
            return
        if os.environ.get("CI"):
            pytest.fail(f"CI is set, so this has to run: {reason}", pytrace=False)
        pytest.skip(reason)

    return require


@pytest.fixture(params=[flask_host, server_host], ids=["flask", "server"])
def open_fake(request: pytest.FixtureRequest) -> OpenFake:
    """Both hosts in turn, the Flask application alone and the running server with its ASGI front, to be opened with options."""
    opener: OpenFake = request.param
    return opener


@pytest.fixture
def fake(open_fake: OpenFake) -> Iterator[Fake]:
    """A fake with the default options and the memory store."""
    with open_fake() as opened:
        yield opened
