"""A row of the table that `run.py` prints. A benchmark is a function that yields rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """One promise and what was measured: `kept` says whether it holds."""

    name: str
    measured: str
    peer: str
    ratio: str
    promised: str
    kept: bool

    def cells(self) -> tuple[str, str, str, str, str]:
        """What the table shows."""
        return self.name, self.measured, self.peer, self.ratio, self.promised


def at_least(promised: float, name: str, measured: Sequence[float], peer: Sequence[float], unit: str) -> Row:
    """A promised ratio. The lists hold a number a round; a round's two numbers were taken one soon after the other."""
    ratio = median(ours / theirs for ours, theirs in zip(measured, peer, strict=True))
    return Row(
        name,
        f"{median(measured):,.0f} {unit}",
        f"{median(peer):,.0f} {unit}",
        f"{ratio:.2f}",
        f">= {promised:g}",
        ratio >= promised,
    )


def below(promised_ms: float, name: str, measured_ms: Sequence[float]) -> Row:
    """A promised time in ms, held against the median."""
    time = median(measured_ms)
    return Row(name, f"{time:,.1f} ms", "", "", f"< {promised_ms:g} ms", time < promised_ms)
