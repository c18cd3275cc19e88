"""Nothing of one test leaks into another: 500 tests that send at the same time, and what is sent after its test has ended."""

import http.client
import json
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from mparticle_fake_server import FakeServer
from mparticle_pytest_plugin.marker import Allowance
from mparticle_pytest_plugin.source import LocalSource, workspace_name
from mparticle_pytest_plugin.verdicts import Trial, late_lines
from tests.hosts import batch, event
from tests.pytest_plugin.suites import Suite

pytest_plugins = ["pytester"]

TESTS = 500

LATE = """
    import threading

    ended = threading.Event()
    threads = []

    def send_later(*arguments):
        def run():
            ended.wait(10)
            send(*arguments)

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)
"""

LET_THEM_SEND = """
    def test_next(fake_mparticle):
        ended.set()
        for thread in threads:
            thread.join()
        assert not fake_mparticle.requests
"""


def test_what_comes_late_is_told_at_the_end_with_the_test_that_sent_it_and_reaches_no_other(suite: Suite) -> None:
    suite.write(
        LATE,
        """
        def test_leaves_threads(fake_mparticle):
            send_later(fake_mparticle, batch(event("login"), event("logout")))
            send_later(fake_mparticle, BAD)

        """,
        LET_THEM_SEND,
    )

    result = suite.run()

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*mParticle: sent after the test had ended*",
            "test_it.py::test_leaves_threads: 2 requests, 3 events: *custom_event '*', custom_event '*'*",
            "No test saw these. *",
        ],
        consecutive=True,
    )


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "there"])
def test_a_client_that_is_kept_from_an_earlier_test_is_told_where_it_is_missed(suite: Suite, elsewhere: bool) -> None:
    suite.write("""
        from functools import cache
        from types import SimpleNamespace

        @cache
        def client(inbox=None):
            return SimpleNamespace(url=inbox.url, key=inbox.key, secret=inbox.secret)

        @pytest.fixture
        def upload(fake_mparticle):
            kept.append(fake_mparticle)
            return lambda: send(client(kept[0]))

        kept = []

        def test_first(fake_mparticle, upload):
            upload()
            fake_mparticle.assert_received("purchase")

        def test_second(fake_mparticle, upload):
            upload(), upload()
            fake_mparticle.assert_received("purchase")
    """)

    with FakeServer() as server:
        result = suite.run(*(["--mparticle-url", server.url] if elsewhere else []))

    told = [
        "2 requests came meanwhile with the key of test_it.py::test_first, which has ended. Does the code under test keep a",
        "client, or its key, from one test to the next?",
    ]
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            'E  *AssertionError: no event "purchase" was received',
            "E  *nothing was received with the key *",
            *(f"E  *{line}" for line in told),
            "",
            "*- mParticle -*",
            "Nothing was sent with this test's key.",
            *told,
            "*= mParticle: sent after the test had ended =*",
            "test_it.py::test_first: 2 requests, 2 events: *",
            "*a client that it keeps from one test to the next sends with the key of the first.",
        ],
        consecutive=False,
    )
    result.stdout.no_fnmatch_line("*only comes here with fake_mparticle.intercept()*")


def test_a_retry_after_that_one_test_asks_for_does_not_stop_the_official_sdk_in_the_next(suite: Suite) -> None:
    suite.write("""
        import mparticle
        from mparticle.rest import ApiException

        def upload(inbox):
            configuration = mparticle.Configuration()
            configuration.api_key, configuration.api_secret = inbox.key, inbox.secret
            configuration.host = inbox.url + "/v2"
            body = mparticle.Batch()
            body.environment = "development"
            body.user_identities = mparticle.UserIdentities(customerid="c1")
            body.events = [mparticle.AppEvent("login", "navigation")]
            mparticle.EventsApi(configuration).upload_events(body)

        @pytest.mark.parametrize("fail", ["fail_next", "fail_always"])
        def test_is_limited(fake_mparticle, fail):
            upload(fake_mparticle)
            getattr(fake_mparticle, fail)(status=429, retry_after=3600)
            with pytest.raises(ApiException):
                upload(fake_mparticle)

        def test_next(fake_mparticle):
            upload(fake_mparticle)
            fake_mparticle.assert_received("login")
    """)

    suite.run_apart("-W", "ignore").assert_outcomes(passed=3)


def test_what_is_sent_with_a_claimed_key_after_its_test_is_told_at_the_end(suite: Suite) -> None:
    suite.write("""
        @pytest.fixture(scope="session")
        def url(fake_mparticle_server):
            return fake_mparticle_server.url

        def test_before(url):
            assert send(url, key="fixed", secret="s") == 403

        @pytest.mark.parametrize("number", range(2))
        def test_claims(fake_mparticle, url, number):
            fake_mparticle.claim("fixed")
            send(url, key="fixed", secret="s")
            fake_mparticle.assert_received("purchase", times=1)

        def test_between(url):
            assert [send(url, key="fixed", secret="s") for _ in range(3)] == [403, 403, 403]
            assert send(url, key="of nobody", secret="s") == 403
    """)

    result = suite.run()

    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        [
            "*= mParticle: sent after the test had ended =*",
            "the key 'fixed', when no test claimed it any more: 3 requests, refused",
            "No test saw these. *",
        ]
    )
    result.stdout.no_fnmatch_line("*of nobody*")


def test_nothing_is_said_where_nothing_came_late(suite: Suite) -> None:
    suite.write("""
        def test_good(fake_mparticle):
            send(fake_mparticle)
    """)

    result = suite.run()

    result.stdout.no_fnmatch_line("*after the test had ended*")


def test_workers_of_xdist_tell_what_came_late_too(suite: Suite) -> None:
    suite.write(
        LATE,
        """
        def test_leaves_threads(fake_mparticle):
            send_later(fake_mparticle)

        """,
        LET_THEM_SEND,
    )

    result = suite.run_apart("-n", "2", "--dist=loadfile", plugins=["xdist"])

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["test_it.py::test_leaves_threads: 1 request, 1 event: custom_event 'purchase'"])


def test_late_batches_of_many_tests_are_bounded(suite: Suite) -> None:
    suite.write(
        LATE,
        """
        @pytest.mark.parametrize("number", range(30))
        def test_leaves_threads(fake_mparticle, number):
            send_later(fake_mparticle)

        """,
        LET_THEM_SEND,
    )

    result = suite.run()

    result.stdout.fnmatch_lines(["… and 10 more tests"])


def upload(url: str, key: str, *names: str) -> int:
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)) as connection:
        body = json.dumps(batch(events=[event(name) for name in names]))
        connection.request("POST", "/v2/events", body, {"Authorization": "Basic " + b64encode(f"{key}:s".encode()).decode()})
        return connection.getresponse().status


def test_500_tests_that_send_at_the_same_time_and_late_see_what_is_theirs() -> None:
    source = LocalSource()
    url = source.url
    over = threading.Event()

    def one_test(number: int) -> tuple[list[str], threading.Thread]:
        name, key = workspace_name("test_it.py::test", f"{number:04}"), f"key-{number}"
        source.open_workspace(name, key, "s", mode="faithful")
        trial = Trial(source, name, Allowance(), "test.py", 1)
        upload(url, key, f"event {number}")
        assert source.wait(lambda: bool(source.events(name)), 5)
        seen = [item.event["data"]["event_name"] for item in source.events(name)]
        late = threading.Thread(target=lambda: (over.wait(), upload(url, key, f"late {number}")))
        if number % 10 == 0:
            late.start()
        assert trial.judge() is None
        trial.end()
        return seen, late

    with ThreadPoolExecutor(16) as executor:
        results = list(executor.map(one_test, range(TESTS)))
    over.set()
    for _, late in results[::10]:
        late.join()

    assert [seen for seen, _ in results] == [[f"event {number}"] for number in range(TESTS)]
    lines = late_lines(source)
    assert sorted(line.rpartition(" ")[2] for line in lines) == sorted(f"{number}'" for number in range(0, TESTS, 10))
    source.close()


@pytest.mark.slow
def test_500_tests_on_16_workers_with_late_threads(suite: Suite) -> None:
    suite.write(f"""
        import threading

        previous = []

        @pytest.mark.parametrize("number", range({TESTS}))
        def test_sends(fake_mparticle, number):
            for over, thread in previous:
                over.set()
            assert not fake_mparticle.requests
            for step in range(3):
                send(fake_mparticle, batch(event(f"event {{number}}.{{step}}")))
            for over, thread in previous:
                thread.join()
            names = [found["event_name"] for found in fake_mparticle.wait_for(count=3)]
            assert names == [f"event {{number}}.{{step}}" for step in range(3)]
            over = threading.Event()
            thread = threading.Thread(target=lambda: (over.wait(), send(fake_mparticle)), daemon=True)
            thread.start()
            previous[:] = [(over, thread)]
    """)

    result = suite.run_apart("-n", "16", "-q", plugins=["xdist"], timeout=120)

    result.assert_outcomes(passed=TESTS)
    result.stdout.fnmatch_lines(["*after the test had ended*", "* and 4* more tests"])
