"""What may be asked of Slurm about one's jobs, and how an answer can turn out.

`JobRefused` is Slurm's refusal: nothing was done. `AccountingDown` and `CannotStart` say that Slurm
was not reached: nothing was done, try later. `OutcomeUnknown` comes of `submit` alone: the job may
be there or not, so look for it before anything is submitted again. A `TransportError` of what is
not `submit` leaves open whether it was done; doing it again does no harm, but for a requeue, which
may end another run.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Protocol

from waldur_slurm.errors import SlurmError
from waldur_slurm.model.batch import (
    BatchSheet,
    Cancelled,
    Estimate,
    GuardedState,
    JobId,
    Refused,
    Submitted,
    Verb,
)
from waldur_slurm.processes.port import Argv, Completed


class JobRefused(SlurmError):
    """Slurm, or the table of what may be asked of it, refused; nothing was done."""

    def __init__(self, why: Refused) -> None:
        super().__init__(f"{why.refusal.value}: {why.words}")
        self.why = why


class OutcomeUnknown(SlurmError):
    """sbatch's answer was lost, and with it whether there is a job; never try again blindly."""


class Commands(Protocol):
    """A transport that can also hand a job its variables, so that no value is ever cut."""

    def run(
        self,
        argv: Argv,
        *,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
        timeout: timedelta | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Completed: ...


class Batch(Protocol):
    """Jobs as one user submits and controls them."""

    def submit(self, sheet: BatchSheet) -> Submitted: ...

    def estimate(self, sheet: BatchSheet) -> Estimate:
        """Tell when and where it would start; nothing is submitted."""
        ...

    def cancel(
        self, jobs: Collection[JobId], *, signal: str = "", only: GuardedState | None = None
    ) -> Mapping[JobId, Cancelled | Refused]:
        """End jobs, or send them a signal, each by its name and no others; tell of each.

        With `only`, a job that is not in that state is left alone.
        """
        ...

    def control(self, verb: Verb, job: JobId) -> None: ...

    def update(self, job: JobId, changes: Mapping[str, str]) -> None:
        """Change what `waldur_slurm.hand.options.UPDATED` lists, as far as Slurm lets the user.

        What Slurm took before it refused the rest stands.
        """
        ...

    def read_script(self, number: int) -> str:
        """Return the script of the job that slurmctld counts by this number, while it has it."""
        ...
