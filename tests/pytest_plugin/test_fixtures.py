"""The fixtures: a fake for the run that listens lazily, an Inbox for each test, and what a suite may override."""

import socket
import sys
from contextlib import closing
from importlib.util import find_spec

import pytest

from mparticle_pytest_plugin.source import LocalSource
from tests.conftest import RealPart
from tests.pytest_plugin.suites import INSTALLED, Suite

pytest_plugins = ["pytester"]


def test_tests_have_keys_and_workspaces_of_their_own_on_one_server(suite: Suite) -> None:
    suite.write("""
        seen = set()

        @pytest.mark.parametrize("number", range(3))
        def test_sees_its_own_alone(fake_mparticle, number):
            assert not fake_mparticle.events
            assert send(fake_mparticle) == 202
            assert len(fake_mparticle.events) == 1
            seen.add((fake_mparticle.key, fake_mparticle.secret, fake_mparticle.url))

        def test_all():
            assert [len(set(values)) for values in zip(*seen)] == [3, 3, 1]
    """)

    result = suite.run()

    result.assert_outcomes(passed=4)


def test_no_socket_is_bound_before_somebody_asks_for_the_url(suite: Suite) -> None:
    suite.write("""
        import threading

        def listening():
            return any(thread.name == "mparticle-fake" for thread in threading.enumerate())

        def test_lazy(fake_mparticle, fake_mparticle_server):
            assert not listening()
            assert fake_mparticle.url == fake_mparticle_server.url
            assert listening()
    """)

    result = suite.run()

    result.assert_outcomes(passed=1)


def test_nothing_is_imported_that_no_test_needs(suite: Suite) -> None:
    suite.write("""
        import sys

        def test_other():
            ours = {name for name in sys.modules if name.startswith("mparticle_")}
            assert ours == {"mparticle_pytest_plugin", "mparticle_pytest_plugin.plugin", "mparticle_pytest_plugin.settings"}
            assert not {"flask", "uvicorn", "jsonschema", "requests", "msgspec"} & set(sys.modules)
    """)

    result = suite.run_apart()

    result.assert_outcomes(passed=1)


def test_the_server_is_gone_after_the_run(suite: Suite) -> None:
    suite.write("""
        def test_sends(fake_mparticle, request):
            send(fake_mparticle)
            request.config.rootpath.joinpath("url").write_text(fake_mparticle.url)
    """)

    suite.run()

    port = int((suite.pytester.path / "url").read_text().rpartition(":")[2])
    with closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


# -- what a suite may override ---------------------------------------------------------------------------------------------


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_the_address_can_be_overridden(suite: Suite) -> None:
    port = free_port()
    suite.conftest(f"""
        @pytest.fixture(scope="session")
        def fake_mparticle_address():
            return "localhost", {port}
    """)
    suite.write(f"""
        def test_url(fake_mparticle):
            assert fake_mparticle.url == "http://localhost:{port}"
            assert send(fake_mparticle) == 202
    """)

    result = suite.run()

    result.assert_outcomes(passed=1)


def test_a_port_in_use_is_told_with_the_fixture_that_chooses_it(suite: Suite) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        suite.conftest(f"""
            @pytest.fixture(scope="session")
            def fake_mparticle_address():
                return "127.0.0.1", {port}
        """)
        suite.write("""
            def test_url(fake_mparticle):
                fake_mparticle.url
        """)

        result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*MParticleError: Port {port} on 127.0.0.1 is in use.*fake_mparticle_address*"])
    result.stdout.no_fnmatch_line("*direct cause of the following exception*")  # the message has all of it


def test_a_suite_without_sockets_is_told_what_needs_none(suite: Suite, real_part: RealPart) -> None:
    real_part(find_spec("pytest_socket") is not None, "pytest-socket is not installed")
    suite.write("""
        def test_url(fake_mparticle):
            fake_mparticle.url
    """)

    result = suite.run_apart("--disable-socket", "-W", "ignore", plugins=["pytest_socket"])

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E  *MParticleError: *pytest-socket*--allow-hosts=127.0.0.1*intercept()*", "test_it.py:6: *"])
    result.stdout.no_fnmatch_line("*direct cause of the following exception*")


def test_defaults_can_be_overridden(suite: Suite) -> None:
    suite.conftest("""
        @pytest.fixture(scope="session")
        def fake_mparticle_options():
            return {"timeout": 0.25, "mode": "strict", "ignore": ["identity_missing"], "max_body": 3000}
    """)
    suite.write("""
        @pytest.mark.mparticle(allow_invalid=True)
        def test_defaults(fake_mparticle):
            assert fake_mparticle.default_timeout == 0.25
            assert send(fake_mparticle, BAD) == 400
            assert send(fake_mparticle, batch(event(text="x" * 3000))) == 413

        def test_ignored(fake_mparticle):
            assert send(fake_mparticle, WARNED) == 202
    """)

    result = suite.run()

    result.assert_outcomes(passed=2, warnings=0)


def test_codes_can_be_made_errors_for_all_tests(suite: Suite) -> None:
    suite.conftest("""
        @pytest.fixture(scope="session")
        def fake_mparticle_options():
            return {"error": ["identity_missing"]}
    """)
    suite.write("""
        def test_warned(fake_mparticle):
            send(fake_mparticle, WARNED)
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["    error identity_missing: *"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ignore": ["identity_mising"]}, ": *identity_mising*did you mean identity_missing*"),
        ({"error": "identity_missing"}, " has error='identity_missing'; expected a list of finding codes."),
        ({"mode": "strikt"}, " has mode='strikt'; expected one of faithful, strict, lenient."),
        ({"timeout": -1}, " has timeout=-1; expected seconds from 0 to 3600."),
        ({"keep": 0}, " has keep=0; expected a whole number of batches, from 1 on."),
        ({"max_body": True}, " has max_body=True; expected a whole number of bytes, from 1 on."),
        ({"certificates": 5}, " has certificates=5; expected the path of a folder."),
        (["mode"], " gives [[]'mode'[]]; expected a dictionary of mode, timeout, ignore, error, keep, max_body, certificates."),
    ],
    ids=str,
)
def test_impossible_defaults_are_told_at_once(suite: Suite, options: object, message: str) -> None:
    suite.conftest(f"""
        @pytest.fixture(scope="session")
        def fake_mparticle_options():
            return {options}
    """)
    suite.write("""
        def test_any(fake_mparticle):
            pass
    """)

    result = suite.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"The fixture fake_mparticle_options{message}"])


def test_impossible_defaults_of_one_file_are_told_too(suite: Suite) -> None:
    suite.pytester.makepyfile(
        test_first="def test_any(fake_mparticle): pass",
        test_second="""
            import pytest

            @pytest.fixture(scope="session")
            def fake_mparticle_options():
                return {"timeout": "long"}

            def test_any(fake_mparticle):
                pass
        """,
    )

    result = suite.run()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["The fixture fake_mparticle_options has timeout='long'; expected seconds from 0 to 3600."])


@pytest.mark.parametrize("address", ["127.0.0.1:80", ("127.0.0.1", "80"), ("127.0.0.1", 99_999), ("127.0.0.1",)], ids=str)
def test_an_impossible_address_is_told_at_once(suite: Suite, address: object) -> None:
    suite.conftest(f"""
        @pytest.fixture(scope="session")
        def fake_mparticle_address():
            return {address!r}
    """)
    suite.write("""
        def test_any(fake_mparticle):
            pass
    """)

    result = suite.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["The fixture fake_mparticle_address gives *; expected a host and a port, such as *"])


# -- claims and intercepted hosts --------------------------------------------------------------------------------------------


def test_two_tests_cannot_claim_a_key_at_once_and_the_error_names_the_other() -> None:
    source = LocalSource()
    for name in ("tests/test_a.py::test_first #1", "tests/test_b.py::test_second #2"):
        source.open_workspace(name, f"key{name[-1]}", "s", mode="faithful")
    source.claim("tests/test_a.py::test_first #1", "the-key", None)

    with pytest.raises(Exception, match=r"'the-key' is claimed by the test tests/test_a\.py::test_first until it ends"):
        source.claim("tests/test_b.py::test_second #2", "the-key", None)

    source.close()


def test_the_report_of_a_claim_that_fails_shows_the_test_and_nothing_of_ours(suite: Suite) -> None:
    suite.write("""
        def test_claims(fake_mparticle, fake_mparticle_server):
            fake_mparticle_server.open_workspace("other #1", "other", "s", mode="faithful")
            fake_mparticle_server.claim("other #1", "the-key", None)
            fake_mparticle.claim("the-key")
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E  *ClaimError: The API key 'the-key' is claimed by the test other until *", "test_it.py:8: *"])
    result.stdout.no_fnmatch_line("*direct cause of the following exception*")


def test_a_released_key_can_be_claimed_by_another() -> None:
    source = LocalSource()
    source.open_workspace("first #1", "key1", "s", mode="faithful")
    source.open_workspace("second #2", "key2", "s", mode="faithful")
    source.claim("first #1", "the-key", None)

    source.release("first #1", "the-key")
    source.claim("second #2", "the-key", None)

    holder = source.server.intake.workspaces.input("the-key")
    assert holder is not None
    assert holder.workspace.name == "second #2"
    source.close()


def test_a_claim_ends_with_its_test(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.parametrize("number", range(3))
        def test_claims(fake_mparticle, number):
            fake_mparticle.claim("the-key", None)
            assert send(fake_mparticle, key="the-key") == 202
            assert len(fake_mparticle.events) == 1

        def test_nobody_has_it(fake_mparticle):
            assert send(fake_mparticle, key="the-key") == 403
    """)

    result = suite.run()

    result.assert_outcomes(passed=4)


def test_a_test_marked_to_intercept_has_a_fake_without_asking_for_it(suite: Suite) -> None:
    suite.write("""
        import requests

        @pytest.mark.mparticle(intercept=True)
        def test_marked():
            answer = requests.post("https://s2s.mparticle.com/v2/events", json=BAD, auth=("any", "any"))
            assert answer.status_code == 202

        @pytest.mark.mparticle(intercept=True)
        def test_asked(fake_mparticle):
            requests.post("https://s2s.mparticle.com/v2/events", json=GOOD, auth=("any", "any"))
            assert len(fake_mparticle.events) == 1
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_marked - *required_missing*"])


@pytest.mark.parametrize("asked", ["client", "client, fake_mparticle"])
def test_a_marked_test_is_intercepted_before_its_other_fixtures_send(suite: Suite, asked: str) -> None:
    suite.write(f"""
        import requests

        @pytest.fixture
        def client():
            post = lambda: requests.post("https://s2s.mparticle.com/v2/events", json=GOOD, auth=("a", "b"), timeout=1)
            assert post().status_code == 202
            yield
            assert post().status_code == 202

        @pytest.mark.mparticle(intercept=True)
        def test_marked({asked}):
            pass
    """)

    suite.run().assert_outcomes(passed=1)


def test_a_marked_parameter_leaves_the_others_alone(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.parametrize("number", [pytest.param(1, marks=pytest.mark.mparticle(intercept=True)), 2])
        def test_marked(request, number):
            assert ("fake_mparticle" in request.fixturenames) is (number == 1)
    """)

    suite.run().assert_outcomes(passed=2)


# -- ways to run -------------------------------------------------------------------------------------------------------------

EVERYDAY = """
    import anyio

    def test_good(fake_mparticle):
        send(fake_mparticle)
        assert fake_mparticle.wait_for("purchase").one()["event_name"] == "purchase"

    def test_bad(fake_mparticle):
        send(fake_mparticle, BAD)

    @pytest.mark.anyio
    async def test_async(fake_mparticle):
        await anyio.to_thread.run_sync(send, fake_mparticle)
        await fake_mparticle.wait_for_async("purchase")

    @pytest.fixture
    def anyio_backend():
        return "asyncio"
"""


@pytest.mark.parametrize("arguments", [["-n", "2"], ["--import-mode=importlib"], ["--assert=plain"]], ids=" ".join)
def test_it_works_however_tests_are_run(suite: Suite, arguments: list[str]) -> None:
    suite.ini("pythonpath = .")
    suite.write(EVERYDAY)

    result = suite.run_apart(*arguments, plugins=["anyio", "xdist"])

    result.assert_outcomes(passed=2, failed=1)


ASYNCHRONOUS = """
    import anyio
    import httpx

    pytestmark = {mark}

    async def post(client, url, key="k", secret="s"):
        response = await client.post(url + "/v2/events", json=GOOD, auth=(key, secret))
        assert response.status_code == 202

    async def test_waits(fake_mparticle):
        async with httpx.AsyncClient() as client, fake_mparticle.expect("purchase", timeout=20):
            await post(client, fake_mparticle.url, fake_mparticle.key, fake_mparticle.secret)
        assert len(await fake_mparticle.wait_for_async("purchase")) == 1

    async def test_waits_in_vain(fake_mparticle):
        with pytest.raises(AssertionError, match="no event"):
            await fake_mparticle.wait_for_async("purchase", timeout=0.01)

    @pytest.mark.mparticle(intercept=True)
    async def test_intercepts(fake_mparticle):
        async with httpx.AsyncClient() as client, anyio.create_task_group() as group:
            for pod in ("us1.", "eu1.", ""):
                group.start_soon(post, client, f"https://s2s.{{pod}}mparticle.com")
        fake_mparticle.assert_received("purchase", times=3)

    def test_waits_as_ever(fake_mparticle):
        send(fake_mparticle)
        fake_mparticle.wait_for("purchase")
"""


@pytest.mark.parametrize(
    ("mode", "mark"), [("strict", "pytest.mark.asyncio"), ("auto", "[]")], ids=["strict mode", "automatic mode"]
)
def test_it_works_with_pytest_asyncio(suite: Suite, real_part: RealPart, mode: str, mark: str) -> None:
    real_part(find_spec("pytest_asyncio") is not None, "pytest-asyncio is not installed")
    suite.ini(f"asyncio_mode = {mode}", "asyncio_default_fixture_loop_scope = function")
    suite.write(ASYNCHRONOUS.format(mark=mark))

    result = suite.run_apart(plugins=["asyncio"])

    result.assert_outcomes(passed=4)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_it_works_with_anyio(suite: Suite, real_part: RealPart, backend: str) -> None:
    real_part(find_spec(backend) is not None, f"{backend} is not installed")
    suite.conftest(f"""
        @pytest.fixture
        def anyio_backend():
            return "{backend}"
    """)
    suite.write(ASYNCHRONOUS.format(mark="pytest.mark.anyio"))

    result = suite.run_apart(plugins=["anyio"])

    result.assert_outcomes(passed=4)


def test_our_modules_are_rewritten_for_assertions(suite: Suite) -> None:
    suite.write("""
        def test_loader(fake_mparticle):
            import mparticle_pytest_plugin.inbox
            assert "Rewriting" in type(mparticle_pytest_plugin.inbox.__loader__).__name__
    """)

    result = suite.run_apart()

    # By the module's own name, its siblings are not.
    result.assert_outcomes(**{"passed" if INSTALLED else "failed": 1})


def test_a_module_that_does_not_exist_is_an_attribute_error() -> None:
    import mparticle_pytest_plugin

    assert all(hasattr(mparticle_pytest_plugin, name) for name in mparticle_pytest_plugin.__all__)
    assert not hasattr(mparticle_pytest_plugin, "Inbocks")
    assert "mparticle_pytest_plugin.inbox" in sys.modules


@pytest.mark.parametrize(
    "comparison", ["fake_mparticle.events[0] == {'event_name': 'login'}", "{'event_name': 'login'} == fake_mparticle.events[0]"]
)
def test_a_plain_comparison_with_an_event_says_what_differs(suite: Suite, comparison: str) -> None:
    suite.write(f"""
        def test_compares(fake_mparticle):
            send(fake_mparticle)
            assert {comparison}
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines([r"E .*event_name .*'?login'?.*'?purchase'?.*"])


def test_a_comparison_of_anything_else_is_left_to_pytest(suite: Suite) -> None:
    suite.write("""
        def test_compares():
            assert {"a": 1} == {"a": 2}
    """)

    result = suite.run()

    result.stdout.fnmatch_lines(["E*{'a': 1} != {'a': 2}"])


def test_a_test_that_fails_before_it_comes_to_its_await_fails_once(suite: Suite) -> None:
    suite.write("""
        @pytest.mark.anyio
        async def test_fails(fake_mparticle):
            waiting = fake_mparticle.wait_for_async("purchase")
            assert "the shop" == "broke"
            await waiting

        @pytest.mark.anyio
        async def test_forgets(fake_mparticle):
            fake_mparticle.wait_for_async("purchase")

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
    """)

    suite.run_apart(plugins=["anyio"]).assert_outcomes(passed=1, failed=1, errors=1)


def test_an_event_loop_that_runs_beside_a_plain_test_is_not_taken_for_its_own(suite: Suite) -> None:
    suite.write("""
        import asyncio

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        def test_plain(fake_mparticle):
            async def browser():
                fake_mparticle.assert_not_received("purchase", within=0.01)
            asyncio.run(browser())

        @pytest.mark.anyio
        async def test_coroutine(fake_mparticle):
            fake_mparticle.assert_not_received("purchase", within=0.01)
    """)

    result = suite.run_apart(plugins=["anyio"])

    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["test_it.py::test_coroutine*", "*MParticleWarning: *stopped the event loop*"])
