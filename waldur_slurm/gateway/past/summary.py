"""What jobs came to, by user, account, partition or day. Pure.

Only runs that began are counted with what they held; a job that was requeued held what each of its
runs did. A run belongs to the day, in UTC, on which it ended, or to the present one while it runs.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from waldur_slurm.gateway.past.efficiency import efficiency
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.past import PastJob, PastRun, PastStep
from waldur_slurm.model.tres import tres_name

_GPU = tres_name("gres/gpu")

Key = tuple[str, ...]


def _day(run: PastRun, now: datetime) -> date:
    return (run.end or now).date()


GROUPS: dict[str, Callable[[PastRun, datetime], str]] = {
    "user": lambda run, _now: run.user,
    "account": lambda run, _now: run.account,
    "partition": lambda run, _now: run.partition,
    "day": lambda run, now: _day(run, now).isoformat(),
}


@dataclass(slots=True)
class Sum:
    """`jobs` counts jobs, each where its last run belongs; waiting is the mean of those begun."""

    jobs: int = 0
    runs: int = 0
    failed: int = 0
    cpu_seconds: int = 0
    gpu_seconds: int = 0
    begun: int = 0
    waited_s: float = 0.0
    used_s: float = 0.0
    """Processor time of the runs whose steps are known, which held `measured_s`."""
    measured_s: int = 0

    @property
    def mean_wait_s(self) -> float | None:
        return self.waited_s / self.begun if self.begun else None

    @property
    def cpu_efficiency(self) -> float | None:
        return round(self.used_s / self.measured_s, 4) if self.measured_s else None

    def add(self, run: PastRun, *, is_last: bool) -> None:
        self.runs += 1
        self.jobs += is_last
        outcome = run.state.outcome
        self.failed += is_last and outcome is not None and outcome.value != "success"
        if run.start is None:
            return
        self.cpu_seconds += run.elapsed_s * run.cpus
        self.gpu_seconds += run.elapsed_s * run.allocated.get(_GPU, 0)
        self.begun += 1
        wait = run.start - (run.eligible or run.submitted)
        self.waited_s += max(wait.total_seconds(), 0.0)

    def measure(self, run: PastRun, steps: Collection[PastStep]) -> None:
        """Count what an ended run used of what it held."""
        used = efficiency(run, steps).cpu_seconds
        if used is not None:
            self.used_s += used
            self.measured_s += run.elapsed_s * run.cpus


def summarize(
    jobs: Iterable[PastJob],
    by: Sequence[str],
    now: datetime,
    steps: Mapping[JobId, Collection[PastStep]] | None = None,
) -> dict[Key, Sum]:
    """Add up by the names of `GROUPS`, in their order; sorted by the keys.

    Efficiency is that of last runs, whose `steps` are known where they were asked for.
    """
    sums: dict[Key, Sum] = {}
    for job in jobs:
        for run in job.runs:
            key = tuple(GROUPS[name](run, now) for name in by)
            sums.setdefault(key, Sum()).add(run, is_last=run is job.last)
        if steps is not None:
            sums[key].measure(job.last, steps.get(job.id, ()))
    return dict(sorted(sums.items()))
