"""What matches: the positional argument, the meaning of keywords, the kinds of values, and calls that cannot be meant."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from unittest.mock import ANY

import pytest

from mparticle_pytest_plugin.doubts import meant_instead
from mparticle_pytest_plugin.errors import ConditionError, UsageError
from mparticle_pytest_plugin.matching import EVENT_TYPES, IDENTITY_TYPES, same
from tests.pytest_plugin.inboxes import Sent, event, order, sent_inbox

Names = list[str]


@pytest.fixture
def sent() -> Iterator[Sent]:
    with sent_inbox() as opened:
        yield opened


def names(events: Any) -> Names:
    return [found.name for found in events]


# -- the positional argument -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("login", ["login"]),
        ("Home", ["Home"]),
        ("purchase", ["purchase"]),
        ("view", ["view"]),
        ("screen_view", ["Home"]),
        ("commerce_event", ["purchase", "view"]),
        (re.compile("^[lH]"), ["login", "Home"]),
        ("Login", []),
    ],
)
def test_the_positional_argument_is_a_documented_type_or_else_a_name(sent: Sent, what: Any, found: Names) -> None:
    sent.events(
        event("login"),
        {"event_type": "screen_view", "data": {"screen_name": "Home"}},
        order("purchase"),
        {"event_type": "commerce_event", "data": {"promotion_action": {"action": "view", "promotions": [{"id": "p"}]}}},
    )

    if found:
        assert names(sent.inbox.assert_received(what)) == found
    else:
        sent.inbox.assert_not_received(what)


def test_the_screen_of_a_commerce_event_is_not_its_name(sent: Sent) -> None:
    sent.events({"event_type": "commerce_event", "data": {"screen_name": "Cart", "product_action": {"action": "checkout"}}})

    sent.inbox.assert_not_received("Cart")
    sent.inbox.assert_received("checkout", screen_name="Cart")


def test_an_event_named_like_a_type_is_asked_for_by_keyword(sent: Sent) -> None:
    sent.events(event("uninstall"))

    sent.inbox.assert_not_received("uninstall")
    sent.inbox.assert_received(event_name="uninstall")


@pytest.mark.parametrize("what", [5, b"login", ["login"], re.compile(b"login"), str.upper])
def test_a_positional_argument_that_is_neither_text_nor_a_pattern_is_refused(sent: Sent, what: Any) -> None:
    with pytest.raises(UsageError, match="expected the name or the type of an event as text, or a pattern"):
        sent.inbox.assert_received(what)


# -- keywords --------------------------------------------------------------------------------------------------------------


def test_a_keyword_is_an_identity_before_it_is_anything_else(sent: Sent) -> None:
    sent.events(
        event("login", custom_attributes={"email": "attribute@example.com"}), user_identities={"email": "who@example.com"}
    )

    sent.inbox.assert_received("login", email="who@example.com")
    sent.inbox.assert_not_received("login", email="attribute@example.com")
    sent.inbox.assert_received("login", attributes={"email": "attribute@example.com"})


def test_customerid_is_customer_id_as_in_the_official_python_sdk(sent: Sent) -> None:
    sent.events(event("login"))

    sent.inbox.assert_received(customerid="c1")


@pytest.mark.parametrize("expected", [42, "42"])
@pytest.mark.parametrize("got", [42, "42"])
def test_an_mpid_is_the_same_as_a_number_and_as_text(sent: Sent, expected: Any, got: Any) -> None:
    sent.events(event("login"), mpid=got)

    sent.inbox.assert_received(mpid=expected)


def test_a_keyword_is_a_member_of_the_data_before_it_is_a_custom_attribute(sent: Sent) -> None:
    sent.events(event("login", custom_event_type="social", custom_attributes={"custom_event_type": "mine"}))

    sent.inbox.assert_received(custom_event_type="social")
    sent.inbox.assert_not_received(custom_event_type="mine")


def test_a_keyword_is_a_member_of_the_product_or_promotion_action(sent: Sent) -> None:
    promotion = {"action": "click", "promotions": [{"id": "summer"}]}
    sent.events(order(total_amount=21.49), {"event_type": "commerce_event", "data": {"promotion_action": promotion}})

    sent.inbox.assert_received(total_amount=21.49, times=1)
    sent.inbox.assert_received(promotions=[{"id": "summer"}], times=1)


def test_any_other_keyword_is_a_custom_attribute(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"plan": "gold"}))

    sent.inbox.assert_received("login", plan="gold")
    sent.inbox.assert_not_received("login", plan="silver")


def test_a_member_that_is_null_gives_way_to_a_custom_attribute(sent: Sent) -> None:
    sent.events(event("login", label=None, custom_attributes={"label": "mine"}))

    sent.inbox.assert_received(label="mine")


def test_a_documented_member_of_the_type_is_no_custom_attribute(sent: Sent) -> None:
    purchase = order()
    purchase["data"]["custom_attributes"] = {"coupon_code": "FREE"}
    sent.events(purchase, event("login", custom_attributes={"coupon_code": "FREE"}))

    with pytest.raises(AssertionError, match=r"coupon_code +'FREE' +absent; a custom attribute has this name"):
        sent.inbox.assert_received("purchase", coupon_code="FREE")
    sent.inbox.assert_received("purchase", attributes={"coupon_code": "FREE"})
    sent.inbox.assert_received("login", coupon_code="FREE")


@pytest.mark.parametrize("number", [42, 4.2, Decimal(42), True])
def test_an_identity_that_is_a_number_is_refused(sent: Sent, number: Any) -> None:
    with pytest.raises(UsageError, match=re.escape(f"identities are text; write customer_id='{number}'")):
        sent.inbox.assert_received("login", customer_id=number)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda inbox: inbox.assert_received("commerce_event", "purchase"), "event_name='purchase'"),
        (lambda inbox: inbox.assert_not_received("commerce_event", "purchase"), "event_name='purchase'"),
        (lambda inbox: inbox.wait_for("commerce_event", "purchase"), "event_name='purchase'"),
        (lambda inbox: inbox.expect("purchase", {"total_amount": 1}), "conditions are keywords"),
    ],
)
def test_a_second_argument_that_is_no_number_is_refused(sent: Sent, call: Any, says: str) -> None:
    with pytest.raises(UsageError, match=f"takes one event type or name .*{says}"):
        call(sent.inbox)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda inbox: inbox.assert_received("Search", times="1"), "got times='1'; expected a whole number of at least 0."),
        (lambda inbox: inbox.wait_for("Search", count="-2"), "got count='-2'; expected a whole number of at least 1."),
        (lambda inbox: inbox.assert_not_received("Search", within="1s"), "got within='1s'; expected seconds from 0 to 3600."),
        (lambda inbox: inbox.assert_not_received("Search", within=".5"), "got within='.5'; expected seconds from 0 to 3600."),
    ],
)
def test_a_number_that_is_text_is_told_as_such(sent: Sent, call: Any, says: str) -> None:
    with pytest.raises(UsageError, match=f"{re.escape(says)}$"):
        call(sent.inbox)


def test_event_name_is_any_of_the_names_of_an_event(sent: Sent) -> None:
    sent.events(order("purchase"))

    sent.inbox.assert_received(event_name="purchase")


def test_event_type_takes_a_pattern_too(sent: Sent) -> None:
    sent.events(event("login"), {"event_type": "screen_view", "data": {"screen_name": "Home"}})

    assert names(sent.inbox.assert_received(event_type=re.compile("^screen"))) == ["Home"]


def test_attributes_match_as_a_subset(sent: Sent) -> None:
    sent.events(event("login", custom_attributes={"plan": "gold", "count": 3}))

    sent.inbox.assert_received(attributes={"count": 3})
    sent.inbox.assert_not_received(attributes={"count": 4})


@pytest.mark.parametrize("name", ["count", "timeout", "within"])
def test_a_control_of_another_method_is_refused_and_not_taken_for_an_attribute(sent: Sent, name: str) -> None:
    with pytest.raises(UsageError, match=rf"assert_received takes times. .* attributes=\{{'{name}': …\}}"):
        sent.inbox.assert_received("login", **{name: 1})


def test_what_is_no_keyword(sent: Sent) -> None:
    with pytest.raises(UsageError, match="is the first argument, without a keyword"):
        sent.inbox.assert_received(what="login")


@pytest.mark.parametrize(
    ("keyword", "meant"),
    [
        ("name", "event_name"),
        ("type", "event_type"),
        ("user_id", "customer_id"),
        ("cutomer_id", "customer_id"),
        ("tims", "times"),
    ],
)
def test_what_may_have_been_meant_by_a_keyword(keyword: str, meant: str) -> None:
    assert meant_instead(keyword) == meant


def test_a_type_that_is_not_documented_is_refused(sent: Sent) -> None:
    with pytest.raises(
        UsageError, match=r"'screenview' is no event type of mParticle\. Did you mean screen_view\? Types: custom_"
    ):
        sent.inbox.assert_received(event_type="screenview")


def test_two_types_at_once_are_refused(sent: Sent) -> None:
    with pytest.raises(UsageError, match="screen_view and opt_out at once; no event has two types"):
        sent.inbox.assert_received("screen_view", event_type="opt_out")


def test_attributes_that_are_no_dictionary_are_refused(sent: Sent) -> None:
    with pytest.raises(UsageError, match="expected custom attributes by name"):
        sent.inbox.assert_received(attributes="gold")


# -- values ----------------------------------------------------------------------------------------------------------------


@dataclass
class Near:
    """Like pytest.approx: equal to what is near."""

    value: float

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(other - self.value) < 0.01

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ("gold", "gold"),
        (21.49, 21.49),
        (2, 2.0),
        (True, True),
        (None, None),
        (Decimal("21.49"), 21.49),
        (["a", {"b": 1}], ["a", {"b": 1, "c": 2}]),
        (("a",), ["a"]),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}),
        ({"a": None}, {}),
        (re.compile("ol"), "gold"),
        (lambda value: value > 21, 21.49),
        ("gold".startswith, "g"),
        (str, "gold"),
        (float, 21),
        (bool, True),
        (ANY, "gold"),
        (pytest.approx(21.5, abs=0.1), 21.49),
        (Near(21.489), 21.49),
        ({"total": Near(21.489)}, {"total": 21.49}),
    ],
)
def test_a_value_is_what_is_expected(expected: Any, got: Any) -> None:
    assert same(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ("gold", "Gold"),
        (21.49, "21.49"),
        (True, 1),
        (1, True),
        (Decimal(1), True),
        (None, ""),
        ("gold", None),
        (["a"], ["a", "b"]),
        ({"a": 1}, {}),
        ({"a": 1}, None),
        (re.compile("ol"), 5),
        (lambda value: value > 22, 21.49),
        (str, 5),
        (int, True),
        (pytest.approx(21.5, abs=0.1), None),
        (ANY, None),
        (lambda value: value != 3, None),
        ({"a": ANY}, {}),
        ({"a": lambda value: value > 3}, {}),
        ([{"a": lambda value: value > 3}], [{"a": None}]),
    ],
)
def test_a_value_is_not_what_is_expected(expected: Any, got: Any) -> None:
    assert not same(expected, got)


def test_a_callable_that_fails_on_a_value_is_an_error_that_names_the_event(sent: Sent) -> None:
    sent.events(order(total_amount=21.49))

    with pytest.raises(
        ConditionError, match=r'total_amount could not be tried on 21.49, which <commerce_event "purchase".* TypeError'
    ):
        sent.inbox.assert_not_received("purchase", total_amount=lambda total: total > "20")


def test_a_callable_need_not_know_absent_values(sent: Sent) -> None:
    sent.events(event("login"), order(total_amount=21.49))

    found = sent.inbox.assert_received(total_amount=lambda total: total > 20)

    assert names(found) == ["purchase"]


def test_a_callable_within_a_dictionary_need_not_know_absent_values(sent: Sent) -> None:
    sent.events(event("a"), event("a", custom_attributes={"n": 4}))

    found = sent.inbox.assert_received("a", attributes={"n": lambda value: value > 3})

    assert [event.custom_attributes["n"] for event in found] == [4]


def test_a_callable_within_a_list_need_not_know_absent_values(sent: Sent) -> None:
    sent.events(order(products=[{"id": "a"}]), order(products=[{"id": "b", "price": 4}]))

    sent.inbox.assert_received(products=[{"price": lambda value: value > 3}], times=1)


@pytest.mark.parametrize("expected", [ANY, lambda value: value != 3])
def test_what_is_absent_meets_nothing_but_none(sent: Sent, expected: Any) -> None:
    sent.events(order(coupon_code="FREE"))

    with pytest.raises(AssertionError, match="loyalty"):
        sent.inbox.assert_received("purchase", loyalty=expected)
    sent.inbox.assert_received("purchase", loyalty=None)


# -- the tables ------------------------------------------------------------------------------------------------------------


def test_the_tables_are_those_of_the_sdk() -> None:
    assert {"custom_event", "commerce_event", "opt_out"} < set(EVENT_TYPES)
    assert {"customer_id", "email", "other_id_10", "phone_number_3"} < set(IDENTITY_TYPES)
