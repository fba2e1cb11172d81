"""Carries steps out, through Slurm and the API server. One SlurmJob's trouble stops no other's.

What came of a submission that was not answered is written nowhere: the next turn looks. What Slurm
refuses for good is said in its words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from waldur_slurm.operator.errors import ChangedMeanwhile, Gone, KubeError
from waldur_slurm.operator.jobs import status, words
from waldur_slurm.operator.jobs.collector import Collector
from waldur_slurm.operator.jobs.kube import Kube
from waldur_slurm.operator.jobs.memory import Memory
from waldur_slurm.operator.jobs.patience import Patience
from waldur_slurm.operator.jobs.plan import JobPlan
from waldur_slurm.operator.jobs.port import (
    AnotherJob,
    Jobs,
    JobsError,
    NotAllowed,
    OutcomeUnknown,
    Refused,
    Unreached,
)
from waldur_slurm.operator.jobs.steps import (
    Accept,
    Cancel,
    ForgetToken,
    Keep,
    LetGo,
    MakeCompanion,
    SetStatus,
    Steer,
    Step,
    Submit,
    Tail,
    Tell,
)
from waldur_slurm.operator.jobs.words import Verb, Word
from waldur_slurm.operator.model.slurm_job import SlurmJob
from waldur_slurm.telemetry.events import Event, Sink


class Trouble(Protocol):
    """Hears what went wrong with one SlurmJob."""

    def __call__(self, job: SlurmJob, error: Exception) -> None: ...


@dataclass(slots=True, kw_only=True)
class Carrier:
    """`jobs` is the Slurm of one cluster; None where there is none to be asked."""

    kube: Kube
    jobs: Jobs | None
    memory: Memory
    patience: Patience
    tell: Sink
    trouble: Trouble
    now: Callable[[], datetime]
    collector: Collector | None = None
    done: list[Step] = field(default_factory=list)

    def carry(self, plan: JobPlan) -> None:
        """Do its steps until one fails; the rest is decided anew from what is then found."""
        job = plan.job
        if self.patience.is_out_for_any(job, plan.steps):
            return
        for step in plan.steps:
            try:
                job = self._carry(job, step)
            except (ChangedMeanwhile, Gone):
                return
            except (KubeError, JobsError) as error:
                self.trouble(job, error)
                return
            self.done.append(step)

    def _carry(self, job: SlurmJob, step: Step) -> SlurmJob:
        """Return the SlurmJob as it stands then."""
        match step:
            case Submit():
                return self._submit(job, step)
            case SetStatus():
                return self._set_status(job, self._with_tail(job, step))
            case Steer():
                return self._steer(job, step)
            case Cancel():
                self._cancel(job, step)
            case MakeCompanion() | ForgetToken():
                self._collect(job, step)
            case Accept() | Keep() | LetGo() | Tell():
                self._tell_kubernetes(job, step)
        return job

    def _collect(self, job: SlurmJob, step: MakeCompanion | ForgetToken) -> None:
        if self.collector is None:
            return
        match step:
            case MakeCompanion(ref, attempt):
                with self.patience.asking(job, step):
                    is_made = self.collector.make(job, step, self._slurm)
                if is_made:
                    fields = {"slurm_job": ref.job_id, "attempt": attempt}
                    self._note(job, "companion.made", **fields)
            case ForgetToken():
                self.collector.forget_token(job)

    def _tell_kubernetes(self, job: SlurmJob, step: Accept | Keep | LetGo | Tell) -> None:
        match step:
            case Accept(cluster, login):
                self.kube.accept(job, cluster, login)
                self._note_written(job)
            case Keep(cluster):
                self.kube.keep(job.uid, cluster)
            case LetGo():
                self.kube.let_go(job)
                self._note(job, "slurmjob.let_go")
            case Tell(told):
                self.kube.tell(job, told)

    @property
    def _slurm(self) -> Jobs:
        if self.jobs is None:
            raise Unreached("there is no such cluster")
        return self.jobs

    def _submit(self, job: SlurmJob, step: Submit) -> SlurmJob:
        before = self.memory.attempts.get(job.uid)
        self.memory.note_attempt(job.uid, self.now())
        try:
            with self.patience.asking(job, step):
                ref = self._slurm.submit(step.wanted)
        except Refused as refusal:
            self.memory.note_outcome(job.uid, self.now())
            return self._refused(job, step, str(refusal))
        except (NotAllowed, Unreached) as why:
            self.memory.note_nothing_done(job.uid, before)
            if isinstance(why, Unreached) or (before and before.is_open):
                raise
            return self._denied(job, step, str(why))
        self.memory.note_outcome(job.uid, self.now())
        self._note(
            job, "slurmjob.submitted", slurm_job=ref.job_id, cluster=step.cluster, user=ref.user
        )
        said = [*step.said, words.submitted(ref, step.cluster)]
        return self._say(job, said, status.handed_in(job, ref, step.cluster, said, self.now()))

    def _refused(self, job: SlurmJob, step: Submit, why: str) -> SlurmJob:
        self._note(job, "slurmjob.refused", cluster=step.cluster, said=why)
        said = [*step.said, words.refused(why), words.never_ran()]
        return self._say(job, said, status.refused(job, step.cluster, said, self.now()))

    def _denied(self, job: SlurmJob, step: Submit, why: str) -> SlurmJob:
        self.memory.note_denied(job.uid, self.now())
        said = [*step.said, words.not_allowed(step.cluster, why)]
        if status.news(job, said):
            self._note(job, "slurmjob.denied", cluster=step.cluster, said=why)
        now = status.pending(job, step.cluster, "NotAllowed", said, self.now())
        return self._say(job, said, now)

    def _steer(self, job: SlurmJob, step: Steer) -> SlurmJob:
        slurm = self._slurm
        steered = {
            Verb.HOLD: slurm.hold,
            Verb.RELEASE: slurm.release,
            Verb.REQUEUE_HELD: slurm.requeue_held,
        }
        try:
            with self.patience.asking(job, step):
                steered[step.verb](step.job)
        except Refused as refusal:
            is_release = step.verb is Verb.RELEASE
            word = (words.not_resumed if is_release else words.not_suspended)(str(refusal))
            return self._say(job, [word], status.noted(job, [word], self.now()))
        except AnotherJob:
            return (
                job  # it was requeued since it was looked at, mostly by us: the next look shows it
            )
        self._note(job, "slurmjob.steered", slurm_job=step.job.job_id, verb=step.verb.value)
        return job

    def _cancel(self, job: SlurmJob, step: Cancel) -> None:
        try:
            with self.patience.asking(job, step):
                self._slurm.cancel(step.job)
        except (Refused, AnotherJob) as refusal:
            if job.uid not in self.memory.cancelled:
                self.kube.tell(job, words.not_cancelled(step.job, str(refusal)))
            self.memory.cancelled[job.uid] = self.now()
            raise
        except OutcomeUnknown:
            self.memory.cancelled[job.uid] = self.now()
            raise
        self.memory.cancelled[job.uid] = self.now()
        self._note(job, "slurmjob.cancelled", slurm_job=step.job.job_id)

    def _with_tail(self, job: SlurmJob, step: SetStatus) -> Mapping[str, Any]:
        """Without it, where it cannot be had just now: the next turn asks again."""
        if step.tail is None or self.patience.is_out(job, step):
            return step.status
        try:
            with self.patience.asking(job, step):
                return status.with_tail(step.status, self._read_tail(step.tail))
        except Refused as refusal:
            return status.with_tail(step.status, b"", str(refusal))
        except JobsError as error:
            self.trouble(job, error)
            return step.status

    def _read_tail(self, tail: Tail) -> bytes:
        for stream in tail.streams:
            found = self._slurm.read_tail(tail.job, stream, status.LONGEST_TAIL)
            if found.strip():
                return found
        return b""

    def _say(self, job: SlurmJob, said: list[Word], now: Mapping[str, Any]) -> SlurmJob:
        for word in status.news(job, said):
            self.kube.tell(job, word.told())
        return self._set_status(job, now)

    def _set_status(self, job: SlurmJob, now: Mapping[str, Any]) -> SlurmJob:
        if now != job.status:
            self.kube.patch_status(job, now)
            self._note_written(job)
        return replace(job, status=now)

    def _note_written(self, job: SlurmJob) -> None:
        self.memory.note_written(job.uid, job.resource_version, self.now())

    def _note(self, job: SlurmJob, name: str, **fields: object) -> None:
        about = {"namespace": job.namespace, "name": job.name, "uid": job.uid}
        self.tell(Event(name=name, fields={**about, **fields}, is_change=True))
