"""A cluster's clock can be shifted, so that a test need not wait for a month to end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sandbox.slurm import ClusterOptions
from tests.fixtures_slurm import NewCluster

BEFORE_MIDNIGHT = timedelta(seconds=7)


def start_of_next_month(now: datetime) -> datetime:
    return (now.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )


def test_a_job_that_runs_over_the_end_of_a_shifted_month_is_split_between_both(
    new_slurm_cluster: NewCluster,
) -> None:
    now = datetime.now(UTC)
    edge = start_of_next_month(now)
    options = ClusterOptions(nodes=1, clock_offset=edge - BEFORE_MIDNIGHT - now)
    with new_slurm_cluster(options) as cluster:
        assert (
            cluster.must("date", "+%F %H:%M").strip() == f"{edge - timedelta(minutes=1):%F %H:%M}"
        )
        cluster.submit(None, "root", "sleep 7", "--cpus-per-task=2")
        cluster.wait_for_jobs()

        def seconds(start: datetime, end: datetime) -> int:
            window = (f"--starttime={start:%FT%T}", f"--endtime={end:%FT%T}")
            listed = cluster.must("sacct", "-aXPn", "--truncate", *window, "--format=elapsedraw")
            return sum(map(int, listed.split()))

        day = timedelta(days=1)
        before, after = seconds(edge - day, edge), seconds(edge, edge + day)
        assert before > 0
        assert after > 0
        assert 7 <= before + after <= 9
    assert not left_in_shared_memory()


def left_in_shared_memory() -> list[str]:
    """Return what libfaketime left behind of processes that are gone."""
    files = [file.name for file in Path("/dev/shm").glob("*faketime*")]  # noqa: S108 - only looked at
    return [name for name in files if not Path("/proc", name.rpartition("_")[2]).exists()]
