"""One reading of one thing, as all who ask are shown it.

A picture is never changed: a later one takes its place. Pure.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Picture(Generic[Value_co]):
    """What was read. `began` is by the monotonic clock, `as_of` by the wall's, both at its start:

    what changed while Slurm was answering may be in it or not.
    """

    generation: int
    began: float
    as_of: datetime
    took_s: float
    value: Value_co
