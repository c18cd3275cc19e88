"""Which findings are silenced or raised."""

import pytest

from mparticle_fake_server.checks.finding import make
from mparticle_fake_server.checks.rules import NO_RULES, RuleError, Rules

FINDINGS = [make("duplicate_batch", "one"), make("customerid_spelling", "two"), make("json_broken", "three")]


def test_without_rules_findings_stay_as_they_are() -> None:
    assert NO_RULES.apply(FINDINGS) is FINDINGS


def test_an_ignored_code_is_left_out() -> None:
    rules = Rules.parse(ignore=["duplicate_batch"])

    assert [finding.code for finding in rules.apply(FINDINGS)] == ["customerid_spelling", "json_broken"]


def test_a_raised_code_is_an_error_and_the_others_keep_their_severity() -> None:
    rules = Rules.parse(error=["customerid_spelling"])

    assert [finding.severity for finding in rules.apply(FINDINGS)] == ["warning", "error", "error"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("duplicate-batch", "duplicate_batch"),
        ("DuplicateBatch", "duplicate_batch"),
        ("events_type_missing", "event_type_missing"),
    ],
)
def test_an_unknown_code_is_refused_with_the_one_that_was_meant(written: str, meant: str) -> None:
    with pytest.raises(RuleError, match=f"did you mean {meant}"):
        Rules.parse(error=[written])


def test_a_code_like_no_other_is_refused_with_where_they_are_listed() -> None:
    with pytest.raises(RuleError, match=r"'\\x1b\[31m'; docs/findings\.md lists them"):
        Rules.parse(ignore=["\x1b[31m"])


def test_what_mparticle_refuses_cannot_be_ignored() -> None:
    with pytest.raises(RuleError, match="json_broken cannot be ignored: mParticle refuses"):
        Rules.parse(ignore=["json_broken"])


def test_a_code_cannot_be_both() -> None:
    with pytest.raises(RuleError, match="duplicate_batch cannot be both"):
        Rules.parse(["duplicate_batch"], ["duplicate_batch"])
