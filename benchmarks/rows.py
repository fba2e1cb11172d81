"""A row of the table: what was measured, what it may be at most, and what it came to. Pure.

Rule: nothing is rounded before it is judged.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median


class Verdict(StrEnum):
    MET = "met"
    MISSED = "missed"
    NO_BOUND = "no bound"


@dataclass(frozen=True, kw_only=True)
class Row:
    """`samples` of one thing, in `unit`.

    With a `floor`, the samples of the least that the same work can cost, the bound is one on the
    ratio of the two medians; without, on the median itself.
    """

    name: str
    unit: str
    samples: Sequence[float]
    bound: float | None = None
    floor: Sequence[float] = ()

    def __post_init__(self) -> None:
        if not self.samples:
            raise ValueError(f"{self.name}: nothing was measured")

    @property
    def figure(self) -> float:
        return median(self.samples)

    @property
    def floor_figure(self) -> float | None:
        return median(self.floor) if self.floor else None

    @property
    def ratio(self) -> float | None:
        return self.figure / self.floor_figure if self.floor_figure else None

    @property
    def verdict(self) -> Verdict:
        if self.bound is None:
            return Verdict.NO_BOUND
        judged = self.figure if self.ratio is None else self.ratio
        return Verdict.MET if judged <= self.bound else Verdict.MISSED


def exit_code(rows: Iterable[Row]) -> int:
    return int(any(row.verdict is Verdict.MISSED for row in rows))
