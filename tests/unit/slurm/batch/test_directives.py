"""What a script says of itself, where a submit that happens once has to mind."""

import pytest

from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.slurm.batch.grammar.directives import forbidden_in, may_wait


def script(*lines: str) -> str:
    return "\n".join(["#!/bin/sh", *lines, "hostname", ""])


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("#SBATCH --clusters=far", "clusters"),
        ("#SBATCH --clusters far", "clusters"),
        ("#SBATCH --cluster=far", "clusters"),
        ("#SBATCH -M far", "clusters"),
        ("#SBATCH -Mfar", "clusters"),
        ("#SBATCH -HM far", "clusters"),
        ("#SBATCH --time=1 --wait", "wait"),
        ("#SBATCH -W", "wait"),
        ('#SBATCH "--wait"', "wait"),
        ("#SBATCH --wai't'", "wait"),
        ("#SBATCH --job-name='x --wait", "wait"),
        ("#SBATCH --test-only", "test-only"),
        ("#SBATCH --te", "test-only"),
        ("#SBATCH\t--wait", "wait"),
    ],
)
def test_what_leads_astray_is_found_however_it_is_written(line: str, option: str) -> None:
    assert forbidden_in(script("# a comment", "", line)) == option


@pytest.mark.parametrize(
    "line",
    [
        "#SBATCH --wait-all-nodes=1",
        "#SBATCH -J Make",
        "#SBATCH -JMake",
        "#SBATCH --job-name='--wait'x",
        "#SBATCH --time=1 # --wait",
        "# SBATCH --wait",
        " #SBATCH --wait",
        "##SBATCH --wait",
        "#SBATCH --comment=--wait",
        "#SBATCH --cluster-constraint=x",
        "hostname\n#SBATCH --wait",
    ],
)
def test_what_sbatch_takes_for_something_else_is_let_be(line: str) -> None:
    assert forbidden_in(script(line)) is None


@pytest.mark.parametrize(
    "line",
    ["#SBATCH --hold", "#SBATCH -H", "#SBATCH -b now+1", "#SBATCH --begin=noon",
     "#SBATCH --dep=singleton", "#SBATCH -d singleton", "#PBS -h", "#BSUB -H"],
)  # fmt: skip
def test_a_script_may_let_its_job_wait(line: str) -> None:
    assert may_wait(BatchSheet(script(line)))


def test_options_may_let_a_job_wait_too_and_others_do_not() -> None:
    assert may_wait(BatchSheet(script(), {"hold": None}))
    assert not may_wait(BatchSheet(script("#SBATCH --time=5 -n2"), {"time": "5"}))
