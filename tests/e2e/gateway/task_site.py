"""Tasks as a portal hands them in on a real Slurm, for real users."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.gateway.acting import SCOPES, ActingGateway, ActingSite
from tests.e2e.gateway.gateway import Answer
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN
from tests.unit.gateway.tasks.makers import hello

ALL_SCOPES = f"{SCOPES},monitor:read,monitor:write"
PARTITION = "hpcz-test"
TASKS = "/api/v1/tasks"


@dataclass(frozen=True)
class TaskSite:
    acting: ActingSite

    @classmethod
    def make(cls, acting: ActingSite) -> "TaskSite":
        """Let there be the partition that the document names."""
        lab = acting.lab
        if PARTITION not in lab.must("sinfo", "--noheader", "--format=%R").split():
            lab.must("scontrol", "create", f"PartitionName={PARTITION}", "Nodes=ALL", "State=UP")
        return cls(acting)

    @property
    def home(self) -> Path:
        return self.acting.hand.home(ANN)

    def token(self, *users: str, name: str = "portal") -> str:
        return self.acting.token(*users, name=name, scopes=ALL_SCOPES)

    def hello(self, uuid: str, **changed: Any) -> dict[str, Any]:
        """Return the document's task, for Ann, below her home, with another uuid."""
        return hello(str(self.home), **{"uuid": uuid, "username": ANN, **changed})

    def sleeper(self, uuid: str, *, partition: str = PARTITION, **changed: Any) -> dict[str, Any]:
        """Return a small task that runs for long, called as its uuid, with one directory."""
        return {
            "uuid": uuid,
            "username": ANN,
            "cwd": str(self.home),
            "cmd": "sleep",
            "params": ["600"],
            "dirs": {"output": f"{self.home}/tasks/{uuid}"},
            "slurm": {"job_name": uuid, "mem": 10, "partition": partition},
            **changed,
        }

    def names(self) -> list[str]:
        """Name the jobs that there are, ended ones too."""
        listing = self.acting.lab.must(
            "squeue", "--noheader", "--all", "--states=all", "--format=%j"
        )
        return listing.splitlines()

    def wait_for_end(self, job: str) -> None:
        def has_ended() -> bool:
            state = self.acting.lab.must("squeue", "-h", "-a", "-t", "all", "-j", job, "-o", "%T")
            return state.strip() in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT")

        eventually(has_ended, f"job {job} has ended", 60.0)


def submit(gateway: ActingGateway, token: str, task: object, **headers: str) -> Answer:
    return gateway.send(token, "POST", TASKS, task, **headers)
