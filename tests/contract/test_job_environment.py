"""What a job has in its environment: the facts on which acting as a user rests."""

from pathlib import Path

import pytest

from sandbox.slurm import Cluster

WANTED = {"A": "x,y\nz", "PATH": "/usr/bin:/bin", "QUOTED": 'it\'s "so" $HOME'}
OF_SLURM = ("SLURM", "ENVIRONMENT", "HOSTNAME", "TMPDIR", "PWD")
"""What slurmd adds to every job, by how it begins."""


@pytest.fixture
def jobs(slurm_cluster: Cluster) -> Path:
    """Where jobs may write; root may submit."""
    slurm_cluster.run("sacctmgr", "-i", "add", "user", "root", "account=root")
    directory = Path(slurm_cluster.directory) / "jobs"
    (directory / "environment").write_text("".join(f"{k}={v}\0" for k, v in WANTED.items()))
    (directory / "tell.sh").write_text("#!/bin/sh\nexec /usr/bin/env -0\n")
    return directory


def told(cluster: Cluster, jobs: Path, *options: str) -> dict[str, str]:
    """Run a job and return the variables that it had, but for those of Slurm."""
    output = jobs / f"told-{len([*jobs.iterdir()])}"
    argv = ("sbatch", "--mem=10", f"--chdir={jobs}", f"--output={output}", *options)
    cluster.must(*argv, str(jobs / "tell.sh"))
    cluster.wait_for_jobs()
    rows = (row.split("=", 1) for row in output.read_text().split("\0") if row)
    return {name: value for name, value in rows if not name.startswith(OF_SLURM)}


def test_a_job_has_exactly_what_the_file_of_variables_holds(
    slurm_cluster: Cluster, jobs: Path
) -> None:
    had = told(slurm_cluster, jobs, f"--export-file={jobs}/environment", "--export=ALL")

    assert had == WANTED


def test_without_an_export_the_file_of_variables_is_dropped(
    slurm_cluster: Cluster, jobs: Path
) -> None:
    had = told(slurm_cluster, jobs, f"--export-file={jobs}/environment", "--export=NONE")

    assert not {"A", "QUOTED"} & {*had}
