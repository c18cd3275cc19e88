"""Members that one object names twice: told wherever a body is read, with what was kept and what was lost."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mparticle_fake_server.checks.duplicates import find_duplicates
from mparticle_fake_server.checks.finding import Finding
from mparticle_fake_server.checks.found import MOST_OF_A_CODE
from mparticle_fake_server.decoding import decode


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


@pytest.mark.parametrize("text", [objects(*['"a":1'] * 400_000), "[" + ",".join(['{"a":1,"a":2}'] * 150_000) + "]"])
def test_a_hostile_body_costs_time_in_proportion_to_its_size(text: str) -> None:
    began = time.process_time()

    findings = found(text)

    assert findings is not None
    assert time.process_time() - began < 2


pairs: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(alphabet="a:\\é", max_size=3) | st.sampled_from([2**70, 1e300]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(st.sampled_from(["a", "b", ":", "é"]), inner), max_size=3).map(tuple)
    ),
    max_leaves=12,
)


def written(node: Any, colon: str) -> str:
    """A text in which tuples of pairs are objects."""
    if isinstance(node, tuple):
        return objects(*(json.dumps(name) + colon + written(value, colon) for name, value in node))
    return "[" + ",".join(written(item, colon) for item in node) + "]" if isinstance(node, list) else json.dumps(node)


def counting(node: Any) -> int:
    """How many names stand more than once, where that counts."""
    if isinstance(node, tuple):
        names = [name for name, _ in node]
        return sum(names.count(name) > 1 for name in set(names)) + sum(map(counting, dict(node).values()))
    return sum(map(counting, node)) if isinstance(node, list) else 0


@given(pairs.map(lambda node: [node]), st.sampled_from([":", ": ", " :\n"]))
def test_just_the_names_that_stand_more_than_once_are_told(node: Any, colon: str) -> None:
    codes = [finding.code for finding in found(written(node, colon))]

    assert codes.count("duplicate_member") == counting(node)


def test_the_slow_look_agrees_that_there_is_nothing() -> None:
    assert find_duplicates(b'{"a":{"b":[{"c":1},{"c":1}]},"b":1}') == []
