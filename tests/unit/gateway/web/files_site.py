"""A gateway within the process that acts for Ann and Bob, whose files are in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.batch import FakeBatch, FakeQueue
from tests.fakes.cluster import BEGAN, live_job
from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.past import past_run
from tests.fakes.people import ThesePeople
from tests.gateway_client import Answered
from tests.unit.gateway.site import GatewaySite, somebody
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.names import UserName

ANN = somebody("ann")
BOB = somebody("bob")
WORK = "/home/ann/run"
OUTPUT = "/api/v1/jobs/1/output"
FILES = "/api/v1/jobs/1/files"
OLD_NS = BEGAN.timestamp() * 10**9
"""When files were changed last, long before they are read."""


@dataclass
class FilesSite:
    """Job 1 is Ann's and runs in `WORK`.

    `then` is called with how often somebody was acted as, each time before it is done.
    """

    gateway: GatewaySite = field(init=False)
    trees: dict[str, FakeTree] = field(default_factory=dict)
    then: Callable[[int], object] = str
    looks: int = 0

    def __post_init__(self) -> None:
        self.trees = {user: FakeTree((f"/home/{user}",)) for user in ("ann", "bob")}
        self.tree = self.trees["ann"]
        self.tree.write(f"{WORK}/job.sh", b"#!/bin/sh\n")
        people = ThesePeople("ann", "bob")
        people.groups["ann"] = ("physics",)
        self.gateway = GatewaySite(means_of=self._means, people=people)
        self.put(1, state="RUNNING")

    def put(self, number: int, **changes: Any) -> None:
        """Put a job of Ann's into the queue."""
        given = {"user": UserName("ann"), "work_dir": WORK, "stderr": "", **changes}
        given.setdefault("stdout", f"{WORK}/slurm-%j.out")
        self.gateway.cluster.put(live_job(number, **given))
        self.gateway.pictures.jobs.forget()

    def remember(self, job: int, **changes: Any) -> None:
        """Let a job be in the accounting alone."""
        self.gateway.history.runs.append(past_run(job, **{"work_dir": WORK, **changes}))

    def get(self, path: str, principal: Principal = ANN, **headers: str) -> Answered:
        """Ask, with a picture that is taken for it."""
        self.gateway.pictures.jobs.forget()
        return self.gateway.get(path, principal, **headers)

    def write(self, name: str, content: bytes) -> str:
        """Write a file below the job's folder, long ago."""
        path = f"{WORK}/{name}"
        self.tree.write(path, content).mtime_ns = int(OLD_NS)
        return path

    def _means(self, user: str) -> Means:
        self.looks += 1
        self.then(self.looks)
        return Means(FakeBatch(FakeQueue(), user), FakeFiles(self.trees[user]))


def problem(answer: Answered) -> tuple[int, str]:
    """The status of a refusal, and its kind."""
    return answer.status, answer.json["type"].rpartition(":")[2]


def only(*scopes: Scope, users: tuple[str, ...] = ("ann",)) -> Principal:
    return somebody(*users, scopes=scopes)
