"""A run in CI is only green if everything ran: the rule for real parts such as Node."""

from collections.abc import Callable

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
