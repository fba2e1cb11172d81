"""Tokens for slurmrestd, from `scontrol token` asked as the user: nobody here holds Slurm's key."""

import re
import time
from collections.abc import Callable
from threading import Lock

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.processes.port import Argv, Completed
from waldur_slurm.slurm.grammar.evidence import is_silence, refusal, silence
from waldur_slurm.slurm.rest.talk import Login

LIFESPAN_S = 900
USED_S = 600
"""A token is left before it ends, while it is on its way to slurmrestd."""

_TOKEN = re.compile(r"SLURM_JWT=([A-Za-z0-9._=-]{16,4096})\s*", re.ASCII)

Run = Callable[[Argv], Completed]
"""Runs one of Slurm's tools as whom the token is for."""


class Logins:
    """The token of one user, asked for again when it grows old."""

    def __init__(self, user: str, run: Run, now: Callable[[], float] = time.monotonic) -> None:
        self._user = user
        self._run = run
        self._now = now
        self._lock = Lock()
        self._held: tuple[float, Login] | None = None

    def login(self) -> Login:
        with self._lock:
            if self._held is None or self._now() - self._held[0] > USED_S:
                asked = self._now()
                self._held = (asked, self._asked())
            return self._held[1]

    def forget(self) -> None:
        """slurmrestd does not take it: its key may have been changed."""
        with self._lock:
            self._held = None

    def _asked(self) -> Login:
        argv = ("scontrol", "token", f"lifespan={LIFESPAN_S}")
        completed = self._run(argv)
        if is_silence(completed):
            raise silence(argv, completed)
        if completed.code != 0:
            raise refusal(argv, completed)
        found = _TOKEN.fullmatch(completed.out)
        if found is None:
            raise UnparsableOutput("scontrol token gave no token; is AuthAltTypes=auth/jwt set?")
        return Login(self._user, found[1])
