"""A job as the command line shows it: a row of a list, or all that is known of it. Pure."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from waldur_slurm.gateway.cli.tables import Column
from waldur_slurm.gateway.cli.words import NOTHING, counted, memory, moment, share, size, span
from waldur_slurm.gateway.wire import EfficiencyView, JobView, ReasonAnswer

Row = tuple[str, ...]


class Cell(NamedTuple):
    column: Column
    read: Callable[[JobView], str]


def _where(job: JobView) -> str:
    """Name its nodes, or why it has none, as squeue does."""
    return job.nodes or (f"({job.state.reason})" if job.state.reason else NOTHING)


def _exit(job: JobView) -> str:
    return NOTHING if job.exit is None else f"{job.exit.code}:{job.exit.signal}"


QUEUE: tuple[Cell, ...] = (
    Cell(Column("JOB"), lambda job: job.job_id),
    Cell(Column("USER"), lambda job: job.user),
    Cell(Column("ACCOUNT", gives=True), lambda job: job.account),
    Cell(Column("PARTITION", gives=True), lambda job: job.partition),
    Cell(Column("STATE"), lambda job: job.state.base),
    Cell(Column("TIME", is_right=True), lambda job: span(job.times.elapsed_s)),
    Cell(Column("NODES", is_right=True), lambda job: str(job.resources.nodes)),
    Cell(Column("CPUS", is_right=True), lambda job: str(job.resources.cpus)),
    Cell(Column("NAME", gives=True), lambda job: job.name),
    Cell(Column("NODELIST(REASON)", gives=True), _where),
)

HISTORY: tuple[Cell, ...] = (
    Cell(Column("JOB"), lambda job: job.job_id),
    Cell(Column("USER"), lambda job: job.user),
    Cell(Column("ACCOUNT", gives=True), lambda job: job.account),
    Cell(Column("PARTITION", gives=True), lambda job: job.partition),
    Cell(Column("STATE"), lambda job: job.state.base),
    Cell(Column("EXIT", is_right=True), _exit),
    Cell(Column("START"), lambda job: moment(job.times.start)),
    Cell(Column("TIME", is_right=True), lambda job: span(job.times.elapsed_s)),
    Cell(Column("CPUS", is_right=True), lambda job: str(job.resources.cpus)),
    Cell(Column("NAME", gives=True), lambda job: job.name),
)

EFFICIENCY: tuple[Cell, ...] = (
    Cell(Column("CPU", is_right=True), lambda job: share(_used(job).cpu)),
    Cell(Column("MEM", is_right=True), lambda job: share(_used(job).memory)),
    Cell(Column("GPU", is_right=True), lambda job: share(_used(job).gpu)),
)

_UNUSED = EfficiencyView(None, None, None, None, None, None)


def _used(job: JobView) -> EfficiencyView:
    return job.efficiency or _UNUSED


FIELDS: dict[str, Callable[[JobView], object]] = {
    "job_id": lambda job: job.job_id,
    "user": lambda job: job.user,
    "account": lambda job: job.account,
    "partition": lambda job: job.partition,
    "qos": lambda job: job.qos,
    "state": lambda job: job.state.raw,
    "reason": lambda job: job.state.reason,
    "outcome": lambda job: job.outcome,
    "exit_code": lambda job: job.exit and job.exit.code,
    "signal": lambda job: job.exit and job.exit.signal,
    "submit": lambda job: job.times.submit.isoformat(),
    "start": lambda job: job.times.start and job.times.start.isoformat(),
    "end": lambda job: job.times.end and job.times.end.isoformat(),
    "elapsed_s": lambda job: job.times.elapsed_s,
    "wait_s": lambda job: job.times.wait_s,
    "nodes": lambda job: job.resources.nodes,
    "cpus": lambda job: job.resources.cpus,
    "mem_mb": lambda job: job.resources.mem_mb,
    "gpus": lambda job: job.resources.gpus,
    "hosts": lambda job: job.nodes,
    "name": lambda job: job.name,
}
"""Columns of CSV."""


_HOLDS = {"pending": "Asks for", "running": "Holds", "suspended": "Holds"}


def details(job: JobView) -> Iterator[tuple[str, str]]:
    """Yield what is known of it, as a label and a text."""
    yield "Job", f"{job.job_id} on {job.cluster}"
    yield "Name", job.name
    yield "Owner", f"{job.user}, account {job.account or NOTHING}, QoS {job.qos or NOTHING}"
    yield "State", _state(job)
    yield "Where", f"{job.partition}: {job.nodes or 'no nodes yet'}"
    yield _HOLDS.get(job.phase, "Had"), _resources(job)
    yield from _times(job)
    for label, text in (
        ("Folder", job.work_dir),
        ("Output", job.stdout),
        ("Errors", job.stderr if job.stderr != job.stdout else None),
        ("Depends", job.dependency),
        ("Mark", job.mark),
        ("Comment", job.comment if job.comment != job.mark else None),
    ):
        if text:
            yield label, text
    if job.efficiency is not None:
        yield "Used", used(job.efficiency)


def why(answer: ReasonAnswer) -> Iterator[tuple[str, str]]:
    """Yield why it waits and when it may start; of one that does not wait, nothing."""
    if answer.reason is not None:
        word = f" ({answer.reason.word})" if answer.reason.word else ""
        yield "Waits", f"{answer.reason.says}{word}"
        for fact in answer.reason.evidence:
            yield "", fact.says
        yield "To do", answer.reason.advice
    if answer.estimate is not None:
        yield "Starts", answer.estimate.says


def used(efficiency: EfficiencyView) -> str:
    """Say what it used of what it held; nothing is said of what is not measured."""
    shares = (
        (efficiency.cpu, "of its CPUs' time"),
        (efficiency.memory, f"of its memory ({size(efficiency.most_memory_bytes)} at most)"),
        (efficiency.gpu, "of its GPUs' time"),
        (efficiency.time, "of its time limit"),
    )
    said = [f"{share(part)} {what}" for part, what in shares if part is not None]
    return ", ".join(said) or "not measured"


def ended(job: JobView) -> str:
    """Say in a line how it ended, or how far it is."""
    code = f", exit code {_exit(job)}" if job.exit else ""
    return f"Job {job.job_id} is {job.state.raw}{code}, after {span(job.times.elapsed_s)}."


def _state(job: JobView) -> str:
    restarts = f", restarted {counted(job.restarts, 'time')}" if job.restarts else ""
    code = f", exit code {_exit(job)}" if job.exit else ""
    return f"{job.state.raw}{code}{restarts}"


def _resources(job: JobView) -> str:
    held = job.resources
    parts = [counted(held.nodes, "node"), counted(held.cpus, "CPU")]
    if held.mem_mb is not None:
        parts.append(f"{memory(held.mem_mb)} of memory")
    if held.gpus:
        parts.append(counted(held.gpus, "GPU"))
    return ", ".join(parts)


def _times(job: JobView) -> Iterator[tuple[str, str]]:
    times = job.times
    yield "Submitted", moment(times.submit)
    if job.phase != "pending" and times.start:
        yield "Started", moment(times.start)
    if job.terminal and times.end:
        yield "Ended", moment(times.end)
    limit = f" of {span(times.limit_s)}" if times.limit_s is not None else ""
    yield "Ran", f"{span(times.elapsed_s)}{limit}"
