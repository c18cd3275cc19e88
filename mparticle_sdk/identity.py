"""Who a batch is about: the identities of a user."""

from typing import Literal

from msgspec import field

from .codec import Model
from .values import Milliseconds

IdentityTypeName = Literal[
    "customer_id", "email", "other", "other_id_2", "other_id_3", "other_id_4", "other_id_5", "other_id_6", "other_id_7",
    "other_id_8", "other_id_9", "other_id_10", "mobile_number", "phone_number_2", "phone_number_3", "facebook",
    "facebook_custom_audience_id", "twitter", "google", "microsoft", "yahoo", "alias",
]  # fmt: skip


class UserIdentities(Model):
    """What is known to identify the user of a batch, by kind (`batch-schema.md §2.1`)."""

    other: str | None = None
    """An id of a kind that you define."""
    customerid: str | None = field(default=None, name="customer_id")
    """Your own id of the customer, the same in all your apps and services. `customer_id` in JSON; see `customer_id`."""
    facebook: str | None = None
    """Facebook's id of the user."""
    twitter: str | None = None
    """Twitter's id of the user."""
    google: str | None = None
    """Google's id of the user."""
    microsoft: str | None = None
    """Microsoft's id of the user."""
    yahoo: str | None = None
    """Yahoo's id of the user."""
    email: str | None = None
    """The email address."""
    alias: str | None = None
    """Another name of the user."""
    facebook_custom_audience_id: str | None = None
    """The app user id of Facebook's custom audiences."""
    other_id_2: str | None = None
    """A second id of a kind that you define."""
    other_id_3: str | None = None
    """A third."""
    other_id_4: str | None = None
    """A fourth."""
    other_id_5: str | None = None
    """A fifth."""
    other_id_6: str | None = None
    """A sixth."""
    other_id_7: str | None = None
    """A seventh."""
    other_id_8: str | None = None
    """An eighth."""
    other_id_9: str | None = None
    """A ninth."""
    other_id_10: str | None = None
    """A tenth."""
    mobile_number: str | None = None
    """The number of the mobile phone, best as +15555550123 (E.164)."""
    phone_number_2: str | None = None
    """A second telephone number."""
    phone_number_3: str | None = None
    """A third telephone number."""

    @property
    def customer_id(self) -> str | None:
        """`customerid` by the name that JSON has."""
        return self.customerid

    @customer_id.setter
    def customer_id(self, value: str | None) -> None:
        self.customerid = value


class UserIdentity(Model):
    """One identity before or after a change of identities (`batch-schema.md §4.8`)."""

    identity_type: IdentityTypeName | None = None
    """The kind of the identity."""
    identity: str | None = None
    """The identity; None where it was removed."""
    timestamp_unixtime_ms: Milliseconds | None = None
    """When it was set, in ms since 1970."""
    created_this_batch: bool | None = None
    """Whether the batch that tells of it was the first to have it."""
