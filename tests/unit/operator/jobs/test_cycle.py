"""The life of a SlurmJob, turn by turn, on a Kubernetes and a Slurm in memory."""

from collections.abc import Mapping
from datetime import timedelta
from threading import Barrier
from typing import Any

from tests.fakes.jobs import FakeJobs
from tests.fakes.kube_jobs import FakeKube
from tests.unit.operator.jobs.bench import Bench
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.jobs.plan import MOST_SUBMITS
from waldur_slurm.operator.jobs.port import JobRef, Wanted
from waldur_slurm.operator.model.slurm_job import CLUSTER, FINALIZER, SlurmJob


def test_one_that_is_applied_is_one_job_in_slurm_as_whom_the_site_says() -> None:
    bench = Bench()
    uid, job = bench.submitted()
    bench.turn(3)

    assert bench.queue.jobs == [job]
    assert (job.wanted.user, job.wanted.options) == ("svc-physics", {"account": "physics"})
    assert bench.kube.job(uid).finalizers == (FINALIZER,)
    assert bench.kube.job(uid).annotations[CLUSTER] == "alpha"
    assert bench.kube.status(uid)["jobId"] == "1"
    assert bench.phase(uid) == ("Submitted", "Priority")
    assert bench.kube.condition(uid, "Accepted") == ("True", "Accepted")
    assert bench.kube.condition(uid, "Submitted") == ("True", "Submitted")


def test_its_status_follows_slurm_to_the_end_and_tells_the_end_of_the_output() -> None:
    bench = Bench()
    uid, job = bench.running()
    assert bench.phase(uid) == ("Running", "")

    job.output["out"] = b"moo\n" * 3000
    job.end()
    bench.turn()
    found = bench.kube.status(uid)
    assert (found["phase"], found["status"], found["exitCode"]) == ("Succeeded", "Succeeded", 0)
    assert found["output"]["tail"] == "moo\n" * 1024
    assert bench.kube.condition(uid, "Finished") == ("True", "Succeeded")


def test_of_a_failed_one_the_status_has_what_went_to_its_errors() -> None:
    bench = Bench()
    uid, job = bench.running()
    job.output |= {"out": b"before\n", "err": b"no such cow\n"}
    job.end("FAILED", 3)
    bench.turn()

    assert bench.phase(uid) == ("Failed", "ExitCode")
    assert bench.kube.status(uid)["exitCode"] == 3
    assert bench.kube.status(uid)["output"] == {"tail": "no such cow\n"}


def test_where_nothing_changes_nothing_is_written_and_each_event_was_told_once() -> None:
    bench = Bench()
    uid, _ = bench.running()
    before = [*bench.kube.writes]
    bench.turn(5)

    assert bench.kube.writes == before
    assert set(bench.kube.events.values()) == {1}
    assert bench.kube.reasons(uid) == ["Accepted", "Submitted"]


def test_a_turn_asks_once_however_many_there_are() -> None:
    bench = Bench()
    uids = [bench.kube.apply(f"cow-{number}") for number in range(300)]
    bench.turn(300 // MOST_SUBMITS)
    bench.queue.asked.clear()
    bench.turn(3)

    assert bench.queue.asked == ["look_up"] * 3
    assert {bench.phase(uid)[0] for uid in uids} == {"Submitted"}


def test_what_is_over_and_told_is_not_asked_about_any_more() -> None:
    bench = Bench()
    uid, job = bench.running()
    job.end()
    bench.turn(2)
    bench.queue.asked.clear()
    bench.turn()

    assert bench.queue.asked == []
    assert bench.phase(uid)[0] == "Succeeded"


def test_one_that_is_deleted_is_cancelled_and_goes_when_it_was_seen_over() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.kube.delete(uid)
    bench.turn()
    assert job.state == JobState("CANCELLED")
    assert uid in bench.kube.objects

    bench.turn()
    assert uid not in bench.kube.objects
    assert "Cancelling" in bench.kube.reasons(uid)


def test_a_store_that_is_too_old_decides_nothing() -> None:
    bench = Bench()
    bench.kube.apply()
    bench.kube.age = timedelta(seconds=61)
    bench.turn()

    assert (bench.queue.asked, bench.kube.writes) == ([], [])


def test_a_change_of_ours_that_has_not_come_back_yet_is_not_made_again() -> None:
    bench = Bench()
    uid = bench.kube.apply()
    before = bench.kube.snapshot()
    bench.turn()
    bench.cycle.read = lambda: before
    bench.turn(after=0)
    assert set(bench.kube.events.values()) == {1}

    bench.cycle.read = bench.kube.snapshot
    bench.turn()
    assert (bench.kube.reasons(uid), len(bench.queue.jobs)) == (["Accepted", "Submitted"], 1)
    assert set(bench.kube.events.values()) == {1}


def test_a_change_that_never_comes_back_is_made_again() -> None:
    bench = Bench()
    _, job = bench.running()
    before = bench.kube.snapshot()
    bench.cycle.read = lambda: before
    job.end()
    bench.kube.writes.clear()
    bench.turn()
    bench.turn(after=1)
    assert bench.kube.writes.count("patch_status") == 1

    bench.turn()
    assert bench.kube.writes.count("patch_status") == 2


def test_several_are_handed_in_at_once_by_connections_of_their_own() -> None:
    together = Barrier(3)

    class Meeting(FakeJobs):
        def submit(self, wanted: Wanted) -> JobRef:
            together.wait(60)
            return super().submit(wanted)

    bench = Bench()
    bench.jobs = Meeting(bench.queue)
    bench.restart()
    bench.cycle.more = [(bench.kube, Meeting(bench.queue)) for _ in range(2)]
    uids = [bench.kube.apply(f"cow-{number}") for number in range(6)]
    bench.turn()

    assert {bench.phase(uid)[0] for uid in uids} == {"Submitted"}
    assert len(bench.queue.jobs) == 6


def test_of_several_it_is_told_at_once_by_connections_of_their_own() -> None:
    """Else one that is new would wait until it was told of all that began meanwhile."""
    together = Barrier(3)

    class Meeting(FakeKube):
        def patch_status(self, job: SlurmJob, status: Mapping[str, Any]) -> None:
            if status["phase"] == "Running":
                together.wait(60)
            super().patch_status(job, status)

    bench = Bench(Meeting())
    uids = [bench.kube.apply(f"cow-{number}") for number in range(6)]
    bench.turn()
    bench.queue.tick()
    bench.cycle.more = [(bench.kube, FakeJobs(bench.queue)) for _ in range(2)]
    bench.turn()

    assert {bench.phase(uid)[0] for uid in uids} == {"Running"}


def test_what_the_operator_may_not_hand_in_fails_no_job_and_is_tried_each_minute() -> None:
    bench = Bench()
    bench.queue.denies = "token:operator may not act for svc-physics"
    uid = bench.kube.apply()
    bench.turn(20)

    assert bench.phase(uid) == ("Pending", "NotAllowed")
    assert bench.kube.condition(uid, "Submitted") == ("False", "NotAllowed")
    assert bench.kube.reasons(uid).count("NotAllowed") == 1
    assert bench.names().count("slurmjob.denied") == 1
    assert bench.queue.asked.count("submit") == 2

    bench.queue.denies = ""
    bench.turn(13)
    assert bench.kube.status(uid)["jobId"] == "1"
    assert bench.kube.condition(uid, "Submitted") == ("True", "Submitted")


def test_an_outcome_that_is_open_stays_so_where_the_operator_is_not_let_in_any_more() -> None:
    bench = Bench()
    bench.by_a_way_that_loses(after=False)
    uid = bench.kube.apply()
    bench.turn()
    bench.queue.denies = "token:operator may not act for svc-physics"
    bench.turn(3)

    assert bench.cycle.memory.attempts[uid].is_open
    assert bench.kube.condition(uid, "Submitted") != ("False", "NotAllowed")


def test_an_array_names_no_file_as_each_of_its_tasks_has_another() -> None:
    bench = Bench()
    array, _ = bench.running(name="herd", options={"array": "0-2"})
    cow, _ = bench.running()

    assert "stdout" not in bench.kube.status(array)["slurm"]
    assert bench.kube.status(cow)["slurm"]["stdout"] == "/home/svc-physics/slurm-2.out"
