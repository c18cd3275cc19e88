"""Members that one object names twice: told wherever a body is read, with what was kept and what was lost."""

import json
import time
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mparticle_fake_server.checks.duplicates import MOST_COUNTED, MOST_TOKENS, find_duplicates
from mparticle_fake_server.checks.finding import Finding
from mparticle_fake_server.checks.found import MOST_OF_A_CODE
from mparticle_fake_server.decoding import decode

MOST_SECONDS: Final = 0.8
"""What reading a body of 2 MB may take; it takes some 0.2 s."""


def found(text: str) -> list[Finding]:
    decoded = decode(text.encode(), None, None, 10**7)
    assert decoded.readable
    return decoded.findings


def objects(*members: str) -> str:
    return "{" + ",".join(members) + "}"


def only(text: str) -> Finding:
    (finding,) = found(text)
    assert (finding.code, finding.severity) == ("duplicate_member", "warning")
    return finding


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a": 1, "a": 2}',
        '{\n  "a" : 1,\n  "a" : 2\n}',
        '{"a":[1,2,3],"a":2}',
        '{"a":"x:y:z","b":"::","a":"x:y:z"}',
        '{"a":1e5,"\\u0061":2}',
        '{"a":1,"b":1e6,"a":2}',
        '{"a":"\\ud83d","a":2}',
        '{"a":36893488147419103232,"a":2}',
        '{"a":"x\\u003ay","a":1}',
        '{"a":1,"a":2,"b":"\\u003a"}',
        '{"a":1,"a":2,"\\u003A":1}',
        '{"a":1,"a":2,"b":"\\\\\\u003a"}',
        '{"a":1,"a":2,"b":"\\\\u003a"}',
        '{"a":36893488147419103232,"a":2,"b":"\\u003a"}',
        '{"a":1,"a":2,"b":"' + "\\n" * 20 + '\\u003a"}',
        '{"a":1,"a":2,"b":"' + "\\\\" * 20 + '\\u003a"}',
    ],
)
def test_a_member_twice_is_told_however_the_text_is_written(text: str) -> None:
    assert [(finding.pointer, finding.raw_pointer) for finding in found(text) if finding.code == "duplicate_member"] == [
        ("/a", "/a")
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"b":{"a":1}}',
        '[{"a":1},{"a":1}]',
        '{"a:":":","a":"\\u003a"}',
        '{"a":1e5,"A":"\\/"}',
        '{"a": "\\t : \\u00e9"}',
        '{"a":"\\u003a\\u003A\\\\u003a"}',
        '{"a":"' + "\\n" * 20 + '\\u003a\\u003A\\\\u003a"}',
        "{}",
    ],
)
def test_members_of_different_names_or_objects_are_not(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            '{"a":1,"a":"x"}',
            "a is in its object twice: the number 1, then the text 'x';",
            "Write it once, with the value that is meant.",
        ),
        ('{"a":1,"a":1}', "a is in its object twice: each time the number 1;", "Write it once."),
        (
            '{"a":1,"a":true}',
            "a is in its object twice: the number 1, then true;",
            "Write it once, with the value that is meant.",
        ),
        (
            '{"a":1,"a":{},"a":[]}',
            "3 times: the number 1, then an object, then an array;",
            "Write it once, with the value that is meant.",
        ),
        (
            '{"a":1,"a":2,"a":3,"a":4}',
            "4 times: the number 1, then …, then the number 4;",
            "Write it once, with the value that is meant.",
        ),
        ('[{"b":[{"a":1,"a":2}]}]', "[0].b[0].a is in its object twice", "Write it once, with the value that is meant."),
    ],
)
def test_the_message_says_where_how_often_and_what_came(text: str, said: str, hint: str) -> None:
    finding = only(text)

    assert said in finding.message
    assert finding.message.endswith("expected it once, for readers keep one of them, mostly the last.")
    assert finding.hint == hint


def test_what_is_in_a_value_that_does_not_count_is_not_told() -> None:
    assert only('{"a":{"b":1,"b":2},"a":{"c":1}}').pointer == "/a"


def test_many_are_counted_and_some_told() -> None:
    findings = found(objects(*(f'"a{number // 2}":{number}' for number in range(2 * MOST_OF_A_CODE + 14))))

    assert len(findings) == MOST_OF_A_CODE + 1
    assert findings[-1].message == "7 more members are named more than once."


def test_of_an_object_too_large_to_be_read_to_its_end_the_count_is_the_least_there_are() -> None:
    text = objects(*['"a":1'] * MOST_TOKENS)

    assert only(text).message.startswith(f"a is in its object {MOST_TOKENS // 2} times or more: each time the number 1;")


def test_a_member_twice_behind_all_that_is_looked_at_is_told_without_its_place() -> None:
    finding = only("[" + "[]," * MOST_TOKENS + '{"a":1,"a":2}]')

    assert (finding.pointer, finding.raw_pointer) == ("", None)
    assert finding.message.startswith("A member is named more than once in its object, behind the first ")


def test_what_is_told_before_the_end_of_a_large_text_is_there_in_the_end() -> None:
    lost = objects(*(f'"a{number // 2}":{number}' for number in range(4 * MOST_COUNTED)))

    decoded = decode(f'{{"b":{lost},"b":1,"b":2}}'.encode(), None, None, 10**7)

    assert decoded.value == {"b": 2}
    assert [finding.pointer for finding in decoded.findings] == [""]


HOSTILE = {
    # About 2 MB each, with members that stand twice.
    "one name": objects(*['"a":1'] * 330_000),
    "many names": objects(*(f'"a{number // 2}":1' for number in range(180_000))),
    "many objects": "[" + ",".join(['{"a":1,"a":2}'] * 150_000) + "]",
    "in what is lost": "[" + ",".join(['{"a":[[[[{}]]]],"a":2}'] * 90_000) + "]",
    "escaped colons": "[" + ",".join(['{"a":"x\\u003ay","a":1}'] * 85_000) + "]",
    "behind objects": "[" + '{"a":1},' * 250_000 + '{"a":1,"a":2}]',
    "behind brackets": "[" + "{}," * 650_000 + '{"a":1,"a":2}]',
    "behind texts": '{"x":[' + '"",' * 650_000 + '""],"a":1,"a":2}',
    "below half surrogates": '{"x":"' + "\\ud800" * 300_000 + '","a":1,"a":2}',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_costs_little_whatever_its_size(text: str) -> None:
    began = time.process_time()

    findings = found(text)

    assert {finding.code for finding in findings} - {"lone_surrogate"} == {"duplicate_member"}
    assert time.process_time() - began < MOST_SECONDS


pairs: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(alphabet="a:\\é", max_size=3) | st.sampled_from([2**70, 1e300]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from(["a", "b", ":", "é"]), inner), max_size=3).map(tuple)
    ),
    max_leaves=12,
)


def written(node: Any, colon: str, inner: str) -> str:
    """A text in which tuples of pairs are objects, and colons inside of texts are `inner`."""
    if isinstance(node, tuple):
        return objects(*(written(name, "", inner) + colon + written(value, colon, inner) for name, value in node))
    if isinstance(node, list):
        return "[" + ",".join(written(item, colon, inner) for item in node) + "]"
    return json.dumps(node).replace(":", inner)


def counting(node: Any) -> int:
    """How many names stand more than once, where that counts."""
    if isinstance(node, tuple):
        names = [name for name, _ in node]
        return sum(names.count(name) > 1 for name in set(names)) + sum(map(counting, dict(node).values()))
    return sum(map(counting, node)) if isinstance(node, list) else 0


@given(pairs.map(lambda node: [node]), st.sampled_from([":", ": ", " :\n"]), st.sampled_from([":", "\\u003a", "\\u003A"]))
def test_just_the_names_that_stand_more_than_once_are_told(node: Any, colon: str, inner: str) -> None:
    codes = [finding.code for finding in found(written(node, colon, inner))]

    assert codes.count("duplicate_member") == counting(node)


def test_the_slow_look_agrees_that_there_is_nothing() -> None:
    assert find_duplicates(b'{"a":{"b":[{"c":1},{"c":1}]},"b":1}') == []
