"""However a run ends, and whatever processes its tests make: no server, thread or port is left behind, and nothing hangs."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from mparticle_pytest_plugin.errors import MParticleError
from mparticle_pytest_plugin.source import LocalSource
from tests.pytest_plugin.suites import Suite

pytest_plugins = ["pytester"]

SECONDS = 20
"""How long a run may take to end; one that hangs is killed."""

PUBLISH = """
    import os
    from pathlib import Path

    def publish(url):
        Path("url.new").write_text(url)
        os.replace("url.new", "url")
"""

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


class Run:
    """A run of a suite in a process group of its own."""

    def __init__(self, suite: Suite, *arguments: str, plugins: tuple[str, ...] = ()) -> None:
        self.folder = suite.pytester.path
        command = [sys.executable, "-m", "pytest", *suite.apart(*plugins), *arguments]
        self.output = self.folder / "output"
        with self.output.open("w") as output:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output, start_new_session=True)

    def port(self) -> int:
        """The port of its server, as soon as the test has written it down."""
        end = time.monotonic() + SECONDS
        path = self.folder / "url"
        while not path.exists():
            assert time.monotonic() < end, self.text()
            # Another process: there is nothing to be woken by.
            time.sleep(0.01)
        return int(path.read_text().rpartition(":")[2])

    def end(self) -> int:
        """Its exit status; everything it left behind is killed."""
        try:
            return self.process.wait(SECONDS)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def text(self) -> str:
        return self.output.read_text()


def is_free(port: int) -> bool:
    """Whether nobody listens there: a server could be bound."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
        return True


@pytest.mark.parametrize("plugins", [(), ("xdist",)], ids=["alone", "workers"])
def test_ctrl_c_ends_the_run_and_the_server(suite: Suite, plugins: tuple[str, ...]) -> None:
    suite.write(
        PUBLISH,
        """
        import threading

        def test_waits(fake_mparticle):
            send(fake_mparticle)
            publish(fake_mparticle.url)
            threading.Event().wait()
        """,
    )
    run = Run(suite, *(["-n", "1"] if plugins else []), plugins=plugins)
    port = run.port()

    os.killpg(run.process.pid, signal.SIGINT)

    assert run.end() == pytest.ExitCode.INTERRUPTED, run.text()
    assert is_free(port)


def test_ctrl_c_while_a_test_waits_for_events_ends_the_run(suite: Suite) -> None:
    suite.write(
        PUBLISH,
        """
        def test_waits(fake_mparticle):
            publish(fake_mparticle.url)
            fake_mparticle.wait_for("never", timeout=3600)
        """,
    )
    run = Run(suite)
    run.port()

    run.process.send_signal(signal.SIGINT)

    assert run.end() == pytest.ExitCode.INTERRUPTED, run.text()


@pytest.mark.parametrize(
    ("end", "status"),
    [("os._exit(7)", 7), ("os.abort()", -signal.SIGABRT), ("os.kill(os.getpid(), 9)", -signal.SIGKILL)],
    ids=["_exit", "abort", "kill"],
)
def test_a_process_that_ends_in_the_middle_leaves_nothing(suite: Suite, end: str, status: int) -> None:
    suite.write(
        PUBLISH,
        f"""
        def test_ends(fake_mparticle):
            send(fake_mparticle)
            publish(fake_mparticle.url)
            {end}
        """,
    )
    run = Run(suite)

    assert run.end() == status
    assert is_free(run.port())


def test_a_worker_that_crashes_ends_neither_the_run_nor_what_the_others_tell(suite: Suite) -> None:
    suite.write("""
        import os

        def test_crashes(fake_mparticle):
            send(fake_mparticle)
            os._exit(7)

        @pytest.mark.parametrize("number", range(4))
        def test_others(fake_mparticle, number):
            send(fake_mparticle)
    """)

    result = suite.run_apart("-n", "2", plugins=["xdist"])

    result.assert_outcomes(passed=4, failed=1)


def test_exit_of_pytest_in_a_test_ends_the_server(suite: Suite) -> None:
    suite.write(
        PUBLISH,
        """
        def test_exits(fake_mparticle):
            publish(fake_mparticle.url)
            pytest.exit("enough", returncode=5)
        """,
    )
    run = Run(suite)

    assert run.end() == 5
    assert is_free(run.port())


def test_no_thread_is_left_after_a_run(suite: Suite) -> None:
    suite.write("""
        def test_sends(fake_mparticle):
            send(fake_mparticle)
            fake_mparticle.wait_for("purchase")
    """)
    before = set(threading.enumerate())

    suite.run()

    assert set(threading.enumerate()) <= before


# -- forks -----------------------------------------------------------------------------------------------------------------


@forks
def test_a_forked_child_may_send_and_the_test_sees_it(suite: Suite) -> None:
    suite.write("""
        import os

        def test_forks(fake_mparticle):
            url = fake_mparticle.url
            child = os.fork()
            if not child:
                os._exit(send(url, key=fake_mparticle.key, secret=fake_mparticle.secret) % 256)
            assert os.waitpid(child, 0)[1] >> 8 == 202
            fake_mparticle.assert_received("purchase")
    """)

    result = suite.run_apart()

    result.assert_outcomes(passed=1)


@forks
def test_a_forked_child_that_asks_is_told_where_to_ask() -> None:
    source = LocalSource()
    source.open_workspace("test #1", "key", "s", mode="faithful")
    questions: list[Callable[[], object]] = [
        lambda: source.events("test #1"),
        lambda: source.requests(None),
        lambda: source.wait(lambda: False, 60),
        lambda: source.claim("test #1", "other", None),
        lambda: source.put_faults("test #1", []),
    ]
    # A lock that another thread holds at the moment of the fork stays locked in the child.
    with source.server.intake.recorder.lock:
        child = os.fork()
        if not child:
            refused = 0
            for question in questions:
                try:
                    question()
                except MParticleError as error:
                    refused += "forked from process" in str(error)
            source.close()
            os._exit(refused)

    assert os.waitpid(child, 0)[1] >> 8 == len(questions)
    source.close()


@forks
def test_a_forked_child_that_goes_on_as_a_test_ends_like_one(suite: Suite) -> None:
    suite.write("""
        import os

        def test_forks(fake_mparticle):
            send(fake_mparticle, BAD)
            send(fake_mparticle.url, key=fake_mparticle.key, secret=fake_mparticle.secret)
            child = os.fork()
            if child:
                assert os.waitpid(child, 0)[1] >> 8 == 0

        @pytest.mark.parametrize("number", range(2))
        def test_next(number):
            pass
    """)

    result = suite.run_apart("-q", timeout=SECONDS)

    # The child's own report comes first; there, nobody knows what arrived.
    result.stdout.fnmatch_lines(["*3 passed*", "*required_missing: production would not take*", "*1 failed, 2 passed*"])


@forks
def test_a_child_that_outlives_the_run_does_not_hold_its_port(suite: Suite) -> None:
    suite.write(
        PUBLISH,
        """
        import os, signal

        def test_forks(fake_mparticle):
            send(fake_mparticle)
            publish(fake_mparticle.url)
            child = os.fork()
            if not child:
                os.close(1)
                os.close(2)
                signal.pause()
            Path("child").write_text(str(child))
        """,
    )
    run = Run(suite)

    assert run.end() == 0, run.text()
    child = int((run.folder / "child").read_text())
    free = is_free(run.port())
    os.kill(child, signal.SIGKILL)
    assert free


@forks
def test_processes_of_multiprocessing_may_send(suite: Suite) -> None:
    suite.write("""
        import multiprocessing

        @pytest.mark.parametrize("method", ["fork", "spawn"])
        def test_many(fake_mparticle, method):
            context = multiprocessing.get_context(method)
            arguments = [(fake_mparticle.url, GOOD, fake_mparticle.key, fake_mparticle.secret)] * 3
            with context.Pool(2) as pool:
                assert pool.starmap(send, arguments) == [202] * 3
            assert len(fake_mparticle.events) == 3
    """)

    result = suite.run_apart()

    result.assert_outcomes(passed=2)


def test_an_environment_leads_another_program_here(suite: Suite) -> None:
    suite.write("""
        import os, subprocess, sys

        PROGRAM = '''
        import os
        from sending import send
        print(send(os.environ["MPARTICLE_URL"], key=os.environ["MPARTICLE_API_KEY"], secret=os.environ["MPARTICLE_API_SECRET"]))
        '''

        def test_program(fake_mparticle):
            code = "\\n".join(line.strip() for line in PROGRAM.splitlines())
            done = subprocess.run([sys.executable, "-c", code], env=os.environ | fake_mparticle.environ, check=True)
            fake_mparticle.assert_received("purchase")
    """)

    result = suite.run_apart()

    result.assert_outcomes(passed=1)
