"""Jobs are steered over HTTP on a real Slurm: as their owners, none but those that are meant."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.gateway.acting import SLEEP, ActingGateway, ActingSite
from tests.e2e.gateway.gateway import Answer
from tests.fixtures_hand import ANN, BOB, HandSite
from tests.fixtures_slurm import NewCluster

PATIENCE_S = 30.0
FORBIDDEN = (
    ("DELETE", ""),
    ("POST", "/hold"),
    ("POST", "/release"),
    ("POST", "/requeue"),
    ("GET", "/script"),
)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not come to be"
        time.sleep(0.1)


def asked(
    acting: ActingGateway, token: str, method: str, path: str, body: object = None, **headers: str
) -> Answer:
    """Ask again while nobody can say whether there is such a job: then nothing was done."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := acting.send(token, method, path, body, **headers)).status == 503:
        assert time.monotonic() < deadline, answer.body
        time.sleep(0.2)
    return answer


def said_of(lab: Cluster, job: str, key: str) -> str:
    """What slurmctld says of one job's part that has a name without blanks."""
    found = re.search(rf"\b{key}=(\S*)", lab.must("scontrol", "show", "job", job))
    return found[1] if found else ""


def state(lab: Cluster, job: str) -> str:
    return said_of(lab, job, "JobState")


def kind(answer: Answer) -> str:
    return str(answer.json["type"].rpartition(":")[2])


def placed(acting: ActingGateway, token: str, **body: Any) -> tuple[str, dict[str, str]]:
    """Hand in a job; return its number, and the header that says when it was submitted."""
    answer = acting.submit(token, **body)
    assert answer.status == 201, answer.body
    return answer.json["job_id"], {"If_Match": f'"{answer.json["submit_time"]}"'}


def running(lab: Cluster, acting: ActingGateway, token: str, **body: Any) -> str:
    job, _ = placed(acting, token, **body)
    wait_until(lambda: state(lab, job) == "RUNNING", f"a run of job {job}")
    return job


def test_each_verb_does_to_the_job_what_it_says(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    lab, token = acting_site.lab, acting_site.token(ANN)
    job, meant = placed(acting, token, options={"begin": "now+1hour"})

    def steered(verb: str, **headers: str) -> Answer:
        return asked(acting, token, "POST", f"/api/v1/jobs/{job}/{verb}", **headers)

    for _ in range(2):
        assert steered("hold", **meant).status == 204
    assert said_of(lab, job, "Reason") == "JobHeldUser"
    assert (
        asked(acting, token, "GET", f"/api/v1/jobs/{job}").json["state"]["reason"] == "JobHeldUser"
    )
    for _ in range(2):
        assert steered("release", **meant).status == 204
    assert said_of(lab, job, "Reason") != "JobHeldUser"
    changes = {"TimeLimit": "1:00", "JobName": "a b=c|d", "StartTime": "now"}
    path = f"/api/v1/jobs/{job}"
    assert asked(acting, token, "PATCH", path, changes, **meant).status == 204
    assert said_of(lab, job, "TimeLimit") == "00:01:00"
    assert "JobName=a b=c|d\n" in lab.must("scontrol", "show", "job", job)
    assert asked(acting, token, "GET", f"{path}/script").body.decode() == SLEEP
    wait_until(lambda: state(lab, job) == "RUNNING", "a run")
    refused = steered("suspend", **meant)
    assert (refused.status, refused.json["refusal"]) == (422, "not-allowed")
    assert refused.json["detail"].startswith("Access/permission denied")
    assert steered("requeuehold", **meant).status == 204
    wait_until(lambda: said_of(lab, job, "Restarts") == "1", "a second run")
    wait_until(lambda: state(lab, job) == "PENDING", "its place in the queue")
    wait_until(lambda: kind_of_repeat(acting, token, job, meant) == "not-this-job", "its new time")
    assert asked(acting, token, "DELETE", path).status == 204
    assert state(lab, job) == "CANCELLED"
    assert asked(acting, token, "DELETE", path).status == 204


def kind_of_repeat(acting: ActingGateway, token: str, job: str, meant: dict[str, str]) -> str:
    again = asked(acting, token, "POST", f"/api/v1/jobs/{job}/requeue", **meant)
    assert again.status in (412, 422), again.body
    return kind(again)


def test_nobody_cancels_anothers_job_and_who_may_act_for_anybody_does_so_as_its_owner(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    lab = acting_site.lab
    anns, anybodys = acting_site.token(ANN, name="ann"), acting_site.token("any", name="admin")
    job = running(lab, acting, acting_site.token(BOB), user=BOB)

    for method, path in FORBIDDEN:
        assert asked(acting, anns, method, f"/api/v1/jobs/{job}{path}").status == 404
    assert asked(acting, anns, "PATCH", f"/api/v1/jobs/{job}", {"Comment": "x"}).status == 404
    assert state(lab, job) == "RUNNING"
    assert asked(acting, anybodys, "DELETE", f"/api/v1/jobs/{job}").status == 204
    wait_until(lambda: state(lab, job) == "CANCELLED", "its end")
    (act,) = (act for act in acting_site.acts() if act["event"] == "job.cancel")
    assert act["fields"]["who"].startswith("token:admin(")
    assert (act["fields"]["user"], act["fields"]["jobs"]) == (BOB, job)
    assert said_of(lab, job, "UserId").startswith(f"{BOB}(")


def test_what_an_administrator_holds_its_owner_does_not_release(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    lab, token = acting_site.lab, acting_site.token(ANN)
    job, _ = placed(acting, token, options={"begin": "now+1hour", "no-requeue": True})
    lab.must("scontrol", "hold", job)

    refused = asked(acting, token, "POST", f"/api/v1/jobs/{job}/release")
    held = asked(acting, token, "POST", f"/api/v1/jobs/{job}/hold")

    assert (refused.status, refused.json["refusal"]) == (422, "not-allowed")
    assert (held.status, said_of(lab, job, "Reason")) == (204, "JobHeldAdmin")


@pytest.fixture
def ann_an_operator(lab: Cluster) -> Iterator[None]:
    change = ("sacctmgr", "--immediate", "modify", "user", ANN, "set")
    lab.must(*change, "adminlevel=Operator")
    yield
    lab.must(*change, "adminlevel=None")


@pytest.mark.usefixtures("ann_an_operator")
def test_an_operators_hold_of_his_own_job_is_his_own_and_he_may_suspend_it(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    lab, token = acting_site.lab, acting_site.token(ANN)
    waiting, _ = placed(acting, token, options={"begin": "now+1hour"})
    job = running(lab, acting, token)

    held = asked(acting, token, "POST", f"/api/v1/jobs/{waiting}/hold")
    suspended = asked(acting, token, "POST", f"/api/v1/jobs/{job}/suspend")

    assert (held.status, said_of(lab, waiting, "Reason")) == (204, "JobHeldUser")
    assert (suspended.status, state(lab, job)) == (204, "SUSPENDED")
    shown = asked(acting, token, "GET", f"/api/v1/jobs/{job}").json
    assert shown["phase"] == "suspended"
    assert asked(acting, token, "POST", f"/api/v1/jobs/{job}/resume").status == 204
    assert state(lab, job) == "RUNNING"


def test_a_job_that_may_not_be_requeued_runs_on(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    lab, token = acting_site.lab, acting_site.token(ANN)
    job = running(lab, acting, token, options={"no-requeue": True})

    refused = asked(acting, token, "POST", f"/api/v1/jobs/{job}/requeue")

    assert (refused.status, refused.json["refusal"]) == (422, "not-in-this-state")
    assert state(lab, job) == "RUNNING"


def test_tasks_of_an_array_are_steered_one_by_one_and_together(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    lab, token = acting_site.lab, acting_site.token(ANN)
    whole, meant = placed(acting, token, options={"array": "1-4", "begin": "now+1hour"})
    waiting = asked(acting, token, "GET", f"/api/v1/jobs/{whole}").json["job_id"]

    one = asked(acting, token, "DELETE", f"/api/v1/jobs/{whole}_2", **meant)
    beyond = asked(acting, token, "DELETE", f"/api/v1/jobs/{whole}_77")
    held = asked(acting, token, "POST", f"/api/v1/jobs/{whole}/hold", **meant)

    assert (waiting, one.status, beyond.status, held.status) == (f"{whole}_[1-4]", 204, 404, 204)
    listing = lab.must("squeue", "--noheader", "--array", f"--jobs={whole}", "--format=%i %r")
    assert {*listing.splitlines()} == {f"{whole}_{n} JobHeldUser" for n in (1, 3, 4)}
    left = asked(acting, token, "GET", f"/api/v1/jobs/{whole}_3").json["job_id"]
    assert asked(acting, token, "DELETE", f"/api/v1/jobs/{quote(left)}").status == 204
    assert lab.must("squeue", "--noheader", f"--jobs={whole}") == ""


def test_a_component_is_steered_as_far_as_slurm_lets_it_be(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    lab, token = acting_site.lab, acting_site.token(ANN)
    script = "#!/bin/sh\n#SBATCH hetjob\n#SBATCH --mem=10\nsleep 600\n"
    whole, _ = placed(acting, token, script=script, options={"begin": "now+1hour"})

    changed = asked(acting, token, "PATCH", f"/api/v1/jobs/{whole}%2B1", {"Comment": "second"})
    alone = asked(acting, token, "DELETE", f"/api/v1/jobs/{whole}%2B1")
    by_number = asked(acting, token, "DELETE", f"/api/v1/jobs/{int(whole) + 1}")

    assert changed.status == 204
    assert said_of(lab, f"{whole}+1", "Comment") == "second"
    assert (alone.status, by_number.status) == (422, 422)
    assert "individual component" in alone.json["detail"]
    assert asked(acting, token, "DELETE", f"/api/v1/jobs/{whole}").status == 204
    assert lab.must("squeue", "--noheader", f"--jobs={whole}") == ""


def test_many_are_cancelled_by_one_request_each_as_its_owner(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    lab, token = acting_site.lab, acting_site.token()
    jobs = [placed(acting, token, mark=f"many:{n}", user=(ANN, BOB)[n % 2])[0] for n in range(10)]
    lab.must("scancel", jobs[0])
    wishes = [{"job_id": job, "mark": f"many:{n}"} for n, job in enumerate(jobs)]
    wishes[9]["mark"] = "many:10"
    wishes.append({"job_id": "999999", "mark": "many:11"})
    assert asked(acting, token, "DELETE", "/api/v1/jobs/999999").status == 404

    answer = asked(acting, token, "POST", "/api/v1/jobs:cancel", {"jobs": wishes})

    outcomes = [each["outcome"] for each in answer.json["jobs"]]
    assert outcomes[0] in ("over", "cancelled")
    assert outcomes[1:] == ["cancelled"] * 8 + ["not-this-job", "not-there"]
    wait_until(
        lambda: {state(lab, job) for job in jobs[:9]} == {"CANCELLED"}, "the end of nine jobs"
    )
    assert state(lab, jobs[9]) != "CANCELLED"
    acts = [act["fields"]["user"] for act in acting_site.acts() if act["event"] == "job.cancel"]
    assert sorted(acts) == [ANN, BOB]


@pytest.fixture
def own_site(
    new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...], hand_site: HandSite
) -> Iterator[ActingSite]:
    """A Slurm of the test's own, whose numbers it may start anew."""
    cluster = new_slurm_cluster(ClusterOptions())
    cluster.must("sacctmgr", "--immediate", "add", "account", "physics")
    for user in slurm_users[:2]:
        cluster.must("sacctmgr", "--immediate", "add", "user", user, "account=physics")
    site = ActingSite.make(cluster, hand_site)
    yield site
    site.close()
    cluster.stop()


def start_numbers_anew(cluster: Cluster) -> None:
    cluster.stop_daemon("slurmctld")
    for left in Path(cluster.directory, "state").iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    cluster.start_daemon("slurmctld")


def test_a_delete_never_hits_a_stranger_even_after_numbers_were_started_anew(
    own_site: ActingSite,
) -> None:
    """Not the same user's next job either, nor by a list that was shown a moment before."""
    lab = own_site.lab
    with own_site.running(GATEWAY_JOBS_AGE="1h") as acting:
        token, anns = own_site.token(), own_site.token(ANN, name="ann")
        old = {user: placed(acting, token, user=user, mark=f"old:{user}") for user in (ANN, BOB)}
        assert asked(acting, token, "GET", "/api/v1/jobs").status == 200
        start_numbers_anew(lab)
        new = {}
        for user in (ANN, BOB):
            argv = ("sbatch", "--parsable", "--account=physics", "--hold", "--mem=10")
            script = own_site.place / "sleep.sh"
            script.write_text(SLEEP)
            own_site.place.chmod(0o755)
            done = lab.must(*argv, "--chdir=/tmp", "--output=/dev/null", str(script), user=user)
            new[user] = done.strip()
        assert new == {user: job for user, (job, _) in old.items()}

        for user, (job, meant) in old.items():
            path = f"/api/v1/jobs/{job}"
            guarded: tuple[tuple[str, str, dict[str, str]], ...] = (
                ("DELETE", path, meant),
                ("DELETE", f"{path}?mark=old:{user}", {}),
                ("POST", f"{path}/requeuehold?mark=old:{user}", meant),
            )
            told = [
                asked(acting, token, method, at, **headers).status
                for method, at, headers in guarded
            ]
            assert told == [412, 412, 412]
        wishes = [{"job_id": job, "mark": f"old:{user}"} for user, (job, _) in old.items()]
        listed = asked(acting, token, "POST", "/api/v1/jobs:cancel", {"jobs": wishes})
        many = listed.json["jobs"]
        bobs = asked(acting, anns, "DELETE", f"/api/v1/jobs/{new[BOB]}", **old[BOB][1])

        assert {each["outcome"] for each in many} == {"not-this-job"}
        assert bobs.status == 404
        assert [act for act in own_site.acts() if act["event"] != "job.submit"] == []
    assert {state(lab, job) for job in new.values()} == {"PENDING"}
