"""The list of faults of a workspace: how it is written, how it is taken from, and that threads share it."""

import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from mparticle_fake_server.faults import MEMBERS, MOST_FAULTS, Fault, FaultError, Faults
from mparticle_fake_server.hosting import open_intake

TOO_MANY = {"status": 429, "retry_after": 1}
UNAVAILABLE = {"status": 503}


def faults(*written: dict[str, Any]) -> Faults:
    made = Faults()
    made.put(written)
    return made


def statuses(taken: Iterable[Fault | None]) -> list[int | None]:
    return [fault.status if fault else None for fault in taken]


# -- taking ----------------------------------------------------------------------------------------------------------------


def test_without_faults_nothing_is_met() -> None:
    assert Faults().take() is None


def test_faults_are_met_in_their_order_each_once() -> None:
    some = faults(TOO_MANY, UNAVAILABLE)

    assert statuses(some.take() for _ in range(3)) == [429, 503, None]


def test_a_fault_is_met_as_often_as_it_says() -> None:
    some = faults({"status": 429, "times": 2}, UNAVAILABLE)

    assert statuses(some.take() for _ in range(4)) == [429, 429, 503, None]


def test_a_fault_without_a_number_of_times_is_met_until_it_is_removed() -> None:
    some = faults({"status": 500, "times": None}, UNAVAILABLE)

    met = statuses(some.take() for _ in range(3))
    some.clear()

    assert met == [500, 500, 500]
    assert some.take() is None


def test_what_is_put_takes_the_place_of_what_there_is() -> None:
    some = faults(TOO_MANY)

    some.put([UNAVAILABLE])

    assert statuses(some.take() for _ in range(2)) == [503, None]


def test_the_list_tells_all_members_and_how_often_each_will_still_be_met() -> None:
    some = faults({"status": 429, "times": 3})

    some.take()

    assert some.list() == [{"status": 429, "retry_after": None, "times": 2, "body": None, "delay": 0.0}]


def test_what_is_listed_can_be_put() -> None:
    some = faults({"status": 429, "retry_after": 2, "body": "no"}, {"delay": 0.5, "times": None})

    again = faults(*some.list())

    assert again.list() == some.list()


def test_clearing_tells_what_nobody_has_met() -> None:
    some = faults(TOO_MANY, UNAVAILABLE)
    some.take()

    left = some.clear()

    assert [fault["status"] for fault in left] == [503]
    assert some.list() == []


def test_threads_never_meet_the_same_single_fault() -> None:
    # Distinct ones first, then one that counts down: both kinds of change are made by all threads at once.
    some = faults(*({"status": 400 + number} for number in range(100)), {"status": 599, "times": 700})
    together = threading.Barrier(8)
    met: list[int | None] = []

    def take() -> None:
        together.wait()
        mine = [some.take() for _ in range(100)]
        met.extend(statuses(mine))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(met) == {**{400 + number: 1 for number in range(100)}, 599: 700}
    assert some.take() is None


# -- writing ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"satus": 429}, r"faults\[1\] has an unknown member 'satus'\. Did you mean status\? Valid: " + ", ".join(MEMBERS)),
        ({"kind": "reset"}, r"faults\[1\] has an unknown member 'kind'\. Valid: status, retry_after, times, body, delay"),
        ({5: 429}, r"faults\[1\] has an unknown member 5\. Valid: status"),
        ({"status": 399}, r"faults\[1\]\.status is 399; expected a whole number from 400 to 599"),
        ({"status": 600}, r"faults\[1\]\.status is 600; expected"),
        ({"status": "429"}, r"faults\[1\]\.status is '429'; expected"),
        ({"status": True}, r"faults\[1\]\.status is True; expected"),
        ({"status": 2**70}, r"faults\[1\]\.status is 1180591620717411303424; expected"),
        ({"status": 429, "retry_after": -1}, r"faults\[1\]\.retry_after is -1; expected whole seconds from 0 to 86400"),
        ({"status": 429, "retry_after": 0.5}, r"faults\[1\]\.retry_after is 0\.5; expected whole seconds"),
        ({"status": 429, "times": 0}, r"faults\[1\]\.times is 0; expected a whole number from 1 to 1000000, or null"),
        ({"status": 429, "body": {}}, r"faults\[1\]\.body is {}; expected text"),
        ({"status": 429, "body": "\ud800"}, r"faults\[1\]\.body is '\\ud800'; expected text"),
        ({"delay": 61}, r"faults\[1\]\.delay is 61; expected seconds from 0 to 60"),
        ({"delay": -0.1}, r"faults\[1\]\.delay is -0\.1; expected seconds"),
        ({"delay": float("nan")}, r"faults\[1\]\.delay is nan; expected seconds"),
        ({"delay": None}, r"faults\[1\]\.delay is None; expected seconds"),
        ({"delay": "1"}, r"faults\[1\]\.delay is '1'; expected seconds"),
        ({}, r"faults\[1\] has neither status nor delay, so that it would do nothing"),
        ({"delay": 0}, r"faults\[1\] has neither status nor delay"),
        (
            {"delay": 1, "retry_after": 1},
            r"faults\[1\] has retry_after but no status; expected a status, a whole number from 400",
        ),
        ({"delay": 1, "body": "x"}, r"faults\[1\] has body but no status"),
        (429, r"faults\[1\] is 429; expected an object with status, retry_after, times, body, delay"),
    ],
)
def test_an_impossible_fault_is_refused_with_the_valid_ones(fault: Any, told: str) -> None:
    with pytest.raises(FaultError, match=told):
        faults(UNAVAILABLE, fault)


@pytest.mark.parametrize("written", [{"status": 429}, 429, None, "429", b"429"])
def test_what_is_no_list_is_refused(written: Any) -> None:
    with pytest.raises(FaultError, match="expected a list of objects with status"):
        Faults().put(written)


def test_there_is_a_most_of_faults() -> None:
    with pytest.raises(FaultError, match=f"There are {MOST_FAULTS + 1} faults; expected at most {MOST_FAULTS}"):
        faults(*[UNAVAILABLE] * (MOST_FAULTS + 1))


@pytest.mark.parametrize(
    "fault", [{"status": 400}, {"status": 599}, {"status": 429, "retry_after": 0}, {"delay": 60}, {"delay": 0.001}]
)
def test_the_bounds_themselves_are_taken(fault: dict[str, Any]) -> None:
    assert faults(fault).take() is not None


def test_what_is_refused_changes_nothing() -> None:
    some = faults(TOO_MANY)

    with pytest.raises(FaultError):
        some.put([UNAVAILABLE, {"status": 1}])

    assert statuses([some.take()]) == [429]


# -- whose they are --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "shop"])
def test_a_workspace_that_was_removed_and_made_again_has_no_faults(name: str) -> None:
    workspaces = open_intake().workspaces
    workspaces.put(name).faults.put([UNAVAILABLE])

    workspaces.remove(name)

    assert workspaces.put(name).faults.list() == []


def test_a_changed_workspace_keeps_its_faults() -> None:
    workspaces = open_intake().workspaces
    workspaces.put("shop").faults.put([UNAVAILABLE])

    workspaces.put("shop", "strict")

    assert len(workspaces.put("shop").faults.list()) == 1
