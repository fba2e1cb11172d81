"""Real jobs, run by slurmctld over the end of a month that a shifted clock brings near."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from sandbox.waldur import Waldur
from tests.e2e.push_site import UTC_ZONE, PushSite
from tests.fakes.makers import component
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import StartWaldur
from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.model.period import Month

ANN = "wsat-ann"
LEADS_S = (18, 60, 150)
"""How long before the edge it starts: a busy machine may need longer until all is there."""

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
    for lead in LEADS_S:
        machine = datetime.now(UTC)
        month = Month(machine.year, machine.month)
        offset = month.window(UTC_ZONE).end - timedelta(seconds=lead) - machine
        with new_slurm_cluster(ClusterOptions(nodes=1, clock_offset=offset)) as cluster:
            place = tmp_path / str(lead)
            place.mkdir()
            if was_split(cluster, start_waldur("today"), place, month, offset):
                return
    pytest.fail("no job ran before the edge, however early it was submitted")


def was_split(
    cluster: Cluster, waldur: Waldur, place: Path, month: Month, offset: timedelta
) -> bool:
    """Let jobs run over the month's end, and judge; false where they were too late for it."""
    edge = month.window(UTC_ZONE).end
    shifted = datetime.now(UTC) + offset
    site = PushSite(cluster, waldur, place, shifted, components=SOLD, is_staff=True)
    resource, account = site.allocate(ANN, gpu=6000)
    asked = ("--cpus-per-task=2", "--gres=gpu:1", "--time=60")
    over = cluster.submit(ANN, account, "sleep 600", *asked)
    cluster.submit(ANN, account, "sleep 1", "--time=60")
    site.cycle().run()
    runs = cluster.must("squeue", "--noheader", "--states=running", f"--jobs={over}")
    if not runs or site.now() >= edge:
        return False
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
    return True


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
