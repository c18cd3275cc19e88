"""The official Python SDK, unmodified, meets faults: it reacts to them as it does to mParticle (`protocol/events-api.md §8`)."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from tests.clients.harness import HERE, KEY, PYTHON, SECRET, open_fake
from tests.conftest import RealPart

pytestmark = pytest.mark.usefixtures("python_sdk")


@pytest.fixture
def python_sdk(real_part: RealPart) -> None:
    real_part(PYTHON.available, f"this test needs {PYTHON.needs}")


@dataclass
class Call:
    """What the SDK told its caller; header names lower-case."""

    status: int
    headers: dict[str, str]
    body: Any


def upload(count: int, *faults: dict[str, Any]) -> tuple[list[Call], list[int]]:
    """Call the SDK `count` times in one process; what it said, and the statuses of the requests that the fake received."""
    with open_fake() as fake:
        assert fake.url is not None
        fake.request("PUT", "/_fake/faults", json.dumps({"items": faults}).encode())
        command = [sys.executable, str(HERE / "programs" / "python_sdk_faults.py"), fake.url, KEY, SECRET, str(count)]
        # A process of its own: the SDK keeps Retry-After for all that are in it.
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        received = [request["status"] for request in fake.items("requests")]
    said = [json.loads(line) for line in done.stdout.splitlines()]
    headers = [{name.lower(): value for name, value in call["headers"].items()} for call in said]
    return [Call(call["status"], own, call["body"]) for call, own in zip(said, headers, strict=True)], received


def test_429_is_told_to_the_caller_with_its_headers_and_body() -> None:
    (call,), _ = upload(1, {"status": 429, "retry_after": 60})

    assert (call.status, call.headers["retry-after"]) == (429, "60")
    assert call.headers["x-mp-rate-limit-exceeded"] == "workspace"
    assert json.loads(call.body)["errors"][0]["code"] == "TOO_MANY_REQUESTS"


def test_after_429_with_retry_after_the_sdk_sends_nothing_until_that_time() -> None:
    calls, received = upload(3, {"status": 429, "retry_after": 60})

    # The fault was for one request: the later refusals are the SDK's own.
    assert [call.status for call in calls] == [429, 429, 429]
    assert received == [429]


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 503, "retry_after": 60}])
def test_without_retry_after_or_with_503_the_sdk_sends_on(fault: dict[str, Any]) -> None:
    calls, received = upload(2, fault)

    assert [call.status for call in calls] == [fault["status"], 202]
    assert received == [fault["status"], 202]


def test_a_body_of_a_proxy_reaches_the_caller_as_it_stands() -> None:
    (call,), _ = upload(1, {"status": 502, "body": "<h1>Bad gateway</h1>"})

    assert (call.status, call.body) == (502, "<h1>Bad gateway</h1>")
