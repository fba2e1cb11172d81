"""Invented jobs, from a seed: everything that makes accounting hard, in fixed proportions.

Moments are whole seconds since 1970, and 0 where Slurm's tables have 0: not yet.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

HOUR = 3600
DAY = 24 * HOUR

PENDING, RUNNING, SUSPENDED, COMPLETED, CANCELLED, FAILED, TIMEOUT = range(7)
NODE_FAIL = 7
REQUEUED = 0x400


class Shape(NamedTuple):
    """What a job asked for, and what it was given: whole nodes where it said exclusive."""

    requested: Mapping[str, int]
    allocated: Mapping[str, int]


class Job(NamedTuple):
    """One row of Slurm's job table. A pause that ends at 0 is not over."""

    number: int
    account: str
    user: str
    state: int
    submit: int
    start: int
    end: int
    shape: Shape
    pauses: tuple[tuple[int, int], ...] = ()
    array: tuple[int, int] | None = None
    het: tuple[int, int] | None = None
    is_forgotten: bool = False
    """Open in the accounting, while no slurmctld knows it."""


@dataclass(frozen=True, kw_only=True)
class HistoryOptions:
    """A span of whole months in a zone; the same options make the same history."""

    jobs: int = 200_000
    seed: int = 1
    first_month: tuple[int, int] = (2024, 2)
    months: int = 13
    zone: str = "UTC"
    accounts: int = 40
    users: int = 120
    at_edges: float = 4.0
    """Of a hundred draws, how many are a job over or right at a month's edge: far more than a
    site has, since that is where accounting goes wrong."""

    def edges(self) -> tuple[int, ...]:
        """Every month's first moment, and the end of the last month."""
        year, month = self.first_month
        counted = [year * 12 + month - 1 + passed for passed in range(self.months + 1)]
        zone = ZoneInfo(self.zone)
        return tuple(
            int(datetime(count // 12, count % 12 + 1, 1, tzinfo=zone).timestamp())
            for count in counted
        )

    @property
    def end(self) -> int:
        return self.edges()[-1]

    def account_names(self) -> tuple[str, ...]:
        return tuple(f"past_{number:04}" for number in range(self.accounts))

    def user_names(self) -> tuple[str, ...]:
        return tuple(f"pu{number:04}" for number in range(self.users))

    def members(self, account: str) -> tuple[str, ...]:
        """The people of an account: some in several accounts, the numbers from its name."""
        names, first = self.user_names(), int(account.removeprefix("past_")) * 3
        return tuple(dict.fromkeys(names[(first + step) % len(names)] for step in range(5)))

    @property
    def leavers(self) -> tuple[tuple[str, str], ...]:
        """People who were taken out of one account when their jobs were done."""
        return tuple((name, self.members(name)[0]) for name in self.account_names()[1:3])

    @property
    def gone_accounts(self) -> tuple[str, ...]:
        return self.account_names()[-2:]

    @property
    def gone_users(self) -> frozenset[str]:
        """People who were in accounts that are gone, and in no other."""
        names = self.account_names()
        staying = {user for account in names[:-2] for user in self.members(account)}
        return frozenset(u for a in names[-2:] for u in self.members(a)) - staying


def invent(options: HistoryOptions) -> list[Job]:
    """Exactly as many rows as asked for, in the order in which they were submitted."""
    inventor = _Inventor(options)
    jobs: list[Job] = []
    while len(jobs) < options.jobs:
        jobs.extend(inventor.next_jobs())
    del jobs[options.jobs :]
    return jobs


class _Inventor:
    def __init__(self, options: HistoryOptions) -> None:
        self._random = Random(options.seed)  # noqa: S311 - a history, not a secret
        self._edges = options.edges()
        self._accounts = options.account_names()
        self._quiet = frozenset(options.gone_accounts)
        self._leavers = frozenset(options.leavers)
        self._members = {name: options.members(name) for name in self._accounts}
        self._shapes = tuple(_shapes(self._random))
        self._number = 1000
        kinds: tuple[tuple[Callable[[], Iterator[Job]], float], ...] = (
            (self._plain, 85.0),
            (self._at_an_edge, options.at_edges),
            (self._array, 1.5),
            (self._het, 1.0),
            (self._requeued, 2.0),
            (self._paused, 2.0),
            (self._without_allocation, 2.0),
            (self._momentary, 0.6),
            (self._longer_than_a_month, 0.15),
            (self._running, 0.1),
            (self._forgotten, 0.02),
            (self._pending, 0.05),
        )
        self._kinds = [kind for kind, _ in kinds]
        self._weights = [weight for _, weight in kinds]

    def next_jobs(self) -> Iterator[Job]:
        (kind,) = self._random.choices(self._kinds, self._weights)
        return kind()

    def _numbered(self) -> int:
        self._number += 1
        return self._number

    def _person(self, *, stays: bool = False) -> tuple[str, str]:
        """Choose an account and one of its people, who `stays` where the job is not over."""
        while True:
            account = self._random.choice(self._accounts)
            user = self._random.choice(self._members[account])
            if not (stays and (account in self._quiet or (account, user) in self._leavers)):
                return account, user

    def _moment(self) -> int:
        return self._random.randrange(self._edges[0] - 2 * DAY, self._edges[-1] - 3 * DAY)

    def _seconds(self) -> int:
        """Mostly minutes, sometimes two days."""
        return int(math.exp(self._random.uniform(math.log(2), math.log(2 * DAY))))

    def _ended(
        self,
        start: int,
        seconds: int,
        *,
        state: int = COMPLETED,
        pauses: tuple[tuple[int, int], ...] = (),
        array: tuple[int, int] | None = None,
        number: int | None = None,
    ) -> Job:
        account, user = self._person()
        return Job(
            number or self._numbered(),
            account,
            user,
            state,
            start - self._random.randrange(DAY),
            start,
            start + seconds,
            self._random.choice(self._shapes),
            pauses,
            array,
        )

    def _plain(self) -> Iterator[Job]:
        state = self._random.choice((COMPLETED, COMPLETED, COMPLETED, FAILED, TIMEOUT, NODE_FAIL))
        yield self._ended(self._moment(), self._seconds(), state=state)

    def _at_an_edge(self) -> Iterator[Job]:
        """Over a month's edge, or ending or beginning right at it."""
        edge = self._random.choice(self._edges[1:-1])
        before = self._random.choice((0, 1, self._random.randrange(1, 6 * HOUR)))
        after = self._random.choice((0, 1, self._random.randrange(1, 6 * HOUR)))
        yield self._ended(edge - before, before + after)

    def _array(self) -> Iterator[Job]:
        leader, first = self._numbered(), self._ended(self._moment(), self._seconds())
        for task in range(self._random.randint(2, 12)):
            number = leader if task == 0 else self._numbered()
            later = first.start + self._random.randrange(HOUR)
            yield first._replace(
                number=number, array=(leader, task), start=later, end=later + self._seconds()
            )

    def _het(self) -> Iterator[Job]:
        leader = self._ended(self._moment(), self._seconds())
        yield leader._replace(het=(leader.number, 0))
        for offset in range(1, self._random.randint(2, 3)):
            shape = self._random.choice(self._shapes)
            yield leader._replace(number=self._numbered(), het=(leader.number, offset), shape=shape)

    def _requeued(self) -> Iterator[Job]:
        """One number, two or three runs, each submitted when the run before was ended."""
        run = self._ended(self._moment(), self._seconds(), state=REQUEUED)
        for _ in range(self._random.randint(1, 2)):
            yield run
            start = run.end + self._random.randrange(1, HOUR)
            run = run._replace(submit=run.end, start=start, end=start + self._seconds())
        yield run._replace(state=COMPLETED)

    def _paused(self) -> Iterator[Job]:
        """Suspended up to three times, often over midnight or the end of a month."""
        edge = self._random.choice(self._edges[1:-1])
        start = edge - self._random.randrange(HOUR, 2 * DAY)
        if self._random.random() < 0.5:
            start = self._moment()
        moment, pauses = start, list[tuple[int, int]]()
        for _ in range(self._random.randint(1, 3)):
            begin = moment + self._random.randrange(1, DAY)
            moment = begin + self._random.randrange(1, DAY)
            pauses.append((begin, moment))
        rest = self._random.choice((0, self._random.randrange(DAY)))
        yield self._ended(start, moment + rest - start, pauses=tuple(pauses))

    def _without_allocation(self) -> Iterator[Job]:
        """Refused, or cancelled before it began: no TRES were held."""
        job = self._ended(self._moment(), 0, state=self._random.choice((CANCELLED, FAILED)))
        empty = job.shape._replace(allocated={})
        yield job._replace(shape=empty, start=self._random.choice((0, job.start)))

    def _momentary(self) -> Iterator[Job]:
        yield self._ended(self._moment(), self._random.choice((0, 1)), state=FAILED)

    def _longer_than_a_month(self) -> Iterator[Job]:
        last = self._edges[-1] - 75 * DAY
        start = self._random.randrange(self._edges[0], max(last, self._edges[0] + 1))
        yield self._ended(start, self._random.randrange(32 * DAY, 70 * DAY))

    def _open(self, longest: int, state: int) -> Job:
        account, user = self._person(stays=True)
        start = self._edges[-1] - self._random.randrange(HOUR, longest)
        shape = self._random.choice(self._shapes)
        return Job(self._numbered(), account, user, state, start - HOUR, start, 0, shape)

    def _running(self) -> Iterator[Job]:
        """Not over; every fourth is suspended now, some for the second time."""
        job = self._open(40 * DAY, RUNNING)
        if self._random.random() < 0.25:
            since = self._random.randrange(job.start + 2, self._edges[-1])
            early = ((job.start, job.start + 1),) if self._random.random() < 0.5 else ()
            job = job._replace(state=SUSPENDED, pauses=(*early, (since, 0)))
        yield job

    def _forgotten(self) -> Iterator[Job]:
        yield self._open(40 * DAY, RUNNING)._replace(is_forgotten=True)

    def _pending(self) -> Iterator[Job]:
        job = self._open(10 * DAY, PENDING)
        yield job._replace(start=0, shape=job.shape._replace(allocated={}))


def _shapes(random: Random) -> Iterator[Shape]:
    for _ in range(60):
        nodes = random.choice((1, 1, 1, 2, 4))
        cpus = nodes * random.choice((1, 1, 2, 4, 8))
        tres = {
            "cpu": cpus,
            "mem": cpus * random.choice((512, 2000, 4096)),
            "node": nodes,
            "billing": cpus + random.randrange(6),
        }
        if random.random() < 0.3:
            tres["gres/gpu"] = nodes * random.choice((1, 2, 4))
        is_exclusive = random.random() < 0.2
        given = tres | {"cpu": nodes * 8, "mem": nodes * 32000} if is_exclusive else tres
        yield Shape(requested=tres, allocated=given)


def month_of(moment: int, zone: ZoneInfo) -> str:
    """Write the month as 2026-11."""
    return f"{datetime.fromtimestamp(moment, zone):%Y-%m}"


def following_month(moment: int, zone: ZoneInfo) -> int:
    """Return the first moment of the month after the one that `moment` lies in."""
    local = datetime.fromtimestamp(moment, zone)
    later = local.replace(day=1, hour=0, minute=0, second=0, fold=0) + timedelta(days=32)
    return int(datetime(later.year, later.month, 1, tzinfo=zone).timestamp())
