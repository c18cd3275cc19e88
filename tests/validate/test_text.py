"""The report that people read, and the places to which it points."""

import json
from typing import Any

import pytest

from mparticle_fake_server.validate.places import Ruler, Span, Wanted, excerpt, locate
from tests.validate.conftest import Validate, batch, line, ndjson, wrong


def test_a_finding_is_shown_with_place_text_caret_hint_and_link(validate: Validate) -> None:
    result = validate(ndjson(batch(), batch(events=[{"eventType": "custom_event"}])))

    lines = result.stdout.splitlines()
    assert lines[0].startswith("input.ndjson:2:87: error event_type_missing: events[0].event_type is missing")
    assert lines[1].endswith('"events":[{"eventType":"custom_event"}]}')
    assert lines[2].lstrip() == "^" * len('{"eventType":"custom_event"}')
    assert lines[1].index('{"eventType') == lines[2].index("^")
    assert lines[3:5] == ["    hint: Did you mean event_type instead of eventType?", "    docs/findings.md#event_type_missing"]


def test_findings_of_a_kind_are_shown_together_and_counted(validate: Validate) -> None:
    result = validate(ndjson(*[wrong()] * 10, batch(events=[*batch()["events"], {"data": {}}])))

    assert result.stdout.count(" error event_type_missing: ") == 3
    assert "    … and 8 more like this\n" in result.stdout
    assert "       11 error   event_type_missing\n11 batches, 12 events: 11 errors, 0 warnings, 0 notes.\n" in result.stdout


def test_errors_come_before_warnings(validate: Validate) -> None:
    result = validate(ndjson(*[batch(source_request_id="a")] * 2, wrong()))

    assert result.stdout.index(" error event_type_missing") < result.stdout.index(" warning duplicate_batch")


def test_control_characters_of_a_payload_are_shown_and_not_obeyed(validate: Validate) -> None:
    hostile = wrong(user_attributes={"a": "\u202e\x9b31m"}).copy()
    text = json.dumps(hostile, ensure_ascii=False) + "\n" + '{"\x1b[2J' + "\n" + ndjson(batch())

    result = validate(text)

    assert not {character for character in result.stdout if not character.isprintable()} - {"\n"}


def test_the_caret_stands_below_wide_characters_too(validate: Validate) -> None:
    result = validate(ndjson(batch(user_identities={"other": "名前花子"}, events=[5])))

    around, caret = result.stdout.splitlines()[1:3]
    assert caret.index("^") == around.index("5") + len("名前花子")


def test_more_kinds_than_are_shown_are_said_to_be_more(validate: Validate) -> None:
    result = validate(ndjson(*[batch(source_request_id="a")] * 2, wrong()), "--max=1")

    assert "The first findings are shown, more with --max." in result.stdout


def find(text: bytes, pointer: str, *, name: bool = False) -> Span:
    [span] = locate(text, [Wanted(pointer, name)])
    return span


TEXT = rb"""{"a~/b": [10, {"x": "a\"]}", "y": {}}, []], "d": 1,
  "d": {"\u0065": -2.5e3, "": null}, "customerid" : "c"}"""


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("", TEXT),
        ("/a~0~1b", rb'[10, {"x": "a\"]}", "y": {}}, []]'),
        ("/a~0~1b/0", b"10"),
        ("/a~0~1b/1/x", rb'"a\"]}"'),
        ("/a~0~1b/1/y", b"{}"),
        ("/a~0~1b/2", b"[]"),
        ("/d/e", b"-2.5e3"),
        ("/d/", b"null"),
        ("/customerid", b'"c"'),
        ("/d/missing/deeper", rb'{"\u0065": -2.5e3, "": null}'),
        ("/a~0~1b/3", rb'[10, {"x": "a\"]}", "y": {}}, []]'),
        ("/a~0~1b/0/0", b"10"),
    ],
)
def test_a_pointer_leads_to_its_bytes_as_far_as_it_leads(pointer: str, expected: bytes) -> None:
    start, end = find(TEXT, pointer)

    assert TEXT[start:end] == expected


def test_a_member_is_found_by_its_name() -> None:
    start, end = find(TEXT, "/d/e", name=True)

    assert TEXT[start:end] == rb'"\u0065"'


@pytest.mark.parametrize(
    "text", [b"", b"{", b'{"a', b'{"a":', b'{"a":[', b"[1,", b"]", b'{"a":"\\', b"\xff", b'{"\\ud800":1}', b"{a:1}"]
)
def test_broken_texts_have_places_too(text: bytes) -> None:
    start, end = find(text, "/a/0")

    assert 0 <= start <= end <= len(text)


def test_every_value_of_a_document_is_found() -> None:
    value: Any = {"a": [1, {"b/c": ["x", [], {}, None, 1.5]}, 'é\n"\\'], "d~": {"": [[["deep"]]]}}
    for text in (line(value), json.dumps(value, indent=3), json.dumps(value)):
        raw = text.encode()
        pointers = _all(value)
        spans = locate(raw, [Wanted(pointer) for pointer, _ in pointers])
        assert [json.loads(raw[start:end]) for start, end in spans] == [expected for _, expected in pointers]


def _all(value: Any, pointer: str = "") -> list[tuple[str, Any]]:
    found = [(pointer, value)]
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        found += _all(inner, f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}")
    return found


def test_columns_count_characters() -> None:
    text = "\n  é𝄞x".encode()

    ruler = Ruler(text).to(text.index(b"x"))

    assert (ruler.line, ruler.column) == (2, 5)


def test_an_excerpt_is_one_line_and_bounded() -> None:
    text = b"first\n" + b"a" * 1000 + b'"' + b"b" * 1000 + b'"\nlast'

    before, offending, after = excerpt(text, Span(1006, 2008))

    assert before == "…" + "a" * 50
    assert offending == '"' + "b" * 59 + "…"
    assert after == ""


def test_of_two_members_with_one_name_the_last_counts_with_all_in_it() -> None:
    text = b'{"d": {"e": 1}, "d": {"f": 2}}'

    start, end = find(text, "/d/e")

    assert text[start:end] == b'{"f": 2}'
