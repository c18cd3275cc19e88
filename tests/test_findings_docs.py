"""The page on findings says what the table of codes says, with an anchor for each code."""

import re
from pathlib import Path

import pytest

from docs import render
from mparticle_fake_server.checks.finding import CODES

OUR_NOTES = re.compile(r"\b(events-api|batch-schema|identity|client-sdks|data-planning)\.md|protocol/")


@pytest.fixture
def page(checkout: Path) -> str:
    return (checkout / "docs" / "findings.md").read_text(encoding="utf-8")


def section(page: str, code: str) -> str:
    return page.partition(f"\n### {code}\n")[2].partition("\n### ")[0]


def test_the_page_is_what_the_table_gives(page: str) -> None:
    assert page == render.findings(), "run: python docs/render.py findings"


def test_every_code_has_one_anchor(page: str) -> None:
    assert re.findall(r"^### (.*)$", page, re.MULTILINE) == list(CODES)


@pytest.mark.parametrize("name", CODES)
def test_a_section_says_all_that_the_table_says_and_how_to_mend_it(page: str, name: str) -> None:
    code = CODES[name]

    text = section(page, name)

    assert f"**{code.severity}**" in text
    assert code.explanation in text
    assert code.example in text
    assert re.search(r"^To mend it: \S", text, re.MULTILINE)
    assert re.search(r"^Source: \S", text, re.MULTILINE)


def test_no_source_is_a_note_that_readers_do_not_have(page: str) -> None:
    assert OUR_NOTES.findall(page) == []


def test_every_heading_stands_before_a_code_of_the_table() -> None:
    assert render.FIRST_OF_A_GROUP.keys() <= CODES.keys()


def test_links_to_findings_in_other_pages_lead_to_a_code(checkout: Path) -> None:
    pages = [*(checkout / "docs").glob("*.md"), checkout / "README.md"]

    linked = {anchor for path in pages for anchor in re.findall(r"findings\.md#(\w+)", path.read_text(encoding="utf-8"))}

    assert linked <= CODES.keys()
