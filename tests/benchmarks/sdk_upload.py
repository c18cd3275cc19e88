"""Uploads with the SDK, the batch's making included: against the official Python SDK, over loopback, to the same fake."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks.row import Row, at_least
from tests.benchmarks.subject import serving

ROUNDS = 9
UPLOADS = 300
EVENTS = 10


def sdk_upload() -> Iterator[Row]:
    """Make a batch of 10 events and upload it, one after the other on a connection that is kept open; the SDKs in turns."""
    import mparticle as official

    import mparticle_sdk as ours

    ours_rates: list[float] = []
    official_rates: list[float] = []
    with serving("fake", "memory") as port:
        our_upload, official_upload = _uploader(ours, port), _uploader(official, port)
        for upload in (our_upload, official_upload):
            _rate(upload)
        for _ in range(ROUNDS):
            ours_rates.append(_rate(our_upload))
            official_rates.append(_rate(official_upload))
    yield at_least(1.0, f"SDK: make and upload {EVENTS} events, vs official", ours_rates, official_rates, "uploads/s")


def _uploader(sdk: Any, port: int) -> Callable[[], None]:
    """What the same program does with either SDK."""
    configuration = sdk.Configuration()
    configuration.host = f"http://127.0.0.1:{port}/v2"
    configuration.api_key, configuration.api_secret = "key", "secret"
    api = sdk.EventsApi(configuration)

    def upload() -> None:
        batch = sdk.Batch()
        batch.environment = "development"
        batch.user_identities = sdk.UserIdentities(email="zoe@example.com")
        events = []
        for number in range(EVENTS):
            event = sdk.AppEvent(f"Event {number}", "navigation")
            event.custom_attributes = {"plan": "gold", "number": number}
            events.append(event)
        batch.events = events
        api.upload_events(batch)

    return upload


def _rate(upload: Callable[[], None]) -> float:
    """Uploads a second."""
    begun = time.perf_counter()
    for _ in range(UPLOADS):
        upload()
    return UPLOADS / (time.perf_counter() - begun)
