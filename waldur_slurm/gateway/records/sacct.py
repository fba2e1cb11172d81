"""`Records` by sacct and sacctmgr, where the database itself is not to be asked."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter

from waldur_slurm.errors import InvalidName
from waldur_slurm.gateway.records.record import FOREVER, Belonging, Record, RecordsWanted
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName, user_name
from waldur_slurm.model.past import PastJob, PastQuery, PastRun
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.past.port import History

_CPU, _MEMORY = TresName("cpu"), TresName("mem")


def now_of_this_machine() -> datetime:
    return datetime.now(UTC)


class SacctRecords:
    """`reach` is how far back jobs are looked for."""

    def __init__(
        self,
        history: History,
        reach: timedelta = FOREVER,
        now: Callable[[], datetime] = now_of_this_machine,
    ) -> None:
        self._history = history
        self._reach = reach
        self._now = now

    def read_jobs(self, wanted: RecordsWanted) -> Sequence[Record]:
        """Read no further into the past than the page goes."""
        if not wanted.limit or _is_nobodys(wanted):
            return ()
        return tuple(islice(self._walk(wanted), wanted.offset, wanted.offset + wanted.limit))

    def _walk(self, wanted: RecordsWanted) -> Iterator[Record]:
        """Within one second the higher number comes first, of tasks of an array too."""
        for _, together in groupby(self._found(wanted), key=attrgetter("submitted")):
            yield from sorted(together, key=attrgetter("number"), reverse=True)

    def _found(self, wanted: RecordsWanted) -> Iterator[Record]:
        for job in self._history.read_jobs(self._query(wanted)):
            if isinstance(job, PastJob):
                record = record_of(job)
                if wanted.takes(record):
                    yield record

    def _query(self, wanted: RecordsWanted) -> PastQuery:
        """Let sacct itself choose by what it can; the rest is chosen from its answer."""
        now = self._now()
        only = wanted.numbers.only
        return PastQuery(
            since=now - self._reach,
            until=now,
            users=_users(wanted) or frozenset(),
            ids=frozenset() if only is None else frozenset({JobId(only)}),
        )

    def read_belongings(self) -> Sequence[Belonging]:
        memberships = self._history.read_memberships()
        return tuple(
            Belonging(each.id, each.user, each.account, each.partition)
            for each in sorted(memberships, key=lambda each: each.id)
        )


def _is_nobodys(wanted: RecordsWanted) -> bool:
    """Whether no job can be such; nothing that Slurm might misread is asked."""
    return _users(wanted) == frozenset() or not wanted.numbers.are_some


def _users(wanted: RecordsWanted) -> frozenset[UserName] | None:
    """Whose jobs may be found; None is anybody's."""
    users = wanted.owners
    if wanted.user is not None:
        users = frozenset({wanted.user}) & (users if users is not None else {wanted.user})
    return None if users is None else frozenset(filter(_is_name, users))


def _is_name(user: str) -> bool:
    try:
        user_name(user)
    except InvalidName:
        return False
    return True


def record_of(job: PastJob) -> Record:
    """Tell of its last run, with the time at which the job was handed in."""
    run = job.last
    return Record(
        number=run.id.number if run.number is None else run.number,
        uid=run.uid,
        user=run.user,
        association=run.association,
        name=run.name,
        cpus=run.requested.get(_CPU, run.cpus),
        memory_mib=_memory_a_node(run),
        account=run.account,
        hosts=run.hosts,
        partition=run.partition,
        node_count=0 if run.start is None else run.node_count,
        limit_minutes=None if run.limit_s is None else run.limit_s // 60,
        submitted=job.submitted,
        start=run.start,
        end=run.end,
        priority=run.priority,
        state=run.state.base,
    )


def _memory_a_node(run: PastRun) -> int | None:
    memory = run.requested.get(_MEMORY)
    return None if memory is None else memory // max(run.node_count, 1)
