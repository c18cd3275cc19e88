"""No value anywhere in a batch stops the checks: every place in the labelled batches holds each of some hostile values once."""

from collections import Counter
from typing import Any, Final

import pytest

from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.found import MOST_OF_A_CODE
from mparticle_fake_server.checks.history import History
from mparticle_fixtures.mutations import places
from tests.checks.corpus import NOW_MS, at
from tests.fuzz.strategies import templates

HOSTILE: Final[list[Any]] = [None, "1e400", 10**400, -1e308, [[None]], {"": {}}]


@pytest.mark.slow
@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda value: str(value)[:10])
def test_a_hostile_value_is_checked_wherever_it_stands(hostile: Any) -> None:
    for batch in templates():
        for *way, last in list(places(batch)):
            holder = batch
            for step in way:
                holder = holder[step]
            before, holder[last] = holder[last], hostile
            try:
                findings = check(batch, NOW_MS, History())
                for finding in findings:
                    at(batch, finding.pointer)
                assert max(Counter(finding.code for finding in findings).values(), default=0) <= MOST_OF_A_CODE
            except Exception as error:
                error.add_note(f"{hostile!r:.20} at {[*way, last]} in {batch!r:.1000}")
                raise
            finally:
                holder[last] = before
