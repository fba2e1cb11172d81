"""A row of the table: what was measured, what it may be, and what it came to. Pure.

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
    ratio of the two medians; without, on the median itself. It is the most that is allowed, or with
    `at_least` the least.
    """

    name: str
    unit: str
    samples: Sequence[float]
    bound: float | None = None
    floor: Sequence[float] = ()
    at_least: bool = False
    reason: str = ""
    """Why it misses its bound, where it does; said then only."""

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
        is_met = judged >= self.bound if self.at_least else judged <= self.bound
        return Verdict.MET if is_met else Verdict.MISSED


class NotMeasured(str):
    """Words of what could not be measured: it counts as missed."""


Said = Row | str
"""What a measurement tells: a row, or words that have to be known beside the rows."""


def rows_of(told: Iterable[Said]) -> list[Row]:
    return [each for each in told if isinstance(each, Row)]


def words_of(told: Iterable[Said]) -> list[str]:
    return [each for each in told if isinstance(each, str)]


def exit_code(told: Iterable[Said]) -> int:
    everything = [*told]
    is_missed = any(row.verdict is Verdict.MISSED for row in rows_of(everything))
    return int(is_missed or any(isinstance(each, NotMeasured) for each in everything))
