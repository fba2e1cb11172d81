"""Rows that are not as they were written: the file is damaged, which is not a defect of ours."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import msgspec

from waldur_slurm.errors import InvalidName, StateError

P = ParamSpec("P")
T = TypeVar("T")

NOT_UNDERSTOOD = (msgspec.MsgspecError, InvalidName, ValueError, TypeError, OverflowError, OSError)
"""What is raised of a word that is none, a time beyond all times, text for a number."""


def understood(make: Callable[P, T]) -> Callable[P, T]:
    """Let what `make` cannot make of a row be said as trouble with the database."""

    @wraps(make)
    def made(*cells: P.args, **named: P.kwargs) -> T:
        try:
            return make(*cells, **named)
        except NOT_UNDERSTOOD as error:
            raise StateError(
                f"the gateway's database has a row that is not understood ({error}); stop the"
                " gateway and put a backup in its place"
            ) from error

    return made
