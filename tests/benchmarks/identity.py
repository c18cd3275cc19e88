"""Identity requests among 100 000 profiles: by an index, also right after a backlog of uploads that nobody has read."""

import json
from collections.abc import Callable, Iterator
from time import perf_counter

from mparticle_fake_server.exchange import Answer, Endpoint, Submission, Waiting
from mparticle_fake_server.hosting import open_intake, tables
from tests.benchmarks.row import Row, below

PROFILES = 100_000
ROUNDS = 5
REQUESTS = 300
HEADERS = [(b"x-mp-key", b"key"), (b"authorization", b"Basic a2V5OnNlY3JldA=="), (b"content-type", b"application/json")]


def identity() -> Iterator[Row]:
    """Identify somebody known, somebody by the device, and somebody new; and what a backlog of uploads adds to the first."""
    handlers = {(row.method, row.path): row for row in tables(open_intake())}
    for start in range(0, PROFILES, 100):
        _post(handlers, "/v2/bulkevents", [_batch(number) for number in range(start, start + 100)])
    start_time = perf_counter()
    _identify(handlers, {"customerid": "c0"})
    backlog = (perf_counter() - start_time) * 1000
    yield below(200, "identify right after 1,000 uploads that nobody has read", [backlog / PROFILES * 1000])
    kinds: dict[str, Callable[[int], dict[str, str]]] = {
        "known, with a new device": lambda number: {"customerid": f"c{number}", "device_application_stamp": f"new{number}"},
        "by the device, logged out": lambda number: {"device_application_stamp": _device(number)},
        "new": lambda number: {"customerid": f"new{number}"},
    }
    for name, known in kinds.items():
        times = []
        for round_ in range(ROUNDS):
            asked = [known(number) for number in range(round_ * REQUESTS, (round_ + 1) * REQUESTS)]
            start_time = perf_counter()
            for identities in asked:
                _identify(handlers, identities)
            times.append((perf_counter() - start_time) * 1000 / REQUESTS)
        yield below(1, f"identify among {PROFILES:,} profiles: {name}", times)


def _identify(handlers: dict[tuple[str, str], Endpoint], known: dict[str, str]) -> None:
    _post(handlers, "/v1/identify", {"environment": "development", "known_identities": known})


def _post(handlers: dict[tuple[str, str], Endpoint], path: str, body: object) -> None:
    answer = handlers["POST", path].handler(Submission("POST", path, "", HEADERS, json.dumps(body).encode()))
    while isinstance(answer, Waiting):
        answer = answer.poll() or answer
    assert isinstance(answer, Answer)
    assert answer.status < 300, answer


def _device(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def _batch(number: int) -> dict[str, object]:
    return {
        "environment": "development",
        "user_identities": {"customer_id": f"c{number}", "email": f"c{number}@example.com"},
        "mp_deviceid": _device(number),
        "device_info": {"platform": "web"},
        "user_attributes": {"plan": "pro", "visits": number},
        "events": [{"event_type": "custom_event", "data": {"event_name": "Play", "custom_event_type": "media"}}],
    }
