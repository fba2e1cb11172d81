"""A Slurm in memory whose commands, lists and accounting tell of the same jobs; and its true past.

Numbers begin anew once, as after a slurmctld that lost its memory: jobs of yesterday have the
numbers that new ones get then.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.batch import FakeBatch, FakeJob, FakeQueue
from tests.fakes.cluster import FakeCluster, live_job
from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.past import FakeHistory, past_run
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.apps.job import SCRIPT
from waldur_slurm.model.batch import BatchSheet, JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import JobListing, LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastRun

SILENT = "Unable to contact slurm controller (connect failure)"
YESTERDAYS = (("ann", "RUNNING"), ("bob", "RUNNING"), ("ann", "PENDING"), ("eve", "RUNNING"))
FIRST_OF_TODAY = 101
ENDS = ("COMPLETED", "FAILED", "TIMEOUT")

Identity = tuple[int, datetime]
"""A job's number, and when it was handed in."""


@dataclass
class WatchedCluster(FakeCluster):
    """Remembers what it has listed last, and what the accounting knew by then."""

    listed: dict[int, LiveJob] = field(default_factory=dict)

    def read_jobs(self) -> JobListing:
        listing = super().read_jobs()
        self.listed = dict(self.jobs)
        return listing


@dataclass
class Slurm:
    cluster: WatchedCluster = field(default_factory=WatchedCluster)
    history: FakeHistory = field(default_factory=FakeHistory)
    queue: FakeQueue = field(default_factory=FakeQueue)
    ends: dict[Identity, str] = field(default_factory=dict)
    """How jobs ended, in truth."""
    named: Counter[str] = field(default_factory=Counter)
    """How many jobs were ever made of each name."""
    by_name: dict[str, Identity] = field(default_factory=dict)
    by_place: dict[str, list[Identity]] = field(default_factory=lambda: defaultdict(list))
    """The jobs that were made of each managed job, by its directory."""
    tree: FakeTree = field(default_factory=FakeTree)
    were_requeued: set[int] = field(default_factory=set)
    cleaned: set[int] = field(default_factory=set)
    """What was requeued and is still cleaned up."""
    has_begun_anew: bool = False
    _next: int = FIRST_OF_TODAY

    def __post_init__(self) -> None:
        self.cluster.configuration |= {
            "AccountingStorageType": "accounting_storage/slurmdbd",
            "AccountingStoreFlags": "job_comment",
        }
        self.queue.on_new = self._show
        yesterday = _now() - timedelta(days=1)
        for number, (user, state) in enumerate(YESTERDAYS, 1):
            job = live_job(number, user=UserName(user), state=state, submitted=yesterday)
            hosts = "n1" if state == "RUNNING" else ""
            self.cluster.put(job._replace(name=f"yesterday's {number}", hosts=hosts))
            self.queue.jobs.append(FakeJob(number, user, BatchSheet("#!/bin/sh\n"), state))
            self.history.runs.append(self._run(self.cluster.jobs[number]))

    def means_of(self, user: str) -> Means:
        return Means(FakeBatch(self.queue, user), FakeFiles(self.tree))

    def live(self) -> list[int]:
        """The numbers of jobs that have not ended."""
        return sorted(n for n, job in self.cluster.jobs.items() if not job.state.is_terminal)

    def live_of(self, place: str) -> list[Identity]:
        """The jobs of one managed job that have not ended."""
        jobs = {(n, self.cluster.jobs[n].submitted) for n in self.live()}
        return [made for made in self.by_place[place] if made in jobs]

    # What becomes of jobs

    def begin(self, number: int) -> None:
        if self.cluster.jobs[number].state == JobState("PENDING"):
            self.cluster.begin(number)
            self._queued(number).state = "RUNNING"

    def end(self, number: int, state: str) -> None:
        self.clean_up(number)
        job = self.cluster.finish(number, state)
        self.cluster.put(job._replace(end=_now()))
        self._queued(number).state = "COMPLETED"
        self._note_end(self.cluster.jobs[number])

    def requeue(self, number: int, *, is_cleaned_up: bool = True) -> None:
        """Of yesterday's alone: a second's time of submission must tell the runs apart.

        The restart is counted at once; it is handed in anew when the run that was is cleaned up.
        """
        job = self.cluster.jobs[number]
        if number >= FIRST_OF_TODAY or number in self.were_requeued or self.has_begun_anew:
            return
        self.were_requeued.add(number)
        self.cleaned.add(number)
        is_placed = job.state != JobState("PENDING")
        state = JobState("COMPLETING") if is_placed else job.state
        self.cluster.put(job._replace(state=state, restarts=job.restarts + 1))
        if is_cleaned_up or not is_placed:
            self.clean_up(number)

    def clean_up(self, number: int) -> None:
        if number not in self.cleaned:
            return
        self.cleaned.remove(number)
        job = self.cluster.jobs[number]
        again: dict[str, Any] = {"submitted": _now(), "hosts": "", "start": None}
        self.cluster.put(job._replace(state=JobState("PENDING"), **again))
        self._queued(number).state = "PENDING"
        self._replace_run(job, state=JobState("REQUEUED"), end=_now())
        self.history.unheard.append(self._run(self.cluster.jobs[number]))

    def follow(self) -> None:
        """Let the list show what scancel did."""
        for job in self.queue.jobs:
            row = self.cluster.jobs.get(job.number)
            if job.state == "CANCELLED" and row and not row.state.is_terminal:
                self.clean_up(job.number)
                job.state = "CANCELLED"
                self.cluster.put(self.cluster.finish(job.number, "CANCELLED")._replace(end=_now()))
                self._note_end(self.cluster.jobs[job.number])

    @property
    def may_begin_anew(self) -> bool:
        """Once; and none of yesterday's may just have ended, as the next one would be its requeue.

        Nobody can tell them apart: one number, one user, and handed in when the other ended.
        """
        ended = {number for number, _ in self.ends if number < FIRST_OF_TODAY}
        return not (self.has_begun_anew or self.were_requeued or ended)

    def begin_anew(self) -> None:
        """Let slurmctld lose its memory: what ran is in the accounting as running, for ever."""
        self.history.settle()
        self.has_begun_anew = True
        self.cluster.jobs.clear()
        self.queue.jobs.clear()
        self._next = 1

    def repair(self) -> None:
        """Let an administrator end what the accounting has as running and nobody runs.

        `sacctmgr show runawayjobs` lets such a job end when it began.
        """
        self.history.settle()
        for run in [*self.history.runs]:
            row = self.cluster.jobs.get(run.id.number)
            is_there = row is not None and row.submitted == run.submitted
            if run.end is None and not is_there:
                self.history.runs.remove(run)
                gone = replace(run, state=JobState("NODE_FAIL"), end=run.submitted)
                self.history.runs.append(gone)
                self.ends[self._identity(run)] = "NODE_FAIL"

    def go_silent(self) -> None:
        self.queue.is_down = True
        self.cluster.go_down(AccountingDown(("squeue",), 1, SILENT))

    def answer(self) -> None:
        self.queue.is_down = False
        self.cluster.come_back()
        self.history.come_back()

    # Inside

    def _show(self, job: FakeJob) -> None:
        job.number, self._next = self._next, self._next + 1
        name = str(job.sheet.options.get("job-name", ""))
        if name == SCRIPT:
            self.by_place[str(job.sheet.options["chdir"])].append((job.number, _now()))
        else:
            self.named[name] += 1
            self.by_name[name] = job.number, _now()
        row = live_job(
            job.number,
            user=UserName(job.user),
            submitted=_now(),
            comment=job.sheet.options["comment"],
            name=name,
        )
        self.cluster.put(row)
        self.history.unheard.append(self._run(row))

    def _run(self, job: LiveJob, **changes: Any) -> PastRun:
        told = {"submitted": job.submitted, "eligible": job.submitted, "comment": job.comment}
        state = {"state": job.state, "start": job.start, "end": None, "name": job.name}
        return past_run(job.number, user=job.user, **{**told, **state, **changes})

    def _note_end(self, job: LiveJob) -> None:
        self._replace_run(job, state=job.state, start=job.start or job.end, end=job.end)
        first = self._first_of(job)
        self.ends[job.number, first] = job.state.base
        if job.submitted != first:
            self.ends[job.number, job.submitted] = job.state.base

    def _replace_run(self, job: LiveJob, **changes: Any) -> None:
        """What was not heard of yet is heard as it is now."""
        for kept in (self.history.runs, self.history.unheard):
            for run in [*kept]:
                if (run.id.number, run.submitted) == (job.number, job.submitted):
                    kept.remove(run)
        self.history.unheard.append(self._run(job, **changes))

    def _first_of(self, job: LiveJob) -> datetime:
        if job.number not in self.were_requeued or not job.restarts:
            return job.submitted
        runs = (*self.history.runs, *self.history.unheard)
        return min(run.submitted for run in runs if run.id == JobId(job.number))

    def _identity(self, run: PastRun) -> Identity:
        return run.id.number, run.submitted

    def _queued(self, number: int) -> FakeJob:
        return next(job for job in self.queue.jobs if job.number == number)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
