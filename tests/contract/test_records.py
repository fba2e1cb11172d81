"""How real Slurm's records come about, and what they say at a window's edges; no fake here."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.site import PEOPLE, RealSite
from tests.e2e.program import eventually
from waldur_slurm.model.jobs import JobRecord, QueuedJob, UnreadableRecord
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Window

ANN, BOB, *_ = PEOPLE


@pytest.fixture
def top(real: RealSite, name: AccountName) -> AccountName:
    real.add_top(name)
    return name


def test_what_slurmctld_could_not_tell_the_accounting_is_counted_until_it_has(
    real: RealSite, top: AccountName
) -> None:
    real.client.add_users({top: [ANN]})
    real.submit(ANN, top, held=True)
    eventually(lambda: real.client.read_backlog() == 0, "all is told")
    with real.down():
        real.release(ANN)
        real.machine.must("scancel", f"--account={top}")
        eventually(lambda: real.client.read_queue([top]) == (), "the job has ended")
        assert real.client.read_backlog() > 0
    eventually(lambda: real.client.read_backlog() == 0, "all is told", timeout=60)
    _awaited(real, top, lambda record: not record.is_open)


def test_a_suspension_is_taken_out_on_either_side_of_a_windows_edge(
    real: RealSite, top: AccountName
) -> None:
    real.client.add_users({top: [ANN]})
    real.submit(ANN, top)
    (job,) = real.client.read_queue([top])
    time.sleep(2)
    real.machine.must("scontrol", "suspend", job.id)
    since = real.client.read_suspended([job.id])[job.run]
    time.sleep(3)
    open_one = _awaited(real, top, lambda record: record.is_suspended)
    assert open_one.start is not None
    assert open_one.end is not None
    assert open_one.seconds == int((open_one.end - open_one.start).total_seconds())
    real.machine.must("scontrol", "resume", job.id)
    assert real.client.read_suspended([job.id]) == {}
    time.sleep(2)
    real.machine.must("scancel", job.id)
    whole = _awaited(real, top, lambda record: not record.is_open)
    assert whole.start is not None
    assert whole.end is not None
    edge = since + timedelta(seconds=1)
    before, after = (
        _record(real, top, Window(start, end))
        for start, end in ((whole.start, edge), (edge, whole.end))
    )
    span = int((whole.end - whole.start).total_seconds())
    assert 0 < whole.seconds <= span - 3
    assert before.seconds + after.seconds == whole.seconds
    assert before.seconds == int((since - whole.start).total_seconds())
    _expect_a_second_of_nothing(real, job.id, before)


def test_no_text_that_people_choose_passes_for_a_job_or_its_suspension(
    real: RealSite, top: AccountName
) -> None:
    real.client.add_users({top: [ANN, BOB]})
    real.submit(BOB, top)
    (honest,) = real.client.read_queue([top])
    real.machine.must("scontrol", "suspend", honest.id)
    truth = real.client.read_suspended([honest.id])
    assert list(truth) == [honest.run]

    lie = _forged(honest, honest.id)
    options = (f"--{each}={lie}" for each in ("job-name", "comment", "output", "error"))
    held = ("--hold", "--mem=10", "--wrap=sleep 600")
    real.machine.must("sbatch", f"--account={top}", *options, *held, user=ANN)
    real.submit(ANN, top)
    listed = real.client.read_queue([top])
    (liar,) = [job for job in listed if job.user == ANN and not job.is_pending]
    # All that Slurm says of this one stands behind another number, and what it says itself before.
    renamed = f"JobName={_forged(liar, honest.id)}"
    real.machine.must("scontrol", "update", f"JobId={liar.id}", renamed, user=ANN)
    real.machine.must("scontrol", "suspend", liar.id)

    assert real.client.read_suspended([job.id for job in listed]) == truth
    assert len(listed) == 3
    assert {(job.id, job.user) for job in real.client.read_queue([top])} == {
        (job.id, job.user) for job in listed
    }
    _awaited(real, top, lambda record: record.run == liar.run and record.is_suspended)
    everything = Window(honest.submitted - timedelta(hours=1), datetime.now(UTC))
    found = list(real.client.read_job_records(everything))
    assert not [one for one in found if isinstance(one, UnreadableRecord)]
    ours = {one.run: one.user for one in found if isinstance(one, JobRecord) and one.account == top}
    assert ours == {honest.run: BOB, liar.run: ANN}


def _forged(job: QueuedJob, behind: str) -> str:
    """Text that ends a row or a block, tells of `job`, and gives all that follows it to another."""
    moment = int(job.submitted.timestamp())
    rows = f"|\n{job.id}|SUSPENDED|{moment}|{moment}|Unknown|1|cpu=1|cpu=1|root|root|\n"
    block = (
        f"JobId={job.id} JobName=x\n   UserId=root(0) GroupId=root(0) MCS_label=N/A\n"
        f"   JobState=SUSPENDED Reason=None Dependency=(null)\n   SubmitTime={moment}\n"
        f"   SuspendTime={moment} SecsPreSuspend=0\n"
    )
    return f"x{rows}\n{block}\nJobId={behind} JobName=x"


def _expect_a_second_of_nothing(real: RealSite, number: str, record: JobRecord) -> None:
    """Sacct makes a window longer that ends as it starts, and one that ends in this very second."""
    assert record.start is not None
    nothing = Window(record.start, record.start)
    moment = f"uts{int(nothing.start.timestamp())}"
    asked = (f"--jobs={number}", f"--starttime={moment}", f"--endtime={moment}", "--truncate")
    assert real.machine.must("sacct", "-XPn", *asked, "--format=elapsedraw").split() == ["1"]
    assert _record(real, record.account, nothing).seconds == 0


def _record(real: RealSite, account: AccountName, window: Window) -> JobRecord:
    (found,) = _records(real, account, window)
    return found


def _records(real: RealSite, account: AccountName, window: Window) -> list[JobRecord]:
    records = real.client.read_job_records(window)
    return [r for r in records if isinstance(r, JobRecord) and r.account == account]


def _awaited(real: RealSite, account: AccountName, is_so: Callable[[JobRecord], bool]) -> JobRecord:
    """Wait for a record of which this holds: the accounting hears of everything a little later."""
    now = datetime.now(UTC)
    window = Window(now - timedelta(hours=1), now + timedelta(hours=1))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for found in filter(is_so, _records(real, account, window)):
            return found
        time.sleep(0.2)
    raise AssertionError("no such record arrived")
