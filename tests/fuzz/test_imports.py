"""Imports in whatever blocks they arrive: the answer and what is kept depend on the bytes alone."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mparticle_fake_server.endpoints.inspect_import import Import
from mparticle_fake_server.exchange import Answer
from mparticle_fake_server.hosting import open_intake

SOUND = [b'{"batch":{},"received_at_ms":1}', b'{"batch":{"mpid":7},"received_at_ms":2}\r']
LINES = st.lists(st.sampled_from([*SOUND, b"", b" ", b"{}", b"\xff", b"x" * 90]) | st.binary(max_size=20))


def imported(blocks: list[bytes]) -> tuple[int, bytes, list[bytes]]:
    """Status and body of the answer, and the bodies that were kept; a line of more than 80 bytes is too long."""
    intake = open_intake()
    importing = Import(intake, "")
    importing._most = 80
    answer: Answer | None = None
    for block in blocks:
        answer = importing.take(block)
        if answer is not None:
            break
    answer = answer or importing.end()
    return answer.status, answer.body, [record.body for record in intake.recorder.requests()]


@given(LINES, st.lists(st.integers(0, 400)))
def test_an_import_is_the_same_in_whatever_blocks_it_arrives(lines: list[bytes], cuts: list[int]) -> None:
    body = b"\n".join(lines)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]

    assert imported([body[start:end] for start, end in pairwise(places)]) == imported([body])


@given(LINES)
def test_an_import_is_answered_whatever_its_bytes_are(lines: list[bytes]) -> None:
    status, _, kept = imported([b"\n".join(lines)])

    assert status in {200, 400, 413}
    assert status != 200 or len(kept) == sum(line.startswith(b'{"batch"') for line in lines)
