"""What a batch means, beyond what a schema can say: who it is about, when it was, what was bought, which session ended.

`check_semantics` runs on every upload: one pass decides which of the checks below have to look closer, mostly none.
"""

from typing import Any, Final

from mparticle_sdk import limits

from .commerce import check_commerce
from .finding import Finding
from .found import Found
from .personal import check_personal, may_hold_personal_data
from .sessions import check_sessions
from .times import CLOCK_SKEW_MS, EARLIEST_MS, check_times, check_units

_DEVICE_IDS: Final = (
    "android_uuid",
    "android_advertising_id",
    "ios_advertising_id",
    "ios_idfv",
    "push_token",
    "amp_id",
    "roku_advertising_id",
    "roku_publisher_id",
    "fire_advertising_id",
    "microsoft_advertising_id",
    "microsoft_publisher_id",
)
"""Members of device_info that mParticle resolves an identity by (`identity.md`)."""

_ZERO_UUID: Final = "00000000-0000-0000-0000-000000000000"
_MORE_TEXTS: Final = {
    "commerce_event": ("screen_name", "product_action", "product_impressions", "shopping_cart"),
    "user_attribute_change": ("user_attribute_name", "new", "old"),
}
"""Where else events may hold personal data, besides event_name and custom_attributes."""

_SCREEN_NAME: Final = ("screen_name",)


def check_semantics(batch: dict[str, Any], now_ms: int, *, historical: bool = False) -> list[Finding]:
    """The findings on one canonical batch that was received at `now_ms` (milliseconds since 1970).

    A `historical` batch may be of any age.
    """
    oldest = EARLIEST_MS if historical else now_ms - limits.MAXIMUM_AGE_MS
    newest = now_ms + CLOCK_SKEW_MS
    time = batch.get("timestamp_unixtime_ms", now_ms)
    odd_time = not (type(time) is int and oldest <= time <= newest)
    texts = [batch.get("user_attributes")]
    kinds = None
    events: Any = batch.get("events")
    for event in events if type(events) is list else ():
        data = event.get("data") if type(event) is dict else None
        if type(data) is not dict:
            continue
        get = data.get
        # Zero stands for "not known" in the latter two, as in mParticle's own sample, but for 1970 in the first.
        if (
            not (type(time := get("timestamp_unixtime_ms", now_ms)) is int and oldest <= time <= newest)
            or ((time := get("session_start_unixtime_ms")) and not (type(time) is int and oldest <= time <= newest))
            or ((time := get("event_start_unixtime_ms")) and not (type(time) is int and oldest <= time <= newest))
        ):
            odd_time = True
        texts += (get("event_name"), get("custom_attributes"))
        kind = event.get("event_type")
        if kind != "custom_event" and type(kind) is str:
            kinds = kinds or set()
            kinds.add(kind)
            texts += map(get, _MORE_TEXTS.get(kind, _SCREEN_NAME))
    found = Found()
    _check_identity(batch, found)
    if odd_time:
        check_times(batch, found, now_ms, historical=historical)
    if batch.get("device_info") or batch.get("consent_state") or (kinds and "user_identity_change" in kinds):
        check_units(batch, found)
    if kinds:
        if "commerce_event" in kinds:
            check_commerce(events, found)
        if "session_end" in kinds:
            check_sessions(events, found)
    if may_hold_personal_data(texts):
        check_personal(batch, found)
    return found


def _check_identity(batch: dict[str, Any], found: Found) -> None:
    mpid = batch.get("mpid")
    if mpid and mpid != "0":
        return
    is_zero = mpid is not None and mpid in (0, "0") and mpid is not False
    identities = batch.get("user_identities")
    # What an identity's value is worth is another check's concern.
    if (type(identities) is dict and any(identities.values())) or _known_by_device(batch):
        if is_zero:
            found.add(
                "identity_placeholder", ("mpid",), "is 0, which stands for nobody.", "Leave mpid out where it is not known."
            )
        return
    found.add(
        "identity_missing",
        (),
        "has no mpid"
        + (" other than 0" if is_zero else "")
        + ", no user identity and no device id; expected at least one of them.",
        'Add "user_identities": {"customer_id": "…"}, or "mp_deviceid".',
    )


def _known_by_device(batch: dict[str, Any]) -> bool:
    if _names(batch.get("mp_deviceid")) or batch.get("partner_identities") or batch.get("partner_identity"):
        return True
    device = batch.get("device_info")
    return isinstance(device, dict) and any(_names(device.get(member)) for member in _DEVICE_IDS)


def _names(device_id: Any) -> bool:
    return bool(device_id) and device_id != _ZERO_UUID
