"""No job is touched but the one that is meant, and none is said to be gone that may be there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.cluster import BEGAN, live_job
from tests.fakes.past import past_run
from tests.gateway_client import Asked
from tests.unit.gateway.steer_site import (
    ACTS,
    ANN,
    BEGUN,
    BOB,
    EACH,
    LATER,
    SteerSite,
    refused,
    steer,
)
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.gateway.web.native.finding import listed, recalled
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import UnreadableJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob


@pytest.fixture
def site() -> SteerSite:
    return SteerSite()


@pytest.mark.parametrize("what", EACH)
def test_a_job_that_was_submitted_at_another_time_is_left_alone(site: SteerSite, what: str) -> None:
    site.put(1, state="PENDING")
    refused(steer(site, what, headers=LATER), 412, "not-this-job")
    assert (site.state(1), site.acts()) == ("PENDING", [])


@pytest.mark.parametrize("what", EACH)
def test_a_job_with_another_mark_is_left_alone(site: SteerSite, what: str) -> None:
    site.put(1, state="PENDING", comment="theirs")
    refused(steer(site, what, query="?mark=mine"), 412, "not-this-job")
    assert (site.state(1), site.acts()) == ("PENDING", [])


def test_a_job_that_fits_in_time_and_mark_is_meant(site: SteerSite) -> None:
    site.put(1, comment="mine")
    assert steer(site, "cancel", query="?mark=mine", headers=BEGUN).status == 204
    assert site.state(1) == "CANCELLED"


def test_what_is_guarded_is_looked_at_anew_however_fresh_the_picture() -> None:
    site = SteerSite(jobs_ttl=timedelta(hours=1))
    site.put(1)
    assert site.ask("GET", "/jobs/1", ANN).status == 200
    site.end(1)
    site.put(1, submitted=BEGAN + timedelta(seconds=5))
    refused(steer(site, "cancel", headers=BEGUN), 412, "not-this-job")
    assert site.state(1) == "RUNNING"


def test_a_requeue_that_is_repeated_ends_no_second_run(site: SteerSite) -> None:
    site.put(1)
    assert steer(site, "requeue", headers=BEGUN).status == 204
    site.requeue(1)
    site.queue.jobs[0].state = "RUNNING"
    refused(steer(site, "requeue", headers=BEGUN), 412, "not-this-job")
    assert (site.state(1), len(site.acts())) == ("RUNNING", 1)


@pytest.mark.parametrize(("what", "status"), [("hold", 204), ("requeue", 412), ("cancel", 204)])
def test_an_array_of_which_a_task_was_requeued_is_itself_for_all_but_another_requeue(
    site: SteerSite, what: str, status: int
) -> None:
    site.put(1, id=job_id("1_1"))
    again = site.gateway.cluster.jobs[1]._replace(id=job_id("1_2"), number=2)
    site.gateway.cluster.put(again)
    site.requeue(2)
    assert steer(site, what, headers=BEGUN).status == status


@pytest.mark.parametrize(
    "given", ["2026-11-21T12:00:00Z", '"soon"', '"2026-11-21T12:00:00Z", "x"', "*", 'W/"1"', '""']
)
def test_a_condition_that_is_not_understood_does_nothing(site: SteerSite, given: str) -> None:
    site.put(1)
    refused(steer(site, "cancel", headers={"if-match": given}), 400, "wrong-ask")
    assert site.state(1) == "RUNNING"


def test_two_conditions_are_none(site: SteerSite) -> None:
    site.put(1)
    twice = [("if-match", BEGUN["if-match"])] * 2
    answer = site.gateway.client(ANN).ask(Asked("/api/v1/jobs/1", "DELETE", twice))
    refused(answer, 400, "wrong-ask")


@pytest.mark.parametrize("name", ["0", "-1", "1;2", "1 2", "--signal=9", "1_", "a", "1%0a2"])
def test_what_is_no_job_is_no_request(site: SteerSite, name: str) -> None:
    site.put(1)
    assert site.ask("DELETE", f"/jobs/{name}", ANN).status == 400
    assert site.state(1) == "RUNNING"


# Not there, over, or not known


@pytest.mark.parametrize("what", ACTS)
def test_repeating_an_act_does_no_harm(site: SteerSite, what: str) -> None:
    """But for what is refused both times."""
    site.put(1, state="RUNNING" if what.startswith("requeue") else "PENDING")
    twice = [steer(site, what).status for _ in range(2)]
    expected = {"requeue": [204, 422], "suspend": [422, 422], "resume": [422, 422]}
    assert twice == expected.get(what.removesuffix("hold"), [204, 204])


def test_what_has_ended_is_over_whoever_remembers_it(site: SteerSite) -> None:
    site.put(1, state="COMPLETED")
    assert steer(site, "cancel").status == 204
    site.end(1)
    site.gateway.history.runs.append(past_run(1))
    assert steer(site, "cancel", headers=BEGUN).status == 204
    assert [act["what"] for act in site.acts()] == ["job.cancel"]
    words = refused(steer(site, "hold", headers=BEGUN), 422, "refused")
    assert words["refusal"] == "not-in-this-state"
    refused(steer(site, "script"), 404, "not-there")


def test_what_has_ended_is_compared_too(site: SteerSite) -> None:
    site.gateway.history.runs.append(past_run(1))
    refused(steer(site, "cancel", headers=LATER), 412, "not-this-job")
    refused(steer(site, "cancel", BOB), 404, "not-there")


@pytest.mark.parametrize("what", EACH)
def test_nothing_is_gone_because_slurmctld_is_silent(site: SteerSite, what: str) -> None:
    site.put(1)
    site.ask("GET", "/jobs", ANN)
    site.gateway.cluster.go_down()
    site.queue.is_down = True
    refused(steer(site, what, headers=BEGUN), 503, "not-now")
    refused(steer(site, what), 503, "not-now")
    assert site.state(1) == "RUNNING"


@pytest.mark.parametrize("what", EACH)
def test_nothing_is_gone_because_the_accounting_is_silent(site: SteerSite, what: str) -> None:
    site.gateway.history.outage = AccountingDown(("sacct",), 1, "away")
    refused(steer(site, what), 503, "not-now")


def test_a_job_that_may_be_an_unreadable_row_is_not_said_to_be_gone(site: SteerSite) -> None:
    site.gateway.cluster.unreadable.append(UnreadableJob(("1",), "no time"))
    refused(steer(site, "cancel"), 503, "not-now")


def test_a_job_that_slurm_hides_from_the_gateway_is_not_said_to_be_gone(site: SteerSite) -> None:
    site.gateway.pictures.hidden = ("jobs", "usage")
    refused(steer(site, "cancel"), 503, "not-now")


def test_what_the_accounting_has_as_running_and_slurmctld_not_at_all_is_not_known(
    site: SteerSite,
) -> None:
    site.gateway.history.runs.append(past_run(1, state=JobState("RUNNING"), end=None))
    refused(steer(site, "cancel"), 503, "not-now")


def test_a_job_of_the_queue_and_one_of_the_accounting_are_known_alike() -> None:
    job, run = live_job(42, comment="m"), past_run(42, comment="m")
    assert listed(job) == recalled(PastJob((run,)))
    assert recalled(PastJob((past_run(42, comment=""),))).marks is None


def test_a_task_is_known_by_the_number_that_slurmctld_counts_it_by() -> None:
    name = job_id("42_1")
    job, run = live_job(43, id=name), replace(past_run(42), id=name, number=43)
    assert listed(job).number == recalled(PastJob((run,))).number == 43


def test_the_gateways_own_mark_stands_before_what_the_owner_had_to_say() -> None:
    own = f"sgw:{'a' * 22}"
    assert listed(live_job(1, comment=f"{own} of mine")).marks == {own, f"{own} of mine"}
    assert listed(live_job(1, comment="")).marks == {""}


# What the journal knows


def handed_in(site: SteerSite, number: int, mark: str = "mine") -> None:
    """Note that Ann's own key stands for this job."""
    key = Key(str(ANN), mark)
    attempt = Attempt(key, "lab", UserName("ann"), "", mark, BEGAN, BEGAN)
    assert site.gateway.journal.open(attempt) is None
    site.gateway.journal.place(key, Placed(JobId(number), "lab", BEGAN))


def test_a_job_is_meant_by_the_mark_it_was_handed_in_with_though_that_was_taken_off(
    site: SteerSite,
) -> None:
    site.put(1, comment="of my own")
    handed_in(site, 1)
    assert steer(site, "cancel", query="?mark=mine", headers=BEGUN).status == 204
    assert site.state(1) == "CANCELLED"


@pytest.mark.parametrize("what", EACH)
def test_a_job_that_only_carries_a_copy_of_a_mark_is_left_alone(site: SteerSite, what: str) -> None:
    site.put(1, state="PENDING", comment="mine")
    handed_in(site, 2)
    refused(steer(site, what, query="?mark=mine"), 412, "not-this-job")
    assert (site.state(1), site.acts()) == ("PENDING", [])


def test_what_ended_is_meant_by_the_journals_mark_where_no_comments_are_kept(
    site: SteerSite,
) -> None:
    site.gateway.history.runs = [past_run(1, comment="")]
    handed_in(site, 1)
    assert steer(site, "cancel", query="?mark=mine", headers=BEGUN).status == 204
    site.gateway.history.runs = [past_run(2, comment="")]
    refused(site.ask("DELETE", "/jobs/2?mark=mine", ANN), 412, "not-this-job")


def test_nothing_is_done_while_the_journal_cannot_be_read(site: SteerSite) -> None:
    site.put(1, comment="mine")
    site.gateway.journal.is_broken = True
    refused(steer(site, "cancel", query="?mark=mine"), 503, "not-now")
    assert site.state(1) == "RUNNING"


def test_a_job_that_was_requeued_and_has_ended_is_meant_by_either_time(site: SteerSite) -> None:
    first = past_run(1, state=JobState("REQUEUED"), end=BEGAN + timedelta(seconds=3))
    again = past_run(1, submitted=BEGAN + timedelta(seconds=5))
    site.gateway.history.runs = [first, replace(again, end=BEGAN + timedelta(seconds=9))]
    assert steer(site, "cancel", headers=BEGUN).status == 204
    assert steer(site, "cancel", headers=LATER).status == 204
