"""The snippets of docs/pytest.md are one test file, which passes."""

import re
from pathlib import Path

import pytest

from mparticle_fixtures import flawed_batches
from tests.pytest_plugin.suites import INSTALLED, NAME

pytest_plugins = ["pytester"]


def snippets_of(checkout: Path) -> list[str]:
    page = (checkout / "docs/pytest.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_every_snippet_passes(pytester: pytest.Pytester, checkout: Path) -> None:
    snippets = snippets_of(checkout)
    tests = sum(snippet.count("\ndef test_") + snippet.startswith("def test_") for snippet in snippets)
    pytester.makepyfile("\n\n".join(snippets))

    result = pytester.runpytest_subprocess(*([] if INSTALLED else ["-p", NAME]))

    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] >= tests > 8


@pytest.mark.slow
def test_the_snippet_on_flawed_payloads_holds_for_all_of_them(pytester: pytest.Pytester, checkout: Path) -> None:
    (snippet,) = (snippet for snippet in snippets_of(checkout) if "flawed_batches" in snippet)
    unfiltered, count = re.subn(r"flawed_batches\(.+?\)", "flawed_batches()", snippet)
    pytester.makepyfile(f"import pytest\n{unfiltered}")

    result = pytester.runpytest_subprocess("-q", "--tb=line", *([] if INSTALLED else ["-p", NAME]), timeout=600)

    assert count == 1
    outcomes = result.parseoutcomes()
    assert set(outcomes) <= {"passed", "warnings"}
    assert outcomes["passed"] == len(flawed_batches())
