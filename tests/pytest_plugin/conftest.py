"""What the tests of the plugin share: a suite of a user to be written and run."""

import pytest

from tests.pytest_plugin.suites import Suite


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """An empty folder for a suite that uses the plugin; the module needs `pytest_plugins = ["pytester"]`."""
    return Suite(pytester, monkeypatch)
