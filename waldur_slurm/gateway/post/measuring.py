"""What ended jobs used, asked of the accounting when letters of them are about to go out. Blocks.

All that wait are asked for together: a thousand letters cost a question or two. The accounting
hears of an end some seconds late, so a letter waits for that long; one that is silent, or that has
no record, holds up none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.past.efficiency import Efficiency, efficiency
from waldur_slurm.gateway.post.letter import Facts, Letter, Occasion, Stage
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.past import PastJob, PastQuery
from waldur_slurm.slurm.past.port import History

PATIENCE = timedelta(seconds=10)
"""How long after it was made a letter waits for what its job used."""

SILENT_FOR = timedelta(minutes=1)
_EARLIER = timedelta(hours=1)
_MOST_KEPT = 10_000


class Ended(NamedTuple):
    """A job that ended, as the letters of it name it."""

    cluster: str
    id: JobId
    user: str
    started: datetime


class Measuring:
    """`waiting` are letters that may be sent next, in any order, others among them."""

    def __init__(
        self,
        histories: Callable[[], Mapping[str, History]],
        waiting: Callable[[], Iterable[Letter]],
    ) -> None:
        self._histories = histories
        self._waiting = waiting
        self._known: dict[Ended, Efficiency] = {}
        self._asked: set[Ended] = set()
        self._silent_until: dict[str, datetime] = {}
        self._turn = Lock()

    def measured(self, letter: Letter, now: datetime) -> Letter | None:
        """Return the letter with all that is known; None: it is not known yet, and may be soon."""
        ended, facts = ended_of(letter), letter.facts
        if ended is None or facts is None:
            return letter
        may_wait = now - letter.made < PATIENCE
        with self._turn:
            if ended not in self._known and (may_wait or ended not in self._asked):
                self._ask(ended, now)
            known, is_silent = self._known.get(ended), self._is_silent(ended.cluster, now)
        if known is not None:
            return replace(letter, facts=replace(facts, efficiency=known))
        return None if may_wait and not is_silent else letter

    def _ask(self, ended: Ended, now: datetime) -> None:
        history = self._histories().get(ended.cluster)
        if history is None or self._is_silent(ended.cluster, now):
            return
        if len(self._asked) > _MOST_KEPT:
            self._known.clear()
            self._asked.clear()
        try:
            wanted = {ended, *self._others(ended.cluster)}
            self._known |= _measures(history, wanted, now)
            self._asked |= wanted
        except ExpectedError:
            self._silent_until[ended.cluster] = now + SILENT_FOR

    def _others(self, cluster: str) -> Iterator[Ended]:
        for letter in self._waiting():
            other = ended_of(letter) if letter.stage is Stage.WAITING else None
            if other and other.cluster == cluster and other not in self._known:
                yield other

    def _is_silent(self, cluster: str, now: datetime) -> bool:
        until = self._silent_until.get(cluster)
        return until is not None and now < until


def ended_of(letter: Letter) -> Ended | None:
    """Name the job of which more may be known; one that never ran used nothing."""
    facts = letter.facts
    if letter.event is not Occasion.TERMINAL or facts is None or facts.started is None:
        return None
    return None if facts.efficiency.cpu is not None else _named(facts, facts.started)


def _named(facts: Facts, started: datetime) -> Ended | None:
    try:
        return Ended(facts.cluster, job_id(facts.job_id), facts.user, started)
    except ExpectedError:
        return None


def _measures(history: History, wanted: Iterable[Ended], now: datetime) -> dict[Ended, Efficiency]:
    """Measure those whose records are whole; of a number with many jobs nothing is said."""
    all_wanted = [*wanted]
    ids = frozenset(each.id for each in all_wanted)
    since = min(each.started for each in all_wanted) - _EARLIER
    query = PastQuery(since=since, until=now + _EARLIER, ids=ids)
    jobs = [each for each in history.read_jobs(query) if isinstance(each, PastJob)]
    steps = history.read_steps(ids, since)
    found: dict[Ended, Efficiency] = {}
    for each in all_wanted:
        his = _his(each, jobs)
        if len(his) > 1:
            found[each] = Efficiency()
        elif his and his[0].last.state.is_terminal and steps.get(his[0].id):
            found[each] = efficiency(his[0].last, steps[his[0].id])
    return found


def _his(ended: Ended, jobs: Sequence[PastJob]) -> list[PastJob]:
    return [
        job
        for job in jobs
        if ended.id in job.last.names
        and job.last.user == ended.user
        and job.last.start == ended.started
    ]
