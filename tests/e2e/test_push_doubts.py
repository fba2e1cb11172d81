"""What Slurm's own rollup says, and what a database that gives up cannot make us believe."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.history_jobs import HistoryOptions
from tests.e2e.push_past import TRES, UTC_ZONE, Past, as_known, past_of
from tests.fixtures_slurm import NewCluster
from waldur_slurm.errors import SlurmError
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Month, Window

LOST_ANSWERS = 3
"""How often Slurm has to keep quiet about the jobs; it depends on how busy the machine is."""

OPTIONS = ClusterOptions(with_controller=False, other_clusters=("other",))


@pytest.fixture(scope="module")
def past(new_slurm_cluster: NewCluster) -> Iterator[Past]:
    with new_slurm_cluster(OPTIONS) as cluster:
        yield past_of(cluster, HistoryOptions(jobs=30_000, accounts=8, users=24))


@contextmanager
def statements_given_up_after(seconds: str, cluster: Cluster) -> Iterator[None]:
    """Let the database give up on what takes longer.

    slurmdbd dies of it where the query was one for a job's suspensions (22.05.8).
    """
    cluster.sql(f"set global max_statement_time = {seconds}")
    try:
        yield
    finally:
        cluster.sql("set global max_statement_time = 0")
        cluster.start_daemon("slurmdbd")


def test_a_database_that_gives_up_on_queries_is_measured_right_or_not_at_all(
    past: Past, tmp_path: Path
) -> None:
    """Then sacct prints nothing and exits 0 (22.05.8), as on a cluster without jobs."""
    last = past.months[-1:]
    known = past.known(UTC_ZONE, last)
    edges = (f"--starttime=uts{past.history.options.end - 86400}", "--endtime=now")
    lost = 0
    for attempt, limit in enumerate(("0.01", "0.002", "0.001", "0.0005") * 8):
        with statements_given_up_after(limit, past.cluster):
            listed = past.cluster.run("sacct", "-aXPDn", *edges)
            lost += (listed.code, listed.out, listed.err) == (0, "", "")
            with suppress(SlurmError):
                meter = past.meter(tmp_path / str(attempt), UTC_ZONE)
                assert as_known(meter.measure(last, past.end, past.accounts)) == known
        if lost == LOST_ANSWERS:
            return
    pytest.fail("too few answers were lost: the test has lost its point")


def test_slurms_own_rollup_says_the_same_to_the_second(past: Past, tmp_path: Path) -> None:
    """Three days over the end of a month, for some accounts: sreport is slow, and exact.

    Of a suspended job it takes out the CPUs alone (22.05.8); we take out all that it held.
    """
    edge = Month(2024, 2).window(UTC_ZONE).end
    window = Window(edge - timedelta(days=2), edge + timedelta(days=1))
    accounts = frozenset(map(AccountName, ("past_0000", "past_0001", "past_0002", "past_0003")))
    past.roll_up(window)

    days = past.meter(tmp_path, UTC_ZONE).measure_days(window, past.end, accounts)

    compared = more = 0
    for account in accounts:
        mine = {
            (share.user, share.tres): sum(d.tally.get(share, 0) for d in days.values())
            for day in days.values()
            for share in day.tally
            if share.account == account
        }
        rolled_up = past.slurm.read_rollup(account, window)
        paused = past.paused(account, window)
        for user, tres in rolled_up.keys() | mine.keys():
            here, there = mine.get((user, tres), 0), rolled_up.get((user, tres), 0)
            if tres in TRES and (tres == "cpu" or user not in paused):
                assert here == there
                compared += 1
            elif tres in TRES:
                assert here <= there
                more += here < there
    assert compared > 30
    assert more, "sreport takes out all of suspended time: the page of facts says otherwise"
