"""How a daemon is, and the three pages that show it and its metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from waldur_slurm.service.http import Page, Pages


@dataclass(frozen=True, slots=True)
class Condition:
    is_well: bool
    words: str


def pages(
    metrics: Callable[[], Page], life: Callable[[], Condition], work: Callable[[], Condition]
) -> Pages:
    return {
        "/metrics": metrics,
        "/healthz": lambda: _page(life()),
        "/readyz": lambda: _page(work()),
    }


def _page(condition: Condition) -> Page:
    status = HTTPStatus.OK if condition.is_well else HTTPStatus.SERVICE_UNAVAILABLE
    return Page(f"{condition.words}\n".encode(), status)
