"""Why a job waits is told over HTTP, by what whoever asks may see."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.cluster import BEGAN, live_job, qos
from tests.unit.gateway.site import GatewaySite, somebody
from waldur_slurm.gateway.doors.principals import Kind, OneJob, Principal
from waldur_slurm.gateway.doors.scopes import Scope, widened
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.names import UserName

ANN = somebody("ann")


@pytest.fixture
def site() -> GatewaySite:
    return GatewaySite(jobs_ttl=timedelta(seconds=0.1))


def test_a_job_that_waits_says_why_and_when_it_may_start(site: GatewaySite) -> None:
    later = datetime(2037, 1, 1, tzinfo=UTC)
    site.cluster.put(
        live_job(1, reason="Resources", cpus=20, start=later, considered=datetime.now(UTC))
    )
    said = site.get("/api/v1/jobs/1/reason").json
    assert said["job_id"] == "1"
    assert said["phase"] == "pending"
    assert (said["reason"]["category"], said["reason"]["passes"]) == ("resources", True)
    assert said["reason"]["evidence"][0] == {
        "about": "partition",
        "name": "main",
        "says": (
            "Partition main has 2 of 2 nodes, 16 of 16 CPUs free; the job asks for 1 node, 20 CPUs."
        ),
        "limit": 16,
        "used": 0,
    }
    assert (said["estimate"]["kind"], said["estimate"]["start"]) == (
        "expected",
        "2037-01-01T00:00:00Z",
    )


def test_of_a_job_that_runs_or_ended_there_is_nothing_to_explain(site: GatewaySite) -> None:
    site.cluster.put(live_job(1))
    site.cluster.begin(1)
    said = site.get("/api/v1/jobs/1/reason").json
    assert (said["phase"], said["reason"], said["estimate"]) == ("running", None, None)


def test_of_an_array_it_is_the_part_that_waits(site: GatewaySite) -> None:
    site.cluster.put(live_job(8, id=job_id("7_0"), state="RUNNING", hosts="n1"))
    site.cluster.put(live_job(7, id=job_id("7_[1-3%1]"), reason="JobArrayTaskLimit"))
    said = site.get("/api/v1/jobs/7/reason").json
    assert said["job_id"] == "7_[1-3%1]"
    assert said["reason"]["evidence"][0]["says"] == (
        "Running tasks of the array: 1 of at most 1 at once."
    )


def test_another_users_job_is_not_there(site: GatewaySite) -> None:
    site.cluster.put(live_job(1, user=UserName("bob")))
    assert site.get("/api/v1/jobs/1/reason", ANN).status == 404
    assert site.get("/api/v1/jobs/9/reason", ANN).status == 404


def test_who_sees_only_his_own_jobs_learns_nothing_of_others(site: GatewaySite) -> None:
    site.cluster.qos = [qos("normal", group_jobs=2)]
    site.cluster.put(live_job(1, reason="QOSGrpJobsLimit"))
    for number in (2, 3):
        site.cluster.put(live_job(number, user=UserName("bob"), state="RUNNING", hosts="n1"))
    (own,) = site.get("/api/v1/jobs/1/reason", ANN).json["reason"]["evidence"]
    (whole,) = site.get("/api/v1/jobs/1/reason").json["reason"]["evidence"]
    assert (own["limit"], own["used"]) == (2, None)
    assert (whole["limit"], whole["used"]) == (2, 2)


def test_what_slurm_hides_from_the_gateway_is_not_counted(site: GatewaySite) -> None:
    site.pictures.hidden = ("jobs",)
    site.cluster.qos = [qos("normal", group_jobs=2)]
    site.cluster.put(live_job(1, reason="QOSGrpJobsLimit"))
    (fact,) = site.get("/api/v1/jobs/1/reason").json["reason"]["evidence"]
    assert fact["used"] is None


def test_without_the_scope_for_the_cluster_nothing_of_it_is_told(site: GatewaySite) -> None:
    site.cluster.put(live_job(1, reason="Resources"))
    blind = somebody("ann", scopes={Scope.JOBS_READ})
    said = site.get("/api/v1/jobs/1/reason", blind).json
    assert (said["reason"]["category"], said["reason"]["evidence"]) == ("resources", [])


def test_a_token_for_one_job_sees_no_other_beside_it(site: GatewaySite) -> None:
    site.cluster.put(live_job(1, reason="Dependency", dependency="afterok:2(unfulfilled)"))
    site.cluster.put(live_job(2, state="RUNNING", hosts="n1"))
    one = Principal(
        Kind.TOKEN,
        "one",
        widened({Scope.JOBS_READ}),
        run_as=ANN.run_as,
        job=OneJob("lab", 1, BEGAN),
    )
    (fact,) = site.get("/api/v1/jobs/1/reason", one).json["reason"]["evidence"]
    assert fact["says"] == "Job 2 (afterok) is unfulfilled."
    assert site.get("/api/v1/jobs/2/reason", one).status == 404


def test_an_accounting_that_is_silent_takes_its_facts_away_and_not_the_answer(
    site: GatewaySite,
) -> None:
    site.cluster.put(live_job(1, reason="QOSMaxJobsPerUserLimit"))
    site.cluster.lose_accounting()
    answered = site.get("/api/v1/jobs/1/reason")
    assert answered.status == 200
    assert answered.json["reason"]["whose"] == "user"


def test_a_list_costs_no_more_for_it(site: GatewaySite) -> None:
    site.cluster.put(live_job(1, reason="Resources"))
    site.get("/api/v1/jobs")
    assert set(site.cluster.calls) == {"read_jobs"}
