"""Journeys: whose they are, and every rule with what keeps it and what breaks it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from mparticle_pytest_plugin.errors import UsageError
from tests.pytest_plugin.inboxes import Sent, event, order, report_of, sent_inbox

UUID = "0f6e3f0a-5b1c-4d7e-9a51-3c2b1a0f9e8d"


@pytest.fixture
def sent() -> Iterator[Sent]:
    with sent_inbox() as opened:
        yield opened


def session(event_type: str, uuid: str | None = None, **data: Any) -> dict[str, Any]:
    return {"event_type": event_type, "data": ({"session_uuid": uuid} if uuid else {}) | data}


def opt_out(value: bool | None = True) -> dict[str, Any]:
    return {"event_type": "opt_out", "data": {} if value is None else {"is_opted_out": value}}


# -- whose it is -----------------------------------------------------------------------------------------------------------


def test_a_journey_is_that_of_a_user(sent: Sent) -> None:
    sent.events(event("login"))
    sent.events(event("search"), user_identities={"customer_id": "c2"})
    sent.events(event("logout"))

    assert [one.name for one in sent.inbox.journey(customer_id="c1").events] == ["login", "logout"]


@pytest.mark.parametrize("wanted", [UUID, UUID.upper(), 42, "42"])
def test_a_journey_is_that_of_a_session_by_uuid_or_id(sent: Sent, wanted: str | int) -> None:
    sent.events(event("login", session_uuid=UUID, session_id=42), event("logout"))

    assert [one.name for one in sent.inbox.journey(session=wanted).events] == ["login"]


def test_a_journey_without_events_is_told_in_words_of_its_own(sent: Sent) -> None:
    report = report_of(lambda: sent.inbox.journey(customer_id="c1"))

    assert "no event with customer_id='c1' was received\n" in report
    assert "note: journey does not wait; if the code under test sends in the background, wait_for does\n" in report


@pytest.mark.parametrize(
    ("whose", "message"),
    [({}, "nobody to follow"), ({"session": ""}, "expected a session_uuid"), ({"custmer_id": "c1"}, "Did you mean customer_id")],
)
def test_a_journey_of_nobody_is_refused(sent: Sent, whose: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        sent.inbox.journey(**whose)


def test_a_user_who_did_nothing_has_no_journey(sent: Sent) -> None:
    sent.events(event("login"))

    assert (
        report_of(lambda: sent.inbox.journey(customer_id="c2"))
        == """
no event with customer_id='c2' was received
closest: +0 ms  custom_event "login" customer_id='c1'
                 expected  received
    customer_id  'c2'      'c1'
"""
    )


def test_rules_can_be_chained(sent: Sent) -> None:
    sent.events(
        session("session_start", UUID), event("login"), order(total_amount=21.49), session("session_end", UUID), opt_out()
    )

    journey = sent.inbox.journey(customer_id="c1")

    journey.order("login", "purchase").nothing_after("opt_out").every_session_ended().products_add_up().total(21.49)


# -- order -----------------------------------------------------------------------------------------------------------------


def test_the_order_is_that_of_this_user_alone(sent: Sent) -> None:
    sent.events(event("login"), user_identities={"customer_id": "c2"})
    sent.events(event("purchase"))

    with pytest.raises(AssertionError, match='no event "login" was received'):
        sent.inbox.journey(customer_id="c1").order("login", "purchase")


def test_an_order_that_is_none_is_refused(sent: Sent) -> None:
    sent.events(event("login"))

    with pytest.raises(UsageError, match=r"order got 1 event\(s\); an order needs two at least"):
        sent.inbox.journey(customer_id="c1").order("login")


# -- nothing after ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [True, None])
def test_nothing_may_come_after_an_opt_out(sent: Sent, value: bool | None) -> None:
    sent.events(event("login"), opt_out(value))
    sent.events(event("search"), at=9)

    assert (
        report_of(lambda: sent.inbox.journey(customer_id="c1").nothing_after("opt_out"))
        == """
1 event of customer_id='c1' came after opt_out event, expected nothing
journey (3):
     +0 ms   custom_event "login" customer_id='c1'
     +0 ms   opt_out customer_id='c1'
     +9 ms → custom_event "search" customer_id='c1'
"""
    )


def test_after_an_opt_in_events_may_come_again(sent: Sent) -> None:
    sent.events(opt_out(), opt_out(), opt_out(value=False), event("login"))

    sent.inbox.journey(customer_id="c1").nothing_after("opt_out")


def test_an_opt_in_is_no_opt_out(sent: Sent) -> None:
    sent.events(opt_out(value=False), event("login"))

    sent.inbox.journey(customer_id="c1").nothing_after("opt_out")


def test_nothing_may_come_after_any_event_that_is_named(sent: Sent) -> None:
    sent.events(event("logout"), opt_out(value=False))
    journey = sent.inbox.journey(customer_id="c1")

    journey.nothing_after("deleted")
    with pytest.raises(AssertionError, match=r'1 event of .* came after event "logout"'):
        journey.nothing_after("logout")


# -- sessions --------------------------------------------------------------------------------------------------------------


def test_sessions_may_overlap_if_they_have_ids(sent: Sent) -> None:
    other = UUID.replace("0", "1")
    sent.events(session("session_start", UUID), session("session_start", other))
    sent.events(session("session_end", UUID.upper()), session("session_end", other))

    sent.inbox.journey(customer_id="c1").every_session_ended()


def test_sessions_without_ids_are_told_by_their_order(sent: Sent) -> None:
    sent.events(*[session("session_start"), session("session_end")] * 2)

    sent.inbox.journey(customer_id="c1").every_session_ended()


@pytest.mark.parametrize(
    ("events", "line"),
    [
        ([session("session_start", UUID)], f"session '{UUID}' never ended"),
        ([session("session_start", UUID), session("session_end")], f"session '{UUID}' never ended"),
        ([session("session_end", session_id=5)], "session 5 ended without a start"),
        ([session("session_start"), session("session_start"), session("session_end")], "a session without an id started again"),
    ],
)
def test_a_session_that_does_not_start_and_end_is_told(sent: Sent, events: list[dict[str, Any]], line: str) -> None:
    sent.events(*events)

    assert f"    {line}" in report_of(sent.inbox.journey(customer_id="c1").every_session_ended)


# -- amounts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members",
    [
        {"total_amount": 21.49},
        {"total_amount": 25.99, "shipping_amount": 4.5},
        {"total_amount": 21.49, "tax_amount": 3.43},
        {"total_amount": 24.92, "tax_amount": 3.43},
        {"total_amount": 0.3, "products": [{"price": 0.1, "quantity": 3}]},
        {"total_amount": 5, "products": [{"price": 9, "quantity": 1, "total_product_amount": 5}]},
        {"total_amount": 9, "products": [{"price": 9}]},
        {"products": [{"price": 9}]},
        {"total_amount": 9, "products": []},
    ],
)
def test_products_that_add_up(sent: Sent, members: dict[str, Any]) -> None:
    sent.events(order(**members))

    sent.inbox.journey(customer_id="c1").products_add_up()


def test_products_that_do_not_add_up(sent: Sent) -> None:
    sent.events(order(total_amount=50.0, shipping_amount=4.5, tax_amount=3))
    sent.events(order("refund", total_amount=5, products=[{"id": "a"}]), at=3)

    assert (
        report_of(sent.inbox.journey(customer_id="c1").products_add_up)
        == """
products of customer_id='c1' do not add up to the total_amount in 2 events
    "purchase": total_amount=50.0, but 21.49 + 4.5 shipping = 25.99, or 28.99 with tax
    "refund": a product has neither total_product_amount nor price, so that nothing can be added up
journey (2):
     +0 ms → commerce_event "purchase" customer_id='c1' total_amount=50.0
     +3 ms → commerce_event "refund" customer_id='c1' total_amount=5
"""
    )


def test_the_total_is_that_of_purchases_less_refunds(sent: Sent) -> None:
    sent.events(order(total_amount=42.98), order("refund", total_amount=21.49), order("checkout", total_amount=100))

    sent.inbox.journey(customer_id="c1").total(21.49).total(Decimal("21.49"))


def test_a_total_that_is_another_one(sent: Sent) -> None:
    sent.events(event("login"), order(total_amount=42.98), order("refund"))

    assert (
        report_of(lambda: sent.inbox.journey(customer_id="c1").total(21.49))
        == """
purchases minus refunds of customer_id='c1' come to 42.98, expected 21.49
    + 42.98  commerce_event "purchase" customer_id='c1' total_amount=42.98
    - no total_amount  commerce_event "refund" customer_id='c1'
journey (3):
     +0 ms   custom_event "login" customer_id='c1'
     +0 ms → commerce_event "purchase" customer_id='c1' total_amount=42.98
     +0 ms → commerce_event "refund" customer_id='c1'
"""
    )


@pytest.mark.parametrize("amount", ["21.49", None, True])
def test_a_total_that_is_no_amount_is_refused(sent: Sent, amount: Any) -> None:
    sent.events(order())

    with pytest.raises(UsageError, match="expected an amount"):
        sent.inbox.journey(customer_id="c1").total(amount)
