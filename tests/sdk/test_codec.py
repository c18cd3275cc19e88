"""Models become JSON and JSON becomes models, and nothing gets lost on the way."""

import copy
import json
import pickle
import threading
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mparticle_sdk as mp
from mparticle_sdk import Model, codec
from tests.sdk.strategies import MODELS, models, objects_like

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
few = settings(max_examples=20, suppress_health_check=list(HealthCheck))


@every_model
@given(data=st.data())
@few
def test_a_model_and_its_unknown_members_come_back_as_they_went(model: type[Model], data: st.DataObject) -> None:
    made = data.draw(models(model, unknown=True))

    assert model.from_json(made.to_json()) == made


@every_model
@given(data=st.data())
@few
def test_reading_and_writing_lose_nothing_of_any_json_object(model: type[Model], data: st.DataObject) -> None:
    members = data.draw(objects_like(model))

    written = json.loads(model.from_json(json.dumps(members)).to_json())

    assert written == members


@given(models(mp.Batch))
@few
def test_a_batch_without_unknown_members_comes_back_as_it_went(batch: mp.Batch) -> None:
    assert mp.Batch.from_json(batch.to_json()) == batch


@given(models(mp.Batch, unknown=True))
@few
def test_the_dictionary_of_a_model_makes_it_again(batch: mp.Batch) -> None:
    assert mp.Batch.from_dict(batch.to_dict()) == batch


@given(models(mp.Batch, unknown=True))
@few
def test_a_model_of_its_own_kinds_of_values_has_no_problems(batch: mp.Batch) -> None:
    found = [problem for problem in codec.problems(batch) if "commerce event needs" not in problem.message]

    assert found == []


def event(**data: Any) -> dict[str, Any]:
    return {"event_type": "custom_event", "data": data}


def test_a_member_that_is_none_is_not_written() -> None:
    batch = mp.Batch(environment="development", mpid=None, events=[mp.AppEvent("x", None)])
    batch.consent_state = mp.ConsentState(gdpr=None)  # type: ignore[arg-type]

    assert json.loads(batch.to_json()) == {
        "environment": "development",
        "events": [event(event_name="x")],
        "consent_state": {},
    }


def test_none_in_your_own_dictionaries_and_lists_is_null() -> None:
    batch = mp.Batch(user_attributes={"a": None, "b": [None]})

    assert json.loads(batch.to_json()) == {"user_attributes": {"a": None, "b": [None]}}


@pytest.mark.parametrize("batch", [mp.Batch(), mp.Batch(events=[]), mp.Batch(events=None), mp.Batch.from_json('{"events":null}')])
def test_no_events_are_an_empty_list_that_is_not_written(batch: mp.Batch) -> None:
    assert batch.events == []
    assert batch.to_json() == "{}"
    assert codec.encode([batch, batch]) == b"[{},{}]"


@pytest.mark.parametrize("events", ["5", "true", "1.5", '"x"', '{"a":1}'])
def test_events_that_are_no_list_are_written_as_they_were_read(events: str) -> None:
    batch = mp.Batch.from_json(f'{{"events":{events}}}')

    assert batch.to_json() == f'{{"events":{events}}}'


def test_the_type_other_is_written_though_it_is_the_default() -> None:
    assert json.loads(mp.AppEvent("x").to_json()) == {"event_name": "x", "custom_event_type": "other"}


@pytest.mark.parametrize("members", [{"event_name": "x"}, {"event_name": "x", "zz": 1}])
def test_an_event_that_was_read_has_the_type_that_it_had(members: dict[str, Any]) -> None:
    batch = mp.Batch.from_json(json.dumps({"events": [event(**members)]}))

    assert mp.AppEvent.from_json(json.dumps(members)).custom_event_type is None
    assert json.loads(batch.to_json()) == {"events": [event(**members)]}


def test_the_customer_id_has_both_spellings() -> None:
    identities = mp.UserIdentities(customerid="1")
    identities.customer_id = "2"

    assert (identities.customerid, identities.customer_id) == ("2", "2")
    assert identities.to_json() == '{"customer_id":"2"}'
    assert identities.to_dict()["customerid"] == "2"


@pytest.mark.parametrize(
    ("text", "customer_id", "again"),
    [
        ('{"customer_id":"a"}', "a", '{"customer_id":"a"}'),
        ('{"customerid":"a"}', "a", '{"customer_id":"a"}'),
        ('{"customer_id":null,"customerid":"a"}', "a", '{"customer_id":"a"}'),
        ('{"customer_id":"a","customerid":"b"}', "a", '{"customer_id":"a","customerid":"b"}'),
    ],
)
def test_both_spellings_of_the_customer_id_are_read(text: str, customer_id: str, again: str) -> None:
    identities = mp.UserIdentities.from_json(text)

    assert identities.customer_id == customer_id
    assert identities.to_json() == again


@pytest.mark.parametrize("number", [2**53 + 1, 2**63 - 1, -(2**63)])
def test_64_bit_integers_are_exact(number: int) -> None:
    batch = mp.Batch.from_json(f'{{"mpid":{number}}}')

    assert batch.mpid == number
    assert batch.to_json() == f'{{"mpid":{number}}}'


def test_a_decimal_is_written_as_a_number() -> None:
    assert mp.Product(price=Decimal("1.10")).to_json() == '{"price":1.10}'


def test_a_known_member_wins_over_an_unknown_one_of_its_name() -> None:
    assert mp.Product(id="1", unknown={"id": "2", "new": 3}).to_json() == '{"id":"1","new":3}'


def test_a_member_that_is_called_like_the_marker_is_kept() -> None:
    for name in ("⟨unknown⟩", "\\u27e8unknown\\u27e9"):
        product = mp.Product.from_json(f'{{"{name}":{{"id":"x"}}}}')
        assert product == mp.Product(unknown={"⟨unknown⟩": {"id": "x"}})
        assert json.loads(product.to_json()) == {"⟨unknown⟩": {"id": "x"}}


def test_text_with_a_lone_surrogate_can_be_read() -> None:
    assert mp.Product.from_json('{"name":"\\ud800"}').name == "\ud800"


@pytest.mark.parametrize(
    "text",
    [
        '{"events":[{"event_type":"custom_event"}]}',
        '{"events":[{"event_type":"custom_event","data":null}]}',
        '{"events":[{}]}',
    ],
)
def test_an_event_without_data_is_read(text: str) -> None:
    (event,) = mp.Batch.from_json(text).events

    assert event.data is None
    assert mp.Batch.from_dict(json.loads(text)) == mp.Batch.from_json(text)


@pytest.mark.parametrize("member", ["user_attributes", "custom"])
def test_json_that_nests_too_deeply_is_a_value_error(member: str) -> None:
    with pytest.raises(ValueError, match="nests too deeply"):
        mp.Batch.from_json(f'{{"{member}":{{"a":{"[" * 100_000}{"]" * 100_000}}}}}')


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"a"', "7"])
def test_what_is_no_json_object_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"JSON|Expecting"):
        mp.Batch.from_json(text)


def test_bytes_and_text_are_read_alike() -> None:
    assert mp.Batch.from_json(b'{"mpid":1}') == mp.Batch.from_json('{"mpid":1}')


def test_subclasses_of_text_and_numbers_are_written_as_these() -> None:
    class Text(str):
        __slots__ = ()

    class Whole(int):
        pass

    assert mp.Batch(source_request_id=Text("x"), mpid=Whole(3)).to_json() == '{"source_request_id":"x","mpid":3}'


def test_an_object_that_json_does_not_have_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="JSON has no object"):
        mp.AppEvent("x", custom_flags={"a": object()}).to_json()


def test_models_can_be_pickled_and_copied() -> None:
    batch = mp.Batch([mp.AppEvent("x", None), mp.CrashReportEvent(breadcrumbs=["a"])], unknown={"a": 1})

    for again in (pickle.loads(pickle.dumps(batch)), copy.deepcopy(batch), copy.copy(batch)):
        assert again == batch
        assert again.to_json() == batch.to_json()


def test_a_batch_that_another_thread_changes_is_written_whole() -> None:
    batch = mp.Batch([mp.AppEvent("x")] * 50)
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            batch.events.append(mp.AppEvent("y"))
            batch.events.pop()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        sizes = {len(json.loads(batch.to_json())["events"]) for _ in range(300)}
    finally:
        stop.set()
        thread.join()

    assert sizes <= {50, 51}
