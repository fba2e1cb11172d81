"""How much of what a job held it used. Pure.

Shares are of what was allocated for the time that it ran; None is what the site does not measure,
or what cannot be known yet. Memory is what tasks took at most, those of steps that ran beside each
other added up: no less than what was used at once on all nodes together.
"""

from collections.abc import Collection
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

from waldur_slurm.model.past import PastRun, PastStep
from waldur_slurm.model.tres import tres_name

_GPU, _MEM = tres_name("gres/gpu"), tres_name("mem")
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Efficiency:
    """`time` is the share of its limit; a job without one has none."""

    cpu: float | None = None
    memory: float | None = None
    gpu: float | None = None
    time: float | None = None
    cpu_seconds: float | None = None
    most_memory_bytes: int | None = None


def efficiency(run: PastRun, steps: Collection[PastStep]) -> Efficiency:
    """Judge a run by its steps; of one that has not ended nothing is said.

    No time of a CPU and no memory at all is what a site shows that measures nothing.
    """
    if not run.state.is_terminal or run.start is None:
        return Efficiency()
    memory = _most_memory(steps)
    used = sum(step.cpu_seconds for step in steps) or (None if memory is None else 0.0)
    held = run.elapsed_s * run.cpus
    return Efficiency(
        cpu=_share(used, held),
        memory=_share(memory, run.allocated.get(_MEM, 0) * _MIB),
        gpu=_gpu_share(run, steps),
        time=_share(run.elapsed_s, run.limit_s or 0),
        cpu_seconds=used,
        most_memory_bytes=memory,
    )


def _share(used: float | None, held: float) -> float | None:
    return None if used is None or held <= 0 else round(used / held, 4)


def _most_memory(steps: Collection[PastStep]) -> int | None:
    """Go through the steps as they began: those that had not ended by then ran beside each."""
    known = [(step, memory) for step in steps if (memory := _memory(step)) is not None]
    if not known:
        return None
    beside: list[tuple[float, int]] = []
    at_once = most = 0
    for step, memory in sorted(known, key=lambda each: _began(each[0])):
        while beside and beside[0][0] <= _began(step):
            at_once -= heappop(beside)[1]
        heappush(beside, (_ended(step), memory))
        at_once += memory
        most = max(most, at_once)
    return most


def _memory(step: PastStep) -> int | None:
    """Return its tasks' peaks together; where Slurm has not added them up, the largest for each."""
    if step.memory_bytes is not None or step.most_memory_bytes is None:
        return step.memory_bytes
    return step.most_memory_bytes * (step.tasks or 1)


def _began(step: PastStep) -> float:
    return 0.0 if step.start is None else step.start.timestamp()


def _ended(step: PastStep) -> float:
    return inf if step.end is None else step.end.timestamp()


def _gpu_share(run: PastRun, steps: Collection[PastStep]) -> float | None:
    """Weigh each step by how long it ran: its utilization is a sum over GPUs, in percent."""
    gpus = run.allocated.get(_GPU, 0)
    measured = [
        step.gpu_utilization * step.elapsed_s for step in steps if step.gpu_utilization is not None
    ]
    return _share(sum(measured) / 100, gpus * run.elapsed_s) if measured else None
