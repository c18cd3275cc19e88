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
