"""What models do for the programs that use them, and where the official SDK would do something else."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

import mparticle_sdk as mp
from mparticle_sdk import batch as batch_module
from mparticle_sdk import commerce, device, events
from tests.hosts import server_host

TYPED = [
    (mp.AppEvent("x"), "custom_event"),
    (mp.ApplicationStateTransitionEvent(), "application_state_transition"),
    (mp.BreadcrumbEvent(), "breadcrumb"),
    (mp.CommerceEvent(), "commerce_event"),
    (mp.CrashReportEvent(), "crash_report"),
    (mp.FirstRunEvent(), "first_run"),
    (mp.NetworkPerformanceEvent(), "network_performance"),
    (mp.OptOutEvent(), "opt_out"),
    (mp.ProfileEvent(), "profile"),
    (mp.PushMessageEvent(), "push_message"),
    (mp.PushRegistrationEvent(), "push_registration"),
    (mp.ScreenViewEvent(), "screen_view"),
    (mp.SessionEndEvent(), "session_end"),
    (mp.SessionStartEvent(), "session_start"),
    (mp.UninstallEvent(), "uninstall"),
    (mp.UserAttributeChangeEvent(), "user_attribute_change"),
    (mp.UserIdentityChangeEvent(), "user_identity_change"),
]  # fmt: skip


@pytest.mark.parametrize(("event", "event_type"), TYPED, ids=[name for _, name in TYPED])
def test_a_batch_knows_the_type_of_each_event(event: Any, event_type: str) -> None:
    (typed,) = mp.Batch([event]).events

    assert typed == mp.EventBase(event, event_type)  # type: ignore[arg-type]
    assert mp.Batch.from_json(mp.Batch([event]).to_json()).events[0].data == event


def test_events_get_their_types_on_every_way_into_a_batch() -> None:
    first = mp.AppEvent("x")
    batch = mp.Batch(events=[first])
    batch.events.append(first)
    batch.events.insert(0, first)
    batch.events.extend([first])
    batch.events += [first]
    batch.events[1] = first
    batch.events[2:3] = [first, {"event_type": "custom_event", "data": {"event_name": "x", "custom_event_type": "other"}}]
    batch.add_event(first)
    batch.addEvent(first)

    assert list(batch.events) == [mp.EventBase(first, "custom_event")] * 8


def test_an_event_of_a_class_of_yours_has_the_type_of_its_base() -> None:
    class Played(mp.AppEvent):
        """An event of an application."""

    batch = mp.Batch([Played("x")])

    assert batch.events[0].event_type == "custom_event"
    assert '"event_name":"x"' in batch.to_json()


def test_the_list_given_to_a_batch_stays_as_it_is() -> None:
    given = [mp.AppEvent("x")]
    one, other = mp.Batch(given), mp.Batch(given)
    one.events.append(mp.AppEvent("y"))

    assert given == [mp.AppEvent("x")]
    assert len(other.events) == 1


def test_every_model_has_unknown_members_of_its_own() -> None:
    one, other = mp.Product(id="1"), mp.Product(id="1")

    one.unknown["new"] = 1

    assert (other.unknown, mp.Product().unknown) == ({}, {})
    assert one.to_json() == '{"id":"1","new":1}'


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_has_unknown_members_of_its_own(again: Callable[[mp.Product], mp.Product]) -> None:
    one = mp.Product(id="1")

    again(one).unknown["new"] = 1

    assert mp.Product().unknown == {}
    assert one.to_json() == '{"id":"1"}'


def test_looking_for_unknown_members_changes_nothing() -> None:
    batch = mp.Batch([mp.AppEvent("x")])
    before = batch.to_json(), batch.to_dict()

    looked_at = [model.unknown for model in (batch, batch.events[0], batch.events[0].data) if model]

    assert looked_at == [{}, {}, {}]
    assert (batch.to_json(), batch.to_dict()) == before
    assert batch == mp.Batch([mp.AppEvent("x")])


def test_two_batches_do_not_share_the_events_of_one() -> None:
    one = mp.Batch([mp.AppEvent("x")])
    built, other = mp.Batch(events=one.events), mp.Batch()
    other.events = one.events

    built.add_event(mp.AppEvent("y"))
    other.add_event(mp.AppEvent("z"))

    assert [len(batch.events) for batch in (one, built, other)] == [1, 2, 2]


def test_events_that_are_extended_in_place_are_still_those_of_the_batch() -> None:
    batch = mp.Batch([mp.AppEvent("x")])
    events = batch.events

    batch.events += [mp.AppEvent("y")]

    assert batch.events is events
    assert len(events) == 2


def test_an_event_that_two_batches_share_is_the_same_in_both() -> None:
    event = mp.AppEvent("x")
    one, other = mp.Batch([event]), mp.Batch([event])
    event.event_name = "y"

    assert one.to_json() == other.to_json() == mp.Batch([mp.AppEvent("y")]).to_json()


def test_models_share_no_defaults() -> None:
    one, other = mp.ConsentState(), mp.ConsentState()
    one.gdpr["a"] = mp.GDPRConsentState()
    one.unknown["a"] = 1

    assert other.gdpr == other.unknown == {}
    assert mp.Batch().events is not mp.Batch().events


def test_a_misspelt_member_is_an_error_at_once() -> None:
    with pytest.raises(AttributeError):
        mp.Batch().user_attribute = {}  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="nme"):
        mp.AppEvent(nme="x")  # type: ignore[call-arg]


def test_the_text_of_a_model_shows_what_it_has() -> None:
    assert repr(mp.Batch([mp.ScreenViewEvent(screen_name="Home")], mpid=0)) == (
        "Batch(events=[EventBase(data=ScreenViewEvent(screen_name='Home'), event_type='screen_view')], mpid=0)"
    )


def test_the_dictionary_of_a_model_has_every_member_by_its_attribute() -> None:
    assert mp.Promotion(id="1", unknown={"new": 2}).to_dict() == {
        "id": "1", "name": None, "creative": None, "position": None, "new": 2,
    }  # fmt: skip
    assert mp.Batch([mp.AppEvent("x")]).to_dict()["events"][0]["data"]["event_name"] == "x"
    assert "'event_name': 'x'" in mp.AppEvent("x").to_str()


@pytest.mark.parametrize(
    ("made", "members"),
    [
        (mp.ApplicationStateTransitionEvent.create_install_event(), ("application_initialized", True, False)),
        (mp.ApplicationStateTransitionEvent.create_upgrade_event(), ("application_initialized", False, True)),
        (mp.ApplicationStateTransitionEvent.create_foreground_event(), ("application_foreground", None, None)),
        (mp.ApplicationStateTransitionEvent.create_background_event(), ("application_background", None, None)),
    ],
)
def test_transitions_are_made_by_name(made: mp.ApplicationStateTransitionEvent, members: tuple[Any, ...]) -> None:
    assert (made.application_transition_type, made.is_first_run, made.is_upgrade) == members


NAMESPACES = [
    (mp.Batch.Environment, batch_module.EnvironmentName),
    (mp.EventBase.EventType, batch_module.EventTypeName),
    (mp.SourceInformation.Channel, batch_module.ChannelName),
    (mp.AppEvent.CustomEventType, events.CustomEventTypeName),
    (mp.ApplicationStateTransitionEvent.ApplicationTransitionType, events.ApplicationTransitionTypeName),
    (mp.PushMessageEvent.PushMessageType, events.PushMessageTypeName),
    (mp.PushMessageEvent.ApplicationState, events.ApplicationStateName),
    (mp.ProfileEvent.ProfileEventType, events.ProfileEventTypeName),
    (mp.MediaInfo.Action, events.MediaActionName),
    (mp.MediaInfo.Format, events.MediaFormatName),
    (mp.MediaInfo.Quality, events.MediaQualityName),
    (mp.ProductAction.Action, commerce.ProductActionName),
    (mp.PromotionAction.Action, commerce.PromotionActionName),
    (mp.DeviceInformation.Platform, device.PlatformName),
    (mp.DeviceInformation.ATTAuthorizationStatus, device.ATTAuthorizationStatusName),
    (mp.DeviceCurrentState.DeviceOrientation, device.OrientationName),
]  # fmt: skip


@pytest.mark.parametrize(("namespace", "literal"), NAMESPACES, ids=[space.__qualname__ for space, _ in NAMESPACES])
def test_constants_are_the_values_that_the_member_may_have(namespace: type, literal: Any) -> None:
    constants = {name: value for name, value in vars(namespace).items() if not name.startswith("_")}

    assert list(constants.values()) == list(get_args(literal))
    assert all(name == value for name, value in constants.items())


def test_the_types_of_custom_events_are_among_those_of_commerce_events() -> None:
    assert set(get_args(events.CustomEventTypeName)) <= set(get_args(events.CommerceCustomEventTypeName))


def test_every_class_of_events_is_in_the_union_of_all() -> None:
    assert set(get_args(mp.AnyEvent)) == {*events.CLASSES.values(), mp.EventData}


def test_annotations_can_be_asked_for() -> None:
    for model in events.CLASSES.values():
        assert set(get_type_hints(model)) >= {field.name for field in msgspec.structs.fields(model)}


def test_the_import_brings_nothing_heavy() -> None:
    heavy = "{'requests', 'urllib3', 'flask', 'jsonschema', 'faker', 'pytest', 'hypothesis', 'difflib'}"
    program = f"import sys, mparticle_sdk; print(sorted({heavy} & set(sys.modules)))"

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert printed == "[]\n"


def test_records_of_a_fake_are_read_as_batches() -> None:
    sent = mp.Batch(
        [mp.AppEvent("Hello World", "navigation"), mp.CommerceEvent(mp.ProductAction("purchase", products=[mp.Product(id="1")]))],
        environment="development",
        mpid=2**63 - 1,
    )
    sent.user_identities = mp.UserIdentities(customerid="c1", unknown={"new_id": "n"})

    with server_host() as fake:
        fake.upload(sent.to_json().encode())
        fake.upload(b'{"environment":7,"events":[{"event_type":"custom_event","data":{"event_name":1}},5]}')
        first, second = (mp.Batch.from_dict(item["batch"]) for item in fake.items("batches"))

    assert first == sent
    assert [problem.path for problem in mp.codec.problems(second)] == ["events[0].event_name", "events[1]", "environment"]


def test_a_growing_lifetime_value_is_kept_in_attributes() -> None:
    shared = {"a": 1}
    event = mp.AppEvent("x", custom_attributes=shared)
    event.ltv_amount = 3

    assert event.custom_attributes == {"a": 1, "$Amount": 3, "MethodName": "LogLTVIncrease"}
    assert (event.ltv_amount, shared) == (3, {"a": 1})

    event.ltv_amount = None

    assert event.custom_attributes == {"a": 1}
    assert mp.AppEvent("x").ltv_amount is None


def test_attributions_are_made_by_name() -> None:
    made, taken_back = mp.AppEvent.create_attribution_event("p", "c"), mp.AppEvent.create_attribution_delete_event()

    assert (made.event_name, made.custom_event_type) == ("attribution", "attribution")
    assert made.custom_attributes == {"campaign": "c", "publisher": "p"}
    assert taken_back.custom_attributes == {"action": "delete"}
    mp.Batch([made, taken_back]).validate()
