"""How a demo's site stays after its tour: without a terminal, until its time is over or SIGTERM."""

import os
import signal
from datetime import timedelta
from types import FrameType

KEPT_FOR = timedelta(hours=2)
AT_MOST = timedelta(minutes=10)
"""How long a site lives that is not kept, should its tour hang."""

INTERRUPTED = 130


def end_at_sigterm() -> None:
    """Let `kill` end the process as its own end does, so that all that hangs on it is wiped."""
    signal.signal(signal.SIGTERM, _end)


def let_go_of_the_terminal() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit
