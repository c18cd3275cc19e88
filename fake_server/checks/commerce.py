"""What was bought: kinds of commerce events, totals of products, and crash reports under a wrong name. For the other checks."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from mparticle_sdk.commerce import CURRENCY_DECIMALS

from .events import events_of
from .found import Found, Path, shown
from .times import check_unit, is_number

_COMMERCE_KINDS: Final = ("product_action", "promotion_action", "product_impressions")
_CRASH_MEMBERS: Final = (
    "class_name",
    "severity",
    "message",
    "stack_trace",
    "breadcrumbs",
    "exception_handled",
    "topmost_context",
    "pl_crash_report_file_base64",
    "ios_image_base_address",
    "ios_image_size",
)
_CRASH_ALONE: Final = frozenset({"class_name", "stack_trace"})
"""One of these, or two of the others, make a crash report."""


def products(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The products of a commerce event's data, wherever it has them, and the paths from the data to them."""
    holders: list[tuple[Path, Any]] = [(("product_action",), data.get("product_action"))]
    impressions = data.get("product_impressions")
    if isinstance(impressions, list):
        holders += ((("product_impressions", index), impression) for index, impression in enumerate(impressions))
    holders.append((("shopping_cart",), data.get("shopping_cart")))
    for path, holder in holders:
        inner = holder.get("products") if isinstance(holder, dict) else None
        if isinstance(inner, list):
            yield from (((*path, "products", at), product) for at, product in enumerate(inner) if isinstance(product, dict))


def check_commerce(events: list[Any], found: Found) -> None:
    """Tell of commerce events of no kind or several, of totals that are not price times quantity, and of times in other units."""
    for index, data in events_of(events, "commerce_event"):
        path = ("events", index, "data")
        # The Java SDK sends lists that hold nothing, the web SDK nulls, for the kinds that an event has not.
        kinds = [kind for kind in _COMMERCE_KINDS if data.get(kind) is not None and data[kind] != []]
        if len(kinds) > 1:
            said = f"has {' and '.join(kinds)}; expected exactly one of them."
            found.add("commerce_with_several_actions", path, said, f"Send {len(kinds)} commerce events, one for each.")
        elif not kinds:
            _check_empty_commerce(index, events[index], found)
        reduced = _has_coupon(data.get("product_action"))
        for at, product in products(data):
            if product.get("added_to_cart_time_ms") is not None:
                check_unit(product, "added_to_cart_time_ms", path + at, found)
            # A coupon may have reduced the total, nobody says by how much.
            if not reduced and not _has_coupon(product) and product.get("total_product_amount") is not None:
                _check_total(product, data.get("currency_code"), path + at, found)


def _has_coupon(node: Any) -> bool:
    return isinstance(node, dict) and bool(node.get("coupon_code"))


def disguised_crash(event: dict[str, Any]) -> list[str]:
    """The members that tell a crash report which is labelled commerce_event (`events-api.md §10`); none if it is not one."""
    data = event.get("data")
    if event.get("event_type") != "commerce_event" or not isinstance(data, dict):
        return []
    if any(data.get(kind) not in (None, []) for kind in _COMMERCE_KINDS):
        return []
    members = [member for member in _CRASH_MEMBERS if member in data]
    # A message alone may be one to a customer.
    return members if len(members) > 1 or not _CRASH_ALONE.isdisjoint(members) else []


def _check_empty_commerce(index: int, event: dict[str, Any], found: Found) -> None:
    crash = disguised_crash(event)
    if crash:
        found.add(
            "crash_report_as_commerce",
            ("events", index, "event_type"),
            f"is commerce_event, but the data is that of a crash report ({', '.join(crash[:4])}).",
            'Send "event_type": "crash_report". The official Python and Ruby SDKs label their CrashReportEvent wrongly; '
            'in Python wrap it yourself: Batch(events=[{"event_type": "crash_report", "data": event}]).',
        )
    else:
        found.add(
            "commerce_without_action",
            ("events", index, "data"),
            f"has none of {', '.join(_COMMERCE_KINDS)}; expected exactly one of them.",
            'Add for example "product_action": {"action": "purchase", "products": [{"id": "…", "price": 9.99, "quantity": 1}]}.',
        )


def _check_total(product: dict[str, Any], currency: Any, path: Path, found: Found) -> None:
    total, price, quantity = product["total_product_amount"], product.get("price"), product.get("quantity")
    if is_number(price) and is_number(quantity) and is_number(total) and _agrees(price, quantity, total):
        return
    exact_total, exact_price, exact_quantity = _amount(total), _amount(price), _amount(quantity)
    if exact_total is None or exact_price is None or exact_quantity is None or not found.room("product_total_contradicts"):
        return
    expected = exact_price * exact_quantity
    # A total may be rounded to what the currency can be paid in.
    unit = Decimal(1).scaleb(-CURRENCY_DECIMALS.get(currency, 2) if type(currency) is str else -2)
    if abs(expected - exact_total) <= unit / 2:
        return
    value = format(expected.normalize(), "f")
    found.add(
        "product_total_contradicts",
        (*path, "total_product_amount"),
        f"is {shown(total)}; expected {shown(value)}: the price {shown(price)} times the quantity {shown(quantity)}.",
        f'Send "total_product_amount": {shown(value)}, or leave it out.',
    )


def _agrees(price: float, quantity: float, total: float) -> bool:
    """Whether a total is certainly right: closer than half of what any currency can be paid in."""
    try:
        return abs(price * quantity - total) < 1e-6
    except OverflowError:
        return False


def _amount(value: Any) -> Decimal | None:
    """The exact amount that a number, or a text of one, stands for; None for what is no amount of money."""
    if not (is_number(value) or type(value) is str):
        return None
    # str() of a float is what the client wrote: 0.1 and not the nearest binary fraction.
    try:
        amount = Decimal(shown(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and -12 <= amount.adjusted() <= 15 else None
