"""Whatever comes in place of an upload: it is translated, nothing of it is lost, and every finding has a place in it."""

import copy
import json
import os
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from tests.checks.corpus import at
from tests.dialects.test_native import KEYS

Json = Any

NOW_MS = 1_700_000_060_000

bounded = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "30")),
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)

KNOWN = sorted(
    {*KEYS["common"], *(key for known in KEYS["messages"].values() for key in known["keys"])}
    | {key for known in KEYS["objects"].values() for key in known["keys"]}
)
WORDS = sorted({*KEYS["messages"], "NO-SESSION", "app_init", "true", "Other", "9.99", "1e999", "-7", "9" * 30, "FireTV"})

keys = st.sampled_from(KNOWN) | st.sampled_from(["zz", "", "native", "events", "gdpr", "marketing", "data", "a/b", "a~b", "0"])
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(WORDS) | st.text(max_size=5)
    | st.sampled_from([0, 1, 7, 21, 22, 2**63, 10**400])
)  # fmt: skip
values: st.SearchStrategy[Json] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5), max_leaves=10
)


@st.composite
def _objects(draw: st.DrawFn, names: tuple[str, ...], depth: int) -> Json:
    """An object with keys that are known in it, and values of the right form or of any."""
    made: dict[str, Json] = draw(st.dictionaries(st.sampled_from(names) | keys, values, max_size=5))
    for key, form in _INSIDE.items():
        if key in names and depth and draw(st.booleans()):
            made[key] = draw(form(depth - 1))
    return made


def _of(place: str) -> tuple[str, ...]:
    return tuple(KEYS["objects"][place]["keys"])


_PRODUCTS = _of("/msgs/1/pd/pl/0")
_IDENTITY = _of("/msgs/2/ni")
_CONSENT = _of("/con/gdpr/marketing")
_INSIDE: dict[str, Any] = {
    "pd": lambda depth: _objects(_of("/msgs/1/pd"), depth),
    "pm": lambda depth: _objects(_of("/msgs/1/pm"), depth),
    "pi": lambda depth: st.lists(_objects(_of("/msgs/1/pi/0"), depth), max_size=2),
    "pl": lambda depth: st.lists(_objects(_PRODUCTS, depth), max_size=2),
    "lc": lambda depth: _objects(_of("/msgs/0/lc"), depth),
    "cs": lambda depth: _objects(_of("/msgs/0/cs"), depth),
    "ni": lambda depth: _objects(_IDENTITY, depth),
    "oi": lambda depth: _objects(_IDENTITY, depth),
    "ui": lambda depth: st.lists(_objects(_IDENTITY, depth), max_size=4),
    "flags": lambda _: st.dictionaries(keys, st.lists(st.text(max_size=3), max_size=3), max_size=3),
    "ai": lambda depth: _objects(_of("/ai"), depth),
    "di": lambda depth: _objects(_of("/di"), depth),
    "con": lambda depth: _objects(("gdpr", "ccpa"), depth),
    "gdpr": lambda depth: st.dictionaries(keys, _objects(_CONSENT, depth), max_size=3),
    "ctx": lambda depth: _objects(("dpln",), depth),
    "dpln": lambda depth: _objects(("id", "v"), depth),
}


@st.composite
def _messages(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(sorted(KEYS["messages"])))
    names = (*KEYS["common"], *KEYS["messages"][kind]["keys"])
    return draw(_objects(names, 3)) | {"dt": kind}


@st.composite
def uploads(draw: st.DrawFn) -> dict[str, Json]:
    """A body near an upload of a native SDK, or far from one."""
    made: dict[str, Json] = draw(_objects(_of(""), 3))
    if draw(st.integers(0, 5)):
        made["msgs"] = draw(st.lists(_messages() | values, max_size=4))
    return made


def marked(node: Json, numbers: "count[int]") -> Json:
    """The same form with a text of its own for each value in it but the types of messages."""
    if isinstance(node, dict):
        return {key: value if key == "dt" and isinstance(value, str) else marked(value, numbers) for key, value in node.items()}
    return [marked(item, numbers) for item in node] if isinstance(node, list) else f"<{next(numbers)}>"


@bounded
@given(uploads())
def test_an_upload_is_translated_and_checked_whatever_it_is(body: dict[str, Json]) -> None:
    sent = copy.deepcopy(body)

    quirks = dialects.translate(body, "native")
    found = dialects.told(quirks, check(body, NOW_MS))

    for finding in found:
        at(body, finding.pointer)
        at(sent, finding.raw_pointer or "")


@bounded
@given(uploads())
def test_the_canonical_batch_is_a_function_of_what_was_sent(body: dict[str, Json]) -> None:
    again = copy.deepcopy(body)

    findings = dialects.translate(body, "native", whole=True)

    assert dialects.translate(again, "native", whole=True) == findings
    assert json.dumps(again) == json.dumps(body)


@bounded
@given(uploads())
def test_what_is_read_is_what_is_checked_with_more_beside_it(body: dict[str, Json]) -> None:
    whole = copy.deepcopy(body)

    dialects.translate(body, "native")
    dialects.translate(whole, "native", whole=True)

    dialects.strip(whole, "native")
    assert json.dumps(whole) == json.dumps(body)


@bounded
@given(uploads())
def test_no_value_of_an_upload_is_lost(body: dict[str, Json]) -> None:
    numbers = count()
    body = marked(body, numbers)

    dialects.translate(body, "native", whole=True)

    text = json.dumps(body)
    assert [number for number in range(next(numbers)) if f"<{number}>" not in text] == []


@bounded
@given(st.dictionaries(st.sampled_from(["mpid", "events", "device_info", "sdk_version", "user_identities"]) | keys, values))
def test_anything_is_translated_as_if_the_web_sdk_had_sent_it(body: dict[str, Json]) -> None:
    again = copy.deepcopy(body)

    dialects.detect(body)
    findings = dialects.translate(body, "web")

    assert dialects.translate(again, "web") == findings
    assert json.dumps(again) == json.dumps(body)
