"""The Inbox: lists of what was received, waiting, asserting, faults, and keys that are claimed."""

import contextlib
import gc
import inspect
import re
import sys
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any
from unittest.mock import AsyncMock, create_autospec

import anyio
import pytest

import mparticle_sdk
from mparticle_pytest_plugin import received
from mparticle_pytest_plugin.errors import MParticleError, MParticleWarning, NoMemberError, UsageError
from mparticle_pytest_plugin.inbox import Inbox
from mparticle_pytest_plugin.received import Events
from tests.conftest import RealPart
from tests.pytest_plugin.inboxes import KEY, NOW, SECRET, Sent, batch, event, order, sent_inbox


@pytest.fixture
def sent() -> Iterator[Sent]:
    with sent_inbox() as opened:
        yield opened


def names(events: Events) -> list[str]:
    return [found.name for found in events]


def shown_files(failure: pytest.ExceptionInfo[BaseException]) -> set[str]:
    """Whose code the traceback in a report has."""
    return {str(entry.path) for entry in failure.traceback if not entry.ishidden(failure)}


def later(action: Any) -> threading.Timer:
    """Do something in another thread, soon after a wait has begun."""
    timer = threading.Timer(0.02, action)
    timer.start()
    return timer


# -- where to send ---------------------------------------------------------------------------------------------------------


def test_an_assertion_asks_the_server_once(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    sent.events(order())
    asked: list[str] = []
    batches = sent.inbox.source.batches

    def counted(workspace: str) -> Any:
        asked.append(workspace)
        return batches(workspace)

    monkeypatch.setattr(sent.inbox.source, "batches", counted)

    sent.inbox.assert_received("purchase")

    assert len(asked) == 1


def test_environ_says_where_to_send_and_as_whom(sent: Sent) -> None:
    assert sent.inbox.environ == {"MPARTICLE_URL": sent.inbox.url, "MPARTICLE_API_KEY": KEY, "MPARTICLE_API_SECRET": SECRET}


def test_api_sends_here(sent: Sent) -> None:
    sent.inbox.api.upload_events(mparticle_sdk.Batch(environment="development", events=[mparticle_sdk.AppEvent("login")]))

    assert names(sent.inbox.events) == ["login"]


def test_a_configuration_that_is_changed_stays_changed(sent: Sent) -> None:
    sent.inbox.configuration.timeout = 0.5

    assert sent.inbox.configuration.timeout == 0.5


# -- lists -----------------------------------------------------------------------------------------------------------------


def test_events_are_a_list_oldest_first(sent: Sent) -> None:
    sent.events(event("login"), event("search"))
    sent.events(event("logout"))

    events = sent.inbox.events

    assert len(events) == 3
    assert bool(events)
    assert events[0].name == "login"
    assert events[-1].name == "logout"
    assert names(events[1:]) == ["search", "logout"]
    assert isinstance(events[1:], Events)
    assert [found.name for found in reversed(events)] == ["logout", "search", "login"]
    assert events[1] in events


def test_a_list_is_a_snapshot(sent: Sent) -> None:
    before = sent.inbox.events

    sent.events(event("login"))

    assert not before
    assert len(sent.inbox.events) == 1


def test_reading_consumes_nothing(sent: Sent) -> None:
    sent.events(event("login"))

    sent.inbox.assert_received("login")

    assert sent.inbox.events == sent.inbox.events
    assert sent.inbox.wait_for("login") == sent.inbox.assert_received("login", times=1)


def test_what_was_rejected_is_in_requests_alone(sent: Sent) -> None:
    sent.body(batch(events=[{"data": {"event_name": "login"}}]))

    assert sent.inbox.batches == []
    assert sent.inbox.events == []
    assert [request.status for request in sent.inbox.requests] == [400]


def test_what_was_dropped_is_among_the_events(sent: Sent) -> None:
    sent.body(batch(source_request_id="s1"))
    sent.body(batch(source_request_id="s1"))

    assert [found.verdict for found in sent.inbox.events] == ["accepted", "dropped"]


def test_a_list_compares_with_lists(sent: Sent) -> None:
    sent.events(event("login"), event("logout"))
    login, logout = event("login"), event("logout")

    assert sent.inbox.events == [login["data"], logout]
    assert sent.inbox.events != [login]
    assert [login, logout] == sent.inbox.events
    assert sent.inbox.events != "login"


def test_the_repr_of_a_list_has_a_line_an_event(sent: Sent) -> None:
    sent.events(
        event("login", custom_attributes={"plan": "gold"}), order(total_amount=21.49), user_identities={"email": "a@b.org"}
    )

    text = repr(sent.inbox.events)

    assert text == (
        "<2 events:\n"
        "  <custom_event \"login\" email='a@b.org' plan='gold'>\n"
        "  <commerce_event \"purchase\" email='a@b.org' total_amount=21.49>>"
    )


def test_the_repr_of_a_long_list_says_how_many_more_there_are(sent: Sent) -> None:
    sent.events(*[event("tick")] * 50)

    lines = repr(sent.inbox.events).splitlines()

    assert len(lines) == 22
    assert lines[-1] == "  … and 30 more>"


def test_an_index_beyond_the_end_shows_what_there_is(sent: Sent) -> None:
    sent.events(event("login"))

    with pytest.raises(IndexError, match=r'There is no 3 among 1:\n<1 event:\n  <custom_event "login"'):
        sent.inbox.events[3]


def test_an_index_into_an_empty_list_is_told_as_first_is(sent: Sent) -> None:
    with pytest.raises(IndexError) as failure:
        sent.inbox.events[0]
    with pytest.raises(AssertionError) as of_first:
        sent.inbox.events.first  # noqa: B018  # raises

    assert str(failure.value) == str(of_first.value)
    assert shown_files(failure) == {__file__}


def test_a_name_as_an_index_names_the_filters(sent: Sent) -> None:
    with pytest.raises(UsageError, match=r"Filters are \.named\(…\) and \.where\(…\)"):
        sent.inbox.events["login"]  # type: ignore[call-overload]


# -- filters ---------------------------------------------------------------------------------------------------------------


def test_filters_can_be_chained(sent: Sent) -> None:
    sent.events(event("login"), event("logout"))
    sent.events(event("login", plan="gold"), user_identities={"customer_id": "c2"})

    found = sent.inbox.events.of_type("custom_event").named("login").by(customer_id="c2").where(plan="gold")

    assert found.one().user_identities == {"customer_id": "c2"}


def test_where_takes_a_callable_for_the_whole_event(sent: Sent) -> None:
    sent.events(event("login"), event("logout"))

    assert names(sent.inbox.events.where(lambda found: found.index == 1)) == ["logout"]


def test_between_takes_the_timestamp_of_the_event_or_the_time_of_receipt(sent: Sent) -> None:
    sent.events(event("old", timestamp_unixtime_ms=NOW - 5000), event("new"))

    assert names(sent.inbox.events.between(NOW - 6000, NOW - 4000)) == ["old"]
    assert names(sent.inbox.events.between(NOW / 1000, NOW / 1000 + 1)) == ["new"]
    assert names(sent.inbox.events.between(datetime.fromtimestamp(NOW / 1000, UTC))) == ["new"]
    assert names(sent.inbox.events.between(None, NOW - 1)) == ["old"]


def test_batches_are_filtered_by_their_events_members_and_facts(sent: Sent) -> None:
    sent.events(event("login"), user_attributes={"plan": "gold", "age": 5})
    sent.events(event("logout"), mpid=42)

    batches = sent.inbox.batches

    assert batches.named("login").one().user_attributes == {"plan": "gold", "age": 5}
    assert batches.by(mpid=42).one().events.one().name == "logout"
    assert batches.where(user_attributes={"plan": "gold"}).one() == batches[0]
    assert len(batches.where(verdict="accepted", status=202, environment="development")) == 2
    assert len(batches.of_type("opt_out")) == 0
    assert names(batches.events) == ["login", "logout"]


def test_requests_are_filtered_by_their_members(sent: Sent) -> None:
    sent.events(event("login"))
    sent.body(b"{nope")

    assert sent.inbox.requests.where(status=400, path=re.compile("events$")).one().findings[0].code == "json_broken"


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda inbox: inbox.events.by(custmer_id="c1"), r"'custmer_id' is no identity\. Did you mean customer_id\? Valid: cust"),
        (lambda inbox: inbox.events.by(), r"by\(\) got nothing to tell a user by"),
        (lambda inbox: inbox.events.of_type("login"), r"'login' is no event type of mParticle\..* Types: custom_event, "),
        (lambda inbox: inbox.events.named(5), r"5 \(int\) is no name; expected text, or a pattern"),
        (lambda inbox: inbox.events.where("login"), r"where got 'login'; expected a callable that takes one event, and keywords"),
        (lambda inbox: inbox.events.between(5, 4), r"the second moment comes before the first"),
        (lambda inbox: inbox.events.between("yesterday"), r"expected a datetime, or ms or seconds since 1970"),
        (
            lambda inbox: inbox.batches.where(enviroment="x"),
            r"A batch has no 'enviroment'\. Did you mean environment\? Valid: verd",
        ),
        (lambda inbox: inbox.requests.where(state=5), r"A request has no 'state'\. Did you mean status\? Valid: status, method"),
    ],
)
def test_a_filter_that_cannot_be_meant_names_what_is_valid(sent: Sent, ask: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ask(sent.inbox)


def test_10_000_events_are_filtered_in_little_time(sent: Sent) -> None:
    for number in range(1000):
        sent.events(*[order(total_amount=number)] * 5, *[event(f"tick {number}", custom_attributes={"plan": "gold"})] * 5)
    times = []

    for _ in range(3):
        events = sent.inbox.events
        began = time.thread_time()
        found = events.named("purchase").by(customer_id="c1").where(total_amount=500)
        times.append(time.thread_time() - began)

    assert len(found) == 5
    assert min(times) < 0.05


# -- elements --------------------------------------------------------------------------------------------------------------


def test_an_event_reads_like_the_dictionary_of_its_data(sent: Sent) -> None:
    sent.events(order(total_amount=21.49))

    found = sent.inbox.events.one()

    assert found["product_action"]["action"] == "purchase"
    assert found.get("screen_name", "none") == "none"
    assert "product_action" in found
    assert dict(found) == found.data
    assert [*found] == ["product_action"]


def test_a_member_that_is_not_there_is_a_key_error_that_names_those_that_are(sent: Sent) -> None:
    sent.events(event("login"))

    with pytest.raises(NoMemberError) as raised:
        sent.inbox.events[0]["event_nme"]

    assert isinstance(raised.value, KeyError)
    assert str(raised.value) == (
        "<custom_event \"login\" customer_id='c1'> has no 'event_nme'. Did you mean event_name? "
        "It has: event_name, custom_event_type."
    )


def test_a_member_that_is_read_as_an_attribute_is_told_how_to_be_read(sent: Sent) -> None:
    sent.events(event("login"))

    with pytest.raises(AttributeError) as of_event:
        sent.inbox.events[0].event_name  # type: ignore[attr-defined]  # noqa: B018  # raises
    with pytest.raises(AttributeError) as of_batch:
        sent.inbox.batches[0].evnts  # type: ignore[attr-defined]  # noqa: B018  # raises

    assert str(of_event.value) == "'Event' object has no attribute 'event_name'. What was sent is read as ['event_name']."
    assert str(of_batch.value) == "'Batch' object has no attribute 'evnts'. Did you mean events?"
    assert shown_files(of_event) == {__file__}


def test_which_attribute_was_meant_is_sought_once_however_many_elements_lack_it(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought: list[str] = []

    def did_you_mean(name: str, known: object) -> str:
        sought.append(name)
        return ""

    monkeypatch.setattr(received, "did_you_mean", did_you_mean)
    sent.events(*[event("login")] * 3)
    lacking = f"lacking_{uuid.uuid4().hex}"  # what another test has asked for is known already

    assert not any(hasattr(found, lacking) for found in sent.inbox.events)

    assert sought == [lacking]


def test_an_event_knows_where_it_came_from(sent: Sent) -> None:
    sent.events(event("login", timestamp_unixtime_ms=NOW - 1000, custom_attributes={"plan": "gold"}), mpid=42, at=5)

    found = sent.inbox.events.one()

    assert (found.type, found.name, found.verdict, found.id) == ("custom_event", "login", "accepted", "1.0.0")
    assert (found.custom_attributes, found.user_identities, found.mpid) == ({"plan": "gold"}, {"customer_id": "c1"}, 42)
    assert found.timestamp == datetime.fromtimestamp((NOW - 1000) / 1000, UTC)
    assert found.received_at == datetime.fromtimestamp((NOW + 5) / 1000, UTC)
    assert found.batch["environment"] == "development"


def test_the_findings_of_an_event_are_its_own(sent: Sent) -> None:
    sent.events(event("login"), order(total_amount="21.49"))

    login, purchase = sent.inbox.events

    assert login.findings == []
    assert [finding.code for finding in purchase.findings] == ["number_as_string"]
    assert purchase.batch.findings == purchase.findings


@pytest.mark.parametrize("members", [{}, {"events": [{"event_type": "opt_out", "data": "none"}]}])
def test_what_is_absent_or_no_object_reads_as_empty(sent: Sent, members: dict[str, Any]) -> None:
    sent.body({"environment": "development", "events": [{"event_type": "opt_out"}]} | members)

    found = sent.inbox.events.one()

    assert (found.data, found.custom_attributes, found.user_identities, found.mpid) == ({}, {}, {}, None)
    assert found.name == ""
    assert repr(found) == "<opt_out>"
    assert bool(found)


def test_an_event_compares_with_its_data_and_with_the_whole_event(sent: Sent) -> None:
    sent.events(event("login"))

    found = sent.inbox.events.one()

    assert found == {"event_name": "login", "custom_event_type": "other"}
    assert found == {"event_type": "custom_event", "data": {"event_name": "login", "custom_event_type": "other"}}
    assert found != {"event_name": "login"}
    assert found == sent.inbox.events.one()


def test_models_are_those_of_the_sdk(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"plan": "gold"}), order())

    login, purchase = sent.inbox.events

    assert login.model == mparticle_sdk.AppEvent("login", "other", custom_attributes={"plan": "gold"})
    assert isinstance(purchase.model, mparticle_sdk.CommerceEvent)
    assert sent.inbox.batches.one().model.user_identities == mparticle_sdk.UserIdentities(customerid="c1")


# -- waiting ---------------------------------------------------------------------------------------------------------------


def test_wait_for_returns_what_is_there_already_without_waiting(sent: Sent) -> None:
    sent.events(event("login"), event("login"))

    assert len(sent.inbox.wait_for("login", timeout=0)) == 2


def test_wait_for_wakes_when_enough_has_come(sent: Sent) -> None:
    sent.events(event("login"))
    later(lambda: sent.events(event("login")))

    found = sent.inbox.wait_for("login", count=2, timeout=20, customer_id="c1")

    assert len(found) == 2


def test_wait_for_returns_soon_after_the_commit(sent: Sent) -> None:
    sent.events(*[event("tick")] * 1000)
    committed: list[float] = []

    def send() -> None:
        sent.events(event("login"))
        committed.append(time.perf_counter())

    delays: list[float] = []
    for _ in range(5):
        timer = later(send)
        sent.inbox.wait_for("login", count=len(delays) + 1, timeout=20)
        woken = time.perf_counter()
        timer.join()
        delays.append(woken - committed[-1])

    assert min(delays) < 0.005


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest, real_part: RealPart) -> str:
    """An event loop, for anyio."""
    name: str = request.param
    real_part(find_spec(name) is not None, f"{name} is not installed")
    return name


def test_wait_for_async_lets_the_loop_run(sent: Sent, backend: str) -> None:
    async def scenario() -> list[str]:
        async with anyio.create_task_group() as group:
            found: list[Events] = []

            async def wait() -> None:
                found.append(await sent.inbox.wait_for_async("login", timeout=20))

            group.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            sent.events(event("login"))
        return names(found[0])

    assert anyio.run(scenario, backend=backend) == ["login"]


def test_wait_for_async_is_woken_by_what_another_thread_sends(sent: Sent, backend: str) -> None:
    async def scenario() -> float:
        timer = later(lambda: sent.events(event("login")))
        began = time.monotonic()
        await sent.inbox.wait_for_async("login", timeout=20)
        timer.join()
        return time.monotonic() - began

    assert anyio.run(scenario, backend=backend) < 10


def test_wait_for_async_ends_with_its_time(sent: Sent, backend: str) -> None:
    async def scenario() -> None:
        await sent.inbox.wait_for_async("login", timeout=0.05)

    with pytest.raises(AssertionError, match="no event"):
        anyio.run(scenario, backend=backend)


def test_wait_for_async_can_be_cancelled(sent: Sent, backend: str) -> None:
    async def scenario() -> bool:
        with anyio.move_on_after(0.05) as scope:
            await sent.inbox.wait_for_async("login", timeout=20)
        return scope.cancelled_caught

    assert anyio.run(scenario, backend=backend)


def test_wait_for_async_that_nobody_awaits_is_told_when_the_test_ends(sent: Sent) -> None:
    sent.inbox.wait_for_async("login", customer_id="c1")  # type: ignore[unused-coroutine]  # as one without mypy has it

    expected = (
        r"""wait_for_async\(event "login" with customer_id='c1'\) waited for nothing: it is a coroutine, so write `await`"""
    )
    with pytest.raises(UsageError, match=expected):
        sent.inbox.close()


def test_wait_for_async_that_nobody_awaits_is_not_told_of_a_test_that_failed_before_it_could(sent: Sent) -> None:
    waiting = sent.inbox.wait_for_async("login")

    sent.inbox.close(failed=True)

    assert inspect.getcoroutinestate(waiting) == inspect.CORO_CLOSED  # or Python warns of it


def test_waits_that_have_ended_are_not_kept(sent: Sent, backend: str) -> None:
    waits: list[weakref.ref[object]] = []

    async def scenario() -> None:
        for _ in range(3):
            waiting = sent.inbox.wait_for_async("login", timeout=0)
            waits.append(weakref.ref(waiting))
            with contextlib.suppress(AssertionError):
                await waiting
            del waiting

    anyio.run(scenario, backend=backend)
    gc.collect()

    assert [waiting() for waiting in waits] == [None] * 3


def test_a_mock_with_the_spec_of_an_inbox_is_awaited_where_an_inbox_is() -> None:
    assert isinstance(create_autospec(Inbox, instance=True).wait_for_async, AsyncMock)


def test_wait_for_async_that_was_cancelled_is_not_told(sent: Sent, backend: str) -> None:
    async def scenario() -> None:
        with anyio.move_on_after(0.01):
            await sent.inbox.wait_for_async("login", timeout=20)

    anyio.run(scenario, backend=backend)

    sent.inbox.close()


def test_a_wait_that_stops_the_event_loop_in_vain_names_the_one_that_does_not(sent: Sent, backend: str) -> None:
    async def waits() -> None:
        sent.inbox.wait_for("login", timeout=0)

    async def expects() -> None:
        with sent.inbox.expect("login", timeout=0):
            pass

    with pytest.raises(AssertionError, match=r"stopped the event loop .* await fake_mparticle.wait_for_async"):
        anyio.run(waits, backend=backend)
    with pytest.raises(AssertionError, match=r"stopped the event loop .* async with fake_mparticle.expect"):
        anyio.run(expects, backend=backend)


def test_a_wait_in_vain_that_stops_no_event_loop_names_none(sent: Sent, backend: str) -> None:
    async def awaits() -> None:
        async with sent.inbox.expect("login", timeout=0):
            pass

    with pytest.raises(AssertionError) as awaited:
        anyio.run(awaits, backend=backend)
    with pytest.raises(AssertionError) as outside:
        sent.inbox.wait_for("login", timeout=0)

    assert "event loop" not in f"{awaited.value}{outside.value}"


def test_wait_for_async_without_an_event_loop_says_which_it_takes(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "trio", raising=False)
    waiting = sent.inbox.wait_for_async("login", timeout=20)

    with pytest.raises(MParticleError, match="needs an event loop of asyncio or trio"):
        waiting.send(None)


def test_wait_for_counts_no_rejected_event(sent: Sent) -> None:
    sent.inbox.fail_next(503)
    sent.events(event("login"))

    with pytest.raises(AssertionError, match='no event "login" came within 0 s'):
        sent.inbox.wait_for("login", timeout=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"count": 0},
            r"wait_for got count=0; expected a whole number of at least 1\. That nothing comes is asserted by assert_not_rec",
        ),
        ({"count": True}, "expected a whole number of at least 1"),
        ({"count": 1.5}, "expected a whole number of at least 1"),
        ({"timeout": -1}, "wait_for got timeout=-1; expected seconds from 0 to 3600"),
        ({"timeout": "2"}, "expected seconds from 0 to 3600"),
        ({"timeout": "2s"}, r"wait_for got timeout='2s'; expected seconds from 0 to 3600\.$"),
        (
            {"timeout": 5000},
            r"got timeout=5000; expected seconds from 0 to 3600\. It is in seconds: for 5000 milliseconds, say 5\.",
        ),
        ({"timeout": float("nan")}, r"got timeout=nan; expected seconds from 0 to 3600\.$"),
        ({"times": 2}, r"wait_for got times=2; wait_for takes count and timeout\."),
    ],
)
def test_a_wait_that_cannot_be_meant_is_refused_at_once(sent: Sent, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sent.inbox.wait_for("login", **options)


def test_expect_counts_what_comes_inside_its_block(sent: Sent) -> None:
    sent.events(event("login", at="before"))

    with sent.inbox.expect("login") as expected:
        sent.events(event("login", at="inside"))

    assert expected.events.one()["at"] == "inside"


def test_expect_waits_after_its_block(sent: Sent) -> None:
    with sent.inbox.expect("login", timeout=20):
        later(lambda: sent.events(event("login")))


def test_expect_fails_when_nothing_comes_inside(sent: Sent) -> None:
    sent.events(event("login"))

    with (
        pytest.raises(AssertionError, match='no event "login" came in the block or within 0 s after it'),
        sent.inbox.expect("login"),
    ):
        pass


def test_expect_leaves_an_exception_of_its_block_alone(sent: Sent) -> None:
    with pytest.raises(ZeroDivisionError), sent.inbox.expect("login"):
        _ = 1 / 0


def test_expect_refuses_what_cannot_be_meant_before_its_block(sent: Sent) -> None:
    with pytest.raises(UsageError, match="expect got count=0"):
        sent.inbox.expect("login", count=0)


def test_expect_without_a_block_is_told_when_the_test_ends(sent: Sent) -> None:
    sent.inbox.expect("login")

    with pytest.raises(UsageError, match=r'<expect\(event "login"\)> expected nothing: it is a context manager'):
        sent.inbox.close()


def test_expect_can_be_used_for_one_block_after_another(sent: Sent) -> None:
    expected = sent.inbox.expect("login")
    with expected:
        sent.events(event("login"))

    with pytest.raises(AssertionError), expected:
        pass


def test_expect_can_be_awaited(sent: Sent, backend: str) -> None:
    async def scenario() -> None:
        async with sent.inbox.expect("login", timeout=20):
            sent.events(event("login"))

    anyio.run(scenario, backend=backend)


def test_what_the_server_forgets_is_no_longer_there(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    sent.events(event("login"))
    sent.events(event("search"))
    assert len(sent.inbox.events) == 2
    kept = sent.source.batches(sent.inbox.workspace)[1:]
    monkeypatch.setattr(sent.source, "batches", lambda _: kept)

    assert names(sent.inbox.events) == ["search"]
    assert names(sent.inbox.wait_for()) == ["search"]


# -- asserting -------------------------------------------------------------------------------------------------------------


def test_assert_received_returns_what_matches(sent: Sent) -> None:
    sent.events(event("login"), event("logout"))

    assert sent.inbox.assert_received("login").one().name == "login"
    assert len(sent.inbox.assert_received()) == 2


@pytest.mark.parametrize("times", [0, 1, 3])
def test_assert_received_counts_exactly(sent: Sent, times: int) -> None:
    sent.events(event("login"), event("login"))

    sent.inbox.assert_received("login", times=2)
    with pytest.raises(AssertionError):
        sent.inbox.assert_received("login", times=times)


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"timeout": 1}, "assert_received takes times, and does not wait: wait_for takes count and timeout"),
        ({"count": 2}, r"assert_received takes times\. A custom attribute"),
        ({"within": 1}, "assert_received takes times, and does not wait: wait_for takes count and timeout"),
    ],
)
def test_a_time_for_an_assertion_that_does_not_wait_names_the_wait(sent: Sent, arguments: dict[str, Any], advice: str) -> None:
    with pytest.raises(UsageError, match=advice):
        sent.inbox.assert_received("login", **arguments)


def test_assert_not_received_fails_on_what_is_there(sent: Sent) -> None:
    sent.events(event("login"))

    sent.inbox.assert_not_received("logout")
    with pytest.raises(AssertionError, match='event "login" was received once, expected not at all'):
        sent.inbox.assert_not_received("login")


def test_assert_not_received_fails_as_soon_as_something_comes(sent: Sent) -> None:
    later(lambda: sent.events(event("login")))

    began = time.perf_counter()
    with pytest.raises(AssertionError):
        sent.inbox.assert_not_received("login", within=20)

    assert time.perf_counter() - began < 10


def test_assert_not_received_that_holds_because_it_stopped_the_event_loop_warns_of_it(sent: Sent, backend: str) -> None:
    async def scenario() -> None:
        sent.inbox.assert_not_received("login", within=0.01)

    with pytest.warns(MParticleWarning, match=r"stopped the event loop .*`await asyncio.sleep\(0.01\)") as warned:
        anyio.run(scenario, backend=backend)
    assert warned[0].filename == __file__


def test_assert_not_received_does_not_warn_of_an_event_loop_that_is_not_the_test_s(sent: Sent, backend: str) -> None:
    sent.inbox.in_coroutine = False

    async def scenario() -> None:
        sent.inbox.assert_not_received("login", within=0.01)

    anyio.run(scenario, backend=backend)


def test_assert_not_received_does_not_warn_where_something_came_although_it_stopped_the_event_loop(
    sent: Sent, backend: str
) -> None:
    async def scenario() -> None:
        later(lambda: sent.events(event("logout")))
        sent.inbox.assert_not_received("login", within=0.3)

    anyio.run(scenario, backend=backend)

    assert names(sent.inbox.events) == ["logout"]


def test_assert_not_received_that_does_not_wait_may_be_asked_in_an_event_loop(sent: Sent, backend: str) -> None:
    async def scenario() -> None:
        sent.inbox.assert_not_received("login")

    anyio.run(scenario, backend=backend)


def test_assert_not_received_warns_of_a_keyword_that_is_mistyped(sent: Sent) -> None:
    sent.events(event("login"))

    with pytest.warns(
        MParticleWarning, match=r"the keyword 'custmer_id' was taken for a custom attribute; did you mean customer_id\?"
    ):
        sent.inbox.assert_not_received("login", custmer_id="c1")


@pytest.mark.parametrize(
    ("keyword", "meant"),
    [
        ("amount", "total_amount"),
        ("user_id", "customer_id"),
        ("customerId", "customer_id"),
        ("custmer_id", "customer_id"),
        ("price", "of a product: products="),
    ],
)
@pytest.mark.parametrize("method", ["assert_not_received", "assert_received"])
def test_an_assertion_that_holds_because_of_a_keyword_warns_of_it(sent: Sent, keyword: str, meant: str, method: str) -> None:
    sent.events(event("login"))
    asserts = getattr(sent.inbox, method)
    times = {"times": 0} if method == "assert_received" else {}

    with pytest.warns(MParticleWarning, match=f"the keyword '{keyword}' was taken for a custom attribute; .*{meant}") as caught:
        asserts("login", **times, **{keyword: 1})

    assert caught[0].filename == __file__


def expect_block(sent: Sent, name: str, **conditions: Any) -> None:
    with sent.inbox.expect(name, **conditions):
        sent.events(order())


def wait_async(sent: Sent, name: str, **conditions: Any) -> None:
    async def wait() -> None:
        await sent.inbox.wait_for_async(name, **conditions)

    anyio.run(wait)


THAT_SOMETHING_CAME = {
    "assert_received": lambda sent, **conditions: sent.inbox.assert_received("purchase", **conditions),
    "assert_received(times=1)": lambda sent, **conditions: sent.inbox.assert_received("purchase", times=1, **conditions),
    "wait_for": lambda sent, **conditions: sent.inbox.wait_for("purchase", **conditions),
    "wait_for_async": lambda sent, **conditions: wait_async(sent, "purchase", **conditions),
    "expect": lambda sent, **conditions: expect_block(sent, "purchase", **conditions),
    "assert_order": lambda sent, **conditions: sent.inbox.assert_order("login", ("purchase", conditions)),
    "order": lambda sent, **conditions: sent.inbox.journey(customer_id="c1").order("login", ("purchase", conditions)),
    "one": lambda sent, **conditions: sent.inbox.events.named("purchase").where(**conditions).one(),
    "first": lambda sent, **conditions: sent.inbox.events.named("purchase").where(**conditions).first,
    "last": lambda sent, **conditions: sent.inbox.events.named("purchase").where(**conditions).last,
}
"""Ways to ask for a purchase, of which there is one."""


@pytest.mark.parametrize("asks", THAT_SOMETHING_CAME.values(), ids=THAT_SOMETHING_CAME)
def test_asking_for_none_by_a_mistyped_keyword_warns_where_the_test_asks(sent: Sent, asks: Callable[..., object]) -> None:
    sent.events(event("login"), order())

    with pytest.warns(MParticleWarning, match=r"the keyword 'custmer_id' was .*; did you mean customer_id\?") as caught:
        asks(sent, custmer_id=None)

    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({"totl_amount": None}, r"the keyword 'totl_amount' was .*; did you mean total_amount\?"),
        ({"price": None}, "the keyword 'price' was .*; of a product: products="),
        ({"user_attributes": None}, "the keyword 'user_attributes' was .*; of a batch: "),
        ({"vouchr": None}, r"the keyword 'vouchr' was .*; did you mean voucher, which came\?"),
        ({"product_action": {"totl_amount": None}}, r"no product_action has 'totl_amount'. Did you mean total_amount\?"),
        ({"products": [{"nmae": None}]}, r"no products has 'nmae'. Did you mean name\?"),
        ({"product_action": {"products": [{"pric": None}]}}, "no product_action.products has 'pric'. Did you mean price"),
    ],
)
def test_an_assertion_that_holds_because_a_mistyped_name_is_absent_warns_of_it(
    sent: Sent, conditions: dict[str, Any], told: str
) -> None:
    sent.events(event("login", custom_attributes={"voucher": "v1"}), order())

    with pytest.warns(MParticleWarning, match=told):
        sent.inbox.assert_received("purchase", **conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        {"coupon_code": None},
        {"screen_name": None, "media_info": None},
        {"customer_id": "c1", "email": None, "mpid": None},
        {"loyalty": None},
        {"voucher": None},
        {"item_2": None},
        {"attributes": {"vouchr": None, "totl_amount": None}},
        {"custom_attributes": None},
        {"product_action": {"coupon_code": None, "affiliation": None}},
        {"products": [{"brand": None, "shade": None}]},
        {"products": [{"custom_attributes": {"nmae": None}}]},
    ],
    ids=str,
)
def test_asking_for_none_by_a_right_name_is_not_warned_of(sent: Sent, conditions: dict[str, Any]) -> None:
    product = {"id": "sku", "name": "Shirt", "price": 21.49, "custom_attributes": {"size": "L"}}
    sent.events(event("login", custom_attributes={"voucher": "v1", "item_1": "x"}))
    sent.events(order("refund", products=[product | {"shade": "red"}]), order(products=[product]))

    sent.inbox.assert_received("purchase", **conditions)


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({"product_action": {"totl_amount": 5}}, "no product_action has 'totl_amount'"),
        ({"product_action": {"prodcts": [{"name": "Tea"}]}}, "no product_action has 'prodcts'"),
        ({"vouchr": "v1"}, "did you mean voucher, which came"),
    ],
)
def test_that_nothing_came_warns_of_a_mistyped_name_within_a_value_too(sent: Sent, conditions: dict[str, Any], told: str) -> None:
    sent.events(event("login", custom_attributes={"voucher": "v1"}), order())

    with pytest.warns(MParticleWarning, match=told):
        sent.inbox.assert_not_received("purchase", **conditions)


def test_that_nothing_came_does_not_hold_because_of_a_mistyped_name_with_none(sent: Sent) -> None:
    sent.events(order("refund"))

    sent.inbox.assert_not_received("purchase", custmer_id=None, product_action={"totl_amount": None})


def test_nothing_after_an_event_that_a_mistyped_keyword_hides_warns_of_it(sent: Sent) -> None:
    sent.events(event("login"), order())

    with pytest.warns(MParticleWarning, match="nothing_after holds, perhaps because the keyword 'custmer_id'") as caught:
        sent.inbox.journey(customer_id="c1").nothing_after("login", custmer_id="c1")

    assert caught[0].filename == __file__


def test_a_custom_attribute_that_came_is_not_warned_of(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"amount": 2}))

    sent.inbox.assert_not_received("login", amount=1)


def test_assert_not_received_does_not_warn_of_custom_attributes(sent: Sent) -> None:
    sent.events(event("login"))

    sent.inbox.assert_not_received("login", plan="gold", counter=5, attributes={"custmer_id": "c1"})


def test_assert_not_received_refuses_a_negative_time(sent: Sent) -> None:
    with pytest.raises(UsageError, match="got within=-1; expected seconds"):
        sent.inbox.assert_not_received("login", within=-1)


def test_assert_order_lets_others_come_between(sent: Sent) -> None:
    sent.events(event("login"), event("search"))
    sent.events(order(total_amount=5), order(total_amount=21.49))

    found = sent.inbox.assert_order("login", ("purchase", {"total_amount": 21.49}), customer_id="c1")

    assert [one.id for one in found] == ["1.0.0", "2.0.1"]


def test_assert_order_wants_an_event_for_each_step(sent: Sent) -> None:
    sent.events(event("login"))

    with pytest.raises(AssertionError):
        sent.inbox.assert_order("login", "login")


@pytest.mark.parametrize("steps", [(), ("login",), (None, "login"), ("login", 5)])
def test_an_order_that_is_none_is_refused(sent: Sent, steps: Any) -> None:
    with pytest.raises(UsageError, match="assert_order got"):
        sent.inbox.assert_order(*steps)


def test_assert_nothing_else_wants_every_event_to_be_asked_for(sent: Sent) -> None:
    sent.events(event("login"), event("search"), order(), event("logout"))
    inbox = sent.inbox
    inbox.assert_received("login")
    inbox.wait_for("search")
    inbox.assert_order("purchase", "logout")

    inbox.assert_nothing_else()

    sent.events(event("login"))
    with pytest.raises(AssertionError, match="1 event came that no assertion asked for"):
        inbox.assert_nothing_else()


def test_an_assertion_that_failed_and_a_filter_ask_for_nothing(sent: Sent) -> None:
    sent.events(event("login"))
    with pytest.raises(AssertionError):
        sent.inbox.assert_received("login", times=2)
    assert sent.inbox.events.named("login")

    with pytest.raises(AssertionError):
        sent.inbox.assert_nothing_else()


def test_assert_valid_looks_at_what_was_rejected_too(sent: Sent) -> None:
    sent.events(event("login"))
    sent.inbox.assert_valid()

    sent.body(b"{nope")

    with pytest.raises(AssertionError, match="1 finding of severity error or warning: json_broken"):
        sent.inbox.assert_valid()


def test_assert_valid_does_not_mind_faults_that_the_test_asked_for(sent: Sent) -> None:
    sent.inbox.fail_next(503)
    sent.events(event("login"))

    sent.inbox.assert_valid()


# -- faults ----------------------------------------------------------------------------------------------------------------


def statuses(sent: Sent, count: int) -> list[int]:
    return [sent.events(event("login")).status for _ in range(count)]


def test_fail_next_fails_as_often_as_it_is_told(sent: Sent) -> None:
    sent.inbox.fail_next(status=429, retry_after=1, times=2)
    sent.inbox.fail_next(500)

    assert statuses(sent, 4) == [429, 429, 500, 202]


def test_a_failure_has_the_body_and_the_header_that_it_is_told(sent: Sent) -> None:
    sent.inbox.fail_next(429, retry_after=7, body="slow down")

    answer = sent.events(event("login"))

    assert answer.body == b"slow down"
    assert (b"retry-after", b"7") in answer.headers


def test_fail_always_fails_until_succeed(sent: Sent) -> None:
    sent.inbox.fail_always(503)
    sent.inbox.fail_next(429)
    failed = statuses(sent, 3)
    sent.inbox.succeed()

    assert failed == [429, 503, 503]
    assert statuses(sent, 1) == [202]


def test_a_delay_is_kept_by_the_failures_that_come_with_it(sent: Sent) -> None:
    sent.inbox.fail_next(500)
    sent.inbox.delay(0.5)
    sent.inbox.fail_next(429)
    sent.inbox.fail_always(503)

    faults = sent.source.faults(sent.inbox.workspace)

    assert [(fault["status"], fault["delay"], fault["times"]) for fault in faults] == [
        (500, 0.5, 1),
        (429, 0.5, 1),
        (503, 0.5, None),
    ]


def test_two_threads_that_ask_for_faults_at_once_get_both(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    put = sent.source.put_faults
    other = threading.Thread(target=sent.inbox.fail_next, args=[429])

    def put_while_another_asks(workspace: str, faults: Any) -> None:
        if not other.ident:
            other.start()
            other.join(0.05)
        put(workspace, faults)

    monkeypatch.setattr(sent.source, "put_faults", put_while_another_asks)

    sent.inbox.fail_next(503)
    other.join()

    assert statuses(sent, 3) == [503, 429, 202]


def test_a_fault_is_not_met_once_more_because_another_is_asked_for_meanwhile(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    put = sent.source.put_faults
    met: list[int] = []
    sent.inbox.fail_next(503)

    def put_while_something_is_sent(workspace: str, faults: Any) -> None:
        met.extend(statuses(sent, 1))
        put(workspace, faults)

    monkeypatch.setattr(sent.source, "put_faults", put_while_something_is_sent)

    sent.inbox.fail_next(429)
    met += statuses(sent, 3)

    assert sorted(met) == [202, 202, 429, 503]


@pytest.mark.parametrize(
    "ask",
    [
        lambda inbox: inbox.fail_next(times=0),
        lambda inbox: inbox.fail_next(200),
        lambda inbox: inbox.fail_always("503"),
        lambda inbox: inbox.fail_next(429, retry_after=-1),
        lambda inbox: inbox.delay(-1),
    ],
)
def test_a_fault_that_cannot_be_meant_is_refused(sent: Sent, ask: Any) -> None:
    with pytest.raises(MParticleError, match="expected"):
        ask(sent.inbox)


# -- keys ------------------------------------------------------------------------------------------------------------------


def test_a_claimed_key_is_received_until_the_test_ends(sent: Sent) -> None:
    sent.inbox.claim("prod-key")

    sent.body(batch(), key="prod-key")
    sent.inbox.close()

    assert names(sent.inbox.events) == ["Play"]
    assert sent.body(batch(), key="prod-key").status == 403


def test_a_claim_can_be_a_block(sent: Sent) -> None:
    with sent.inbox.claim("prod-key") as inbox:
        assert inbox is sent.inbox
        assert inbox.keys == {KEY, "prod-key"}

    assert sent.inbox.keys == {KEY}
    assert sent.body(batch(), key="prod-key").status == 403


def test_unclaimed_requests_are_those_since_the_test_began(sent: Sent) -> None:
    sent.body(batch(), key="earlier")
    second = type(sent.inbox)(sent.source, "second #2", "test-2", "secret", "second")

    sent.body(batch(), key="later")

    assert [request.key for request in second.unclaimed()] == ["later"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda inbox: inbox.delay(61), "delay got seconds=61; expected seconds from 0 to 60"),
        (lambda inbox: inbox.fail_next(status=429, times=0), r"fail_next got times=0; expected a whole number of at least 1\.$"),
        (lambda inbox: inbox.fail_next(retry_after="soon"), "fail_next got retry_after='soon'; expected whole seconds from 0 to"),
        (lambda inbox: inbox.fail_always(retry_after=1.5), "fail_always got retry_after=1.5; expected whole seconds from 0 to"),
        (lambda inbox: inbox.fail_next(body=b"x"), "fail_next got body=b'x'; expected text"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_in_words_of_its_method(sent: Sent, call: Any, says: str) -> None:
    with pytest.raises(UsageError, match=f"^{says}"):
        call(sent.inbox)


def test_after_an_inner_claim_the_secret_of_the_outer_one_counts_again(sent: Sent) -> None:
    sent.inbox.claim("prod-key", "another")
    with sent.inbox.claim("prod-key"):
        assert sent.body(batch(), key="prod-key").status == 202

    assert sent.body(batch(), key="prod-key").status == 403


def test_a_key_is_not_claimed_with_two_secrets(sent: Sent) -> None:
    sent.inbox.claim("prod-key", SECRET)

    with pytest.raises(UsageError, match=r"'prod-key', which this test has claimed with another secret.*expected the same"):
        sent.inbox.claim("prod-key", "another")

    assert sent.body(batch(), key="prod-key").status == 202


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((5,), "claim got the key 5; expected text"),
        ((None,), "claim got the key None; expected text"),
        (("prod-key", b"s"), "claim got a secret of type bytes; expected text, or None"),
        ((KEY,), f"claim got '{KEY}', which is this test's own key already; expected a key that is fixed"),
    ],
)
def test_an_impossible_claim_says_what_was_expected(sent: Sent, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sent.inbox.claim(*arguments)


def test_a_condition_of_a_wait_may_send_itself(sent: Sent) -> None:
    def sends(name: Any) -> bool:
        sending = threading.Thread(target=sent.events, args=(event("other"),))
        sending.start()
        sending.join(2)
        answered.append(not sending.is_alive())
        return bool(name == "login")

    answered: list[bool] = []
    sent.events(event("login"))

    sent.inbox.wait_for(event_name=sends, timeout=1)

    assert answered == [True]
