"""What has to be found out before it can be said who asks. Pure.

Who is recognised from what is in memory waits for nothing. Where something is missing there, the
answer is an errand instead: whoever may block runs it, and then it is asked again.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import Enum


class Asks(Enum):
    """Whom an errand keeps busy."""

    STORE = "store"
    SYSTEM = "system"
    ISSUER = "issuer"


@dataclass(frozen=True, slots=True)
class Errand:
    """`run` blocks. Two that are `about` the same are one, and one of them is enough."""

    asks: Asks
    about: Hashable
    run: Callable[[], None] = field(compare=False, repr=False)
