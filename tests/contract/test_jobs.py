"""The queue, the records, the machine's users: read as they are, and only ended on request."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from tests.contract.site import AS_ROOT, PEOPLE, RealSite, Site
from tests.e2e.program import eventually
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.jobs import JobRecord, QueuedJob, UnreadableRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.port import Outcome

Found = TypeVar("Found")

ANN, BOB, EVE = PEOPLE
PATIENCE = 20
"""Seconds; slurmctld tells the accounting of new jobs every five."""


@pytest.fixture
def accounts(site: Site, top: AccountName) -> tuple[AccountName, AccountName]:
    left, right = AccountName(f"{top}-l"), AccountName(f"{top}-r")
    site.accounting.add_accounts([NewAccount(left, top, "", ""), NewAccount(right, top, "", "")])
    site.accounting.add_users({left: [ANN, BOB], right: [ANN]})
    return left, right


def test_the_queue_is_read_for_the_accounts_named(
    site: Site, accounts: tuple[AccountName, AccountName]
) -> None:
    left, right = accounts
    site.submit(ANN, right)
    site.submit(BOB, left, held=True)
    found = {(job.account, job.user, job.is_pending) for job in site.accounting.read_queue([left])}
    assert found == {(left, BOB, True)}
    assert len(site.accounting.read_queue([left, right])) == 2
    assert site.accounting.read_queue([]) == ()


def test_jobs_are_ended_and_others_left_alone(
    site: Site, accounts: tuple[AccountName, AccountName]
) -> None:
    left, right = accounts
    site.submit(ANN, left, held=True)
    site.submit(BOB, left)
    site.submit(ANN, right, held=True)
    asked = site.accounting
    assert asked.cancel_jobs(asked.read_queue([left])) is Outcome.CHANGED
    assert {job.state for job in asked.read_queue([left])} <= {"COMPLETING", "CANCELLED"}
    assert len(asked.read_queue([right])) == 1
    assert asked.cancel_jobs([]) is Outcome.ALREADY_SO


def test_ending_what_has_ended_is_no_error(
    site: Site, accounts: tuple[AccountName, AccountName]
) -> None:
    left, _ = accounts
    site.submit(ANN, left, held=True)
    queued = site.accounting.read_queue([left])
    site.accounting.cancel_jobs(queued)
    site.accounting.cancel_jobs(queued)
    assert [job for job in site.accounting.read_queue([left]) if job.is_pending] == []


def test_a_job_that_started_after_it_was_read_as_pending_goes_on(
    site: Site, accounts: tuple[AccountName, AccountName]
) -> None:
    left, _ = accounts
    site.submit(ANN, left, held=True)
    queued = site.accounting.read_queue([left])
    assert [job.is_pending for job in queued] == [True]
    site.release(ANN)
    site.accounting.cancel_jobs(queued)
    assert [job.state for job in site.accounting.read_queue([left])] == ["RUNNING"]


def test_records_and_queue_know_a_job_by_the_same_run(
    site: Site, accounts: tuple[AccountName, AccountName]
) -> None:
    left, _ = accounts
    site.submit(ANN, left)
    (queued,) = site.accounting.read_queue([left])
    now = queued.submitted
    window = Window(now - timedelta(hours=1), now + timedelta(hours=1))
    ours: list[JobRecord] = []
    deadline = time.monotonic() + PATIENCE
    while not ours and time.monotonic() < deadline:
        records = list(site.accounting.read_job_records(window))
        ours = [r for r in records if not isinstance(r, UnreadableRecord) and r.account == left]
    assert [record.run for record in ours] == [queued.run]
    assert ours[0].is_open


def test_a_window_without_jobs_holds_no_records(site: Site) -> None:
    window = Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC))
    assert list(site.accounting.read_job_records(window)) == []


def test_what_slurm_tracks_is_known(site: Site) -> None:
    assert {"cpu", "mem", "node", "billing", "gres/gpu"} <= site.accounting.read_tres()


def test_version_and_configuration_are_known(site: Site) -> None:
    assert site.accounting.read_version() in ("22.05.8", "24.11.5", "26.05.5")
    configuration = site.accounting.read_configuration()
    assert configuration["ClusterName"] == site.accounting.cluster == "lab"
    assert "limits" in configuration["AccountingStorageEnforce"]


def test_a_job_that_nobody_knows_is_not_suspended(site: Site) -> None:
    assert site.accounting.read_suspended(["999999", "999999_7"]) == {}
    assert site.accounting.read_suspended([]) == {}


def test_on_a_quiet_cluster_the_accounting_has_heard_all(site: Site) -> None:
    eventually(lambda: site.accounting.read_backlog() == 0, "all is told")


def test_unix_users_are_looked_up_where_slurm_runs(site: Site) -> None:
    absent = UserName("wsat-nobody-at-all")
    users = [*PEOPLE, UserName("root"), absent]
    assert site.accounting.read_missing_unix_users(users) == {absent}
    assert site.accounting.read_missing_unix_users([]) == frozenset()


def test_thousands_of_unix_users_are_looked_up_at_once(site: Site) -> None:
    crowd = [UserName(f"wsat-crowd-{number}") for number in range(5000)]
    assert site.accounting.read_missing_unix_users([*crowd, ANN]) == set(crowd)


@pytest.mark.parametrize("site", AS_ROOT, indirect=True)
def test_a_home_is_made_once_where_it_is_missing(site: Site) -> None:
    with site.homeless(EVE):  # who runs no jobs here: usermod refuses whoever has a process
        assert site.accounting.make_home(EVE) is Outcome.CHANGED
        assert site.accounting.make_home(EVE) is Outcome.ALREADY_SO
    with pytest.raises(CommandFailed):
        site.accounting.make_home(UserName("wsat-nobody-at-all"))


def test_the_last_waiting_task_of_an_array_is_ended_by_the_number_that_the_queue_shows(
    real: RealSite, name: AccountName
) -> None:
    """26.05 shows it as a list of one, `4_[2%1]`, older Slurm as the task that it is, `4_2`."""
    real.add_top(name)
    real.accounting.add_users({name: [ANN]})
    batch = ("sbatch", f"--account={name}", "--mem=10", "--array=1-2%1", "--output=/dev/null")
    real.machine.must(*batch, "--wrap=sleep 600", user=ANN)

    def queued(*states: str) -> list[QueuedJob]:
        return [job for job in real.accounting.read_queue([name]) if job.state in states]

    (first,) = _wait_for(lambda: queued("RUNNING"))
    (last,) = queued("PENDING")
    assert real.accounting.cancel_jobs([last]) is Outcome.CHANGED
    assert real.accounting.read_queue([name]) == (first,)


def test_a_job_that_was_made_smaller_is_still_the_one_in_the_queue(
    real: RealSite, name: AccountName
) -> None:
    """The accounting ends its record and begins another, as if it had been submitted just then."""
    real.add_top(name)
    real.accounting.add_users({name: [ANN]})
    batch = ("sbatch", "--parsable", f"--account={name}", "--mem=10", "--nodes=2")
    options = ("--output=/dev/null", "--wrap=sleep 600")
    number = real.machine.must(*batch, *options, user=ANN).strip()
    _wait_for(lambda: [job for job in real.accounting.read_queue([name]) if job.state == "RUNNING"])
    time.sleep(2)  # so that the second record is of another second
    real.machine.must("scontrol", "update", f"jobid={number}", "NumNodes=1")
    (queued,) = real.accounting.read_queue([name])
    window = Window(queued.submitted - timedelta(hours=1), queued.submitted + timedelta(hours=1))

    def smaller() -> list[JobRecord]:
        records = real.accounting.read_job_records(window)
        mine = [r for r in records if isinstance(r, JobRecord) and r.account == name]
        return [r for r in mine if r.is_open and r.allocated[TresName("node")] == 1]

    (record,) = _wait_for(smaller)
    assert record.submitted > queued.submitted
    assert record.run.continues(queued.run)


def _wait_for(look: Callable[[], list[Found]]) -> list[Found]:
    """Return what `look` finds once it finds anything."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found
