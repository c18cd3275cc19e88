"""Journeys: the events of one user or one session, and the rules that they have to keep. `Inbox.journey` makes them.

fake_mparticle.journey(customer_id="c1").order("login", "purchase").every_session_ended().total(42.98)
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from mparticle_fake_server.words import counted

from . import matching, report
from .errors import UsageError, about_the_test
from .matching import Condition, Question
from .received import Event, Events

if TYPE_CHECKING:
    from .inbox import Inbox, Step

__tracebackhide__ = about_the_test

CENT: Final = Decimal("0.005")
"""By how much sums may differ that are equal in whole cents."""


class Journey:
    """What one user or one session did, in the order of receipt. Every rule returns the journey, so that rules can be chained.

    A rule that is broken raises AssertionError with a report.
    """

    def __init__(self, inbox: "Inbox", events: Events, whose: str) -> None:
        self._inbox = inbox
        self._whose = whose
        self.events = events
        """Its events."""

    @classmethod
    def of(cls, inbox: "Inbox", session: str | int | None, identities: Mapping[str, Any]) -> Self:
        """The journey of a user or a session. Raises UsageError, and AssertionError if it has no events."""
        conditions = [matching.identity(name, expected) for name, expected in identities.items()]
        if session is not None:
            conditions.append(_of_session(session))
        if not conditions:
            raise UsageError("journey() got nobody to follow; for example journey(customer_id='c1') or journey(session='…').")
        question = Question(conditions)
        events = inbox.events.matching(question)
        if not events:
            raise AssertionError(report.not_received(inbox, question, [], None, "journey"))
        return cls(inbox, events, ", ".join(f"{condition.field}={condition.expected!r}" for condition in conditions))

    def __repr__(self) -> str:
        return f"<journey of {self._whose}: {self.events!r}>"

    def order(self, *steps: "Step", **conditions: Any) -> Self:
        """Events come in this order, others between them or not; steps are those of `Inbox.assert_order`. Raises UsageError."""
        self._inbox.in_order(steps, conditions, list(self.events), "order")
        return self

    def nothing_after(self, what: "str | re.Pattern[str]", /, **conditions: Any) -> Self:
        """Nothing comes after the first event that matches; after an `opt_out` only until the user opts in again.

        An `opt_out` event with `is_opted_out` false is the opt-in. Without an event that matches there is nothing to break.
        """
        question = matching.ask(what, conditions, "nothing_after")
        opting = what == "opt_out"
        ended: Event | None = None
        met = False
        late: list[Event] = []
        for event in self.events:
            if opting and _opts_in(event):
                ended = None
            elif opting and ended is not None and event.type == "opt_out":
                continue  # said once more
            elif ended is not None:
                late.append(event)
            elif question.matches(event):
                ended, met = event, True
        if late:
            head = f"{counted(len(late), 'event')} of {self._whose} came after {report.describe(question)}, expected nothing"
            raise AssertionError(report.of_journey(self._inbox, head, (), self.events, late))
        if not met:
            self._inbox.doubt(question, "nothing_after", came=False)
        return self

    def every_session_ended(self) -> Self:
        """Every session that starts ends, and none ends that did not start.

        Sessions are told by their session_uuid or session_id; where events have neither, by their order.
        """
        open_sessions: dict[tuple[Any, Any], Event] = {}
        faults: list[tuple[str, Event]] = []
        for event in self.events:
            session = (_user(event), _session(event))
            if event.type == "session_start":
                if session in open_sessions:
                    faults.append(("started again before it ended", event))
                open_sessions[session] = event
            elif event.type == "session_end" and open_sessions.pop(session, None) is None:
                faults.append(("ended without a start", event))
        faults += [("never ended", event) for event in open_sessions.values()]
        if faults:
            sessions = "1 session" if len(faults) == 1 else f"{len(faults)} sessions"
            head = f"{sessions} of {self._whose} did not start and end as a session should"
            lines = [f"    {_session_words(event)} {what}" for what, event in faults[:10]]
            raise AssertionError(report.of_journey(self._inbox, head, lines, self.events, [event for _, event in faults]))
        return self

    def products_add_up(self) -> Self:
        """In every product action with a total_amount, the products add up to it.

        A product counts with its total_product_amount, else with price times quantity (1 if it has none). Shipping comes on top;
        tax may be in the prices, or on top too. Sums may differ by half a cent.
        """
        wrong: list[Event] = []
        lines: list[str] = []
        for event in self.events:
            action = event.get("product_action")
            total = _amount(action.get("total_amount")) if isinstance(action, dict) else None
            products = action.get("products") if isinstance(action, dict) else None
            if not isinstance(action, dict) or total is None or not isinstance(products, list) or not products:
                continue
            amounts = [_product(product) for product in products]
            shipping, tax = _amount(action.get("shipping_amount")) or Decimal(), _amount(action.get("tax_amount")) or Decimal()
            if None in amounts:
                wrong.append(event)
                lines.append(
                    f'    "{event.name}": a product has neither total_product_amount nor price, so that nothing can be added up'
                )
                continue
            net = sum((amount for amount in amounts if amount is not None), shipping)
            if min(abs(net - total), abs(net + tax - total)) > CENT:
                wrong.append(event)
                lines.append(
                    f'    "{event.name}": total_amount={total}, but {" + ".join(map(str, amounts))}'
                    + (f" + {shipping} shipping" if shipping else "")
                    + f" = {net}"
                    + (f", or {net + tax} with tax" if tax else "")
                )
        if wrong:
            head = f"products of {self._whose} do not add up to the total_amount in {counted(len(wrong), 'event')}"
            raise AssertionError(report.of_journey(self._inbox, head, lines[:10], self.events, wrong))
        return self

    def total(self, expected: float | Decimal) -> Self:
        """What the total_amount of all purchases, minus that of all refunds, comes to; it may differ by half a cent."""
        if isinstance(expected, bool) or not isinstance(expected, int | float | Decimal):
            raise UsageError(f"total got {expected!r:.80}; expected an amount, such as 42.98.")
        counted: list[Event] = []
        lines: list[str] = []
        sum_of_all = Decimal()
        for event in self.events:
            action = event.get("product_action")
            name = action.get("action") if isinstance(action, dict) else None
            if not isinstance(action, dict) or name not in ("purchase", "refund"):
                continue
            amount = _amount(action.get("total_amount"))
            counted.append(event)
            lines.append(
                f"    {'+' if name == 'purchase' else '-'} {'no total_amount' if amount is None else amount}  {event.line}"
            )
            sum_of_all += (amount or Decimal()) * (1 if name == "purchase" else -1)
        if abs(sum_of_all - _decimal(expected)) > CENT:
            head = f"purchases minus refunds of {self._whose} come to {sum_of_all}, expected {expected}"
            raise AssertionError(report.of_journey(self._inbox, head, lines[:15], self.events, counted))
        return self


def _of_session(session: Any) -> Condition:
    if isinstance(session, bool) or not isinstance(session, str | int) or session == "":
        raise UsageError(f"session is {session!r:.80}; expected a session_uuid (text) or a session_id (a number).")
    wanted = str(session).lower()  # the web SDK writes UUIDs in upper case

    def read(event: Event) -> Any:
        ids = (event.get("session_uuid"), event.get("session_id"))
        return tuple(id for id in ids if id is not None)

    return Condition("session", session, read, lambda ids: any(str(id).lower() == wanted for id in ids))


def _session(event: Event) -> Any:
    uuid = event.get("session_uuid")
    return uuid.lower() if isinstance(uuid, str) else event.get("session_id")


def _session_words(event: Event) -> str:
    session = _session(event)
    return "a session without an id" if session is None else f"session {session!r}"


def _user(event: Event) -> Any:
    """Whose session it is, where the session has no id of its own."""
    if _session(event) is not None:
        return None
    return str(event.mpid), tuple(sorted((name, str(value)) for name, value in event.user_identities.items()))


def _opts_in(event: Event) -> bool:
    return event.type == "opt_out" and event.get("is_opted_out") is False


def _product(product: Any) -> Decimal | None:
    if not isinstance(product, dict):
        return None
    total = _amount(product.get("total_product_amount"))
    if total is not None:
        return total
    price, quantity = _amount(product.get("price")), _amount(product.get("quantity"))
    return None if price is None else price * (Decimal(1) if quantity is None else quantity)


def _amount(value: Any) -> Decimal | None:
    return _decimal(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _decimal(value: float | Decimal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))
