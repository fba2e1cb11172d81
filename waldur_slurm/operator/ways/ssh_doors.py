"""`Jobs` of one login host, to which each SlurmJob brings an account and a key of its own.

What is asked goes by the mark, never by the name of a user: two namespaces may name one account,
and each opens it with its own key or not at all. A key is read again every minute, since Secrets
change.
An instance belongs to one thread.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic

from waldur_slurm.operator.errors import KubeError
from waldur_slurm.operator.jobs.port import (
    ClusterFacts,
    Found,
    JobRef,
    Jobs,
    JobsError,
    Refused,
    Stream,
    Unreached,
    Wanted,
)
from waldur_slurm.operator.model.slurm_job import SecretKey, SlurmJob
from waldur_slurm.operator.ways.accounts import Account, account_of
from waldur_slurm.operator.ways.together import together

ReadSecret = Callable[[str, SecretKey], str]
KEPT_S = 60.0
"""How long a key holds before it is read again, and a door stays open that nobody goes through."""
NONE_IS_OPEN = "no account of the login host is open"
NO_ACCOUNT = "its SlurmJob names no ssh account of the login host: name one in spec.ssh"


@dataclass(frozen=True, slots=True)
class Opened:
    """One account's `Jobs`, and what ends its connection."""

    jobs: Jobs
    close: Callable[[], None]


Open = Callable[[Account], Opened]
_Name = tuple[str, str, SecretKey | None]


@dataclass(frozen=True, slots=True)
class _Door:
    """`at` is when its key was read, `used` when somebody went through it.

    `shut` is why the host did not take the key, and `shut_at` when: it is not tried all the time.
    """

    account: Account
    opened: Opened
    at: float
    used: float
    shut: str = ""
    shut_at: float = 0.0


class SshDoors:
    """`read_secret` returns one value of a Secret; `opens` makes one account's `Jobs`."""

    def __init__(
        self, read_secret: ReadSecret, opens: Open, clock: Callable[[], float] = monotonic
    ) -> None:
        self._read_secret = read_secret
        self._opens = opens
        self._clock = clock
        self._doors: dict[_Name, _Door] = {}
        self._by_mark: dict[str, Jobs] = {}
        self._closed: dict[str, str] = {}

    def close(self) -> None:
        for name in [*self._doors]:
            self._doors.pop(name).opened.close()

    def admit(self, jobs: Mapping[str, SlurmJob]) -> None:
        """Open the accounts of these, by their marks; of what cannot be opened nothing is known."""
        self._by_mark, self._closed = {}, {}
        for mark, job in jobs.items():
            try:
                self._by_mark[mark] = self._door_of(job)
            except JobsError as error:
                self._closed[mark] = str(error)
            except KubeError as error:
                self._closed[mark] = f"the key that spec.ssh names cannot be read: {error}"
        for name, door in [*self._doors.items()]:
            if self._clock() - door.used > KEPT_S:
                self._doors.pop(name).opened.close()

    def read_facts(self) -> ClusterFacts:
        """All see the same Slurm: the first that answers tells."""
        why = Unreached(NONE_IS_OPEN)
        for jobs in self._opened():
            try:
                return jobs.read_facts()
            except JobsError as error:
                why = Unreached(str(error))
        raise why

    def submit(self, wanted: Wanted) -> JobRef:
        return self._of(wanted.mark).submit(wanted)

    def look_up(self, marks: Collection[str], since: datetime | None = None) -> Found:
        """Whose account does not open is unknown, and that is nobody else's trouble."""
        asked = datetime.now(UTC)
        closed = [mark for mark in marks if mark not in self._by_mark]
        shut = {mark: self._closed.get(mark, NO_ACCOUNT) for mark in closed}
        parts = [self._look_through(jobs, marks, since) for jobs in self._opened()]
        if shut:
            parts.append(Found(asked, {}, frozenset(), frozenset(shut), shut=shut))
        return together(parts) if parts else _nothing()

    def _look_through(self, jobs: Jobs, marks: Collection[str], since: datetime | None) -> Found:
        its = [mark for mark in marks if self._by_mark.get(mark) is jobs]
        found = jobs.look_up(its, since)
        if found.shut:
            self._shut(jobs, found.shut)
        return found

    def _shut(self, jobs: Jobs, whys: Mapping[str, str]) -> None:
        """Its key was not taken: leave it alone for a while, or until the Secret has another."""
        why, now = next(iter(whys.values())), self._clock()
        for name, door in self._doors.items():
            if door.opened.jobs is jobs:
                self._doors[name] = replace(door, shut=why, shut_at=now)
        for mark in whys:
            self._by_mark.pop(mark, None)
        self._closed |= whys

    def list_marked(self, prefix: str) -> Found:
        """Only accounts that are open can be looked into; that none is, is no trouble."""
        parts = []
        for jobs in self._opened():
            found = jobs.list_marked(prefix)
            self._by_mark |= {mark: jobs for mark in found.jobs if mark not in self._by_mark}
            parts.append(found)
        return together(parts) if parts else _nothing(NONE_IS_OPEN)

    def cancel(self, job: JobRef) -> None:
        self._of(job.mark).cancel(job)

    def hold(self, job: JobRef) -> None:
        self._of(job.mark).hold(job)

    def release(self, job: JobRef) -> None:
        self._of(job.mark).release(job)

    def requeue_held(self, job: JobRef) -> None:
        self._of(job.mark).requeue_held(job)

    def read_tail(self, job: JobRef, stream: Stream, size: int) -> bytes:
        return self._of(job.mark).read_tail(job, stream, size)

    def make_token(self, job: JobRef, lifetime: timedelta) -> str:
        return self._of(job.mark).make_token(job, lifetime)

    def _of(self, mark: str) -> Jobs:
        jobs = self._by_mark.get(mark)
        if jobs is None:
            raise Unreached(self._closed.get(mark, NO_ACCOUNT))
        return jobs

    def _opened(self) -> list[Jobs]:
        return [*{id(jobs): jobs for jobs in self._by_mark.values()}.values()]

    def _door_of(self, job: SlurmJob) -> Jobs:
        ssh = job.spec.ssh
        if ssh is None:
            raise Refused(NO_ACCOUNT)
        if job.login not in ("", ssh.user):
            raise Refused(
                f"it was accepted for the account {job.login}: let spec.ssh name it again"
            )
        name = (job.namespace, ssh.user, ssh.key)
        known, now = self._doors.get(name), self._clock()
        if known and not known.shut and now - known.at < KEPT_S:
            self._doors[name] = replace(known, used=now)
            return known.opened.jobs
        text = self._read_secret(job.namespace, ssh.key) if ssh.key else ""
        account = account_of(ssh, text)
        is_same = known is not None and known.account == account
        if known and is_same and known.shut and now - known.shut_at < KEPT_S:
            self._doors[name] = replace(known, used=now)
            raise Refused(known.shut)
        if known and not is_same:
            known.opened.close()
        opened = known.opened if known and is_same else self._opens(account)
        self._doors[name] = _Door(account, opened, now, now)
        return opened.jobs


def _nothing(said: str = "") -> Found:
    return Found(datetime.now(UTC), {}, frozenset(), frozenset(), said)
