"""pyproject.toml lists packages by hand: nothing below the package folders may be forgotten there."""

import tomllib
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def setuptools_table(checkout: Path) -> dict[str, Any]:
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    table: dict[str, Any] = project["tool"]["setuptools"]
    return table


def test_every_python_folder_is_listed_as_a_package(checkout: Path, setuptools_table: dict[str, Any]) -> None:
    folders_with_python = {
        ".".join([package, *source.parent.relative_to(checkout / folder).parts])
        for package, folder in setuptools_table["package-dir"].items()
        for source in (checkout / folder).rglob("*.py")
    }

    listed = set(setuptools_table["packages"])

    assert folders_with_python - listed == set()


def test_every_installed_name_begins_with_mparticle(setuptools_table: dict[str, Any]) -> None:
    packages = setuptools_table["packages"]

    strangers = [name for name in packages if not name.startswith("mparticle_")]

    assert strangers == []


def test_every_top_level_package_declares_its_types(checkout: Path, setuptools_table: dict[str, Any]) -> None:
    folders = [checkout / folder for folder in setuptools_table["package-dir"].values()]

    untyped = [folder.name for folder in folders if not (folder / "py.typed").is_file()]

    assert untyped == []
