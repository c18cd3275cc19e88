"""The load generator: a process of its own that keeps connections busy with uploads, and watchers open beside them.

The benchmarks call `upload`; by hand: `python tests/benchmarks/load.py 8080 --seconds 10`, which prints one JSON object.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from base64 import b64encode
from dataclasses import asdict, dataclass, field
from typing import Final

BATCH: Final = (
    b'{"environment":"development","user_identities":{"customer_id":"u1"},"events":[{"event_type":"custom_event","data":'
    b'{"event_name":"Play","custom_event_type":"media","timestamp_unixtime_ms":%d,"custom_attributes":{"a":"b"}}}]}'
) % (time.time() * 1000)
"""The small batch: one event of this moment with one attribute. Nothing is found in it."""

WARM_UP_SECONDS: Final = 0.4


@dataclass(frozen=True)
class Load:
    """What to send. With more than one of `batches`, requests are bulk requests of so many; `seconds` are measured."""

    port: int
    connections: int = 16
    batches: int = 1
    streams: int = 0
    polls: int = 0
    seconds: float = 1.5


@dataclass
class Result:
    """What came back in the measured time.

    `other` counts what should not have come, before that time too: answers other than 202, lost connections, ended watchers.
    """

    requests: int = 0
    seconds: float = 0.0
    streamed_bytes: int = 0
    other: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


class LoadError(Exception):
    """The load was not what it should have been: an answer other than 202, or a watcher that ended."""


def upload(load: Load) -> Result:
    """Run the generator in a process of its own. Raises LoadError."""
    options = [f"--{name}={value}" for name, value in asdict(load).items() if name != "port"]
    done = subprocess.run(
        [sys.executable, __file__, str(load.port), *options], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise LoadError(f"The load generator failed: {done.stderr.strip()}")
    result = Result(**json.loads(done.stdout))
    if result.other:
        raise LoadError(f"Expected 202 alone, got also: {result.other}")
    if not result.requests:
        raise LoadError("No request was answered.")
    if load.streams and not result.streamed_bytes:
        raise LoadError("The streams carried nothing.")
    return result


class _Generator:
    def __init__(self, load: Load) -> None:
        self.load = load
        self.result = Result()
        self.measuring = False
        self.over = False
        path, body = "/v2/events", BATCH
        if load.batches > 1:
            path, body = "/v2/bulkevents", b"[" + b",".join([BATCH] * load.batches) + b"]"
        self.request = self.head("POST", path, f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n") + body
        self.known: dict[bytes, bool] = {}

    def head(self, method: str, path: str, more: str = "") -> bytes:
        credentials = b64encode(b"key:secret").decode()
        return (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.load.port}\r\nAuthorization: Basic {credentials}\r\n"
            f"Accept: application/json\r\nUser-Agent: load\r\n{more}\r\n"
        ).encode()

    def note(self, what: str) -> None:
        if not self.over:
            self.result.other[what] = self.result.other.get(what, 0) + 1

    async def connect(self, protocol: asyncio.Protocol) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: protocol, "127.0.0.1", self.load.port)
        except OSError as error:
            self.note(f"no connection ({error})")

    async def run(self) -> Result:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.note(f"{context['message']}: {context.get('exception')!r}"))
        for _ in range(self.load.streams):
            await self.connect(_Watcher(self, self.head("GET", "/_fake/stream")))
        for number in range(self.load.polls):
            await self.connect(_Watcher(self, self.head("GET", f"/_fake/wait?event_name=never-{number}&timeout=600")))
        for _ in range(self.load.connections):
            await self.connect(_Uploader(self))
        await asyncio.sleep(WARM_UP_SECONDS)
        self.measuring = True
        start = loop.time()
        await asyncio.sleep(self.load.seconds)
        self.result.seconds = loop.time() - start
        self.over = True
        self.measuring = False
        return self.result


class _Uploader(asyncio.Protocol):
    """One connection: the next request as soon as the answer is there; a new connection where the server closes."""

    transport: asyncio.Transport

    def __init__(self, generator: _Generator) -> None:
        self.generator = generator
        self.buffer = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        transport.write(self.generator.request)

    def data_received(self, data: bytes) -> None:
        # The same bytes come thousands of times: what they say is looked up, which keeps the generator faster than any server.
        close = self.generator.known.get(data) if not self.buffer else None
        if close is None:
            self.buffer += data
            close = self.read()
            if close is None:
                return
        self.generator.result.requests += self.generator.measuring
        if close or self.generator.over:
            self.transport.close()
        else:
            self.transport.write(self.generator.request)

    def read(self) -> bool | None:
        """Whether the server closes after the answer in the buffer; None if that is not complete."""
        head, blank, body = self.buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        version_and_status, *lines = head.lower().split(b"\r\n")
        headers = {name: value.strip() for name, _, value in (line.partition(b":") for line in lines)}
        if len(body) < int(headers.get(b"content-length", 0)):
            return None
        close = headers.get(b"connection") == b"close"
        status = version_and_status.split()[1].decode()
        if status == "202":
            self.generator.known[self.buffer] = close
        else:
            self.generator.note(status)
        self.buffer = b""
        return close

    def connection_lost(self, exc: Exception | None) -> None:
        generator = self.generator
        if exc is not None:
            generator.note(f"connection lost ({exc})")
        if not generator.over:
            asyncio.get_running_loop().create_task(generator.connect(_Uploader(generator)))


class _Watcher(asyncio.Protocol):
    """One stream or long poll: drained, and expected to stay open."""

    def __init__(self, generator: _Generator, request: bytes) -> None:
        self.generator = generator
        self.request = request
        self.begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if not self.begun:
            self.begun = True
            if not data.startswith(b"HTTP/1.1 200 "):
                self.generator.note(f"a watcher got {data[:60]!r}")
        if self.generator.measuring:
            self.generator.result.streamed_bytes += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.generator.note("a watcher ended")


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # no build for Windows and PyPy
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def main() -> None:
    """Run as a process."""
    parser = argparse.ArgumentParser(description="Upload batches to a fake on this machine and count the answers.")
    parser.add_argument("port", type=int)
    for name, default in asdict(Load(0)).items():
        if name != "port":
            parser.add_argument(f"--{name}", type=type(default), default=default)
    load = Load(**vars(parser.parse_args()))
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(_Generator(load).run()))))


if __name__ == "__main__":
    main()
