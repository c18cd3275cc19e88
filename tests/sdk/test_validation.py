"""`validate` names everything that is wrong with a model, where it is and what to write instead."""

import json
from collections import UserDict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Literal
from uuid import uuid4

import pytest

import mparticle_sdk as mp
from mparticle_sdk import Model, codec

MODELS = [model for model in vars(mp).values() if isinstance(model, type) and issubclass(model, Model)]


def found(model: Any) -> list[str]:
    return [str(problem) for problem in codec.problems(model)]


def of_data(**data: Any) -> list[str]:
    return found(mp.Batch([mp.AppEvent("x", **data)]))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_can_be_validated(model: type[Model]) -> None:
    made = (
        model()
        if model not in (mp.EventBase, mp.CommerceEvent)
        else model.from_dict({"event_type": "first_run"} if model is mp.EventBase else {"product_action": {}})
    )

    made.validate()


def test_all_problems_are_told_at_once_in_the_order_of_the_members() -> None:
    batch = mp.Batch([mp.AppEvent("x", "nav")], environment="prod", mpid="one", ip=5)  # type: ignore[arg-type]

    with pytest.raises(mp.ValidationError) as raised:
        batch.validate()

    assert [problem.path for problem in raised.value.problems] == ["events[0].custom_event_type", "environment", "ip", "mpid"]
    assert isinstance(raised.value, ValueError)


def test_the_path_goes_through_an_event_without_its_data() -> None:
    action = mp.ProductAction("buy")  # type: ignore[arg-type]
    batch = mp.Batch([mp.AppEvent("a"), mp.AppEvent("b"), mp.CommerceEvent(action)])

    (problem,) = found(batch)

    assert problem.startswith("events[2].product_action.action: 'buy' is not one of 'add_to_cart', ")
    assert problem.endswith("; did you mean 'purchase'?")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("PURCHASE", "purchase"), ("Purchase", "purchase"), ("addToCart", "add_to_cart"), ("purchse", "purchase"),
     ("remove_from_wishlist", "remove_from_wish_list"), ("view", "view_detail")],
)  # fmt: skip
def test_a_value_that_is_nearly_right_is_set_right(written: Any, meant: str) -> None:
    (problem,) = found(mp.ProductAction(written))

    assert problem.endswith(f"; did you mean {meant!r}?")


class Plan(Enum):
    pro = "pro"


@pytest.mark.parametrize(("value", "hint"), [(uuid4(), "; write str(…)"), (Plan.pro, "; write its .value")])
def test_an_attribute_of_a_kind_that_json_has_not_is_told_how_to_write_it(value: Any, hint: str) -> None:
    (problem,) = found(mp.Batch(user_attributes={"plan": value}))

    assert problem.endswith(hint)


@pytest.mark.parametrize(
    "model",
    [
        mp.Batch(events=mp.AppEvent("x")),  # type: ignore[arg-type]
        mp.ProductAction("purchase", products=mp.Product("sku-1")),  # type: ignore[arg-type]
    ],
)
def test_a_single_model_in_place_of_a_list_is_told_the_way(model: mp.Model) -> None:
    (problem,) = found(model)

    assert problem.endswith("; put it into a list")


@pytest.mark.parametrize("status", [200, "200", "503"])
def test_a_status_may_be_its_digits(status: int | str) -> None:
    assert found(mp.NetworkPerformanceEvent(response_code=status)) == []


@pytest.mark.parametrize("status", ["OK", "20", "2000", "٢٠٠", "", 200.5])
def test_other_text_is_no_status(status: Any) -> None:
    (problem,) = found(mp.NetworkPerformanceEvent(response_code=status))

    assert problem.startswith("response_code: expected a whole number, got ")


class Visit(mp.AppEvent):
    """An event with members of one's own, of kinds that none of mParticle's has."""

    tags: dict | None = None  # type: ignore[type-arg]
    rooms: Sequence[str] | None = None
    price: Decimal | None = None
    stars: Literal[1, 2, 3] | None = None
    since: datetime | None = None


def test_members_of_your_own_may_hold_any_json() -> None:
    visit = Visit("Visit", tags={"a": [1]}, rooms=["blue"], price=Decimal("9.90"), stars=3)

    assert found(mp.Batch(events=[visit])) == []
    assert json.loads(visit.to_json())["price"] == 9.9


def test_what_members_of_your_own_hold_that_is_no_json_is_told() -> None:
    (problem,) = found(Visit("Visit", since=datetime(2024, 1, 1, tzinfo=UTC)))

    assert problem.startswith("since: expected text, a number, a boolean or None, got datetime ")


def test_a_value_that_is_like_none_gets_no_proposal() -> None:
    (problem,) = found(mp.ProductAction("xyz"))  # type: ignore[arg-type]

    assert "did you mean" not in problem


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.5, "expected a whole number of milliseconds, got float 1.5; write int(…)"),
        (1_700_000_000.25, "; time.time() is in seconds: write int(time.time() * 1000)"),
        (datetime(2024, 1, 1, tzinfo=UTC), "; write int(dt.timestamp() * 1000)"),
        ("1700000000000", "expected a whole number of milliseconds, got str '1700000000000'"),
        (True, "expected a whole number of milliseconds, got bool True"),
        (2**63, "9223372036854775808 is outside the range"),
        (-(2**63) - 1, "is outside the range"),
    ],
)
def test_a_moment_is_a_whole_number_of_64_bits(value: Any, said: str) -> None:
    (problem,) = of_data(timestamp_unixtime_ms=value)

    assert problem.startswith("events[0].timestamp_unixtime_ms: ")
    assert said in problem


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (5, "expected text, got int 5; write str(…)"),
        (uuid4(), "; write str(…)"),
        (Plan.pro, "expected text, got Plan <Plan.pro: 'pro'>; write its .value"),
        (True, "expected text, got bool True"),
        (b"x", "expected text, got bytes b'x'; decode it, or encode it as base64 text"),
        ("a\ud800", "'a\\ud800' has a lone surrogate at 1"),
        (["a"], "expected text, got list ['a']"),
    ],
)
def test_text_is_text(value: Any, said: str) -> None:
    (problem,) = found(mp.UserIdentities(customerid=value))

    assert problem.startswith("customerid: ")
    assert said in problem


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (float("nan"), "nan is no number that JSON knows"),
        (float("-inf"), "-inf is no number that JSON knows"),
        (Decimal("NaN"), "Decimal('NaN') is no number that JSON knows"),
        ("19.99", "expected a number, got str '19.99'"),
        (True, "expected a number, got bool True"),
    ],
)
def test_a_number_is_one_that_json_knows(value: Any, said: str) -> None:
    assert found(mp.Product(price=value)) == [f"price: {said}"]


@pytest.mark.parametrize("value", [1, 1.5, Decimal("1.10"), 10**30])
def test_any_finite_number_is_a_price(value: Any) -> None:
    assert found(mp.Product(price=value)) == []


@pytest.mark.parametrize("value", [0, 1, "true"])
def test_a_boolean_is_a_boolean(value: Any) -> None:
    (problem,) = found(mp.OptOutEvent(is_opted_out=value))

    assert problem.startswith("is_opted_out: expected True or False, got ")


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"a": {}}, "custom_attributes['a']: expected text, a number, a boolean or None, got dict {}; attributes do not nest"),
        ({"a": [1]}, "custom_attributes['a']: expected text, a number, a boolean or None, got list [1]; attributes do not nest"),
        ({"a": datetime(2024, 1, 1, tzinfo=UTC)}, "dt.isoformat() for text"),
        ({"a": {1}}, "write sorted(…) for a list"),
        ({"a": float("nan")}, "custom_attributes['a']: nan is no number that JSON knows"),
        ({1: "a"}, "custom_attributes: names are text, got int 1; write str(…)"),
        ({"\udfff": 1}, "has a lone surrogate at 0"),
        ("a", "custom_attributes: expected a dictionary, got str 'a'"),
        (UserDict(), "custom_attributes: expected a dictionary, got UserDict {}"),
    ],
)
def test_attributes_are_names_with_single_values(attributes: Any, said: str) -> None:
    (problem,) = of_data(custom_attributes=attributes)

    assert said in problem


def test_single_values_of_every_kind_are_attributes() -> None:
    assert of_data(custom_attributes={"a": None, "b": True, "c": 1, "d": 1.5, "é": "é", "f": Decimal(1)}) == []


def test_user_attributes_may_be_lists_but_not_lists_of_lists() -> None:
    batch = mp.Batch(user_attributes={"a": ["x", 1, None], "b": ("x",), "c": [["x"]], "d": {"x": 1}})

    assert [problem.path for problem in codec.problems(batch)] == ["user_attributes['c'][0]", "user_attributes['d']"]


def test_flags_may_be_any_json() -> None:
    deep: list[Any] = []
    deep.append(deep)

    assert of_data(custom_flags={"a": {"b": [1, None, {"c": True}]}}) == []
    assert "custom_flags['a']['b'][0]: " in of_data(custom_flags={"a": {"b": [b""]}})[0]
    assert "nest more than 64 levels deep" in of_data(custom_flags={"a": deep})[0]


def test_a_dictionary_in_place_of_a_model_is_looked_at_like_the_model() -> None:
    batch = mp.Batch(
        [{"event_type": "custom_event", "data": {"event_name": 5}}, mp.EventBase({"screen_name": 5}, "screen_view")],  # type: ignore[arg-type]
        user_identities={"customer_id": 1, "customerid": "a"},  # type: ignore[arg-type]
    )

    assert [problem.path for problem in codec.problems(batch)] == [
        "events[0].event_name",
        "events[1].screen_name",
        "user_identities.customer_id",
    ]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (5, "events[0]: expected an event, got int 5"),
        (mp.Product(), "events[0]: expected an event, got Product Product()"),
        (None, "events[0]: expected an event, got None"),
        (mp.EventBase(mp.AppEvent("x")), "events[0].event_type: is missing; mParticle refuses the request"),
        ({"event_name": "x"}, "events[0].event_type: is missing; mParticle refuses the request"),
        ({"event_type": "page_view"}, "did you mean 'screen_view'?"),
        (mp.EventBase(mp.AppEvent("x"), "screen_view"), "'screen_view' does not go with AppEvent, which is 'custom_event'"),
        (mp.EventBase("x", "custom_event"), "events[0]: expected an AppEvent, got str 'x'"),  # type: ignore[arg-type]
        (mp.CommerceEvent(), "events[0]: a commerce event needs one of product_action, promotion_action, product_impressions"),
    ],
)
def test_what_is_no_event_is_told(event: Any, said: str) -> None:
    (problem,) = found(mp.Batch([event]))

    assert said in problem


@pytest.mark.parametrize("value", ["e1", {}, 7])
def test_events_are_a_list(value: Any) -> None:
    assert found(mp.Batch(value)) == [f"events: expected a list, got {type(value).__name__} {value!r}"]


def test_members_in_lists_and_maps_have_paths() -> None:
    impression = mp.ProductImpression("l", [mp.Product(), mp.Product(id=1), None])  # type: ignore[arg-type,list-item]
    batch = mp.Batch([mp.CommerceEvent(product_impressions=[impression])])
    batch.consent_state = mp.ConsentState(gdpr={"my purpose": mp.GDPRConsentState(consented=1)})  # type: ignore[arg-type]
    batch.integration_attributes = {"7": {"a": 1}}  # type: ignore[dict-item]

    assert [problem.path for problem in codec.problems(batch)] == [
        "events[0].product_impressions[0].products[1].id",
        "events[0].product_impressions[0].products[2]",
        "consent_state.gdpr['my purpose'].consented",
        "integration_attributes['7']['a']",
    ]


def test_members_with_two_documented_types_may_have_either() -> None:
    crash = mp.CrashReportEvent(breadcrumbs=["a", mp.BreadcrumbEvent(label="b")], ios_image_base_address=2**64 - 1)
    push = [mp.PushMessageEvent(push_message_behavior="Read"), mp.PushMessageEvent(push_message_behavior=4)]
    change = [mp.AppEvent("x", lifetime_value_change=True), mp.AppEvent("x", lifetime_value_change=1.5)]

    assert found(mp.Batch([crash, *push, *change])) == []
    assert found(mp.CrashReportEvent(breadcrumbs=[mp.BreadcrumbEvent(label=1)])) == [  # type: ignore[arg-type]
        "breadcrumbs[0].label: expected text, got int 1; write str(…)"
    ]


def test_unknown_members_are_no_problem_but_have_to_be_json() -> None:
    assert found(mp.Product(unknown={"new": {"a": [1]}})) == []
    assert found(mp.Product(unknown={"new": b""}))[0].startswith("unknown['new']: ")


def test_a_path_can_be_put_before() -> None:
    assert [problem.path for problem in codec.problems(mp.Batch([5], ip=5), "[3]")] == ["[3].events[0]", "[3].ip"]  # type: ignore[list-item,arg-type]


@pytest.mark.parametrize(
    "model",
    [
        mp.Product(price="x" * 5000),  # type: ignore[arg-type]
        mp.Batch(environment="x" * 5000),  # type: ignore[arg-type]
        mp.Batch(ip="x" * 5000 + "\ud800"),
    ],
)
def test_long_values_are_shortened(model: mp.Model) -> None:
    (problem,) = found(model)

    assert len(problem) < 140


@pytest.mark.parametrize("mpid", [5, -(2**63), "600868121729048600", "-9223372036854775808"])
def test_an_mpid_may_be_text_with_its_digits(mpid: Any) -> None:
    batch = mp.Batch(mpid=mpid)

    assert found(batch) == []
    assert mp.Batch.from_json(batch.to_json()) == batch


@pytest.mark.parametrize("mpid", ["", "-", "x", "1.5", "9223372036854775808", "١", "1" * 5000, 1.0])
def test_other_text_is_no_mpid(mpid: Any) -> None:
    (problem,) = found(mp.Batch(mpid=mpid))

    assert problem.startswith("mpid: ")


def test_advertising_ids_are_uuids() -> None:
    device = mp.DeviceInformation(ios_advertising_id="07d2ebaa-e956-407e-a1e6-f05f871bf4e2", fire_advertising_id="x")

    assert found(device) == ["fire_advertising_id: expected a UUID, got str 'x'"]


@pytest.mark.parametrize("value", [10**400, -(10**5000), Decimal("sNaN"), Decimal("NaN")], ids=["400", "5000", "sNaN", "NaN"])
def test_a_number_that_no_float_holds_is_told_wherever_it_stands(value: Any) -> None:
    product = mp.Product(price=value, position=1, custom_attributes={"a": value})

    assert [problem.path for problem in codec.problems(product)] == ["price", "custom_attributes['a']"]


def test_an_integer_of_any_length_is_told_where_one_of_64_bits_belongs() -> None:
    (problem,) = found(mp.Product(position=10**5000))

    assert problem == "position: … is outside the range -9223372036854775808 to 9223372036854775807"


def test_an_object_that_cannot_be_shown_is_told_all_the_same() -> None:
    class Shy:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert found(mp.Product(name=Shy())) == ["name: expected text, got Shy …"]  # type: ignore[arg-type]


def test_a_dictionary_may_grow_while_it_is_looked_at() -> None:
    attributes: dict[str, Any] = {}

    class Key(str):
        __slots__ = ()

        def isascii(self) -> bool:
            attributes[f"more {len(attributes)}"] = 1
            return True

    attributes |= {Key("a"): 1, Key("b"): 2}

    assert found(mp.Batch(user_attributes=attributes)) == []
    assert len(attributes) == 4
