"""The web SDK: the documented form with mpids as text, numbers for promotion actions and ids, and nulls (`client-sdks.md §2.3`).

Its other peculiarities need no translation: explicit nulls, session UUIDs in upper case, UUIDs of any variant, lists among custom
flags, and `unknown` for what has no type are all documented or harmless, and stay as they came.
"""

from typing import Any, Final

from ..checks.commerce import products
from ..checks.events import events_of
from ..checks.finding import Finding, make
from ..checks.found import MOST_OF_A_CODE, place, pointer
from . import standard

PROMOTION_ACTIONS: Final = {1: "view", 2: "click"}
"""`promotion_action.action`, which this SDK alone writes as a number."""

_MOST_DIGITS: Final = 20


def wrote(batch: Any) -> bool:
    """Whether the web SDK wrote this batch: no other client writes an mpid as text, its own version and the platform `web`."""
    if not isinstance(batch, dict) or type(batch.get("mpid")) is not str or type(batch.get("sdk_version")) is not str:
        return False
    device = batch.get("device_info")
    return isinstance(device, dict) and device.get("platform") == "web"


def translate(batch: dict[str, Any]) -> list[Finding]:
    """A number for the mpid's digits, names for the numbers of promotion actions, and texts for the numbers that apps may give
    as ids of products, promotions and transactions; other values stay as they are.
    """
    findings = standard.translate(batch)
    mpid = batch.get("mpid")
    if type(mpid) is str:
        digits = mpid.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
            batch["mpid"] = int(mpid)
            findings.append(
                make("mpid_as_string", f"mpid is the text {mpid!r}; read as the number.", pointer="/mpid", raw_pointer="/mpid")
            )
    for index, data in events_of(batch.get("events"), "commerce_event"):
        _write_ids(data)
        promotion: Any = data.get("promotion_action")
        action = promotion.get("action") if type(promotion) is dict else None
        if type(action) is int and action in PROMOTION_ACTIONS:
            promotion["action"] = PROMOTION_ACTIONS[action]
            if len(findings) < MOST_OF_A_CODE:
                path = ("events", index, "data", "promotion_action", "action")
                at = pointer(path)
                said = f"{place(path)} is the number {action}; read as {PROMOTION_ACTIONS[action]}."
                findings.append(make("promotion_action_number", said, pointer=at, raw_pointer=at))
    return findings


def _write_ids(data: dict[str, Any]) -> None:
    """Digits for the ids of a commerce event that are numbers: this SDK takes both, and sends what it was given."""
    action, promotion = data.get("product_action"), data.get("promotion_action")
    holders: list[tuple[Any, str]] = [(action, "transaction_id"), *((product, "id") for _, product in products(data))]
    promotions = promotion.get("promotions") if type(promotion) is dict else None
    holders += ((each, "id") for each in (promotions if type(promotions) is list else ()))
    for holder, member in holders:
        value = holder.get(member) if type(holder) is dict else None
        if type(value) is int and -(2**63) <= value < 2**64:
            holder[member] = str(value)
