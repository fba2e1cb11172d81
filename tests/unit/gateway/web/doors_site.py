"""A gateway within the process behind its real doors, with tokens that a test makes."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tests.documented import documented
from tests.fakes.batch import FakeBatch, FakeJob, FakeQueue
from tests.fakes.cluster import live_job
from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.people import ThesePeople
from tests.fakes.samples import FakeSamples
from tests.gateway_client import Answered, Asked, Client
from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.site import SECRET, GatewaySite
from tests.unit.gateway.tasks.makers import kept_task, monitor_of
from tests.unit.gateway.watch.monitors import monitor
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.doors.doors import Doors
from waldur_slurm.gateway.doors.keyring import Keyring
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.pacing import Pacing
from waldur_slurm.gateway.doors.principals import OneJob, run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.shown import NO_OWNER
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.doors.tokens import mint
from waldur_slurm.gateway.post.letter import Stage
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.pages.static_files import version
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.seeds.controller_site import Controller
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.model.names import UserName

PARAMETERS = {
    "app_id": "a9a5fc66-9bed-4a13-874a-d8d7d1756224",
    "cluster": "lab",
    "file": "app.css",
    "job_id": "1",
    "message_id": "one",
    "monitor_id": "m",
    "node": "n1",
    "path": "result",
    "state": "COMPLETED",
    "task_uuid": "task-of-ann",
    "template": "batch.sh",
    "token_id": "abcdefgh",
    "update_time": "0",
    "version": version(),
    "uuid": "task-of-ann",
}
ANNS = "the name of a job of Ann's"


HOME = "/home/ann"


def _means(user: str) -> Means:
    tree = FakeTree()
    for name in ("result", "slurm-1.out", "slurm-2.out"):
        tree.write(f"{HOME}/{name}", b"done\n")
    queue = FakeQueue(jobs=[FakeJob(1, user, BatchSheet("#!/bin/sh\n"))])
    return Means(FakeBatch(queue, user), FakeFiles(tree))


def path_of(route: Route) -> str:
    return route.path.format_map(PARAMETERS)


def body_of(route: Route) -> bytes:
    """Send what is understood, where a route asks more of a body than that it is one."""
    if route.path.endswith("/tokens"):
        return b'{"scopes": ["output:read"]}'
    return b"{}" if route.method in ("POST", "PUT", "PATCH") else b""


@dataclass
class DoorsSite:
    """Job 1 is Ann's, and job 2 another of hers; so is a task.

    Streams end as soon as they have begun.
    """

    allowed: Allowed = field(default_factory=Allowed)
    pace: Pace = field(default_factory=lambda: Pace(1_000, 1_000))
    gateway: GatewaySite = field(
        default_factory=lambda: GatewaySite(
            people=ThesePeople("ann", "bob"),
            jobs_ttl=timedelta(seconds=0.05),
            restapi=RestApi(has_index=True, archive=FakeSamples()),
            means_of=_means,
            hook_secret="of the nodes, for no use here",
        )
    )

    def __post_init__(self) -> None:
        self.tokens = self.gateway.tokens
        for number in (1, 2):
            where = {"stdout": f"{HOME}/slurm-%j.out", "stderr": "", "work_dir": HOME}
            job = live_job(number, user=UserName("ann"), name=ANNS, **where)
            self.gateway.cluster.put(job)
        task = kept_task(PARAMETERS["uuid"], given={"slurm": {"job_name": ANNS}})
        self.gateway.tasks.reserve(task, monitor_of(task))
        keyring = Keyring(
            self.tokens,
            lambda: SECRET,
            self.gateway.told.append,
            time.monotonic,
            lambda: datetime.now(UTC),
        )
        strangers = Strangers(self.allowed, lambda _: NO_OWNER)
        doors = Doors(strangers, keyring, None, Pacing(self.pace), time.monotonic)
        controller = Controller(HOME)
        site = replace(self.gateway.site, is_stopping=lambda: True, controller=controller)
        self.client = Client(documented(application(site, doors, frozenset(Surface))))

    def token(
        self,
        scopes: Collection[Scope],
        actors: str = "ann",
        lasts: timedelta = timedelta(hours=1),
        job: OneJob | None = None,
    ) -> str:
        now = datetime.now(UTC)
        made = mint(
            SECRET,
            name="test",
            scopes=frozenset(scopes),
            run_as=run_as(actors),
            made=now,
            ends=now + lasts,
            job=job,
        )
        self.tokens.add(made.token)
        self._watch(str(made.token.principal))
        return made.text

    def _watch(self, owner: str) -> None:
        """Let whoever has the newest token have a monitor, and a letter that is dead."""
        monitors = self.gateway.monitors
        monitors.kept["m"] = monitor(job=3, owner=owner)
        monitors.outbox.kept["one"] = letter(owner=owner, stage=Stage.DEAD)

    def ask(self, route: Route, token: str = "", **headers: str) -> Answered:
        given = {"host": "127.0.0.1:8040", **headers}
        given |= {"authorization": f"Bearer {token}"} if token else {}
        body = body_of(route)
        return self.client.ask(Asked(path_of(route), route.method, list(given.items()), body))
