"""A run is the same on every machine, and in CI it is only green if everything ran: the rule for real parts such as Node."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RealPart = Callable[[bool, str], None]


def test_a_missing_real_part_skips_on_a_developers_machine(real_part: RealPart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception) as outcome:
        real_part(False, "node is not installed")

    assert "node is not installed" in str(outcome.value)


def test_a_missing_real_part_fails_in_ci(real_part: RealPart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception) as outcome:
        real_part(False, "node is not installed")

    assert "node is not installed" in str(outcome.value)


def test_an_available_real_part_runs_in_ci(real_part: RealPart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    real_part(True, "node is not installed")


def test_variables_of_a_developers_shell_reach_no_test(checkout: Path) -> None:
    names = ("HTTP_PROXY", "https_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "MPARTICLE_API_KEY", "FORCE_COLOR", "COLUMNS")
    program = "import json, os, tests.conftest; print(json.dumps(sorted(os.environ)))"

    told = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, env=os.environ | dict.fromkeys(names, "1"), capture_output=True, check=True
    )

    left = json.loads(told.stdout)
    assert not {*names} & {*left}
    assert {"PATH"} <= {*left}
