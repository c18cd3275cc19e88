"""What a test run or a person waits for: the server's start and stop, and the command line.

The benchmarks run this file as a process too, which starts and stops servers and prints the times in ms.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

PROCESSES = 7
AGAIN = 20

_UPLOAD = b"POST /v2/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic a2V5OnNlY3JldA==\r\nContent-Length: 2\r\n\r\n{}"


def lifecycle() -> Iterator["Row"]:
    """Start to first answer, and stop: the first in a fresh process, after the imports, and the typical later one."""
    first_ready, first_stop, later_ready, later_stop = zip(*(_in_a_fresh_process() for _ in range(PROCESSES)), strict=True)
    yield below(15, "FakeServer: first start to first answer", first_ready)
    yield below(15, "FakeServer: later start to first answer", later_ready)
    yield below(10, "FakeServer: first stop", first_stop)
    yield below(10, "FakeServer: later stop", later_stop)


def command_line() -> Iterator["Row"]:
    """The command's help, from nothing to the end of its process."""
    command = Path(sys.executable).with_name("mparticle-fake")
    yield below(300, "mparticle-fake --help", [_time_of([str(command), "--help"]) for _ in range(PROCESSES)])


def _in_a_fresh_process() -> tuple[float, float, float, float]:
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(f"The server did not start and stop: {done.stderr}")
    (first_ready, first_stop), *later = json.loads(done.stdout)
    return first_ready, first_stop, median(ready for ready, _ in later), median(stop for _, stop in later)


def _time_of(command: list[str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    elapsed = time.perf_counter() - start
    if done.returncode or "Usage" not in done.stdout:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return elapsed * 1000


def _start_and_stop() -> tuple[float, float]:
    start = time.perf_counter()
    server = FakeServer().start()
    with socket.create_connection((server.host, server.port)) as client:
        client.sendall(_UPLOAD)
        answer = client.recv(4096)
        ready = time.perf_counter()
        # The client is still connected: a pool in a test's code usually is.
        server.stop()
        stopped = time.perf_counter()
    assert answer.startswith(b"HTTP/1.1 202 "), answer
    return (ready - start) * 1000, (stopped - ready) * 1000


if __name__ == "__main__":
    from mparticle_fake_server import FakeServer

    print(json.dumps([_start_and_stop() for _ in range(1 + AGAIN)]))
else:
    from tests.benchmarks.row import Row, below
