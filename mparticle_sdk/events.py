"""The events: a class for each type that has members of its own, and what all of them have."""

from typing import Any, ClassVar, Final, Literal, Self, TypeAlias

from msgspec import field

from .codec import Model
from .commerce import ProductAction, ProductImpression, PromotionAction, ShoppingCart
from .device import DeviceCurrentState, GeoLocation
from .identity import UserIdentity
from .values import (
    Attributes,
    BigId,
    Checker,
    Flags,
    Found,
    HttpStatus,
    Milliseconds,
    Number,
    Unsigned,
    UserAttributeValue,
    fault,
    members_checker,
)

CustomEventTypeName = Literal[
    "navigation", "location", "search", "transaction", "user_content", "user_preference", "social", "other", "media",
    "attribution", "unknown",
]  # fmt: skip
CommerceCustomEventTypeName = Literal[
    "navigation", "location", "search", "transaction", "user_content", "user_preference", "social", "other", "media",
    "attribution", "add_to_cart", "remove_from_cart", "checkout", "checkout_option", "click", "view_detail", "purchase",
    "refund", "promotion_view", "promotion_click", "add_to_wishlist", "remove_from_wishlist", "impression", "consent_granted",
    "consent_denied", "unknown",
]  # fmt: skip
ApplicationTransitionTypeName = Literal[
    "application_initialized", "application_exit", "application_background", "application_foreground", "unknown",
]  # fmt: skip
PushMessageTypeName = Literal["sent", "received", "action", "unknown"]
ApplicationStateName = Literal["not_running", "background", "foreground", "unknown"]
PushMessageBehaviorName = Literal["Received", "DirectOpen", "Read", "InfluencedOpen", "Displayed"]
ProfileEventTypeName = Literal["signup", "login", "logout", "update", "delete", "unknown"]
MediaActionName = Literal["unknown", "play", "stop", "update_playback_position", "skip", "rate"]
MediaFormatName = Literal["unknown", "audio", "video"]
MediaQualityName = Literal["unknown", "low", "sd", "medium", "hd", "ultra_hd"]

_LIFETIME_VALUE: Final = ("$Amount", "MethodName")

_NOT_GIVEN: Final[Any] = "".join(["oth", "er"])  # noqa: FLY002  # an object of its own, to tell the default from a value that was read


class EventSystemNotificationInfo(Model):
    """What mParticle itself had to tell with an event (`batch-schema.md §4.7`). Read only."""

    type: Literal["gdpr_change"] | None = None
    """What it is about."""


class Event(Model, kw_only=True):
    """What all events have; most is set by mParticle's own client SDKs alone (`batch-schema.md §3.2`)."""

    EVENT_TYPE: ClassVar[str | None] = None
    """The `event_type` that goes with the class."""

    event_num: int | None = None
    """The place of the event in its session, from 0."""
    session_start_unixtime_ms: Milliseconds | None = None
    """When the session started, in ms since 1970."""
    event_start_unixtime_ms: Milliseconds | None = None
    """When the event started, in ms since 1970."""
    is_goal_defined: bool | None = None
    """Whether the event counts as a goal."""
    lifetime_value_change: bool | Number | None = None
    """Whether, or by how much, the user's lifetime value changes: mParticle's documents differ."""
    lifetime_value_attribute_name: str | None = None
    """The attribute that holds the lifetime value."""
    data_connection_type: str | None = None
    """The kind of connection."""
    view_controller: str | None = None
    """The view controller that was shown (iOS)."""
    is_main_thread: bool | None = None
    """Whether it was logged from the main thread."""
    canonical_name: str | None = None
    """The name under which mParticle counts the event."""
    event_system_notification_info: EventSystemNotificationInfo | None = None
    """What mParticle itself had to tell."""
    page_url: str | None = None
    """The address of the page (web)."""
    active_time_on_site_ms: Milliseconds | None = None
    """How long the user was active on the site, in ms (web)."""


class EventData(Event):
    """What events share, and an event of a type without its own class, such as `pre_attribution` (`batch-schema.md §3.2`)."""

    timestamp_unixtime_ms: Milliseconds | None = None
    """When it happened, in ms since 1970; without it mParticle takes the time of receipt."""
    event_id: int | None = None
    """mParticle's id of the event, which it sets itself."""
    source_message_id: str | None = None
    """Your own id of the event, a UUID."""
    session_id: int | None = None
    """The session's number; the same from its start to its end."""
    session_uuid: str | None = None
    """The session's UUID."""
    custom_attributes: Attributes | None = None
    """Your own names and values."""
    location: GeoLocation | None = None
    """Where it happened."""
    device_current_state: DeviceCurrentState | None = None
    """How the device was at that moment."""


class _Flagged(EventData, kw_only=True):
    custom_flags: Flags | None = None
    """Names with any JSON, for single integrations."""


class MediaInfo(Model):
    """What was played (`batch-schema.md §4.9`). Only the Python, Node and Ruby SDKs know it."""

    class Action:
        """The values of `action`."""

        unknown: Final = "unknown"
        play: Final = "play"
        stop: Final = "stop"
        update_playback_position: Final = "update_playback_position"
        skip: Final = "skip"
        rate: Final = "rate"

    class Format:
        """The values of `format`."""

        unknown: Final = "unknown"
        audio: Final = "audio"
        video: Final = "video"

    class Quality:
        """The values of `quality`."""

        unknown: Final = "unknown"
        low: Final = "low"
        sd: Final = "sd"
        medium: Final = "medium"
        hd: Final = "hd"
        ultra_hd: Final = "ultra_hd"

    action: MediaActionName | None = None
    """What the user did."""
    channel: str | None = None
    """The channel."""
    metadata: str | None = None
    """What is known of the medium."""
    timed_metadata: str | None = None
    """What is known of this moment of it."""
    playback_position: Number | None = None
    """Where in the medium."""
    format: MediaFormatName | None = None
    """Audio or video."""
    quality: MediaQualityName | None = None
    """How good the picture is."""
    playback_rate: Number | None = None
    """How fast it plays; 1 is normal."""


class AppEvent(Event):
    """Something of your own that happened, with a name and a type: `custom_event` (`batch-schema.md §3.3`)."""

    EVENT_TYPE: ClassVar[str | None] = "custom_event"

    class CustomEventType:
        """The values of `custom_event_type`."""

        navigation: Final = "navigation"
        location: Final = "location"
        search: Final = "search"
        transaction: Final = "transaction"
        user_content: Final = "user_content"
        user_preference: Final = "user_preference"
        social: Final = "social"
        other: Final = "other"
        media: Final = "media"
        attribution: Final = "attribution"
        unknown: Final = "unknown"

    event_name: str | None = None
    """Its name. At most 256 characters; mParticle cuts the rest off."""
    custom_event_type: CustomEventTypeName | None = field(default_factory=lambda: _NOT_GIVEN)
    """What kind of event it is; `other` unless you say so, and None where JSON had none."""
    timestamp_unixtime_ms: Milliseconds | None = None
    """When it happened, in ms since 1970; without it mParticle takes the time of receipt."""
    event_id: int | None = None
    """mParticle's id of the event, which it sets itself."""
    source_message_id: str | None = None
    """Your own id of the event, a UUID."""
    session_id: int | None = None
    """The session's number; the same from its start to its end."""
    session_uuid: str | None = None
    """The session's UUID."""
    custom_attributes: Attributes | None = None
    """Your own names and values."""
    location: GeoLocation | None = None
    """Where it happened."""
    device_current_state: DeviceCurrentState | None = None
    """How the device was at that moment."""
    media_info: MediaInfo | None = None
    """What was played."""
    custom_flags: Flags | None = None
    """Names with any JSON, for single integrations."""

    def writes_too_much(self) -> bool:
        """For None in place of a type."""
        return self.custom_event_type is None

    @classmethod
    def create_attribution_event(cls, publisher: str | None = None, campaign: str | None = None) -> Self:
        """An installation that a publisher's campaign led to (`batch-schema.md §3.3`)."""
        attributes = {"campaign": campaign, "publisher": publisher}
        return cls(event_name="attribution", custom_event_type="attribution", custom_attributes=attributes)

    @classmethod
    def create_attribution_delete_event(cls) -> Self:
        """Takes an attribution back."""
        return cls(event_name="attribution", custom_event_type="attribution", custom_attributes={"action": "delete"})

    @property
    def ltv_amount(self) -> Number | None:
        """By how much the user's lifetime value grew. It is kept in the custom attributes `$Amount` and `MethodName`."""
        amount: Number | None = (self.custom_attributes or {}).get("$Amount")
        return amount

    @ltv_amount.setter
    def ltv_amount(self, amount: Number | None) -> None:
        others = {name: value for name, value in (self.custom_attributes or {}).items() if name not in _LIFETIME_VALUE}
        if amount is not None:
            self.custom_attributes = others | {"$Amount": amount, "MethodName": "LogLTVIncrease"}
        elif self.custom_attributes is not None:
            self.custom_attributes = others

    def when_read(self) -> None:
        """The default is for new events, not for those that were read."""
        if self.custom_event_type is _NOT_GIVEN:
            self.custom_event_type = None


class CommerceEvent(Event):
    """Something that was done with products or promotions: `commerce_event` (`batch-schema.md §3.16`).

    It is about a product action, a promotion action or product impressions: exactly one of these.
    """

    EVENT_TYPE: ClassVar[str | None] = "commerce_event"

    product_action: ProductAction | None = None
    """What was done with products."""
    timestamp_unixtime_ms: Milliseconds | None = None
    """When it happened, in ms since 1970; without it mParticle takes the time of receipt."""
    event_id: int | None = None
    """mParticle's id of the event, which it sets itself."""
    source_message_id: str | None = None
    """Your own id of the event, a UUID."""
    session_id: int | None = None
    """The session's number; the same from its start to its end."""
    session_uuid: str | None = None
    """The session's UUID."""
    custom_attributes: Attributes | None = None
    """Your own names and values."""
    location: GeoLocation | None = None
    """Where it happened."""
    device_current_state: DeviceCurrentState | None = None
    """How the device was at that moment."""
    promotion_action: PromotionAction | None = None
    """What was done with promotions."""
    product_impressions: list[ProductImpression] | None = None
    """Which products were seen."""
    shopping_cart: ShoppingCart | None = None
    """What is in the cart."""
    currency_code: str | None = None
    """The currency of all amounts by ISO 4217, such as `USD`."""
    screen_name: str | None = None
    """The screen on which it happened."""
    is_non_interactive: bool | None = None
    """True if the user did nothing to cause it."""
    custom_flags: Flags | None = None
    """Names with any JSON, for single integrations."""
    event_name: str | None = None
    """The name that mParticle or a client SDK derived."""
    custom_event_type: CommerceCustomEventTypeName | None = None
    """The type that mParticle or a client SDK derived. Another spelling of one value: `remove_from_wishlist`."""

    @classmethod
    def make_checker(cls) -> Checker:
        """The members', and that it is about anything at all."""
        check_members = members_checker(cls)
        kinds = ("product_action", "promotion_action", "product_impressions")

        def check(value: Any) -> Found:
            found = check_members(value)
            if isinstance(value, dict | cls):
                get = value.get if isinstance(value, dict) else lambda name: getattr(value, name)
                if all(get(name) is None for name in kinds):
                    return [*(found or ()), *fault(f"a commerce event needs one of {', '.join(kinds)}")]
            return found

        return check


class SessionStartEvent(_Flagged):
    """A session begins: `session_start` (`batch-schema.md §3.4`). Give it a `session_id`, and its end the same."""

    EVENT_TYPE: ClassVar[str | None] = "session_start"


class SessionEndEvent(_Flagged):
    """A session ends: `session_end` (`batch-schema.md §3.5`)."""

    EVENT_TYPE: ClassVar[str | None] = "session_end"

    session_duration_ms: Milliseconds | None = None
    """How long it was, in ms."""


class ScreenViewEvent(EventData):
    """A screen or page was shown: `screen_view` (`batch-schema.md §3.6`)."""

    EVENT_TYPE: ClassVar[str | None] = "screen_view"

    screen_name: str | None = None
    """The name of the screen."""
    activity_type: str | None = None
    """`activity_started` or `activity_stopped` (Android)."""
    custom_flags: Flags | None = None
    """Names with any JSON, for single integrations."""


class BreadcrumbEvent(_Flagged):
    """A trace that helps to understand a later crash: `breadcrumb` (`batch-schema.md §3.14`)."""

    EVENT_TYPE: ClassVar[str | None] = "breadcrumb"

    session_number: int | None = None
    """Which of the user's sessions it was."""
    label: str | None = None
    """What happened."""


class CrashReportEvent(_Flagged):
    """The app crashed or met an error: `crash_report` (`batch-schema.md §3.7`)."""

    EVENT_TYPE: ClassVar[str | None] = "crash_report"

    breadcrumbs: list[BreadcrumbEvent | str] | None = None
    """What happened before; mParticle's SDKs differ on whether these are events or text."""
    class_name: str | None = None
    """The class of the error."""
    severity: str | None = None
    """`error` or `fatal`."""
    message: str | None = None
    """The error's message."""
    stack_trace: str | None = None
    """The stack trace, as text."""
    exception_handled: bool | None = None
    """Whether the app went on."""
    topmost_context: str | None = None
    """The innermost place in the app."""
    pl_crash_report_file_base64: str | None = None
    """A file of PLCrashReporter in base64 (iOS)."""
    ios_image_base_address: Unsigned | None = None
    """Where the program was loaded, unsigned (iOS)."""
    ios_image_size: Unsigned | None = None
    """How large the program is, in bytes (iOS)."""
    session_number: int | None = None
    """Which of the user's sessions it was."""


class OptOutEvent(_Flagged):
    """The user opts out of tracking, or in again: `opt_out` (`batch-schema.md §3.8`)."""

    EVENT_TYPE: ClassVar[str | None] = "opt_out"

    is_opted_out: bool | None = None
    """True for out, False for in."""


class FirstRunEvent(_Flagged):
    """The app runs for the first time: `first_run` (`batch-schema.md §3.9`)."""

    EVENT_TYPE: ClassVar[str | None] = "first_run"


class UninstallEvent(_Flagged):
    """The app was removed: `uninstall` (`batch-schema.md §3.9`)."""

    EVENT_TYPE: ClassVar[str | None] = "uninstall"


class PushRegistrationEvent(_Flagged):
    """The app may send push messages, or no longer: `push_registration` (`batch-schema.md §3.10`)."""

    EVENT_TYPE: ClassVar[str | None] = "push_registration"

    register: bool | None = None
    """True to register, False to unregister."""
    registration_token: str | None = None
    """The token of the push service."""


class ApplicationStateTransitionEvent(_Flagged):
    """The app starts, ends or changes place: `application_state_transition` (`batch-schema.md §3.11`)."""

    EVENT_TYPE: ClassVar[str | None] = "application_state_transition"

    class ApplicationTransitionType:
        """The values of `application_transition_type`."""

        application_initialized: Final = "application_initialized"
        application_exit: Final = "application_exit"
        application_background: Final = "application_background"
        application_foreground: Final = "application_foreground"
        unknown: Final = "unknown"

    successfully_closed: bool | None = None
    """Whether the app closed without a crash the last time."""
    is_first_run: bool | None = None
    """True for the first start after an installation."""
    is_upgrade: bool | None = None
    """True for the first start after an upgrade."""
    push_notification_payload: str | None = None
    """The push message that opened the app, as JSON text."""
    application_transition_type: ApplicationTransitionTypeName | None = None
    """What the app does."""
    launch_referral: str | None = None
    """What opened the app, such as an address."""

    @classmethod
    def create_install_event(cls) -> Self:
        """The first start after an installation."""
        return cls(application_transition_type="application_initialized", is_first_run=True, is_upgrade=False)

    @classmethod
    def create_upgrade_event(cls) -> Self:
        """The first start after an upgrade."""
        return cls(application_transition_type="application_initialized", is_first_run=False, is_upgrade=True)

    @classmethod
    def create_foreground_event(cls) -> Self:
        """The app comes to the front."""
        return cls(application_transition_type="application_foreground")

    @classmethod
    def create_background_event(cls) -> Self:
        """The app goes to the background."""
        return cls(application_transition_type="application_background")


class PushMessageEvent(_Flagged):
    """A push message was sent, received or acted upon: `push_message` (`batch-schema.md §3.12`)."""

    EVENT_TYPE: ClassVar[str | None] = "push_message"

    class PushMessageType:
        """The values of `push_message_type`."""

        sent: Final = "sent"
        received: Final = "received"
        action: Final = "action"
        unknown: Final = "unknown"

    class ApplicationState:
        """The values of `application_state`."""

        not_running: Final = "not_running"
        background: Final = "background"
        foreground: Final = "foreground"
        unknown: Final = "unknown"

    push_message_token: str | None = None
    """The token of the push service."""
    push_message_type: PushMessageTypeName | None = None
    """What happened to the message."""
    message: str | None = None
    """Its text."""
    network: str | None = None
    """The push service: `apn` or `gcm`."""
    push_notification_payload: str | None = None
    """The whole message, as JSON text."""
    application_state: ApplicationStateName | None = None
    """What the app was doing."""
    action_identifier: str | None = None
    """What the user chose. At most 100 characters."""
    push_message_behavior: PushMessageBehaviorName | int | None = None
    """How it was received: a name, or Android's bits (received 1, opened 2, read 4, led to an opening 8, displayed 16)."""


class NetworkPerformanceEvent(_Flagged):
    """How long a request took: `network_performance` (`batch-schema.md §3.13`)."""

    EVENT_TYPE: ClassVar[str | None] = "network_performance"

    http_verb: str | None = None
    """The method, such as `GET`."""
    url: str | None = None
    """The address."""
    time_elapsed: Milliseconds | None = None
    """How long it took, in ms."""
    bytes_in: int | None = None
    """Size of the answer in bytes."""
    bytes_out: int | None = None
    """Size of the request in bytes."""
    response_code: HttpStatus | None = None
    """The status, such as 200."""
    data: str | None = None
    """What was sent, in base64."""


class ProfileEvent(_Flagged):
    """A user signs up, logs in or out: `profile` (`batch-schema.md §3.15`).

    mParticle's documents have it in two shapes, one with names of profiles and one with mpids.
    """

    EVENT_TYPE: ClassVar[str | None] = "profile"

    class ProfileEventType:
        """The values of `profile_event_type`."""

        signup: Final = "signup"
        login: Final = "login"
        logout: Final = "logout"
        update: Final = "update"
        delete: Final = "delete"
        unknown: Final = "unknown"

    profile_name: str | None = None
    """The profile now."""
    previous_profile_name: str | None = None
    """The profile before."""
    profile_event_type: ProfileEventTypeName | None = None
    """What the user did."""
    previous_mpid: BigId | None = None
    """The mpid before."""
    current_mpid: BigId | None = None
    """The mpid now."""


class UserAttributeChangeEvent(_Flagged):
    """An attribute of the user got another value: `user_attribute_change` (`batch-schema.md §3.17`)."""

    EVENT_TYPE: ClassVar[str | None] = "user_attribute_change"

    user_attribute_name: str | None = None
    """The attribute."""
    new: UserAttributeValue | None = None
    """Its value now; None if it was deleted."""
    old: UserAttributeValue | None = None
    """Its value before; None if it had none."""
    deleted: bool | None = None
    """Whether it was deleted."""
    is_new_attribute: bool | None = None
    """Whether the user did not have it before."""


class UserIdentityChangeEvent(_Flagged):
    """An identity of the user got another value: `user_identity_change` (`batch-schema.md §3.18`)."""

    EVENT_TYPE: ClassVar[str | None] = "user_identity_change"

    new: UserIdentity | None = None
    """The identity now."""
    old: UserIdentity | None = None
    """The identity before; None if there was none."""


AnyEvent: TypeAlias = (
    AppEvent
    | ApplicationStateTransitionEvent
    | BreadcrumbEvent
    | CommerceEvent
    | CrashReportEvent
    | EventData
    | FirstRunEvent
    | NetworkPerformanceEvent
    | OptOutEvent
    | ProfileEvent
    | PushMessageEvent
    | PushRegistrationEvent
    | ScreenViewEvent
    | SessionEndEvent
    | SessionStartEvent
    | UninstallEvent
    | UserAttributeChangeEvent
    | UserIdentityChangeEvent
)
"""An event of any class."""

CLASSES: Final[dict[str, type[Event]]] = {
    event.EVENT_TYPE: event
    for event in (
        AppEvent,
        ApplicationStateTransitionEvent,
        BreadcrumbEvent,
        CommerceEvent,
        CrashReportEvent,
        FirstRunEvent,
        NetworkPerformanceEvent,
        OptOutEvent,
        ProfileEvent,
        PushMessageEvent,
        PushRegistrationEvent,
        ScreenViewEvent,
        SessionEndEvent,
        SessionStartEvent,
        UninstallEvent,
        UserAttributeChangeEvent,
        UserIdentityChangeEvent,
    )
    if event.EVENT_TYPE is not None
}
"""The class of each event type that has one."""
