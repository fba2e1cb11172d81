"""What goes wrong around the operator: nothing is guessed, and all goes on by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.jobs import FakeJobs, FakeSlurmQueue
from tests.unit.operator.jobs.bench import ALPHA, Bench
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.errors import ChangedMeanwhile, Gone, KubeError, NotAllowed, Silent
from waldur_slurm.operator.jobs.plan import MOST_SUBMITS
from waldur_slurm.operator.model.cluster import RunsAs

WRITES = ("accept", "let_go", "patch_status", "tell", "keep", "read_kept", "forget_kept")


@pytest.mark.operator_fault("the API server is gone, or is restarted")
@pytest.mark.parametrize("error", [Silent("no answer"), NotAllowed("no right")])
def test_while_the_api_server_takes_nothing_no_job_is_made_and_then_one(error: KubeError) -> None:
    bench = Bench()
    uid = bench.kube.apply()
    bench.kube.failing = dict.fromkeys(WRITES, error)
    bench.turn(5)
    assert bench.queue.jobs == []
    assert bench.names().count("slurmjob.trouble") == 1

    bench.kube.failing = {}
    bench.turn(2)
    assert (bench.kube.status(uid)["jobId"], len(bench.queue.jobs)) == ("1", 1)


@pytest.mark.operator_fault("the API server answers 409 or 410")
@pytest.mark.parametrize("error", [ChangedMeanwhile("409"), Gone("404")])
@pytest.mark.parametrize("write", ["accept", "patch_status", "let_go"])
def test_what_changed_meanwhile_is_decided_anew_without_a_word(
    error: KubeError, write: str
) -> None:
    bench = Bench()
    uid = bench.kube.apply()
    bench.kube.failing[write] = error
    bench.turn(2)
    bench.kube.delete(uid)
    bench.turn(8)
    assert "slurmjob.trouble" not in bench.names()

    bench.kube.failing = {}
    bench.turn(8)
    assert uid not in bench.kube.objects
    assert {job.state.base for job in bench.queue.jobs} <= {"CANCELLED"}


@pytest.mark.operator_fault("another cluster answers under the same name")
def test_another_slurm_under_the_same_name_gets_no_second_job_and_loses_none() -> None:
    bench = Bench()
    uid, job = bench.running()
    deleted = bench.kube.apply("deleted")
    bench.turn()
    (theirs := FakeSlurmQueue(now=bench.queue.now)).add(job.wanted)
    theirs.jobs[0].comment = "theirs"
    home, bench.jobs = bench.queue, FakeJobs(theirs)
    bench.restart()
    theirs.now = bench.queue.now
    bench.kube.delete(deleted)
    for _ in range(20):
        theirs.now += timedelta(seconds=5)
        bench.turn()
    assert bench.phase(uid) == ("Unknown", "Lost")
    assert [each.state for each in theirs.jobs] == [JobState("PENDING")]

    bench.jobs = FakeJobs(home)
    bench.restart()
    bench.turn()
    assert bench.phase(uid) == ("Running", "")
    assert not {"submit", "cancel"} & {*theirs.asked}
    assert deleted not in bench.kube.objects
    bench.turn(3, after=301)
    assert [each.state.base for each in home.jobs] == ["RUNNING", "CANCELLED"]


@pytest.mark.operator_fault("a namespace loses its mapping while its jobs run")
def test_a_namespace_that_is_let_in_no_more_keeps_its_jobs_and_gets_no_new_ones() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.let_in(namespaces={"chem": RunsAs("svc-chem")})
    new = bench.kube.apply("new")
    bench.turn(2)
    bench.new_cycle("").turn()
    assert bench.phase(uid) == ("Running", "")
    assert bench.kube.condition(new, "Accepted") == ("False", "NamespaceUnknown")

    bench.kube.delete(uid)
    bench.turn(2)
    assert job.state == JobState("CANCELLED")
    assert uid not in bench.kube.objects
    assert len(bench.queue.jobs) == 1


@pytest.mark.operator_fault("the ConfigMap names a cluster no more")
def test_a_cluster_that_is_named_no_more_leaves_its_slurmjobs_waiting_and_says_so() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.clusters.clear()
    nowhere = bench.new_cycle("")
    bench.turn()
    nowhere.turn()
    assert bench.kube.condition(uid, "ClusterReachable") == ("False", "NoSuchCluster")
    bench.kube.delete(uid)
    nowhere.turn()
    assert (job.state, uid in bench.kube.objects) == (JobState("RUNNING"), True)

    bench.clusters["alpha"] = replace(ALPHA)
    bench.turn(2)
    assert (job.state, uid in bench.kube.objects) == (JobState("CANCELLED"), False)


@pytest.mark.operator_fault("a storm of SlurmJobs")
def test_in_a_storm_what_is_deleted_is_cancelled_before_anything_new_is_handed_in() -> None:
    bench = Bench()
    uid, job = bench.running()
    for number in range(500):
        bench.kube.apply(f"cow-{number}")
    bench.kube.delete(uid)
    bench.queue.asked.clear()
    bench.turn()
    acts = [what for what in bench.queue.asked if what in ("cancel", "submit")]
    assert acts == ["cancel", *["submit"] * MOST_SUBMITS]
    assert job.state == JobState("CANCELLED")

    bench.turn(10)
    assert len(bench.queue.jobs) == 501
    assert bench.queue.asked.count("submit") == 500
