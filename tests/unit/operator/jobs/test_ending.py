"""A SlurmJob that is deleted takes its job with it, or waits where nobody can say."""

from dataclasses import replace

from tests.fakes.jobs import FakeJobs, FakeSlurmJob, FakeSlurmQueue
from tests.fakes.kube_jobs import KUBERNETES
from tests.unit.operator.jobs.bench import ALPHA, Bench
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.errors import Silent
from waldur_slurm.operator.jobs.ending import MOST_SWEPT
from waldur_slurm.operator.jobs.port import JobRef, Refused, Wanted
from waldur_slurm.operator.model.cluster import BySsh
from waldur_slurm.operator.model.identity import Identity
from waldur_slurm.operator.model.slurm_job import ABANDON, FINALIZER

CANCELLED, RUNNING = JobState("CANCELLED"), JobState("RUNNING")


def test_one_that_never_came_to_slurm_goes_at_once() -> None:
    bench = Bench()
    uid = bench.kube.apply(suspend=True)
    bench.turn()
    bench.kube.delete(uid)

    assert uid not in bench.kube.objects


def test_one_whose_job_is_over_goes_and_nothing_is_cancelled() -> None:
    bench = Bench()
    uid, job = bench.running()
    job.end()
    bench.turn()
    bench.kube.delete(uid)
    bench.turn()

    assert uid not in bench.kube.objects
    assert "cancel" not in bench.queue.asked


def test_a_cancel_whose_answer_was_lost_is_looked_after_and_repeated_in_time() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.kube.delete(uid)
    bench.queue.loses_requests = True
    bench.turn(3)
    assert bench.queue.asked.count("cancel") == 1
    assert uid in bench.kube.objects

    bench.queue.loses_requests = False
    bench.turn(10)
    assert job.state == CANCELLED
    assert uid not in bench.kube.objects


def test_while_slurm_is_silent_it_stays_and_says_how_it_is_let_go() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.kube.delete(uid)
    bench.queue.is_silent = True
    bench.turn(20)
    assert bench.kube.condition(uid, "ClusterReachable") == ("False", "DeletionWaits")
    assert f"sj cow {ABANDON}=true" in bench.kube.message(uid, "ClusterReachable")
    assert bench.kube.reasons(uid).count("DeletionWaits") == 1

    bench.kube.annotate(uid, ABANDON, "true")
    bench.turn()
    assert uid not in bench.kube.objects
    assert job.state == RUNNING
    assert bench.kube.reasons(uid)[-1] == "Abandoned"


def test_one_whose_policy_says_so_is_left_running_and_no_sweep_touches_its_job() -> None:
    bench = Bench()
    uid, job = bench.running(cancelPolicy="Orphan")
    bench.kube.delete(uid)
    bench.turn()
    assert uid not in bench.kube.objects
    assert bench.kube.kept == {uid: "alpha"}

    bench.restart()
    bench.turn(4, after=301)
    assert job.state == RUNNING

    job.end()
    bench.turn(2, after=301)
    assert bench.kube.kept == {}


def test_what_is_left_running_is_not_taken_for_ended_by_a_look_at_another_cluster() -> None:
    bench = Bench()
    bench.clusters["beta"] = replace(ALPHA, name="beta", is_default=False)
    beta = bench.new_cycle("beta")
    beta.jobs = FakeJobs(FakeSlurmQueue())
    uid, job = bench.running(cancelPolicy="Orphan")
    bench.kube.delete(uid)
    for _ in range(6):
        bench.turn(after=301)
        beta.turn()

    assert (job.state, bench.kube.kept) == (RUNNING, {uid: "alpha"})


def test_what_is_left_running_over_ssh_is_not_taken_for_ended_where_its_account_is_shut() -> None:
    bench = Bench()
    uid, job = bench.running(cancelPolicy="Orphan")
    bench.kube.delete(uid)
    bench.turn()
    bench.let_in(by=BySsh("login1", 22, "keys"))
    bench.queue.jobs.remove(job)
    bench.turn(3, after=301)
    bench.queue.jobs.append(job)
    bench.turn(3, after=301)

    assert (job.state, bench.kube.kept) == (RUNNING, {uid: "alpha"})


def test_one_that_slurm_will_not_cancel_says_so_and_is_tried_again() -> None:
    bench = Bench()
    uid, job = bench.running()

    class Stubborn(FakeJobs):
        def cancel(self, job: JobRef) -> None:
            raise Refused(f"Access/permission denied for job {job.job_id}")

    bench.jobs = Stubborn(bench.queue)
    bench.restart()
    bench.kube.delete(uid)
    bench.turn(10)
    assert bench.kube.reasons(uid).count("CancelFailed") == 1
    assert max(bench.kube.events.values()) == 1

    bench.jobs = None
    bench.restart()
    bench.turn(2)
    assert (job.state, uid in bench.kube.objects) == (CANCELLED, False)


def test_cancels_come_before_a_storm_of_new_ones() -> None:
    bench = Bench()
    uid, _ = bench.running()
    for number in range(60):
        bench.kube.apply(f"storm-{number}")
    bench.kube.delete(uid)
    bench.queue.asked.clear()
    bench.turn()
    done = [each for each in bench.queue.asked if each in ("submit", "cancel")]

    assert done == ["cancel"] + ["submit"] * 50
    bench.turn()
    assert len(bench.queue.jobs) == 61


def test_a_namespace_that_loses_its_mapping_is_followed_and_deleted_and_gets_nothing_new() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.let_in(namespaces={})
    new = bench.kube.apply("new")
    bench.turn()
    nobody = bench.new_cycle("")
    nobody.turn()
    assert bench.kube.condition(new, "Accepted") == ("False", "NamespaceUnknown")
    assert bench.phase(uid) == ("Running", "")

    bench.kube.delete(uid)
    bench.turn(2)
    assert (job.state, uid in bench.kube.objects) == (CANCELLED, False)
    assert len(bench.queue.jobs) == 1


def test_a_cluster_that_is_configured_no_more_holds_deletions_until_they_are_let_go() -> None:
    bench = Bench()
    uid, _ = bench.running()
    bench.clusters = {"beta": replace(ALPHA, name="beta")}
    bench.kube.delete(uid)
    nobody = bench.new_cycle("")
    nobody.turn()
    nobody.turn()
    assert bench.kube.condition(uid, "ClusterReachable") == ("False", "NoSuchCluster")
    assert bench.kube.reasons(uid).count("NoSuchCluster") == 1

    bench.kube.annotate(uid, ABANDON, "true")
    nobody.turn()
    assert uid not in bench.kube.objects


def test_what_others_manage_is_left_alone_but_let_go_where_we_hold_it() -> None:
    bench = Bench()
    uid = bench.kube.apply(managedBy="kueue.x-k8s.io/multikueue")
    bench.turn(2)
    assert (bench.queue.asked, bench.kube.writes) == (["list_marked"], [])

    bench.kube.objects[uid]["metadata"]["finalizers"] = [FINALIZER]
    bench.kube.delete(uid)
    bench.turn()
    assert uid not in bench.kube.objects


# Jobs whose SlurmJob is gone


def mark(number: int, kubernetes: str = KUBERNETES) -> str:
    return Identity(kubernetes, f"00000000-0000-0000-0001-{number:012d}").mark


def stray(bench: Bench, number: int, of: str = KUBERNETES) -> FakeSlurmJob:
    job = bench.queue.add(Wanted(str(number), mark(number, of), "#!/bin/sh\n", "svc-physics"))
    job.state = RUNNING
    return job


def test_a_job_without_its_slurmjob_is_cancelled_after_two_looks_five_minutes_apart() -> None:
    bench = Bench()
    job = stray(bench, 1)
    others = stray(bench, 2, "5b7c1d2e-0000-4000-8000-000000000002")
    bench.turn(3)
    assert job.state == RUNNING

    bench.turn(after=301)
    assert (job.state, others.state) == (CANCELLED, RUNNING)
    assert "stray.cancelled" in bench.names()


def test_one_that_is_there_again_at_the_second_look_is_not_touched() -> None:
    bench = Bench()
    uid, job = bench.running()
    kept = bench.kube.objects.pop(uid)
    bench.restart()
    bench.turn()
    bench.kube.objects[uid] = kept
    bench.turn(2, after=301)

    assert job.state == RUNNING


def test_of_many_twenty_are_cancelled_at_once_and_a_person_is_told() -> None:
    bench = Bench()
    jobs = [stray(bench, number) for number in range(MOST_SWEPT + 5)]
    bench.turn(2, after=301)
    assert sum(job.state == CANCELLED for job in jobs) == MOST_SWEPT
    assert "stray.many" in bench.names()

    bench.turn(2, after=301)
    assert all(job.state == CANCELLED for job in jobs)


def test_one_that_cannot_be_cancelled_keeps_no_other_from_it() -> None:
    class Choosy(FakeJobs):
        def cancel(self, job: JobRef) -> None:
            if job.job_id == "1":
                raise Refused("Access/permission denied")
            super().cancel(job)

    bench = Bench()
    bench.jobs = Choosy(bench.queue)
    bench.restart()
    first, second = stray(bench, 1), stray(bench, 2)
    bench.turn(3, after=301)

    assert (first.state, second.state) == (RUNNING, CANCELLED)


def test_while_nobody_lists_them_strays_are_looked_for_now_and_then() -> None:
    bench = Bench()
    bench.queue.is_silent = True
    bench.turn(24)

    assert bench.queue.asked.count("list_marked") == 2


def test_one_that_ended_long_ago_goes_though_slurm_has_forgotten_it() -> None:
    bench = Bench()
    uid, job = bench.running()
    job.end()
    bench.turn()
    bench.queue.jobs.clear()
    bench.queue.journal.clear()
    bench.kube.delete(uid)
    bench.turn()

    assert uid not in bench.kube.objects


def test_where_it_is_not_known_what_was_kept_nothing_is_swept() -> None:
    bench = Bench()
    job = stray(bench, 1)
    bench.kube.failing["read_kept"] = Silent("the API server did not answer")
    bench.turn(3, after=301)

    assert job.state == RUNNING
    assert bench.names().count("cluster.trouble") == 1
