"""What a batch means: who it is about, when it was, and what was bought."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mparticle_fake_server.checks.found import MOST_OF_A_CODE
from mparticle_fake_server.checks.semantics import check_semantics
from tests.checks.meaning import CARD, DAY, HOUR, MINUTE, NOW, UUID, check, only, session, told, typed
from tests.hosts import batch, event

Json = Any

ZERO_UUID = "00000000-0000-0000-0000-000000000000"


def test_a_usual_batch_has_nothing_to_tell() -> None:
    played = event(
        "Play", timestamp_unixtime_ms=NOW - 5, custom_attributes={"title": "Hello", "plan": "pro", "position_ms": 3141}
    )

    assert check(played) == []


def test_mparticles_own_sample_has_nothing_to_tell(shared: Path) -> None:
    sample = json.loads((shared / "schema" / "mparticle.inbound.eventsapi.sample.json").read_text())

    assert check_semantics(sample, sample["events"][-1]["data"]["timestamp_unixtime_ms"]) == []


# -- who -------------------------------------------------------------------------------------------------------------------

NOBODY: list[Json] = [
    {},
    {"mpid": None},
    {"user_identities": {}},
    {"user_identities": {"customer_id": None, "email": ""}},
    {"user_identities": None, "mp_deviceid": None, "device_info": None},
    {"mp_deviceid": ZERO_UUID},
    {"device_info": {"platform": "iOS", "device_model": "iPhone15,2"}},
    {"device_info": {"ios_advertising_id": ZERO_UUID, "android_uuid": ""}},
    {"partner_identities": {}},
    {"mpid": 0},
    {"mpid": "0"},
]


@pytest.mark.parametrize("members", NOBODY)
def test_a_batch_that_names_nobody_is_told(members: Json) -> None:
    (finding,) = check_semantics(members, NOW)

    assert (finding.code, finding.severity, finding.pointer) == ("identity_missing", "warning", "")
    assert "no user identity and no device id" in finding.message


SOMEBODY: list[Json] = [
    {"mpid": -5239478523094875234},
    {"mpid": "5239478523094875234"},
    {"user_identities": {"email": "", "other_id_10": "x"}},
    {"user_identities": {"customer_id": "undefined"}},
    {"mp_deviceid": UUID},
    {"device_info": {"android_uuid": "9774d56d682e549c"}},
    {"device_info": {"ios_idfv": UUID}},
    {"device_info": {"push_token": "abc"}},
    {"partner_identities": {"Partner_Id": "x"}},
    {"partner_identity": "x"},
]


@pytest.mark.parametrize("members", SOMEBODY)
def test_any_identity_will_do(members: Json) -> None:
    assert check_semantics(members, NOW) == []


@pytest.mark.parametrize("mpid", [0, "0"])
def test_an_mpid_of_0_beside_other_identities_is_a_placeholder(mpid: Json) -> None:
    finding = only(mpid=mpid)

    assert (finding.code, finding.pointer) == ("identity_placeholder", "/mpid")
    assert finding.message == "mpid is 0, which stands for nobody."


# -- when ------------------------------------------------------------------------------------------------------------------

TIMES = ["timestamp_unixtime_ms", "session_start_unixtime_ms", "event_start_unixtime_ms"]
UNITS = [
    (1_700_000_000, "1700000000", "seconds", 1_700_000_000_000),
    (1_700_000_000.25, "1700000000.25", "seconds", 1_700_000_000_250),
    (1_700_000_000_123_456, "1700000000123456", "microseconds", 1_700_000_000_123),
    (1_700_000_000_123_456_789, "1700000000123456789", "nanoseconds", 1_700_000_000_123),
]


@pytest.mark.parametrize("member", TIMES)
@pytest.mark.parametrize(("value", "shown", "unit", "mended"), UNITS)
def test_a_time_in_another_unit_is_told_with_the_value_to_send(
    member: str, value: Json, shown: str, unit: str, mended: int
) -> None:
    finding = only(event("Play", **{member: value}))

    assert (finding.code, finding.severity, finding.pointer) == (
        "timestamp_not_milliseconds",
        "error",
        f"/events/0/data/{member}",
    )
    assert finding.message == f"events[0].data.{member} is {shown}, which looks like {unit}; expected milliseconds since 1970."
    assert finding.hint == f'Send "{member}": {mended}.'


IN_SECONDS: list[tuple[Json, str]] = [
    ({"timestamp_unixtime_ms": 1_700_000_000}, "/timestamp_unixtime_ms"),
    (
        {"consent_state": {"gdpr": {"a/b": {"consented": True, "timestamp_unixtime_ms": 1_700_000_000}}}},
        "/consent_state/gdpr/a~1b/timestamp_unixtime_ms",
    ),
    (
        {"consent_state": {"ccpa": {"data_sale_opt_out": {"timestamp_unixtime_ms": 1_700_000_000}}}},
        "/consent_state/ccpa/data_sale_opt_out/timestamp_unixtime_ms",
    ),
    ({"device_info": {"att_timestamp_unixtime_ms": 1_700_000_000}}, "/device_info/att_timestamp_unixtime_ms"),
    (
        {"events": [typed("user_identity_change", new={"timestamp_unixtime_ms": 1_700_000_000}, old=None)]},
        "/events/0/data/new/timestamp_unixtime_ms",
    ),
]


@pytest.mark.parametrize(("members", "pointer"), IN_SECONDS)
def test_times_outside_of_events_have_a_unit_too(members: Json, pointer: str) -> None:
    assert told(check_semantics(batch(**members), NOW)) == [("timestamp_not_milliseconds", pointer)]


ADDED: Json = {"products": [{"id": "p1", "added_to_cart_time_ms": 1_700_000_000}]}


@pytest.mark.parametrize(
    ("data", "holder"),
    [
        ({"product_action": {"action": "add_to_cart", **ADDED}}, "product_action"),
        ({"product_action": {"action": "purchase", "coupon_code": "C", **ADDED}}, "product_action"),
        ({"product_impressions": [{"product_impression_list": "a", **ADDED}]}, "product_impressions/0"),
        ({"product_action": {"action": "checkout"}, "shopping_cart": ADDED}, "shopping_cart"),
    ],
)
def test_when_a_product_was_added_to_the_cart_has_a_unit_too(data: dict[str, Json], holder: str) -> None:
    finding = only(typed("commerce_event", **data))

    assert finding.code == "timestamp_not_milliseconds"
    assert finding.pointer == f"/events/0/data/{holder}/products/0/added_to_cart_time_ms"


@pytest.mark.parametrize("years", [-10, 10])
def test_consent_may_be_of_any_date(years: int) -> None:
    given_at = NOW + years * 365 * DAY

    assert check(consent_state={"gdpr": {"a": {"timestamp_unixtime_ms": given_at}}}) == []
    assert check(device_info={"att_timestamp_unixtime_ms": given_at}) == []
    product = {"id": "p1", "added_to_cart_time_ms": given_at}
    assert check(typed("commerce_event", product_action={"action": "add_to_cart", "products": [product]})) == []


@pytest.mark.parametrize("age", [0, 30 * DAY, -5 * MINUTE])
@pytest.mark.parametrize("member", TIMES)
def test_times_from_30_days_ago_to_5_minutes_ahead_are_fine(member: str, age: int) -> None:
    times: dict[str, Json] = {member: NOW - age}

    assert check(event("Play", **times), **times) == []
    assert check(event("Play", **{member: float(NOW - age)})) == []


@pytest.mark.parametrize("member", TIMES)
def test_a_time_in_the_future_is_told(member: str) -> None:
    finding = only(event("Play", **{member: NOW + 3 * HOUR}))

    assert (finding.code, finding.pointer) == ("timestamp_in_future", f"/events/0/data/{member}")
    assert finding.message == (
        f"events[0].data.{member} is 1700010800000, 2023-11-15 01:13:20 UTC, 3 hours in the future; expected at most 5 minutes."
    )


@pytest.mark.parametrize("member", TIMES)
def test_a_time_more_than_30_days_ago_is_told_with_the_endpoint_for_it(member: str) -> None:
    finding = only(event("Play", **{member: NOW - 40 * DAY}))

    assert (finding.code, finding.severity, finding.pointer) == (
        "timestamp_too_old",
        "warning",
        f"/events/0/data/{member}",
    )
    assert finding.message == (
        f"events[0].data.{member} is 1696544000000, 2023-10-05 22:13:20 UTC, 40 days ago; expected at most 30 days."
    )
    assert finding.hint == "Send events of this age to /v2/bulkevents/historical."


@pytest.mark.parametrize(
    ("ahead", "said"), [(5 * MINUTE + 1, "5 minutes"), (90 * MINUTE, "90 minutes"), (50 * HOUR, "2 days"), (10**300, "ages")]
)
def test_the_distance_is_told_in_a_fitting_unit(ahead: int, said: str) -> None:
    assert f" {said} in the future" in only(timestamp_unixtime_ms=NOW + ahead).message


def test_one_wrong_clock_is_told_once_an_event() -> None:
    old = dict.fromkeys(TIMES, NOW - 40 * DAY)

    assert told(check(event("Play", **old), event("Stop", **old))) == [
        ("timestamp_too_old", "/events/0/data/timestamp_unixtime_ms"),
        ("timestamp_too_old", "/events/1/data/timestamp_unixtime_ms"),
    ]


def test_each_time_in_another_unit_is_told() -> None:
    assert len(check(event("Play", **dict.fromkeys(TIMES, 1_700_000_000)))) == 3


@pytest.mark.parametrize("historical", [False, True])
@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (-1, "-1"), (12_345, "12345"), ("0", "the text '0'")])
def test_a_time_of_0_or_near_it_looks_unset(value: Json, shown: str, historical: bool) -> None:
    (finding,) = check(event("Play", timestamp_unixtime_ms=value), historical=historical)

    assert (finding.code, finding.severity) == ("timestamp_too_old", "warning")
    assert finding.message == (
        f"events[0].data.timestamp_unixtime_ms is {shown}, which looks like an unset time; expected milliseconds since 1970."
    )
    assert "historical" not in str(finding.hint)


def test_an_event_of_1970_is_told_and_an_unknown_start_is_not() -> None:
    assert told(check(event("Play", **dict.fromkeys(TIMES, 0)))) == [
        ("timestamp_too_old", "/events/0/data/timestamp_unixtime_ms")
    ]


@pytest.mark.parametrize("time", [NOW - 4000 * DAY, 883_612_800_000, -(10**12) + 10**13 // 8, 157_766_400_000])
def test_historical_events_may_be_of_any_age(time: int) -> None:
    assert check(event("Play", timestamp_unixtime_ms=time), historical=True) == []


def test_historical_events_have_milliseconds_too() -> None:
    (finding,) = check(event("Play", timestamp_unixtime_ms=1_600_000_000), historical=True)

    assert finding.code == "timestamp_not_milliseconds"


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("1700000000000", []),
        ("1700000000", ["timestamp_not_milliseconds"]),
        ("1700000000123456", ["timestamp_not_milliseconds"]),
        ("1700010800000", ["timestamp_in_future"]),
        ("1600000000000", ["timestamp_too_old"]),
        ("-1", ["timestamp_too_old"]),
    ],
)
@pytest.mark.parametrize("member", TIMES)
def test_a_time_as_text_is_checked_like_a_number(member: str, value: str, codes: list[str]) -> None:
    assert [finding.code for finding in check(event("Play", **{member: value}))] == codes


def test_a_text_in_seconds_is_told_as_text_with_the_number_to_send() -> None:
    finding = only(timestamp_unixtime_ms="1700000000")

    assert finding.message == (
        "timestamp_unixtime_ms is the text '1700000000', which looks like seconds; expected milliseconds since 1970."
    )
    assert finding.hint == 'Send "timestamp_unixtime_ms": 1700000000000.'


@pytest.mark.parametrize("value", [None, "yesterday", "", "-", "1e12", "٣", "9" * 5000, True, [1_700_000_000], {}])
def test_times_that_are_no_numbers_are_another_checks_concern(value: Json) -> None:
    assert check(event("Play", **dict.fromkeys(TIMES, value)), timestamp_unixtime_ms=value) == []


# -- what was bought -------------------------------------------------------------------------------------------------------

BOUGHT = {"action": "purchase", "products": []}
CLICKED = {"action": "click", "promotions": []}
SHOWN = [{"product_impression_list": "home", "products": []}]


@pytest.mark.parametrize("kind", [{"product_action": BOUGHT}, {"promotion_action": CLICKED}, {"product_impressions": SHOWN}])
def test_a_commerce_event_of_one_kind_is_fine(kind: Json) -> None:
    unused: Json = {"product_action": None, "promotion_action": None, "product_impressions": []}

    assert check(typed("commerce_event", **kind)) == []
    assert check(typed("commerce_event", **(unused | kind))) == []


@pytest.mark.parametrize("data", [{}, {"currency_code": "EUR"}, {"product_action": None}, {"product_impressions": []}])
def test_a_commerce_event_of_no_kind_is_told(data: Json) -> None:
    finding = only(typed("commerce_event", **data))

    assert (finding.code, finding.severity, finding.pointer) == ("commerce_without_action", "error", "/events/0/data")
    assert finding.message == (
        "events[0].data has none of product_action, promotion_action, product_impressions; expected exactly one of them."
    )


def test_a_commerce_event_of_several_kinds_is_told() -> None:
    finding = only(event("Play"), typed("commerce_event", product_action=BOUGHT, product_impressions=SHOWN))

    assert (finding.code, finding.pointer) == ("commerce_with_several_actions", "/events/1/data")
    assert finding.message == "events[1].data has product_action and product_impressions; expected exactly one of them."
    assert finding.hint == "Send 2 commerce events, one for each."


@pytest.mark.parametrize(
    "members",
    [["class_name"], ["stack_trace"], ["severity", "message"], ["message", "exception_handled"], ["class_name", "message"]],
)
def test_a_crash_report_labelled_as_commerce_is_told_with_the_sdks_that_do_it(members: list[str]) -> None:
    finding = only(typed("commerce_event", currency_code="EUR", **dict.fromkeys(members, "x")))

    assert (finding.code, finding.severity, finding.pointer) == (
        "crash_report_as_commerce",
        "warning",
        "/events/0/event_type",
    )
    assert f"({', '.join(members)})" in finding.message
    assert finding.hint is not None
    assert '"event_type": "crash_report"' in finding.hint
    assert "Python and Ruby" in finding.hint


@pytest.mark.parametrize("member", ["severity", "message", "breadcrumbs", "exception_handled"])
def test_one_member_that_others_have_too_makes_no_crash_report(member: str) -> None:
    assert only(typed("commerce_event", currency_code="EUR", **{member: "hello"})).code == "commerce_without_action"


def bought(product: Json, currency: Json = "EUR") -> Json:
    return typed("commerce_event", product_action=BOUGHT | {"products": [product]}, currency_code=currency)


def product(price: Json, quantity: Json, total: Json) -> Json:
    return {"id": "p1", "price": price, "quantity": quantity, "total_product_amount": total}


RIGHT: list[tuple[Json, Json, Json, Json]] = [
    (9.99, 2, 19.98, "EUR"),
    (0.1, 3, 0.3, "EUR"),
    (1.1, 1.1, 1.21, None),
    ("0.10", "3", "0.30", "EUR"),
    ("1E+1", 2, 20, "EUR"),
    (9.99, 0.333, 3.33, "EUR"),
    (1.115, 1, 1.12, "EUR"),
    (1.115, 1, 1.11, "EUR"),
    (99.5, 3, 299, "JPY"),
    (1.0005, 1, 1.001, "KWD"),
    (-9.99, 2, -19.98, "EUR"),
    (0, 0, 0, "EUR"),
]


@pytest.mark.parametrize(("price", "quantity", "total", "currency"), RIGHT)
def test_a_total_that_is_price_times_quantity_rounded_in_its_currency_is_fine(
    price: Json, quantity: Json, total: Json, currency: Json
) -> None:
    assert check(bought(product(price, quantity, total), currency)) == []


WRONG: list[tuple[Json, Json, Json, Json, str]] = [
    (9.99, 2, 9.99, "EUR", "19.98"),
    (0.1, 3, 0.31, "EUR", "0.3"),
    ("0.10", "3", "0.4", "EUR", "0.3"),
    (3.33, 3, 10, "EUR", "9.99"),
    (99.5, 3, 300, "JPY", "298.5"),
    (1.001, 1, 1.0, "KWD", "1.001"),
    (5, 0, 5, ["EUR"], "0"),
]


@pytest.mark.parametrize(("price", "quantity", "total", "currency", "expected"), WRONG)
def test_a_total_that_contradicts_is_told_with_the_right_one(
    price: Json, quantity: Json, total: Json, currency: Json, expected: str
) -> None:
    finding = only(bought(product(price, quantity, total), currency))

    assert finding.code == "product_total_contradicts"
    assert finding.pointer == "/events/0/data/product_action/products/0/total_product_amount"
    assert f" is {total}; expected {expected}: the price {price} times the quantity {quantity}." in finding.message


REDUCED = product(10, 1, 8)


@pytest.mark.parametrize(
    "data",
    [
        {"product_action": BOUGHT | {"products": [REDUCED | {"coupon_code": "SUMMER"}]}},
        {"product_action": BOUGHT | {"products": [REDUCED], "coupon_code": "SUMMER"}},
        {"product_action": BOUGHT | {"coupon_code": "SUMMER"}, "shopping_cart": {"products": [REDUCED]}},
    ],
)
def test_a_coupon_may_have_reduced_a_total(data: Json) -> None:
    assert check(typed("commerce_event", **data)) == []


@pytest.mark.parametrize("none", [None, ""])
def test_a_coupon_of_no_code_has_reduced_nothing(none: Json) -> None:
    action = BOUGHT | {"products": [REDUCED | {"coupon_code": none}], "coupon_code": none}

    assert only(typed("commerce_event", product_action=action)).code == "product_total_contradicts"


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"product_action": BOUGHT | {"products": [{}, product(1, 1, 2)]}}, "product_action/products/1"),
        (
            {"product_impressions": [{"products": None}, {"products": [product(1, 1, 2)]}]},
            "product_impressions/1/products/0",
        ),
        ({"promotion_action": CLICKED, "shopping_cart": {"products": [product(1, 1, 2)]}}, "shopping_cart/products/0"),
    ],
)
def test_products_are_looked_at_wherever_they_stand(data: Json, pointer: str) -> None:
    finding = only(typed("commerce_event", **data))

    assert finding.pointer == f"/events/0/data/{pointer}/total_product_amount"


@pytest.mark.parametrize(
    ("price", "quantity", "total"),
    [
        (None, 2, 5),
        (5, None, 4),
        (5, 2, None),
        ("", "", ""),
        ("x", 2, 5),
        ("NaN", "Infinity", "-Infinity"),
        (True, 2, 5),
        ([], 10**9, {}),
        ("ab", 10**12, 5),
        ("1e999999999", "1e999999999", 5),
        (1e308, 1e308, 1),
        (10**400, 1.5, 3),
        (10**4299, "2", 3),
    ],
)
def test_totals_without_a_readable_price_and_quantity_are_not_judged(price: Json, quantity: Json, total: Json) -> None:
    assert check(bought(product(price, quantity, total))) == []


# -- bad input -------------------------------------------------------------------------------------------------------------

HOSTILE = 100_000
MANY: dict[str, Callable[[], list[Json]]] = {
    "names": lambda: [event(f"ada{number}@example.com") for number in range(HOSTILE)],
    "times": lambda: [event("Play", **dict.fromkeys(TIMES, 1_700_000_000)) for _ in range(HOSTILE)],
    "clocks": lambda: [event("Play", timestamp_unixtime_ms=1) for _ in range(HOSTILE)],
    "commerce": lambda: [typed("commerce_event") for _ in range(HOSTILE)],
    "ends": lambda: [typed("session_end", session_id=number) for number in range(HOSTILE)],
    "starts": lambda: (
        [typed("session_start", session_id=number) for number in range(1, HOSTILE)] + [typed("session_end", session_id=-1)] * 100
    ),
    "sessions": lambda: session({"session_id": 1}, {"session_id": 2}) * (HOSTILE // 2),
    "products": lambda: [bought(product(1, 1, 3)) for _ in range(HOSTILE)],
    "impressions": lambda: [typed("commerce_event", product_impressions=[{"products": [product("1", "1", "3")] * 100}] * 500)],
    "text": lambda: [event("@" * 2_000_000), event("a." * 500_000 + "@" + "a." * 500_000), event("4 " * 1_000_000)],
    "digits": lambda: [event("41111111111111111" * 60_000), event("4111 " * 200_000)],
}


@pytest.mark.parametrize("many", MANY)
def test_hostile_batches_are_told_of_50_times_in_the_time_they_take_to_read(many: str) -> None:
    events = MANY[many]()
    started = time.process_time()

    findings = check(*events)

    codes = [finding.code for finding in findings]
    assert all(codes.count(code) <= MOST_OF_A_CODE for code in codes)
    assert time.process_time() - started < 10  # quadratic work would take hours


anything: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from([10**400, -(10**4200), UUID, "a@b.cd", CARD, int(CARD), NOW, NOW // 1000, "\ud800", "0", 1e308]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def object_of(*names: str, **values: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return anything | st.fixed_dictionaries({}, optional=dict.fromkeys(names, anything) | values)


some_products = object_of(
    products=anything
    | st.lists(object_of("price", "quantity", "total_product_amount", custom_attributes=object_of("a@b.cd")), max_size=3)
)
some_data = object_of(
    *(
        *TIMES,
        "event_name",
        "screen_name",
        "session_id",
        "session_uuid",
        "session_duration_ms",
        "currency_code",
        "message",
        "new",
        "old",
    ),
    custom_attributes=object_of("a", "a@b.cd"),
    product_action=some_products,
    shopping_cart=some_products,
    product_impressions=anything | st.lists(some_products, max_size=2),
)
some_types = anything | st.sampled_from(
    ["custom_event", "commerce_event", "session_start", "session_end", "user_attribute_change", "user_identity_change"]
)
some_batches = st.fixed_dictionaries(
    {},
    optional={
        "events": anything | st.lists(object_of(event_type=some_types, data=some_data), max_size=5),
        "user_identities": object_of("email"),
        "user_attributes": object_of("a", "a@b.cd", "$age"),
        "device_info": object_of("android_uuid", "att_timestamp_unixtime_ms"),
        "consent_state": object_of("gdpr", ccpa=object_of(data_sale_opt_out=object_of("timestamp_unixtime_ms"))),
        "mpid": anything,
        "mp_deviceid": anything,
        "timestamp_unixtime_ms": anything,
    },
)


@given(some_batches)
def test_nothing_in_a_batch_makes_it_raise_and_every_pointer_exists(written: dict[str, Json]) -> None:
    for finding in check_semantics(written, NOW):
        node: Json = written
        for step in finding.pointer.split("/")[1:]:
            node = node[int(step)] if isinstance(node, list) else node[step.replace("~1", "/").replace("~0", "~")]


def test_nesting_without_end_does_not_make_it_raise() -> None:
    deep: Json = "ada@example.com"
    for _ in range(100_000):
        deep = [deep]

    assert check(event("Play", custom_attributes={"a": deep})) == []


def test_integers_that_python_refuses_to_write_out_do_not_make_it_raise() -> None:
    huge = 10**5000
    times = dict.fromkeys(TIMES, huge)

    findings = check(
        event("Play", custom_attributes={"a": huge}, **times),
        bought(product(huge, huge, 1)),
        *session({"session_id": 1, "timestamp_unixtime_ms": NOW}, {"session_id": huge, "session_duration_ms": huge}),
        mpid=huge,
    )

    assert told(findings) == [("timestamp_in_future", "/events/0/data/timestamp_unixtime_ms")]
