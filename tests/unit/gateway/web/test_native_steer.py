"""Jobs are cancelled and steered as their owner, who is acted for by whoever may."""

import json
from datetime import timedelta

import pytest

from tests.unit.gateway.site import somebody
from tests.unit.gateway.steer_site import (
    ACTS,
    ANN,
    ANYBODYS,
    BOB,
    EACH,
    GROUPS,
    SCRIPT,
    SEES_ALL,
    SteerSite,
    refused,
    steer,
)
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.batch import job_id


@pytest.fixture
def site() -> SteerSite:
    return SteerSite()


def test_a_cancelled_job_is_cancelled_and_the_answer_is_empty(site: SteerSite) -> None:
    site.put(1)
    answer = steer(site, "cancel")
    assert (answer.status, answer.body) == (204, b"")
    assert site.state(1) == "CANCELLED"


def test_a_signal_is_sent_and_the_job_goes_on(site: SteerSite) -> None:
    site.put(1)
    assert steer(site, "cancel", query="?signal=USR1").status == 204
    assert (site.state(1), site.queue.jobs[0].signals) == ("RUNNING", ["USR1"])


@pytest.mark.parametrize(
    ("what", "before", "after"),
    [
        ("hold", "PENDING", "PENDING held"),
        ("requeue", "RUNNING", "PENDING"),
        ("requeuehold", "RUNNING", "PENDING held"),
    ],
)
def test_a_verb_does_what_it_says(site: SteerSite, what: str, before: str, after: str) -> None:
    site.put(1, state=before)
    assert steer(site, what).status == 204
    assert site.state(1) == after


def test_what_is_held_can_be_released(site: SteerSite) -> None:
    site.put(1, state="PENDING")
    assert [steer(site, "hold").status, steer(site, "release").status] == [204, 204]
    assert site.state(1) == "PENDING"


def test_a_change_has_slurms_names_and_an_empty_value_clears(site: SteerSite) -> None:
    site.put(1)
    assert steer(site, "update").status == 204
    assert site.queue.jobs[0].changes == {"TimeLimit": "10", "Comment": ""}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"UserId": "0"}', b'{"Nice": true}'])
def test_a_change_that_is_none_is_no_request(site: SteerSite, body: bytes) -> None:
    site.put(1)
    refused(site.ask("PATCH", "/jobs/1", ANN, body), 400, "wrong-ask")
    assert site.queue.jobs[0].changes == {}


@pytest.mark.parametrize("value", ["a\nb", "x" * 2000, "a\u0000"])
def test_a_value_that_no_tool_is_handed_is_refused(site: SteerSite, value: str) -> None:
    site.put(1)
    body = json.dumps({"JobName": value}).encode()
    assert refused(site.ask("PATCH", "/jobs/1", ANN, body), 422, "refused")["refusal"] == (
        "invalid-option"
    )
    assert site.queue.jobs[0].changes == {}


def test_a_script_is_text_as_it_was_handed_in(site: SteerSite) -> None:
    site.put(1)
    answer = steer(site, "script")
    assert (answer.status, answer.text) == (200, SCRIPT)
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert site.acts() == []


def test_a_task_is_steered_by_the_name_it_has_in_its_array(site: SteerSite) -> None:
    """22.05 knows no task by the bare number that slurmctld counts it by."""
    site.put(40, id=job_id("40_[3-9]"), state="PENDING")
    site.queue.jobs[0].gone_tasks = []
    site.gateway.cluster.put(site.gateway.cluster.jobs[40]._replace(number=41, id=job_id("40_1")))
    assert site.ask("DELETE", "/jobs/41", ANN).status == 204
    assert site.ask("DELETE", "/jobs/40_5", ANN).status == 204
    assert site.queue.jobs[0].gone_tasks == ["1", "5"]


# Whose


@pytest.mark.parametrize("what", EACH)
def test_nobody_learns_of_the_jobs_of_others(site: SteerSite, what: str) -> None:
    """A job that is not his, not even to see, is as one that is not there."""
    site.put(1, state="PENDING")
    others = refused(steer(site, what, BOB), 404, "not-there")
    site.end(1)
    nowhere = refused(steer(site, what, BOB), 404, "not-there")
    del others["request_id"], nowhere["request_id"]
    assert others == nowhere
    assert site.acts() == []


@pytest.mark.parametrize("what", EACH)
def test_who_sees_a_job_only_may_not_touch_it(site: SteerSite, what: str) -> None:
    site.put(1, state="PENDING")
    refused(steer(site, what, SEES_ALL), 403, "denied")
    assert (site.state(1), site.acts()) == ("PENDING", [])


def test_who_may_act_for_anybody_acts_as_the_owner_and_is_written_down(site: SteerSite) -> None:
    site.put(1, user="bob")
    assert steer(site, "cancel", ANYBODYS, "?signal=USR1").status == 204
    (act,) = site.acts()
    assert act.pop("request_id")
    assert act == {
        "what": "job.cancel",
        "who": "token:portal",
        "user": "bob",
        "jobs": "1",
        "signal": "USR1",
        "ended": "done",
    }


def test_a_group_is_acted_for_too(site: SteerSite) -> None:
    site.put(1)
    refused(steer(site, "cancel", GROUPS), 404, "not-there")
    site.people.groups["ann"] = ("physics",)
    assert steer(site, "cancel", GROUPS).status == 204


def test_roots_jobs_are_nobodys_to_steer(site: SteerSite) -> None:
    site.put(1, user="root")
    refused(steer(site, "cancel", ANYBODYS), 404, "not-there")
    assert site.state(1) == "RUNNING"


@pytest.mark.parametrize("what", ACTS)
def test_each_act_is_written_down_under_its_name(site: SteerSite, what: str) -> None:
    site.put(1, state="PENDING")
    steer(site, what)
    (act,) = site.acts()
    assert (act["what"], act["who"], act["user"]) == (f"job.{what}", "token:ann", "ann")


@pytest.mark.parametrize("what", EACH)
def test_a_gateway_that_only_reads_says_so(what: str) -> None:
    site = SteerSite()
    site.gateway = type(site.gateway)()
    refused(steer(site, what), 501, "not-offered")


def test_a_scope_of_its_own_is_needed_to_cancel_and_to_control(site: SteerSite) -> None:
    site.put(1)
    canceller = somebody("ann", scopes={Scope.JOBS_CANCEL})
    refused(steer(site, "hold", canceller), 403, "denied")
    assert steer(site, "cancel", canceller).status == 204


# How it ended


def test_slurms_no_is_passed_on_with_its_words(site: SteerSite) -> None:
    site.put(1)
    told = refused(steer(site, "suspend"), 422, "refused")
    assert (told["detail"], told["refusal"]) == ("Access/permission denied", "not-allowed")
    (act,) = site.acts()
    assert act["ended"] == "not done: Access/permission denied"


def test_a_cancel_that_slurm_refuses_is_refused_and_written_down_as_not_done(
    site: SteerSite,
) -> None:
    site.put(1)
    site.queue.jobs[0].user = "bob"
    assert refused(steer(site, "cancel"), 422, "refused")["refusal"] == "not-allowed"
    assert [act["ended"] for act in site.acts()] == ["not done: Access/permission denied"]


@pytest.mark.parametrize("what", ACTS)
def test_a_job_that_is_gone_when_it_comes_to_it_is_not_said_to_be_unknown(
    site: SteerSite, what: str
) -> None:
    site.put(1)
    site.queue.jobs.clear()
    answer = steer(site, what)
    assert answer.status == (204 if what == "cancel" else 422)
    assert what == "cancel" or answer.json["refusal"] == "no-such-job"


@pytest.mark.parametrize("what", [what for what in ACTS if what not in ("suspend", "resume")])
def test_an_answer_that_was_lost_is_an_unknown_outcome(site: SteerSite, what: str) -> None:
    site.put(1)
    site.queue.loses_answers = True
    refused(steer(site, what), 504, "outcome-unknown")
    (act,) = site.acts()
    assert str(act["ended"]).startswith("unknown: ")


@pytest.mark.parametrize("what", ACTS)
@pytest.mark.parametrize("goes_wrong", [False, True])
def test_nobody_is_shown_the_job_as_it_was_before_an_act(what: str, goes_wrong: bool) -> None:
    site = SteerSite(jobs_ttl=timedelta(hours=1))
    site.put(1)
    site.ask("GET", "/jobs", ANN)
    site.queue.loses_answers = goes_wrong
    steer(site, what)
    site.gateway.cluster.finish(1)
    assert site.ask("GET", "/jobs/1", ANN).json["phase"] == "finished"
