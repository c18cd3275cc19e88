"""Whatever JSON an identity request has, it is answered, and what it does is the same when the records are read again."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mparticle_fake_server.idsync import Idsync
from mparticle_fake_server.idsync.identity_types import BY_WIRE
from mparticle_fake_server.intake import canonical_batches
from mparticle_fake_server.recording import Recorder
from tests.hosts import Fake
from tests.idsync.people import recorded_fake

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.just(10**60))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
types = st.one_of(
    st.sampled_from([*BY_WIRE]), st.sampled_from(["__proto__", "constructor", "customer_id", ""]), st.text(max_size=3)
)
change = st.fixed_dictionaries({}, optional={"old_value": values, "new_value": values, "identity_type": types | values})
requests = values | st.fixed_dictionaries(
    {},
    optional={
        "environment": st.sampled_from(["development", "production"]) | values,
        "known_identities": values | st.dictionaries(types, scalars, max_size=4),
        "identity_changes": values | st.lists(change, max_size=3),
        "previous_mpid": values,
        "client_sdk": values,
        "request_timestamp_ms": values,
        "context": values,
    },
)
paths = st.sampled_from(["identify", "login", "logout", "search", "MPID/modify", "5/modify"])


@pytest.fixture(scope="module", params=["faithful", "strict", "lenient"])
def recorded(request: pytest.FixtureRequest) -> Iterator[tuple[Fake, Recorder]]:
    with recorded_fake(mode=request.param) as opened:
        yield opened


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(paths, requests), max_size=4))
def test_any_request_is_answered_and_read_again_alike(recorded: tuple[Fake, Recorder], asked: list[tuple[str, Any]]) -> None:
    fake, recorder = recorded
    fake.request("DELETE", "/_fake/batches")
    mpid = "1"

    for path, content in asked:
        reply = fake.request("POST", f"/v1/{path.replace('MPID', mpid)}", json.dumps(content).encode(), {"x-mp-key": "key"})
        assert reply.status in (200, 400, 404)
        mpid = reply.json.get("mpid", mpid)
    shown = fake.items("profiles?limit=1000")

    anew = Idsync()
    anew.catch_up(recorder, canonical_batches)
    again = [(str(profile.mpid), profile.identities, profile.device_ids) for profile in anew.of("default").after(0)]
    assert [(item["mpid"], item["identities"], item["device_ids"]) for item in shown] == again
