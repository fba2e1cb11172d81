"""A kill at any moment of a task, on a real Slurm: one job at most, and no monitor without one."""

import time
from dataclasses import dataclass
from http.client import HTTPException

import pytest

from tests.e2e.gateway.acting import (
    HONEST,
    LOSES_ITS_ANSWER,
    NEVER_ARRIVES,
    ActingGateway,
    ActingSite,
)
from tests.e2e.gateway.gateway import Answer
from tests.e2e.gateway.task_site import TASKS, TaskSite, submit
from tests.e2e.program import eventually

SOON = "1s"
"""Of GATEWAY_COMMAND_TIMEOUT: it is soon known that an sbatch hands nothing in any more."""

PATIENCE_S = 90.0


@dataclass(frozen=True)
class Kind:
    """What the users' sbatch does, how often a client asks, and at how many effects it is killed.

    An effect is one of `mortal_tasks`.
    """

    sbatch: str
    effects: int
    partition: str = "main"
    tries: int = 1

    @property
    def is_refused(self) -> bool:
        return self.partition != "main"


KINDS = {
    "plain": Kind(HONEST, 6),
    "refused": Kind(HONEST, 6, partition="nowhere"),
    "lost": Kind(LOSES_ITS_ANSWER, 6, tries=2),
    "never": Kind(NEVER_ARRIVES, 4),
}


@pytest.fixture
def site(acting_site: ActingSite) -> TaskSite:
    return TaskSite.make(acting_site)


def task_of(site: TaskSite, uuid: str, kind: Kind) -> dict[str, object]:
    return site.sleeper(uuid, partition=kind.partition)


def was_killed(site: TaskSite, token: str, uuid: str, kind: Kind, number: int, when: str) -> bool:
    """Hand a task in to a gateway that dies at this effect; whether it did."""
    dies = (str(number), when)
    with site.acting.running(dies=dies, by="mortal_tasks", GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
        try:
            for _ in range(kind.tries):
                submit(gateway, token, task_of(site, uuid, kind))
        except (OSError, HTTPException):
            pass
        return bool(gateway.daemon.process.wait(20) == -9)


def left_open(gateway: ActingGateway, token: str) -> list[str]:
    """Tasks of which nobody knows whether they have a job."""
    tasks = gateway.send(token, "GET", f"{TASKS}?limit=1000").json["tasks"]
    return [task["uuid"] for task in tasks if task["job_id"] is None]


def finished(site: TaskSite, token: str) -> dict[str, str]:
    """Let a gateway find out what is open, and return the job of each task that there is."""
    with site.acting.running(GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
        eventually(lambda: not left_open(gateway, token), "all is settled", PATIENCE_S)
        tasks = gateway.send(token, "GET", f"{TASKS}?limit=1000").json["tasks"]
        return {task["uuid"]: task["job_id"] for task in tasks}


def settled(site: TaskSite, gateway: ActingGateway, token: str, uuid: str, kind: Kind) -> Answer:
    """Ask as a client does, again and again, until it is known what there is."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = submit(gateway, token, task_of(site, uuid, kind))
        if answer.status in (200, 201, 422):
            return answer
        assert answer.json["type"].endswith((":outcome-unknown", ":busy")), answer.body
        assert time.monotonic() < deadline, answer.body
        time.sleep(0.5)


@pytest.mark.parametrize("retries_at_once", [True, False], ids=["retried", "left"])
@pytest.mark.parametrize("name", KINDS)
def test_a_kill_at_any_moment_of_a_task_makes_one_job_at_most(
    site: TaskSite, name: str, *, retries_at_once: bool
) -> None:
    """`left`: nobody asks again before the next gateway has found out what there is."""
    kind, token = KINDS[name], site.token()
    moments = [(number, when) for number in range(kind.effects) for when in ("before", "after")]
    uuids, killed = [], 0
    for number, when in moments:
        uuid = f"{name}-{number}-{when}-{'r' if retries_at_once else 'l'}"
        uuids.append(uuid)
        site.acting.sbatch(kind.sbatch)
        killed += was_killed(site, token, uuid, kind, number, when)
        site.acting.sbatch(HONEST)
        if not retries_at_once:
            there = finished(site, token)
            made = site.names().count(uuid)
            assert (uuid in there) is (made == 1), uuid
            assert made <= 1
    assert killed == len(moments)

    with site.acting.running(GATEWAY_COMMAND_TIMEOUT=SOON) as gateway:
        answers = {uuid: settled(site, gateway, token, uuid, kind) for uuid in uuids}
        again = {uuid: settled(site, gateway, token, uuid, kind) for uuid in uuids}
        assert left_open(gateway, token) == []
    there = finished(site, token)
    names = site.names()
    print(f"killed {killed} times: {name}, {len(there)} tasks, as many jobs")  # noqa: T201 - the proof
    for uuid in uuids:
        assert names.count(uuid) == (0 if kind.is_refused else 1), uuid
        assert (uuid in there) is not kind.is_refused
        assert (answers[uuid].status == 422) is kind.is_refused
        if not kind.is_refused:
            assert again[uuid].status == 200
            assert again[uuid].json["job_id"] == answers[uuid].json["job_id"] == there[uuid]
