"""mParticle's documented service limits, the one place that states them; the SDK, the fake and the generators read them here.

Sizes are in bytes, with 1 KB = 1024 bytes as mParticle's Android and iOS SDKs count; lengths are in characters.
mParticle publishes the figures on its page "default service limits"; it leaves the unit of "KB" and of "characters" open.
"""

from typing import Final

KB: Final = 1024

BATCHES_PER_REQUEST: Final = 100
"""Batches in one request to `/v2/bulkevents`."""

REQUEST_SIZE: Final = 256 * KB
"""Bytes of one request, however many batches it carries."""

BATCHES_PER_SECOND: Final = 270
"""Batches a second of one workspace before 429; the default, which an account can have raised."""

HISTORICAL_MINIMUM_AGE_MS: Final = 72 * 60 * 60 * 1000
"""Milliseconds that an event must be old for `/v2/bulkevents/historical` to process its batch."""

MAXIMUM_AGE_MS: Final = 30 * 24 * 60 * 60 * 1000
"""Milliseconds after which an event is too old for `/v2/events` and `/v2/bulkevents`: it belongs to the historical endpoint."""

BATCH_SIZE: Final = 128 * KB
"""Bytes of one batch."""

EVENT_NAMES_PER_WORKSPACE: Final = 1000
"""Distinct names of events and screens in one workspace; mParticle drops events with further ones."""

EVENT_NAME_LENGTH: Final = 256
"""Characters of an event or screen name; mParticle cuts longer ones."""

ATTRIBUTES_PER_EVENT: Final = 100
"""Custom attributes of one event; mParticle's client SDKs upload an event with more without any."""

ATTRIBUTE_NAME_LENGTH: Final = 256
"""Characters of an event attribute's name; mParticle cuts longer ones."""

ATTRIBUTE_VALUE_LENGTH: Final = 4096
"""Characters of an event attribute's value; mParticle's client SDKs do not set longer ones."""

USER_ATTRIBUTES_PER_BATCH: Final = 100
"""User attributes in one batch."""

USER_ATTRIBUTE_NAME_LENGTH: Final = 256
"""Characters of a user attribute's name."""

USER_ATTRIBUTE_VALUE_LENGTH: Final = 4096
"""Characters of a user attribute's value."""

USER_ATTRIBUTE_LIST_ENTRIES: Final = 1000
"""Entries of a user attribute that is a list."""

USER_ATTRIBUTE_ENTRY_LENGTH: Final = 512
"""Characters of one entry of such a list."""

ACTION_IDENTIFIER_LENGTH: Final = 100
"""Characters of a push message's `action_identifier`."""

CONSENT_PURPOSES: Final = 100
"""Purposes of one regulation in a batch's `consent_state`."""
