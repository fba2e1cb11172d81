"""The gateway, made to die at an effect of handing a job in: `mortal N before|after [FIRST]`.

An effect is a row of the journal, or a command to Slurm. Between two of them nothing outside
changes, so these are all the moments at which a kill can make a difference. They are numbered from
FIRST on, such as `open`, else from its start.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable
from itertools import count, product
from threading import Lock
from typing import Any

from tests.trust.size import IS_CAMPAIGN
from waldur_slurm.gateway.main import main
from waldur_slurm.gateway.store.submits import StoredJournal
from waldur_slurm.slurm.live.client import ClusterClient
from waldur_slurm.slurm.transports.on_behalf import UserCommands

EFFECTS = (
    (StoredJournal, "open"),
    (StoredJournal, "reopen"),
    (StoredJournal, "place"),
    (StoredJournal, "free"),
    (UserCommands, "run"),
    (ClusterClient, "read_job"),
)


def mortal(
    effect: Callable[..., Any], is_last: Callable[[], bool], when: str
) -> Callable[..., Any]:
    def dying(*arguments: Any, **named: Any) -> Any:
        is_the_last = is_last()
        if is_the_last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = effect(*arguments, **named)
        if is_the_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return dying


Effects = Iterable[tuple[type, str]]


def shorten_the_life(last: int, when: str, effects: Effects = EFFECTS, first: str = "") -> None:
    """Die at effect number `last`; `first` names the one from which on they are numbered."""
    numbers, lock = count(), Lock()
    is_numbered = not first

    def dies_at(name: str) -> Callable[[], bool]:
        def is_last() -> bool:
            nonlocal is_numbered
            with lock:
                is_numbered = is_numbered or name == first
                return is_numbered and next(numbers) == last

        return is_last

    for owner, name in effects:
        setattr(owner, name, mortal(getattr(owner, name), dies_at(name), when))


def moments(effects: int) -> list[tuple[int, str]]:
    """Number all at which to kill: before each effect, and after the last.

    After one effect nothing outside changes until the next; `make campaign` takes both sides.
    """
    if IS_CAMPAIGN:
        return [*product(range(effects), ("before", "after"))]
    return [*((number, "before") for number in range(effects)), (effects - 1, "after")]


if __name__ == "__main__":
    shorten_the_life(int(sys.argv[1]), sys.argv[2], EFFECTS, *sys.argv[3:])
    sys.exit(main([]))
