"""A cluster's clock can be shifted, so that a test need not wait for a month to end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.program import eventually
from tests.fixtures_slurm import NewCluster

LEADS_S = (7, 30, 120)
"""How long before midnight it starts: a busy machine may need longer until a job runs."""


def start_of_next_month(now: datetime) -> datetime:
    return (now.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )


def test_a_job_that_runs_over_the_end_of_a_shifted_month_is_split_between_both(
    new_slurm_cluster: NewCluster,
) -> None:
    for lead in LEADS_S:
        now = datetime.now(UTC)
        edge = start_of_next_month(now)
        options = ClusterOptions(nodes=1, clock_offset=edge - timedelta(seconds=lead) - now)
        with new_slurm_cluster(options) as cluster:
            whole, before, after = run_over(cluster, edge)
        if before:
            break
    assert before > 0
    assert after > 0
    assert before + after == whole
    assert not left_in_shared_memory()


def run_over(cluster: Cluster, edge: datetime) -> tuple[int, int, int]:
    """Let a job run until it is later than that; its seconds, those before and those after."""
    job = cluster.submit(None, "root", "sleep 600", "--cpus-per-task=2")
    over = f"{edge + timedelta(seconds=2):%s}"
    eventually(lambda: int(cluster.must("date", "+%s")) > int(over), "it is midnight", 180)
    cluster.must("scancel", str(job))
    cluster.wait_for_jobs()

    def seconds(*window: str) -> int:
        listed = cluster.must("sacct", "-aXPn", *window, "--format=elapsedraw")
        return sum(map(int, listed.split()))

    def within(start: datetime, end: datetime) -> int:
        return seconds("--truncate", f"--starttime={start:%FT%T}", f"--endtime={end:%FT%T}")

    day = timedelta(days=1)
    return (
        seconds(f"--starttime={edge - day:%FT%T}", f"--endtime={edge + day:%FT%T}"),
        within(edge - day, edge),
        within(edge, edge + day),
    )


def left_in_shared_memory() -> list[str]:
    """Return what libfaketime left behind of processes that are gone."""
    files = [file.name for file in Path("/dev/shm").glob("*faketime*")]  # noqa: S108 - only looked at
    return [name for name in files if not Path("/proc", name.rpartition("_")[2]).exists()]
