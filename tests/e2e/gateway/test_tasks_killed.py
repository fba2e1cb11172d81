"""A kill at any moment of a task, on a real Slurm: one job at most, and no monitor without one."""

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPException
from itertools import product

import pytest

from tests.e2e.gateway.acting import (
    HONEST,
    LOSES_ITS_ANSWER,
    NEVER_ARRIVES,
    ActingGateway,
    ActingSite,
)
from tests.e2e.gateway.gateway import Answer
from tests.e2e.gateway.mortal import moments
from tests.e2e.gateway.task_site import TASKS, TaskSite, submit
from tests.e2e.program import eventually
from tests.trust.size import IS_CAMPAIGN, count

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


def running(site: TaskSite, *dies: str) -> AbstractContextManager[ActingGateway]:
    """Serve; `dies` is as `mortal_tasks` has it."""
    return site.acting.running(dies=dies, by="mortal_tasks", GATEWAY_COMMAND_TIMEOUT=SOON)


def left_open(gateway: ActingGateway, token: str) -> list[str]:
    """Tasks of which nobody knows whether they have a job."""
    tasks = gateway.send(token, "GET", f"{TASKS}?limit=1000").json["tasks"]
    return [task["uuid"] for task in tasks if task["job_id"] is None]


def check_settled(
    site: TaskSite, gateway: ActingGateway, token: str, uuids: list[str]
) -> dict[str, str]:
    """Let it find out what was left behind; return the job of each task that there is."""
    eventually(lambda: not left_open(gateway, token), "all is settled", PATIENCE_S)
    tasks = gateway.send(token, "GET", f"{TASKS}?limit=1000").json["tasks"]
    there = {task["uuid"]: task["job_id"] for task in tasks}
    names = site.names()
    for uuid in uuids:
        assert names.count(uuid) == (uuid in there), uuid
    return there


def was_killed(site: TaskSite, gateway: ActingGateway, token: str, uuid: str, kind: Kind) -> bool:
    """Hand a task in to one that dies of it; whether it did."""
    site.acting.sbatch(kind.sbatch)
    try:
        for _ in range(kind.tries):
            submit(gateway, token, task_of(site, uuid, kind))
    except (OSError, HTTPException):
        pass
    is_killed = bool(gateway.daemon.process.wait(60) == -9)
    site.acting.sbatch(HONEST)
    return is_killed


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


RETRIED = [*KINDS] if IS_CAMPAIGN else ["plain"]
CASES = [*product(KINDS, ["left"]), *product(RETRIED, ["retried"])]


@pytest.mark.parametrize(("name", "then"), CASES)
@pytest.mark.fault("the gateway is killed")
def test_a_kill_at_any_moment_of_a_task_makes_one_job_at_most(
    site: TaskSite, name: str, then: str
) -> None:
    """`left`: nobody asks again, nor for more, before the next gateway has found out what there is.

    `retried`: that one is at it when the next kill and all the clients come.
    """
    kind, token = KINDS[name], site.token()
    is_left, uuids, killed = then == "left", list[str](), 0
    for number, when in moments(kind.effects):
        dies = (str(number), when, *(["reserve"] if is_left else []))
        with running(site, *dies) as gateway:
            if is_left:
                check_settled(site, gateway, token, uuids)
            uuids.append(f"{name}-{number}-{when}-{then}")
            killed += was_killed(site, gateway, token, uuids[-1], kind)
    assert killed == len(uuids)
    count(f"kill of a task: {name}, {then}", killed)

    with running(site) as gateway:
        if is_left:
            check_settled(site, gateway, token, uuids)
        answers = {uuid: settled(site, gateway, token, uuid, kind) for uuid in uuids}
        again = {uuid: settled(site, gateway, token, uuid, kind) for uuid in uuids}
        assert left_open(gateway, token) == []
    with running(site) as gateway:
        there = check_settled(site, gateway, token, uuids)
    print(f"killed {killed} times: {name}, {len(there)} tasks, as many jobs")  # noqa: T201 - the proof
    for uuid in uuids:
        assert (uuid in there) is not kind.is_refused
        assert (answers[uuid].status == 422) is kind.is_refused
        if not kind.is_refused:
            assert again[uuid].status == 200
            assert again[uuid].json["job_id"] == answers[uuid].json["job_id"] == there[uuid]
