"""A sheet says the same to every version of slurmrestd, or is refused before it is sent."""

import pytest

from waldur_slurm.hand.options import NotAllowed
from waldur_slurm.model.batch import BatchSheet, VariablesFile
from waldur_slurm.slurm.rest.grammar.jobs import job_body

SCRIPT = "#!/bin/sh\ntrue\n"


def _job(
    version: int = 45,
    script: str = SCRIPT,
    variables: dict[str, str] | None = None,
    **options: str | None,
) -> dict[str, object]:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    job = job_body(BatchSheet(script, named, variables), version, "/home/ann")["job"]
    assert isinstance(job, dict)
    return job


@pytest.mark.parametrize(
    ("version", "limit", "nodes", "environment"),
    [
        (38, 90, [1, 2], {"PATH": "/usr/local/bin:/usr/bin:/bin"}),
        (40, {"set": True, "number": 90}, "1-2", ["PATH=/usr/local/bin:/usr/bin:/bin"]),
        (45, {"set": True, "number": 90}, "1-2", ["PATH=/usr/local/bin:/usr/bin:/bin"]),
    ],
)
def test_numbers_nodes_and_variables_are_spelt_as_the_version_has_them(
    version: int, limit: object, nodes: object, environment: object
) -> None:
    job = _job(version, time="1:30:00", nodes="1-2")
    assert (job["time_limit"], job["nodes"], job["environment"]) == (limit, nodes, environment)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("5", 5), ("5:30", 6), ("1:00:00", 60), ("2-0", 2880), ("1-02:03", 1563), ("0:01", 1)],
)
def test_a_time_is_whole_minutes_rounded_up(text: str, minutes: int) -> None:
    assert _job(38, time=text)["time_limit"] == minutes


@pytest.mark.parametrize(("text", "mib"), [("10", 10), ("10M", 10), ("2G", 2048), ("1500K", 2)])
def test_memory_is_mebibytes_rounded_up(text: str, mib: int) -> None:
    assert _job(38, mem=text)["memory_per_node"] == mib


def test_output_lies_where_the_job_runs_unless_it_says_where() -> None:
    assert _job()["standard_output"] == "/home/ann/slurm-%j.out"
    assert _job(chdir="/data", output="out")["standard_output"] == "/data/out"
    assert _job(array="1-2")["standard_output"] == "/home/ann/slurm-%A_%a.out"
    assert _job(output="/there")["standard_output"] == "/there"


def test_lines_of_the_script_are_read_up_to_its_first_command() -> None:
    script = (
        "#!/bin/bash\n# a word\n\n#SBATCH -c 4 --time=10 # why\n#SBATCH -J 'a b'\n"
        "true\n#SBATCH --time=20\n"
    )
    job = _job(38, script)
    assert (job["cpus_per_task"], job["time_limit"], job["name"]) == (4, 10, "a b")


@pytest.mark.parametrize(
    "line",
    [
        "--uid=0",
        "--gres=gpu:1",
        "--wait",
        "--time",
        "--time=never",
        "--job-name='open",
        "word",
        "-Z",
    ],
)
def test_what_cannot_be_said_of_a_script_is_refused_and_not_left_out(line: str) -> None:
    with pytest.raises(NotAllowed):
        _job(38, f"#!/bin/sh\n#SBATCH {line}\ntrue\n")


def test_variables_in_a_file_are_refused() -> None:
    with pytest.raises(NotAllowed):
        job_body(BatchSheet(SCRIPT, {}, VariablesFile("/home/ann/environ")), 45, "/home/ann")
