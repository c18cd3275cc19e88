"""The command `explain`: what a code of a finding means, for who has the package and not its `docs/findings.md`."""

from collections.abc import Iterator
from typing import Final

import click

ALIKE: Final = 0.75
"""How much a code has to resemble what was given (0 to 1): many share a word, and are about something else."""


@click.command()
@click.argument("codes", nargs=-1, metavar="[CODE]...")
def explain(codes: tuple[str, ...]) -> None:
    """Explain what findings tell, and how to mend it.

    CODE is that of a finding, such as unknown_member, also as reports name it: docs/findings.md#unknown_member. Without one, all
    codes are listed.
    """
    from .checks.finding import CODES
    from .words import did_you_mean, plain

    names = [code.rpartition("#")[2].strip().lower().replace("-", "_") for code in codes]
    for given, name in zip(codes, names, strict=True):
        if name not in CODES:
            near = did_you_mean(name, CODES, ALIKE) or " Without a CODE, this command lists them all."
            raise click.BadParameter(f"no finding has the code '{plain(given, 80)}'.{near}", param_hint="CODE")
    if not names:
        click.echo("\n".join(_listed()))
    else:
        click.echo("\n\n".join("\n".join(_about(name)) for name in dict.fromkeys(names)))


def _listed() -> Iterator[str]:
    """A line for each code."""
    from .checks.finding import CODES

    width = max(map(len, CODES))
    for name, code in CODES.items():
        yield f"{name:<{width}}  {code.severity:<8} {code.explanation}"


def _about(name: str) -> Iterator[str]:
    from .checks.explanations import EFFECTS, MENDING, source
    from .checks.finding import CODES

    code = CODES[name]
    yield name
    rows = {
        "Severity": code.severity,
        "mParticle": EFFECTS[code.effect],
        "Meaning": code.explanation,
        "Example": code.example,
        "To mend it": MENDING[name],
        "Source": f"{source(code.source)}.",
    }
    for title, text in rows.items():
        row = f"{title + ':':<12}{text}"
        # An example stays in one line, so that it can be copied.
        yield f"  {row}" if title == "Example" else click.wrap_text(row, 100, "  ", " " * 14)
