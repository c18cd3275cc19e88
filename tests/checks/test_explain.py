"""`mparticle-fake explain`: the codes of findings, for who has the package alone."""

import re

import pytest
from click.testing import CliRunner, Result

from mparticle_fake_server.checks.explanations import MENDING, SOURCES
from mparticle_fake_server.checks.finding import CODES
from mparticle_fake_server.explain import explain


def run(*codes: str) -> Result:
    return CliRunner().invoke(explain, codes)


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", CODES)
def test_a_code_is_explained_with_all_that_is_known_of_it(name: str) -> None:
    result = run(name)

    code = CODES[name]
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{name}\n  Severity:   {code.severity}\n  mParticle:  ")
    assert flat(code.explanation) in flat(result.stdout)
    assert f"  Example:    {code.example}\n" in result.stdout
    assert flat(f"To mend it: {MENDING[name]}") in flat(result.stdout)
    assert re.search(r"Source: +\S", result.stdout)


def test_no_source_is_a_note_that_users_do_not_have() -> None:
    assert re.findall(r"\b(?:events-api|batch-schema|identity|client-sdks)\.md", run(*CODES).stdout) == []
    assert SOURCES


@pytest.mark.parametrize("written", ["docs/findings.md#unknown_member", "#unknown_member", "UNKNOWN-MEMBER", " unknown_member"])
def test_a_code_may_be_written_as_reports_name_it(written: str) -> None:
    assert run(written).stdout == run("unknown_member").stdout


def test_several_codes_are_explained_each_once() -> None:
    result = run("json_broken", "wrong_type", "json_broken")

    assert re.findall(r"^\w+$", result.stdout, re.MULTILINE) == ["json_broken", "wrong_type"]


def test_without_a_code_all_are_listed_a_line_each() -> None:
    lines = run().stdout.splitlines()

    assert [line.split()[0] for line in lines] == list(CODES)
    assert all(CODES[line.split()[0]].explanation in line for line in lines)


def test_of_a_mistyped_code_the_nearest_is_named() -> None:
    result = run("unknown_membre")

    assert result.exit_code == 2
    assert "no finding has the code 'unknown_membre'. Did you mean unknown_member?" in flat(result.output)


def test_what_is_no_code_at_all_is_told_without_obeying_it() -> None:
    result = run("\x1b[31mzzzzzz")

    assert result.exit_code == 2
    assert "Without a CODE, this command lists them all." in flat(result.output)
    assert "\x1b" not in result.output
