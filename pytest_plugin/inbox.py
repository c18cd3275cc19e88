"""The Inbox: everything that a test calls on `fake_mparticle`. It asks a Source, and says why where an assertion fails."""

import asyncio
import inspect
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from . import doubts, matching, report
from .errors import MParticleWarning, UsageError, about_the_test
from .event_loops import in_event_loop
from .matching import Question
from .received import Batch, Batches, Event, Events, Request, Requests
from .source import test_of

if TYPE_CHECKING:
    import requests

    from mparticle_fake_server.items import RequestItem
    from mparticle_sdk import Configuration, EventsApi

    from .interception import Interception
    from .journeys import Journey
    from .source import Source

__tracebackhide__ = about_the_test

What = str | re.Pattern[str] | None
"""An event type if it is a documented one, else a name, or a pattern for names; None: any event."""

Step = str | re.Pattern[str] | tuple[str | re.Pattern[str], dict[str, Any]]
"""A step of an order: an event as above, alone or with conditions of its own by keyword."""

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


def _as_coroutine_function(function: F) -> F:
    """Mark what returns a coroutine as `async def` would, so that a mock that is made after it can be awaited."""
    if sys.version_info >= (3, 12):
        function = inspect.markcoroutinefunction(function)
    else:
        function._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]  # noqa: SLF001  # only way in 3.11
    return function


class Inbox:
    """What the code under test sent to the fake mParticle, in a workspace of this test alone.

        checkout()
        fake_mparticle.assert_received("purchase", total_amount=21.49, customer_id="c1")

    `key` and `secret` are those of its input, `url` the base URL to send to; `environ` has all three for another process.
    `default_timeout` is how many seconds a wait lasts unless told otherwise. Made by the fixture `fake_mparticle`.

    What matches: the positional argument is an event type if it is a documented one, else a name (event_name, screen_name,
    product or promotion action), as text or as a pattern. Keywords mean, in this order: identities of the user and `mpid`;
    members of the event's data, of its product or promotion action; else a custom attribute. `attributes={...}` are custom
    attributes in any case. A value may be plain, a dictionary (a subset matches), a pattern, a callable, a class, or anything
    with `==`. What is absent or null is met by None alone. A custom attribute named like a documented member of the type is
    asked for by `attributes`.

    Assertions raise AssertionError with a report that says what came instead; a call that cannot be meant raises UsageError.
    """

    def __init__(
        self, source: "Source", workspace: str, key: str, secret: str, test_id: str, default_timeout: float = 2.0
    ) -> None:
        self.source = source
        self.workspace = workspace
        self.key = key
        self.secret = secret
        self.test_id = test_id
        self.default_timeout = matching.check_seconds("default_timeout", default_timeout, "Inbox")
        self._lock = threading.Lock()
        self._batches: list[Batch] = []
        self._asked: set[str] = set()
        self._configuration: Configuration | None = None
        self._api: EventsApi | None = None
        self._claimed: list[tuple[str, str | None]] = []
        self._taking = threading.Lock()
        self._taken: dict[str, list[list[str | None]]] = {}
        self._faulting = threading.Lock()
        self._limited = False
        self._held: list[Held[Any]] = []
        self._unentered: list[Expectation] = []
        self._waits: dict[Wanted, Coroutine[Any, Any, Events]] = {}
        self.interceptions: list[Interception] = []
        """Those of this test, also if they have ended: reports tell what they refused."""
        self.in_coroutine = True
        """Whether the test is a coroutine function: an event loop that others run in is not the test's, such as Playwright's."""
        self.sent_keyless = False
        """Whether an interception met a request without an API key: the fake has it, and cannot tell whose it is."""
        self.began_ms = time.time_ns() // 1_000_000
        """When it was made, in ms since 1970: reports tell times from then on."""
        unclaimed = source.requests(None)
        self._unclaimed_before = unclaimed[-1].id if unclaimed else None

    def __repr__(self) -> str:
        return f"<Inbox of {self.test_id}, key {self.key!r}>"

    # -- where to send -----------------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base URL to send to, without a slash at the end. The server listens from the first time on."""
        return self.source.url

    @property
    def tls_url(self) -> str:
        """The base URL of HTTPS, without a slash at the end. It listens from the first time on."""
        return self.source.tls_url

    @property
    def ca_path(self) -> str:
        """The file with the certificate (PEM) of the CA that a client of `tls_url` has to trust, as `verify=` of requests."""
        return self.source.ca_path

    @property
    def keys(self) -> frozenset[str]:
        """The API keys whose requests come here: the test's own, and those it has claimed."""
        return frozenset((self.key, *(key for key, _ in self._claimed)))

    @property
    def configuration(self) -> "Configuration":
        """A Configuration of the SDK that sends here."""
        if self._configuration is None:
            from mparticle_sdk import Configuration

            self._configuration = Configuration(self.key, self.secret, host=self.url)
        return self._configuration

    @property
    def api(self) -> "EventsApi":
        """An EventsApi of the SDK that sends here; closed when the test ends."""
        if self._api is None:
            from mparticle_sdk import EventsApi

            self._api = EventsApi(self.configuration)
        return self._api

    @property
    def environ(self) -> dict[str, str]:
        """Variables for a process that is to send here: MPARTICLE_URL, MPARTICLE_API_KEY, MPARTICLE_API_SECRET."""
        return {"MPARTICLE_URL": self.url, "MPARTICLE_API_KEY": self.key, "MPARTICLE_API_SECRET": self.secret}

    def session(self) -> "requests.Session":
        """A `requests` session that reaches the fake without a socket."""
        from .socketless import session

        return session(self)

    def claim(self, key: str, secret: str | None = None) -> "Held[Self]":
        """Receive what is sent with a fixed key, until the test ends or, as a context manager, until the end of the block.

        Without `secret` every secret is accepted. Raises ClaimError if another test has the key, UsageError for this test's own,
        and for one that it has claimed with another secret.
        """
        self._check_claim(key, secret)
        give_back = self.take(key, secret)
        self._claimed.append((key, secret))

        def release() -> None:
            self._claimed.remove((key, secret))
            give_back()

        return self._hold(self, release)

    def _check_claim(self, key: Any, secret: Any) -> None:
        if not isinstance(key, str):
            raise UsageError(f"claim got the key {key!r}; expected text, the API key that is fixed in the code under test.")
        if secret is not None and not isinstance(secret, str):
            # Not shown: it may be a real one in another form, such as bytes.
            raise UsageError(
                f"claim got a secret of type {type(secret).__name__}; expected text, or None to accept every secret."
            )
        if key == self.key:
            raise UsageError(
                f"claim got {key!r}, which is this test's own key already; expected a key that is fixed in the code under test."
            )
        others = {other for claimed, other in self._claimed if claimed == key} - {secret, None}
        if secret is not None and others:
            raise UsageError(
                f"claim got the key {key!r}, which this test has claimed with another secret; expected the same secret. End the "
                "first claim before (it is a context manager), or leave out the secret to accept every one."
            )

    def take(self, key: str, secret: str | None) -> Callable[[], None]:
        """Receive what is sent with a key. Returns the way to give it back, which leaves it to whoever else of this test took it,
        with the secret that counted before. For `claim` and interceptions. Raises ClaimError.
        """
        taken = [secret]
        with self._taking:
            self.source.claim(self.workspace, key, secret)
            self._taken.setdefault(key, []).append(taken)

        def give_back() -> None:
            with self._taking:
                # By identity: two that took it with the same secret are not the same.
                left = self._taken[key] = [other for other in self._taken[key] if other is not taken]
                if left:
                    self.source.claim(self.workspace, key, left[-1][0])
                else:
                    del self._taken[key]
                    self.source.release(self.workspace, key)

        return give_back

    def intercept(self) -> "Held[Interception]":
        """Send what goes to mParticle's own hosts here, whatever its key, until the test ends or the end of the block."""
        from .interception import intercept

        stack = ExitStack()
        interception = stack.enter_context(intercept(self))
        self.interceptions.append(interception)
        return self._hold(interception, stack.close)

    def _hold(self, value: T, end: Callable[[], None]) -> "Held[T]":
        held = Held(value, end, self._held)
        self._held.append(held)
        return held

    def close(self, *, failed: bool = False) -> None:
        """End what is intercepted and claimed, and close the connections of `api`. Twice does no harm.

        `failed`: the test has, perhaps before it came to what it was to await.

        Raises UsageError for an `expect` that no `with` was written for, and a `wait_for_async` that nobody awaited, and whatever
        interception failed with.
        """
        unentered, self._unentered = self._unentered, []
        waits, self._waits = self._waits, {}
        # A task that was cancelled before it began has closed it.
        unawaited = [wanted for wanted, wait in waits.items() if inspect.getcoroutinestate(wait) == inspect.CORO_CREATED]
        for wanted in unawaited:
            waits[wanted].close()  # or Python warns of it too
        with ExitStack() as stack:
            if self._api is not None:
                stack.callback(self._api.close)
            if self._limited:
                stack.callback(_let_the_official_sdk_send)
            for held in self._held:
                stack.callback(held.end)
        if unentered:
            raise UsageError(f"{unentered[0]!r} expected nothing: it is a context manager, so write `with` before it.")
        if unawaited and not failed:
            asked = report.describe(unawaited[0].question)
            raise UsageError(f"wait_for_async({asked}) waited for nothing: it is a coroutine, so write `await` before it.")

    # -- what was received -------------------------------------------------------------------------------------------------

    @property
    def batches(self) -> Batches:
        """The batches that were not rejected, oldest first, as of now."""
        return Batches([batch for batch in self.all_batches() if batch.verdict != "rejected"], explain=report.explainer(self))

    @property
    def events(self) -> Events:
        """The events of batches that were not rejected, oldest first, as of now."""
        return Events(self._events(), explain=report.explainer(self))

    @property
    def requests(self) -> Requests:
        """Every request, also those that were refused, oldest first, as of now."""
        return Requests([Request(item) for item in self.source.requests(self.workspace)], explain=report.explainer(self))

    def all_batches(self) -> list[Batch]:
        """Every batch, rejected ones too, oldest first."""
        return self._read()[:]

    def unclaimed(self) -> list[Request]:
        """Requests since this Inbox was made that belong to no workspace, for example because the key is unknown."""
        return [Request(item) for item in self.unclaimed_items()]

    def unclaimed_items(self) -> "list[RequestItem]":
        """The same as the source has them. For the verdict."""
        items = self.source.requests(None)
        # By their order, not by their time: a test may have set the clock.
        if self._unclaimed_before is not None:
            ids = [item.id for item in items]
            if self._unclaimed_before in ids:
                items = items[ids.index(self._unclaimed_before) + 1 :]
        return items

    def of_ended_tests(self) -> dict[str, int]:
        """How many requests came since this Inbox was made with the keys of tests that have ended, by test. For reports."""
        came = {
            test_of(workspace): sum(request.received_at_ms >= self.began_ms for request in self.source.requests(workspace))
            for workspace in self.source.late()
            if workspace != self.workspace
        }
        return {test: count for test, count in came.items() if count}

    def snapshot(self) -> list[dict[str, Any]]:
        """What was received, in a form that is the same in every run: for syrupy, inline-snapshot or a file.

        A list of plain dictionaries, one a batch: `verdict`, `findings` (if there are errors or warnings), and `batch`. Ids and
        UUIDs are numbered in the order in which they appear, times and durations replaced, members sorted.
        """
        from .snapshot import normalised

        return normalised(self.all_batches(), self.keys)

    def _events(self) -> list[Event]:
        return [event for batch in self._read()[:] if batch.verdict != "rejected" for event in batch.event_list]

    def _read(self) -> list[Batch]:
        """The batches there are. The list is only ever appended to; if some were forgotten, it is another one."""
        # Not under the lock: the source has one of its own.
        items = self.source.batches(self.workspace)
        with self._lock:
            known = self._batches
            count = min(len(known), len(items))
            if count and known[0].id == items[0].id and known[count - 1].id == items[count - 1].id:
                known.extend(Batch(item) for item in items[count:])
            elif known or items:
                known = self._batches = [Batch(item) for item in items]
        return known

    # -- waiting -----------------------------------------------------------------------------------------------------------

    def wait_for(self, what: What = None, /, count: int = 1, timeout: float | None = None, **conditions: Any) -> Events:
        """Wait until `count` events match, those included that are there already; returns all that match.

        `timeout` is in seconds, 3600 at most. Raises AssertionError with a report, UsageError.
        """
        wanted = self._wanted(what, count, timeout, conditions, "wait_for")
        if not self.source.wait(wanted.poll, wanted.timeout):
            raise AssertionError(report.not_met(self, wanted))
        self.doubt(wanted.question, "wait_for", came=True)
        return self._asked_for(wanted.question, wanted.events())

    @_as_coroutine_function
    def wait_for_async(
        self, what: What = None, /, count: int = 1, timeout: float | None = None, **conditions: Any
    ) -> Coroutine[Any, Any, Events]:
        """`wait_for` without blocking the event loop. A test that never awaits it fails at its end."""
        wanted = self._wanted(what, count, timeout, conditions, "wait_for_async")
        wait = self._wait_async(wanted)
        self._waits[wanted] = wait
        return wait

    async def _wait_async(self, wanted: "Wanted") -> Events:
        self._waits.pop(wanted, None)  # somebody awaits it
        if not await self.source.wait_async(wanted.poll, wanted.timeout):
            raise AssertionError(report.not_met(self, wanted, awaited=True))
        self.doubt(wanted.question, "wait_for_async", came=True)
        return self._asked_for(wanted.question, wanted.events())

    def expect(self, what: What = None, /, count: int = 1, timeout: float | None = None, **conditions: Any) -> "Expectation":
        """A context manager, `async` too: `count` matching events come in its block, or up to `timeout` seconds after it.

        Only events count that are received after the block began. Its `events` are those that match. Raises AssertionError with
        a report at the end of the block, UsageError at once.
        """
        expectation = Expectation(self._wanted(what, count, timeout, conditions, "expect"), self._unentered)
        self._unentered.append(expectation)
        return expectation

    def _wanted(self, what: What, count: Any, timeout: Any, conditions: dict[str, Any], method: str) -> "Wanted":
        question = matching.ask(what, conditions, method, ("count", "timeout"))
        matching.check_second("count", count, method)
        seconds = self.default_timeout if timeout is None else matching.check_seconds("timeout", timeout, method)
        return Wanted(self, question, matching.check_count("count", count, method, 1), seconds)

    def _asked_for(self, question: Question, events: list[Event]) -> Events:
        self._asked.update(event.id for event in events)
        return Events(events, question=question, explain=report.explainer(self))

    # -- asserting ---------------------------------------------------------------------------------------------------------

    def assert_received(self, what: What = None, /, times: int | None = None, **conditions: Any) -> Events:
        """That an event was received that matches, or exactly `times` of them; returns those. Does not wait.

        Raises AssertionError with a report, UsageError.
        """
        question = matching.ask(what, conditions, "assert_received", ("times",))
        if times is not None:
            matching.check_second("times", times, "assert_received")
            matching.check_count("times", times, "assert_received", 0)
        found = [event for event in self._events() if question.matches(event)]
        if len(found) != times if times is not None else not found:
            raise AssertionError(report.not_received(self, question, found, times))
        self.doubt(question, "assert_received" if found else "assert_received(…, times=0)", came=bool(found))
        return self._asked_for(question, found)

    def assert_not_received(self, what: What = None, /, within: float = 0, **conditions: Any) -> None:
        """That no event was received that matches, nor comes `within` seconds. Fails as soon as one comes.

        Raises AssertionError with a report, UsageError. Warns if a keyword is mistyped, so that nothing could match, and if
        `within` stopped the event loop of the test, so that nothing of it could come, and nothing else came either.
        """
        question = matching.ask(what, conditions, "assert_not_received", ("within",))
        matching.check_second("within", within, "assert_not_received")
        wanted = Wanted(self, question, 1, matching.check_seconds("within", within, "assert_not_received"))
        stops = bool(wanted.timeout) and self.in_coroutine and in_event_loop()
        before = self._newest_request() if stops else None
        if wanted.poll() or (wanted.timeout and self.source.wait(wanted.poll, wanted.timeout)):
            raise AssertionError(report.not_wanted(self, question, wanted.events()))
        self.doubt(question, "assert_not_received", came=False)
        # Who sends from a thread, or another process, is not stopped.
        if stops and self._newest_request() == before:
            seconds = f"{wanted.timeout:g}"
            warnings.warn(
                f"assert_not_received(…, within={seconds}) stopped the event loop that the test runs in: nothing could come from "
                f"its tasks. Let them run before, by `await asyncio.sleep({seconds})` or trio's, and leave out `within`.",
                MParticleWarning,
                stacklevel=2,
            )

    def _newest_request(self) -> str | None:
        requests = self.source.requests(self.workspace)
        return requests[-1].id if requests else None

    def doubt(self, question: Question, method: str, *, came: bool, level: int = 1) -> None:
        """Warn if an assertion that something came, or nothing did, may hold because of a mistyped name.

        `level` is how many of our calls the test's own is away. For journeys too.
        """
        for reason in doubts.mistaken(question, self._events, came=came):
            warnings.warn(f"{method} holds, perhaps because {reason}", MParticleWarning, stacklevel=level + 2)

    def assert_order(self, *steps: Step, **conditions: Any) -> Events:
        """That events were received in this order, others between them or not; returns the first that fit.

        A step is a type, a name or a pattern, or a tuple of one and a dictionary of keywords for this step. `conditions` hold for
        each. The order is that of receipt, within a batch that of its events. Raises AssertionError with a report, UsageError.
        """
        return self.in_order(steps, conditions, self._events(), "assert_order")

    def in_order(self, steps: tuple[Any, ...], conditions: dict[str, Any], events: list[Event], method: str) -> Events:
        """`assert_order` among some of the events; `method` is what was called. For journeys."""
        questions = [_step(step, conditions, method) for step in steps]
        if len(questions) < 2:
            raise UsageError(
                f"{method} got {len(questions)} event(s); an order needs two at least, such as {method}('login', 'purchase')."
            )
        found: list[Event] = []
        remaining = iter(events)
        for question in questions:
            event = next((event for event in remaining if question.matches(event)), None)
            if event is None:
                raise AssertionError(report.out_of_order(self, questions, found, events))
            found.append(event)
        for question in questions:
            self.doubt(question, method, came=True, level=2)
        return self._asked_for(Question(), found)

    def assert_nothing_else(self) -> None:
        """That every event was asked for by an assertion or a wait before: it was among those that matched one that held.

        Filters, and `assert_valid`, ask for nothing. Raises AssertionError with a report.
        """
        others = [event for event in self._events() if event.id not in self._asked]
        if others:
            raise AssertionError(report.something_else(self, others))

    def assert_valid(self) -> None:
        """That nothing of severity error or warning was found in what was received, refused requests included.

        Raises AssertionError with a report.
        """
        if text := report.invalid(self):
            raise AssertionError(text)

    def journey(self, *, session: str | int | None = None, **identities: Any) -> "Journey":
        """The events of one user (`customer_id="c1"`, `mpid=42`) or of one session (its session_uuid or session_id).

        Raises UsageError, and AssertionError with a report if there are none.
        """
        from .journeys import Journey

        return Journey.of(self, session, identities)

    # -- faults ------------------------------------------------------------------------------------------------------------

    def fail_next(self, status: int = 503, *, retry_after: int | None = None, times: int = 1, body: str | None = None) -> None:
        """Answer the next `times` requests with `status` (400 to 599); a second call is met after the first.

        `retry_after` (seconds) is sent as Retry-After, `body` as it stands. Raises UsageError, MParticleError.
        """
        matching.check_status(status, "fail_next")
        matching.check_answer(retry_after, body, "fail_next")
        matching.check_count("times", times, "fail_next", 1)
        with self._faulting:
            fleeting, lasting = self._take_faults()
            fault = {"status": status, "retry_after": retry_after, "times": times, "body": body, "delay": lasting.get("delay")}
            self._put_faults([*fleeting, fault], lasting)

    def fail_always(self, status: int = 503, *, retry_after: int | None = None, body: str | None = None) -> None:
        """Answer every request with `status`, until `succeed()` or the end of the test; what fail_next has set is met before."""
        matching.check_status(status, "fail_always")
        matching.check_answer(retry_after, body, "fail_always")
        with self._faulting:
            fleeting, lasting = self._take_faults()
            always = {"status": status, "retry_after": retry_after, "body": body, "delay": lasting.get("delay")}
            self._put_faults(fleeting, always)

    def delay(self, seconds: float) -> None:
        """Hold every answer back, those of fail_next and fail_always too, until `succeed()` or the end of the test.

        `seconds` are 60 at most. What is sent is recorded at once: a client that gives up too early has been received all the
        same. Raises UsageError, MParticleError.
        """
        seconds = matching.check_seconds("seconds", seconds, "delay", 60)
        with self._faulting:
            fleeting, lasting = self._take_faults()
            self._put_faults([fault | {"delay": seconds} for fault in fleeting], lasting | {"delay": seconds})

    def succeed(self) -> None:
        """Let requests through again: nothing of what fail_next, fail_always and delay have set is left."""
        with self._faulting:
            self.source.clear_faults(self.workspace)

    def _take_faults(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Those that pass, and the one that lasts, which comes after them. Those that pass are taken away, to be put back.

        A request that comes meanwhile is answered as always: better than that one which it has met is put back.
        """
        faults = self.source.faults(self.workspace)
        if any(fault.get("times", 1) is not None for fault in faults):
            faults = self.source.clear_faults(self.workspace)
        lasting = [fault for fault in faults if fault.get("times", 1) is None]
        return [fault for fault in faults if fault.get("times", 1) is not None], lasting[0] if lasting else {}

    def _put_faults(self, fleeting: list[dict[str, Any]], lasting: dict[str, Any]) -> None:
        told = [{name: value for name, value in fault.items() if value is not None} for fault in (*fleeting, lasting)]
        self._limited |= any("retry_after" in fault for fault in told)
        if told[-1].get("status") or told[-1].get("delay"):
            told[-1]["times"] = None
        else:
            told.pop()
        self.source.put_faults(self.workspace, told)


def _let_the_official_sdk_send() -> None:
    """Forget the Retry-After that it keeps for the whole process: the next tests have not asked for it."""
    rest = sys.modules.get("mparticle.rest")
    if (client := getattr(rest, "RESTClientObject", None)) is not None:
        client.latest_response = None


def _step(step: Any, conditions: dict[str, Any], method: str) -> Question:
    if isinstance(step, tuple) and len(step) == 2 and isinstance(step[1], dict):
        return matching.ask(step[0], conditions | step[1], method)
    if step is None:
        raise UsageError(f"{method} got None for a step; expected an event's type or name, or a pattern.")
    return matching.ask(step, conditions, method)


class Wanted:
    """A question that waits: `count` events within `timeout` seconds, of those received after a moment if `begin` is called."""

    def __init__(self, inbox: Inbox, question: Question, count: int, timeout: float) -> None:
        self.inbox = inbox
        self.question = question
        self.count = count
        self.timeout = timeout
        self.after: tuple[int, ...] = ()
        self._batches: list[Batch] | None = None
        self._position = 0
        self._found: dict[str, Event] = {}

    def begin(self) -> None:
        """Look only at what is received from now on."""
        self._batches = batches = self.inbox._read()  # noqa: SLF001  # of this module
        self._position = len(batches)
        self.after = batches[-1].place if batches else ()
        self._found.clear()

    def poll(self) -> bool:
        """Look at what is new; whether it is enough."""
        batches = self.inbox._read()  # noqa: SLF001  # of this module
        if batches is not self._batches:
            self._batches, self._position = batches, 0
        for batch in batches[self._position :]:
            self._position += 1
            if batch.verdict != "rejected" and batch.place > self.after:
                self._found.update((event.id, event) for event in batch.event_list if self.question.matches(event))
        return len(self._found) >= self.count

    def events(self) -> list[Event]:
        """Those that match, oldest first."""
        return list(self._found.values())


class Expectation:
    """What `expect` gives: the block that it surrounds has to make events come."""

    def __init__(self, wanted: Wanted, unentered: "list[Expectation]") -> None:
        self._wanted = wanted
        self._unentered = unentered

    def __repr__(self) -> str:
        return f"<expect({report.describe(self._wanted.question)})>"

    @property
    def events(self) -> Events:
        """Those of the block that match, as of now."""
        self._wanted.poll()
        return Events(self._wanted.events(), question=self._wanted.question, explain=report.explainer(self._wanted.inbox))

    def __enter__(self) -> Self:
        self._wanted.begin()
        if self in self._unentered:
            self._unentered.remove(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._settle(self._wanted.inbox.source.wait(self._wanted.poll, self._wanted.timeout))

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._settle(await self._wanted.inbox.source.wait_async(self._wanted.poll, self._wanted.timeout), awaited=True)

    def _settle(self, met: bool, *, awaited: bool = False) -> None:
        wanted = self._wanted
        if not met:
            raise AssertionError(report.not_met(wanted.inbox, wanted, expected=True, awaited=awaited))
        wanted.inbox.doubt(wanted.question, "expect", came=True, level=2)
        wanted.inbox._asked_for(wanted.question, wanted.events())  # noqa: SLF001  # of this module


class Held(Generic[T]):
    """Something that lasts until the test ends or, as a context manager, until the end of the block."""

    def __init__(self, value: T, end: Callable[[], None], among: "list[Held[Any]]") -> None:
        self._value = value
        self._end = end
        self._among = among

    def end(self) -> None:
        """End it now. Twice does no harm."""
        if self in self._among:
            self._among.remove(self)
            self._end()

    def __enter__(self) -> T:
        return self._value

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()
