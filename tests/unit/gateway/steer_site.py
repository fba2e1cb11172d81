"""A gateway in memory that steers: a queue, whose jobs its cluster lists, and what was done."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.fakes.batch import FakeJob, FakeQueue
from tests.fakes.cluster import live_job
from tests.fakes.people import ThesePeople
from tests.gateway_client import Answered, Asked
from tests.unit.gateway.site import ADMIN, EVERYTHING, GatewaySite, means_by, somebody
from waldur_slurm.gateway.doors.principals import Principal, RunAs
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName

ANN, BOB = somebody("ann"), somebody("bob")
ANYBODYS = replace(somebody(), name="portal", run_as=RunAs(anybody=True))
GROUPS = replace(somebody(), name="group", run_as=RunAs(groups=frozenset({"physics"})))
SEES_ALL = somebody("bob", scopes=EVERYTHING)

BEGUN = {"if-match": '"2026-11-21T12:00:00Z"'}
LATER = {"if-match": '"2026-11-21T12:00:05Z"'}
EACH = {
    "cancel": ("DELETE", "/jobs/1", b""),
    "hold": ("POST", "/jobs/1/hold", b""),
    "release": ("POST", "/jobs/1/release", b""),
    "requeue": ("POST", "/jobs/1/requeue", b""),
    "requeuehold": ("POST", "/jobs/1/requeuehold", b""),
    "suspend": ("POST", "/jobs/1/suspend", b""),
    "resume": ("POST", "/jobs/1/resume", b""),
    "update": ("PATCH", "/jobs/1", b'{"TimeLimit": 10, "Comment": ""}'),
    "script": ("GET", "/jobs/1/script", b""),
}
ACTS = [what for what in EACH if what != "script"]

SCRIPT = "#!/bin/sh\nsleep 300\n"


@dataclass
class SteerSite:
    """`queue` is what scancel and scontrol reach, `gateway.cluster` what squeue shows."""

    queue: FakeQueue = field(default_factory=FakeQueue)
    jobs_ttl: timedelta = timedelta(seconds=0.05)

    def __post_init__(self) -> None:
        self.people = ThesePeople("ann", "bob")
        self.gateway = GatewaySite(
            jobs_ttl=self.jobs_ttl, means_of=means_by(self.queue), people=self.people
        )

    def put(
        self, number: int, user: str = "ann", state: str = "RUNNING", **changes: Any
    ) -> LiveJob:
        """Let there be a job; `changes` are fields of what squeue shows."""
        options = {"hold": None} if changes.get("reason") == "JobHeldUser" else {}
        self.queue.jobs.append(FakeJob(number, user, BatchSheet(SCRIPT, options), state))
        job = live_job(number, user=UserName(user), state=state, **changes)
        return self.gateway.cluster.put(job)

    def end(self, number: int) -> None:
        """Let slurmctld forget it."""
        self.queue.jobs = [job for job in self.queue.jobs if job.number != number]
        self.gateway.cluster.forget(number)

    def requeue(self, number: int) -> None:
        """What a requeue does to what squeue shows."""
        job = self.gateway.cluster.jobs[number]
        later = job.submitted + timedelta(seconds=5)
        self.gateway.cluster.put(job._replace(submitted=later, state=JobState("PENDING")))

    def ask(
        self,
        method: str,
        path: str,
        principal: Principal = ADMIN,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        asked = Asked(f"/api/v1{path}", method, [*(headers or {}).items()], body)
        return self.gateway.client(principal).ask(asked)

    def state(self, number: int) -> str:
        (job,) = (each for each in self.queue.jobs if each.number == number)
        return f"{job.state} held" if "hold" in job.sheet.options else job.state

    def acts(self) -> list[dict[str, object]]:
        """What was written down."""
        return [
            {"what": event.name, **event.fields} for event in self.gateway.told if event.is_change
        ]


def steer(
    site: SteerSite,
    what: str,
    principal: Principal = ANN,
    query: str = "",
    headers: dict[str, str] | None = None,
) -> Answered:
    method, path, body = EACH[what]
    return site.ask(method, path + query, principal, body, headers)


def refused(answer: Answered, status: int, kind: str) -> Any:
    assert (answer.status, answer.json["type"].rpartition(":")[2]) == (status, kind), answer.text
    return answer.json
