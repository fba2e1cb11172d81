"""Hands a job in once: the key is written down before sbatch is called, and closed after.

Whatever happens between, the same key never makes a second job. An answer that was lost leaves the
key open; it is settled by what Slurm says before anything else is done under it.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil
from secrets import token_urlsafe

from waldur_slurm.errors import ExpectedError, StateError
from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.acting.audit import Act, Audit
from waldur_slurm.gateway.acting.words import refusals
from waldur_slurm.gateway.errors import (
    Busy,
    Denied,
    NotNow,
    NotThere,
    OtherBody,
    OutcomeUnknown,
    Refused,
)
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.submits.attempt import (
    Attempt,
    Key,
    Placed,
    Wanted,
    fingerprint,
    with_mark,
)
from waldur_slurm.gateway.submits.marks import OWN
from waldur_slurm.gateway.submits.port import Journal
from waldur_slurm.gateway.submits.reading import Reader, utc_now
from waldur_slurm.gateway.submits.settling import Settler
from waldur_slurm.gateway.submits.sought import Sought
from waldur_slurm.gateway.submits.under_way import UnderWay
from waldur_slurm.model.batch import BatchSheet, JobId, Refusal
from waldur_slurm.slurm.batch.grammar.directives import FORBIDDEN, forbidden_in, may_wait
from waldur_slurm.telemetry.events import Sink

NOTHING_DONE = (Refused, Denied, NotThere, NotNow)
"""What says for certain that sbatch made no job."""


class Submitter:
    """`doubt`: for how long an sbatch may hand a job in after its key was written down."""

    def __init__(
        self,
        journal: Journal,
        clusters: Mapping[str, ClusterPictures],
        audit: Audit,
        tell: Sink,
        *,
        doubt: timedelta,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._clusters = clusters
        self._audit = audit
        self._doubt = doubt
        self._now = now
        self._under_way = UnderWay()
        readers = {name: Reader(pictures, now) for name, pictures in clusters.items()}
        self.settler = Settler(journal, readers, self._under_way, tell, now, clock)

    def submit(self, actor: Actor, key: Key, wanted: Wanted) -> tuple[Placed, bool]:
        """Return the key's job, and whether it was there before.

        Raises `OtherBody`, `Busy`, whatever says that nothing was done, or `OutcomeUnknown`.
        """
        demand_submittable(wanted.sheet)
        with self._under_way.alone(key):
            attempt = self._new_attempt(key, wanted)
            with _unwritten("nothing was done"):
                stands = self._journal.open(attempt)
            if stands is None:
                return self._hand_in(actor, attempt, wanted), False
            if stands.key != key:
                raise Busy("a job with this mark, of another key, is not settled yet", 5.0)
            if stands.fingerprint != attempt.fingerprint:
                raise OtherBody("this key stands for another job; a new job takes a new key")
            if stands.placed:
                return self._told_whole(stands, stands.placed), True
            return self._again(actor, stands, wanted)

    def seek(
        self, cluster: str, marks: Collection[str], users: Collection[str] | None, owner: str
    ) -> Sought:
        """Say which jobs these marks mean to that owner of keys; None of `users` is all of them."""
        found = self._journal.marked(cluster, marks)
        shown = (each for each in found if users is None or each.user in users)
        return Sought(marks, shown, owner)

    def recall(self, key: Key) -> Placed | None:
        """Return the key's job; None: there is none for certain, and the key is free.

        Raises `Busy`, or `OutcomeUnknown`.
        """
        with self._under_way.alone(key), _unknown():
            attempt = self._journal.find(key)
            if attempt is None:
                return None
            if attempt.placed:
                return self._told_whole(attempt, attempt.placed)
            placed = self.settler.settle(attempt)
            if placed is None:
                self._journal.free(key)
                return None
            return self._told_whole(attempt, placed)

    def placed_as(self, cluster: str, job: JobId, submitted: datetime) -> Placed | None:
        """Return what was noted of a job that was handed in here; raises `StateError`."""
        return self._journal.job_of(cluster, job, submitted)

    def _again(self, actor: Actor, attempt: Attempt, wanted: Wanted) -> tuple[Placed, bool]:
        """Settle first; what made no job is handed in with the same mark."""
        with _unknown():
            placed = self.settler.settle(attempt)
        if placed is not None:
            return self._told_whole(attempt, placed), True
        opened, doubt_until = self._times()
        with _unknown():
            self._journal.reopen(attempt.key, opened, doubt_until)
        return self._hand_in(actor, attempt, wanted), False

    def _hand_in(self, actor: Actor, attempt: Attempt, wanted: Wanted) -> Placed:
        about = {"cluster": attempt.cluster, "key": attempt.key.text, "mark": attempt.mark}
        may_come_until = self._clock() + self._doubt.total_seconds()
        act = Act(caller=actor.caller, user=attempt.user, what="job.submit", about=about)
        try:
            with self._audit.doing(act) as learned, refusals():
                submitted = actor.batch.submit(with_mark(wanted.sheet, attempt.mark))
                learned["job"] = str(submitted.id)
        except NOTHING_DONE:
            with _unknown():
                self._journal.free(attempt.key)
            raise
        except OutcomeUnknown:
            self.settler.await_until(attempt.key, may_come_until)
            raise
        finally:
            self._clusters[attempt.cluster].jobs.forget()  # lists have the job from now on
        placed = self._look_at(submitted.id, attempt) or Placed(submitted.id, attempt.cluster)
        with _unknown():
            self._journal.place(attempt.key, placed)
        return placed

    def _told_whole(self, attempt: Attempt, placed: Placed) -> Placed:
        """Add what Slurm did not tell when the job was handed in."""
        if placed.submitted is not None:
            return placed
        found = self._look_at(placed.job_id, attempt)
        if found is None:
            return placed
        with _unknown():
            self._journal.place(attempt.key, found)
        return found

    def _look_at(self, job: JobId, attempt: Attempt) -> Placed | None:
        """Ask slurmctld about this job alone, which costs the same however many there are."""
        try:
            rows = self._clusters[attempt.cluster].cluster.read_job(job).jobs
        except ExpectedError:
            return None
        own = [row for row in rows if row.id.whole == job and row.user == attempt.user]
        if not own:
            return None
        first = own[0]
        return Placed(
            job, attempt.cluster, first.submitted, first.work_dir, first.stdout, first.stderr
        )

    def _new_attempt(self, key: Key, wanted: Wanted) -> Attempt:
        opened, doubt_until = self._times()
        return Attempt(
            key=key,
            cluster=wanted.cluster,
            user=wanted.user,
            fingerprint=fingerprint(wanted),
            mark=wanted.mark or f"{OWN}{token_urlsafe(16)}",
            opened=opened,
            doubt_until=doubt_until,
            may_wait=may_wait(wanted.sheet),
        )

    def _times(self) -> tuple[datetime, datetime]:
        opened = self._now().replace(microsecond=0)
        return opened, opened + timedelta(seconds=1 + ceil(self._doubt.total_seconds()))


def demand_submittable(sheet: BatchSheet) -> None:
    """Refuse a script whose job would be nowhere to be found, or whose answer would not come."""
    option = forbidden_in(sheet.script)
    if option:
        words = f"the script may not say #SBATCH --{option}: {FORBIDDEN[option]}"
        raise Refused(words, Refusal.OPTION.value)


@contextmanager
def _unwritten(what: str) -> Iterator[None]:
    try:
        yield
    except StateError as error:
        raise NotNow(f"{what}: {error}", 5.0) from error


@contextmanager
def _unknown() -> Iterator[None]:
    """What cannot be written down is settled later, by the mark."""
    try:
        yield
    except StateError as error:
        raise OutcomeUnknown(f"the job may have been handed in: {error}", 5.0) from error
