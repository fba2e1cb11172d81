"""A key has one job, on a real Slurm: whatever is killed, lost, copied or restarted on the way."""

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException

import pytest

from sandbox.slurm import ClusterOptions
from tests.e2e.gateway.acting import (
    HONEST,
    LOSES_ITS_ANSWER,
    NEVER_ARRIVES,
    ActingGateway,
    ActingSite,
)
from tests.e2e.gateway.gateway import Answer, listings_asked
from tests.e2e.gateway.mortal import moments
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, BOB, HandSite
from tests.fixtures_slurm import NewCluster
from tests.trust.size import IS_CAMPAIGN, count

SOON = "2s"
"""Of GATEWAY_COMMAND_TIMEOUT: an sbatch whose answer is lost is over in some twenty seconds."""

PATIENCE_S = 180.0


def names(site: ActingSite) -> Counter[str]:
    """How many jobs there are of each name, ended ones too."""
    listing = site.lab.must("squeue", "--noheader", "--all", "--states=all", "--format=%j")
    return Counter(listing.splitlines())


def submit(gateway: ActingGateway, token: str, key: str, **asked: object) -> Answer | None:
    """Hand in a job that is called as its key; None where the gateway died."""
    try:
        options = {"job-name": key, **asked.pop("options", {})}  # type: ignore[dict-item]  # a test's own
        return gateway.submit(token, key, options=options, **asked)
    except (OSError, HTTPException):
        return None


def settled(gateway: ActingGateway, token: str, key: str, **asked: object) -> Answer:
    """Ask as a client does, again and again, until it is known what there is."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = submit(gateway, token, key, **asked)
        assert answer is not None
        if answer.status in (200, 201, 422):
            return answer
        assert answer.json["type"].endswith((":outcome-unknown", ":busy")), answer.body
        assert time.monotonic() < deadline, answer.body
        time.sleep(0.5)


Asked = Mapping[str, object]
NOTHING_MORE: Asked = {}
REFUSED: Asked = {"options": {"partition": "nowhere"}}


SWEPT_WHOLE = "sudo"
"""The way in which every kind of submit is killed each time; by the others it is the plain one.

What makes the kinds differ is sbatch's answer, and a way only carries that. `make campaign` kills
every kind by every way.
"""


@dataclass
class Sweep:
    """Kills gateways that are handed a job, one after the other; `asked` is what by each key."""

    site: ActingSite
    way: str
    token: str
    asked: dict[str, Asked] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)

    def kill_all(
        self, kind: str, effects: int, tries: int = 1, wanted: Asked = NOTHING_MORE
    ) -> None:
        """One whose start is a submit's end dies of that; it is killed in a submit as well."""
        for number, when in moments(effects):
            key = f"{self.way}-{kind}-{number}-{when}"
            self.asked[key] = wanted
            if not self.kill((str(number), when), key, tries):
                assert self.kill((str(number), when, "open"), key, tries)

    def kill(self, dies: tuple[str, ...], key: str, tries: int) -> bool:
        """Whether it lived until it was asked; `dies` is as `mortal` has it."""
        with self.site.running(self.way, dies, GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
            for _ in range(tries if gateway.is_ready else 0):
                submit(gateway, self.token, key, **self.asked[key])
            assert gateway.daemon.process.wait(60) == -9
        self.killed["in a submit" if gateway.is_ready else "at its start"] += 1
        return gateway.is_ready


@pytest.mark.parametrize("way", [SWEPT_WHOLE, "setuid", "socket"])
@pytest.mark.fault("the gateway is killed")
def test_a_kill_at_any_moment_of_a_submit_costs_no_job_and_makes_no_second(
    acting_site: ActingSite, way: str
) -> None:
    is_whole = way == SWEPT_WHOLE or IS_CAMPAIGN
    token = acting_site.token()
    sweep, kinds = Sweep(acting_site, way, token), [4, *([3, 3, 2] if is_whole else [])]
    sweep.kill_all("plain", 4)
    if is_whole:
        sweep.kill_all("refused", 3, wanted=REFUSED)
        acting_site.sbatch(LOSES_ITS_ANSWER)
        sweep.kill_all("lost", 3, tries=2)
        acting_site.sbatch(NEVER_ARRIVES)
        sweep.kill_all("never", 2)
        acting_site.sbatch(HONEST)

    asked, killed = sweep.asked, sweep.killed
    assert killed["in a submit"] == len(asked) == sum(len(moments(each)) for each in kinds)
    count(f"kill of a submit by {way}", killed.total())
    with acting_site.running(way, GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
        answers = {key: settled(gateway, token, key, **wanted) for key, wanted in asked.items()}
        again = {key: settled(gateway, token, key, **wanted) for key, wanted in asked.items()}
    jobs = names(acting_site)
    wanted_jobs = {key: 0 if wanted else 1 for key, wanted in asked.items()}
    print(f"killed {dict(killed)} times by {way}: {sum(wanted_jobs.values())} keys, as many jobs")  # noqa: T201 - the proof
    assert {key: jobs[key] for key in asked} == wanted_jobs
    for key, wanted in asked.items():
        assert (answers[key].status == 422) is bool(wanted), key
        if not wanted:
            assert (again[key].status, again[key].json["job_id"]) == (
                200, answers[key].json["job_id"],
            )  # fmt: skip


def test_an_sbatch_that_outlives_the_gateway_is_found(acting_site: ActingSite) -> None:
    """It is held up until the gateway is dead, and hands its job in then."""
    token, meeting = acting_site.token(), acting_site.hand.home(ANN) / "go"
    acting_site.sbatch(
        f"touch {meeting}.here; until [ -e {meeting} ]; do sleep 0.05; done; {HONEST}"
    )
    with (
        acting_site.running(GATEWAY_COMMAND_TIMEOUT=SOON) as gateway,
        ThreadPoolExecutor(1) as pool,
    ):
        asked = pool.submit(submit, gateway, token, "orphan")
        eventually(meeting.with_suffix(".here").exists, "sbatch has begun")
        gateway.daemon.process.kill()
        assert asked.result() is None
    meeting.touch()
    acting_site.sbatch(HONEST)
    with acting_site.running(GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
        answer = settled(gateway, token, "orphan")

    assert answer.status == 200
    assert names(acting_site)["orphan"] == 1


@pytest.mark.fault("the answer of sbatch is lost")
def test_a_job_whose_answer_was_lost_is_told_by_its_key(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    token = acting_site.token()
    acting_site.sbatch(LOSES_ITS_ANSWER)
    lost = submit(acting, token, "lost")
    acting_site.sbatch(HONEST)

    assert lost is not None
    assert (lost.status, lost.json["type"]) == (504, "urn:slurm-gateway:problem:outcome-unknown")
    answer = settled(acting, token, "lost")
    assert answer.status == 200
    assert answer.json["stdout"] == "/dev/null"
    assert names(acting_site)["lost"] == 1
    ends = [act["fields"]["ended"] for act in acting_site.acts() if act["event"] == "job.submit"]
    assert [end.partition(":")[0] for end in ends] == ["unknown"]


@pytest.mark.fault("slurmctld is down, or is restarted")
def test_a_slurmctld_that_restarts_in_between_changes_nothing(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    token, lab = acting_site.token(), acting_site.lab
    acting_site.sbatch(LOSES_ITS_ANSWER)
    submit(acting, token, "between")
    lab.stop_daemon("slurmctld")
    acting_site.sbatch(HONEST)
    silent = submit(acting, token, "between")
    never_sent = submit(acting, token, "not-sent")
    lab.start_daemon("slurmctld")

    assert silent is not None
    assert silent.status in (200, 409, 504)  # it may have been found before, or be looked for
    assert never_sent is not None
    assert (never_sent.status, never_sent.json["type"]) == (
        503,
        "urn:slurm-gateway:problem:not-now",
    )
    eventually(lambda: lab.run("scontrol", "ping").code == 0, "slurmctld answers")
    assert settled(acting, token, "between").status == 200
    assert settled(acting, token, "not-sent").status == 201
    assert {key: names(acting_site)[key] for key in ("between", "not-sent")} == {
        "between": 1, "not-sent": 1,
    }  # fmt: skip


def comment(site: ActingSite, user: str, job: str, text: str) -> bool:
    """Change a job's comment as this user, and tell whether Slurm let him."""
    done = site.lab.run("scontrol", "update", f"JobId={job}", f"Comment={text}", user=user)
    return done.code == 0


def test_a_mark_that_is_copied_or_taken_off_deceives_nobody(acting_site: ActingSite) -> None:
    token = acting_site.token()
    with acting_site.running(GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
        old = settled(gateway, token, "old", mark="old").json["job_id"]
        bobs = settled(gateway, token, "bobs", mark="bobs", user=BOB).json["job_id"]
        mine = settled(gateway, token, "mine", mark="mine").json["job_id"]
        assert not comment(acting_site, BOB, mine, "stolen")
        assert comment(acting_site, ANN, mine, "off")
        assert settled(gateway, token, "mine", mark="mine").json["job_id"] == mine

        acting_site.sbatch(NEVER_ARRIVES)
        submit(gateway, token, "new", mark="new")
        assert comment(acting_site, BOB, bobs, "new")
        acting_site.sbatch(HONEST)
        made = settled(gateway, token, "new", mark="new")

    assert made.status == 201
    assert made.json["job_id"] not in (old, bobs, mine)
    assert names(acting_site)["new"] == 1


def test_two_hundred_at_once_from_one_client_are_two_hundred_jobs(
    acting_site: ActingSite, acting: ActingGateway
) -> None:
    token = acting_site.token()
    listed, began = listings_asked(acting_site.lab), time.monotonic()
    with ThreadPoolExecutor(200) as pool:
        answers = [*pool.map(lambda n: submit(acting, token, f"many-{n}"), range(200))]
    took = time.monotonic() - began
    listed = listings_asked(acting_site.lab) - listed

    print(f"200 submits at once took {took:.1f} s and {listed} listings")  # noqa: T201 - the proof
    assert [answer and answer.status for answer in answers] == [201] * 200
    assert all(answer and answer.json["submit_time"] for answer in answers)
    jobs = names(acting_site)
    assert {jobs[f"many-{n}"] for n in range(200)} == {1}
    assert listed <= 20


def test_a_job_that_slurmctld_has_forgotten_is_found_in_the_accounting(
    new_slurm_cluster: NewCluster, hand_site: HandSite
) -> None:
    """slurmctld looks for what to forget once a minute. What neither knows is handed in again."""
    lab = new_slurm_cluster(ClusterOptions(slurm_conf={"MinJobAge": "2"}))
    lab.must("sacctmgr", "--immediate", "add", "account", "physics")
    lab.must("sacctmgr", "--immediate", "add", "user", ANN, "account=physics")
    site = ActingSite.make(lab, hand_site)
    try:
        token = site.token()
        short = {"script": "#!/bin/sh\nexit 0\n"}
        with site.running(dies=("1", "after"), GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
            assert submit(gateway, token, "short", **short) is None
        site.sbatch(NEVER_ARRIVES)
        with site.running(dies=("1", "after"), GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
            assert submit(gateway, token, "never", **short) is None
        site.sbatch(HONEST)
        assert names(site)["short"] == 1
        eventually(lambda: not names(site), "slurmctld has forgotten it", timeout=150.0)

        with site.running(GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
            found = settled(gateway, token, "short", **short)
            made = settled(gateway, token, "never", **short)

        assert (found.status, made.status) == (200, 201)
        rows = lab.must("sacct", "-X", "-n", "-P", "-a", "-S", "now-1hour", "--format=jobname")
        assert Counter(rows.split())["short"] == 1
    finally:
        site.close()
