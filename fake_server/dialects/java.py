"""The official Java SDK: enumerated values as upper-case constants, every missing member as null (`batch-schema.md §0`)."""

from typing import Any, Final

from ..checks.finding import Finding, make
from . import standard

_ORIENTATIONS: Final = (
    "portrait", "portrait_upside_down", "landscape", "LandscapeLeft", "LandscapeRight", "FaceUp", "FaceDown", "Square",
)  # fmt: skip

ENUMS: Final[dict[str, tuple[str, ...]]] = {
    # Path of the member in a batch ('*' for each item of an array) -> its documented values.
    "environment": ("production", "development", "unknown"),
    "device_info.platform": (
        "iOS", "Android", "web", "desktop", "tvOS", "roku", "out_of_band", "alexa", "smart_tv", "fire_tv", "xbox", "samsung_tv",
    ),
    "device_info.att_authorization_status": ("authorized", "denied", "not_determined", "restricted"),
    "application_info.os": (
        "Unknown", "IOS", "Android", "WindowsPhone", "MobileWeb", "UnityIOS", "UnityAndroid", "Desktop", "TVOS", "Roku",
        "OutOfBand", "Alexa", "SmartTV", "FireTV", "Xbox",
    ),
    "source_info.channel": ("native", "javascript", "pixel", "desktop", "partner", "server_to_server"),
    "context.location.location_source": ("unknown", "ip_lookup", "lat_long"),
    "events.*.event_type": (
        "custom_event", "commerce_event", "session_start", "session_end", "screen_view", "crash_report", "opt_out",
        "first_run", "push_registration", "application_state_transition", "push_message", "network_performance", "breadcrumb",
        "profile", "user_attribute_change", "user_identity_change", "uninstall", "pre_attribution", "push_reaction", "unknown",
    ),
    "events.*.data.custom_event_type": (
        "navigation", "location", "search", "transaction", "user_content", "user_preference", "social", "other", "media",
        "attribution", "unknown", "add_to_cart", "remove_from_cart", "checkout", "checkout_option", "click", "view_detail",
        "purchase", "refund", "promotion_view", "promotion_click", "add_to_wishlist", "remove_from_wishlist", "impression",
        "consent_granted", "consent_denied",
    ),
    "events.*.data.location.location_source": ("unknown", "ip_lookup", "lat_long"),
    "events.*.data.device_current_state.device_orientation": _ORIENTATIONS,
    "events.*.data.device_current_state.status_bar_orientation": _ORIENTATIONS,
    "events.*.data.event_system_notification_info.type": ("gdpr_change",),
    "events.*.data.product_action.action": (
        "add_to_cart", "remove_from_cart", "checkout", "checkout_option", "click", "view_detail", "purchase", "refund",
        "add_to_wishlist", "remove_from_wish_list", "unknown",
    ),
    "events.*.data.promotion_action.action": ("view", "click"),
    "events.*.data.application_transition_type": (
        "application_initialized", "application_exit", "application_background", "application_foreground",
    ),
    "events.*.data.push_message_type": ("sent", "received", "action"),
    "events.*.data.application_state": ("not_running", "background", "foreground"),
    "events.*.data.push_message_behavior": ("Received", "DirectOpen", "Read", "InfluencedOpen", "Displayed"),
    "events.*.data.profile_event_type": ("signup", "login", "logout", "update", "delete"),
    "events.*.data.new.identity_type": standard.IDENTITY_TYPES,
    "events.*.data.old.identity_type": standard.IDENTITY_TYPES,
}  # fmt: skip


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
