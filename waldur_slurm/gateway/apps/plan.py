"""What is to be done to a managed job: its record, what is wished, and what Slurm says. Pure.

Steps stand in an order in which it is safe to stop after any of them: asked again, the rest follows
from the record alone. Silence of Slurm never starts, stops or removes anything.
"""

from dataclasses import dataclass
from enum import Enum, auto

from waldur_slurm.gateway.apps.job import UNKNOWN, End, ManagedJob, Stage
from waldur_slurm.gateway.errors import Busy, NotNow
from waldur_slurm.model.live import LiveJob


class Wish(Enum):
    MAKE = auto()
    START = auto()
    STOP = auto()
    PRUNE = auto()
    PRUNE_ANYWAY = auto()
    DELETE = auto()


@dataclass(frozen=True, slots=True)
class Idle:
    """No run is open: it was never started, or all that was has ended."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """The last run was about to be submitted; whether it was only its key can tell."""


@dataclass(frozen=True, slots=True)
class Live:
    """slurmctld lists it, and it has not ended."""

    job: LiveJob


@dataclass(frozen=True, slots=True)
class Over:
    end: End
    account: str = ""
    stdout: str = ""


@dataclass(frozen=True, slots=True)
class Gone:
    """slurmctld answers and does not list it, and the accounting does not know it."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Nobody tells: it may be waiting, running or over."""

    why: str


Said = Idle | Unsent | Live | Over | Gone | Silent


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    """As the user, for nobody but him."""


@dataclass(frozen=True, slots=True)
class WriteScript:
    """As the user."""


@dataclass(frozen=True, slots=True)
class SetStage:
    stage: Stage


@dataclass(frozen=True, slots=True)
class NoteEnd:
    run: str
    end: End


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Write down that a run begins, before Slurm hears of it."""


@dataclass(frozen=True, slots=True)
class Submit:
    """Hand in the open run: once, however often it is done. What makes no job leaves no run."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """End the open run's job."""


@dataclass(frozen=True, slots=True)
class Empty:
    """Remove what the directory holds, but for the script."""


@dataclass(frozen=True, slots=True)
class RemoveTree:
    """Remove the directory with all that is in it."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove the record."""


Step = (
    MakeDirectory
    | WriteScript
    | SetStage
    | NoteEnd
    | OpenRun
    | Submit
    | Cancel
    | Empty
    | RemoveTree
    | Forget
)


def plan(job: ManagedJob, wish: Wish, said: Said) -> tuple[Step, ...]:
    """Return what is to be done; raises `Busy` or `NotNow` where nothing may be."""
    match wish:
        case Wish.MAKE:
            return (MakeDirectory(), WriteScript(), SetStage(Stage.READY))
        case Wish.START:
            return _plan_start(job, said)
        case Wish.STOP:
            return _plan_stop(job, said)
        case Wish.PRUNE:
            return (*_plan_over(job, said, "clear"), Empty())
        case Wish.PRUNE_ANYWAY:
            return (Empty(),)
        case Wish.DELETE:
            return (
                *_plan_stop(job, said),
                SetStage(Stage.DELETING),
                RemoveTree(),
                Forget(),
            )


def plan_rest(job: ManagedJob, said: Said) -> tuple[Step, ...]:
    """Plan what is left of a job that a gateway which ended left half made, started or removed.

    Whoever asked for one that was never ready was told of none: it goes.
    """
    if job.stage is Stage.READY:
        return (Submit(),) if isinstance(said, Unsent) else ()
    return (*_plan_stop(job, said), RemoveTree(), Forget())


def is_started(job: ManagedJob, said: Said) -> bool:
    """Whether it waits or runs, as far as anybody can tell; silence ends nothing."""
    return job.open_run is not None and not isinstance(said, Over | Gone | Idle)


def _plan_start(job: ManagedJob, said: Said) -> tuple[Step, ...]:
    match said:
        case Idle():
            return (OpenRun(), Submit())
        case Unsent():
            return (Submit(),)
        case Live():
            return ()
        case Over() | Gone():
            return (*_plan_end(job, said), OpenRun(), Submit())
        case Silent():
            raise _not_now(said, "it is not started a second time")


def _plan_stop(job: ManagedJob, said: Said) -> tuple[Step, ...]:
    """A run that may have been handed in or not is handed in, which finds it, and then ended."""
    match said:
        case Idle():
            return ()
        case Unsent():
            return (Submit(), Cancel())
        case Live():
            return (Cancel(),)
        case Over() | Gone():
            return _plan_end(job, said)
        case Silent():
            raise _not_now(said, "it is left as it is")


def _plan_over(job: ManagedJob, said: Said, to_do: str) -> tuple[Step, ...]:
    match said:
        case Live() | Unsent():
            raise Busy(f"the job is started; stop it first, or {to_do} it with ?force")
        case Silent():
            raise _not_now(said, "it is left as it is")
        case _:
            return _plan_end(job, said)


def _plan_end(job: ManagedJob, said: Said) -> tuple[Step, ...]:
    run = job.open_run
    if run is None:
        return ()
    if isinstance(said, Over):
        return (NoteEnd(run.id, said.end),)
    return (NoteEnd(run.id, End(UNKNOWN)),) if isinstance(said, Gone) else ()


def _not_now(said: Silent, what: str) -> NotNow:
    return NotNow(f"Slurm does not say how the job is, so {what}: {said.why}", 5.0)
