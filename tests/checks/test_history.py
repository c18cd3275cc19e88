"""What a workspace remembers, and tells of later batches."""

import sys
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mparticle_fake_server.checks.finding import Finding
from mparticle_fake_server.checks.found import MOST_OF_A_CODE
from mparticle_fake_server.checks.history import MOST_ATTRIBUTES, MOST_EXCESS, MOST_SESSIONS, History
from tests.hosts import batch, event

Json = Any
UUID = "76F1ABB9-7A9A-4D4E-AB4D-56C8FF79CAD1"
OTHER = "8FC0CDE4-1E1A-4E5B-9D55-0C60D1B1A0A0"


def screen(name: str) -> Json:
    return {"event_type": "screen_view", "data": {"screen_name": name}}


def start(**data: Json) -> Json:
    return {"event_type": "session_start", "data": data}


def end(**data: Json) -> Json:
    return {"event_type": "session_end", "data": data}


def sent(history: History, *events: Json, **members: Json) -> list[Finding]:
    return history.check(batch(events=list(events), **members))


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def full(history: History) -> History:
    """A workspace with 600 event and 400 screen names, all it may have."""
    sent(history, *(event(f"Order {number} placed") for number in range(600)))
    assert sent(history, *(screen(f"Page {number}") for number in range(400))) == []
    return history


# -- names -----------------------------------------------------------------------------------------------------------------


def test_the_1001st_name_of_a_workspace_is_told_where_it_stands(full: History) -> None:
    (finding,) = sent(full, event("Order 7 placed"), event("Signed up"))

    assert (finding.code, finding.severity, finding.pointer) == (
        "too_many_event_names",
        "warning",
        "/events/1/data/event_name",
    )
    assert finding.message.startswith("events[1].data.event_name is 'Signed up', one more than the 1000 event and screen names")


def test_screens_count_as_well(full: History) -> None:
    (finding,) = sent(full, screen("Home"))

    assert finding.pointer == "/events/0/data/screen_name"


def test_known_names_are_told_no_more(full: History) -> None:
    assert sent(full, event("Order 599 placed"), screen("Page 399")) == []


def test_the_message_says_how_many_names_there_are_now(full: History) -> None:
    sent(full, event("a"), event("b"), event("a"))

    (finding,) = sent(full, event("c"))

    assert "this one has 1003," in finding.message


def test_names_beyond_the_limit_are_counted_up_to_a_bound(full: History) -> None:
    findings = sent(full, *(event(f"n{number}") for number in range(MOST_EXCESS + 10)))
    (finding,) = sent(full, event("one more"))

    assert len(findings) == MOST_OF_A_CODE
    assert f"this one has {1000 + MOST_EXCESS} or more," in finding.message


@pytest.mark.parametrize(
    "name",
    ["Order 1000 placed", "Signed up", "Order 76f1abb9-7a9a-4d4e-ab4d-56c8ff79cad1 placed", "Order 0123456789abcdef placed"],
)
def test_the_hint_shows_what_names_with_an_id_in_them_have_in_common(full: History, name: str) -> None:
    (finding,) = sent(full, event(name))

    assert finding.hint == "600 names differ only in an id, as 'Order … placed': put the id into a custom attribute."


def test_names_without_ids_get_a_general_hint(history: History) -> None:
    letters = "abcdefghij"
    sent(history, *(event(a + b + c) for a in letters for b in letters for c in letters))

    (finding,) = sent(history, event("one more"))

    assert finding.hint == "Use few names, and put what varies into custom attributes."


def test_names_that_are_cut_to_the_same_256_characters_are_one(history: History) -> None:
    sent(history, *(event("x" * 256 + str(number)) for number in range(2000)))

    assert sent(history, event("y")) == []


@pytest.mark.parametrize("data", [{"event_name": None}, {"event_name": ["a"]}, {"event_name": ""}, {"event_name": 5}, {}, None])
def test_what_is_no_name_does_not_count(full: History, data: Json) -> None:
    assert sent(full, {"event_type": "custom_event", "data": data}) == []


def test_names_of_other_events_do_not_count(full: History) -> None:
    assert sent(full, {"event_type": "commerce_event", "data": {"event_name": "eCommerce - Purchase"}}) == []


# -- kinds of user attributes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("M", ["M"], "user_attributes.sizes is a list; expected a single value, as in earlier batches of this workspace."),
        (["M"], "M", "user_attributes.sizes is a single value; expected a list, as in earlier batches of this workspace."),
        ([], 5, "user_attributes.sizes is a single value; expected a list, as in earlier batches of this workspace."),
    ],
)
def test_an_attribute_that_changes_between_list_and_single_value_is_told(
    history: History, before: Json, after: Json, message: str
) -> None:
    sent(history, user_attributes={"sizes": before})

    (finding,) = sent(history, user_attributes={"sizes": after})

    assert (finding.code, finding.severity, finding.pointer) == ("attribute_kind_changed", "warning", "/user_attributes/sizes")
    assert finding.message == message


@pytest.mark.parametrize(("before", "after"), [("M", 5), (True, "M"), (["M"], []), (["M"], [5])])
def test_an_attribute_may_change_its_value(history: History, before: Json, after: Json) -> None:
    sent(history, user_attributes={"sizes": before})

    assert sent(history, user_attributes={"sizes": after}) == []


def test_null_is_no_kind(history: History) -> None:
    sent(history, user_attributes={"sizes": ["M"]})
    assert sent(history, user_attributes={"sizes": None}) == []

    (finding,) = sent(history, user_attributes={"sizes": "L"})

    assert finding.code == "attribute_kind_changed"


@pytest.mark.parametrize("name", ["sizes", "x" * 256 + "a"])
@pytest.mark.parametrize("beside", [{}, {"user_attributes": {"sizes": "M"}}, {"user_attributes": {"sizes": ["M"]}}])
def test_an_attribute_that_was_deleted_may_come_back_as_either_kind(history: History, name: str, beside: Json) -> None:
    for value in ("L", ["L"]):
        sent(history, user_attributes={name: value})
        assert sent(history, deleted_user_attributes=[name, 5, None], **beside if name == "sizes" else {}) == []

        assert sent(history, user_attributes={name: [value]}) == []
        sent(history, deleted_user_attributes=[name])


@pytest.mark.parametrize("deleted", [5, "sizes", {"sizes": 1}, [["sizes"]], ["other"]])
def test_what_deletes_nothing_forgets_nothing(history: History, deleted: Json) -> None:
    sent(history, user_attributes={"sizes": ["M"]})
    sent(history, deleted_user_attributes=deleted)

    assert len(sent(history, user_attributes={"sizes": "M"})) == 1


@pytest.mark.parametrize("nothing", [None, {}, {"small": "S"}])
def test_what_is_no_kind_comes_before_either_kind(history: History, nothing: Json) -> None:
    sent(history, user_attributes={"sizes": nothing})

    assert sent(history, user_attributes={"sizes": ["L"]}) == []


def test_a_change_is_told_once(history: History) -> None:
    sent(history, user_attributes={"sizes": "M"})
    sent(history, user_attributes={"sizes": ["M"]})

    assert sent(history, user_attributes={"sizes": ["L"]}) == []


def test_the_pointer_to_an_attribute_is_escaped(history: History) -> None:
    sent(history, user_attributes={"a/b~c": "M"})

    (finding,) = sent(history, user_attributes={"a/b~c": []})

    assert finding.pointer == "/user_attributes/a~1b~0c"


# -- sessions --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", [{"session_uuid": UUID}, {"session_id": 5}, {"session_id": 5, "session_uuid": UUID}])
def test_an_end_without_start_is_told(history: History, ids: Json) -> None:
    (finding,) = sent(history, event("Play"), end(**ids))

    assert (finding.code, finding.severity, finding.pointer) == ("session_end_without_start", "warning", "/events/1")
    assert finding.message == f"events[1] ends the session {list(ids.values())[-1]}, which has not started in this workspace."


@pytest.mark.parametrize(
    ("started", "ended"),
    [
        ({"session_uuid": UUID}, {"session_uuid": UUID}),
        ({"session_uuid": UUID}, {"session_uuid": UUID.lower()}),
        ({"session_id": 5}, {"session_id": 5}),
        ({"session_id": 5}, {"session_id": "5"}),
        ({"session_id": 5, "session_uuid": UUID}, {"session_uuid": UUID}),
        ({"session_uuid": UUID}, {"session_id": 5, "session_uuid": UUID}),
    ],
)
@pytest.mark.parametrize("in_one_batch", [True, False])
def test_an_end_whose_session_started_is_fine(history: History, started: Json, ended: Json, in_one_batch: bool) -> None:
    if in_one_batch:
        assert sent(history, start(**started), end(**ended)) == []
    else:
        assert sent(history, start(**started)) == []
        assert sent(history, end(**ended)) == []


def test_a_start_after_the_end_does_not_count(history: History) -> None:
    (finding,) = sent(history, end(session_id=5), start(session_id=5))

    assert finding.code == "session_end_without_start"


@pytest.mark.parametrize("ids", [{}, {"session_id": 0}, {"session_id": None, "session_uuid": ""}, {"session_uuid": []}])
def test_an_end_without_any_id_is_not_judged(history: History, ids: Json) -> None:
    assert sent(history, end(**ids)) == []


DIFFERENT: list[tuple[Json, Json, str]] = [
    ({"session_id": 1}, {"session_id": 2}, "session_id"),
    ({"session_uuid": UUID}, {"session_uuid": OTHER}, "session_uuid"),
    ({"session_id": 1, "session_uuid": UUID}, {"session_id": 2, "session_uuid": OTHER}, "session_uuid"),
]


@pytest.mark.parametrize(("started", "ended", "member"), DIFFERENT)
def test_an_end_with_another_id_than_the_open_start_before_it_is_told(
    history: History, started: Json, ended: Json, member: str
) -> None:
    (finding,) = sent(history, start(**started), end(**ended))

    assert (finding.code, finding.severity, finding.pointer) == ("session_id_differs", "warning", f"/events/1/data/{member}")
    assert finding.message == f"events[1].data.{member} is {ended[member]}; expected {started[member]}, which events[0] starts."


def test_an_end_of_an_earlier_session_is_not_held_against_a_start_in_its_batch(history: History) -> None:
    sent(history, start(session_id=1))

    assert sent(history, start(session_id=2), end(session_id=1)) == []


def test_an_end_of_an_earlier_session_leaves_the_start_in_its_batch_open(history: History) -> None:
    sent(history, start(session_id=1))

    (finding,) = sent(history, start(session_id=2), end(session_id=1), end(session_id=3))

    assert (finding.code, finding.pointer) == ("session_id_differs", "/events/2/data/session_id")


def test_a_start_without_id_may_be_the_one_of_the_end_behind_it(history: History) -> None:
    assert sent(history, start(), end(session_uuid=UUID)) == []


def test_a_start_excuses_one_end(history: History) -> None:
    (finding,) = sent(history, start(), end(session_id=1), end(session_id=2))

    assert finding.pointer == "/events/2"


# -- judging and learning --------------------------------------------------------------------------------------------------


def with_everything(number: int) -> Json:
    return batch(
        events=[event(f"Name {number}"), start(session_id=number)],
        user_attributes={f"a{number}": ["M"]},
        deleted_user_attributes=["gone"],
    )


def test_what_is_judged_is_not_learnt(history: History) -> None:
    sent(history, user_attributes={"gone": 1})

    first, news = history.judge(with_everything(1))

    assert (first, news is None) == ([], False)
    assert history.count_names() == 0
    assert sent(history, end(session_id=1))[0].code == "session_end_without_start"
    assert sent(history, user_attributes={"a1": "M"}) == []
    assert sent(history, user_attributes={"gone": []})[0].code == "attribute_kind_changed"


def test_what_is_learnt_is_known(history: History) -> None:
    _, news = history.judge(with_everything(1))
    assert news is not None
    history.learn(news)

    assert sent(history, end(session_id=1)) == []
    assert sent(history, user_attributes={"a1": "M"})[0].code == "attribute_kind_changed"


def test_a_batch_without_news_has_nothing_to_learn(history: History) -> None:
    sent(history, event("Play"), start(session_id=1), user_attributes={"sizes": ["M"]})

    known = batch(events=[event("Play"), start(session_id=1), end(session_id=1)], user_attributes={"sizes": ["S"], "no": None})

    assert history.judge(known) == ([], None)


def test_a_batch_is_held_against_those_before_it_in_its_request(history: History) -> None:
    sent(history, user_attributes={"sizes": "M"})
    _, before = history.judge(
        batch(events=[start(session_id=1)], user_attributes={"a": ["M"]}, deleted_user_attributes=["sizes"])
    )

    findings, _ = history.judge(batch(events=[end(session_id=1)], user_attributes={"a": "M", "sizes": ["M"]}), before)

    assert [(finding.code, finding.pointer) for finding in findings] == [("attribute_kind_changed", "/user_attributes/a")]


def test_names_are_counted_over_a_whole_request(history: History) -> None:
    _, before = history.judge(batch(events=[event(f"Order {number}") for number in range(999)]))

    findings, news = history.judge(batch(events=[event("Order 5"), event("a"), event("b"), event("b"), event("a")]), before)

    assert [finding.pointer for finding in findings] == [f"/events/{index}/data/event_name" for index in (2, 3)]
    assert "this one has 1001," in findings[-1].message
    assert findings[0].hint == "999 names differ only in an id, as 'Order …': put the id into a custom attribute."
    assert before is not None
    assert news is not None
    history.learn(before)
    history.learn(news)
    assert sent(history, event("a")) == []
    assert len(sent(history, event("b"))) == 1


def test_many_names_beyond_the_limit_are_told_in_the_time_it_takes_to_read_them(full: History) -> None:
    events = [event(f"n{number}") for number in range(50_000)]
    began = time.process_time()

    sent(full, *events, *events)

    assert time.process_time() - began < 10  # quadratic work would take hours


def test_a_resumed_history_does_not_judge_the_ends_of_sessions() -> None:
    resumed = History(resumed=True)

    assert sent(resumed, end(session_id=1)) == []
    assert sent(resumed, start(session_id=2), end(session_id=3)) == []
    sent(resumed, user_attributes={"sizes": "M"})
    assert sent(resumed, user_attributes={"sizes": ["M"]})[0].code == "attribute_kind_changed"


# -- its own bounds --------------------------------------------------------------------------------------------------------


def test_once_sessions_may_be_forgotten_ends_are_not_judged(history: History) -> None:
    sent(history, *(start(session_id=number) for number in range(1, MOST_SESSIONS + 100)))

    assert sent(history, end(session_id=MOST_SESSIONS + 50), end(session_id=-1)) == []
    assert len(history._sessions) == MOST_SESSIONS


def test_attributes_beyond_the_bound_are_not_judged(history: History) -> None:
    sent(history, user_attributes={f"a{number}": 1 for number in range(MOST_ATTRIBUTES)})
    sent(history, user_attributes={"late": 1})

    assert sent(history, user_attributes={"late": []}) == []


def test_long_texts_are_not_kept_whole(history: History) -> None:
    long = "x" * 1_000_000
    sent(history, event(long), start(session_uuid=long, session_id=long), user_attributes={long: 1})

    kept = [name for names in history._names.values() for name in names] + list(history._is_list) + list(history._sessions)

    assert max(map(len, kept)) == 256


def test_each_code_is_told_50_times_a_batch_at_most(full: History) -> None:
    sent(full, user_attributes={f"a{number}": 1 for number in range(100)})

    findings = sent(
        full,
        *(event(f"new {number}") for number in range(100)),
        *(end(session_id=number) for number in range(1, 100)),
        user_attributes={f"a{number}": [] for number in range(100)},
    )

    codes = [finding.code for finding in findings]
    assert {code: codes.count(code) for code in codes} == dict.fromkeys(codes, MOST_OF_A_CODE)
    assert len(set(codes)) == 3


def test_concurrent_calls_fill_the_names_to_the_limit_and_not_beyond(history: History) -> None:
    findings: list[Finding] = []
    barrier = threading.Barrier(4)

    def send(worker: int) -> None:
        barrier.wait()
        for number in range(300):
            findings.extend(sent(history, event(f"{worker}-{number}"), start(session_id=number), user_attributes={"a": number}))

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(switching)

    assert history.count_names() == 1000
    assert {finding.code for finding in findings} == {"too_many_event_names"}
    # Batches that are judged at the same time do not know of one another.
    assert 190 <= len(findings) <= 200
    assert len(history._excess) == 200


anything: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.sampled_from([10**400, -(10**4200), UUID]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
events = st.fixed_dictionaries(
    {
        "event_type": anything | st.sampled_from(["custom_event", "screen_view", "session_start", "session_end"]),
        "data": anything
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ["event_name", "screen_name", "session_id", "session_uuid", "timestamp_unixtime_ms"], anything
            ),
        ),
    }
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "events": anything | st.lists(anything | events, max_size=6),
            "user_attributes": anything | st.dictionaries(st.text(max_size=1), anything),
            "deleted_user_attributes": anything | st.lists(st.text(max_size=1)),
        },
    )
)
def test_nothing_in_a_batch_makes_it_raise(written: dict[str, Json]) -> None:
    history = History()

    for _ in range(2):
        _, news = history.judge(written)
        history.judge(written, news)
        history.check(written)
