"""`make bench`: measure what is promised, as ratios in one run, and fail if a promise is not kept.

    python tests/benchmarks/run.py [NAME…]      # all benchmarks, or those of these names

A new topic is a module here with a function that yields rows, and its name in BENCHMARKS.
"""

import os
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[2])

from tests.benchmarks.checks import checks
from tests.benchmarks.dialects import native
from tests.benchmarks.identity import identity
from tests.benchmarks.lifecycle import command_line, lifecycle
from tests.benchmarks.plugin import plugin
from tests.benchmarks.provider import provider
from tests.benchmarks.sdk import sdk
from tests.benchmarks.sdk_upload import sdk_upload
from tests.benchmarks.simulation import simulation
from tests.benchmarks.uploads import uploads
from tests.benchmarks.validate import validate
from tests.benchmarks.web import web

BENCHMARKS: Final = {
    benchmark.__name__: benchmark
    for benchmark in (
        *(uploads, checks, validate, plugin, lifecycle, command_line, sdk, sdk_upload),
        *(provider, simulation, web, native, identity),
    )
}

WIDTHS: Final = (58, 20, 20, 6, 9)


def main(names: list[str]) -> int:
    """Run the benchmarks of these names, or all; returns the exit status."""
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        print(f"No benchmark {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print("\n".join(_machine()), end="\n\n")
    print(_line("", "measured", "compared with", "ratio", "promised"))
    missed = 0
    for name in names or BENCHMARKS:
        for row in BENCHMARKS[name]():
            missed += not row.kept
            print(_line(*row.cells()) + ("" if row.kept else "  MISSED"), flush=True)
    print(f"\n{missed} promise(s) missed." if missed else "\nEvery promise kept.")
    return 1 if missed else 0


def _line(name: str, *cells: str) -> str:
    return name.ljust(WIDTHS[0]) + "".join(cell.rjust(width) for cell, width in zip(cells, WIDTHS[1:], strict=True))


def _machine() -> Iterator[str]:
    yield f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    yield f"{platform.python_implementation()} {platform.python_version()}"
    packages = ("mparticle-testkit", "uvicorn", "httptools", "uvloop", "msgspec", "sqlalchemy", "flask", "pytest-httpserver")
    yield ", ".join(f"{package} {version(package)}" for package in packages)
    if hasattr(os, "getloadavg"):
        yield f"load average before: {os.getloadavg()[0]:.1f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
