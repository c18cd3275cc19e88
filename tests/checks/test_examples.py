"""The example of a code in the table really gives that code, wherever in a batch it stands."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from mparticle_fake_server import dialects
from mparticle_fake_server.checks import check
from mparticle_fake_server.checks.batch import check_historical
from mparticle_fake_server.checks.finding import CODES
from mparticle_fake_server.checks.history import History
from mparticle_fake_server.decoding import decode
from mparticle_fake_server.idsync.identity_request import read

NOW_MS: Final = 1_750_000_000_000

OF_SEVERAL: Final = {
    # What one body alone cannot show: a second one, a server's memory, an endpoint of its own. `fixtures/data/flawed` and the
    # tests of these endpoints have a request for each.
    "attribute_kind_changed", "alias_wrong", "native_key_unknown", "promotion_action_number", "identity_kept",
    "identity_change_mismatch", "identity_matches_nobody",
}  # fmt: skip

EXAMPLES: Final = {name: code.example for name, code in CODES.items() if code.example.startswith("{") and name not in OF_SEVERAL}


def written_out(example: str) -> str:
    """An example with what it leaves out: `xxx… 257 characters` are 257 times x."""
    long = re.sub(r"xxx… (\d+) characters", lambda found: "x" * int(found[1]), example)
    return re.sub(r'\["… (\d+) entries"\]', lambda found: json.dumps(["x"] * int(found[1])), long)


def wrapped(text: str) -> Iterator[str]:
    """Bodies with an example where it may stand: a batch, an event, data of an event, a product."""
    yield text
    yield f'{{"environment":"development","mpid":7,{text[1:]}'
    yield f'{{"events":[{text}]}}'
    for kind in ("custom_event", "commerce_event", "session_end", "push_message"):
        yield f'{{"events":[{{"event_type":"{kind}","data":{text}}}]}}'
    yield f'{{"events":[{{"event_type":"commerce_event","data":{{"product_action":{{"action":"click","products":[{text}]}}}}}}]}}'


def codes(text: str) -> Iterator[str]:
    """What is found in a body."""
    decoded = decode(text.encode(), None, None, 10**6)
    yield from (finding.code for finding in decoded.findings)
    batch: Any = decoded.value
    if type(batch) is not dict:
        return
    yield from (finding.code for finding in dialects.translate(batch, dialects.detect(batch)))
    yield from (finding.code for finding in check(batch, NOW_MS, History()))
    yield from (finding.code for finding in check_historical(batch, NOW_MS))


def codes_of_identity(text: str) -> Iterator[str]:
    """What is found in a request for an identity."""
    body = json.loads(text)
    for action in ("identify", "modify"):
        yield from (finding.code for finding in read(body, action)[1])
        yield from (finding.code for finding in read({"environment": "development", **body}, action)[1])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_gives_its_code(name: str) -> None:
    example = written_out(EXAMPLES[name])

    found = {code for body in wrapped(example) for code in codes(body)}
    if "identity_" in name or name == "previous_mpid_as_number":
        found |= set(codes_of_identity(example))

    assert name in found


def test_most_codes_have_an_example_to_paste() -> None:
    assert len(EXAMPLES) > 50
    assert CODES.keys() >= OF_SEVERAL
