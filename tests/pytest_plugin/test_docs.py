"""The snippets of docs/pytest.md are one test file, which passes."""

import re
from pathlib import Path

import pytest

from tests.pytest_plugin.suites import INSTALLED, NAME

pytest_plugins = ["pytester"]


def test_every_snippet_passes(pytester: pytest.Pytester, checkout: Path) -> None:
    page = (checkout / "docs/pytest.md").read_text()
    snippets = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    tests = sum(snippet.count("\ndef test_") + snippet.startswith("def test_") for snippet in snippets)
    pytester.makepyfile("\n\n".join(snippets))

    result = pytester.runpytest_subprocess(*([] if INSTALLED else ["-p", NAME]))

    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] >= tests > 8
