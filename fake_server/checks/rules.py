"""Which codes are silenced or raised to errors: by a workspace, on the command line, in pytest."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from .finding import CODES, Finding


class RuleError(ValueError):
    """A code that is unknown, or cannot be what was asked; the message says why."""


class Rules(msgspec.Struct, frozen=True):
    """Findings of the codes `ignore` are left out, those of `error` are errors.

    Neither changes what mParticle does with a batch, and so not its verdict: an ignored duplicate is dropped like any other.
    Errors are what mode `strict` refuses.
    """

    ignore: frozenset[str] = frozenset()
    error: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, ignore: Iterable[str] = (), error: Iterable[str] = ()) -> "Rules":
        """Rules of codes that somebody wrote. Raises RuleError."""
        for codes in (ignore, error):
            if isinstance(codes, str):
                raise RuleError(f"Expected a list of codes, got the text {codes[:80]!r}; write [{codes[:80]!r}].")
        rules = cls(frozenset(ignore), frozenset(error))
        for code in (*sorted(rules.ignore), *sorted(rules.error)):
            if code not in CODES:
                raise RuleError(_unknown(code))
        for code in sorted(rules.ignore):
            if CODES[code].effect == "refuse":
                raise RuleError(
                    f"{code} cannot be ignored: mParticle refuses such a request with a 4xx, so that nothing of it arrives."
                )
        if both := rules.ignore & rules.error:
            raise RuleError(f"{min(both)} cannot be both ignored and an error.")
        return rules

    def apply(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """What is left of `findings`, in their order, with the severities that these rules give."""
        if not findings or not (self.ignore or self.error):
            return findings
        return [
            msgspec.structs.replace(finding, severity="error") if finding.code in self.error else finding
            for finding in findings
            if finding.code not in self.ignore
        ]


NO_RULES: Final = Rules()
"""Every finding as the table has it."""


def _unknown(code: str) -> str:
    near = difflib.get_close_matches(code.lower().replace("-", "_"), CODES, 1, 0.5)
    shown = ascii(code[:80])
    return f"No finding has the code {shown}; " + (f"did you mean {near[0]}?" if near else "docs/findings.md lists them.")
