"""Whether the usage that Waldur holds is what the jobs came to. Pure.

Rule: a figure is right where it is the exact sum, rounded to the two decimals that Waldur keeps.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sandbox.slurm.history_sums import Share

STEP = Fraction(1, 100)
MINUTE = 60

Figure = tuple[str, str]
"""An account, and a TRES."""


@dataclass(frozen=True)
class Correctness:
    figures: int
    right: int
    missing: int
    """Figures that are not zero, and of which Waldur was told nothing."""
    reported_part: Mapping[str, float]
    """For each TRES, what Waldur holds as a part of what was used."""


def known_usage(
    sums: Mapping[Share, int], month: str, units: Mapping[str, int]
) -> dict[Figure, Fraction]:
    """Add up people; `units` holds for each TRES that is sold the TRES-minutes in one unit."""
    found: dict[Figure, Fraction] = {}
    for share, seconds in sums.items():
        if share.month == month and share.tres in units:
            figure = (share.account, share.tres)
            amount = Fraction(seconds, MINUTE * units[share.tres])
            found[figure] = found.get(figure, Fraction()) + amount
    return found


def judge(
    accounts: Iterable[str],
    known: Mapping[Figure, Fraction],
    reported: Mapping[Figure, Decimal],
    units: Mapping[str, int],
) -> Correctness:
    figures = [(account, tres) for account in accounts for tres in units]
    wanted = {figure: known.get(figure, Fraction()) for figure in figures}
    right = [figure for figure in figures if _is_right(wanted[figure], reported.get(figure))]
    missing = [figure for figure in figures if wanted[figure] and figure not in reported]
    return Correctness(
        figures=len(figures),
        right=len(right),
        missing=len(missing),
        reported_part={tres: _part(tres, wanted, reported) for tres in units},
    )


def _is_right(wanted: Fraction, reported: Decimal | None) -> bool:
    return abs(Fraction(reported or 0) - wanted) <= STEP / 2


def _part(
    tres: str, wanted: Mapping[Figure, Fraction], reported: Mapping[Figure, Decimal]
) -> float:
    used = sum(amount for figure, amount in wanted.items() if figure[1] == tres)
    told = sum(Fraction(reported.get(figure, 0)) for figure in wanted if figure[1] == tres)
    return float(told / used) if used else float(not told)
