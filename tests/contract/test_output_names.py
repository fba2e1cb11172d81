"""The file that slurmd writes is the one that is read: its name follows from what squeue tells."""

import secrets
from collections.abc import Iterator

import pytest

from tests.contract.batch_site import ACCOUNT, ANN, RealBatchSite
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.model.live import LiveJob
from waldur_slurm.slurm.grammar.output_names import NamedJob, output_path
from waldur_slurm.slurm.live.client import ClusterClient

PATTERNS = (
    "x-%j-%A-%a-%x-%u-%%-%5j-%t-%s-%n-%q-%J",
    "w-%12A-%3x-%0j-%.o",
    "a%%%j",
    "./sub/../%j-up",
    "p-%x.out",
)
TASKS = "x%4a-%A-%j-%J-%9a"


@pytest.fixture
def folder(real_batch_site: RealBatchSite) -> Iterator[str]:
    """Where everybody may write, on the machine where the jobs run."""
    machine = real_batch_site.machine
    path = f"/tmp/names-{secrets.token_hex(4)}"  # noqa: S108 - where all users may be
    machine.must("mkdir", "--mode=777", path, f"{path}/sub")
    machine.must("chmod", "777", path, f"{path}/sub")
    yield path
    machine.must("rm", "-r", path)


def submit(site: RealBatchSite, folder: str, output: str = "", **more: str) -> None:
    options = {"account": ACCOUNT, "mem": "10", "chdir": folder, "job-name": "a %j", **more}
    options |= {"output": output} if output else {}
    site.of(ANN).submit(BatchSheet("#!/bin/sh\necho $SLURM_JOB_ID\n", options))


def named(row: LiveJob) -> str | None:
    job = NamedJob(row.id, row.number, row.user, row.name, row.batch_host, row.work_dir)
    return output_path(row.stdout, job)


def test_the_file_that_slurmd_writes_is_the_one_that_is_named(
    real_batch_site: RealBatchSite, folder: str
) -> None:
    site = real_batch_site
    for pattern in ("", *PATTERNS):
        submit(site, folder, pattern)
    for pattern in ("", TASKS):
        submit(site, folder, pattern, array="1-2")
    client = ClusterClient(site.site.transport)

    def rows() -> list[LiveJob]:
        return [row for row in client.read_jobs().jobs if row.work_dir == folder]

    site.site.wait_until(lambda: all(str(row.state) == "COMPLETED" for row in rows()))

    found = site.machine.must("find", folder, "-type", "f").splitlines()
    expected = [(named(row) or "").replace("/sub/..", "") for row in rows()]
    assert sorted(found) == sorted(expected)
    assert len(found) == 10
