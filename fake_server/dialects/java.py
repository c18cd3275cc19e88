"""The official Java SDK: enumerated values as upper-case constants, every missing member as null (`batch-schema.md §0`)."""

from typing import Any, Final, get_args

from mparticle_sdk.batch import ChannelName, EnvironmentName, EventTypeName
from mparticle_sdk.commerce import ProductActionName, PromotionActionName
from mparticle_sdk.device import ApplicationOSName, ATTAuthorizationStatusName, LocationSourceName, OrientationName, PlatformName
from mparticle_sdk.events import (
    ApplicationStateName,
    ApplicationTransitionTypeName,
    CommerceCustomEventTypeName,
    ProfileEventTypeName,
    PushMessageBehaviorName,
    PushMessageTypeName,
)

from ..checks.finding import Finding, make
from . import standard, web

ENUMS: Final[dict[str, tuple[str, ...]]] = {
    # Path of the member in a batch ('*' for each item of an array) -> its documented values.
    "environment": (*get_args(EnvironmentName), "unknown"),
    "device_info.platform": get_args(PlatformName),
    "device_info.att_authorization_status": get_args(ATTAuthorizationStatusName),
    "application_info.os": get_args(ApplicationOSName),
    "source_info.channel": get_args(ChannelName),
    "context.location.location_source": get_args(LocationSourceName),
    "events.*.event_type": get_args(EventTypeName),
    "events.*.data.custom_event_type": get_args(CommerceCustomEventTypeName),  # those of custom events are among them
    "events.*.data.location.location_source": get_args(LocationSourceName),
    "events.*.data.device_current_state.device_orientation": get_args(OrientationName),
    "events.*.data.device_current_state.status_bar_orientation": get_args(OrientationName),
    "events.*.data.event_system_notification_info.type": ("gdpr_change",),
    "events.*.data.product_action.action": get_args(ProductActionName),
    "events.*.data.promotion_action.action": get_args(PromotionActionName),
    "events.*.data.application_transition_type": get_args(ApplicationTransitionTypeName),
    "events.*.data.push_message_type": get_args(PushMessageTypeName),
    "events.*.data.application_state": get_args(ApplicationStateName),
    "events.*.data.push_message_behavior": get_args(PushMessageBehaviorName),
    "events.*.data.profile_event_type": get_args(ProfileEventTypeName),
    "events.*.data.new.identity_type": standard.IDENTITY_TYPES,
    "events.*.data.old.identity_type": standard.IDENTITY_TYPES,
}


def _constant(value: str) -> str:
    return value.replace("_", "").lower()


_VALUES: Final = [
    (
        tuple(path.split(".")),
        # application_transition_type's constants lack the prefix: INITIALIZED for application_initialized.
        {_constant(value.removeprefix("application_")): value for value in values}
        | {_constant(value): value for value in values},
    )
    for path, values in ENUMS.items()
]

_ENVIRONMENTS: Final = frozenset(value.upper() for value in ENUMS["environment"])
_EVENT_TYPES: Final = frozenset(value.upper() for value in ENUMS["events.*.event_type"])


def wrote(batch: Any) -> bool | None:
    """Whether the Java SDK wrote this batch; None if it has neither an environment nor an event type to tell by.

    The SDK writes both as constants. A client that writes one in upper case and the other as documented is another one, and its
    upper-case value a mistake to be told. A lower-case type beside constants is a map that a Java program put among the events.
    """
    if not isinstance(batch, dict):
        return None
    environment = batch.get("environment")
    if isinstance(environment, str) and environment not in _ENVIRONMENTS:
        return False
    events = batch.get("events")
    types = [event.get("event_type") for event in events if isinstance(event, dict)] if isinstance(events, list) else []
    told = [event_type in _EVENT_TYPES for event_type in types if isinstance(event_type, str)]
    return any(told) if told else isinstance(environment, str) or None


def translate(batch: dict[str, Any]) -> list[Finding]:
    """Documented values for upper-case constants, wherever the table has a path; other values stay as they are."""
    if web.wrote(batch):
        # A relay may send it in one request with batches of the Java SDK.
        return web.translate(batch)
    findings = standard.translate(batch)
    if wrote(batch) is False:
        return findings
    count = 0
    for path, values in _VALUES:
        for holder in _holders(batch, path[:-1]):
            value = holder.get(path[-1])
            if isinstance(value, str) and value.isupper():
                documented = values.get(_constant(value))
                if documented is not None and documented != value:
                    holder[path[-1]] = documented
                    count += 1
    if count:
        findings.append(
            make("upper_case_enum", f"{count} enumerated value(s) were upper-case constants, as the Java SDK writes them.")
        )
    return findings


def _holders(batch: dict[str, Any], path: tuple[str, ...]) -> list[dict[str, Any]]:
    """The objects at a path; those that are absent, null or of another type are left out."""
    nodes: list[Any] = [batch]
    for step in path:
        if step == "*":
            nodes = [item for node in nodes if isinstance(node, list) for item in node]
        else:
            nodes = [node.get(step) for node in nodes if isinstance(node, dict)]
    return [node for node in nodes if isinstance(node, dict)]
