"""What one more costs: the straight line that fits what a few sizes cost. Pure."""

from collections.abc import Sequence
from statistics import linear_regression

from benchmarks.rows import Row


def slope_of(points: Sequence[tuple[float, float]]) -> float:
    """Return by how much the cost grows with each one more; points are sizes and costs."""
    if len({size for size, _ in points}) < 2:
        raise ValueError("a slope needs two sizes")
    sizes, costs = zip(*points, strict=True)
    return linear_regression(sizes, costs).slope


def growth_row(name: str, unit: str, points: Sequence[tuple[float, float]], times: float) -> Row:
    """Make the row of what one more costs, in a unit of which that many are one of the costs'."""
    sizes = ", ".join(f"{size:,.0f}" for size, _ in points)
    return Row(
        name=f"gateway growth: {name} ({sizes})", unit=unit, samples=[slope_of(points) * times]
    )
