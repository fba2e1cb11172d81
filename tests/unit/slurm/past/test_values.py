"""What sacct prints of times, memory and steps is read, or refused."""

import pytest

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.batch import JobId, Task
from waldur_slurm.slurm.past.grammar.columns import StepRow
from waldur_slurm.slurm.past.grammar.parsers import parse_bytes, parse_cpu_time, parse_step

STEP = StepRow(
    "12_3.batch", "COMPLETED", "100", "160", "60", "4", "1", "1-00:00:01.500", "1536K",
    "cpu=00:01:00,gres/gpumem=2G,gres/gpuutil=50,mem=1536K", "gres/gpuutil=180,energy=0,mem=4M",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("00:00.379", 0.379), ("00:00:00", 0), ("01:02:03", 3723), ("2-00:00:01", 172_801)],
)
def test_a_time_of_cpus_has_several_forms(text: str, seconds: float) -> None:
    assert parse_cpu_time(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("12", 12), ("1536K", 1_572_864), ("1.50M", 1_572_864)]
)
def test_memory_is_told_in_bytes(text: str, number: int) -> None:
    assert parse_bytes(text) == number


@pytest.mark.parametrize("text", ["", "abc", "-1", "1X", "00:00:00:00", "1:"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(UnparsableOutput):
        parse_cpu_time(text)
    with pytest.raises(UnparsableOutput):
        parse_bytes(text)


def test_a_step_tells_of_gpus_where_the_site_gathers_them() -> None:
    step = parse_step(STEP, ("batch",))
    assert step is not None
    assert (step.job, step.step) == (JobId(12, Task(3)), "batch")
    assert step.cpu_seconds == pytest.approx(86_401.5)
    assert (step.most_memory_bytes, step.memory_bytes) == (1_572_864, 4 * 2**20)
    assert (step.gpu_utilization, step.most_gpu_memory_bytes) == (180, 2 * 2**30)
    without = parse_step(STEP._replace(maxrss="", tresusageinmax="", tresusageintot=""), ("x",))
    assert without is not None
    assert without.most_memory_bytes is None
    assert (without.gpu_utilization, without.most_gpu_memory_bytes) == (None, None)


def test_a_jobs_own_row_is_no_step() -> None:
    assert parse_step(STEP._replace(jobid="12_3"), ("name",)) is None
