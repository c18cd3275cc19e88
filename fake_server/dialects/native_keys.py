"""The abbreviated keys of the Android and Apple SDKs and what they stand for (`client-sdks.md §5, §6`); used by `native.py`.

A key means different things in different objects, hence a table for each. None stands for a key that is known and for which the
Events API has no member: whoever reads the batch finds its value in `native`.
"""

from collections.abc import Mapping
from typing import Final

from .abbreviated import Digits, Form, Identities, Items, Joined, Json, Keys, Messages, Named

IDENTITY_TYPES: Final = {
    # The number of `n` in an identity (`§5.1`). 22 to 25, which the Identity API alone has, are no user identities.
    0: "other",
    1: "customer_id",
    2: "facebook",
    3: "twitter",
    4: "google",
    5: "microsoft",
    6: "yahoo",
    7: "email",
    8: "alias",
    9: "facebook_custom_audience_id",
    **{number: f"other_id_{number - 8}" for number in range(10, 19)},
    19: "mobile_number",
    20: "phone_number_2",
    21: "phone_number_3",
}

CUSTOM_EVENT_TYPES: Final = {
    # `et` (`§5.3`); the second half is what a commerce event is for kits.
    "Navigation": "navigation",
    "Location": "location",
    "Search": "search",
    "Transaction": "transaction",
    "UserContent": "user_content",
    "UserPreference": "user_preference",
    "Social": "social",
    "Other": "other",
    "Media": "media",
    "Unknown": "unknown",
    "ProductAddToCart": "add_to_cart",
    "ProductRemoveFromCart": "remove_from_cart",
    "ProductCheckout": "checkout",
    "ProductCheckoutOption": "checkout_option",
    "ProductClick": "click",
    "ProductViewDetail": "view_detail",
    "ProductPurchase": "purchase",
    "ProductRefund": "refund",
    "ProductAddToWishlist": "add_to_wishlist",
    "ProductRemoveFromWishlist": "remove_from_wishlist",
    "ProductImpression": "impression",
    "PromotionView": "promotion_view",
    "PromotionClick": "promotion_click",
}

TRANSITIONS: Final = {
    # `t` of an application state transition (`§5.4, §6`).
    "app_init": "application_initialized",
    "app_exit": "application_exit",
    "app_back": "application_background",
    "app_fore": "application_foreground",
}

ENVIRONMENTS: Final = {1: "development", 2: "production"}
"""`env` of `ai`, which tells the environment where the batch has no `dbg` (`§5.1, §5.7`)."""

CRASH_IMAGE: Final = {"iba": "ios_image_base_address", "is": "ios_image_size"}
"""Members of `ai` that belong to the crash reports of a batch (`§5.4, §5.7`)."""

# -- inside messages (§5.3 to §5.6) ------------------------------------------------------------------------------------------

_IDENTITY_KEYS: Final = {"n": "identity_type", "i": "identity", "dfs": "timestamp_unixtime_ms", "f": "created_this_batch"}
_IDENTITY: Final = Keys(_IDENTITY_KEYS, values={"identity_type": IDENTITY_TYPES})

_LOCATION: Final = Keys(
    {"lat": "latitude", "lng": "longitude", "acc": "accuracy", "vacc": None, "racc": None, "mdst": None, "fg": None},
    numbers=("latitude", "longitude", "accuracy"),
)

_DEVICE_STATE: Final = Keys(
    {
        "sma": "system_memory_available_bytes",
        "tsm": "total_system_memory_usage_bytes",
        "bl": "battery_level",
        "tss": "time_since_start_ms",
        "fds": "disk_space_free_bytes",
        "efds": "external_disk_space_free_bytes",
        "ama": "application_memory_available_bytes",
        "amm": "application_memory_max_bytes",
        "amt": "application_memory_total_bytes",
        "gps": "gps_state",
        "so": "device_orientation",
        "sbo": "status_bar_orientation",
        "dct": "data_connection_type",
        "ant": "data_connection_type_detail",
        "sml": "system_memory_low",
        "smt": "system_memory_threshold_bytes",
        "cpu": "cpu",
        "tds": None,
    },
    # Android sends the number that its TelephonyManager has for a type of network.
    inside={"data_connection_type_detail": Digits()},
)

_PRODUCT: Final = Keys(
    {
        "id": "id",
        "nm": "name",
        "br": "brand",
        "ca": "category",
        "va": "variant",
        "ps": "position",
        "pr": "price",
        "qt": "quantity",
        "cc": "coupon_code",
        "act": "added_to_cart_time_ms",
        "tpa": "total_product_amount",
        "attrs": "custom_attributes",
    },
    numbers=("position", "price", "quantity", "added_to_cart_time_ms", "total_product_amount"),
)

_PRODUCT_ACTION: Final = Keys(
    {
        "an": "action",
        "cs": "checkout_step",
        "co": "checkout_options",
        "pal": "product_action_list",
        "pls": "product_list_source",
        "ti": "transaction_id",
        "ta": "affiliation",
        "tr": "total_amount",
        "tt": "tax_amount",
        "ts": "shipping_amount",
        "tcc": "coupon_code",
        "pl": "products",
    },
    numbers=("checkout_step", "total_amount", "tax_amount", "shipping_amount"),
    values={"action": {"remove_from_wishlist": "remove_from_wish_list"}},
    inside={"products": Items(_PRODUCT)},
)

_PROMOTION_ACTION: Final = Keys(
    {"an": "action", "pl": "promotions"},
    inside={"promotions": Items(Keys({"id": "id", "nm": "name", "cr": "creative", "ps": "position"}))},
)

_IMPRESSION: Final = Keys({"pil": "product_impression_list", "pl": "products"}, inside={"products": Items(_PRODUCT)})

_COMMON: Final[dict[str, str | None]] = {
    "dt": None,  # it is the event_type
    "id": "source_message_id",
    "ct": "timestamp_unixtime_ms",
    "sid": "session_uuid",
    "sct": "session_start_unixtime_ms",
    "attrs": "custom_attributes",
    "est": "event_start_unixtime_ms",
    "el": None,
    "en": "event_num",
    "flags": "custom_flags",
    "lc": "location",
    "cs": "device_current_state",
    "dct": "data_connection_type",
    "cn": None,
    "vc": "view_controller",
    "mt": "is_main_thread",
}
_WITHOUT_FLAGS: Final = {**_COMMON, "flags": None}


def _message(
    own: Mapping[str, str | None],
    common: Mapping[str, str | None] = _COMMON,
    *,
    values: Mapping[str, Mapping[Json, Json]] | None = None,
    inside: Mapping[str, Form] | None = None,
    also: Mapping[str, str] | None = None,
    constants: Mapping[str, Json] | None = None,
    lenient: bool = False,
) -> Keys:
    """The keys of a message: its own, and those that all have."""
    return Keys(
        {**common, **own},
        values={"session_uuid": {"NO-SESSION": None}, **(values or {})},
        inside={"custom_flags": Joined(), "location": _LOCATION, "device_current_state": _DEVICE_STATE, **(inside or {})},
        also=also,
        constants=constants,
        lenient=lenient,
    )


# -- messages (§5.2, §5.4) ---------------------------------------------------------------------------------------------------

_CUSTOM_EVENT: Final[dict[str, str | None]] = {
    "n": "event_name",
    "et": "custom_event_type",
    "iltv": "lifetime_value_change",
    "tags": None,
}
_PUSH: Final[dict[str, str | None]] = {
    "n": "network",
    "pay": "push_notification_payload",
    "t": "push_message_type",
    "to": "push_message_token",
    "as": "application_state",
    "bhv": "push_message_behavior",
    "content_id": None,
    "aid": "action_identifier",
    "an": None,
    "acid": None,
}

MESSAGES: Final[dict[str, tuple[str, Form]]] = {
    # `dt` -> the event type, and the keys.
    "ss": (
        "session_start",
        # Its id is the session's as well, and it starts when it is sent.
        _message({"psl": None, "pid": None, "pss": None}, also={"session_uuid": "id", "session_start_unixtime_ms": "ct"}),
    ),
    "se": ("session_end", _message({"sl": "session_duration_ms", "slx": None, "smpids": None})),
    "e": ("custom_event", _message(_CUSTOM_EVENT, values={"custom_event_type": CUSTOM_EVENT_TYPES})),
    "v": ("screen_view", _message({"n": "screen_name", "t": "activity_type"})),
    "cm": (
        "commerce_event",
        _message(
            {
                "n": "event_name",
                "et": "custom_event_type",
                "cu": "currency_code",
                "sn": "screen_name",
                "ni": "is_non_interactive",
                "pd": "product_action",
                "pm": "promotion_action",
                "pi": "product_impressions",
            },
            values={"custom_event_type": CUSTOM_EVENT_TYPES},
            inside={
                "product_action": _PRODUCT_ACTION,
                "promotion_action": _PROMOTION_ACTION,
                "product_impressions": Items(_IMPRESSION),
            },
        ),
    ),
    "o": ("opt_out", _message({"s": "is_opted_out"})),
    "x": (
        "crash_report",
        _message(
            {
                "m": "message",
                "s": "severity",
                "c": "class_name",
                "st": "stack_trace",
                "eh": "exception_handled",
                "sn": "session_number",
                "csg": None,
                "tc": "topmost_context",
                "plc": "pl_crash_report_file_base64",
                "bc": None,  # breadcrumbs, each as a message
            },
            values={"exception_handled": {"true": True, "false": False}},
        ),
    ),
    "pr": ("push_registration", _message({"to": "registration_token", "tot": None, "r": "register"})),
    "fr": ("first_run", _message({})),
    "ast": (
        "application_state_transition",
        _message(
            {
                "t": "application_transition_type",
                "ifr": "is_first_run",
                "iu": "is_upgrade",
                "sc": "successfully_closed",
                "sf": None,
                "lr": "launch_referral",
                "lpr": None,
                "srp": None,
                "src": None,
                "pft": None,
                "tls": None,
                "nsi": None,
            },
            values={"application_transition_type": TRANSITIONS},
        ),
    ),
    "pm": ("push_message", _message(_PUSH)),
    "npe": (
        "network_performance",
        # The native SDKs do not know the response's status, which mParticle's schema asks for.
        _message(
            {
                "v": "http_verb",
                "url": "url",
                "te": "time_elapsed",
                "bo": "bytes_out",
                "bi": "bytes_in",
                "d": "data",
                "rc": "response_code",
            },
            constants={"response_code": None},
        ),
    ),
    "bc": ("breadcrumb", _message({"sn": "session_number", "l": "label"})),
    "pro": ("profile", _message({"t": "profile_event_type", "n": "profile_name", "o": "previous_profile_name"})),
    "uac": (
        "user_attribute_change",
        _message({"n": "user_attribute_name", "nv": "new", "ov": "old", "d": "deleted", "na": "is_new_attribute", "ua": None}),
    ),
    "uic": (
        "user_identity_change",
        _message({"ni": "new", "oi": "old", "ui": None}, inside={"new": _IDENTITY, "old": _IDENTITY}),
    ),
    # No document of the Events API says what a push reaction has, besides what all events have.
    "pre": ("push_reaction", _message(dict.fromkeys(_PUSH), _WITHOUT_FLAGS)),
    "media": (
        "custom_event",
        _message(_CUSTOM_EVENT, values={"custom_event_type": CUSTOM_EVENT_TYPES}, constants={"custom_event_type": "media"}),
    ),
    "unknown": ("unknown", _message({"n": None, "et": None}, _WITHOUT_FLAGS)),
}

OTHER_MESSAGE: Final = _message({}, _WITHOUT_FLAGS, lenient=True)
"""A message of a type that is none: the checks tell of that, and nothing more needs to be said."""

# -- the batch (§5.1, §5.7, §5.8) --------------------------------------------------------------------------------------------

_APPLICATION: Final = Keys(
    {
        "an": "application_name",
        "av": "application_version",
        "abn": "application_build_number",
        "apn": "package",
        "ir": "install_referrer",
        "asaa": "apple_search_ads_attributes",
        "sideloaded_kits_count": "sideloaded_kits_count",
        **dict.fromkeys(("ain", "bid", "dbg", "pir", "ict", "lc", "lud", "lcu", "ud", "env", "fi")),
        **dict.fromkeys(("arc", "tsv", "bsv", "asv", "asb", "asr", *CRASH_IMAGE)),
    },
    numbers=("sideloaded_kits_count",),
)

_DEVICE: Final = Keys(
    {
        "b": "brand",
        "p": "product",
        "dn": "device",
        "dma": "device_manufacturer",
        "dp": "platform",
        "dosv": "os_version",
        "dosvi": None,
        "dmdl": "device_model",
        "vr": "build_version_release",
        "bid": "build_identifier",
        "anid": "android_uuid",
        "duid": "android_uuid",
        "ouid": None,
        "dsh": "screen_height",
        "dsw": "screen_width",
        "dpi": "screen_dpi",
        "dc": "device_country",
        "dlc": "locale_country",
        "dll": "locale_language",
        "tz": "timezone_offset",
        "tzn": None,
        "nca": "network_carrier",
        "nc": "network_country",
        "mcc": "network_mobile_country_code",
        "mnc": "network_code",
        "it": "is_tablet",
        "idst": "is_dst",
        "dst": "supports_telephony",
        "dsnfc": "has_nfc",
        "dbe": "bluetooth_enabled",
        "dbv": "bluetooth_version",
        "jb": None,
        "se": "push_notification_sound_enabled",
        "ve": "push_notification_vibrate_enabled",
        "to": "push_token",
        "tot": None,
        "gaid": "android_advertising_id",
        "faid": "fire_advertising_id",
        "lat": "limit_ad_tracking",
        "imei": None,
        "aid": "ios_advertising_id",
        "vid": "ios_idfv",
        "arc": "cpu_architecture",
        "dr": "radio_access_technology",
        "atts": "att_authorization_status",
        "attt": "att_timestamp_unixtime_ms",
    },
    # The Apple SDK sends the size of the screen as text, and the time zone with its sign: +1.
    numbers=("screen_height", "screen_width", "screen_dpi", "timezone_offset", "att_timestamp_unixtime_ms"),
    # "unknown" is what the Apple SDK calls what is no phone, tablet or television, such as a Mac.
    values={"platform": {"FireTV": "fire_tv", "unknown": "Unknown"}},
)

_CONSENT: Final = Keys({"c": "consented", "d": "document", "ts": "timestamp_unixtime_ms", "l": "location", "h": "hardware_id"})

BATCH: Final = Keys(
    {
        "dt": None,
        "id": "source_request_id",
        "ct": "timestamp_unixtime_ms",
        "sdk": "sdk_version",
        "mpid": "mpid",
        "a": "api_key",
        "dbg": "environment",
        "das": "mp_deviceid",
        "ai": "application_info",
        "di": "device_info",
        "ua": "user_attributes",
        "uad": "deleted_user_attributes",
        "ui": "user_identities",
        "ia": "integration_attributes",
        "con": "consent_state",
        "ctx": "context",
        "msgs": "events",
        "mb": "modified",
        # Settings and state of the SDK, and what kits did, which the Events API knows nothing of.
        **dict.fromkeys(("oo", "uitl", "stl", "mpcv", "ltv", "ck", "cms", "sh", "fsr", "echo")),
    },
    numbers=("mpid",),
    values={"environment": {True: "development", False: "production"}},
    inside={
        "application_info": _APPLICATION,
        "device_info": _DEVICE,
        "user_identities": Identities(IDENTITY_TYPES, _IDENTITY, _IDENTITY_KEYS, "n", "i"),
        "consent_state": Keys({"gdpr": "gdpr", "ccpa": "ccpa"}, inside={"gdpr": Named(_CONSENT), "ccpa": Named(_CONSENT)}),
        "context": Keys(
            {"dpln": "data_plan"}, inside={"data_plan": Keys({"id": "plan_id", "v": "plan_version"}, numbers=("plan_version",))}
        ),
        "events": Messages("dt", MESSAGES, OTHER_MESSAGE),
    },
)
"""The body of an upload."""
