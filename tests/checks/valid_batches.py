"""Hypothesis strategies for batches that mParticle documents, written from its documents and not from our schemas or models."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.checks.corpus import NOW_MS

Strategy = SearchStrategy[Any]
DAY_MS = 86_400_000

# Most texts come from a list, since Hypothesis takes long to make one; names are of any characters.
texts = st.sampled_from(
    [
        "",
        "a",
        "0",
        "Zürich",
        "日本語",
        "🎉👩‍👩‍👧",
        "  ",
        "a/b~c",
        "null",
        "ada@example.com",
        "4111111111111111",
        "\x00\u2028",
        "x" * 256,
    ]
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.sampled_from(["x" * 256, "é" * 256, "$"])
counts = st.integers(0, 2**31 - 1)
ids = st.integers(-(2**63), 2**63 - 1)
amounts = st.integers(0, 10**9) | st.floats(0, 1e9)
booleans = st.booleans()
uuids = st.uuids().map(str) | st.uuids().map(lambda uuid: str(uuid).upper())
times = st.integers(NOW_MS - 30 * DAY_MS, NOW_MS)
long_ago = st.integers(NOW_MS - 3000 * DAY_MS, NOW_MS)
scalars = st.none() | booleans | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | texts
attributes = st.dictionaries(names, scalars, max_size=3)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2), max_leaves=3
)


def one_of(values: str) -> Strategy:
    return st.sampled_from(values.split())


def members(kind: Strategy, listed: str) -> dict[str, Strategy]:
    return dict.fromkeys(listed.split(), kind)


def an_object(optional: dict[str, Strategy], required: dict[str, Strategy] | None = None) -> Strategy:
    """Objects with all of the required members, and any of the others, as a value or as null."""
    return st.fixed_dictionaries(required or {}, optional={name: st.none() | values for name, values in optional.items()})


# -- the objects of batch-schema.md §2 and §4, in its order -------------------------------------------------------------------

user_identities = an_object(
    members(
        texts,
        "other other_id_2 other_id_3 other_id_4 other_id_5 other_id_6 other_id_7 other_id_8 other_id_9 other_id_10 "
        "mobile_number phone_number_2 phone_number_3 facebook facebook_custom_audience_id twitter google microsoft yahoo alias "
        "email customer_id",
    )
) | an_object(members(texts, "customerid email"))
user_attributes = st.dictionaries(names, scalars | st.lists(scalars, max_size=3), max_size=4)
device_info = an_object(
    members(
        texts,
        "brand product device android_uuid device_manufacturer os_version device_model device_country locale_language "
        "locale_country network_country network_carrier network_code network_mobile_country_code build_identifier "
        "http_header_user_agent push_token cpu_architecture radio_access_technology bluetooth_version build_version_release "
        "amp_id",
    )
    | members(counts, "screen_height screen_width screen_dpi")
    | members(
        booleans,
        "is_tablet push_notification_sound_enabled push_notification_vibrate_enabled supports_telephony has_nfc "
        "bluetooth_enabled limit_ad_tracking is_dst",
    )
    | members(
        uuids,
        "ios_advertising_id ios_idfv android_advertising_id roku_advertising_id roku_publisher_id microsoft_advertising_id "
        "microsoft_publisher_id fire_advertising_id",
    )
    | {
        "platform": one_of("iOS Android web tvOS roku out_of_band alexa smart_tv fire_tv xbox desktop"),
        "att_authorization_status": one_of("authorized denied not_determined restricted"),
        "att_timestamp_unixtime_ms": long_ago,
        "timezone_offset": st.integers(-12, 14),
    }
)
application_info = an_object(
    members(texts, "application_name application_version application_build_number install_referrer package")
    | {
        "os": one_of(
            "Unknown IOS Android WindowsPhone MobileWeb UnityIOS UnityAndroid Desktop TVOS Roku OutOfBand Alexa SmartTV Xbox"
        ),
        "apple_search_ads_attributes": st.dictionaries(texts, st.dictionaries(texts, texts, max_size=2), max_size=2),
        "sideloaded_kits_count": counts,
    }
)
location = an_object(
    members(texts, "region_code city_name postal_code")
    | {
        "accuracy": amounts,
        "country_code": one_of("CH US JP"),
        "dma_code": counts,
        "location_source": one_of("unknown ip_lookup lat_long"),
    },
    {"latitude": st.floats(-90, 90) | st.integers(-90, 90), "longitude": st.floats(-180, 180) | st.integers(-180, 180)},
)
data_plan = an_object({"plan_version": st.integers(1, 1000)}, {"plan_id": names})
context = an_object({"data_plan": data_plan, "location": location})
consent = an_object(
    members(texts, "document location hardware_id") | {"timestamp_unixtime_ms": long_ago}, {"consented": booleans}
)
consent_state = an_object(
    {
        "gdpr": st.dictionaries(names, consent, max_size=3),
        "ccpa": st.fixed_dictionaries({}, optional={"data_sale_opt_out": consent}),
    }
)
source_info = an_object(
    members(texts, "partner replay_request_id replay_job_id") | {"is_historical": booleans},
    {"channel": one_of("native javascript pixel desktop partner server_to_server unknown")},
)
attribution_info = an_object({}, members(texts, "service_provider publisher campaign"))
orientations = one_of("portrait portrait_upside_down landscape LandscapeLeft LandscapeRight FaceUp FaceDown Square")
device_current_state = an_object(
    members(
        counts,
        "time_since_start_ms total_system_memory_usage_bytes disk_space_free_bytes external_disk_space_free_bytes "
        "system_memory_available_bytes system_memory_threshold_bytes application_memory_available_bytes "
        "application_memory_max_bytes application_memory_total_bytes",
    )
    | members(booleans, "gps_state system_memory_low")
    | members(texts, "data_connection_type_detail cpu")
    | members(orientations, "device_orientation status_bar_orientation")
    | {"battery_level": st.floats(0, 1) | st.just(-1), "data_connection_type": one_of("offline wifi mobile")}
)
product = an_object(
    members(texts, "id name brand category variant coupon_code")
    | members(amounts, "price quantity total_product_amount")
    | {"position": counts, "added_to_cart_time_ms": long_ago, "custom_attributes": attributes}
)
products = st.lists(product, max_size=2)
product_action = an_object(
    members(texts, "checkout_options product_action_list product_list_source transaction_id affiliation coupon_code")
    | members(amounts, "total_amount tax_amount shipping_amount")
    | {"checkout_step": counts, "products": products},
    {
        "action": one_of(
            "add_to_cart remove_from_cart checkout checkout_option click view_detail purchase refund add_to_wishlist "
            "remove_from_wish_list unknown"
        )
    },
)
promotion = an_object(members(texts, "creative position"), members(texts, "id name"))
promotion_action = an_object({}, {"action": one_of("view click"), "promotions": st.lists(promotion, max_size=2)})
product_impression = an_object({}, {"product_impression_list": texts, "products": products})
user_identity = an_object(
    {"identity": texts, "timestamp_unixtime_ms": long_ago, "created_this_batch": booleans},
    {
        "identity_type": one_of(
            "other customer_id facebook email alias facebook_custom_audience_id other_id_2 other_id_10 mobile_number"
        )
    },
)
media_info = an_object(
    members(texts, "channel metadata timed_metadata")
    | members(amounts, "playback_position playback_rate")
    | {
        "action": one_of("unknown play stop update_playback_position skip rate"),
        "format": one_of("unknown audio video"),
        "quality": one_of("unknown low sd medium hd ultra_hd"),
    }
)

# -- events, batch-schema.md §3 ------------------------------------------------------------------------------------------------

COMMON = (
    members(ids, "session_id event_id")
    | members(counts, "event_num active_time_on_site_ms")
    | members(times, "timestamp_unixtime_ms session_start_unixtime_ms event_start_unixtime_ms")
    | members(uuids, "source_message_id session_uuid")
    | members(booleans, "is_goal_defined is_main_thread")
    | members(texts, "lifetime_value_attribute_name data_connection_type view_controller canonical_name page_url")
    | {
        "custom_attributes": attributes,
        "location": location,
        "device_current_state": device_current_state,
        "lifetime_value_change": booleans | amounts,
        "event_system_notification_info": st.just({"type": "gdpr_change"}),
        "custom_flags": st.dictionaries(texts, anything, max_size=2),
    }
)
CUSTOM_TYPES = "navigation location search transaction user_content user_preference social other media attribution unknown"
COMMERCE_TYPES = (
    f"{CUSTOM_TYPES} add_to_cart remove_from_cart checkout checkout_option click view_detail purchase refund promotion_view "
    "promotion_click add_to_wishlist remove_from_wishlist impression consent_granted consent_denied"
)
breadcrumb = an_object(COMMON | {"session_number": counts}, {"label": texts})
commerce_members = (
    COMMON
    | members(texts, "screen_name event_name")
    | {
        "currency_code": one_of("EUR USD JPY"),
        "is_non_interactive": booleans,
        "shopping_cart": an_object({}, {"products": products}),
        "custom_event_type": one_of(COMMERCE_TYPES),
    }
)
COMMERCE = {
    "product_action": product_action,
    "promotion_action": promotion_action,
    "product_impressions": st.lists(product_impression, min_size=1, max_size=2),
}


def commerce(kind: str) -> Strategy:
    """Commerce events of one kind; the two others are absent, or null as the web SDK writes them."""
    return st.builds(
        lambda data, nulls: dict.fromkeys(nulls) | data,
        an_object(commerce_members, {kind: COMMERCE[kind]}),
        st.sets(st.sampled_from(sorted(COMMERCE.keys() - {kind}))),
    )


DATA: dict[str, Strategy] = {
    "custom_event": an_object(
        COMMON | {"media_info": media_info}, {"event_name": names, "custom_event_type": one_of(CUSTOM_TYPES)}
    ),
    "commerce_event": st.one_of([commerce(kind) for kind in COMMERCE]),
    "session_start": an_object(COMMON),
    "session_end": an_object(COMMON | {"session_duration_ms": counts}),
    "screen_view": an_object(COMMON | {"screen_name": names, "activity_type": texts}),
    "crash_report": an_object(
        COMMON
        | members(texts, "class_name severity message stack_trace topmost_context pl_crash_report_file_base64")
        | members(counts, "ios_image_size session_number")
        | {
            "breadcrumbs": st.lists(texts, max_size=2)
            | st.lists(st.fixed_dictionaries({"event_type": st.just("breadcrumb"), "data": breadcrumb}), max_size=1),
            "exception_handled": booleans,
            "ios_image_base_address": st.integers(0, 2**64 - 1),
        }
    ),
    "opt_out": an_object(COMMON | {"is_opted_out": booleans}),
    "first_run": an_object(COMMON),
    "uninstall": an_object(COMMON),
    "pre_attribution": an_object(COMMON),
    "push_reaction": an_object(COMMON),
    "push_registration": an_object(COMMON, {"register": booleans, "registration_token": texts}),
    "application_state_transition": an_object(
        COMMON
        | members(booleans, "successfully_closed is_first_run is_upgrade")
        | members(texts, "push_notification_payload launch_referral"),
        {
            "application_transition_type": one_of(
                "application_initialized application_exit application_background application_foreground unknown"
            )
        },
    ),
    "push_message": an_object(
        COMMON
        | members(texts, "push_message_token push_notification_payload message")
        | {
            "network": one_of("apn gcm"),
            "application_state": one_of("not_running background foreground unknown"),
            "action_identifier": st.just("a" * 100) | st.text("abc", max_size=5),
            "push_message_behavior": one_of("Received DirectOpen Read InfluencedOpen Displayed") | st.integers(0, 31),
        },
        {"push_message_type": one_of("sent received action unknown")},
    ),
    "network_performance": an_object(
        COMMON
        | members(texts, "url http_verb data")
        | members(counts, "time_elapsed bytes_in bytes_out")
        | {"response_code": st.integers(100, 599) | st.integers(100, 599).map(str)}
    ),
    "breadcrumb": breadcrumb,
    "profile": an_object(
        COMMON | members(ids, "previous_mpid current_mpid") | members(texts, "profile_name previous_profile_name"),
        {"profile_event_type": one_of("signup login logout update delete unknown")},
    ),
    "user_attribute_change": an_object(
        COMMON | members(booleans, "deleted is_new_attribute"),
        {"user_attribute_name": names} | members(scalars | st.lists(texts, max_size=2), "new old"),
    ),
    "user_identity_change": an_object(COMMON, {"new": st.none() | user_identity, "old": st.none() | user_identity}),
}

TOP = (
    members(texts, "source_request_id partner_identity api_key sdk_version job_id")
    | members(ids, "mpid origin_mpid batch_id")
    | {
        "mp_deviceid": uuids,
        "user_identities": user_identities,
        "user_attributes": user_attributes,
        "deleted_user_attributes": st.lists(names, max_size=3),
        "partner_identities": st.dictionaries(names, texts, max_size=2),
        "integration_attributes": st.dictionaries(names, st.dictionaries(names, texts, max_size=2), max_size=2),
        "device_info": device_info,
        "application_info": application_info,
        "context": context,
        "consent_state": consent_state,
        "source_info": source_info,
        "attribution_info": attribution_info,
        "ip": st.ip_addresses().map(str),
        "timestamp_unixtime_ms": times,
        "api_keys": st.lists(texts, max_size=2),
        "schema_version": st.just(2),
        "modified": booleans,
    }
)


def batches(event_type: str) -> Strategy:
    """Batches with events of a type, as a JSON text would give them."""
    event = st.fixed_dictionaries({"event_type": st.just(event_type), "data": DATA[event_type]})
    required = {"environment": one_of("production development"), "events": st.lists(event, min_size=1, max_size=2)}
    return an_object(TOP, required).map(lambda batch: json.loads(json.dumps(batch)))
