"""A fake in a process of its own, which a test may kill, and a client that uploads to it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.hosts import BASIC, Reply, batch

SERVE = Path(__file__).parent / "programs" / "serve.py"


class Client:
    """One connection to a fake."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)

    def upload(self, source_request_id: str, **members: Any) -> Reply:
        body = json.dumps(batch(source_request_id=source_request_id, **members)).encode()
        return self._ask("POST", "/v2/events", body)

    def get(self, path: str) -> Reply:
        return self._ask("GET", path)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        self._connection.request(method, path, body, {"Authorization": BASIC})
        answer = self._connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


@dataclass
class Served:
    """A running process and where it serves."""

    process: subprocess.Popen[str]
    url: str


@contextmanager
def served(store: str) -> Iterator[Served]:
    """A fake on `store`, killed at the end if the test has not done so."""
    with subprocess.Popen([sys.executable, str(SERVE), store], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, "the server did not start"
            yield Served(process, url)
        finally:
            process.kill()
