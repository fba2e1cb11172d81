"""A fact that `check` asks for: its value, or the error that stood in the way."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from waldur_slurm.errors import ExpectedError

T = TypeVar("T")
Known: TypeAlias = T | ExpectedError


def known(read: Callable[[], T]) -> Known[T]:
    try:
        return read()
    except ExpectedError as error:
        return error
