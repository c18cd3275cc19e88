"""What the schema's check says: bounded whatever comes, the same with both engines, and with hints that mend when pasted."""

import copy
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pytest

from mparticle_fake_server import dialects, schemas
from mparticle_fake_server.checks.finding import CODES, SEVERITIES, Finding
from mparticle_fake_server.checks.found import MOST_OF_A_CODE, MOST_OF_A_POINTER
from mparticle_fake_server.checks.members import SYNONYMS, belongs
from mparticle_fake_server.checks.schema import MOST_NODES, Checker, PythonEngine, RustEngine
from mparticle_fake_server.decoding import decode
from mparticle_sdk import limits
from tests.checks.corpus import Entry, at, read
from tests.schemas.mutations import mutated, seeds
from tests.schemas.probes import EVENTS, OBJECTS, batch_of

Json = dict[str, Any]


@cache
def rust() -> Checker:
    return Checker(RustEngine)


@cache
def python() -> Checker:
    return Checker(PythonEngine)


def explain(batch: Json) -> list[Finding]:
    return [] if rust().is_valid(batch) else rust().explain(batch)


def event(event_type: str, **data: Any) -> Json:
    return {"environment": "development", "events": [{"event_type": event_type, "data": data}]}


def of_event(**members: Any) -> Json:
    return {"environment": "development", "events": [members]}


# -- hostile bodies ------------------------------------------------------------------------------------------------------------

MOST_SECONDS: Final = 2.0
MOST_MEGABYTES: Final = 250
"""What explaining a body of 2 MB may take, in seconds of the processor; it takes under 1 s and 100 MB."""

HOSTILE: Final = {
    # A body of about 2 MB, or 1, for each keyword, each as much as it can be broken: Python that makes it.
    "propertyNames, reserved": '{"user_attributes": {f"$x{i}": 1 for i in range(140_000)}}',
    "propertyNames, length": '{"user_attributes": {f"{i}" + "x" * 257: 1 for i in range(7_000)}}',
    "propertyNames, events": 'event({"custom_attributes": {f"{i}" + "x" * 257: 1 for i in range(7_000)}})',
    "propertyNames, many": '{"events": [{"event_type": "first_run", "data": {"custom_attributes": {"x" * 300: 1}}}] * 5_000}',
    "additionalProperties, batch": '{f"evironment{i}": 1 for i in range(100_000)}',
    "additionalProperties, data": 'event({f"evnt_nam{i}": 1 for i in range(120_000)})',
    "additionalProperties, one letter": 'event({f"event_nam{chr(192 + i)}": 1 for i in range(20_000)})',
    "additionalProperties, products": 'commerce([{"x": 1} for _ in range(250_000)])',
    "additionalProperties, misplaced": '{"events": [{"event_type": "screen_view", "data": {}, "event_name": 1}] * 30_000}',
    "required": '{"events": [{"event_type": "custom_event", "data": {}}] * 45_000}',
    "required, with names": '{"events": [{"event_type": "custom_event", "data": {f"evnt_{i}": 1 for i in range(900)}}] * 150}',
    "required, impressions": 'event({"product_impressions": [{f"x{i}": 1 for i in range(100)}] * 2_000}, "commerce_event")',
    "required, empty impressions": 'event({"product_impressions": [{}] * 600_000}, "commerce_event")',
    "required, breadcrumbs": 'event({"breadcrumbs": [{}] * 600_000}, "crash_report")',
    "type": '{"integration_attributes": {f"x{i}": 1 for i in range(150_000)}}',
    "type, items": '{"deleted_user_attributes": [1] * 900_000}',
    "type, below a long name": '{"integration_attributes": {"x" * 1_000_000: {f"x{i}": 1 for i in range(90_000)}}}',
    "type, below long names": '{"integration_attributes": {f"{i}" + "x" * 4_000: {"y": 1} for i in range(450)}}',
    "type, nested": '{"user_attributes": {f"x{i}": {} for i in range(150_000)}}',
    "type, purposes": '{"consent_state": {"gdpr": {f"x{i}": 1 for i in range(150_000)}}}',
    "type, events": '{"events": [1] * 900_000}',
    "type, deep": '{"integration_attributes": {f"x{i}": [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]] for i in range(40_000)}}',
    "event_type": '{"events": [{"data": {}}] * 150_000}',
    "event_type, with names": '{"events": [{f"x{i}": 1 for i in range(3_000)}] * 60}',
    "event_type, unknown": '{"events": [{"event_type": "x"}] * 100_000}',
    "enum": '{"environment": "x" * 2_000_000}',
    "enum, many": 'event({"product_impressions": [], "promotion_action": {"action": "x" * 1_900_000}}, "commerce_event")',
    "pattern": '{"ip": "1" * 1_000_000, "mp_deviceid": "a" * 900_000}',
    "pattern, digits": 'event({"timestamp_unixtime_ms": "9" * 1_900_000})',
    "pattern, decimal": 'commerce([{"price": "9" * 1_900_000}])',
    "pattern, many": '{"events": [{"event_type": "first_run", "data": {"session_uuid": "x"}}] * 35_000}',
    "not": '{"user_identities": {"email": "@" * 1_900_000, "customer_id": " " * 50_000}}',
    "not, partners": '{"partner_identities": {f"x{i}": "0" for i in range(130_000)}}',
    "minimum": 'event({"event_num": -10**300})',
    "maxLength": 'event({"custom_attributes": {f"x{i}": "x" * 4097 for i in range(450)}})',
    "maxItems": '{"user_attributes": {"x": ["y" * 513] * 3_800}}',
    "behind faultless values": '{"deleted_user_attributes": ["a"] * 400_000 + [1]}',
    "behind faultless members": 'commerce([{"id": "a"}] * 180_000 + [{"id": 1}])',
    "in large events": '{"events": event({"custom_attributes": {f"{i}": 1 for i in range(900)}})["events"] * 150}',
    "maxProperties": '{"consent_state": {"gdpr": {f"x{i}": {} for i in range(150_000)}}}',
}

PROGRAM: Final = """
import json, resource, sys, time
from mparticle_fake_server.checks.schema import Checker, RustEngine

def event(data, event_type="custom_event"):
    return {"events": [{"event_type": event_type, "data": data}]}

def commerce(products):
    return event({"product_action": {"products": products}}, "commerce_event")

checker = Checker(RustEngine)
checker.explain({"events": [{"event_type": "custom_event"}]})
batch = eval(sys.argv[1])
if len(json.dumps(batch)) > 3_000_000:
    sys.exit("the body is too large")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.process_time()
valid = checker.is_valid(batch)
findings = checker.explain(batch)
seconds = time.process_time() - start
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / (1024 if sys.platform == "linux" else 1024**2)
codes = [finding.code for finding in findings]
print(json.dumps({
    "valid": valid, "seconds": seconds, "megabytes": grown, "most": max(map(codes.count, codes)),
    "pointer": max(len(finding.pointer) for finding in findings),
    "message": max(len(finding.message) + len(finding.hint or "") for finding in findings),
}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource module")
@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_explained_in_bounded_time_and_memory(made: str) -> None:
    # A process of its own, since the most that a process has used never goes down.
    run = subprocess.run([sys.executable, "-c", PROGRAM, made], capture_output=True, text=True, check=False, timeout=60)

    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert not told["valid"]
    assert told["seconds"] < MOST_SECONDS
    assert told["megabytes"] < MOST_MEGABYTES
    assert told["most"] <= MOST_OF_A_CODE
    assert told["pointer"] <= MOST_OF_A_POINTER
    assert told["message"] < 1_500


def test_below_a_name_too_long_for_a_pointer_the_object_that_has_it_is_pointed_to() -> None:
    batch = {"environment": "development", "integration_attributes": {"x" * MOST_OF_A_POINTER: {"y": 1}}}

    (finding,) = explain(batch)

    assert (finding.code, finding.pointer) == ("wrong_type", "/integration_attributes")


@pytest.mark.parametrize("name", ["", "0", "+5", "-1", "1_0", "\ue000", "\ue0000", "\ue0001", "x" * 65, "~/", "\u0663"])
def test_any_name_is_pointed_to_as_it_is(name: str) -> None:
    batch = {"environment": "development", "user_attributes": {"0": 1, "x" * 70: 1, name: {}}, name: 1}

    findings = explain(batch)

    assert sorted((finding.code, str(at(batch, finding.pointer))) for finding in findings) == [
        ("attribute_nested", "{}"),
        ("unknown_member", "1"),
    ]


# -- the engines ---------------------------------------------------------------------------------------------------------------


MOST_FOR_PYTHON: Final = 20_000
"""Bytes of a body that jsonschema can check in reasonable time."""


def told(findings: list[Finding]) -> list[tuple[str, str, str, str | None]]:
    return [(finding.code, finding.pointer, finding.message, finding.hint) for finding in findings]


def batches_of(entry: Entry) -> list[Json]:
    encoding = entry.headers.get("Content-Encoding")
    value = decode(entry.body, encoding.encode() if encoding else None, None, 10**7).value
    batches = [batch for batch in (value if isinstance(value, list) else [value]) if isinstance(batch, dict)]
    for batch in batches:
        dialects.translate(batch, dialects.detect(batches))
    return batches


def test_both_engines_find_the_same_in_the_labelled_batches() -> None:
    entries = [entry for folder in ("flawed", "valid") for entry in read(folder)]

    tried, differing = 0, {}
    for entry in entries:
        for batch in batches_of(entry)[:3]:
            if len(entry.body) > MOST_FOR_PYTHON:
                continue
            tried += 1
            by_rust, by_python = told(rust().explain(batch)), told(python().explain(batch))
            if by_rust != by_python or rust().is_valid(batch) != python().is_valid(batch):
                differing[str(entry)] = by_rust, by_python

    assert tried > 250
    assert differing == {}


@pytest.mark.parametrize("part", range(4))
def test_both_engines_find_the_same_in_spoilt_batches(part: int) -> None:
    chance = random.Random(part)
    originals = seeds()

    differing = []
    for _ in range(150):
        batch = mutated(chance.choice(originals), chance)
        if isinstance(batch, dict) and told(rust().explain(batch)) != told(python().explain(batch)):
            differing.append(batch)

    assert differing == []


@pytest.mark.parametrize("event_type", schemas.load()["event.json"]["properties"]["event_type"]["enum"])
def test_both_engines_find_the_same_in_what_all_events_have(event_type: str) -> None:
    data = {name: [1] for name in schemas.load()["event_data.json"]["properties"]}
    values = (
        {**data, "custom_attributes": {"0": 1, "x" * 257: 1}},
        dict.fromkeys(data, "1"),
        {"location": {"latitude": "x"}},
    )

    for value in values:
        batch = event(event_type, **value)
        assert told(rust().explain(batch)) == told(python().explain(batch)) != []


def test_an_error_behind_as_many_warnings_as_a_batch_has_room_for_is_told() -> None:
    doubtful = {"event_type": "first_run", "data": {"x": 1}}
    events = [doubtful] * (limits.BATCH_SIZE // (len(json.dumps(doubtful, separators=(",", ":"))) + 1) - 5)
    batch = {"environment": "development", "events": [*events, {"event_type": "breadcrumb", "data": {}}]}

    findings = explain(batch)

    assert len(json.dumps(batch, separators=(",", ":"))) <= limits.BATCH_SIZE
    assert [finding.pointer for finding in findings if finding.severity == "error"] == [f"/events/{len(events)}/data"]


# -- one mistake, one finding --------------------------------------------------------------------------------------------------


def test_a_value_of_another_type_is_not_told_to_be_unknown_as_well() -> None:
    findings = explain(event("custom_event", event_name="a", custom_event_type=5))

    assert [finding.code for finding in findings] == ["wrong_type"]


def test_an_object_that_lacks_two_members_and_has_two_misspelt_is_told_twice() -> None:
    findings = explain(event("custom_event", EventName="a", customEventType="other"))

    assert [(finding.code, finding.hint) for finding in findings] == [
        ("required_missing", "Did you mean event_name instead of EventName?"),
        ("required_missing", "Did you mean custom_event_type instead of customEventType?"),
    ]


LIMITS: Final[list[tuple[str, str, str, str | None]]] = [
    # A number as text, and what is said where it is beyond what the member can mean.
    ("batch", "mpid", str(2**63 - 1), None),
    ("batch", "mpid", str(2**63), f"expected at most {2**63 - 1}"),
    ("batch", "mpid", str(-(2**63)), None),
    ("batch", "mpid", str(-(2**63) - 1), f"expected at least {-(2**63)}"),
    ("event_data", "event_id", "9" * 20, f"expected at most {2**63 - 1}"),
    ("event_data", "event_num", "0", None),
    ("event_data", "event_num", "-1", "expected at least 0"),
    ("session_end", "session_duration_ms", "-1", "expected at least 0"),
    ("session_end", "session_duration_ms", "", None),
    ("data_plan", "plan_version", "1000", None),
    ("data_plan", "plan_version", "1001", "expected at most 1000"),
    ("location", "latitude", "90.0", None),
    ("location", "latitude", "90.1", "expected at most 90"),
    ("location", "longitude", "-180.5", "expected at least -180"),
    ("location", "longitude", "1e999", "expected at most 180"),
    ("location", "longitude", "9" * 5_000, "expected at most 180"),
]


@pytest.mark.parametrize(("file", "member", "text", "said"), LIMITS, ids=[f"{row[1]}={row[2]:.40}" for row in LIMITS])
def test_a_number_as_text_is_held_against_the_limits_of_numbers(file: str, member: str, text: str, said: str | None) -> None:
    batch, holder = batch_of(file)
    holder[member] = text

    (finding,) = explain(batch)

    assert (finding.code == "out_of_range") is (said is not None)
    assert finding.severity == "error" or said is None
    assert finding.message.endswith(f"; {said}." if said else "; expected a number." if text else "; expected a number or null.")


def test_texts_that_are_no_error_use_up_no_room_for_those_beyond_a_limit() -> None:
    events = [{"event_type": "session_end", "data": {"session_duration_ms": text}} for text in ["5"] * MOST_OF_A_CODE + ["-5"]]

    findings = explain({"environment": "development", "events": events})

    assert [finding.pointer for finding in findings if finding.code == "out_of_range"] == [
        f"/events/{MOST_OF_A_CODE}/data/session_duration_ms"
    ]


def test_a_number_for_one_of_several_words_is_told_the_words() -> None:
    (finding,) = explain(event("commerce_event", promotion_action={"action": 1}))

    assert finding.code == "wrong_type"
    assert finding.message.endswith("is the number 1; expected view, click or unknown.")


def test_a_media_event_is_told_how_it_reaches_the_events_api() -> None:
    (finding,) = explain(event("media", event_name="Play"))

    assert finding.code == "event_type_unknown"
    assert finding.hint == 'Send "event_type": "custom_event", and in its data "custom_event_type": "media".'


# -- hints ---------------------------------------------------------------------------------------------------------------------

UUID: Final = "84e1b361-a282-4adf-8a6d-1d31e6dd5a9e"

HINTS: Final[list[tuple[str, str, Any, str | None]]] = [
    ("user_identities", "customer_id", 42, 'Send "42".'),
    ("user_identities", "email", " ada@example.com\n", 'Send "ada@example.com".'),
    ("user_identities", "other2", "x", "Did you mean other_id_2 instead of other2?"),
    ("batch", "batch_context", {}, "Did you mean context instead of batch_context?"),
    ("batch", "mp_deviceid", UUID.replace("-", ""), f'Send "{UUID}".'),
    ("batch", "ip", " 192.0.2.1", 'Send "192.0.2.1".'),
    ("batch", "ip", "localhost", None),
    ("batch", "mpid", "0012", "Send 12 without quotation marks."),
    ("batch", "mpid", "9999999999999999999", None),
    ("batch", "events", {"event_type": "first_run"}, "Put it into a list: […], even where it is the only one."),
    ("batch", "deleted_user_attributes", "plan", 'Send ["plan"].'),
    ("commerce_event", "currency_code", "eur", 'Send "EUR".'),
    ("commerce_event", "currency_code", "Euro", None),
    ("product_action", "products", {"id": "a"}, "Put it into a list: […], even where it is the only one."),
    ("product", "price", "007.50", "Send 7.50 without quotation marks."),
    ("product", "price", " 9.99", "Send 9.99 without quotation marks."),
    ("product", "price", "\n", None),
    ("product", "price", "9" * 100, "Send it without quotation marks."),
    ("location", "latitude", "180", None),
    ("event_data", "timestamp_unixtime_ms", "1700000000", "Send 1700000000000: milliseconds, without quotation marks."),
    ("event_data", "timestamp_unixtime_ms", "1700000000000", "Send 1700000000000 without quotation marks."),
    ("event_data", "timestamp_unixtime_ms", "2024-01-01T00:00:00Z", "Send 1704067200000."),
    ("event_data", "timestamp_unixtime_ms", "2024-01-01 01:00:00.5+01:00", "Send 1704067200500."),
    ("event_data", "timestamp_unixtime_ms", "0001-01-01T00:00:00+23:00", "Send -62135679600000."),
    ("event_data", "timestamp_unixtime_ms", "yesterday", None),
    ("event_data", "timestamp_unixtime_ms", 1700000000.25, "Send 1700000000250."),
    ("event_data", "timestamp_unixtime_ms", "1700000000.25", "Send 1700000000250."),
    ("event_data", "timestamp_unixtime_ms", 1700000000000.5, "Round it to a whole number, such as 1700000000000."),
    ("event_data", "event_num", "-5", None),
    ("event_data", "is_main_thread", "True", "Send true without quotation marks."),
    ("event_data", "is_main_thread", 0, "Send false."),
    ("event_data", "custom_attributes", None, None),
    ("event_data", "custom_attributes", [], None),
    ("device_current_state", "time_since_start_ms", "150000000", "Send 150000000 without quotation marks."),
    ("device_current_state", "time_since_start_ms", 150000000.5, "Round it to a whole number, such as 150000000."),
    ("device_info", "timezone_offset", 5.5, "Round it to a whole number, such as 5."),
    ("device_info", "timezone_offset", 330, "Send hours, not minutes or seconds."),
    ("device_info", "platform", 5, None),
    ("custom_event", "event_name", None, 'Send "event_name": "Signed up".'),
    ("custom_event", "custom_event_type", None, 'Send "custom_event_type": "other".'),
    ("promotion_action", "action", None, 'Send "action": "view".'),
    ("product_action", "products", [None], "Leave it out where there is none."),
    (
        "consent_state",
        "gdpr",
        {"consented": True},
        'Put the decision below its purpose: "gdpr": {"marketing": {"consented": true}}.',
    ),
]


@pytest.mark.parametrize(
    ("file", "member", "value", "hint"), [pytest.param(*row, id=f"{row[1]}={row[2]!a:.40}") for row in HINTS]
)
def test_a_value_gets_a_hint_that_mends_it(file: str, member: str, value: Any, hint: str | None) -> None:
    batch, holder = batch_of(file)
    holder[member] = copy.deepcopy(value)

    findings = explain(batch)

    assert [finding.hint for finding in findings] == ([hint] if findings else [])
    assert findings or hint is None


def named_value(hint: str | None) -> str | None:
    """The value that a hint says to send, if it names one."""
    if hint is None or "hours" in hint or hint.startswith("Send it"):
        return None
    said = re.fullmatch(r'Send (?:"\w+": )?(.*?)(?:: milliseconds,)?(?: without quotation marks)?\.', hint)
    return said[1] if said else None


@pytest.mark.parametrize(
    ("file", "member", "value", "mended"), [(*row[:3], mended) for row in HINTS if (mended := named_value(row[3])) is not None]
)
def test_a_value_sent_as_hinted_gets_no_finding(file: str, member: str, value: Any, mended: str) -> None:
    batch, holder = batch_of(file)
    holder[member] = json.loads(mended)

    assert explain(batch) == []


ADDED: Final = re.compile(r'Add "(\w+)": (.*)\.')


def needed() -> list[tuple[str, str]]:
    """Each document with each member that it requires or recommends."""
    return [
        (file, member)
        for file in [*EVENTS, *OBJECTS]
        for document in [schemas.load()[f"{file}.json"]]
        for member in [
            *document.get("required", ()),
            *document["x-findings"].get("recommended_missing", {}).get("required", ()),
        ]
    ]


@pytest.mark.parametrize(("file", "member"), needed())
def test_a_missing_member_added_as_hinted_gets_no_finding(file: str, member: str) -> None:
    batch, holder = batch_of(file)
    holder.pop(member, None)
    (finding,) = [finding for finding in explain(batch) if f"has no {member}" in finding.message]

    added = ADDED.fullmatch(finding.hint or "")
    assert added, finding
    holder[added[1]] = json.loads(added[2])

    assert explain(batch) == []


@pytest.mark.parametrize("event_type", EVENTS)
def test_missing_data_added_as_hinted_is_no_worse(event_type: str) -> None:
    batch = of_event(event_type=event_type)
    before = explain(batch)
    for finding in before:
        added = ADDED.fullmatch(finding.hint or "")
        assert added, finding
        batch["events"][0][added[1]] = json.loads(added[2])

    assert explain(batch) == []


@pytest.mark.parametrize("event_type", [name for name, data in EVENTS.items() if data])
def test_null_for_required_data_is_not_told_to_be_left_out(event_type: str) -> None:
    batch = of_event(event_type=event_type, data=None)

    for finding in explain(batch):
        sent = re.fullmatch(r'Send "data": (.*)\.', finding.hint or "")
        assert sent, finding
        batch["events"][0]["data"] = json.loads(sent[1])

    assert explain(batch) == []


@pytest.mark.parametrize(
    ("members", "hint"),
    [
        ({"evnt_type": "custom_event", "data": {}}, "Did you mean event_type instead of evnt_type?"),
        ({"type": "custom_event", "data": {}}, "Did you mean event_type instead of type?"),
        ({"eventType": "custom_event", "data": {}}, "Did you mean event_type instead of eventType?"),
        ({"data": {}}, 'Add "event_type": "custom_event", or another documented type.'),
        ({"event_type": None, "data": {}}, 'Send "event_type": "custom_event", or another documented type.'),
        (
            {"event_type": "custom_event", "event_name": "a", "custom_event_type": "other"},
            "Put event_name and custom_event_type into data.",
        ),
        ({"event_type": "first_run", "data": {}, "custom_attributes": {}}, "Move custom_attributes into data."),
        ({"event_type": "commerce_event", "data": {"transaction_id": "t"}}, "Move transaction_id into product_action."),
        (
            {"event_type": "first_run", "data": {}, "user_attributes": {}},
            "Move user_attributes out of the event, into the batch.",
        ),
        (
            {"event_type": "first_run", "data": {}, "product_action": {}},
            "Move product_action out of the event, into the data of an event of type commerce_event.",
        ),
        (
            {"event_type": "commerce_event", "data": {"action": "purchase"}},
            'Send "product_action": {"action": "purchase"} instead.',
        ),
        ({"event_type": "commerce_event", "data": {"action": "view"}}, 'Send "promotion_action": {"action": "view"} instead.'),
        ({"event_type": "commerce_event", "data": {"action": "sing"}}, "Move action into product_action or promotion_action."),
        (
            {"event_type": "commerce_event", "data": {"action": {"action": "purchase"}}},
            "Did you mean product_action instead of action?",
        ),
    ],
)
def test_an_event_gets_a_hint_that_mends_it(members: Json, hint: str) -> None:
    findings = explain(of_event(**members))

    assert [finding.hint for finding in findings] == [hint]


@pytest.mark.parametrize(
    ("file", "member", "value", "hint"),
    [
        (
            "batch", "event_type", "custom_event",
            'Move event_type into an event of the batch: "events": [{"event_type": "…", "data": {…}}].',
        ),
        ("batch", "customer_id", "c1", "Move customer_id into user_identities."),
        ("batch", "event_name", "a", "Move event_name into the data of an event."),
        ("custom_event", "user_attributes", {}, "Move user_attributes out of the event, into the batch."),
        (
            "custom_event", "product_action", {},
            "Move product_action out of the event, into the data of an event of type commerce_event.",
        ),
        ("product_action", "currency_code", "EUR", "Move currency_code out of product_action, into the data of the event."),
        ("product", "currency_code", "EUR", "Move currency_code out of products, into the data of the event."),
        ("product_action", "custom_attributes", {}, "Move custom_attributes out of product_action, into the data of the event."),
        ("device_info", "application_version", "2", "Move application_version out of device_info, into application_info."),
        ("user_identities", "ios_advertising_id", "a", "Move ios_advertising_id out of user_identities, into device_info."),
        ("device_info", "device_id", "d", "Did you mean mp_deviceid? It is a member of the batch."),
        ("product", "transaction_id", "t", "Move transaction_id out of products, into product_action."),
        ("user_identities", "mpid", 1, "Move mpid out of user_identities, into the batch."),
        ("device_current_state", "location", {}, "Move location out of device_current_state, into the data of the event."),
        ("consent_state", "analytics", {"consented": True}, 'Put the purpose below its regulation: "gdpr": {"analytics": {…}}.'),
        ("consent_state", "gdpr", {"ads": True}, 'Send {"consented": true}.'),
        ("consent_state", "ccpa", {"opt_out": {}}, "Did you mean data_sale_opt_out instead of opt_out?"),
        ("consent_state", "ccpa", {"data_sale_opt_out": False}, 'Send {"consented": false}.'),
    ],
)  # fmt: skip
def test_what_stands_in_another_object_gets_a_hint_where_it_belongs(file: str, member: str, value: Any, hint: str) -> None:
    batch, holder = batch_of(file)
    holder[member] = value

    assert [finding.hint for finding in explain(batch)] == [hint]


def test_an_object_for_what_has_a_namesake_beside_it_is_still_told_to_be_moved() -> None:
    batch = event("commerce_event", custom_attributes={"a": 1}, product_action={**PURCHASE, "custom_attributes": {"b": 1}})

    (finding,) = explain(batch)

    assert finding.hint == "Move custom_attributes out of product_action, into the data of the event."


PURCHASE: Final = {"action": "purchase", "products": [{"id": "sku-771"}]}


@pytest.mark.parametrize(
    ("batch", "there"),
    [
        (event("screen_view", screen_name="a", event_name="b"), "screen_name"),
        (event("custom_event", custom_event_type="other", event_name="a", screen_name="b"), "event_name"),
        (event("custom_event", custom_event_type="other", event_name="a", eventName="b"), "event_name"),
        (of_event(event_type="screen_view", event_name="a", data={"screen_name": "b"}), "data.screen_name"),
        (of_event(event_type="screen_view", screen_name="a", data={"screen_name": "b"}), "data.screen_name"),
        (event("commerce_event", currency_code="EUR", product_action={**PURCHASE, "currency_code": "EUR"}), "data.currency_code"),
        (event("commerce_event", action="purchase", product_action=PURCHASE), "product_action.action"),
        (
            event("commerce_event", transaction_id="t", product_action={**PURCHASE, "transaction_id": "t"}),
            "product_action.transaction_id",
        ),
        (
            event(
                "commerce_event",
                product_action={
                    "action": "purchase",
                    "transaction_id": "t",
                    "products": [{"id": "sku-771", "transaction_id": "t"}],
                },
            ),
            "product_action.transaction_id",
        ),
        (
            {
                "environment": "development",
                "events": [],
                "application_info": {"application_version": "2"},
                "device_info": {"application_version": "2"},
            },
            "application_info.application_version",
        ),
        ({"environment": "development", "events": [], "mpid": 7, "user_identities": {"mpid": 7}}, "mpid"),
    ],
)
def test_what_is_already_where_it_belongs_is_told_to_be_left_out(batch: Json, there: str) -> None:
    findings = explain(batch)

    assert [finding.hint for finding in findings] == [f"Leave it out: {there} is there already."]


@pytest.mark.parametrize(
    ("event_type", "name", "hint"),
    [
        ("screen_view", "event_name", "Put event_name into data, as screen_name."),
        ("custom_event", "screen_name", "Put screen_name into data, as event_name."),
    ],
)
def test_a_name_beside_data_is_told_into_it_by_its_name_there(event_type: str, name: str, hint: str) -> None:
    data = {"custom_event_type": "other"} if event_type == "custom_event" else {}

    findings = explain(of_event(event_type=event_type, data=data, **{name: "Home"}))

    assert [finding.hint for finding in findings] == [hint, hint]


def test_a_name_of_events_of_another_type_is_told_to_be_renamed() -> None:
    findings = explain(event("screen_view", event_name="Home"))

    assert [finding.hint for finding in findings] == ["Call event_name screen_name.", "Call it screen_name."]


def test_no_hint_makes_matters_worse_in_the_labelled_batches() -> None:
    worse = {}

    for entry in read("flawed"):
        for batch in batches_of(entry):
            for finding in explain(batch):
                mended = pasted(batch, finding)
                new = weight(explain(mended)) if mended is not None else 0
                if new > weight(explain(batch)):
                    worse[str(entry)] = finding, mended

    assert worse == {}


def pasted(batch: Json, finding: Finding) -> Json | None:
    """The batch with the value of a hint in its place, where the hint says one."""
    added = ADDED.fullmatch(finding.hint or "")
    sent = re.fullmatch(r"Send (.*?)(?:: milliseconds,)?(?: without quotation marks)?\.", finding.hint or "")
    mended = copy.deepcopy(batch)
    try:
        if added:
            at(mended, finding.pointer)[added[1]] = json.loads(added[2])
            return mended
        holder, _, last = finding.pointer.rpartition("/")
        if not sent or not last:
            return None
        target = at(mended, holder)
        target[int(last) if isinstance(target, list) else last] = json.loads(sent[1])
    except ValueError:  # the hint says what to do
        return None
    return mended


def weight(findings: list[Finding]) -> int:
    return sum(10 ** SEVERITIES.index(CODES[finding.code].severity) for finding in findings)


# -- tables --------------------------------------------------------------------------------------------------------------------


def objects(node: Any) -> Iterator[str]:
    """The titles of all objects with members that the documents have."""
    if isinstance(node, dict):
        if "title" in node and isinstance(node.get("properties"), dict):
            yield node["title"]
        for child in node.values():
            yield from objects(child)


@pytest.mark.parametrize("title", sorted(set(objects(schemas.load()))))
def test_it_is_known_what_stands_around_every_object(title: str) -> None:
    assert belongs("zz", title) == []


BREADCRUMB: Final = {"event_type": "breadcrumb", "data": {"label": "Opened the cart"}}


@pytest.mark.parametrize(
    ("member", "code", "hint"),
    [
        ({"id": 1}, "unknown_member", None),
        (
            {"message_id": 1},
            "unknown_member",
            "mParticle adds it to batches that it sends out: leave it out where you send one of those again.",
        ),
        ({"eventType": "breadcrumb"}, "unknown_member", "Leave it out: event_type is there already."),
        ({"label": "Paid"}, "misplaced_member", "Leave it out: data.label is there already."),
    ],
)
def test_a_breadcrumb_event_of_a_crash_report_may_have_unknown_members(member: Json, code: str, hint: str | None) -> None:
    (finding,) = explain(event("crash_report", message="m", breadcrumbs=[{**BREADCRUMB, **member}]))

    (name,) = member
    assert (finding.code, finding.pointer) == (code, f"/events/0/data/breadcrumbs/0/{name}")
    assert finding.hint == hint


def test_every_synonym_is_of_a_member_that_there_is() -> None:
    members = {name for document in schemas.load().values() for name in document.get("properties", ())}

    assert {name for names in SYNONYMS.values() for name in names} - members == set()


def test_the_reserved_attributes_are_the_same_in_both_places_of_their_document() -> None:
    document = schemas.load()["user_attributes.json"]

    assert document["x-findings"]["reserved_attribute_misused"]["propertyNames"]["then"]["enum"] == list(document["properties"])


def test_a_fault_behind_more_faultless_values_than_a_sample_takes_is_told() -> None:
    many = {f"p{number}": "x" for number in range(20_000)}

    findings = explain({"environment": "development", "partner_identities": many, "ip": "localhost", "events": []})

    assert [(finding.code, finding.pointer) for finding in findings] == [("malformed_value", "/ip")]


MANY: Final = MOST_NODES + 1


def of_products(*products: Json) -> Json:
    return {"event_type": "commerce_event", "data": {"product_action": {"action": "purchase", "products": list(products)}}}


BEHIND: Final[list[tuple[Json, list[tuple[str, str]]]]] = [
    ({"deleted_user_attributes": ["a"] * MANY + [5]}, [("wrong_type", f"/deleted_user_attributes/{MANY}")]),
    (
        {"user_attributes": {"x": ["a"] * MANY + [{}]}},
        [("user_attribute_list_too_long", "/user_attributes/x"), ("attribute_nested", f"/user_attributes/x/{MANY}")],
    ),
    (
        {"user_attributes": {**{f"a{number}": 1 for number in range(MANY)}, "12": {}}},
        [("too_many_user_attributes", "/user_attributes"), ("attribute_nested", "/user_attributes/12")],
    ),
    (
        {"integration_attributes": {**{f"a{number}": {"b": "c"} for number in range(MANY)}, "~": {"/": 1}}},
        [("wrong_type", "/integration_attributes/~0/~1")],
    ),
    (
        {"events": [of_products(*[{"id": "a", "name": "b"}] * MANY, {"id": "a", "price": "x"})]},
        [("wrong_type", f"/events/0/data/product_action/products/{MANY}/price")],
    ),
    (
        {"events": [of_products(*[{"id": "a", "name": "b"}] * MANY, {"id": "a", "prize": 1})]},
        [("unknown_member", f"/events/0/data/product_action/products/{MANY}/prize")],
    ),
    (
        {"events": [of_products(*[{"id": "a"}] * MANY, {"id": 1}), {"event_type": "first_run", "data": []}]},
        [("wrong_type", f"/events/0/data/product_action/products/{MANY}/id"), ("wrong_type", "/events/1/data")],
    ),
]


@pytest.mark.parametrize(("members", "expected"), BEHIND, ids=[f"{codes[-1][1]:.50}" for _, codes in BEHIND])
def test_a_fault_inside_more_than_a_sample_takes_is_told(members: Json, expected: list[tuple[str, str]]) -> None:
    findings = explain({"environment": "development", **members})

    assert [(finding.code, finding.pointer) for finding in findings] == expected


@pytest.mark.parametrize("members", [members for members, _ in BEHIND[:2]], ids=["error", "warning"])
def test_both_engines_find_the_same_inside_more_than_a_sample_takes(members: Json) -> None:
    batch = {"environment": "development", **members}

    assert told(rust().explain(batch)) == told(python().explain(batch)) != []


def test_of_a_batch_too_large_for_a_sample_what_is_missing_is_told_too() -> None:
    many = {f"p{number}": "x" for number in range(20_000)}

    findings = explain({"partner_identities": many, "consent_state": {"gdpr": {"ads": {"consented": "no"}}}})

    assert [(finding.code, finding.pointer) for finding in findings] == [
        ("environment_missing", ""),
        ("wrong_type", "/consent_state/gdpr/ads/consented"),
    ]
