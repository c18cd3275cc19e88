"""The Events API's documented form, as the Python, Node, Ruby and Go SDKs write it, and the one spelling in which they differ."""

from typing import Any, Final

from ..checks.finding import Finding, make

IDENTITY_TYPES: Final = (
    "customer_id", "email", "other", "other_id_2", "other_id_3", "other_id_4", "other_id_5", "other_id_6", "other_id_7",
    "other_id_8", "other_id_9", "other_id_10", "mobile_number", "phone_number_2", "phone_number_3", "facebook",
    "facebook_custom_audience_id", "twitter", "google", "microsoft", "yahoo", "alias",
)  # fmt: skip
"""The members of `user_identities` (`batch-schema.md §2.1`)."""


def translate(batch: dict[str, Any]) -> list[Finding]:
    """`user_identities.customerid` becomes `customer_id` (`batch-schema.md §2.1`), unless that has a value of its own."""
    identities = batch.get("user_identities")
    if not isinstance(identities, dict) or "customerid" not in identities or identities.get("customer_id") is not None:
        return []
    batch["user_identities"] = {
        "customer_id" if name == "customerid" else name: value for name, value in identities.items() if name != "customer_id"
    }
    return [
        make(
            "customerid_spelling",
            "user_identities.customerid was read as customer_id.",
            pointer="/user_identities/customer_id",
            raw_pointer="/user_identities/customerid",
        )
    ]
