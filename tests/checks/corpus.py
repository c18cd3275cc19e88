"""The requests that are labelled by hand, as of one moment: where tests of checks, `validate` and fuzzing begin."""

from typing import Final

from mparticle_fixtures.flawed import Flawed, at, flawed_batches, near_misses, tokens, written

__all__ = ["BY_RULE", "NOW_MS", "Entry", "at", "read", "tokens", "written"]

Entry = Flawed

NOW_MS: Final = 1_750_000_000_000
"""When all of them are sent: 15 June 2025, 15:06:40 UTC."""

BY_RULE: Final = {"confusions", "truncated", "compressed", "encoded", "surrogates", "oversize"}
"""Groups in which requests are made by a rule, beside those that stand in a file."""


def read(which: str) -> list[Entry]:
    """Those that are `flawed`, without those that no endpoint takes for batches; or the near misses, for `valid`."""
    if which == "valid":
        return near_misses(now_ms=NOW_MS)
    groups = {flawed.group for flawed in flawed_batches(now_ms=NOW_MS)} - {"transport"} - BY_RULE
    return flawed_batches(group=groups, now_ms=NOW_MS)
