"""Batches of the web SDK a second, against the same batches sent to /v2/events. As a process: the load generator for them."""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])

from tests.benchmarks.load import BATCH, Load, LoadError, Result, _Generator, _new_event_loop
from tests.benchmarks.row import Row, at_least
from tests.benchmarks.subject import serving

ROUNDS = 5

PATHS: Final = {"web": "/v3/JS/key/events", "events": "/v2/events"}

BROWSER: Final = (
    "Connection: keep-alive\r\nOrigin: https://shop.example\r\nReferer: https://shop.example/\r\nSec-Fetch-Dest: empty\r\n"
    "Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: cross-site\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en\r\n"
)

_EVENT: Final = {
    "event_type": "custom_event",
    "data": {
        "custom_event_type": "navigation",
        "custom_flags": {"flag": "x"},
        "event_name": "Play",
        "timestamp_unixtime_ms": int(time.time() * 1000),
        "session_uuid": "EF73AEB9-0605-4291-1DDA-043036BA4817",
        "session_start_unixtime_ms": int(time.time() * 1000),
        "custom_attributes": {"a": "1", "b": 2, "c": True, "d": None},
        "location": None,
        "source_message_id": "c2e01b5f-70c4-4ae1-a9f8-1dd5b2a58e40",
    },
}
PAGE: Final = json.dumps(
    {
        "mpid": "5000000000000000001",
        "environment": "development",
        "events": [_EVENT],
        "mp_deviceid": "5734d8dd-653d-4732-bc54-f167ba83cf81",
        "sdk_version": "2.71.2",
        "application_info": {"application_version": "1", "application_name": "Shop"},
        "device_info": {"platform": "web", "screen_width": 800, "screen_height": 600},
        "user_attributes": {"k": "v", "l": ["a", "b"]},
        "user_identities": {"customer_id": "c1"},
        "consent_state": None,
        "integration_attributes": {},
        "context": {"data_plan": {"plan_id": "p", "plan_version": 2}},
    },
    separators=(",", ":"),
).encode()
"""A batch as the web SDK writes it."""

BODIES: Final = {"small": BATCH, "page": PAGE}


def web() -> Iterator[Row]:
    """16 connections, a fresh server for each number, both endpoints in turns: a small batch, then a page's with its headers."""
    for body, name in (("small", "the small batch"), ("page", "a page's batch and headers")):
        rates: dict[str, list[float]] = defaultdict(list)
        for _ in range(ROUNDS):
            for path in PATHS:
                with serving("fake", "memory") as port:
                    rates[path].append(_upload(port, path, body).rate)
        yield at_least(0.9, f"web events, {name}, vs /v2/events", rates["web"], rates["events"], "requests/s")


def _upload(port: int, path: str, body: str) -> Result:
    done = subprocess.run(
        [sys.executable, __file__, str(port), path, body], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise LoadError(f"The load generator failed: {done.stderr.strip()}")
    result = Result(**json.loads(done.stdout))
    if result.other or not result.requests:
        raise LoadError(f"Expected 202 alone, got {result.requests} of them, and {result.other}")
    return result


class _Pages(_Generator):
    def __init__(self, load: Load, path: str, body: str) -> None:
        super().__init__(load)
        content = BODIES[body]
        kind = "application/json" if body == "small" and path == "events" else "text/plain;charset=UTF-8"
        headers = f"Host: 127.0.0.1:{load.port}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
        if path == "events":
            headers += f"Authorization: Basic {b64encode(b'key:secret').decode()}\r\n"
        headers += BROWSER if body == "page" else "Accept: */*\r\nUser-Agent: load\r\n"
        self.request = f"POST {PATHS[path]} HTTP/1.1\r\n{headers}\r\n".encode() + content


def main() -> None:
    """Run as a process."""
    parser = argparse.ArgumentParser(description="Upload the web SDK's batches to a fake on this machine and count the answers.")
    parser.add_argument("port", type=int)
    parser.add_argument("path", choices=PATHS)
    parser.add_argument("body", choices=BODIES)
    arguments = parser.parse_args()
    generator = _Pages(Load(arguments.port), arguments.path, arguments.body)
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(generator.run()))))


if __name__ == "__main__":
    main()
