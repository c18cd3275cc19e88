"""`--mparticle-url`: the same fixtures and assertions with a fake in another process; one suite runs both ways."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec

import anyio
import pytest

from mparticle_fake_server import FakeServer
from mparticle_pytest_plugin.errors import ClaimError, MParticleError
from mparticle_pytest_plugin.marker import Allowance
from mparticle_pytest_plugin.remote import RemoteSource
from mparticle_pytest_plugin.source import LocalSource, Source
from mparticle_pytest_plugin.verdicts import Trial, late_lines
from tests.conftest import RealPart
from tests.pytest_plugin.suites import SENDING, Suite

pytest_plugins = ["pytester"]

CORE = """
    import threading
    import time

    def test_reads_events_batches_and_requests(fake_mparticle):
        assert not fake_mparticle.events
        send(fake_mparticle, batch(event("login"), event("logout")))
        send(fake_mparticle, [GOOD, GOOD], path="/v2/bulkevents")
        assert [found["event_name"] for found in fake_mparticle.events] == ["login", "logout", "purchase", "purchase"]
        assert [found.status for found in fake_mparticle.requests] == [202, 202]
        assert [found.verdict for found in fake_mparticle.batches] == ["accepted"] * 3

    def test_filters(fake_mparticle):
        send(fake_mparticle, batch(event("login"), user_identities={"customer_id": "c2"}))
        send(fake_mparticle)
        assert fake_mparticle.events.by(customer_id="c1").one()["event_name"] == "purchase"

    def test_waits(fake_mparticle):
        threading.Timer(0.1, send, [fake_mparticle]).start()
        assert len(fake_mparticle.wait_for("purchase", timeout=5)) == 1

    def test_waits_in_vain(fake_mparticle):
        send(fake_mparticle, batch(event("login")))
        began = time.monotonic()
        with pytest.raises(AssertionError, match="purchase"):
            fake_mparticle.wait_for("purchase", timeout=0.2)
        assert 0.2 <= time.monotonic() - began < 2

    @pytest.mark.anyio
    async def test_waits_async(fake_mparticle):
        threading.Timer(0.1, send, [fake_mparticle]).start()
        await fake_mparticle.wait_for_async("purchase", timeout=5)

    @pytest.fixture
    def anyio_backend():
        return "asyncio"

    def test_expects(fake_mparticle):
        send(fake_mparticle, batch(event("login")))
        with fake_mparticle.expect("purchase"):
            send(fake_mparticle)
        fake_mparticle.assert_order("login", "purchase")
        fake_mparticle.assert_not_received("logout")
        fake_mparticle.assert_valid()

    def test_meets_faults(fake_mparticle):
        fake_mparticle.fail_next(status=429, retry_after=1, times=2)
        assert [send(fake_mparticle) for _ in range(3)] == [429, 429, 202]
        assert len(fake_mparticle.events) == 1

    def test_has_an_impossible_fault(fake_mparticle):
        with pytest.raises(Exception, match="status=200; expected the status of a failure, from 400 to 599"):
            fake_mparticle.fail_next(status=200)

    def test_claims(fake_mparticle):
        fake_mparticle.claim("a-key", None)
        assert send(fake_mparticle, key="a-key", secret="any") == 202
        fake_mparticle.assert_received("purchase")

    def test_claims_again(fake_mparticle):
        test_claims(fake_mparticle)

    def test_intercepts(fake_mparticle):
        import requests
        with fake_mparticle.intercept():
            requests.post("https://s2s.mparticle.com/v2/events", json=GOOD, auth=(fake_mparticle.key, fake_mparticle.secret))
        fake_mparticle.assert_received("purchase")

    @pytest.mark.mparticle(mode="strict", allow_invalid=["required_missing"])
    def test_is_strict(fake_mparticle):
        assert send(fake_mparticle, BAD) == 400
        assert not fake_mparticle.batches

    def test_bad_fails(fake_mparticle):
        send(fake_mparticle, BAD)

    def test_fails_and_lists_what_it_sent(fake_mparticle):
        send(fake_mparticle)
        send(fake_mparticle, secret="wrong")
        assert False, "by itself"

    def test_warned(fake_mparticle):
        send(fake_mparticle, WARNED)

    late = threading.Event()
    threads = []

    def test_sends_late(fake_mparticle):
        threads.append(threading.Thread(target=lambda: (late.wait(5), send(fake_mparticle))))
        threads[0].start()

    def test_next(fake_mparticle):
        late.set()
        threads[0].join()
        assert not fake_mparticle.requests
"""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture(params=["here", "there"])
def source(request: pytest.FixtureRequest, server: FakeServer) -> Iterator[Source]:
    source: Source = LocalSource() if request.param == "here" else RemoteSource(server.url)
    yield source
    source.close()


def workspaces(server: FakeServer) -> list[str]:
    return [workspace.name for workspace in server.intake.workspaces if workspace.name != "default"]


@pytest.mark.parametrize("where", ["here", "there", "there, guarded by a token"])
def test_one_suite_runs_both_ways(suite: Suite, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.write(CORE)
    token = "the-token" if "token" in where else None
    with FakeServer(token=token) as server:
        if token:
            monkeypatch.setenv("MPARTICLE_FAKE_TOKEN", token)

        result = suite.run(*([] if where == "here" else ["--mparticle-url", f"{server.url}/"]))

        left = workspaces(server), server.intake.recorder.last_id()
    result.assert_outcomes(passed=15, failed=2, warnings=1)
    result.stdout.fnmatch_lines(
        ["FAILED *::test_bad_fails - *required_missing*", "FAILED *::test_fails_and_lists_* - *by itself*"]
    )
    result.stdout.fnmatch_lines(
        ["*- mParticle -*", "*answered 202", "    custom_event 'purchase'", "    error credentials_wrong*"]
    )
    result.stdout.fnmatch_lines(["test_it.py::test_sends_late: 1 request, 1 event: custom_event 'purchase'"])
    assert left[0] == []
    assert (left[1] > 0) == (where != "here")


def test_the_ini_file_may_name_the_address(suite: Suite, server: FakeServer) -> None:
    suite.ini(f"mparticle_url = {server.url}")
    suite.write(f"""
        def test_url(fake_mparticle):
            assert fake_mparticle.url == "{server.url}"
    """)

    result = suite.run()

    result.assert_outcomes(passed=1)


def test_workers_share_a_remote_fake(suite: Suite, server: FakeServer) -> None:
    suite.write("""
        @pytest.mark.parametrize("number", range(20))
        def test_sends(fake_mparticle, number):
            send(fake_mparticle, batch(event(f"event {number}")))
            assert [found["event_name"] for found in fake_mparticle.events] == [f"event {number}"]
    """)

    result = suite.run_apart("-n", "2", "--mparticle-url", server.url, plugins=["xdist"])

    result.assert_outcomes(passed=20)
    assert workspaces(server) == []


# -- what can be wrong there ------------------------------------------------------------------------------------------------


def test_an_address_where_nothing_answers_is_told(suite: Suite) -> None:
    suite.write("""
        def test_any(fake_mparticle):
            pass
    """)

    result = suite.run("--mparticle-url", "http://127.0.0.1:1")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["The fake at http://127.0.0.1:1 does not answer *mparticle-fake serve*"])


def test_a_wrong_address_is_told_once_and_ends_the_run(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.parametrize("number", range(20))
        def test_any(fake_mparticle, number):
            pass
    """)

    result = suite.run("--mparticle-url", "http://127.0.0.1:1")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*mparticle: the fake of --mparticle-url cannot be used*"])


def test_an_address_of_something_else_is_told() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def answer() -> None:
            with closing(listener.accept()[0]) as connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")

        thread = threading.Thread(target=answer)
        thread.start()

        with pytest.raises(MParticleError, match=r"is no fake mParticle: GET /_fake/health got 200, b'hello'"):
            RemoteSource(f"http://127.0.0.1:{listener.getsockname()[1]}")

        thread.join()


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_missing_or_wrong_token_names_the_variable(token: str | None) -> None:
    with FakeServer(token="right") as server, pytest.raises(MParticleError, match=r"401.*MPARTICLE_FAKE_TOKEN has it"):
        RemoteSource(server.url, token)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8])
def test_what_a_fake_had_before_the_run_is_not_read(server: FakeServer, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    for _ in range(count):
        namespace["send"](server.url, key="stranger", secret="s", path="/v2/event")
    answers: list[bytes] = []
    answer = RemoteSource._answer

    def told(self: RemoteSource, method: str, target: str, body: object = None) -> bytes:
        assert "limit=1000" not in target or f"after={count}" in target, "reads what came before the run"
        assert "stats" not in target
        answers.append(answer(self, method, target, body))
        return answers[-1]

    monkeypatch.setattr(RemoteSource, "_answer", told)

    with closing(RemoteSource(server.url)) as source:
        source.open_workspace("test #1", "key", "s", mode="faithful")
        seen = source.requests(None), source.requests("test #1"), source.batches("test #1"), source.late()

    assert seen == ([], [], [], [])
    assert len(answers) < 20


def test_a_fake_that_ends_meanwhile_fails_the_tests_and_does_not_hang(suite: Suite) -> None:
    suite.write("""
        def test_stops_it(fake_mparticle, fake_mparticle_server):
            from stopping import server
            server.stop()
            fake_mparticle.wait_for("purchase", timeout=5)

        def test_next(fake_mparticle):
            pass
    """)
    with FakeServer() as server:
        suite.pytester.makepyfile(stopping="server = None")
        suite.conftest("""
            import gc, stopping
            from mparticle_fake_server import FakeServer

            stopping.server = next(found for found in gc.get_objects() if type(found) is FakeServer and found._thread)
        """)

        result = suite.run("--mparticle-url", server.url)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*The fake at http://127.0.0.1:* does not answer*"])
    result.stdout.no_fnmatch_line("*direct cause of the following exception*")  # of http.client, a screen long


def test_a_connection_that_was_closed_for_its_silence_is_made_anew(server: FakeServer) -> None:
    source = RemoteSource(server.url)
    source.open_workspace("test #1", "key", "s", mode="faithful")
    source._idle[0].sock.shutdown(socket.SHUT_RDWR)

    assert source.batches("test #1") == []

    source.close()


# -- both sources -----------------------------------------------------------------------------------------------------------


namespace: dict[str, Callable[..., int]] = {}
exec(SENDING, namespace)


def upload(source: Source, key: str, path: str = "/v2/events") -> int:
    return namespace["send"](source.url, key=key, secret="s", path=path)


def test_names_with_odd_characters_are_workspaces_too(source: Source) -> None:
    name = "tests/test_a.py::TestÄ::test[a/b?c&d=e #%2F+\u2028] #1"
    source.open_workspace(name, "key", "s", mode="faithful")
    upload(source, "key")

    seen = len(source.batches(name)), len(source.events(name)), len(source.requests(name))
    source.retire_workspace(name)
    upload(source, "key")

    assert seen == (1, 1, 1)
    assert source.late() == [name]
    assert len(source.events(name)) == 1


def test_a_key_of_another_test_cannot_be_claimed_by_either(source: Source) -> None:
    source.open_workspace("tests/test_a.py::test_first #1", "key1", "s", mode="faithful")
    source.open_workspace("tests/test_a.py::test_second #2", "key2", "s", mode="faithful")
    source.claim("tests/test_a.py::test_first #1", "the-key", None)

    with pytest.raises(ClaimError, match=r"'the-key' is claimed by the test tests/test_a\.py::test_first until it ends"):
        source.claim("tests/test_a.py::test_second #2", "the-key", None)


@pytest.mark.parametrize("key", ["", "a:b"])
def test_an_impossible_key_cannot_be_claimed_by_either(source: Source, key: str) -> None:
    source.open_workspace("test #1", "key1", "s", mode="faithful")

    with pytest.raises(ClaimError, match="is empty or has a colon"):
        source.claim("test #1", key, None)


def test_more_than_a_page_is_read_and_only_once(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mparticle_pytest_plugin.remote.PAGE", 2)
    source.open_workspace("test #1", "key", "s", mode="faithful")
    for _ in range(5):
        upload(source, "key")
    first = source.batches("test #1")
    upload(source, "key")

    second = source.batches("test #1")

    assert (len(first), len(second)) == (5, 6)
    assert [batch.id for batch in second[:5]] == [batch.id for batch in first]
    assert second[0] is first[0]


def test_unclaimed_requests_are_those_with_unknown_paths_and_credentials(source: Source) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")
    upload(source, "key")
    upload(source, "stranger", path="/v2/event")

    assert [(item.status, item.workspace) for item in source.requests(None)] == [(404, None)]


def test_a_wait_is_woken_by_what_arrives(source: Source) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")
    source.url  # noqa: B018  # listens
    began = time.monotonic()
    timer = threading.Timer(0.2, upload, [source, "key"])
    timer.start()

    met = source.wait(lambda: bool(source.batches("test #1")), 10)

    assert met
    assert 0.2 <= time.monotonic() - began < 1
    timer.join()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_asynchronous_wait_is_woken_by_what_arrives_and_lets_others_run(
    source: Source, real_part: RealPart, backend: str
) -> None:
    real_part(find_spec(backend) is not None, f"{backend} is not installed")
    source.open_workspace("test #1", "key", "s", mode="faithful")
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await anyio.sleep(0.01)
            turns += 1

    async def wait() -> bool:
        async with anyio.create_task_group() as group:
            group.start_soon(turn)
            sending = threading.Timer(0.2, upload, (source, "key"))
            sending.start()
            met = await source.wait_async(lambda: bool(source.batches("test #1")), 10)
            sending.join()
            group.cancel_scope.cancel()
        return met

    began = time.monotonic()

    assert anyio.run(wait, backend=backend)

    assert time.monotonic() - began < 2
    assert turns > 5


def test_an_asynchronous_wait_ends_in_time(source: Source) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")
    began = time.monotonic()

    met = asyncio.run(source.wait_async(lambda: False, 0.2))

    assert not met
    assert 0.2 <= time.monotonic() - began < 2


def stop_the_clock(stopped: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    stopped.setattr(time, "monotonic", lambda: now)


def ends(wait: Callable[..., object], *arguments: object) -> bool:
    """Whether a wait comes to its end, in a thread: one that does not would hold the test for ever."""
    waiting = threading.Thread(target=wait, args=arguments, daemon=True)
    waiting.start()
    waiting.join(10)
    return not waiting.is_alive()


def test_a_wait_ends_in_time_although_the_test_has_stopped_the_clock(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")
    with monkeypatch.context() as stopped:
        stop_the_clock(stopped)

        assert ends(source.wait, lambda: False, 0.2)


def test_an_asynchronous_wait_ends_in_time_although_the_test_has_stopped_the_clock(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")

    async def wait() -> bool:
        # The loop goes on, as it does where only the code under test has the clock stopped.
        asyncio.get_running_loop().time = time.monotonic  # type: ignore[method-assign]
        stop_the_clock(stopped)
        return await asyncio.wait_for(source.wait_async(lambda: False, 0.2), 10)

    with monkeypatch.context() as stopped:
        assert not asyncio.run(wait())


def test_a_wait_ends_in_time_although_the_clock_stands_still_and_something_else_keeps_coming(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")

    def until() -> bool:
        # What never lets it sleep in vain: the next thing comes as soon as it has seen the last.
        upload(source, "key")
        return False

    with monkeypatch.context() as stopped:
        stop_the_clock(stopped)

        assert ends(source.wait, until, 0.2)


def test_an_asynchronous_wait_ends_in_time_although_the_clock_of_its_event_loop_stands_still(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")
    with monkeypatch.context() as stopped:
        stop_the_clock(stopped)

        assert ends(lambda: asyncio.run(source.wait_async(lambda: False, 0.2)))


def test_an_asynchronous_wait_ends_in_time_although_the_clock_of_trio_stands_still(source: Source, real_part: RealPart) -> None:
    real_part(find_spec("trio") is not None, "trio is not installed")
    import trio
    import trio.testing

    source.open_workspace("test #1", "key", "s", mode="faithful")

    def wait() -> None:
        trio.run(source.wait_async, lambda: False, 0.2, clock=trio.testing.MockClock())

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(10)

    assert not waiting.is_alive()


def test_what_is_recorded_after_the_loop_of_a_wait_has_ended_does_no_harm(source: Source) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")
    asyncio.run(source.wait_async(lambda: False, 0.01))

    assert upload(source, "key") == 202


def test_what_arrives_between_the_verdict_and_the_end_is_late(source: Source) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")
    trial = Trial(source, "test #1", Allowance(), "test.py", 1)
    upload(source, "key")
    trial.judge()
    upload(source, "key")

    source.retire_workspace("test #1")

    assert late_lines(source) == ["test: 1 request, 1 event: custom_event 'purchase'"]


def test_a_wait_with_two_workspaces_is_woken_by_either(source: Source) -> None:
    source.open_workspace("test #1", "key1", "s", mode="faithful")
    source.open_workspace("test #2", "key2", "s", mode="faithful")
    upload(source, "key2")
    source.batches("test #2")
    timer = threading.Timer(0.1, upload, [source, "key1"])
    timer.start()

    assert source.wait(lambda: bool(source.batches("test #1")), 10)
    timer.join()


def test_rejected_batches_are_told_by_both_and_wake_too(source: Source) -> None:
    source.open_workspace("test #1", "key", "s", mode="strict")
    body = {"events": [{"event_type": "custom_event", "data": {}}]}
    timer = threading.Timer(0.1, namespace["send"], [source.url, body, "key", "s"])
    timer.start()

    assert source.wait(lambda: [batch.verdict for batch in source.batches("test #1")] == ["rejected"], 0.9)
    timer.join()


def test_closing_twice_does_no_harm(source: Source) -> None:
    source.open_workspace("test #1", "key", "s", mode="faithful")

    source.close()
    source.close()


def test_a_remote_fake_keeps_nothing_of_a_test(server: FakeServer) -> None:
    source = RemoteSource(server.url)
    source.open_workspace("test #1", "key", "s", mode="faithful")
    upload(source, "key")
    source.retire_workspace("test #1")
    upload(source, "key")

    source.close()

    assert workspaces(server) == []
    assert list(server.intake.recorder.requests()) == []
