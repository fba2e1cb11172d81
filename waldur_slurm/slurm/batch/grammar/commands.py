"""Arguments of sbatch, scancel and scontrol, all from the hand's own table. Pure.

Every option is one argument. The script comes on stdin, variables come in a file, so that nothing
that somebody wrote is ever read as a list.
"""

from collections.abc import Collection, Mapping

from waldur_slurm.hand.options import NotAllowed, built_argv
from waldur_slurm.model.batch import BatchSheet, GuardedState, JobId, VariablesFile, Verb
from waldur_slurm.processes.port import Argv

OURS = ("parsable", "test-only")
OF_VARIABLES = ("export", "export-file")


def submit(sheet: BatchSheet) -> Argv:
    """Ask for nothing but the job's number on stdout."""
    return built_argv("sbatch", {"parsable": None, **_options(sheet)})


def estimate(sheet: BatchSheet) -> Argv:
    return built_argv("sbatch", {"test-only": None, **_options(sheet)})


def _options(sheet: BatchSheet) -> Mapping[str, str | None]:
    for name in OURS if sheet.variables is None else OURS + OF_VARIABLES:
        if name in sheet.options:
            raise NotAllowed(f"sbatch --{name} is not for a sheet to say")
    if isinstance(sheet.variables, VariablesFile):
        return {**sheet.options, "export": "ALL", "export-file": sheet.variables.path}
    return sheet.options


def cancel(jobs: Collection[JobId], signal: str, only: GuardedState | None) -> Argv:
    """Say what becomes of each job: without `verbose` one that is not there is no error."""
    options: dict[str, str | None] = {"verbose": None}
    if signal:
        options["signal"] = signal
    if only is not None:
        options["state"] = only.value
    if not jobs:
        raise NotAllowed("scancel without a job would take a whole user's")
    return built_argv("scancel", options, [job.named for job in jobs])


def control(verb: Verb, job: JobId) -> Argv:
    return built_argv("scontrol", {}, (verb.value, job.named))


def update(job: JobId, changes: Mapping[str, str]) -> Argv:
    words = (f"{key}={value}" for key, value in changes.items())
    return built_argv("scontrol", {}, ("update", f"JobId={job.named}", *words))


def write_script(number: int) -> Argv:
    return built_argv("scontrol", {}, ("write", "batch_script", str(number), "-"))
