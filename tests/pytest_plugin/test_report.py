"""The failure reports, word for word: what a developer reads when an assertion fails."""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from mparticle_fake_server.checks.finding import make
from mparticle_pytest_plugin import report, telling
from mparticle_pytest_plugin.errors import MParticleError, NoMemberError
from mparticle_pytest_plugin.received import Event
from mparticle_pytest_plugin.report import MOST_LINES
from tests.pytest_plugin.inboxes import NOW, Sent, batch, event, order, report_of, sent_inbox
from tests.pytest_plugin.suites import Suite

pytest_plugins = ["pytester"]

FINDING_LINES = telling.finding_lines
HOME = {"event_type": "screen_view", "data": {"screen_name": "Home"}}


@pytest.fixture(autouse=True)
def _messages_of_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their wording belongs to the checks and changes with them; how a report sets them out is tested apart."""
    for module in (report, telling):
        monkeypatch.setattr(module, "finding_lines", lambda finding, **_: [f"{finding.severity} {finding.code}: …"])


@pytest.fixture
def sent() -> Iterator[Sent]:
    with sent_inbox() as opened:
        yield opened


# -- the closest event, what else came, what was refused, what nobody claimed ---------------------------------------------


def test_everything_that_a_report_can_have(sent: Sent) -> None:
    sent.events(event("login"))
    sent.events(order(total_amount="21.49", transaction_id="t1"), at=12)
    sent.events(HOME, at=15)
    sent.body(b"{nope", at=20)
    sent.body(batch(events=[{"data": {"event_name": "purchase"}}]), at=27)
    sent.body(batch(), key="prod-key", at=11_000)

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase", total_amount=21.49, customer_id="c1"))
        == """
no event "purchase" with total_amount=21.49, customer_id='c1' was received
closest: +12 ms  commerce_event "purchase" customer_id='c1' transaction_id='t1' total_amount='21.49'
                  expected  received
    total_amount  21.49     '21.49' (str)
    alike: name, customer_id
    warning number_as_string: …
also received (2):
     +0 ms   custom_event "login" customer_id='c1'
    +15 ms   screen_view "Home" customer_id='c1'
refused or dropped (2):
    +20 ms   400 POST /v2/events key='test-00000001'
             error json_broken: …
    +27 ms   400 POST /v2/events key='test-00000001': (no type) "purchase"
             error event_type_missing: …
unclaimed requests, of no test (1):
   +11.0 s   403 POST /v2/events key='prod-key'
             error credentials_wrong: …
             hint: fake_mparticle.claim('prod-key') receives what is sent with this key
"""
    )


def test_nothing_was_received_at_all(sent: Sent) -> None:
    assert (
        report_of(lambda: sent.inbox.assert_received("purchase"))
        == """
no event "purchase" was received
note: assert_received does not wait; if the code under test sends in the background, wait_for does
nothing was received with the key 'test-00000001'.
Does the code under test send to fake_mparticle.url, with fake_mparticle.key and .secret (see .environ)?
What code sends to mParticle's own hosts only comes here with fake_mparticle.intercept().
"""
    )


def test_nothing_was_received_although_the_test_intercepts(sent: Sent) -> None:
    sent.inbox.intercept()

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase"))
        == """
no event "purchase" was received
note: assert_received does not wait; if the code under test sends in the background, wait_for does
nothing was received with the key 'test-00000001'.
intercept() met nothing for mParticle's own hosts. It catches requests, urllib3 and httpx; aiohttp, http.client,
urllib.request and other processes have to send to fake_mparticle.url.
"""
    )


def test_nothing_was_received_until_the_block_of_an_interception_ended(sent: Sent) -> None:
    with sent.inbox.intercept():
        pass

    told = report_of(lambda: sent.inbox.assert_received("purchase"))

    assert told.endswith(
        "urllib.request and other processes have to send to fake_mparticle.url.\n"
        "Its block has ended: what is sent after it is not caught.\n"
    )


def test_nothing_was_received_as_interception_refused_what_was_sent(sent: Sent) -> None:
    interception = sent.inbox.intercept()
    for path in ("/v2/event", "/v2/event", "/b", "/c"):
        with suppress(MParticleError):
            requests.post(f"https://s2s.mparticle.com{path}", timeout=5)

    told = report_of(lambda: sent.inbox.assert_received("purchase"))
    with pytest.raises(MParticleError):
        interception.end()

    assert told.endswith("""
nothing was received with the key 'test-00000001'.
intercept() met a request to s2s.mparticle.com/v2/event, which the fake does not serve. Did you mean /v2/events? Of
s2s.mparticle.com it serves /v2/events, /v2/bulkevents, /v2/bulkevents/historical.
intercept() met a request to s2s.mparticle.com/b, which the fake does not serve. Of s2s.mparticle.com it serves
/v2/events, /v2/bulkevents, /v2/bulkevents/historical.
… and 1 more
""")


def test_only_requests_with_an_unknown_key_were_received(sent: Sent) -> None:
    sent.body(batch(), key="prod-key")
    sent.body(batch(), key="prod-key", at=3)

    assert (
        report_of(lambda: sent.inbox.wait_for("purchase", timeout=0))
        == """
no event "purchase" came within 0 s
unclaimed requests, of no test (2):
     +3 ms   403 POST /v2/events key='prod-key'  (×2)
             error credentials_wrong: …
             hint: fake_mparticle.claim('prod-key') receives what is sent with this key
"""
    )


def test_what_matches_was_rejected(sent: Sent) -> None:
    sent.events(event("purchase", timestamp_unixtime_ms=NOW), {"data": {}})

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase"))
        == """
no event "purchase" was received
closest: +0 ms  custom_event "purchase" customer_id='c1', rejected
    it matches, but what is rejected does not count as received; see below why it was
refused or dropped (1):
     +0 ms   400 POST /v2/events key='test-00000001': custom_event "purchase", (no type)
             error event_type_missing: …
"""
    )


def test_what_matches_met_a_fault_that_the_test_asked_for(sent: Sent) -> None:
    sent.inbox.fail_next(429, retry_after=1)
    sent.events(order(total_amount=21.49))

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase", total_amount=21.49))
        == """
no event "purchase" with total_amount=21.49 was received
closest: +0 ms  commerce_event "purchase" customer_id='c1' total_amount=21.49, rejected
    it matches, but what is rejected does not count as received; see below why it was
refused or dropped (1):
     +0 ms   429 POST /v2/events key='test-00000001': commerce_event "purchase"
             note fault_injected: …
"""
    )


def test_something_was_dropped(sent: Sent) -> None:
    sent.body(batch(source_request_id="s1", events=[event("login")]))
    sent.body(batch(source_request_id="s1", events=[event("purchase")]), at=5)

    assert (
        report_of(lambda: sent.inbox.assert_received("logout"))
        == """
no event "logout" was received
received (2):
     +0 ms   custom_event "login" customer_id='c1'
     +5 ms   custom_event "purchase" customer_id='c1', dropped
refused or dropped (1):
     +5 ms   202 POST /v2/events key='test-00000001': custom_event "purchase"
             warning duplicate_batch: …
"""
    )


def test_a_name_that_is_mistyped_where_nothing_like_it_came(sent: Sent) -> None:
    sent.events(event("login"))

    assert (
        report_of(lambda: sent.inbox.assert_received("purchse"))
        == """
no event "purchse" was received
note: 'purchse' is the name of no event that came; did you mean 'purchase'?
received (1):
     +0 ms   custom_event "login" customer_id='c1'
"""
    )


def test_a_type_that_is_mistyped_where_events_of_it_came(sent: Sent) -> None:
    sent.events(event("login"))

    report = report_of(lambda: sent.inbox.assert_received("custom_events"))

    assert "note: 'custom_events' is the name of no event that came; did you mean 'custom_event'?\n" in report


def test_the_data_of_an_event_as_a_keyword_is_told(sent: Sent) -> None:
    sent.events(event("login"))

    report = report_of(lambda: sent.inbox.assert_received("login", data={"event_name": "login"}))

    assert (
        "note: keyword 'data' was taken for a custom attribute; what an event's data has is asked for by keywords of its own, "
        "such as total_amount=…\n"
    ) in report


@pytest.mark.parametrize("name", ["Purchases of a day", "checkout", "login"])
def test_a_name_that_is_like_no_documented_one_gets_no_note(sent: Sent, name: str) -> None:
    assert "did you mean" not in report_of(lambda: sent.inbox.assert_received(name))


def test_a_name_that_came_gets_no_note_for_what_it_resembles(sent: Sent) -> None:
    sent.events(event("purchased"))

    assert "did you mean" not in report_of(lambda: sent.inbox.assert_received("purchased", customer_id="another"))


def test_a_name_that_is_mistyped(sent: Sent) -> None:
    sent.events(order("purchase"), event("login"))

    assert (
        report_of(lambda: sent.inbox.assert_received("purchse"))
        == """
no event "purchse" was received
closest: +0 ms  commerce_event "purchase" customer_id='c1'
          expected   received
    name  'purchse'  'purchase'
also received (1):
     +0 ms   custom_event "login" customer_id='c1'
"""
    )


def test_the_closest_event_is_the_one_that_fails_least(sent: Sent) -> None:
    sent.events(order(total_amount=1.0), order(total_amount=21.49, coupon_code="Y"), order("refund", total_amount=21.49))

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase", total_amount=21.49, coupon_code="X"))
        == """
no event "purchase" with total_amount=21.49, coupon_code='X' was received
closest: +0 ms  commerce_event "purchase" customer_id='c1' total_amount=21.49
                 expected  received
    coupon_code  'X'       'Y'
    alike: name, total_amount
also received (2):
     +0 ms   commerce_event "purchase" customer_id='c1' total_amount=1.0
     +0 ms   commerce_event "refund" customer_id='c1' total_amount=21.49
"""
    )


def test_no_event_is_close_because_the_user_is_the_same(sent: Sent) -> None:
    sent.events(event("login"))

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase", customer_id="c1"))
        == """
no event "purchase" with customer_id='c1' was received
received (1):
     +0 ms   custom_event "login" customer_id='c1'
"""
    )


# -- differing fields -----------------------------------------------------------------------------------------------------


def test_lists_and_objects_differ_field_by_field(sent: Sent) -> None:
    sent.events(order(products=[{"id": "a", "quantity": 1}, {"id": "b"}]))
    products = [{"id": "a", "quantity": 2}, {"id": "b", "price": 3}, {"id": "c"}]

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase", products=products))
        == """
no event "purchase" with products=[{'id': 'a', 'quantity': 2}, {'id': 'b', 'p… was received
closest: +0 ms  commerce_event "purchase" customer_id='c1'
                          expected     received
    products[0].quantity  2            1
    products[1].price     3            absent
    products[2]           {'id': 'c'}  absent
    alike: name
"""
    )


def test_long_values_are_cut_before_the_place_where_they_part(sent: Sent) -> None:
    story = "The quick brown fox jumps over the lazy dog and runs away from the "
    sent.events(event("login", custom_attributes={"story": f"{story}wolf in the woods"}))

    assert (
        report_of(lambda: sent.inbox.assert_received("login", story=f"{story}bear in the woods behind"))
        == """
no event "login" with story='The quick brown fox jumps over the lazy do… was received
closest: +0 ms  custom_event "login" customer_id='c1' story='The quick brown fox jumps ov…
           expected                                 received
    story  '…ay from the bear in the woods behind'  '…ay from the wolf in the woods'
    alike: name
"""
    )


def test_types_that_differ_are_told(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"a": True, "b": "1", "c": 2, "d": [1], "colour": "red"}))
    attributes = {"a": 1, "b": 1, "c": "2", "d": 1, "e": Decimal("2.10"), "color": "red", "f": str}

    assert (
        report_of(lambda: sent.inbox.assert_received("login", attributes=attributes))
        == """
no event "login" with custom_attributes={'a': 1, 'b': 1, 'c': '2', 'd': 1, 'e': Dec… was received
closest: +0 ms  custom_event "login" customer_id='c1' a=True b='1' c=2 d=[1]
                             expected         received
    custom_attributes.a      1                True (bool)
    custom_attributes.b      1                '1' (str)
    custom_attributes.c      '2'              2 (int)
    custom_attributes.d      1                [1] (list)
    custom_attributes.e      Decimal('2.10')  absent
    custom_attributes.color  'red'            absent; there is 'colour'
    custom_attributes.f      any str          absent
    alike: name
    error attribute_nested: …
"""
    )


def is_large(value: float) -> bool:
    return value > 100


def is_early(found: Event) -> bool:
    return found.index < 9


def test_patterns_and_callables_are_named(sent: Sent) -> None:
    sent.events(order(total_amount=21.49, transaction_id="t1"))
    expected: dict[str, Any] = {"transaction_id": re.compile("^order-"), "total_amount": is_large, "tax_amount": float}

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase", **expected))
        == """
no event "purchase" with transaction_id=like '^order-', total_amount=is_large(…), tax_amount… was received
closest: +0 ms  commerce_event "purchase" customer_id='c1' transaction_id='t1' total_amount=21.49
                    expected        received
    transaction_id  like '^order-'  't1'
    total_amount    is_large(…)     21.49
    tax_amount      any float       absent
    alike: name
"""
    )


# -- keywords that may have been meant otherwise ---------------------------------------------------------------------------


def test_keywords_that_may_have_been_meant_otherwise(sent: Sent) -> None:
    sent.events(event("uninstall", custom_attributes={"event_nam": "known"}))
    keywords: dict[str, Any] = {
        "custmer_id": "c1",
        "user_attributes": {},
        "price": 5,
        "enviroment": "x",
        "event_nam": "x",
        "plan": 1,
    }

    assert (
        report_of(lambda: sent.inbox.assert_received("uninstall", **keywords))
        == """
no uninstall event with custmer_id='c1', user_attributes={}, price=5, enviroment='x', event_… was received
note: 'uninstall' was taken for an event type; an event of this name came: event_name='uninstall'
note: keyword 'custmer_id' was taken for a custom attribute; did you mean customer_id?
note: keyword 'user_attributes' was taken for a custom attribute; of a batch: .batches.where(user_attributes=…)
note: keyword 'price' was taken for a custom attribute; of a product: products=[{'price': …}]
note: keyword 'enviroment' was taken for a custom attribute; did you mean .batches.where(environment=…)?
received (1):
     +0 ms   custom_event "uninstall" customer_id='c1' event_nam='known'
"""
    )


# -- every assertion ------------------------------------------------------------------------------------------------------


def test_received_too_seldom(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"plan": "gold"}))
    sent.events(event("login"), at=3)

    assert (
        report_of(lambda: sent.inbox.assert_received("login", times=2, plan="gold"))
        == """
event "login" with plan='gold' was received once, expected 2 times
matching (1):
     +0 ms   custom_event "login" customer_id='c1' plan='gold'
closest: +3 ms  custom_event "login" customer_id='c1'
          expected  received
    plan  'gold'    absent
    alike: name
"""
    )


def test_received_too_often(sent: Sent) -> None:
    sent.events(event("login"), event("login"), event("logout"))

    assert (
        report_of(lambda: sent.inbox.assert_received("login", times=1))
        == """
event "login" was received 2 times, expected once
matching (2):
     +0 ms   custom_event "login" customer_id='c1'
     +0 ms   custom_event "login" customer_id='c1'
also received (1):
     +0 ms   custom_event "logout" customer_id='c1'
"""
    )


def test_received_but_not_wanted(sent: Sent) -> None:
    sent.events(event("login"), event("logout"))

    assert (
        report_of(lambda: sent.inbox.assert_not_received(re.compile("^login")))
        == """
event named like '^login' was received once, expected not at all
received (1):
     +0 ms   custom_event "login" customer_id='c1'
"""
    )


def test_too_few_came_in_time(sent: Sent) -> None:
    sent.events(event("login"), event("search"))

    assert (
        report_of(lambda: sent.inbox.wait_for("login", count=3, timeout=0.001))
        == """
1 of 3 events "login" came within 0.001 s
matching (1):
     +0 ms   custom_event "login" customer_id='c1'
also received (1):
     +0 ms   custom_event "search" customer_id='c1'
"""
    )


def test_an_expectation_is_about_what_came_in_its_block(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"plan": "gold"}))

    def scenario() -> None:
        with sent.inbox.expect("login", plan="gold"):
            sent.events(event("login", custom_attributes={"plan": "silver"}), at=7)

    assert (
        report_of(scenario)
        == """
no event "login" with plan='gold' came in the block or within 0 s after it
note: 1 that matches came before the block began
closest: +7 ms  custom_event "login" customer_id='c1' plan='silver'
          expected  received
    plan  'gold'    'silver'
    alike: name
also received (1):
     +0 ms   custom_event "login" customer_id='c1' plan='gold'
"""
    )


def test_a_step_of_an_order_is_missing(sent: Sent) -> None:
    sent.events(event("login"))
    sent.events(event("search"), at=3)

    assert (
        report_of(lambda: sent.inbox.assert_order("login", "purchase", "logout"))
        == """
no event "purchase" was received after event "login"
expected, in the order of receipt (1 of 3 found):
  1.      +0 ms  event "login"
  2.    missing  event "purchase"
  3.             event "logout"
received (2):
     +0 ms → custom_event "login" customer_id='c1'
     +3 ms   custom_event "search" customer_id='c1'
"""
    )


def test_an_order_is_another_one_than_the_timestamps_tell(sent: Sent) -> None:
    sent.events(event("purchase", timestamp_unixtime_ms=NOW + 50))
    sent.events(event("login", timestamp_unixtime_ms=NOW + 20), at=60)

    assert (
        report_of(lambda: sent.inbox.assert_order("login", "purchase"))
        == """
no event "purchase" was received after event "login", only before
expected, in the order of receipt (1 of 2 found):
  1.     +60 ms  event "login"
  2.    missing  event "purchase"
  too early: +0 ms  custom_event "purchase" customer_id='c1'
note: by their own timestamps they are in the expected order; they were received in another one
received (2):
     +0 ms   custom_event "purchase" customer_id='c1'
    +60 ms → custom_event "login" customer_id='c1'
"""
    )


def test_something_else_came(sent: Sent) -> None:
    sent.events(event("login"), event("search"))
    sent.inbox.assert_received("login")

    assert (
        report_of(sent.inbox.assert_nothing_else)
        == """
1 event came that no assertion asked for
not asked for (1):
     +0 ms   custom_event "search" customer_id='c1'
"""
    )


def test_something_was_found(sent: Sent) -> None:
    sent.events(event("login"), order(total_amount="21.49"), user_identities={"email": "nope"})
    sent.body(b"{nope", at=4)

    assert (
        report_of(sent.inbox.assert_valid)
        == """
3 findings of severity error or warning: email_malformed, number_as_string, json_broken
     +0 ms   202 POST /v2/events key='test-00000001'
             warning email_malformed: …
             warning number_as_string: …
     +4 ms   400 POST /v2/events key='test-00000001'
             error json_broken: …
"""
    )


def test_not_exactly_one_event(sent: Sent) -> None:
    sent.events(event("login"), event("login"), event("logout"))

    assert (
        report_of(lambda: sent.inbox.events.named("login").where(is_early).one())
        == """
expected exactly one event "login" with is_early(…) true, got 2
matching (2):
     +0 ms   custom_event "login" customer_id='c1'
     +0 ms   custom_event "login" customer_id='c1'
also received (1):
     +0 ms   custom_event "logout" customer_id='c1'
"""
    )


def test_no_first_batch(sent: Sent) -> None:
    sent.events(event("login"))

    assert (
        report_of(lambda: sent.inbox.batches.where(environment="production").first)
        == """
expected at least one batch with environment='production', got 0
closest: +0 ms  batch 1.0, accepted customer_id='c1': custom_event "login"
                 expected      received
    environment  'production'  'development'
all batches (1):
     +0 ms   batch 1.0, accepted customer_id='c1': custom_event "login"
"""
    )


def test_no_last_request(sent: Sent) -> None:
    sent.events(event("login"))

    assert (
        report_of(lambda: sent.inbox.requests.where(status=500).last)
        == """
expected at least one request with status=500, got 0
closest: +0 ms  202 POST /v2/events key='test-00000001'
            expected  received
    status  500       202
all requests (1):
     +0 ms   202 POST /v2/events key='test-00000001'
"""
    )


# -- bounds ----------------------------------------------------------------------------------------------------------------


def test_of_many_events_the_newest_are_told(sent: Sent) -> None:
    for second in range(20):
        sent.events(event("tick"), HOME, at=second * 1000)

    assert (
        report_of(lambda: sent.inbox.assert_received("purchase"))
        == """
no event "purchase" was received
received (40):
         …   31 before: custom_event "tick" ×16, screen_view "Home" ×15
   +15.0 s   screen_view "Home" customer_id='c1'
   +16.0 s   custom_event "tick" customer_id='c1'
   +16.0 s   screen_view "Home" customer_id='c1'
   +17.0 s   custom_event "tick" customer_id='c1'
   +17.0 s   screen_view "Home" customer_id='c1'
   +18.0 s   custom_event "tick" customer_id='c1'
   +18.0 s   screen_view "Home" customer_id='c1'
   +19.0 s   custom_event "tick" customer_id='c1'
   +19.0 s   screen_view "Home" customer_id='c1'
"""
    )


def test_a_name_cannot_break_lines_or_command_the_terminal(sent: Sent) -> None:
    sent.events(event("a\nb\x1b[31m", custom_attributes={"x\ny": "\ud800"}))

    lines = report_of(lambda: sent.inbox.assert_received("c\nd", attributes={"x\nz": 1})).strip().splitlines()

    assert lines[0].startswith('no event "c\\nd" with')
    assert lines[2].strip().startswith('+0 ms   custom_event "a\\nb\\x1b[31m" customer_id')
    assert all(line.isprintable() for line in lines)
    assert repr(sent.inbox.events[0]).isprintable()


def test_names_are_escaped_in_errors_and_comparisons(sent: Sent) -> None:
    sent.events(event("a", **{"x\x1b[2J": 1}), user_identities={"e\x1b": "c1"})
    found = sent.inbox.events[0]

    with pytest.raises(NoMemberError) as caught:
        found["x"]

    texts = [str(caught.value), repr(sent.inbox.batches[0]), *(report.explain_equality(found, {"y\x1b": Rude()}) or ())]
    assert [text for text in texts if "\x1b" in text] == []
    assert "x\\x1b[2J" in texts[0]


class Rude:
    """Its repr commands the terminal."""

    def __repr__(self) -> str:
        return "\x1b[2J"


def test_findings_are_escaped() -> None:
    assert FINDING_LINES(make("json_broken", "x\x1b[2J"))[0].endswith("x\\x1b[2J")


@pytest.mark.parametrize("name", ["time", "name", "event_type"])
def test_a_predicate_may_have_any_name(sent: Sent, name: str) -> None:
    sent.events(event("login"))

    def asked(_: Event) -> bool:
        return False

    asked.__name__ = name

    with pytest.raises(AssertionError, match=rf"event with {name}\(…\) true"):
        sent.inbox.events.where(asked).one()


@pytest.mark.parametrize("name", ["time", "name"])
def test_a_custom_attribute_may_have_any_name(sent: Sent, name: str) -> None:
    sent.events(order(), event("login", custom_attributes={name: 2}))

    with pytest.raises(AssertionError, match=f'^no event "login" with {name}=1 was received'):
        sent.inbox.assert_received("login", **{name: 1})
    with pytest.raises(AssertionError, match=f"^expected exactly one event with {name}=1, got 0"):
        sent.inbox.events.where(**{name: 1}).one()


class Unspeakable:
    """Its repr raises."""

    def __repr__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize("expected", [Unspeakable(), [Unspeakable()], {"a": Unspeakable()}])
def test_a_value_whose_repr_raises_does_not_replace_the_report(sent: Sent, expected: Any) -> None:
    sent.events(order(total_amount=1))

    with pytest.raises(AssertionError, match=r"Unspeakable whose repr raises Zero|whose repr raises ZeroDivisionError"):
        sent.inbox.assert_received("purchase", total_amount=expected)


def test_a_report_fits_on_a_screen(sent: Sent) -> None:
    for number in range(300):
        sent.events(order(total_amount=number), event("x" * 300))
        sent.body(batch(events=[{"data": {}}] * (number % 7 + 1)), at=40_000 + number)
        sent.body(batch(), key=f"key-{number}", at=50_000)
    keywords = {f"name_{number}": number for number in range(50)}

    lines = report_of(lambda: sent.inbox.wait_for("purchase", timeout=0, **keywords)).strip().splitlines()

    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= 140


def test_a_report_of_10_000_events_takes_less_than_a_few_seconds(sent: Sent) -> None:
    events = [event(f"tick {number}", custom_attributes={"number": number}) for number in range(10_000)]
    for start in range(0, 10_000, 100):
        sent.events(*events[start : start + 100])

    began = time.perf_counter()
    text = report_of(lambda: sent.inbox.assert_received("tick 99999", number=-1))

    assert "closest" in text
    assert time.perf_counter() - began < 5


# -- findings --------------------------------------------------------------------------------------------------------------


def test_a_finding_is_told_with_its_hint() -> None:
    finding = make("json_broken", "The body is not JSON.", hint="Send JSON.")

    assert FINDING_LINES(finding) == ["error json_broken: The body is not JSON.", "hint: Send JSON."]
    assert FINDING_LINES(finding, hints=False) == ["error json_broken: The body is not JSON."]


def test_a_long_finding_has_two_lines() -> None:
    first, second = FINDING_LINES(make("json_broken", "very " * 100))

    assert first.startswith("error json_broken: very very")
    assert second.startswith("  very")
    assert second.endswith(" …")


def test_a_fault_that_the_test_asked_for_is_told_as_that() -> None:
    assert FINDING_LINES(make("fault_injected", "…")) == ["fault_injected: the test asked for it, with fail_next or fail_always"]


# -- where the failure is shown -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda inbox: inbox.wait_for("x", timeout=0),
        lambda inbox: inbox.assert_received("x"),
        lambda inbox: inbox.assert_not_received("login"),
        lambda inbox: inbox.assert_order("x", "y"),
        lambda inbox: inbox.assert_nothing_else(),
        lambda inbox: inbox.assert_valid(),
        lambda inbox: inbox.events.named("x").one(),
        lambda inbox: inbox.events.named("x").first,
        lambda inbox: inbox.expect("x").__enter__().__exit__(None, None, None),
        lambda inbox: inbox.journey(customer_id="nobody"),
        lambda inbox: inbox.journey(customer_id="c1").order("x", "y"),
        lambda inbox: inbox.journey(customer_id="c1").nothing_after("login"),
        lambda inbox: inbox.journey(customer_id="c1").every_session_ended(),
        lambda inbox: inbox.journey(customer_id="c1").products_add_up(),
        lambda inbox: inbox.journey(customer_id="c1").total(5),
    ],
)
def test_the_frames_of_the_plugin_are_hidden(sent: Sent, call: Any) -> None:
    sent.events(event("login"), order(total_amount="x"), order(total_amount=1), {"event_type": "session_start", "data": {}})

    with pytest.raises(AssertionError) as raised:
        call(sent.inbox)

    shown = raised.traceback.filter(raised)
    assert {Path(entry.path).name for entry in shown} == {"test_report.py"}


def test_the_report_is_what_pytest_shows(suite: Suite) -> None:
    suite.write(
        """
        def test_checkout(fake_mparticle):
            send(fake_mparticle)
            fake_mparticle.assert_received("purchase", plan="gold")


        def test_comparison(fake_mparticle):
            send(fake_mparticle)
            assert fake_mparticle.events[0] == {"event_name": "refund", "custom_event_type": "transaction"}
        """
    )

    result = suite.run()

    result.stdout.fnmatch_lines(
        [
            '>*fake_mparticle.assert_received("purchase", plan="gold")',
            "E*AssertionError: no event \"purchase\" with plan='gold' was received",
            "E*closest: +* ms  custom_event \"purchase\" customer_id='c1'",
            "E *expected  received",
            "E *plan  'gold'    absent",
            "test_it.py:*: AssertionError",
            "E *assert <custom_event \"purchase\" customer_id='c1'> == {'event_name': 'refund', *}",
            "E *expected  received",
            "E *event_name  'refund'  'purchase'",
            'FAILED test_it.py::test_checkout - AssertionError: no event "purchase" *',
        ]
    )
    result.stdout.no_fnmatch_line("*inbox.py*")


# -- assert event == {...} -------------------------------------------------------------------------------------------------


def explained(left: object, right: object) -> str:
    lines = report.explain_equality(left, right)
    assert lines is not None
    return "\n" + "\n".join(lines) + "\n"


def test_an_event_is_unlike_its_data(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"plan": "gold"}))

    assert (
        explained(sent.inbox.events[0], {"event_name": "logon", "custom_attributes": {"plan": 5}})
        == """
<custom_event "login" customer_id='c1' plan='gold'> == {'event_name': 'logon', 'custom_attributes': {'plan': 5}}
                          expected  received
  event_name              'logon'   'login'
  custom_attributes.plan  5         'gold' (str)
  custom_event_type       absent    'other'
"""
    )


def test_an_event_is_unlike_a_whole_event(sent: Sent) -> None:
    sent.events(event("login"))

    assert (
        explained(event("logout"), sent.inbox.events[0])
        == """
{'event_type': 'custom_event', 'data': {'event_name': 'logo… == <custom_event "login" customer_id='c1'>
                   expected  received
  data.event_name  'logout'  'login'
"""
    )


def test_a_batch_is_unlike_a_dictionary(sent: Sent) -> None:
    sent.events(event("login"))

    assert (
        explained(sent.inbox.batches[0], {"environment": "production", "events": [event("login")]})
        == """
<batch 1.0, accepted customer_id='c1': custom_event "login"> == {'environment': 'production', 'events': [{'event_type': 'cu…
                   expected      received
  environment      'production'  'development'
  user_identities  absent        {'customer_id': 'c1'}
"""
    )


def test_a_list_is_unlike_another_one(sent: Sent) -> None:
    sent.events(event("login"), event("logout"))

    assert (
        explained(sent.inbox.events, [{"event_name": "login"}, event("logout"), event("more")])
        == """
<2 events> == [{'event_name': 'login'}, {'event_type': 'custom_event', 'd…
2 events, expected 3
                         expected                                      received
  [0].custom_event_type  absent                                        'other'
  [2]                    {'event_type': 'custom_event', 'data': {'ev…  absent
"""
    )


def test_a_list_is_longer_than_another_one(sent: Sent) -> None:
    sent.events(event("login"), event("logout"))

    assert (
        explained([event("login")], sent.inbox.events)
        == """
[{'event_type': 'custom_event', 'data': {'event_name': 'log… == <2 events>
2 events, expected 1
       expected  received
  [1]  absent    custom_event "logout" customer_id='c1'
"""
    )


def test_an_event_is_no_text(sent: Sent) -> None:
    sent.events(event("login"))

    assert (
        explained(sent.inbox.events[0], "login")
        == """
<custom_event "login" customer_id='c1'> == 'login'
  an Event never equals 'login' (str); compare it with a dictionary
"""
    )


def test_what_was_not_received_is_left_to_pytest() -> None:
    assert report.explain_equality({"a": 1}, {"a": 2}) is None


# -- where a report points -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        "fake_mparticle.assert_received('purchase', count=1)",
        "fake_mparticle.wait_for('purchase', timeout=-1)",
        "fake_mparticle.events.by(nobody='c1')",
        "fake_mparticle.fail_next(200)",
        "fake_mparticle.claim(fake_mparticle.key)",
        "fake_mparticle.journey()",
        "fake_mparticle.events.one()",
        "fake_mparticle.assert_order('login', 'purchase')",
    ],
)
def test_a_failure_is_shown_at_the_line_of_the_test_alone(suite: Suite, call: str) -> None:
    suite.write(f"""
        def test_it(fake_mparticle):
            {call}
    """)

    result = suite.run()

    result.assert_outcomes(failed=1)
    places = [line for line in result.outlines if re.match(r"\S+\.py:\d+:", line)]
    assert [place.split(":")[0] for place in places] == ["test_it.py"]


def test_an_expectation_that_nobody_entered_is_told_without_our_code(suite: Suite) -> None:
    suite.write("""
        def test_it(fake_mparticle):
            fake_mparticle.expect("purchase")
    """)

    result = suite.run()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ['<expect(event "purchase")> expected nothing: it is a context manager, so write `with` before it.']
    )
    result.stdout.no_fnmatch_line("*plugin.py*")
