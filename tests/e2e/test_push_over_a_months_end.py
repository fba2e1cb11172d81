"""Real jobs, run by slurmctld over the end of a month that a shifted clock brings near."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sandbox.slurm import ClusterOptions
from tests.e2e.push_site import UTC_ZONE, PushSite
from tests.fakes.makers import component
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.model.period import Month

ANN = "wsat-ann"
LEAD = timedelta(seconds=18)
# A hundredth of a TRES-minute, so that seconds show: one unit is 0.6 of them.
SOLD = (
    component("cpu", AccountingType.USAGE, factor=Decimal("0.01")),
    component("gpu", tres="gres/gpu", factor=Decimal("0.01")),
)


def test_real_jobs_are_split_at_the_edge_to_the_second(
    new_slurm_cluster: NewCluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> None:
    machine = datetime.now(UTC)
    month = Month(machine.year, machine.month)
    edge = month.window(UTC_ZONE).end
    offset = edge - LEAD - machine
    with new_slurm_cluster(ClusterOptions(nodes=1, clock_offset=offset)) as cluster:
        shifted = datetime.now(UTC) + offset
        site = PushSite(
            cluster, start_waldur("today"), tmp_path, shifted, components=SOLD, is_staff=True
        )
        resource, account = site.allocate(ANN, gpu=6000)
        asked = ("--cpus-per-task=2", "--gres=gpu:1", "--time=60")
        over = cluster.submit(ANN, account, "sleep 600", *asked)
        cluster.submit(ANN, account, "sleep 1", "--time=60")
        site.cycle().run()
        time.sleep(max(0.0, (edge - site.now()).total_seconds() + 2))
        cluster.must("scancel", str(over))
        cluster.wait_for_jobs()

        report = site.cycle().run()

        assert report.failures == ()
        assert report.owed == ()
        spans = spans_of(cluster.sql, account)
        assert spans[str(over)][0] < edge.timestamp() < spans[str(over)][1]
        before, after = (
            sum(
                cpus * overlap(start, end, window.start.timestamp(), window.end.timestamp())
                for start, end, cpus in spans.values()
            )
            for window in (month.window(UTC_ZONE), month.following().window(UTC_ZONE))
        )
        assert site.usage(resource, str(month))["cpu"] == units(before)
        assert site.usage(resource, str(month.following()))["cpu"] == units(after)
        assert site.user_usage(resource, str(month))["cpu"] == {ANN: units(before)}
        assert site.usage(resource, str(month))["gpu"] > 0
        site.told()

        assert site.cycle().run().is_idle
        assert site.told() == []


def spans_of(sql: Callable[[str], str], account: str) -> dict[str, tuple[int, int, int]]:
    """Start, end and CPUs of each job, as slurmctld told slurmdbd."""
    columns = "id_job, time_start, time_end, tres_alloc"
    listed = sql(f"select {columns} from lab_job_table where account = '{account}'")  # noqa: S608 - our own name
    rows = [line.split("\t") for line in listed.splitlines()[1:]]
    return {
        number: (int(start), int(end), int(dict(p.split("=") for p in tres.split(","))["1"]))
        for number, start, end, tres in rows
    }


def overlap(start: float, end: float, first: float, last: float) -> int:
    return int(max(0, min(end, last) - max(start, first)))


def units(cpu_seconds: int) -> Decimal:
    return (Decimal(cpu_seconds) / 60 * 100).quantize(Decimal("0.01"))
