"""One turn for one cluster: read, plan, guard, apply, tell.

All SlurmJobs of the cluster are looked up in one reading. Where the API server's side is too old to
be believed nothing is decided; where Slurm's is silent, nothing but to say so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from queue import SimpleQueue

from waldur_slurm.model.counting import counted
from waldur_slurm.operator.errors import KubeError
from waldur_slurm.operator.jobs.apply import Carrier
from waldur_slurm.operator.jobs.collecting import needs_pods
from waldur_slurm.operator.jobs.collector import Collector
from waldur_slurm.operator.jobs.ending import Sweep, Swept, sweep
from waldur_slurm.operator.jobs.kube import Kube, Snapshot
from waldur_slurm.operator.jobs.memory import Memory
from waldur_slurm.operator.jobs.patience import Patience
from waldur_slurm.operator.jobs.plan import (
    JobPlan,
    Plan,
    concerns,
    cut,
    home_of,
    plan_homeless,
    plan_job,
)
from waldur_slurm.operator.jobs.port import (
    ClusterFacts,
    Found,
    Jobs,
    JobsError,
    OutcomeUnknown,
    Unreached,
)
from waldur_slurm.operator.jobs.sight import Sight, was_there
from waldur_slurm.operator.jobs.steps import Step
from waldur_slurm.operator.jobs.troubles import Troubles
from waldur_slurm.operator.model.cluster import ByGateway, Cluster
from waldur_slurm.operator.model.identity import prefix_of
from waldur_slurm.operator.model.slurm_job import SlurmJob
from waldur_slurm.telemetry.events import Event, Level, Sink

FACTS_EVERY = timedelta(minutes=5)
MOST_IN_VAIN = 3
"""So many strays are asked to end without an answer; the others wait for the next sweep."""

BEFORE = timedelta(hours=1)
"""So much earlier than the oldest SlurmJob its job is looked for: clocks differ."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What a turn did; `is_more`: there is more to do at once."""

    done: tuple[Step, ...] = ()
    is_more: bool = False


@dataclass(slots=True, kw_only=True)
class ClusterCycle:
    """`name` is empty for those SlurmJobs that no cluster looks after."""

    name: str
    kubernetes: str
    jobs: Jobs | None
    kube: Kube
    read: Callable[[], Snapshot]
    clusters: Callable[[], Mapping[str, Cluster]]
    tell: Sink
    now: Callable[[], datetime]
    collector: Collector | None = None
    """Makes companions, where this way to Slurm has any."""
    admit: Callable[[Mapping[str, SlurmJob]], None] = lambda _: None
    """Hears, by their marks, of which SlurmJobs Slurm is asked; some bring the way to it."""
    more: Sequence[tuple[Kube, Jobs]] = ()
    """Further connections, by which several are told of, or handed in, at once."""
    is_stopping: Callable[[], bool] = lambda: False
    memory: Memory = field(default_factory=Memory)
    troubles: Troubles = field(init=False)
    _facts: ClusterFacts | None = None
    _facts_at: datetime | None = None
    _sweep: Sweep = field(default_factory=Sweep)

    def __post_init__(self) -> None:
        self.troubles = Troubles(self.tell, self.name)

    def turn(self) -> Turned:
        snapshot = self.read()
        if snapshot.is_too_old:
            return Turned()
        patience = Patience(self.memory)
        with self.troubles.turn():
            plan = self.plan(snapshot)
            ways = ((self.kube, self.jobs), *self.more)
            carriers = [self._carrier(*each, patience) for each in ways]
            for each in plan.before:
                self._carry(each, carriers[0])
            self._carry_together(plan.telling, carriers)
            self._carry_together(plan.new, carriers)
            if self.jobs and self._sweep.is_due(self.now()) and not self.is_stopping():
                self._clear_away(self.jobs, snapshot)
        done = tuple(step for carrier in carriers for step in carrier.done)
        is_more = bool(plan.put_off) and not patience.is_out_for_submits
        return Turned(done, is_more)

    def _carrier(self, kube: Kube, jobs: Jobs | None, patience: Patience) -> Carrier:
        return Carrier(
            kube=kube,
            jobs=jobs,
            memory=self.memory,
            patience=patience,
            tell=self.tell,
            trouble=self.troubles.of_job,
            now=self.now,
            collector=self.collector,
        )

    def _carry(self, plan: JobPlan, carrier: Carrier) -> None:
        if not self.is_stopping():
            with self.troubles.catching(plan.job):
                carrier.carry(plan)

    def _carry_together(self, plans: Sequence[JobPlan], carriers: Sequence[Carrier]) -> None:
        """Carry several out at once, each by connections of its own."""
        if len(plans) <= 1 or len(carriers) == 1:
            for each in plans:
                self._carry(each, carriers[0])
            return
        free: SimpleQueue[Carrier] = SimpleQueue()
        for carrier in carriers:
            free.put(carrier)

        def carry(plan: JobPlan) -> None:
            carrier = free.get()
            try:
                self._carry(plan, carrier)
            finally:
                free.put(carrier)

        with ThreadPoolExecutor(len(carriers)) as pool:
            for _ in pool.map(carry, plans):
                pass

    def plan(self, snapshot: Snapshot) -> Plan:
        """Say what the next turn would do; this reads only."""
        clusters = self.clusters()
        if self.jobs is None:
            homeless = self._those(
                snapshot.jobs, lambda job: home_of(job, clusters) not in clusters
            )
            plan_one = partial(plan_homeless, clusters=clusters, now=self.now())
            return cut(self._plan_jobs(homeless, plan_one))
        if self.name not in clusters:
            return Plan(())
        mine = [*self._those(snapshot.jobs, lambda job: home_of(job, clusters) == self.name)]
        self.memory.forget_others([job.uid for job in mine])
        mine = [job for job in mine if not self._is_behind(job)]
        sight = self._look(self.jobs, [*self._those(mine, concerns)], clusters)
        plans = self._plan_jobs(mine, partial(plan_job, sight=sight))
        return cut(plans, vain=self.memory.vain)

    def _is_behind(self, job: SlurmJob) -> bool:
        """Whether it is seen as it was before we changed it: events would be told twice."""
        return self.memory.is_behind(job.uid, job.resource_version, self.now())

    def _those(
        self, jobs: Iterable[SlurmJob], are_meant: Callable[[SlurmJob], bool]
    ) -> Iterator[SlurmJob]:
        for job in jobs:
            with self.troubles.catching(job):
                if are_meant(job):
                    yield job

    def _plan_jobs(
        self, jobs: Iterable[SlurmJob], plan_one: Callable[[SlurmJob], tuple[Step, ...]]
    ) -> Iterator[JobPlan]:
        for job in jobs:
            with self.troubles.catching(job):
                yield JobPlan(job, plan_one(job))

    def _look(self, slurm: Jobs, jobs: list[SlurmJob], clusters: Mapping[str, Cluster]) -> Sight:
        now = self.now()
        sight = Sight(
            kubernetes=self.kubernetes,
            cluster=clusters[self.name],
            clusters=clusters,
            now=now,
            found=None,
            memory=self.memory,
            known=sum(map(was_there, jobs)),
        )
        if not jobs:
            return sight
        self.admit({sight.mark_of(job): job for job in jobs})
        found = self._found(slurm, [sight.mark_of(job) for job in jobs], _oldest(jobs))
        sight = sight.with_found(found, self._read_facts(slurm, found))
        sight.remember(jobs)
        self._tell_of_look(found, sight, jobs)
        if sight.are_many_missing:
            self.troubles.note(f"{counted(len(self.memory.missing), 'job')} vanished at once")
        return self._with_companions(sight, jobs)

    def _tell_of_look(self, found: Found, sight: Sight, jobs: list[SlurmJob]) -> None:
        """Where the way of one SlurmJob is shut that is its own trouble, and no silence."""
        is_silent = found.is_silent
        self.troubles.note_silence((found.said or "it says nothing") if is_silent else "")
        for job in jobs:
            if why := found.shut.get(sight.mark_of(job)):
                self.troubles.of_job(job, Unreached(why))
        counts = {"asked": len(jobs), "unknown": len(found.unknown), "is_silent": is_silent}
        fields = {"cluster": self.name, **counts}
        self.tell(Event(name="jobs.looked_up", level=Level.DEBUG, fields=fields))

    def _with_companions(self, sight: Sight, jobs: list[SlurmJob]) -> Sight:
        open_ones = [job for job in jobs if needs_pods(job, sight)]
        if self.collector is None or not open_ones:
            return sight
        return sight.with_companions(self.collector.look(open_ones, self.troubles.note))

    def _found(self, slurm: Jobs, marks: list[str], since: datetime | None) -> Found:
        try:
            return slurm.look_up(marks, since)
        except JobsError as error:
            return Found(self.now(), {}, frozenset(), frozenset(marks), str(error))

    def _read_facts(self, slurm: Jobs, found: Found) -> ClusterFacts | None:
        now = self.now()
        is_due = self._facts_at is None or now - self._facts_at >= FACTS_EVERY
        if is_due and (found.jobs or found.absent or found.tried):
            try:
                self._facts, self._facts_at = slurm.read_facts(), now
            except JobsError as error:
                self.troubles.note(str(error))
        return self._facts

    def _clear_away(self, slurm: Jobs, snapshot: Snapshot) -> None:
        """Cancel what carries a mark of ours though its SlurmJob is gone."""
        self._sweep = replace(self._sweep, tried=self.now())
        try:
            marked = slurm.list_marked(prefix_of(self.kubernetes))
            kept = self.kube.read_kept()
            if marked.unknown or marked.said:
                return
            there = {job.uid for job in snapshot.jobs}
            found = sweep(self._sweep, self.kubernetes, marked.jobs, there, kept, self.now())
            self._sweep = found.next
            self._cancel_strays(slurm, found)
            over = {uid for uid in found.over if kept[uid] == self.name}
            if over and self._lists_all():
                self.kube.forget_kept(over)
        except (JobsError, KubeError) as error:
            self.troubles.note(f"jobs without a SlurmJob were not looked for: {error}")

    def _lists_all(self) -> bool:
        """Whether what is not listed is over: over ssh it may be of an account that is not open."""
        cluster = self.clusters().get(self.name)
        return cluster is not None and isinstance(cluster.by, ByGateway)

    def _cancel_strays(self, slurm: Jobs, found: Swept) -> None:
        in_vain = 0
        for ref in found.strays:
            try:
                slurm.cancel(ref)
            except JobsError as error:
                self.troubles.note(f"job {ref.job_id}, which has no SlurmJob: {error}")
                in_vain += isinstance(error, Unreached | OutcomeUnknown)
                if in_vain == MOST_IN_VAIN:
                    break
                continue
            fields = {"cluster": self.name, "job": ref.job_id, "mark": ref.mark}
            event = Event(name="stray.cancelled", level=Level.WARNING, fields=fields)
            self.tell(event)
        if found.left:
            left: dict[str, object] = {"cluster": self.name, "left": found.left}
            self.tell(Event(name="stray.many", level=Level.ERROR, fields=left))


def _oldest(jobs: list[SlurmJob]) -> datetime | None:
    created = [job.created for job in jobs]
    known = [each for each in created if each is not None]
    return min(known) - BEFORE if len(known) == len(created) else None
