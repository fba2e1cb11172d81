"""Takes tasks, each once: its uuid and its monitor are written down before anything is done.

A uuid stands for one task of its owner as long as the monitor is kept. A task without a job is
under way, or was left behind by a gateway that ended: whether it has a job after all is found out
before anything else is done under its uuid.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from uuid import uuid4

from waldur_slurm.errors import ExpectedError, StateError
from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.acting.audit import Act, Audit
from waldur_slurm.gateway.acting.words import refusals
from waldur_slurm.gateway.errors import (
    GatewayError,
    NotNow,
    NotThere,
    OtherBody,
    OutcomeUnknown,
    Refused,
)
from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.submits.attempt import Key, Placed, Wanted
from waldur_slurm.gateway.submits.submitter import Submitter
from waldur_slurm.gateway.submits.under_way import UnderWay
from waldur_slurm.gateway.tasks.limits import demand_time
from waldur_slurm.gateway.tasks.names import Names
from waldur_slurm.gateway.tasks.plan import Plan, plan
from waldur_slurm.gateway.tasks.port import Tasks, Watched
from waldur_slurm.gateway.tasks.task import Accepted, KeptTask, Task
from waldur_slurm.gateway.watch.monitor import Monitor
from waldur_slurm.model.cluster import Partition

LetAsk = Callable[[str, Mapping[Method, Mapping[str, str]]], None]
"""Lets an owner ask for letters by these ways, or raises what refuses it."""

PartitionsOf = Callable[[str], Collection[Partition]]
"""Of a cluster; may raise where Slurm does not answer."""

SOON_S = 5.0

T = TypeVar("T")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """`wake` is called where something is left to be found out."""

    def __init__(
        self,
        tasks: Tasks,
        submitter: Submitter,
        audit: Audit,
        names: Names,
        let_ask: LetAsk,
        *,
        partitions_of: PartitionsOf = lambda _cluster: (),
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.tasks = tasks
        self.names = names
        self.wake = wake
        self._submitter = submitter
        self._audit = audit
        self._let_ask = let_ask
        self._partitions_of = partitions_of
        self._now = now
        self._under_way = UnderWay()

    def submit(self, actor: Actor, cluster: str, task: Task) -> Accepted:
        """Hand the task's job in, or tell of the one that it has; blocks.

        Raises `OtherBody` where its uuid stands for something else, `Busy` while somebody hands the
        same one in, whatever says that nothing was done, or `OutcomeUnknown`.
        """
        owner = str(actor.caller.principal)
        with self._under_way.alone(Key(owner, task.uuid)):
            stands = self._find(owner, task, cluster)
            if stands is not None:
                return Accepted(stands, _placed(stands), is_again=True)
            planned = plan(task, self.names)
            demand_time(planned.sheet.options, self._partitions(cluster))
            self._let_ask(owner, planned.notice.methods)
            kept = self._reserve(owner, cluster, actor, task, planned)
            placed = self._hand_in(actor, kept, planned)
            return Accepted(replace(kept, placed=placed), placed, is_again=False)

    def _partitions(self, cluster: str) -> Collection[Partition]:
        """What nobody tells is left to Slurm."""
        with suppress(ExpectedError):
            return self._partitions_of(cluster)
        return ()

    def settle(self, task: KeptTask) -> KeptTask | None:
        """Find out what a gateway left behind; None: it made no job, and is forgotten.

        Raises `Busy` where somebody has it in hand, or `OutcomeUnknown`.
        """
        with self._under_way.alone(Key(task.owner, task.uuid)):
            found = _stored(lambda: self.tasks.find(task.owner, task.uuid))
            if found is None or found.placed or found.id != task.id:
                return found
            return self._settle(found)

    def _find(self, owner: str, task: Task, cluster: str) -> KeptTask | None:
        """Return what there is of this very task, with its job; None where there is no job."""
        found = _stored(lambda: self.tasks.find(owner, task.uuid))
        if found is None:
            return None
        if found.fingerprint != task.fingerprint(cluster):
            raise OtherBody(
                f"the uuid {task.uuid} stands for another task{_of_job(found.placed)}; a new task"
                " takes a new uuid"
            )
        return self._told_whole(found, found.placed) if found.placed else self._settle(found)

    def _told_whole(self, task: KeptTask, placed: Placed) -> KeptTask:
        """Add what Slurm did not tell when the job was handed in, if it tells it now."""
        if placed.submitted is not None:
            return task
        with suppress(GatewayError):
            placed = self._submitter.recall(_key(task)) or placed
            _written(lambda: self.tasks.close(task, placed))
        return replace(task, placed=placed)

    def _settle(self, task: KeptTask) -> KeptTask | None:
        """For who has its uuid alone."""
        placed = self._submitter.recall(_key(task))
        if placed is None:
            _written(lambda: self.tasks.free(task))
            return None
        _written(lambda: self.tasks.close(task, placed))
        return replace(task, placed=placed)

    def _reserve(
        self, owner: str, cluster: str, actor: Actor, task: Task, planned: Plan
    ) -> KeptTask:
        now = self._now().replace(microsecond=0)
        kept = KeptTask(
            id=str(uuid4()),
            owner=owner,
            uuid=task.uuid,
            cluster=cluster,
            user=actor.person.name,
            name=task.spec.name,
            fingerprint=task.fingerprint(cluster),
            given=task.given,
            made=now,
            monitor=str(uuid4()),
        )
        stands = _stored(lambda: self.tasks.reserve(kept, _monitor(kept, planned)))
        if stands is None:
            return kept
        if isinstance(stands, Watched):
            raise OtherBody(f"the uuid {task.uuid} is one of a monitor of job {stands.job}")
        raise OtherBody(f"the uuid {task.uuid} stands for another task; take a new one")

    def _hand_in(self, actor: Actor, kept: KeptTask, planned: Plan) -> Placed:
        about = {"task": kept.uuid, "cluster": kept.cluster, "directories": planned.directories}
        act = Act(caller=actor.caller, user=kept.user, what="task.submit", about=about)
        try:
            with self._audit.doing(act) as learned:
                _make(actor, planned.directories)
                wanted = Wanted(kept.cluster, kept.user, planned.sheet)
                placed, _ = self._submitter.submit(actor, _key(kept), wanted)
                learned["job"] = str(placed.job_id)
            _written(lambda: self.tasks.close(kept, placed))
        except OutcomeUnknown:
            self.wake()
            raise
        except GatewayError:
            self._free(kept)
            raise
        return placed

    def _free(self, kept: KeptTask) -> None:
        """What cannot be written down now is later: there is certainly no job."""
        try:
            self.tasks.free(kept)
        except StateError:
            self.wake()


def _make(actor: Actor, directories: tuple[str, ...]) -> None:
    """Make them as the user; those that are there stay as they are."""
    for directory in directories:
        try:
            with refusals():
                actor.files.make(directory, parents=True)
        except OutcomeUnknown as error:
            raise NotNow(f"no job was handed in: {error}", error.after_s) from error
        except NotThere as error:
            raise Refused(f"the directory {directory} cannot be made: {error}") from error


def _monitor(task: KeptTask, planned: Plan) -> Monitor:
    return Monitor(
        id=task.monitor,
        owner=task.owner,
        cluster=task.cluster,
        user=task.user,
        made=task.made,
        methods=planned.notice.methods,
        occasions=planned.notice.occasions,
        uuid=task.uuid,
        task=task.given,
    )


def _key(task: KeptTask) -> Key:
    """A key of this reservation of the uuid alone: of one that was free in between, it is new."""
    return Key(f"task:{task.owner}", task.id)


def _placed(task: KeptTask) -> Placed:
    if task.placed is None:
        raise AssertionError(f"task {task.id} has no job")
    return task.placed


def _of_job(placed: Placed | None) -> str:
    return f", whose job is {placed.job_id}" if placed else ""


def _stored(work: Callable[[], T]) -> T:
    """Ask the store before anything is done."""
    try:
        return work()
    except StateError as error:
        raise NotNow(f"nothing was done: {error}", SOON_S) from error


def _written(work: Callable[[], None]) -> None:
    """Write down what is so already; it is found out again where that fails."""
    try:
        work()
    except StateError as error:
        raise OutcomeUnknown(f"the job may have been handed in: {error}", SOON_S) from error
