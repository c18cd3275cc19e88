"""Runs a program that sends with a real SDK against a fake, and pairs what it meant to send with what the fake recorded."""

import base64
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hosts import Fake, clock_at, server_host

KEY, SECRET = "sample-key", "sample-secret"
SENT_MS = 1_700_000_060_000
"""When the requests arrive; the programs send fixed times, so that every run sends the same bytes."""

HERE = Path(__file__).resolve().parent
RECORDINGS = HERE.parent / "data" / "clients"


@dataclass(frozen=True)
class Client:
    """A real SDK, and the program in `programs/` that uses it."""

    name: str
    command: tuple[str, ...]
    needs: str

    @property
    def available(self) -> bool:
        """Whether this machine has the SDK."""
        if self.name == "python":
            return importlib.util.find_spec("mparticle") is not None
        return shutil.which("node") is not None and (HERE / "node" / "node_modules" / "mparticle").is_dir()

    @property
    def recording(self) -> Path:
        """What `record.py` wrote."""
        return RECORDINGS / f"{self.name}.jsonl"


PYTHON = Client("python", (sys.executable, str(HERE / "programs" / "python_sdk.py")), "the Python SDK: pip install mparticle")
NODE = Client("node", ("node", str(HERE / "programs" / "node_sdk.js")), "Node and its SDK: run 'npm ci' in tests/clients/node")
CLIENTS = (PYTHON, NODE)


@dataclass
class Step:
    """A call of the SDK. `sent` is its own serialisation of the model; `status` and `error` are what it told its caller.

    `request` is the fake's record of it, with its body, and `batches` those of its batches; none where no request was made.
    """

    step: str
    path: str
    credentials: str
    sent: Any
    status: int | None
    error: str | None
    request: dict[str, Any] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sent_batches(self) -> list[dict[str, Any]]:
        """What was meant to be sent, as batches in canonical form."""
        return [canonical(batch) for batch in (self.sent if isinstance(self.sent, list) else [self.sent])]

    @property
    def codes(self) -> list[str]:
        """The codes of all findings."""
        findings = [*self.request["findings"], *(finding for item in self.batches for finding in item["findings"])]
        return [finding["code"] for finding in findings]


def canonical(batch: dict[str, Any]) -> dict[str, Any]:
    """The one thing that the fake normalises in a batch of the Python and Node SDKs: the name of the customer id."""
    identities = batch.get("user_identities")
    if identities is None:
        return batch
    renamed = {"customer_id" if name == "customerid" else name: value for name, value in identities.items()}
    return batch | {"user_identities": renamed}


def exact(value: Any) -> str:
    """Text that is equal for equal JSON alone: 1, 1.0 and true differ, the order of members does not count."""
    return json.dumps(value, sort_keys=True)


@contextmanager
def open_fake() -> Iterator[Fake]:
    """A fake that knows one input, a minute after what the programs send."""
    with clock_at(SENT_MS), server_host(credentials=[(KEY, SECRET, "default")], unknown_keys=False) as fake:
        yield fake


@contextmanager
def refusing_url() -> Iterator[str]:
    """An address that nobody else can take and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def run(client: Client) -> dict[str, Step]:
    """Run the client's program; its steps by name, in order."""
    with open_fake() as fake, refusing_url() as refusing:
        assert fake.url is not None
        command = [*client.command, fake.url, KEY, SECRET, refusing]
        # The SDKs take no notice of proxies; a process of its own keeps the Python SDK's class-wide Retry-After from other tests.
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        steps = [Step(**json.loads(line)) for line in done.stdout.splitlines()]
        _pair(steps, fake)
    return {step.step: step for step in steps}


def _pair(steps: list[Step], fake: Fake) -> None:
    answered = [step for step in steps if step.status is not None]
    requests = fake.items("requests?limit=1000")
    assert len(requests) == len(answered), f"{len(answered)} steps were answered, {len(requests)} requests recorded"
    batches = fake.items("batches?limit=1000")
    for step, request in zip(answered, requests, strict=True):
        step.request = fake.ask(f"requests/{request['id']}")
        step.batches = [item for item in batches if item["request_id"] == request["id"]]


# -- recordings --------------------------------------------------------------------------------------------------------------


def recorded(step: Step) -> dict[str, Any]:
    """A line of a recording: the request as it was on the wire, without what differs from run to run and without secrets.

    `authorization` is the header's scheme, empty where the header was; `credentials` says which ones were used.
    """
    headers = dict(step.request["headers"])
    del headers["host"]
    scheme, space, _ = headers.pop("authorization").partition(" ")
    return {
        "step": step.step,
        "status": step.status,
        "method": step.request["method"],
        "path": step.request["path"],
        "credentials": step.credentials,
        "authorization": scheme if space else "",
        "headers": headers,
        "body": step.request["body"],
    }


def recording(steps: dict[str, Step]) -> str:
    """The text of a recording: a line a request."""
    answered = [step for step in steps.values() if step.status is not None]
    return "".join(json.dumps(recorded(step), ensure_ascii=False) + "\n" for step in answered)


def without_versions(text: str) -> str:
    """A recording in which the SDKs' own versions do not show."""
    return re.sub(r'("user-agent": "[^"]*?/)[\d.]+"', r'\1VERSION"', text)


def read_recording(client: Client) -> list[dict[str, Any]]:
    """The lines of a recording."""
    return [json.loads(line) for line in client.recording.read_text(encoding="utf-8").splitlines()]


def replay_headers(line: dict[str, Any]) -> dict[str, str]:
    """The headers of a recorded request, with credentials of the fake that `open_fake` makes."""
    key, secret = {
        "right": (KEY, SECRET),
        "wrong secret": (KEY, f"not-{SECRET}"),
        "unknown key": (f"not-{KEY}", SECRET),
        "none": ("", ""),
    }[line["credentials"]]
    basic = f"Basic {base64.b64encode(f'{key}:{secret}'.encode()).decode()}"
    headers: dict[str, str] = line["headers"]
    return headers | {"authorization": basic if line["authorization"] else ""}
