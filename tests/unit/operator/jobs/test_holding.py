"""A SlurmJob is suspended before it is handed in, or by Slurm's hold under its number."""

import pytest

from tests.fakes.jobs import HELD, FakeJobs
from tests.unit.operator.jobs.bench import Bench
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.errors import Silent
from waldur_slurm.operator.jobs.port import AnotherJob, JobRef

WAITS, RUNS = JobState("PENDING"), JobState("RUNNING")


def test_one_that_is_suspended_from_the_start_is_handed_in_when_it_is_resumed() -> None:
    bench = Bench()
    uid = bench.kube.apply(suspend=True)
    bench.turn(3)
    assert (bench.queue.jobs, bench.phase(uid)) == ([], ("Pending", "Suspended"))
    assert bench.kube.condition(uid, "Submitted") == ("False", "Suspended")

    bench.kube.apply(suspend=False)
    bench.turn()
    assert bench.kube.status(uid)["jobId"] == "1"
    assert bench.kube.condition(uid, "Submitted") == ("True", "Submitted")


def test_one_that_waits_in_slurm_is_held_and_released() -> None:
    bench = Bench()
    uid, job = bench.submitted()
    bench.kube.apply(suspend=True)
    bench.turn(2)
    assert (job.reason, bench.kube.condition(uid, "Suspended")) == (
        "JobHeldUser",
        ("True", "Suspended"),
    )

    bench.kube.apply(suspend=False)
    bench.turn(2)
    assert (job.reason, bench.kube.condition(uid, "Suspended")) == (
        "Priority",
        ("False", "Resumed"),
    )


def test_one_that_runs_is_requeued_held_and_keeps_its_number() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.kube.apply(suspend=True)
    bench.turn(2)
    assert (job.state, job.reason) == (WAITS, HELD[1])
    assert bench.phase(uid) == ("Submitted", HELD[1])

    bench.kube.apply(suspend=False)
    bench.turn()
    bench.queue.tick()
    bench.turn()
    assert (job.state, bench.phase(uid)) == (RUNS, ("Running", ""))
    assert bench.kube.status(uid)["jobId"] == "1"


def test_one_that_cannot_be_requeued_goes_on_and_says_so_once() -> None:
    bench = Bench()
    uid, job = bench.running()
    job.may_requeue = False
    bench.kube.apply(suspend=True)
    bench.turn(5)

    assert job.state == RUNS
    assert bench.kube.condition(uid, "Suspended") == ("False", "SuspendRefused")
    assert "goes on: Requested operation is" in bench.kube.message(uid, "Suspended")
    assert bench.queue.asked.count("requeue_held") == 1
    assert bench.kube.reasons(uid).count("SuspendRefused") == 1


def test_what_its_own_user_holds_is_not_released() -> None:
    bench = Bench()
    _, job = bench.submitted()
    job.reason = "JobHeldUser"
    bench.turn(3)

    assert job.reason == "JobHeldUser"


@pytest.mark.parametrize("spec", [True, False])
def test_whatever_fails_in_between_nothing_stays_held_for_ever(spec: bool) -> None:
    bench = Bench()
    uid, job = bench.submitted()
    bench.kube.apply(suspend=True)
    if spec:
        bench.turn()
    bench.kube.failing["patch_status"] = Silent("the API server did not answer")
    bench.turn(2)
    bench.kube.apply(suspend=False)
    bench.turn(2)
    bench.kube.failing.clear()
    bench.restart()
    bench.turn(3)

    assert job.reason == "Priority"
    assert bench.kube.condition(uid, "Suspended") in (None, ("False", "Resumed"))


def test_one_that_was_requeued_since_it_was_looked_at_is_no_trouble() -> None:
    bench = Bench()
    bench.jobs = Late(bench.queue)
    bench.restart()
    bench.running()
    bench.kube.apply(suspend=True)
    bench.turn()

    assert "requeue_held" in bench.queue.asked
    assert "slurmjob.trouble" not in bench.names()


class Late(FakeJobs):
    """A way on which a job is another one by the time that it is held."""

    def requeue_held(self, job: JobRef) -> None:
        self.queue.asked.append("requeue_held")
        raise AnotherJob(f"job {job.job_id} was submitted, or requeued, at noon")
