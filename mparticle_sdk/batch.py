"""The batch, which is what goes to mParticle: the events of one user, and what is known of user, device and application."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, Self, SupportsIndex, TypeAlias, get_args, overload

import msgspec
from msgspec import field

from .codec import Model, decoder, unknown_of
from .consent import ConsentState
from .device import ApplicationInformation, DeviceInformation, GeoLocation
from .errors import ApiResponseErrors
from .events import CLASSES, AnyEvent, AppEvent, Event, EventData
from .identity import UserIdentities
from .values import (
    BigId,
    Checker,
    Found,
    Milliseconds,
    UserAttributes,
    below,
    check_flags,
    enum_checker,
    fault,
    got,
    model_checker,
)

EnvironmentName = Literal["production", "development"]
ChannelName = Literal["native", "javascript", "pixel", "desktop", "partner", "server_to_server", "unknown", "All"]
EventTypeName = Literal[
    "custom_event", "commerce_event", "session_start", "session_end", "screen_view", "crash_report", "opt_out", "first_run",
    "push_registration", "application_state_transition", "push_message", "network_performance", "breadcrumb", "profile",
    "user_attribute_change", "user_identity_change", "uninstall", "pre_attribution", "push_reaction", "unknown",
]  # fmt: skip


if TYPE_CHECKING:

    class _Events:
        """Takes events in any form, gives them with their types."""

        @overload
        def __get__(self, batch: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, batch: object, owner: Any) -> "EventList": ...
        def __get__(self, batch: Any, owner: Any) -> Any: ...
        def __set__(self, batch: object, events: "Iterable[AnyEventForm] | None") -> None: ...


AnyEventForm: TypeAlias = "EventBase | Event | Mapping[str, Any]"
"""An event with its type, without, or as a dictionary with the names of JSON."""


class EventBase(Model):
    """An event with its type, as it stands in a batch (`batch-schema.md §3`). A batch makes it of the events that you give it."""

    class EventType:
        """The values of `event_type`."""

        custom_event: Final = "custom_event"
        commerce_event: Final = "commerce_event"
        session_start: Final = "session_start"
        session_end: Final = "session_end"
        screen_view: Final = "screen_view"
        crash_report: Final = "crash_report"
        opt_out: Final = "opt_out"
        first_run: Final = "first_run"
        push_registration: Final = "push_registration"
        application_state_transition: Final = "application_state_transition"
        push_message: Final = "push_message"
        network_performance: Final = "network_performance"
        breadcrumb: Final = "breadcrumb"
        profile: Final = "profile"
        user_attribute_change: Final = "user_attribute_change"
        user_identity_change: Final = "user_identity_change"
        uninstall: Final = "uninstall"
        pre_attribution: Final = "pre_attribution"
        push_reaction: Final = "push_reaction"
        unknown: Final = "unknown"

    if TYPE_CHECKING:
        data: AnyEvent | None = None
    else:
        data: msgspec.Raw = None
    """What happened: an object of the class of this type, or EventData where there is none."""
    event_type: EventTypeName | None = None
    """The type; a batch fills it in only for events that come without an EventBase."""

    def writes_too_much(self) -> bool:
        """For the event itself."""
        data: Any = self.data
        return type(data) is AppEvent and data.custom_event_type is None

    def when_read(self) -> None:
        """Read data, which may have come before its type."""
        data: Any = self.data
        if type(data) is msgspec.Raw:
            self.data = _read(self.event_type, data)

    @classmethod
    def build(cls, members: dict[str, Any]) -> Self:
        """The class of data is that of the type."""
        event = super().build(members)
        data: Any = event.data
        if isinstance(data, dict):
            event.data = _class_of(event.event_type).build(data)  # type: ignore[assignment]
        return event

    @classmethod
    def make_checker(cls) -> Checker:
        """What is wrong with data is told as if the event were data."""
        check_type = enum_checker(get_args(EventTypeName))

        def check(value: Any) -> Found:
            if isinstance(value, dict):
                value = cls.build(value)
            if not isinstance(value, cls):
                return fault(f"expected an event, got {got(value)}")
            data: Any = value.data
            if value.event_type is None:
                found = fault("is missing; mParticle refuses the request", "event_type")
            else:
                found = list(below("event_type", check_type(value.event_type) or ()))
            own = data.EVENT_TYPE if isinstance(data, Event) else None
            if not found and own not in (None, value.event_type):
                found += fault(f"{value.event_type!r} does not go with {type(data).__name__}, which is {own!r}", "event_type")
            if data is not None:
                model = type(data) if isinstance(data, Event) else _class_of(value.event_type)
                found += model_checker(model)(data) or ()
            found += below("unknown", check_flags(unknown_of(value)) or ())
            return found or None

        return check


def _class_of(event_type: Any) -> type[Event]:
    return CLASSES.get(event_type, EventData) if isinstance(event_type, str) else EventData


_READERS: Final = {event_type: decoder(model).decode for event_type, model in (*CLASSES.items(), (None, EventData))}


def _read(event_type: Any, raw: msgspec.Raw | None) -> Any:
    if raw is None:
        return None
    read = _READERS.get(event_type) or _READERS[None]
    try:
        data: Any = read(raw)
    except msgspec.ValidationError:
        data = msgspec.json.decode(raw)
        if isinstance(data, dict):
            data = _class_of(event_type).build(data)
    else:
        if type(data) is AppEvent:
            data.when_read()
    return data


class EventList(list[EventBase]):
    """The events of a batch. Those without a type get it when they come in; what is no event stays, and `validate` tells."""

    def __init__(self, events: Iterable[AnyEventForm] = ()) -> None:
        super().__init__(_all_typed(events))

    def append(self, event: AnyEventForm) -> None:
        """Add an event at the end."""
        super().append(_typed(event))

    def extend(self, events: Iterable[AnyEventForm]) -> None:
        """Add events at the end."""
        super().extend(_typed(event) for event in events)

    def insert(self, index: SupportsIndex, event: AnyEventForm) -> None:
        """Put an event before another."""
        super().insert(index, _typed(event))

    def __iadd__(self, events: Iterable[AnyEventForm]) -> Self:  # type: ignore[override,misc]
        self.extend(events)
        return self

    @overload
    def __setitem__(self, index: SupportsIndex, event: AnyEventForm, /) -> None: ...
    @overload
    def __setitem__(self, index: slice, event: Iterable[AnyEventForm], /) -> None: ...
    def __setitem__(self, index: Any, event: Any, /) -> None:
        super().__setitem__(index, EventList(event) if isinstance(index, slice) else _typed(event))


_TYPES: Final[dict[type[Any], Any]] = {model: event_type for event_type, model in CLASSES.items()}


def _all_typed(events: Iterable[Any]) -> list[Any]:
    given: list[Any] = events if isinstance(events, list) else list(events)
    made: Any = EventBase
    types: dict[Any, Any] = _TYPES
    try:
        # Most batches are built here, of the SDK's own classes alone: no call for each of their events.
        return [made(event, types[type(event)]) for event in given]
    except KeyError:
        return [_typed(event) for event in given]


def _typed(event: Any) -> Any:
    if isinstance(event, EventBase):
        return event
    if isinstance(event, Event):
        return EventBase(event, event.EVENT_TYPE)  # type: ignore[arg-type]
    return EventBase.build(event) if isinstance(event, dict) else event


class DataPlanContext(Model):
    """The data plan that a batch is held against (`batch-schema.md §2.5`)."""

    plan_id: str | None = None
    """The id of the plan."""
    plan_version: int | None = None
    """Its version, from 1 to 1000; without it the latest that is active in the batch's environment."""


class BatchingContext(Model):
    """How a batch came about (`batch-schema.md §2.5`). Only the Go SDK knows it."""

    bypass: bool | None = None
    """Whether batching was left out."""
    partition_key: str | None = None
    """The key by which batches were divided."""
    request_ids: list[str] | None = None
    """The requests that went into the batch."""


class BatchContext(Model):
    """What a batch belongs to (`batch-schema.md §2.5`)."""

    data_plan: DataPlanContext | None = None
    """The data plan."""
    location: GeoLocation | None = None
    """Where the batch was made."""
    batching: BatchingContext | None = None
    """How it came about."""


class SourceInformation(Model):
    """Where a batch came from (`batch-schema.md §2.7`). mParticle fills it in: there is no need to send it."""

    class Channel:
        """The values of `channel`."""

        native: Final = "native"
        javascript: Final = "javascript"
        pixel: Final = "pixel"
        desktop: Final = "desktop"
        partner: Final = "partner"
        server_to_server: Final = "server_to_server"
        unknown: Final = "unknown"
        All: Final = "All"

    channel: ChannelName | None = None
    """The kind of sender."""
    partner: str | None = None
    """The partner that sent it."""
    replay_request_id: str | None = None
    """The request of the replay that it is from."""
    replay_job_id: str | None = None
    """The job of the replay that it is from."""
    is_historical: bool | None = None
    """Whether it came through the historical endpoint."""


class AttributionInfo(Model):
    """What brought the user here (`batch-schema.md §2.8`)."""

    service_provider: str | None = None
    """Who measured it."""
    publisher: str | None = None
    """Where the advertisement was."""
    campaign: str | None = None
    """The campaign that it was part of."""


class Batch(Model):
    """The events of one user (`batch-schema.md §1`). At most 128 KB of JSON (`events-api.md §5`)."""

    class Environment:
        """The values of `environment`."""

        production: Final = "production"
        development: Final = "development"

    if TYPE_CHECKING:
        events: _Events = _Events()
    else:
        events: list[EventBase] | None = field(default_factory=list)
    """What happened. Takes events with or without their type, or dictionaries of these; not written while empty."""
    source_request_id: str | None = None
    """Your own id of the batch: mParticle drops one whose id it has had in the last 30 to 60 days with the same API key."""
    environment: EnvironmentName | None = None
    """Whether it is data of production or of development; without it mParticle takes it for production's."""
    ip: str | None = None
    """The user's address, IPv4 or IPv6."""
    schema_version: int | None = None
    """The version of the form; 2 where mParticle sends it."""
    device_info: DeviceInformation | None = None
    """The device."""
    application_info: ApplicationInformation | None = None
    """The application."""
    user_attributes: UserAttributes | None = None
    """What is known of the user: values, or lists of values. None means that it is there without a value."""
    deleted_user_attributes: list[str] | None = None
    """The names of attributes to forget."""
    user_identities: UserIdentities | None = None
    """Who the user is."""
    api_key: str | None = None
    """The key of the input, where a batch goes another way than by HTTP, whose header has it."""
    mpid: BigId | None = None
    """mParticle's id of the user, a signed number of 64 bits; its digits as text are taken too."""
    mp_deviceid: str | None = None
    """mParticle's id of the device or installation, a UUID."""
    consent_state: ConsentState | None = None
    """What the user agreed to."""
    context: BatchContext | None = None
    """The data plan, and more of what the batch belongs to."""
    integration_attributes: dict[str, dict[str, str]] | None = None
    """Names and values for single integrations, by the integration's module id."""
    partner_identities: dict[str, str] | None = None
    """The user's ids at partners, as `PartnerName_IdentityName`; mParticle may refuse a batch with one it does not know."""
    partner_identity: str | None = None
    """The user's id at a partner, in an older form."""
    source_info: SourceInformation | None = None
    """Where the batch came from; mParticle fills it in."""
    attribution_info: AttributionInfo | None = None
    """What brought the user here."""
    timestamp_unixtime_ms: Milliseconds | None = None
    """When mParticle received it, in ms since 1970; mParticle fills it in."""
    batch_id: BigId | None = None
    """mParticle's id of the batch, 64 bits; take it out before sending a batch again."""
    api_keys: list[str] | None = None
    """The keys of several inputs."""
    sdk_version: str | None = None
    """The version of the SDK that sent it."""
    job_id: str | None = None
    """The job that it is part of."""
    origin_mpid: BigId | None = None
    """The mpid that it had first, a signed number of 64 bits."""
    modified: bool | None = None
    """Whether the app changed the batch before it was sent (web)."""

    def __post_init__(self) -> None:
        """Give the events their types."""
        events = _events_slot(self)
        if events or type(events) is not list:
            _take_events(self, events)

    def writes_too_much(self) -> bool:
        """For the consents and the events, and for an empty list of these."""
        events = _events_slot(self)
        if not events or not isinstance(events, list):
            return type(events) is not list or (type(self.consent_state) is ConsentState and self.consent_state.writes_too_much())
        for event in events:
            if type(event) is not EventBase:
                return True
            data = event.data
            if type(data) is AppEvent and data.custom_event_type is None:
                return True
        return type(self.consent_state) is ConsentState and self.consent_state.writes_too_much()

    def when_read(self) -> None:
        """Read the data of the events."""
        for event in _events_slot(self):
            event.data = _read(event.event_type, event.data)

    def add_event(self, event: AnyEventForm) -> None:
        """Add an event at the end."""
        self.events.append(event)

    addEvent = add_event  # noqa: N815  # the name in mParticle's Node SDK


_events_slot: Final = Batch.__dict__["events"].__get__
_set_events_slot: Final = Batch.__dict__["events"].__set__


def _get_events(batch: Batch) -> Any:
    events = _events_slot(batch)
    if type(events) is list:
        events = EventList(events)
        _set_events_slot(batch, events)
    return events


def _set_events(batch: Batch, events: Any) -> None:
    if type(events) is list:
        _set_events_slot(batch, _list_of(events))
    elif events is not _events_slot(batch):  # as it is in batch.events += […]
        _take_events(batch, events)


def _take_events(batch: Batch, events: Any) -> None:
    """Into a list of the batch's own."""
    if events is None:
        events = []
    elif type(events) is list or (not isinstance(events, str | bytes | Mapping) and isinstance(events, Iterable)):
        events = _list_of(events)
    _set_events_slot(batch, events)


def _list_of(events: Iterable[Any]) -> EventList:
    typed = EventList.__new__(EventList)  # its constructor would take as long as two of ten events
    list.extend(typed, _all_typed(events))
    return typed


# In place of the slot's own access: events that are set, and no other member, are given their types.
Batch.events = property(_get_events, _set_events)  # type: ignore[assignment]


class ApiResponse(Model):
    """mParticle's answer to a request that it did not take (`events-api.md §4`)."""

    errors: list[ApiResponseErrors] | None = None
    """What was wrong."""
