"""A list taken page by page, however long it is."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from waldur_slurm.gateway.patience import Patient

A_PAGE = 1000

Asked = str | int | bool | Sequence[str] | datetime
"""What a list may be narrowed by; of several words any may fit."""


class Page(Protocol):
    @property
    def next(self) -> str | None: ...


P = TypeVar("P", bound=Page)


def pages(asker: Patient, of: type[P], path: str, narrowed: Mapping[str, Asked]) -> Iterator[P]:
    asked = {"limit": str(A_PAGE), **_params(narrowed)}
    cursor = ""
    while True:
        params = {**asked, "cursor": cursor} if cursor else asked
        page = asker.told(of, "GET", path, params=params)
        yield page
        cursor = page.next or ""
        if not cursor:
            return


def _params(narrowed: Mapping[str, Asked]) -> dict[str, str]:
    return {name: _written(value) for name, value in narrowed.items() if value not in ("", ())}


def _written(value: Asked) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str() | int():
            return str(value)
        case datetime():
            return value.isoformat()
        case _:
            return ",".join(value)
