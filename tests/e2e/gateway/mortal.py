"""The gateway, made to die at any effect that handing a job in has: `mortal N before|after`.

An effect is a row of the journal, or a command to Slurm. Between two of them nothing outside
changes, so these are all the moments at which a kill can make a difference.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable
from itertools import count
from threading import Lock
from typing import Any

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


def shorten_the_life(last: int, when: str, effects: Effects = EFFECTS) -> None:
    numbers, lock = count(), Lock()

    def is_last() -> bool:
        with lock:
            return next(numbers) == last

    for owner, name in effects:
        setattr(owner, name, mortal(getattr(owner, name), is_last, when))


if __name__ == "__main__":
    shorten_the_life(int(sys.argv[1]), sys.argv[2])
    sys.exit(main([]))
