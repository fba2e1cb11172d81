"""Who is not asked again in this turn, since asking was in vain once. Pure.

A Slurm that hangs costs the patience of one request, for each kind of it, and not of one for each
SlurmJob. Over ssh each account is a door of its own: what is wrong with one keeps nobody else out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from waldur_slurm.operator.jobs.memory import Memory
from waldur_slurm.operator.jobs.port import OutcomeUnknown, Unreached
from waldur_slurm.operator.jobs.steps import (
    Cancel,
    MakeCompanion,
    SetStatus,
    Steer,
    Step,
    Submit,
)
from waldur_slurm.operator.model.slurm_job import SlurmJob, Ssh

Door = tuple[type[Step], str, Ssh | None]
"""One kind of step, by one way; the namespace only counts where it brings the account."""


@dataclass(slots=True)
class Patience:
    """For one turn; `memory` outlasts it, so that whoever failed is asked about last next time."""

    memory: Memory
    shut: set[Door] = field(default_factory=set)

    def is_out(self, job: SlurmJob, step: Step) -> bool:
        return _door(job, step) in self.shut

    def is_out_for_any(self, job: SlurmJob, steps: tuple[Step, ...]) -> bool:
        """Whether something of it could not be done, so that nothing should be begun."""
        acts = (Submit, Cancel, Steer, MakeCompanion)
        return any(isinstance(step, acts) and self.is_out(job, step) for step in steps)

    @property
    def is_out_for_submits(self) -> bool:
        return any(kind is Submit for kind, _, _ in self.shut)

    @contextmanager
    def asking(self, job: SlurmJob, step: Step) -> Iterator[None]:
        try:
            yield
        except (Unreached, OutcomeUnknown):
            self.shut.add(_door(job, step))
            self.memory.note_vain(job.uid)
            raise
        if not isinstance(step, SetStatus):
            self.memory.vain.pop(job.uid, None)


def _door(job: SlurmJob, step: Step) -> Door:
    ssh = job.spec.ssh
    return (type(step), job.namespace if ssh else "", ssh)
