"""The operator, made to kill at an effect on one SlurmJob: `mortal UID EFFECT before|after [PID]`.

An effect is a write to the API server or an act on Slurm, also one that is refused; between two of
them nothing outside changes. `EFFECT#2` is the second of that name. It kills itself, or else the
process named: the API server or the gateway, which is then gone at just that moment.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

from waldur_slurm.operator.kube.client import KubeClient
from waldur_slurm.operator.main import main
from waldur_slurm.operator.ways.gateway_jobs import GatewayJobs

EFFECTS: dict[str, type] = {
    "accept": KubeClient,
    "tell": KubeClient,
    "patch_status": KubeClient,
    "keep": KubeClient,
    "let_go": KubeClient,
    "submit": GatewayJobs,
    "hold": GatewayJobs,
    "release": GatewayJobs,
    "cancel": GatewayJobs,
}


def shorten_the_life(uid: str, effect: str, when: str, victim: int) -> None:
    name, _, nth = effect.partition("#")
    owner, numbers, last = EFFECTS[name], count(1), int(nth or 1)
    true_effect: Callable[..., Any] = getattr(owner, name)

    def deadly(client: object, subject: object, *more: Any) -> Any:
        """`repr` of a SlurmJob, a request or a job in Slurm has the uid in it."""
        is_the_last = uid in repr(subject) and next(numbers) == last
        if is_the_last and when == "before":
            os.kill(victim, signal.SIGKILL)
        try:
            return true_effect(client, subject, *more)
        finally:
            if is_the_last and when == "after":
                os.kill(victim, signal.SIGKILL)

    setattr(owner, name, deadly)


if __name__ == "__main__":
    uid, effect, when, *victim = sys.argv[1:]
    shorten_the_life(uid, effect, when, int(victim[0]) if victim else os.getpid())
    sys.exit(main(["run"]))
