"""Suites of a user of the plugin, that the tests here write and run."""

import textwrap
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points

import pytest

__all__ = ["SENDING", "Suite"]

# What a run in this process imports is forgotten after it, and would be loaded again for each.
for name in ("server", "faults"):
    import_module(f"mparticle_fake_server.{name}")
for name in ("inbox", "remote", "verdicts", "interception", "socketless", "journeys", "report"):
    import_module(f"mparticle_pytest_plugin.{name}")

SENDING = '''
import base64
import http.client
import json


def event(name="purchase", **data):
    return {"event_type": "custom_event", "data": {"event_name": name, "custom_event_type": "transaction"} | data}


def batch(*events, **members):
    return {"environment": "development", "user_identities": {"customer_id": "c1"}, "events": list(events)} | members


GOOD = batch(event())
BAD = batch({"event_type": "custom_event", "data": {"event_name": "purchase"}})
WARNED = batch(event(), user_identities={})


def send(where, body=GOOD, key=None, secret=None, path="/v2/events"):
    """POST to the fake of an Inbox, or to its URL with a key; returns the status."""
    url = getattr(where, "url", where)
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    credentials = base64.b64encode(f"{key or where.key}:{secret or where.secret}".encode()).decode()
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", path, content, {"Authorization": f"Basic {credentials}"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status
'''


INSTALLED = any(point.name == "mparticle_pytest_plugin" for point in entry_points(group="pytest11"))
"""Whether the plugin is loaded by itself, by its entry point."""

NAME = "mparticle_pytest_plugin" if INSTALLED else "mparticle_pytest_plugin.plugin"
"""What loads it otherwise, after `-p`."""


class Suite:
    """A folder with tests that use the plugin."""

    def __init__(self, pytester: pytest.Pytester, environ: pytest.MonkeyPatch) -> None:
        # A run of its own, also where this one is a worker's.
        for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_XDIST_TESTRUNUID"):
            environ.delenv(name, raising=False)
        self.pytester = pytester
        self._environ = environ
        pytester.makepyfile(sending=SENDING)
        self.ini()

    def write(self, *tests: str) -> None:
        """The file test_it.py; `sending` is imported for it."""
        self.pytester.makepyfile(test_it="import pytest\nfrom sending import *\n\n" + "\n".join(map(textwrap.dedent, tests)))

    def ini(self, *lines: str) -> None:
        """The ini file. The suite that runs this one makes errors of warnings, which a user's does not."""
        self.pytester.makeini(
            "\n".join(["[pytest]", *lines, "" if "filterwarnings" in str(lines) else "filterwarnings = default"])
        )

    def conftest(self, text: str) -> None:
        self.pytester.makeconftest("import pytest\n\n" + textwrap.dedent(text))

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run it in this process."""
        plugin = [] if INSTALLED else ["-p", NAME]
        # This process has imported our packages before the inner pytest could rewrite their assertions.
        quiet = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")
        # pytest-asyncio warns of a setting that only its users have.
        without = ("-p", "no:cacheprovider", "-p", "no:asyncio")
        return self.pytester.runpytest_inprocess(*plugin, *without, *quiet, *arguments)

    def run_apart(self, *arguments: str, plugins: Sequence[str] = (), timeout: float = 60) -> pytest.RunResult:
        """Run it in a process of its own, with these plugins besides ours and no others."""
        return self.pytester.runpytest_subprocess(*self.apart(*plugins), *arguments, timeout=timeout)

    def apart(self, *plugins: str) -> list[str]:
        """The arguments for a process with these plugins besides ours and no others."""
        self._environ.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        return [argument for plugin in (NAME, *plugins, "no:cacheprovider") for argument in ("-p", plugin)]
