"""What nobody can say decides nothing; what vanishes is believed slowly."""

from datetime import timedelta

from tests.fakes.jobs import FakeJobs
from tests.unit.operator.jobs.bench import Bench
from waldur_slurm.operator.jobs.port import JobRef, Refused, Unreached


def test_a_silent_cluster_changes_nothing_and_is_told_once() -> None:
    bench = Bench()
    uid, _ = bench.running()
    new = bench.kube.apply("new")
    bench.queue.is_silent = True
    bench.turn(5)
    assert (bench.phase(uid), bench.kube.status(new)) == (("Running", ""), {})

    bench.turn(20)
    assert bench.phase(uid) == ("Running", "")
    for each in (uid, new):
        assert bench.kube.condition(each, "ClusterReachable") == ("False", "NoAnswer")
        assert bench.kube.reasons(each).count("NoAnswer") == 1
    assert "what became of the job" in bench.kube.message(uid, "ClusterReachable")
    assert "cannot be told, so it waits" in bench.kube.message(new, "ClusterReachable")
    assert bench.names().count("cluster.silent") == 1

    bench.queue.is_silent = False
    bench.turn(2)
    assert bench.kube.condition(uid, "ClusterReachable") == ("True", "Answers")
    assert bench.kube.status(new)["jobId"] == "2"
    assert bench.names().count("cluster.answers") == 1


def test_one_job_that_vanished_is_believed_lost_after_a_minute_and_never_handed_in_again() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.queue.jobs.remove(job)
    bench.queue.journal.clear()
    bench.turn(5)
    assert bench.phase(uid) == ("Running", "")

    bench.turn(15)
    assert bench.phase(uid) == ("Unknown", "Lost")
    assert "sacct -j 1" in bench.kube.message(uid, "Finished")
    assert bench.queue.jobs == []

    bench.queue.jobs.append(job)
    bench.turn()
    assert bench.phase(uid) == ("Running", "")
    assert bench.kube.condition(uid, "Finished") is None


def test_many_that_vanish_at_once_are_believed_after_five_minutes_only() -> None:
    bench = Bench()
    uids = [bench.kube.apply(f"cow-{number}") for number in range(8)]
    bench.turn()
    bench.queue.tick()
    bench.turn()
    jobs, journal = [*bench.queue.jobs], dict(bench.queue.journal)
    bench.queue.jobs.clear()
    bench.queue.journal.clear()
    bench.kube.delete(uids[0])
    bench.turn(58)
    assert {bench.phase(uid) for uid in uids} == {("Running", "")}
    assert bench.names().count("cluster.trouble") == 1

    bench.queue.jobs, bench.queue.journal = jobs, journal
    bench.turn(20)
    assert {bench.phase(uid) for uid in uids[1:]} == {("Running", "")}
    assert uids[0] not in bench.kube.objects


def test_what_slurm_refuses_is_failed_in_its_words_and_not_tried_again() -> None:
    bench = Bench()
    bench.queue.refuses = "Invalid account or account/partition combination specified"
    uid = bench.kube.apply()
    bench.turn(5)

    assert bench.phase(uid) == ("Failed", "Refused")
    assert bench.queue.refuses in bench.kube.message(uid, "Submitted")
    assert bench.queue.asked.count("submit") == 1
    assert bench.kube.reasons(uid) == ["Accepted", "Refused"]
    bench.kube.delete(uid)
    bench.turn()
    assert uid not in bench.kube.objects


def test_a_defect_in_one_slurmjob_stops_no_other() -> None:
    bench = Bench()
    odd = bench.kube.apply("odd")
    bench.kube.objects[odd]["metadata"]["annotations"] = {"slurm.sylabs.io/cluster": ["alpha"]}
    bench.kube.objects[odd]["spec"]["options"] = 7
    well = bench.kube.apply("well")
    bench.turn(2)

    assert bench.kube.status(well)["jobId"] == "1"


def test_output_that_cannot_be_read_is_told_and_ends_nothing() -> None:
    class Hidden(FakeJobs):
        def read_tail(self, job: JobRef, stream: str, size: int) -> bytes:
            raise Refused(f"{stream} of {job.job_id} is not yours, all {size} bytes of it")

    bench = Bench()
    bench.jobs = Hidden(bench.queue)
    bench.restart()
    uid, job = bench.running()
    job.end()
    bench.turn(2)

    assert bench.phase(uid) == ("Succeeded", "")
    assert "is not yours" in bench.kube.status(uid)["output"]["message"]


def test_output_that_cannot_be_read_just_now_is_read_later_and_holds_nothing_up() -> None:
    class Slow(FakeJobs):
        def read_tail(self, job: JobRef, stream: str, size: int) -> bytes:
            raise Unreached(f"{size} bytes of {stream} of job {job.job_id} are not there yet")

    bench = Bench()
    bench.jobs = Slow(bench.queue)
    bench.restart()
    uid, job = bench.running()
    job.output["out"] = b"moo\n"
    job.end()
    bench.turn(4)
    assert bench.kube.condition(uid, "Finished") == ("True", "Succeeded")
    assert "output" not in bench.kube.status(uid)
    assert bench.kube.writes.count("patch_status") == 3
    assert bench.names().count("slurmjob.trouble") == 1

    bench.jobs = None
    bench.restart()
    bench.turn()
    assert bench.kube.status(uid)["output"] == {"tail": "moo\n"}


def test_an_array_is_counted() -> None:
    bench = Bench()
    bench.let_in(namespaces=dict(bench.clusters["alpha"].namespaces))
    uid, job = bench.running(options={"array": "0-3"})
    found = bench.kube.status(uid)
    assert found["array"] == {"total": 4, "pending": 0, "running": 4, "succeeded": 0, "failed": 0}

    job.end("FAILED", 1)
    bench.turn(2)
    found = bench.kube.status(uid)
    assert (found["phase"], found["reason"], found["array"]["failed"]) == (
        "Failed",
        "TasksFailed",
        4,
    )
    assert "exitCode" not in found
    bench.queue.asked.clear()
    bench.turn()
    assert bench.queue.asked == []


def test_a_cluster_is_asked_once_a_turn_however_many_there_are() -> None:
    bench = Bench()
    for number in range(40):
        bench.kube.apply(f"cow-{number}")
    bench.turn(2)
    bench.queue.asked.clear()
    bench.queue.now += timedelta(seconds=5)
    bench.cycle.turn()

    assert bench.queue.asked == ["look_up"]
