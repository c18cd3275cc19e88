"""How large a batch and a request may be."""

import pytest

from mparticle_fake_server.checks.limits import check_request, check_size
from mparticle_sdk import limits


@pytest.mark.parametrize("size", [0, 1, limits.BATCH_SIZE])
def test_a_batch_of_up_to_128_kb_is_fine(size: int) -> None:
    assert check_size(size) is None


@pytest.mark.parametrize(("size", "is_fine"), [(200 * limits.KB, True), (200 * limits.KB + 1, False)])
def test_what_a_phone_uploads_may_be_as_large_as_its_sdk_makes_it(size: int, is_fine: bool) -> None:
    assert (check_size(size, "native") is None) == is_fine


@pytest.mark.parametrize("size", [0, 1, limits.REQUEST_SIZE])
def test_a_request_of_up_to_256_kb_is_fine(size: int) -> None:
    assert check_request(size, 100) is None


def test_a_larger_batch_is_told_with_its_size_and_the_limit() -> None:
    finding = check_size(131_073)

    assert finding is not None
    assert (finding.code, finding.severity, finding.pointer) == ("batch_too_large", "error", "")
    assert finding.message == "The batch has 131073 bytes; expected at most 131072 (128 KB)."


@pytest.mark.parametrize(("size", "parts"), [(131_073, 2), (262_144, 2), (262_145, 3)])
def test_the_hint_says_among_how_many_batches_to_divide_the_events(size: int, parts: int) -> None:
    finding = check_size(size)

    assert finding is not None
    assert finding.hint is not None
    assert f"among {parts} or more batches" in finding.hint


def test_a_larger_request_is_told_with_its_size_its_batches_and_the_limit() -> None:
    finding = check_request(300_000, 100)

    assert finding is not None
    assert (finding.code, finding.severity, finding.pointer) == ("request_too_large", "error", "")
    assert finding.message == "The request has 300000 bytes in 100 batches; expected at most 262144 (256 KB)."


@pytest.mark.parametrize(
    ("size", "batches", "hint"),
    [
        (300_000, 100, "Send 2 or more requests: of 50 batches each, or of as many as fit by size."),
        (600_000, 100, "Send 3 or more requests: of 33 batches each, or of as many as fit by size."),
        (600_000, 2, "Send 3 or more requests: of 1 batch each, or of as many as fit by size."),
        (300_000, 1, "Divide the events of its batch among 3 or more batches, and send them apart."),
    ],
)
def test_the_hint_says_how_to_split_a_request(size: int, batches: int, hint: str) -> None:
    finding = check_request(size, batches)

    assert finding is not None
    assert finding.hint == hint
