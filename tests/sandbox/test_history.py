"""An invented history is the same for the same seed, has every hard case, and lands in Slurm."""

import json
import subprocess
import sys
from collections import Counter
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

import pytest

from sandbox.slurm import ClusterOptions
from sandbox.slurm.history import fill
from sandbox.slurm.history_jobs import (
    DAY,
    PENDING,
    REQUEUED,
    RUNNING,
    SUSPENDED,
    HistoryOptions,
    Job,
    Shape,
    invent,
)
from sandbox.slurm.history_sums import Share, exact_sums
from tests.fixtures_slurm import NewCluster

SMALL = HistoryOptions(jobs=20_000)
CPU = Shape({"cpu": 1}, {"cpu": 2})


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    return invent(SMALL)


def test_the_same_options_make_the_same_history(jobs: list[Job]) -> None:
    assert invent(SMALL) == jobs
    assert invent(HistoryOptions(jobs=20_000, seed=2)) != jobs
    assert len(jobs) == 20_000


def test_slurms_key_of_a_job_is_kept(jobs: list[Job]) -> None:
    assert max(Counter((job.number, job.submit) for job in jobs).values()) == 1


def test_every_hard_case_is_there(jobs: list[Job]) -> None:
    edges = SMALL.edges()[1:-1]
    states = Counter(job.state for job in jobs)
    assert min(states[state] for state in (PENDING, RUNNING, SUSPENDED, REQUEUED)) > 0
    assert any(job.start < edge < job.end for job in jobs for edge in edges)
    assert any(job.end == edge for job in jobs for edge in edges)
    assert any(job.start == edge for job in jobs for edge in edges)
    assert any(job.end - job.start > 31 * DAY for job in jobs)
    assert any(len(job.pauses) > 1 for job in jobs)
    assert any(start < edge < end for job in jobs for start, end in job.pauses for edge in edges)
    assert any(job.array for job in jobs)
    assert any(job.het for job in jobs)
    assert any(job.is_forgotten for job in jobs)
    assert any(job.end and not job.shape.allocated for job in jobs)
    assert any(job.shape.allocated != job.shape.requested for job in jobs)
    assert len({job.user for job in jobs} & SMALL.gone_users) > 0
    assert len({job.account for job in jobs} & set(SMALL.gone_accounts)) == 2


def test_runs_of_a_requeued_job_never_overlap(jobs: list[Job]) -> None:
    def number(job: Job) -> int:
        return job.number

    for _, runs in groupby(sorted(jobs, key=lambda job: (job.number, job.submit)), key=number):
        listed = list(runs)
        for before, after in pairwise(listed):
            assert before.end == after.submit <= after.start


def job_from(start: int, end: int, **more: object) -> Job:
    return Job(1, "a", "u", 3, start - 60, start, end, CPU)._replace(**more)  # type: ignore[arg-type]  # named by the test


def test_sums_split_at_local_months_and_leave_pauses_out() -> None:
    zone = ZoneInfo("Europe/Tallinn")
    edge = HistoryOptions(first_month=(2024, 2), zone=zone.key).edges()[1]
    job = job_from(edge - 100, edge + 50, pauses=((edge - 30, edge - 10),))

    assert exact_sums([job], zone, edge + 1000) == {
        Share("a", "2024-02", "u", "cpu"): 2 * 80,
        Share("a", "2024-03", "u", "cpu"): 2 * 50,
    }
    assert exact_sums([job], zone, edge + 1000, basis="requested") == {
        Share("a", "2024-02", "u", "cpu"): 80,
        Share("a", "2024-03", "u", "cpu"): 50,
    }


def test_what_is_open_counts_until_the_end_and_what_is_forgotten_not_at_all() -> None:
    zone, start = ZoneInfo("UTC"), 1_710_000_000
    running = job_from(start, 0, state=RUNNING)
    suspended = job_from(start, 0, state=SUSPENDED, pauses=((start + 10, 0),))
    forgotten = job_from(start, 0, state=RUNNING, is_forgotten=True)

    (share,) = exact_sums([running], zone, start + 100)
    assert exact_sums([running], zone, start + 100)[share] == 200
    assert exact_sums([suspended], zone, start + 100)[share] == 20
    assert exact_sums([forgotten], zone, start + 100) == {}


def test_leap_days_and_summer_time_are_in_the_default_span() -> None:
    tallinn = HistoryOptions(zone="Europe/Tallinn").edges()
    hours = [(end - start) // 3600 for start, end in pairwise(tallinn)]

    assert hours[0] == 29 * 24
    assert hours[1] == 31 * 24 - 1
    assert hours[8] == 31 * 24 + 1
    assert len(hours) == 13


def test_it_lands_in_a_cluster_with_those_who_left_gone(new_slurm_cluster: NewCluster) -> None:
    options = HistoryOptions(jobs=3_000)
    with new_slurm_cluster(
        ClusterOptions(with_controller=False, other_clusters=("other",))
    ) as cluster:
        fill(cluster, "lab", options, other="other")

        assert cluster.sql("select count(*) from lab_job_table").split()[-1] == "3000"
        assert cluster.sql("select count(*) from other_job_table").split()[-1] == "30"
        known = cluster.must("sacctmgr", "-nP", "list", "assoc", "cluster=lab", "format=account")
        assert set(options.gone_accounts).isdisjoint(known.split())
        people = cluster.must("sacctmgr", "-nP", "list", "user", "format=user").split()
        assert options.gone_users.isdisjoint(people)
        leaver, user = options.leavers[0]
        where = (f"account={leaver}", f"user={user}", "cluster=lab")
        assert cluster.must("sacctmgr", "-nP", "list", "assoc", *where) == ""


def test_the_command_line_fills_a_cluster_and_prints_its_sums(
    new_slurm_cluster: NewCluster,
) -> None:
    with new_slurm_cluster(ClusterOptions(with_controller=False)) as cluster:
        argv = ("slurm", "history", str(cluster.directory), "--jobs", "500", "--seed", "7")
        done = subprocess.run(
            (sys.executable, "-m", "sandbox", *argv), check=True, capture_output=True, text=True
        )

        printed = json.loads(done.stdout)
        assert printed["options"]["seed"] == 7
        assert len(printed["sums"]) > 100
        assert cluster.sql("select count(*) from lab_job_table").split()[-1] == "500"
