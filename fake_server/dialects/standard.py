"""The Events API's documented form, as the Python, Node, Ruby and Go SDKs write it, and the one spelling in which they differ."""

from typing import Any, Final, get_args

from mparticle_sdk.identity import IdentityTypeName

from ..checks.finding import Finding, make

IDENTITY_TYPES: Final[tuple[str, ...]] = get_args(IdentityTypeName)
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
