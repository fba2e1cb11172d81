"""Efficiency: shares that are right for several steps and nodes, nothing where it is unknown."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.past import BEGAN, past_run
from waldur_slurm.gateway.past.efficiency import Efficiency, efficiency
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.past import PastRun, PastStep
from waldur_slurm.model.tres import tres_name

GIB = 1024**3
RUN = past_run(
    elapsed_s=3600,
    cpus=8,
    limit_s=7200,
    allocated={tres_name("mem"): 16 * 1024, tres_name("gres/gpu"): 2},
)


def step(name: str = "batch", **changes: Any) -> PastStep:
    known: dict[str, Any] = {
        "job": JobId(1),
        "step": name,
        "state": JobState("COMPLETED"),
        "start": BEGAN,
        "end": BEGAN + timedelta(hours=1),
        "elapsed_s": 3600,
        "cpus": 8,
        "tasks": 1,
        "cpu_seconds": 0.0,
        "most_memory_bytes": None,
        "gpu_utilization": None,
        "most_gpu_memory_bytes": None,
    }
    return PastStep(**(known | changes))


def test_processor_time_is_added_up_over_all_steps() -> None:
    found = efficiency(RUN, [step(cpu_seconds=7200.0), step("0", cpu_seconds=7200.0)])

    assert found.cpu == 0.5
    assert found.cpu_seconds == 14_400


def at(name: str, begin: int, end: int, **changes: Any) -> PastStep:
    """A step from one minute to another."""
    times = {"start": BEGAN + timedelta(minutes=begin), "end": BEGAN + timedelta(minutes=end)}
    return step(name, **{**times, **changes})


def test_memory_is_that_of_all_tasks_on_all_nodes() -> None:
    uneven = step("0", tasks=4, most_memory_bytes=6 * GIB, memory_bytes=8 * GIB)
    assert efficiency(RUN, [uneven]).memory == 0.5


def test_where_slurm_does_not_add_tasks_up_each_is_taken_as_the_largest() -> None:
    assert efficiency(RUN, [step("0", tasks=4, most_memory_bytes=2 * GIB)]).memory == 0.5


def test_memory_of_steps_one_after_the_other_is_the_largest_ones() -> None:
    steps = [
        at("0", 0, 10, memory_bytes=2 * GIB),
        at("1", 10, 20, memory_bytes=4 * GIB),
        at("2", 20, 20, memory_bytes=4 * GIB),
        at("3", 20, 30, memory_bytes=3 * GIB),
    ]
    assert efficiency(RUN, steps).memory == 0.25


def test_memory_of_steps_beside_each_other_is_added_up() -> None:
    steps = [
        at("batch", 0, 60, memory_bytes=GIB),
        at("0", 0, 10, memory_bytes=2 * GIB),
        at("1", 10, 30, memory_bytes=3 * GIB),
        at("2", 20, 40, memory_bytes=4 * GIB),
        at("3", 50, 60, memory_bytes=5 * GIB),
        at("4", 55, 60),
    ]
    assert efficiency(RUN, steps).most_memory_bytes == 8 * GIB
    assert efficiency(RUN, [*reversed(steps)]).most_memory_bytes == 8 * GIB


def test_a_step_whose_end_is_not_told_is_taken_to_have_gone_on() -> None:
    steps = [step("0", end=None, memory_bytes=GIB), at("1", 30, 40, memory_bytes=GIB)]
    assert efficiency(RUN, steps).most_memory_bytes == 2 * GIB


def test_gpus_are_weighed_by_how_long_each_step_ran() -> None:
    steps = [
        step("0", elapsed_s=1800, gpu_utilization=200),
        step("1", elapsed_s=1800, gpu_utilization=0),
    ]

    assert efficiency(RUN, steps).gpu == 0.5


def test_time_is_the_share_of_the_limit() -> None:
    assert efficiency(RUN, []).time == 0.5


def test_what_is_not_measured_is_not_nought() -> None:
    found = efficiency(RUN, [])

    assert (found.cpu, found.memory, found.gpu, found.cpu_seconds) == (None, None, None, None)


@pytest.mark.parametrize(
    "run",
    [past_run(state=JobState("RUNNING"), end=None), past_run(start=None)],
    ids=["one that runs", "one that never began"],
)
def test_nothing_is_said_of_a_run_that_has_not_ended_or_begun(run: PastRun) -> None:
    assert efficiency(run, [step(cpu_seconds=1.0)]) == Efficiency()


def test_a_site_that_measures_nothing_is_not_said_to_have_used_nothing() -> None:
    unmeasured = step(cpu_seconds=0.0, most_memory_bytes=None)
    idle = step(cpu_seconds=0.0, most_memory_bytes=4096)

    assert efficiency(RUN, [unmeasured]).cpu is None
    assert efficiency(RUN, [idle]).cpu == 0.0
