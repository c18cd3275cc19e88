"""What pytest calls: fixtures, options, the marker, and when to judge. The work is in the other modules, imported when needed.

This module is imported in every pytest run of whoever has us installed, so it imports nothing that costs time.
"""

import inspect
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest

from . import settings
from .settings import SETTINGS

if TYPE_CHECKING:
    from faker import Faker

    from .inbox import Inbox
    from .source import Source
    from .verdicts import Trial

TRIAL: "pytest.StashKey[Trial]" = pytest.StashKey()
"""What a test sent, while it runs."""

LATE: "pytest.StashKey[list[str]]" = pytest.StashKey()
"""Lines for the end of the run: what arrived after its test."""

HIDDEN = "_mparticle_late"
"""Under which a worker of pytest-xdist hands its LATE to the controller."""


# -- options ---------------------------------------------------------------------------------------------------------------


NAMES: Final = ("mparticle_pytest_plugin", __name__)
"""What loads this module after `-p` and in `pytest_plugins`: the name of the entry point, and that of the module."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the options and their ini twins."""
    # Called by one name, and by the other too, this would be two plugins with the same options.
    for name in NAMES:
        if not pluginmanager.has_plugin(name):
            pluginmanager.set_blocked(name)
    settings.declare(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the options, and describe the marker."""
    config.addinivalue_line("markers", settings.MARKER_HELP)
    config.stash[SETTINGS] = settings.Settings(config)
    config.stash[LATE] = []


def pytest_report_header(config: pytest.Config) -> str:
    """Say which fake the tests use, and how it answers."""
    return f"mparticle: {config.stash[SETTINGS].describe()}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a test that is marked with `intercept=True` its fake, before all that might send; whether it asks for it or not."""
    if not isinstance(item, pytest.Function) or item.get_closest_marker("mparticle") is None:
        return
    from .marker import wants_intercept

    if wants_intercept(item):
        # A new list: the old one is shared with the other parameters of the test, which may be marked otherwise.
        item.fixturenames = ["fake_mparticle", *(name for name in item.fixturenames if name != "fake_mparticle")]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a mistyped marker, whether its test asks for the fake or not; the other tests run."""
    if item.get_closest_marker("mparticle") is None:
        return
    from .marker import read_marker

    try:
        read_marker(item)
    except pytest.UsageError as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    """Fail with this text alone: pytest.fail in an `except` shows the exception that is being handled too, with its text."""
    raise pytest.fail.Exception(message, pytrace=False) from None


# -- fixtures --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def fake_mparticle_address() -> tuple[str, int]:
    """Where the fake listens: host and port, ("127.0.0.1", 0) by default. Override it; port 0 takes a free one."""
    return "127.0.0.1", 0


@pytest.fixture(scope="session")
def fake_mparticle_options() -> dict[str, Any]:
    """Defaults of the fake, {} if not overridden.

    timeout: how long wait_for and expect wait, in seconds (2). mode: how it answers, if neither a marker nor an option says so.
    ignore, error: codes of findings that are left out, or errors, in every test. max_body: bytes that a body may have
    (2 000 000). keep: how many batches are kept at least (100 000). certificates: a folder in which the CA of `.tls_url` is
    kept from run to run (made anew for each). The last three do nothing with --mparticle-url.
    """
    return {}


@pytest.fixture(scope="session")
def fake_mparticle_server(
    request: pytest.FixtureRequest, fake_mparticle_address: tuple[str, int], fake_mparticle_options: dict[str, Any]
) -> "Iterator[Source]":
    """The fake mParticle of this run: one in each process, or the one of --mparticle-url.

    It listens once `.url` is read, for HTTPS once `.tls_url` is.
    """
    from .errors import MParticleError, UsageError
    from .options import check_address, check_options
    from .source import open_source
    from .verdicts import late_lines

    config = request.config
    try:
        check_address(fake_mparticle_address)
        check_options(fake_mparticle_options)
        source = open_source(config.stash[SETTINGS], fake_mparticle_address, fake_mparticle_options)
    except MParticleError as error:
        if config.stash[SETTINGS].url is not None and not isinstance(error, UsageError):
            # What is wrong there is so for each test: once is enough.
            request.session.shouldfail = "mparticle: the fake of --mparticle-url cannot be used"
        _fail(str(error))
    try:
        yield source
        config.stash[LATE] += late_lines(source)
    finally:
        source.close()


@pytest.fixture
def fake_mparticle(
    request: pytest.FixtureRequest, fake_mparticle_server: "Source", fake_mparticle_options: dict[str, Any]
) -> "Iterator[Inbox]":
    """An mParticle of the test's own: `.url`, `.key` and `.secret` to send to; `.events`, `.wait_for`, `.assert_received` to ask.

    `.tls_url` is the same fake over HTTPS, for clients that trust the CA in the file `.ca_path`.

    The test fails if something that it sent has an error, or would be dropped by production. To allow that:
    @pytest.mark.mparticle(allow_invalid=True), or a list of finding codes.
    """
    from .errors import MParticleError, UsageError
    from .inbox import Inbox
    from .marker import read_marker
    from .options import check_options
    from .source import workspace_name
    from .verdicts import Trial

    item: pytest.Item = request.node
    run = request.config.stash[SETTINGS]
    marker = read_marker(item)
    options = fake_mparticle_options
    mark = os.urandom(4).hex()
    workspace, key, secret = workspace_name(item.nodeid, mark), f"test-{mark}", f"secret-{os.urandom(4).hex()}"
    try:
        check_options(options)  # once more: a folder or a module may have others than the run
        fake_mparticle_server.open_workspace(
            workspace,
            key,
            secret,
            mode=marker.mode or run.mode or options.get("mode", "faithful"),
            ignore=options.get("ignore", ()),
            error=options.get("error", ()),
        )
    except MParticleError as error:
        _fail(str(error))
    path, line, _ = item.reportinfo()
    trial = Trial(fake_mparticle_server, workspace, marker.allowance(run.allow), str(path), (line or 0) + 1)
    item.stash[TRIAL] = trial
    inbox = Inbox(fake_mparticle_server, workspace, key, secret, item.nodeid, options.get("timeout", 2.0))
    inbox.in_coroutine = inspect.iscoroutinefunction(getattr(item, "function", None))
    trial.inbox = inbox
    told: list[str] = []
    try:
        if marker.intercept:
            inbox.intercept()
        yield inbox
    finally:
        try:
            # Which may have something to say itself: of an interception, of an expectation that nobody entered.
            if not fake_mparticle_server.forked:
                inbox.close(failed=trial.failed)
        except MParticleError as error:
            if not trial.skipped:
                if not isinstance(error, UsageError):
                    raise
                told.append(str(error))
        finally:
            failed = trial.failed
            # A test that broke off, as it was to be skipped or to fail, is not made red by what it had sent till then.
            reason = None if trial.skipped else trial.judge(over=True)
            trial.end()
    # One that failed by itself does so once; its report lists what it sent.
    if reason is not None and not failed:
        told.append(reason)
    if told:
        _fail("\n\n".join(told))


@pytest.fixture
def mparticle_faker(request: pytest.FixtureRequest) -> "Faker":
    """A Faker that makes users, devices, events and batches too: `mparticle_faker.mparticle_batch(platform="iOS")`.

    A test gets the same values in every run of a day, and others than other tests. The fixtures `faker_seed` and `faker_locale`
    count as for Faker's own fixture.
    """
    from faker import Faker

    from mparticle_fixtures import MParticleProvider

    given = {name: request.getfixturevalue(name) for name in ("faker_locale", "faker_seed") if name in request.fixturenames}
    fake = Faker(given.get("faker_locale"))
    for factory in fake.factories:
        factory.add_provider(MParticleProvider)
    fake.seed_instance(given.get("faker_seed", request.node.nodeid))
    return fake


# -- verdicts --------------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Let a test fail for what it sent so far, as one that fails by itself; what comes in its teardown, the fixture judges."""
    result = yield
    trial = item.stash.get(TRIAL, None)
    reason = trial.judge() if trial is not None else None
    if reason is not None:
        _fail(reason)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what a failed test sent to its report, and write it to the folder of --mparticle-dump."""
    report = yield
    trial = item.stash.get(TRIAL, None)
    if trial is not None:
        trial.report(report, item.config.stash[SETTINGS].dump)
        if report.when == "teardown":
            del item.stash[TRIAL]
    return report


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Say how an event differs from what `==` compares it with."""
    if op != "==" or not any(type(side).__module__.startswith("mparticle_pytest_plugin.") for side in (left, right)):
        return None
    from .report import explain_equality

    return explain_equality(left, right)


# -- the end of the run ----------------------------------------------------------------------------------------------------


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker of pytest-xdist, hand over what came late."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[HIDDEN] = session.config.stash[LATE]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what came late from a worker of pytest-xdist; one that crashed has none."""
    node.config.stash[LATE] += getattr(node, "workeroutput", {}).get(HIDDEN, [])


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """List the tests after whose end something was sent with their keys."""
    late = terminalreporter.config.stash[LATE]
    if late:
        from .verdicts import tell_late

        terminalreporter.ensure_newline()
        terminalreporter.section("mParticle: sent after the test had ended")
        terminalreporter.write_line(tell_late(late))
