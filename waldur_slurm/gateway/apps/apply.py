"""Does the steps of a plan, one after the other, as the job's user where it is about his things."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import uuid4

from waldur_slurm.errors import FileFailed
from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.acting.words import refusals
from waldur_slurm.gateway.apps.job import REFUSED, SCRIPT, End, Jobs, ManagedJob, Run
from waldur_slurm.gateway.apps.plan import (
    Cancel,
    Empty,
    Forget,
    MakeDirectory,
    NoteEnd,
    OpenRun,
    RemoveTree,
    SetStage,
    Step,
    Submit,
    WriteScript,
)
from waldur_slurm.gateway.apps.sheet import sheet_of, stdout_of
from waldur_slurm.gateway.errors import GatewayError, Refused, TooLarge
from waldur_slurm.gateway.submits.attempt import Key, Wanted
from waldur_slurm.gateway.submits.submitter import NOTHING_DONE, Submitter
from waldur_slurm.hand.requests import MOST_SCRIPT
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.batch import Refused as NoCancel

DIRECTORY_MODE = 0o700
SCRIPT_MODE = 0o600
PATIENCE_S = (0.1, 0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Applying:
    """What the steps of one job need; `script` is what a new job gets."""

    jobs: Jobs
    submitter: Submitter
    actor: Actor
    cluster: str
    directory: str
    script: str = ""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def make(self, job: ManagedJob, steps: Iterable[Step]) -> None:
        """Make a job, or leave nothing of it behind."""
        self.jobs.add(job)
        try:
            self.apply(job, steps)
        except GatewayError:
            with suppress(GatewayError):
                self.apply(job, (RemoveTree(), Forget()))
            raise

    def apply(self, job: ManagedJob, steps: Iterable[Step]) -> None:
        """Do them; what was done before one that fails stays done. Blocks."""
        run = job.open_run
        with refusals():
            for step in steps:
                run = self._apply_one(job, run, step)

    def _apply_one(self, job: ManagedJob, run: Run | None, step: Step) -> Run | None:
        match step:
            case OpenRun():
                return self._open_run(job)
            case Submit():
                return self._submit(job, _known(run))
            case Cancel():
                self._cancel(_known(run))
            case SetStage() | NoteEnd() | Forget():
                self._record(job, step)
            case _:
                self._touch(step)
        return run

    def _record(self, job: ManagedJob, step: SetStage | NoteEnd | Forget) -> None:
        match step:
            case SetStage(stage):
                self.jobs.set_stage(job.id, stage)
            case NoteEnd(run_id, end):
                self.jobs.note_end(run_id, end)
            case Forget():
                self.jobs.forget(job.id)

    def _touch(self, step: MakeDirectory | WriteScript | Empty | RemoveTree) -> None:
        match step:
            case MakeDirectory():
                self.actor.files.make(self.directory, mode=DIRECTORY_MODE)
            case WriteScript():
                self._write_script()
            case Empty():
                self.actor.files.remove(self.directory, keep=[SCRIPT])
            case RemoveTree():
                self._remove_tree()

    def _write_script(self) -> None:
        content = self.script.encode()
        if len(content) > MOST_SCRIPT:
            raise TooLarge(f"a script has at most {MOST_SCRIPT} bytes")
        self.actor.files.put(
            f"{self.directory}/{SCRIPT}", (content,), most=MOST_SCRIPT, mode=SCRIPT_MODE
        )

    def _open_run(self, job: ManagedJob) -> Run:
        number = job.runs[-1].number + 1 if job.runs else 1
        run = Run(str(uuid4()), number, self.now().replace(microsecond=0))
        self.jobs.add_run(job.id, run, read_script(self.actor, self.directory))
        return run

    def _submit(self, job: ManagedJob, run: Run) -> Run:
        sheet = sheet_of(self.jobs.script_of(run.id), self.directory)
        wanted = Wanted(self.cluster, job.user, sheet)
        try:
            placed, _ = self.submitter.submit(self.actor, Key(f"app:{job.app}", run.id), wanted)
        except Refused as error:
            self.jobs.note_end(run.id, End(REFUSED, reason=str(error)))
            raise
        except NOTHING_DONE:
            self.jobs.drop_run(run.id)
            raise
        slurm_id = placed.job_id.number
        self.jobs.note_submitted(run.id, slurm_id)
        stdout = stdout_of(sheet, self.directory, slurm_id)
        self.jobs.note_seen(run.id, "", stdout)
        return replace(run, slurm_id=slurm_id, stdout=stdout)

    def _cancel(self, run: Run) -> None:
        """One that ended meanwhile, or is not there, is not running: that is what was asked."""
        job = JobId(run.slurm_id or 0)
        answer = self.actor.batch.cancel((job,)).get(job)
        if isinstance(answer, NoCancel):
            raise Refused(answer.words, answer.refusal.value, answer.limit)

    def _remove_tree(self) -> None:
        """A job that was ended a moment ago may still write what is just being removed."""
        for patience_s in (*PATIENCE_S, None):
            try:
                self.actor.files.remove(self.directory)
            except FileFailed as error:
                if error.errno == "ENOENT":
                    return
                if error.errno != "ENOTEMPTY" or patience_s is None:
                    raise
                self.sleep(patience_s)
            else:
                return


def read_script(actor: Actor, directory: str) -> str:
    """Read a job's script as it is now; raises `TooLarge`, and what files raise."""
    taken = actor.files.take(f"{directory}/{SCRIPT}", length=MOST_SCRIPT + 1)
    content = b"".join(taken.content)
    if len(content) > MOST_SCRIPT:
        raise TooLarge(f"a script has at most {MOST_SCRIPT} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Refused("the script is not UTF-8", "bad-script") from error


def _known(run: Run | None) -> Run:
    if run is None:
        raise AssertionError("a plan submits or cancels without an open run")
    return run
