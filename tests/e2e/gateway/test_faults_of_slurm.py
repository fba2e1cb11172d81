"""Each daemon that Slurm needs, in each kind of trouble, behind a gateway that goes on.

What is looked at are answers, jobs and letters, never how long anything took. Each case names the
row of docs/gateway-operations.md, *Faults*, that it holds.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count as numbers

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.gateway.acting import SCOPES, ActingGateway, ActingSite
from tests.e2e.gateway.faults import (
    Asked,
    Heard,
    Trouble,
    ask_for_everything,
    down,
    frozen,
    kind_of,
    reading,
    restarted,
    slow,
)
from tests.e2e.gateway.gateway import Answer
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN, HandSite
from tests.fixtures_slurm import NewCluster
from tests.trust.size import IS_CAMPAIGN, count
from tests.unit.gateway.post.sinks import Relay, relaying

PATIENCE_S = 150.0
UNTIL_MISSED_S = 900.0
"""Until slurmctld hears of an end that slurmd could not tell it, or misses the job at its node."""
ALL_SCOPES = f"{SCOPES},jobs:read:all,monitor:read,monitor:write"
MAIL = {"email": {"recipient": "ann@example.org"}}
KEYS = numbers()


@dataclass
class Bed:
    site: ActingSite
    gateway: ActingGateway
    token: str
    relay: Relay
    past: str
    """A job that ended well, long before any trouble."""

    @property
    def lab(self) -> Cluster:
        return self.site.lab

    def get(self, path: str) -> Answer:
        return self.gateway.send(self.token, "GET", path)

    def mails(self, job: str) -> list[str]:
        subjects = [str(message["Subject"]) for message in self.relay.taken]
        return [each for each in subjects if each.startswith(f"Slurm job {job} ")]

    def outcome(self, job: str) -> str:
        """How it ended as Slurm's accounting has it; empty while it goes on, or begins again."""
        told = self.lab.must(
            "sacct", "--allocations", "--noheader", "--parsable2", f"--jobs={job}", "-oState,End"
        )
        state, _, end = told.strip().partition("|")
        return "" if end in ("", "Unknown") else state

    def is_well(self) -> bool:
        paths = ("/api/v1/jobs", f"/api/v1/history?job_id={self.past}")
        answers = [self.get(path) for path in paths]
        return all(each.status == 200 and "warning" not in each.headers for each in answers)

    def settled(self, key: str) -> Answer:
        """Ask as a client does, until it is known what there is."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self.submit(key)
            if answer.status in (200, 201):
                return answer
            assert kind_of(answer) in ("not-now", "outcome-unknown", "busy"), answer.body
            assert time.monotonic() < deadline, answer.body
            time.sleep(0.5)

    def submit(self, key: str) -> Answer:
        return self.gateway.submit(self.token, key, options={"job-name": key, "hold": True})


@pytest.fixture(scope="module")
def bed(
    new_slurm_cluster: NewCluster, installed_hand: HandSite, slurm_users: tuple[str, ...]
) -> Iterator[Bed]:
    lab = new_slurm_cluster(ClusterOptions())
    lab.must("sacctmgr", "--immediate", "add", "account", "physics")
    lab.must("sacctmgr", "--immediate", "add", "user", slurm_users[0], "account=physics")
    site = ActingSite.make(lab, installed_hand)
    with (
        relaying() as relay,
        site.running(
            GATEWAY_COMMAND_TIMEOUT="2s",
            MONITOR_POLLING_INTERVAL="1s",
            GATEWAY_SMTP_FROM="slurm@example.org",
            GATEWAY_SMTP_SECURITY="none",
            SMTP_PORT=str(relay.port),
            SMTP_SERVER="127.0.0.1",
        ) as gateway,
    ):
        past = str(lab.submit(ANN, "physics", "true", "--output=/dev/null", "--mem=10"))
        lab.wait_for_jobs()
        yield Bed(site, gateway, site.token(scopes=ALL_SCOPES), relay, past)
    lab.must("scancel", f"--user={ANN}")
    site.close()


DOWN: tuple[Trouble, ...] = (down, restarted)
HANGS: tuple[Trouble, ...] = (frozen, slow)
ROWS = (
    (pytest.mark.fault("slurmctld is down, or is restarted"), "slurmctld", DOWN),
    (pytest.mark.fault("slurmctld hangs, or is slow"), "slurmctld", HANGS),
    (pytest.mark.fault("slurmdbd is down, or is restarted"), "slurmdbd", DOWN),
    (pytest.mark.fault("slurmdbd hangs, or is slow"), "slurmdbd", HANGS),
    (pytest.mark.fault("the database behind slurmdbd is down, or is restarted"), "mariadbd", DOWN),
    (pytest.mark.fault("the database behind slurmdbd hangs, or is slow"), "mariadbd", HANGS),
    (pytest.mark.fault("munge is down, or is restarted"), "munged", DOWN),
    (pytest.mark.fault("munge hangs, or is slow"), "munged", HANGS),
)
SHORT = {
    "slurmctld slow",
    "slurmdbd slow",
    "mariadbd down",
    "mariadbd frozen",
    "munged restarted",
    "munged frozen",
}
"""What `make test` has; test_silence.py has more of the first two. `make campaign` has them all."""

CASES = [
    pytest.param(daemon, trouble, marks=row, id=f"{daemon} {trouble.__name__}")
    for row, daemon, troubles in ROWS
    for trouble in troubles
    if IS_CAMPAIGN or f"{daemon} {trouble.__name__}" in SHORT
]


@pytest.mark.parametrize(("daemon", "trouble"), CASES)
def test_no_trouble_makes_a_job_gone_or_two_and_no_letter_is_lost(
    bed: Bed, daemon: str, trouble: Trouble
) -> None:
    key = f"key-{next(KEYS)}"
    held = str(bed.settled(f"held-{key}").json["job_id"])
    ends = str(bed.lab.submit(ANN, "physics", "sleep 2", "--output=/dev/null", "--mem=10"))
    watched = bed.gateway.send(
        bed.token, "POST", "/api/v1/monitors", {"job_id": ends, "methods": MAIL}
    )
    assert watched.status == 201, watched.body
    monitor = f"/api/v1/monitors/{watched.json['id']}"
    asked: Asked = {
        "jobs": reading(bed.gateway, bed.token, "/api/v1/jobs?limit=0"),
        "the held one": reading(bed.gateway, bed.token, f"/api/v1/jobs/{held}"),
        "the ended one": reading(bed.gateway, bed.token, f"/api/v1/jobs/{bed.past}"),
        "one that never was": reading(bed.gateway, bed.token, "/api/v1/jobs/999999"),
        "history": reading(bed.gateway, bed.token, f"/api/v1/history?job_id={bed.past}"),
        "nodes": reading(bed.gateway, bed.token, "/api/v1/nodes"),
        "the monitor": reading(bed.gateway, bed.token, monitor),
        "submit": lambda: bed.submit(key),
    }
    heard = Heard()
    eventually(bed.is_well, "all is well", PATIENCE_S)

    trouble(bed.lab, daemon, lambda: ask_for_everything(asked, heard))
    eventually(bed.is_well, "all is well again", PATIENCE_S)
    made = bed.settled(key)

    assert_nothing_false(heard, held, bed.past)
    named = bed.lab.must("squeue", "--noheader", "--all", "--states=all", f"--name={key}", "-o%A")
    assert named.split() == [made.json["job_id"]]
    eventually(lambda: bed.mails(ends) != [], "the letter is there", UNTIL_MISSED_S)
    eventually(lambda: bed.outcome(ends) != "", "the accounting knows the end", UNTIL_MISSED_S)
    # Without munge slurmd cannot tell of the end, and what slurmctld makes of that is its own.
    outcome = bed.outcome(ends) if daemon == "munged" else "COMPLETED"
    assert bed.mails(ends) == [f"Slurm job {ends} (wrap) ended: {outcome}"]
    assert bed.get(monitor).json["stage"] == "ended"
    count(f"trouble of {daemon} before a gateway: {trouble.__name__}")


def assert_nothing_false(heard: Heard, held: str, past: str) -> None:
    """What was told is so, and what was not told is "not now"."""
    assert {answer.status for answer in heard.all} <= {200, 201, 404, 409, 503, 504}
    for name in ("jobs", "the held one", "the ended one", "history", "nodes", "the monitor"):
        assert heard.statuses(name) <= {200, 503}, (name, heard.statuses(name))
    assert heard.statuses("one that never was") <= {404, 503}
    assert heard.statuses("submit") <= {200, 201, 409, 503, 504}
    assert heard.kinds("submit") <= {"not-now", "outcome-unknown", "busy"}
    for body in heard.bodies("jobs"):
        assert held in {job["job_id"] for job in body["jobs"]}  # type: ignore[attr-defined]  # JSON
    assert {body["phase"] for body in heard.bodies("the held one")} <= {"pending"}
    assert {body["outcome"] for body in heard.bodies("the ended one")} <= {"success"}
    for body in heard.bodies("history"):
        assert [job["job_id"] for job in body["jobs"]] == [past]  # type: ignore[attr-defined]  # JSON
    for body in heard.bodies("nodes"):
        assert body["nodes"]
    assert {body["stage"] for body in heard.bodies("the monitor")} <= {"watching", "ended"}
