"""One SlurmJob is one job in Slurm, whatever is lost, killed, edited or forged on the way."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

import pytest

from tests.fakes.jobs import FakeJobs
from tests.fakes.kube_jobs import KUBERNETES
from tests.unit.operator.jobs.bench import ALPHA, Bench
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.errors import ChangedMeanwhile, Silent
from waldur_slurm.operator.jobs.port import Found, Wanted
from waldur_slurm.operator.model.identity import Identity
from waldur_slurm.operator.model.slurm_job import ABANDON, CLUSTER


@pytest.mark.parametrize("after", [True, False])
def test_an_answer_that_was_lost_is_settled_by_a_look(after: bool) -> None:
    bench = Bench()
    bench.by_a_way_that_loses(after=after)
    uid = bench.kube.apply()
    bench.turn()
    assert bench.kube.status(uid) == {}

    bench.turn(3)
    assert bench.kube.status(uid)["jobId"] == "1"
    assert len(bench.queue.jobs) == 1


@pytest.mark.parametrize("after", [True, False])
def test_so_it_is_where_the_operator_is_killed_right_then(after: bool) -> None:
    bench = Bench()
    bench.by_a_way_that_loses(after=after)
    uid = bench.kube.apply()
    bench.turn()
    bench.restart()
    bench.turn(3)

    assert (bench.kube.status(uid)["jobId"], len(bench.queue.jobs)) == ("1", 1)


def test_what_was_handed_in_and_is_not_shown_is_settled_under_its_own_key() -> None:
    bench = Bench()
    uid = bench.kube.apply()
    bench.queue.loses_requests = True
    bench.turn(3)
    assert bench.queue.jobs == []

    bench.queue.loses_requests = False
    bench.turn(30)
    assert bench.kube.status(uid)["jobId"] == "1"
    assert len(bench.queue.jobs) == 1


def test_an_answer_that_is_older_than_the_attempt_tells_nothing_of_it() -> None:
    bench = Bench()
    bench.by_a_way_that_loses(after=False)
    bench.kube.apply()
    bench.turn()
    bench.queue.asked.clear()
    bench.turn(after=0)

    assert "submit" not in bench.queue.asked


def test_two_operators_at_once_make_one_job() -> None:
    bench = Bench()
    bench.kube.apply()
    other = bench.new_cycle()
    seen = bench.kube.snapshot()
    for cycle in (bench.cycle, other):
        cycle.read = lambda: seen
        cycle.turn()

    assert len(bench.queue.jobs) == 1


def test_where_somebody_changed_it_meanwhile_nothing_is_handed_in() -> None:
    bench = Bench()
    bench.kube.apply()
    bench.kube.failing["accept"] = ChangedMeanwhile("it was changed meanwhile")
    bench.turn()

    assert bench.queue.jobs == []
    assert "slurmjob.trouble" not in bench.names()


def test_where_the_status_cannot_be_written_the_next_turn_writes_it() -> None:
    bench = Bench()
    uid = bench.kube.apply()
    bench.kube.failing["patch_status"] = Silent("the API server did not answer")
    bench.turn(3)
    assert bench.names().count("slurmjob.trouble") == 1

    bench.kube.failing.clear()
    bench.turn()
    assert (bench.kube.status(uid)["jobId"], len(bench.queue.jobs)) == ("1", 1)


def test_another_cluster_in_the_spec_or_the_config_does_not_make_a_second_job() -> None:
    bench = Bench()
    bench.by_a_way_that_loses(after=True)
    uid = bench.kube.apply()
    bench.turn()
    bench.kube.apply(cluster="beta")
    beta = replace(ALPHA, name="beta")
    bench.clusters = {"alpha": replace(ALPHA, is_default=False), "beta": beta}
    bench.turn(2)

    assert bench.kube.job(uid).annotations[CLUSTER] == "alpha"
    assert (bench.kube.status(uid)["cluster"], len(bench.queue.jobs)) == ("alpha", 1)


def test_where_no_comments_are_kept_an_outcome_unknown_for_long_is_a_persons_to_decide() -> None:
    bench = Bench()
    bench.queue.keeps_comments = False
    bench.queue.loses_requests = True
    uid = bench.kube.apply()
    bench.turn(80)
    assert bench.phase(uid) == ("Unknown", "OutcomeUnknown")
    assert Identity(KUBERNETES, uid).mark in bench.kube.message(uid, "Submitted")

    bench.queue.loses_requests = False
    bench.restart()
    bench.turn(20)
    assert bench.queue.jobs == []
    bench.kube.delete(uid)
    bench.kube.annotate(uid, ABANDON, "true")
    bench.turn()
    assert uid not in bench.kube.objects


def test_a_forged_status_leads_to_nobody_elses_job() -> None:
    bench = Bench()
    theirs = bench.queue.add(Wanted("theirs", "portal:1", "#!/bin/sh\n", "bob"))
    uid = bench.kube.apply(suspend=True)
    bench.turn()
    bench.kube.objects[uid]["status"] |= {"jobId": "1", "phase": "Running"}
    bench.turn(30)
    bench.kube.delete(uid)
    bench.turn(3)

    assert theirs.state == JobState("PENDING")
    assert uid not in bench.kube.objects
    assert not {"cancel", "hold", "requeue_held"} & {*bench.queue.asked}


@pytest.mark.parametrize(
    "nonsense",
    [
        {"conditions": 7},
        {"conditions": [7, {"type": "Finished"}, {"type": "Suspended", "status": []}]},
        {"phase": {"a": 1}, "slurm": [1], "output": 3},
        {"cluster": {"no": "text"}, "jobId": 7},
    ],
)
def test_a_status_full_of_nonsense_is_written_anew(nonsense: dict[str, object]) -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.kube.objects[uid]["status"] = nonsense
    bench.turn()
    assert bench.phase(uid) == ("Running", "")

    job.end()
    bench.turn()
    assert bench.phase(uid) == ("Succeeded", "")
    assert "slurmjob.crashed" not in bench.names()


def test_a_mark_that_was_copied_or_taken_off_changes_nothing() -> None:
    bench = Bench()
    uid, job = bench.running()
    job.comment = ""
    copied = bench.queue.add(Wanted("x", Identity(KUBERNETES, uid).mark, "#!/bin/sh\n", "bob"))
    bench.turn(3)
    assert bench.kube.status(uid)["jobId"] == "1"

    bench.kube.delete(uid)
    bench.turn(2)
    assert job.state == JobState("CANCELLED")
    assert copied.state == JobState("PENDING")


def test_a_mark_that_was_copied_before_the_job_was_handed_in_keeps_it_from_nothing() -> None:
    bench = Bench()
    uid = bench.kube.apply(suspend=True)
    bench.turn()
    copied = bench.queue.add(Wanted("x", Identity(KUBERNETES, uid).mark, "#!/bin/sh\n", "bob"))
    bench.turn()
    bench.kube.apply(suspend=False)
    bench.turn(2)

    assert bench.kube.status(uid)["jobId"] == "2"
    assert bench.queue.jobs[1].user == "svc-physics"
    bench.kube.delete(uid)
    bench.turn(2)
    assert copied.state == JobState("PENDING")


@pytest.mark.operator_fault("somebody puts a SlurmJob's mark on a job of his own")
@pytest.mark.parametrize("is_deleted", [False, True])
def test_a_mark_that_was_copied_while_the_first_request_was_lost_is_nobody_to_follow_or_cancel(
    *, is_deleted: bool
) -> None:
    bench = Bench()
    bench.by_a_way_that_loses(after=False)
    uid = bench.kube.apply()
    bench.turn()
    assert (bench.kube.job(uid).is_held, bench.queue.jobs) == (True, [])
    copied = bench.queue.add(Wanted("x", Identity(KUBERNETES, uid).mark, "#!/bin/sh\n", "bob"))
    if is_deleted:
        bench.kube.delete(uid)
    bench.restart()
    bench.turn(20)

    assert copied.state == JobState("PENDING")
    assert bench.kube.status(uid).get("jobId") == (None if is_deleted else "2")
    assert [job.user for job in bench.queue.jobs[1:]] == ([] if is_deleted else ["svc-physics"])


class Confusing(FakeJobs):
    """A way whose answers are of other marks than they say."""

    def look_up(self, marks: Collection[str], since: datetime | None = None) -> Found:
        found = super().look_up(marks, since)
        jobs = {
            mark: replace(seen, ref=replace(seen.ref, mark="another"))
            for mark, seen in found.jobs.items()
        }
        return replace(found, jobs=jobs)


def test_what_is_found_with_another_mark_than_was_asked_for_is_left_alone() -> None:
    bench = Bench()
    uid, job = bench.running()
    bench.jobs = Confusing(bench.queue)
    bench.restart()
    bench.kube.delete(uid)
    bench.turn(3)

    assert job.state == JobState("RUNNING")
    assert uid in bench.kube.objects


def test_who_removes_everything_that_we_wrote_gets_no_second_job() -> None:
    bench = Bench()
    uid, _ = bench.running()
    meta = bench.kube.objects[uid]["metadata"]
    meta["finalizers"], meta["annotations"] = [], {}
    bench.turn(2)

    assert bench.kube.job(uid).is_held
    assert len(bench.queue.jobs) == 1
