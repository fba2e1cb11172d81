"""Whether the operator lives, and whether it works.

One that waits for an API server lives and does not work: starting it anew helps nobody.
"""

from collections.abc import Callable
from datetime import timedelta

from waldur_slurm.operator.jobs.kube import Snapshot
from waldur_slurm.service.health import Condition

STUCK_AFTER = timedelta(minutes=5)
"""A round of the loop reads one ConfigMap, which is given up on long before."""


class Health:
    """`read` tells of the SlurmJobs that are known, `quiet_for` how long the loop is silent."""

    def __init__(
        self, read: Callable[[], Snapshot | None], quiet_for: Callable[[], timedelta]
    ) -> None:
        self._read = read
        self._quiet_for = quiet_for

    def life(self) -> Condition:
        quiet = self._quiet_for()
        if quiet > STUCK_AFTER:
            return Condition(
                False, f"the loop has not come round for {quiet.total_seconds():.0f} s"
            )
        return Condition(True, "the loop comes round")

    def work(self) -> Condition:
        snapshot = self._read()
        if snapshot is None:
            return Condition(False, "SlurmJobs were not listed yet: the API server does not answer")
        age = f"{snapshot.age.total_seconds():.0f} s"
        if snapshot.is_too_old:
            return Condition(False, f"nothing is decided: the API server was silent for {age}")
        return Condition(True, f"the API server was heard {age} ago")
