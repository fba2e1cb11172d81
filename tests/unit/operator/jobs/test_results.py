"""A SlurmJob that asks for results has a companion until they are in the claim, and tells of it.

Whatever becomes of the results, the job is what it is.
"""

from dataclasses import replace

import pytest

from tests.unit.operator.jobs.bench import ALPHA
from tests.unit.operator.jobs.results_bench import DONE, POD, RESULTS, ResultsBench
from waldur_slurm.operator.errors import NotAllowed
from waldur_slurm.operator.jobs.port import Refused
from waldur_slurm.operator.model.cluster import ByGateway, BySsh, RunsAs
from waldur_slurm.operator.model.collected import TOKEN_ENDED, Collected


def test_a_companion_is_made_when_the_job_runs_and_not_while_it_waits() -> None:
    bench = ResultsBench()
    uid, job = bench.submitted(results=RESULTS)
    bench.turn(5)
    assert bench.pods.pods == {}
    assert bench.pods.calls == {}

    bench.queue.tick()
    bench.turn(3)
    assert [*bench.pods.pods] == [("physics", POD)]
    assert bench.pods.made == 1
    order = bench.pods.order(POD)
    assert (order["job_id"], order["source"], order["folder"]) == (
        str(job.number),
        "out/*.csv",
        "cow",
    )
    assert bench.pods.secrets["physics", POD]["token"].startswith(f"token-{job.number}-")
    assert bench.phase(uid) == ("Running", "")


def test_what_it_collected_is_in_the_status_and_its_secret_goes() -> None:
    bench = ResultsBench()
    uid, job = bench.with_companion()
    bench.turn()
    assert bench.said(uid) == ("False", "JobRuns")
    job.end()
    bench.turn(2)
    assert bench.said(uid) == ("False", "Collecting")
    bench.pods.ends(POD, 0, DONE)
    bench.turn(2)

    assert bench.said(uid) == ("True", "Collected")
    file = {"path": "out/a.csv", "size": 2, "sha256": "a" * 64}
    assert bench.kube.status(uid)["results"] == {"count": 1, "size": 2, "files": [file]}
    assert "a" * 64 in bench.kube.message(uid, "ResultsCollected")
    assert bench.phase(uid) == ("Succeeded", "")
    assert bench.pods.secrets == {}
    assert bench.kube.reasons(uid).count("Collected") == 1


def test_when_all_is_collected_nothing_is_asked_any_more() -> None:
    bench = ResultsBench()
    uid, job = bench.with_companion()
    job.end()
    bench.pods.ends(POD, 0, DONE)
    bench.turn(3)
    bench.pods.calls.clear()
    bench.queue.asked.clear()
    before = len(bench.kube.writes)
    bench.turn(5)
    bench.restart()
    bench.turn(5)

    assert bench.pods.calls == {}
    assert "look_up" not in bench.queue.asked
    assert len(bench.kube.writes) == before
    assert bench.said(uid) == ("True", "Collected")


def test_one_that_was_over_before_anybody_looked_has_a_companion_too() -> None:
    bench = ResultsBench()
    uid, job = bench.submitted(results=RESULTS)
    bench.queue.tick()
    job.end()
    bench.turn(2)

    assert bench.pods.made == 1
    bench.pods.ends(POD, 0, DONE)
    bench.turn(2)
    assert bench.said(uid) == ("True", "Collected")


def test_one_that_died_is_made_again_ever_more_rarely_and_the_job_is_not_touched() -> None:
    bench = ResultsBench()
    uid, job = bench.with_companion()
    bench.turn()
    asked = len(bench.queue.jobs)
    for attempt in range(1, 4):
        died = bench.now.strftime("%Y-%m-%dT%H:%M:%S+00:00")
        bench.pods.ends(POD, 137, reason="OOMKilled", finishedAt=died)
        bench.turn(after=1)
        assert bench.said(uid) == ("False", "MadeAgain")
        assert bench.pods.made == attempt
        bench.turn(after=10 * 2 ** (attempt - 1))
        assert bench.pods.made == attempt + 1
        bench.pods.runs(POD)
        bench.turn()

    assert "OOMKilled" in str([*bench.kube.events])
    assert len(bench.queue.jobs) == asked
    job.end()
    bench.pods.ends(POD, 0, DONE)
    bench.turn(3)
    assert bench.said(uid) == ("True", "Collected")
    assert bench.phase(uid) == ("Succeeded", "")


def test_one_whose_token_ended_is_made_again_with_another() -> None:
    bench = ResultsBench()
    uid, _ = bench.with_companion()
    bench.pods.secrets["physics", POD] = {"token": "of old"}
    ended = Collected(words="the token of this job is not valid any longer")
    bench.pods.ends(POD, TOKEN_ENDED, ended)
    bench.turn()

    assert bench.pods.made == 2
    assert bench.pods.secrets["physics", POD]["token"].startswith("token-")
    assert "not valid any longer" in bench.kube.message(uid, "ResultsCollected")


def test_one_whose_pod_was_deleted_is_made_again() -> None:
    bench = ResultsBench()
    bench.with_companion()
    bench.pods.pods.clear()
    bench.turn()

    assert bench.pods.made == 2


def test_one_that_is_just_leaving_is_waited_for() -> None:
    bench = ResultsBench()
    bench.with_companion()
    bench.pods.ends(POD, 137)
    bench.pods.pods["physics", POD]["metadata"]["deletionTimestamp"] = "2026-11-30T00:00:00Z"
    bench.turn(3)
    assert bench.pods.made == 1

    bench.pods.pods.clear()
    bench.turn()
    assert bench.pods.made == 2


def test_what_cannot_be_collected_is_said_once_and_for_all_and_the_phase_stays() -> None:
    bench = ResultsBench()
    uid, job = bench.with_companion()
    job.end()
    bench.pods.ends(POD, 1, Collected(words="the job has no file that fits out/*.csv"))
    bench.turn(4)

    assert bench.said(uid) == ("False", "CollectFailed")
    message = bench.kube.message(uid, "ResultsCollected")
    assert "the job has no file that fits out/*.csv" in message
    assert "kubectl logs -n physics cow-job" in message
    assert bench.phase(uid) == ("Succeeded", "")
    assert bench.pods.made == 1
    assert bench.pods.secrets == {}


def test_of_a_job_that_failed_nothing_is_collected_unless_asked_for_and_that_is_no_trouble() -> (
    None
):
    bench = ResultsBench()
    uid, job = bench.with_companion()
    job.end("FAILED", 3)
    bench.pods.ends(POD, 0, Collected(words="nothing is collected of a job that ended FAILED"))
    bench.turn(3)

    assert bench.said(uid) == ("False", "NotAskedFor")
    assert bench.phase(uid) == ("Failed", "ExitCode")


def test_one_that_never_began_needs_no_companion() -> None:
    bench = ResultsBench()
    uid, job = bench.submitted(results=RESULTS)
    job.end("CANCELLED")
    bench.turn(3)

    assert bench.said(uid) == ("False", "NeverStarted")
    assert bench.pods.made == 0


def test_in_a_namespace_that_was_not_opened_it_says_what_to_bind_and_goes_on_when_it_is() -> None:
    bench = ResultsBench()
    bench.pods.failing["list_companions"] = NotAllowed("pods is forbidden")
    uid, _ = bench.running(results=RESULTS)
    bench.turn(3)

    assert bench.said(uid) == ("False", "NamespaceNotOpened")
    message = bench.kube.message(uid, "ResultsCollected")
    assert "the RoleBinding slurm-operator-results: kubectl apply -n physics -k deploy/" in message
    bench.pods.failing.clear()
    bench.turn(after=61)
    bench.turn()
    assert bench.pods.made == 1


def test_a_gateway_that_gives_no_token_is_asked_once_a_minute_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = ResultsBench()
    uid, _ = bench.running(results=RESULTS)
    asked: list[int] = []

    def refuse(*_: object) -> str:
        asked.append(1)
        raise Refused("this needs the scope files:read")

    monkeypatch.setattr(bench.cycle.jobs, "make_token", refuse)
    bench.turn(10)
    assert bench.said(uid) == ("False", "NoToken")
    assert len(asked) == 1
    bench.turn(after=61)
    bench.turn()
    assert len(asked) == 2


def test_a_pod_of_that_name_that_is_anothers_is_left_alone_and_said() -> None:
    bench = ResultsBench()
    bench.pods.pods["physics", POD] = {"metadata": {"name": POD, "uid": "x"}, "status": {}}
    uid, _ = bench.running(results=RESULTS)
    bench.turn(4)

    assert bench.said(uid) == ("False", "NameTaken")
    assert bench.pods.pods["physics", POD]["metadata"]["uid"] == "x"


def test_a_pod_that_waits_says_for_what() -> None:
    bench = ResultsBench()
    uid, _ = bench.running(results=RESULTS)
    bench.turn()
    assert bench.said(uid) is None
    bench.pods.waits(POD, "no such image")
    bench.turn()

    assert bench.said(uid) == ("False", "PodWaits")
    assert "no such image" in bench.kube.message(uid, "ResultsCollected")


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        (ByGateway("http://localhost:8080"), "AddressUnreachable"),
        (ByGateway("http://127.0.0.1:8080/"), "AddressUnreachable"),
        (ByGateway("https://[::1]"), "AddressUnreachable"),
    ],
)
def test_a_cluster_that_no_pod_reaches_says_so_and_the_job_runs(by: ByGateway, reason: str) -> None:
    bench = ResultsBench()
    bench.clusters["alpha"] = replace(ALPHA, by=by)
    uid, _ = bench.running(results=RESULTS)
    bench.turn(2)

    assert bench.said(uid) == ("False", reason)
    assert bench.phase(uid) == ("Running", "")
    assert bench.pods.made == 0


def test_a_cluster_over_ssh_offers_no_results_and_the_job_runs() -> None:
    bench = ResultsBench()
    opened = {"physics": RunsAs("nobody", may_use_ssh=True)}
    bench.let_in(by=BySsh("login1", 22, "keys"), namespaces=opened)
    key = {"secretKeyRef": {"name": "mine", "key": "id"}}
    uid, _ = bench.running(results=RESULTS, ssh={"user": "ann", "key": key})
    bench.turn(2)

    assert bench.said(uid) == ("False", "NotOffered")
    assert bench.phase(uid) == ("Running", "")


def test_a_status_that_names_anothers_job_opens_nothing_of_it() -> None:
    bench = ResultsBench()
    uid, job = bench.submitted(results=RESULTS)
    other = bench.running(name="bull")[1]
    forged = {**bench.kube.status(uid), "jobId": str(other.number), "phase": "Running"}
    bench.kube.patch_status(bench.kube.job(uid), forged)
    job.reason = "JobHeldUser"
    bench.turn(3)
    tokens = [secret["token"] for secret in bench.pods.secrets.values()]

    assert not any(token.startswith(f"token-{other.number}-") for token in tokens)


@pytest.mark.parametrize(
    "mount",
    [
        {"hostPath": {"path": "/"}},
        {**RESULTS["mount"], "hostPath": {"path": "/"}},
        {"persistentVolumeClaim": {"claimName": "chem/data"}},
    ],
)
@pytest.mark.operator_fault("a SlurmJob names a hostPath, or another namespace's claim")
def test_what_is_no_claim_of_its_own_namespace_is_refused_and_no_job_or_pod_is_made(
    mount: dict[str, object],
) -> None:
    bench = ResultsBench()
    uid = bench.kube.apply(results={"mount": mount})
    bench.turn(2)
    bench.new_cycle("").turn()
    assert bench.kube.condition(uid, "Accepted") == ("False", "NotAClaim")
    assert "claim of the namespace physics and nothing else" in bench.kube.message(uid, "Accepted")
    assert (bench.queue.jobs, bench.pods.pods) == ([], {})

    bench.kube.apply(results=RESULTS)
    bench.turn(2)
    assert bench.kube.status(uid)["jobId"] == "1"


def test_a_job_in_slurm_whose_claim_is_edited_to_another_volume_goes_on_without_a_pod() -> None:
    bench = ResultsBench()
    uid, _ = bench.submitted(results=RESULTS)
    bench.kube.apply(results={"mount": {"hostPath": {"path": "/"}}})
    bench.queue.tick()
    bench.turn(3)
    assert bench.said(uid) == ("False", "NotAClaim")
    assert (bench.phase(uid), bench.pods.pods) == (("Running", ""), {})

    bench.kube.apply(results=RESULTS)
    bench.turn(2)
    assert bench.pods.made == 1


def test_unless_results_are_asked_for_nobody_looks_for_pods() -> None:
    bench = ResultsBench()
    uid, job = bench.running()
    bench.turn(2)
    job.end()
    bench.turn(3)

    assert bench.pods.calls == {}
    assert bench.said(uid) is None


def test_a_job_that_slurm_forgot_while_its_companion_worked_stays_what_it_was() -> None:
    bench = ResultsBench()
    uid, job = bench.with_companion()
    job.end()
    bench.turn(2)
    bench.queue.jobs.clear()
    bench.queue.journal.clear()
    bench.turn(20, after=60)
    assert bench.phase(uid) == ("Succeeded", "")
    bench.pods.ends(POD, 0, DONE)
    bench.turn(2)
    assert bench.said(uid) == ("True", "Collected")


def test_one_that_died_after_slurm_forgot_its_job_is_not_made_again() -> None:
    bench = ResultsBench()
    uid, job = bench.with_companion()
    job.end()
    bench.turn(2)
    bench.pods.pods.clear()
    bench.queue.jobs.clear()
    bench.queue.journal.clear()
    bench.turn(20, after=60)

    assert bench.said(uid) == ("False", "JobForgotten")
    assert bench.pods.secrets == {}
    assert bench.phase(uid) == ("Succeeded", "")
