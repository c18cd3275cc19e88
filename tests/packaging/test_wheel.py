"""The wheel, installed beside a project with a `fixtures/`, a `fake_server.py` and a `pytest_plugin/` of its own."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Environment:
    """A virtual environment that holds the wheel alone."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def run(self, *command: str | Path, cwd: Path) -> str:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
        done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command} said:\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def package_folders(checkout: Path) -> dict[str, str]:
    """Import name -> folder name, as pyproject.toml maps them."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    mapping: dict[str, str] = project["tool"]["setuptools"]["package-dir"]
    return mapping


@pytest.fixture(scope="module")
def wheel(checkout: Path, package_folders: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources so that no build/ appears in the checkout."""
    copy = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(checkout / name, copy)
    for folder in package_folders.values():
        shutil.copytree(checkout / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", copy / "dist", copy],
        cwd=copy,
        capture_output=True,
        timeout=120,
        check=True,
    )
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(tmp_path_factory.mktemp("environment") / "venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", made.folder], timeout=60, check=True)
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", made.python, "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--quiet", wheel], timeout=120, check=True)
    return made


@pytest.fixture(scope="module")
def landed(environment: Environment) -> set[str]:
    """What the wheel put into site-packages."""
    return {entry.name for entry in environment.site_packages.iterdir()}


@pytest.fixture(scope="module")
def dependencies(environment: Environment, landed: set[str]) -> None:
    """Lets the environment see what this suite's environment has installed, after its own packages.

    The editable install of the checkout stays out of sight: path files in a folder named by a path file are not read.
    """
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (environment.site_packages / "dependencies.pth").write_text("\n".join(sorted(ours)), encoding="utf-8")


@pytest.fixture(scope="module")
def downstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose own modules have the names of our folders."""
    project = tmp_path_factory.mktemp("downstream")
    for package in ("fixtures", "pytest_plugin"):
        (project / package).mkdir()
        (project / package / "__init__.py").write_text(f"OWNER = 'downstream {package}'\n", encoding="utf-8")
    (project / "fake_server.py").write_text("OWNER = 'downstream fake_server'\n", encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def imported_from(
    environment: Environment, dependencies: None, downstream: Path, package_folders: dict[str, str]
) -> dict[str, str]:
    """Module name -> file, for one program of the downstream project that imports its own modules and ours."""
    names = ["fixtures", "fake_server", "pytest_plugin", *package_folders]
    program = (
        f"import importlib, json\nprint(json.dumps({{name: importlib.import_module(name).__file__ for name in {names!r}}}))\n"
    )
    files: dict[str, str] = json.loads(environment.run(environment.python, "-c", program, cwd=downstream))
    return files


def test_the_wheel_holds_every_source_file(wheel: Path, checkout: Path, package_folders: dict[str, str]) -> None:
    sources = {
        f"{package}/{file.relative_to(checkout / folder).as_posix()}"
        for package, folder in package_folders.items()
        for file in (checkout / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())

    assert sources - packed == set()


def test_only_mparticle_names_land_in_site_packages(landed: set[str], package_folders: dict[str, str]) -> None:
    metadata = {name for name in landed if name.startswith("mparticle_testkit-") and name.endswith(".dist-info")}

    others = landed - metadata

    assert others == set(package_folders)


@pytest.mark.parametrize("package", ["mparticle_sdk", "mparticle_fake_server"])
def test_type_checkers_find_the_types_of(package: str, environment: Environment) -> None:
    marker = environment.site_packages / package / "py.typed"

    assert marker.is_file()


@pytest.mark.parametrize("module", ["fixtures", "fake_server", "pytest_plugin"])
def test_a_project_with_modules_named_as_our_folders_imports_its_own(
    module: str, imported_from: dict[str, str], downstream: Path
) -> None:
    file = Path(imported_from[module])

    assert file.is_relative_to(downstream)


@pytest.mark.parametrize("package", ["mparticle_sdk", "mparticle_fake_server"])
def test_the_same_project_imports_from_the_wheel(package: str, imported_from: dict[str, str], environment: Environment) -> None:
    file = Path(imported_from[package])

    assert file.is_relative_to(environment.site_packages)


@pytest.mark.parametrize("package", ["mparticle_sdk", "mparticle_fake_server"])
def test_the_wheel_needs_nothing_of_the_checkout(
    package: str, environment: Environment, dependencies: None, checkout: Path, tmp_path: Path
) -> None:
    program = (
        "import importlib, pkgutil, sys\n"
        f"package = importlib.import_module({package!r})\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    if not module.name.endswith('.__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "print('\\n'.join(str(getattr(module, '__file__', '')) for module in list(sys.modules.values())))\n"
    )

    files = environment.run(environment.python, "-c", program, cwd=tmp_path).splitlines()

    ours = [file for file in files if "mparticle_" in file]
    assert [file for file in ours if not Path(file).is_relative_to(environment.site_packages)] == []


def test_the_command_runs_in_the_project_with_its_own_fake_server_module(
    environment: Environment, dependencies: None, downstream: Path
) -> None:
    command = environment.folder / "bin" / "mparticle-fake"

    usage = environment.run(command, "--help", cwd=downstream)

    assert "serve" in usage
