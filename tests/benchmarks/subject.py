"""What is measured under load: a server in a thread of a fresh process, the fake or the peer.

The benchmarks call `serving`; as a process this prints the port and serves until its standard input ends.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def serving(*arguments: str) -> Iterator[int]:
    """A process with `peer`, `fake STORE` or `unchecked STORE` (the fake without its checks); gives the port on 127.0.0.1."""
    process = subprocess.Popen(
        [sys.executable, __file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{' '.join(arguments)} did not start; see the message above.")
            yield int(line)
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _serve_fake(store: str) -> None:
    from mparticle_fake_server import FakeServer

    with FakeServer(store=store) as server:
        _announce(server.port)


def _serve_unchecked(store: str) -> None:
    from mparticle_fake_server import intake

    def nothing(*_: Any, **__: Any) -> list[Any]:
        return []

    vars(intake)["check"] = nothing
    _serve_fake(store)


def _serve_peer() -> None:
    from pytest_httpserver import HTTPServer

    with HTTPServer() as server:
        server.expect_request("/v2/events", method="POST").respond_with_data("", status=202)
        _announce(server.port)


def _announce(port: int) -> None:
    print(port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fake", store]:
            _serve_fake(store)
        case ["unchecked", store]:
            _serve_unchecked(store)
        case ["peer"]:
            _serve_peer()
        case _:
            sys.exit(f"usage: {sys.argv[0]} peer | fake STORE | unchecked STORE")
