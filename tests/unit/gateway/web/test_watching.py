"""Health, readiness and metrics: what those who watch are told, and what a silence leaves out."""

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from tests.fakes.cluster import live_job
from tests.unit.gateway.site import ADMIN, GatewaySite, somebody
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.names import UserName
from waldur_slurm.telemetry.events import Event, Level


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_lives_and_is_ready_while_slurm_answers() -> None:
    site = GatewaySite()

    assert site.get("/healthz", somebody(scopes=())).text == "ok\n"
    ready = site.get("/readyz", somebody(scopes=()))
    assert (ready.status, ready.text) == (200, "lab: answers; seen 0 s ago\n")


def test_it_lives_and_is_not_ready_while_slurm_is_silent() -> None:
    site = GatewaySite()
    site.cluster.go_down()

    assert site.get("/healthz").status == 200
    ready = site.get("/readyz")
    assert ready.status == 503
    assert "Unable to contact slurm controller" in ready.text


def test_jobs_and_nodes_are_counted() -> None:
    site = GatewaySite()
    site.cluster.put(live_job(1))
    site.cluster.put(live_job(2, user=UserName("bob"), partition="main,gpu"))
    site.cluster.put(live_job(3))
    site.cluster.begin(3)

    found = samples(site.get("/metrics").text)

    assert found["slurm_up", "cluster=lab"] == 1
    assert found["slurm_jobs", "cluster=lab", "state=pending"] == 2
    assert found["slurm_jobs", "cluster=lab", "state=running"] == 1
    assert found["slurm_user_jobs", "cluster=lab", "state=pending", "user=bob"] == 1
    assert found["slurm_partition_jobs", "cluster=lab", "partition=gpu", "state=pending"] == 1
    assert found["slurm_nodes", "cluster=lab", "state=idle"] == 2
    assert found["slurm_cpus", "cluster=lab", "state=idle", "use=free"] == 16
    assert found["slurm_partition_nodes", "cluster=lab", "partition=main", "state=idle"] == 2
    assert found["slurm_partition_cpus", "cluster=lab", "partition=main", "use=free"] == 16
    assert found["slurm_gateway_readings_total", "cluster=lab", "thing=jobs"] == 1


def test_what_slurmctld_counts_is_told_by_its_own_names() -> None:
    site = GatewaySite()
    site.cluster.untold = 7

    found = samples(site.get("/metrics").text)

    assert found["slurm_slurmctld", "cluster=lab", "counter=DBD Agent queue size"] == 7
    assert found["slurm_messages", "cluster=lab", "message=REQUEST_JOB_INFO"] == 1


def test_a_sdiag_that_is_silent_takes_no_other_figures() -> None:
    site = GatewaySite()
    site.cluster.put(live_job(1))
    site.cluster.silent.add("read_statistics")

    found = samples(site.get("/metrics").text)

    assert found["slurm_up", "cluster=lab"] == 1
    assert found["slurm_jobs", "cluster=lab", "state=pending"] == 1
    assert not [key for key in found if key[0] == "slurm_slurmctld"]


def test_answers_are_counted_by_their_status_and_defects_from_the_beginning() -> None:
    site = GatewaySite()
    site.get("/healthz")
    site.get("/api/v1/jobs/x")
    site.tell(Event(name="picture.crashed", level=Level.ERROR))

    found = samples(site.get("/metrics").text)

    assert found["slurm_gateway_requests_total", "status=200"] == 1
    assert found["slurm_gateway_requests_total", "status=400"] == 1
    assert found["slurm_gateway_crashes_total", "of=picture"] == 1
    assert found["slurm_gateway_crashes_total", "of=request"] == 0


def test_no_figures_are_told_of_a_silent_slurm() -> None:
    site = GatewaySite(jobs_ttl=timedelta(0))
    site.cluster.put(live_job(1))
    site.get("/metrics")
    site.cluster.go_down()
    site.get("/metrics")

    found = samples(site.get("/metrics").text)

    assert found["slurm_up", "cluster=lab"] == 0
    assert not [key for key in found if key[0] == "slurm_jobs"]


def test_a_scrape_costs_slurm_nothing_while_the_pictures_are_fresh() -> None:
    site = GatewaySite()
    site.get("/api/v1/jobs")
    site.get("/api/v1/nodes")
    site.get("/api/v1/statistics")
    before = site.cluster.calls.copy()

    site.get("/metrics")

    assert site.cluster.calls == before


def test_metrics_are_not_for_everybody() -> None:
    site = GatewaySite()

    assert site.get("/metrics", somebody(scopes=ADMIN.scopes - {Scope.METRICS_READ})).status == 403
