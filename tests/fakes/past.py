"""An accounting's memory of jobs: it hears of them late, and may be away."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import ExitCode
from waldur_slurm.model.names import AccountName, ClusterName, UserName
from waldur_slurm.model.past import (
    Account,
    Membership,
    Page,
    PastJob,
    PastOutput,
    PastQuery,
    PastRun,
    PastStep,
    Person,
    Position,
    UnreadablePast,
)

LAB = ClusterName("lab")
BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)


def past_run(number: int = 1, **changes: Any) -> PastRun:
    """Make a run of somebody's that ended well; `changes` are fields."""
    run = PastRun(
        id=JobId(number),
        state=JobState("COMPLETED"),
        user=UserName("ann"),
        account=AccountName("physics"),
        association=1,
        partition="main",
        qos="normal",
        submitted=BEGAN,
        eligible=BEGAN,
        start=BEGAN,
        end=BEGAN,
        elapsed_s=0,
        limit_s=None,
        exit=ExitCode(0, 0),
        node_count=1,
        cpus=1,
        hosts="n1",
        allocated={},
        requested={},
        name="job",
    )
    eligible = changes.get("submitted", BEGAN)
    return replace(run, **{"eligible": eligible, **changes})


@dataclass
class FakeHistory:
    """A `History` of what a test says has been."""

    cluster: ClusterName = LAB
    runs: list[PastRun] = field(default_factory=list)
    unheard: list[PastRun] = field(default_factory=list)
    """What slurmctld has yet to tell; `settle` does."""
    steps: list[PastStep] = field(default_factory=list)
    outputs: list[PastOutput] = field(default_factory=list)
    private: tuple[str, ...] = ()
    people: tuple[Person, ...] = ()
    accounts: tuple[Account, ...] = ()
    memberships: tuple[Membership, ...] = ()
    outage: Exception | None = None
    questions: int = 0
    asked: list[PastQuery] = field(default_factory=list)
    """What jobs were asked for."""
    may_answer: Event | None = None
    """What an answer waits for."""

    def settle(self) -> None:
        self.runs.extend(self.unheard)
        self.unheard.clear()

    def read_jobs(self, query: PastQuery) -> Iterator[PastJob | UnreadablePast]:
        self._reach()
        self.asked.append(query)
        touching = (
            run
            for run in self.runs
            if run.submitted < query.until and (run.end is None or run.end >= query.since)
        )
        jobs: list[list[PastRun]] = []
        for run in sorted(touching, key=lambda run: run.submitted):
            earlier = next((runs for runs in jobs if runs[-1].precedes(run)), None)
            if earlier is None:
                jobs.append([run])
            else:
                earlier.append(run)
        found = (PastJob(tuple(runs)) for runs in jobs)
        yield from sorted(filter(query.wants, found), key=lambda job: job.position, reverse=True)

    def read_page(self, query: PastQuery, *, limit: int, after: Position | None = None) -> Page:
        jobs = [job for job in self.read_jobs(query) if isinstance(job, PastJob)]
        left = [job for job in jobs if after is None or job.position < after]
        page = tuple(left[:limit])
        return Page(page, page[-1].position if len(left) > limit else None)

    def read_steps(
        self,
        jobs: Collection[JobId],
        since: datetime,  # noqa: ARG002 - nothing is that old here
    ) -> Mapping[JobId, tuple[PastStep, ...]]:
        self._reach()
        found: dict[JobId, tuple[PastStep, ...]] = {}
        for step in self.steps:
            if {step.job, step.job.whole} & {*jobs}:
                found[step.job] = (*found.get(step.job, ()), step)
        return found

    def read_outputs(
        self,
        jobs: Collection[JobId],
        since: datetime,  # noqa: ARG002 - nothing is that old here
    ) -> Mapping[JobId, PastOutput]:
        self._reach()
        return {
            output.job: output
            for output in self.outputs
            if {output.job, output.job.whole} & {*jobs}
        }

    def read_private(self) -> tuple[str, ...]:
        self._reach()
        return self.private

    def read_people(self) -> tuple[Person, ...]:
        self._reach()
        return self.people

    def read_accounts(self) -> tuple[Account, ...]:
        self._reach()
        return self.accounts

    def read_memberships(self) -> tuple[Membership, ...]:
        self._reach()
        return self.memberships

    def go_down(self, error: Exception | None = None) -> None:
        self.outage = error or AccountingDown(("sacct",), 1, "Connection refused")

    def come_back(self) -> None:
        self.outage = None

    def _reach(self) -> None:
        self.questions += 1
        if self.may_answer:
            assert self.may_answer.wait(60)
        if self.outage is not None:
            raise self.outage
