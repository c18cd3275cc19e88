"""What a batch means, beyond what a schema can say: who it is about, when it was, what was bought, which session ended.

`check_semantics` runs on every upload: one pass decides which of the checks below have to look closer, mostly none.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeGuard

from mparticle_sdk import limits

from .finding import Finding
from .found import Found, Path, shown
from .personal import check_personal, may_hold_personal_data, products
from .sessions import check_sessions

CLOCK_SKEW_MS: Final = 5 * 60 * 1000
"""How far a timestamp may lie ahead: clocks of devices differ by a few minutes."""

_EARLIEST_MS: Final = 946_684_800_000
_LATEST_MS: Final = 4_102_444_800_000
"""From 2000 to 2100: a timestamp that is such a date in another unit, and none in milliseconds, is in that unit."""

_UNITS: Final = (("seconds", 1000, 1), ("microseconds", 1, 1000), ("nanoseconds", 1, 1_000_000))
_EVENT_TIMES: Final = ("timestamp_unixtime_ms", "session_start_unixtime_ms", "event_start_unixtime_ms")

_DEVICE_IDS: Final = (
    "android_uuid",
    "android_advertising_id",
    "ios_advertising_id",
    "ios_idfv",
    "push_token",
    "amp_id",
    "roku_advertising_id",
    "roku_publisher_id",
    "fire_advertising_id",
    "microsoft_advertising_id",
    "microsoft_publisher_id",
)
"""Members of device_info that mParticle resolves an identity by (`identity.md`)."""

_ZERO_UUID: Final = "00000000-0000-0000-0000-000000000000"
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
_MORE_TEXTS: Final = {
    "commerce_event": ("screen_name", "product_action", "product_impressions", "shopping_cart"),
    "user_attribute_change": ("user_attribute_name", "new", "old"),
}
"""Where else events may hold personal data, besides event_name and custom_attributes."""

_SCREEN_NAME: Final = ("screen_name",)

_DECIMALS: Final = (
    dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV"), 0)
    | dict.fromkeys(("XAF", "XOF", "XPF"), 0)
    | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
    | dict.fromkeys(("CLF", "UYW"), 4)
)
"""Decimals of the currencies that do not have two (ISO 4217)."""


def check_semantics(batch: dict[str, Any], now_ms: int, *, historical: bool = False) -> list[Finding]:
    """The findings on one canonical batch that was received at `now_ms` (milliseconds since 1970).

    A `historical` batch may be of any age.
    """
    found = Found()
    _check_identity(batch, found)
    oldest = _EARLIEST_MS if historical else now_ms - limits.MAXIMUM_AGE_MS
    newest = now_ms + CLOCK_SKEW_MS
    time = batch.get("timestamp_unixtime_ms", now_ms)
    odd_time = not (type(time) is int and oldest <= time <= newest)
    texts = [batch.get("user_attributes")]
    kinds = set()
    events: Any = batch.get("events")
    for event in events if type(events) is list else ():
        data = event.get("data") if type(event) is dict else None
        if type(data) is not dict:
            continue
        get = data.get
        # Zero stands for "not known" in the latter two, as in mParticle's own sample, but for 1970 in the first.
        if (
            not (type(time := get("timestamp_unixtime_ms", now_ms)) is int and oldest <= time <= newest)
            or ((time := get("session_start_unixtime_ms")) and not (type(time) is int and oldest <= time <= newest))
            or ((time := get("event_start_unixtime_ms")) and not (type(time) is int and oldest <= time <= newest))
        ):
            odd_time = True
        texts += (get("event_name"), get("custom_attributes"))
        kind = event.get("event_type")
        if kind != "custom_event" and type(kind) is str:
            kinds.add(kind)
            texts += map(get, _MORE_TEXTS.get(kind, _SCREEN_NAME))
    if odd_time:
        _check_times(batch, found, oldest, now_ms)
    if "user_identity_change" in kinds or batch.get("consent_state") or batch.get("device_info"):
        _check_units(batch, found)
    if "commerce_event" in kinds:
        _check_commerce(events, found)
    if "session_end" in kinds:
        check_sessions(events, found)
    if may_hold_personal_data(texts):
        check_personal(batch, found)
    return found


def _each(events: Any, event_type: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Position and data of the events of one type that have data."""
    for index, event in enumerate(events):
        if type(event) is dict and event.get("event_type") == event_type and type(event.get("data")) is dict:
            yield index, event["data"]


# -- who ---------------------------------------------------------------------------------------------------------------------


def _check_identity(batch: dict[str, Any], found: Found) -> None:
    mpid = batch.get("mpid")
    if mpid and mpid != "0":
        return
    is_zero = mpid is not None and mpid in (0, "0") and mpid is not False
    identities = batch.get("user_identities")
    # What an identity's value is worth is another check's concern.
    if (type(identities) is dict and any(identities.values())) or _known_by_device(batch):
        if is_zero:
            found.add(
                "identity_placeholder", ("mpid",), "is 0, which stands for nobody.", "Leave mpid out where it is not known."
            )
        return
    found.add(
        "identity_missing",
        (),
        "has no mpid"
        + (" other than 0" if is_zero else "")
        + ", no user identity and no device id; expected at least one of them.",
        'Add "user_identities": {"customer_id": "…"}, or "mp_deviceid".',
    )


def _known_by_device(batch: dict[str, Any]) -> bool:
    if _names(batch.get("mp_deviceid")) or batch.get("partner_identities") or batch.get("partner_identity"):
        return True
    device = batch.get("device_info")
    return isinstance(device, dict) and any(_names(device.get(member)) for member in _DEVICE_IDS)


def _names(device_id: Any) -> bool:
    return bool(device_id) and device_id != _ZERO_UUID


# -- when --------------------------------------------------------------------------------------------------------------------


def _check_times(batch: dict[str, Any], found: Found, oldest: int, now_ms: int) -> None:
    """The batch's own time and those of its events."""
    _check_time(batch, "timestamp_unixtime_ms", (), found, oldest, now_ms)
    events: Any = batch.get("events")
    for index, event in enumerate(events) if isinstance(events, list) else ():
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict):
            continue
        told: set[str | None] = set()
        for member in _EVENT_TIMES:
            if member == "timestamp_unixtime_ms" or data.get(member):
                told.add(_check_time(data, member, ("events", index, "data"), found, oldest, now_ms, told))


def _check_time(
    node: dict[str, Any], member: str, path: Path, found: Found, oldest: int, now_ms: int, told: Iterable[str | None] = ()
) -> str | None:
    """Tell what is wrong with one time; not what was `told` of the same event: one wrong clock makes all its times wrong."""
    time = node.get(member)
    if not _is_number(time) or _check_unit(node, member, path, found):
        return None
    if time > now_ms + CLOCK_SKEW_MS:
        code, hint = "timestamp_in_future", "Check the clock of the sender, and that no time zone is added: the time is in UTC."
        said = f"{_ago(time - now_ms)} in the future; expected at most 5 minutes."
    elif time < oldest:
        code, hint = "timestamp_too_old", "Send events of this age to /v2/bulkevents/historical."
        said = f"{_ago(now_ms - time)} ago; expected at most 30 days."
    else:
        return None
    if code not in told and found.room(code):
        found.add(code, (*path, member), f"is {shown(time)}, {_date(time)}{said}", hint)
    return code


def _check_units(batch: dict[str, Any], found: Found) -> None:
    """The times of consent, of identities and of the tracking permission: as old as they like, but in milliseconds."""
    device = batch.get("device_info")
    if isinstance(device, dict):
        _check_unit(device, "att_timestamp_unixtime_ms", ("device_info",), found)
    consent: Any = batch.get("consent_state")
    for regulation in ("gdpr", "ccpa") if isinstance(consent, dict) else ():
        purposes: Any = consent.get(regulation)
        for purpose, given in purposes.items() if isinstance(purposes, dict) else ():
            if isinstance(given, dict):
                _check_unit(given, "timestamp_unixtime_ms", ("consent_state", regulation, purpose), found)
    events: Any = batch.get("events")
    for index, data in _each(events, "user_identity_change") if isinstance(events, list) else ():
        for member in ("new", "old"):
            identity = data.get(member)
            if isinstance(identity, dict):
                _check_unit(identity, "timestamp_unixtime_ms", ("events", index, "data", member), found)


def _check_unit(node: dict[str, Any], member: str, path: Path, found: Found) -> bool:
    """Tell if a time is in another unit than milliseconds."""
    time = node.get(member)
    if not _is_number(time) or _EARLIEST_MS <= time < _LATEST_MS:
        return False
    for unit, times, part in _UNITS:
        if _EARLIEST_MS * part <= time * times < _LATEST_MS * part:
            said = f"is {shown(time)}, which looks like {unit}; expected milliseconds since 1970."
            found.add("timestamp_not_milliseconds", (*path, member), said, f'Send "{member}": {round(time * times) // part}.')
            return True
    return False


def _is_number(value: Any) -> TypeGuard[float]:
    return type(value) is int or type(value) is float


def _date(time: float) -> str:
    if not 0 <= time < _LATEST_MS:
        return ""
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC, "


def _ago(span_ms: float) -> str:
    for unit, length in (("days", 86_400_000), ("hours", 3_600_000)):
        if span_ms >= 2 * length:
            # A timestamp may be any number, also one that no float holds.
            return f"{span_ms // length:.0f} {unit}" if span_ms < 10**15 else "ages"
    return f"{span_ms / 60_000:.0f} minutes"


# -- what was bought ---------------------------------------------------------------------------------------------------------


def _check_commerce(events: list[Any], found: Found) -> None:
    for index, data in _each(events, "commerce_event"):
        path = ("events", index, "data")
        # The Java SDK sends lists that hold nothing, the web SDK nulls, for the kinds that an event has not.
        kinds = [kind for kind in _COMMERCE_KINDS if data.get(kind) is not None and data[kind] != []]
        if len(kinds) > 1:
            said = f"has {' and '.join(kinds)}; expected exactly one of them."
            found.add("commerce_with_several_actions", path, said, f"Send {len(kinds)} commerce events, one for each.")
        elif not kinds:
            _check_empty_commerce(index, events[index], found)
        for at, product in products(data):
            if product.get("total_product_amount") is not None:
                _check_total(product, data.get("currency_code"), path + at, found)


def disguised_crash(event: dict[str, Any]) -> list[str]:
    """The members that tell a crash report which is labelled commerce_event (`events-api.md §10`); none if it is not one."""
    data = event.get("data")
    if event.get("event_type") != "commerce_event" or not isinstance(data, dict):
        return []
    if any(data.get(kind) not in (None, []) for kind in _COMMERCE_KINDS):
        return []
    return [member for member in _CRASH_MEMBERS if member in data]


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
    if _is_number(price) and _is_number(quantity) and _is_number(total) and _agrees(price, quantity, total):
        return
    exact_total, exact_price, exact_quantity = _amount(total), _amount(price), _amount(quantity)
    if exact_total is None or exact_price is None or exact_quantity is None or not found.room("product_total_contradicts"):
        return
    expected = exact_price * exact_quantity
    # A total may be rounded to what the currency can be paid in.
    unit = Decimal(1).scaleb(-_DECIMALS.get(currency, 2) if type(currency) is str else -2)
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
    if not (_is_number(value) or type(value) is str):
        return None
    # str() of a float is what the client wrote: 0.1 and not the nearest binary fraction.
    try:
        amount = Decimal(shown(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and -12 <= amount.adjusted() <= 15 else None
