"""What the accounting says of single jobs, asked for all who wait together.

One question is under way at a time, for all numbers that are waited for; the next one leaves
slurmdbd nine tenths of its time. What was answered serves until there is a newer list of jobs, so
that asking again and again for a job that never was costs one question a list.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Generic, NamedTuple, TypeVar

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.freshness import life_s
from waldur_slurm.gateway.web.crossing import Lane
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.past import PastJob, PastOutput, PastQuery, PastStep
from waldur_slurm.slurm.past.port import History

LOOKED_BACK = timedelta(days=31)
"""How long after its end a job is found by its number alone."""

MOST_KEPT = 1000
MOST_WAITED_FOR = 500
PATIENCE_S = 10.0
"""How long anybody waits for an answer under way."""

LONGEST_REST_S = 5.0

Value = TypeVar("Value")


class Answer(NamedTuple, Generic[Value]):
    """What is not in `found` is not there, unless there is a `doubt`."""

    found: Mapping[JobId, Value]
    doubt: str = ""


Read = Callable[[Collection[JobId]], Answer[Value]]


class _Kept(NamedTuple, Generic[Value]):
    began: float
    value: Value | None
    doubt: str


class Recall(Generic[Value]):
    """Of one cluster. `read` blocks; what it leaves out is not there."""

    def __init__(self, read: Read[Value], clock: Callable[[], float] = monotonic) -> None:
        self._read = read
        self._clock = clock
        self._kept: OrderedDict[JobId, _Kept[Value]] = OrderedDict()
        self._wanted: set[JobId] = set()
        self._flight: asyncio.Task[None] | None = None
        self._silence: NotNow | None = None
        self._began = self._rests_until = 0.0
        self.questions = 0
        """How often the accounting was asked."""

    async def find(self, job: JobId, since: float, lane: Lane) -> Value | None:
        """Return what an answer begun after `since` says; None: there is no such job.

        Raises `NotNow` where the accounting does not answer, which says nothing of the job. Nobody
        waits for one that was silent the last time; it is asked beside.
        """
        while (kept := self._kept.get(job)) is None or kept.began < since:
            if job not in self._wanted and len(self._wanted) >= MOST_WAITED_FOR:
                raise self._silence or NotNow("too many jobs of the past are asked for already")
            self._wanted.add(job)
            if self._flight is None:
                self._flight = asyncio.ensure_future(self._fly(lane))
            flight = self._flight
            if self._silence is None:
                await asyncio.wait([flight], timeout=PATIENCE_S)
                if not flight.done() and self._is_past_patience():
                    raise NotNow("the accounting has not answered yet")
            if self._silence:
                raise self._silence
        if kept.value is None and kept.doubt:
            raise NotNow(kept.doubt)
        return kept.value

    async def _fly(self, lane: Lane) -> None:
        """It goes on where those who wait go away: what it finds is kept for the next."""
        try:
            await asyncio.sleep(max(self._rests_until - self._clock(), 0.0))
            wanted, self._wanted = frozenset(self._wanted), set()
            self._began = self._clock()
            self._keep(wanted, self._began, await lane.run(lambda: self._read(wanted)))
            self._silence = None
        except NotNow as busy:
            self._silence = busy
        except ExpectedError as error:
            self._silence = NotNow(f"the accounting does not answer: {error}")
        except Exception as error:  # noqa: BLE001 - a defect must not let others wait for ever
            self._silence = NotNow(f"a defect of the gateway ({type(error).__name__})")
        finally:
            self._rest()
            self._flight = None

    def _rest(self) -> None:
        now = self._clock()
        self.questions += 1
        self._rests_until = now + min(life_s(0.0, now - self._began), LONGEST_REST_S)

    def _is_past_patience(self) -> bool:
        return self._clock() - self._began > PATIENCE_S

    def _keep(self, wanted: Collection[JobId], began: float, answer: Answer[Value]) -> None:
        for job in wanted:
            self._kept[job] = _Kept(began, answer.found.get(job), answer.doubt)
            self._kept.move_to_end(job)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


Parts = tuple[PastJob, ...]
Steps = tuple[PastStep, ...]


class PastOf:
    """What is recalled of one cluster: all parts of a job; the steps and the output of one."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.jobs: Recall[Parts] = Recall(self._read_jobs)
        self.steps: Recall[Steps] = Recall(self._read_steps)
        self.outputs: Recall[PastOutput] = Recall(self._read_outputs)

    def _read_jobs(self, jobs: Collection[JobId]) -> Answer[Parts]:
        """A record that is not understood may be of any job that was not found."""
        now = datetime.now(UTC)
        query = PastQuery(since=now - LOOKED_BACK, until=now, ids=frozenset(jobs))
        found: dict[JobId, Parts] = {}
        doubt = ""
        for past in self._history.read_jobs(query):
            if not isinstance(past, PastJob):
                doubt = f"a record of the accounting is not understood: {past.reason}"
                continue
            for name in past.last.names & {*jobs}:
                found[name] = (*found.get(name, ()), past)
        return Answer(found, doubt)

    def _read_steps(self, jobs: Collection[JobId]) -> Answer[Steps]:
        return Answer(self._history.read_steps(jobs, datetime.now(UTC) - LOOKED_BACK))

    def _read_outputs(self, jobs: Collection[JobId]) -> Answer[PastOutput]:
        return Answer(self._history.read_outputs(jobs, datetime.now(UTC) - LOOKED_BACK))
