"""One job, by its number: its parts, how far it is, and how much it used of what it held."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.fakes.cluster import live_job
from tests.fakes.past import past_run
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import ADMIN, GatewaySite, somebody
from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.model.batch import JobId, Task, job_id
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import ExitCode, UnreadableJob
from waldur_slurm.model.past import PastRun, PastStep

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
OVER = {"submitted": BEGAN, "start": BEGAN, "end": BEGAN + timedelta(seconds=100)}


def fresh_site() -> GatewaySite:
    return GatewaySite(jobs_ttl=timedelta(hours=1))


def look(site: GatewaySite, path: str, principal: Principal = ADMIN) -> Answered:
    """Ask for what is there now."""
    site.pictures.jobs.forget()
    return site.get(path, principal)


def array_site() -> GatewaySite:
    """Job 10: task 1 failed and is in the accounting alone, 2 ended, 3 runs, 4 and 5 wait."""
    site = fresh_site()
    failed = past_run(10, **OVER, state=JobState("FAILED"), exit=ExitCode(1, 0))
    site.history.runs.append(past_run_of(failed, JobId(10, Task(1))))
    site.cluster.put(live_job(12, id=JobId(10, Task(2)), state="COMPLETED"))
    site.cluster.put(live_job(13, id=JobId(10, Task(3)), state="RUNNING"))
    site.cluster.put(live_job(10, id=job_id("10_[4-5]")))
    return site


def past_run_of(run: PastRun, name: JobId) -> PastRun:
    return replace(run, id=name)


def parts(site: GatewaySite, path: str = "/api/v1/jobs/10/parts") -> dict[str, str]:
    answer = look(site, path)
    assert answer.status == 200, answer.text
    return {part["job_id"]: part["phase"] for part in answer.json["jobs"]}


def test_every_part_of_an_array_is_there_ended_ones_too() -> None:
    assert parts(array_site()) == {
        "10_1": "finished",
        "10_2": "finished",
        "10_3": "running",
        "10_[4-5]": "pending",
    }


def test_a_job_that_is_no_array_has_itself_for_its_only_part() -> None:
    site = fresh_site()
    site.cluster.put(live_job(7))

    assert parts(site, "/api/v1/jobs/7/parts") == {"7": "pending"}
    assert site.history.questions == 0


def test_an_array_has_ended_when_all_its_parts_have() -> None:
    site = array_site()
    assert look(site, "/api/v1/jobs/10").json["job_id"] == "10_[4-5]"
    site.cluster.forget(10)
    assert look(site, "/api/v1/jobs/10").json["job_id"] == "10_3"
    site.cluster.finish(13)
    assert look(site, "/api/v1/jobs/10").json["terminal"]


def test_an_ended_array_did_not_go_well_where_one_part_did_not() -> None:
    site = fresh_site()
    for number, state in ((1, "COMPLETED"), (2, "TIMEOUT"), (3, "COMPLETED")):
        run = past_run(20, **OVER, state=JobState(state))
        site.history.runs.append(past_run_of(run, JobId(20, Task(number))))

    assert look(site, "/api/v1/jobs/20").json["outcome"] == "timeout"


def test_parts_of_somebody_elses_job_are_not_there() -> None:
    site = array_site()

    assert look(site, "/api/v1/jobs/10/parts", somebody("bob")).status == 404
    assert look(site, "/api/v1/jobs/10/parts", somebody("ann")).status == 200


def test_absence_that_many_ask_for_costs_the_accounting_little() -> None:
    site = fresh_site()

    answers = site.client(ADMIN).together([Asked(f"/api/v1/jobs/{n}") for n in range(500, 700)])

    assert {answer.status for answer in answers} == {404}
    assert site.history.questions <= 3


def test_nothing_is_absent_while_a_row_of_slurmctld_is_not_understood() -> None:
    site = fresh_site()
    site.cluster.unreadable.append(UnreadableJob(("?",), "no number"))

    answer = look(site, "/api/v1/jobs/77")

    assert answer.status == 503
    assert "not understood" in answer.json["detail"]


# Efficiency


def ended_site() -> GatewaySite:
    site = fresh_site()
    end = BEGAN + timedelta(seconds=100)
    site.cluster.put(live_job(5, state="COMPLETED", start=BEGAN, end=end, elapsed_s=100))
    site.history.runs.append(past_run(5, **OVER, elapsed_s=100, cpus=2))
    site.history.steps.append(
        PastStep(
            job=JobId(5),
            step="batch",
            state=JobState("COMPLETED"),
            start=BEGAN,
            end=end,
            elapsed_s=100,
            cpus=2,
            tasks=1,
            cpu_seconds=50.0,
            most_memory_bytes=None,
            gpu_utilization=None,
            most_gpu_memory_bytes=None,
        )
    )
    return site


def test_efficiency_of_an_ended_job_is_told_in_queue_and_accounting_alike() -> None:
    site = ended_site()
    assert look(site, "/api/v1/jobs/5").json["efficiency"] is None
    in_queue = look(site, "/api/v1/jobs/5?efficiency=true").json["efficiency"]
    site.cluster.forget(5)
    in_accounting = look(site, "/api/v1/jobs/5?efficiency=true").json["efficiency"]

    assert in_queue == in_accounting
    assert in_queue["cpu"] == 0.25


def test_efficiency_is_not_told_of_another_run_than_the_one_shown() -> None:
    site = ended_site()
    site.cluster.put(site.cluster.jobs[5]._replace(end=BEGAN + timedelta(seconds=900)))

    assert look(site, "/api/v1/jobs/5?efficiency=true").json["efficiency"] is None


def test_efficiency_of_a_silent_accounting_is_not_now() -> None:
    site = ended_site()
    site.history.outage = AccountingDown(("sacct",), 1, "slurmdbd is away")

    assert look(site, "/api/v1/jobs/5").status == 200
    assert look(site, "/api/v1/jobs/5?efficiency=true").status == 503


def test_a_job_that_is_over_changes_no_more_and_nobody_waits_for_it() -> None:
    site = GatewaySite()
    site.cluster.put(live_job(1))
    site.cluster.finish(1)
    said = site.get("/api/v1/jobs/1?wait=60&until=change")
    assert said.json["terminal"] is True
