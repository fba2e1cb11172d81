"""slurm-proxy's surface in memory, over the database that the gateway has."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.documented import documented
from tests.fakes.batch import FakeBatch
from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.people import ThesePeople
from tests.gateway_client import Answered, Asked, Client
from tests.unit.gateway.site import Everybody, GatewaySite, somebody
from tests.unit.gateway.submits.desk import Desk as Queue
from tests.unit.gateway.tasks.makers import hello
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.doors.principals import Principal
from waldur_slurm.gateway.post.allowed import parse_rules
from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.store.monitors import StoredMonitors
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.tasks import StoredTasks
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.tasking import names_of
from waldur_slurm.gateway.tasks.desk import Desk
from waldur_slurm.gateway.tasks.task import Reading
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.seeds.proxy_site import Proxy

PORTAL = somebody("ann", "bob")


def task(**changed: Any) -> dict[str, Any]:
    """The document's task, in a partition that there is."""
    given = hello(**changed)
    return {**given, "slurm": {**given["slurm"], "partition": "main"}}


@dataclass
class ProxySurface:
    """`queue` is Slurm's; ann, bob and eve are users of it."""

    queue: Queue
    gateway: GatewaySite
    monitors: StoredMonitors
    reading: Reading = Reading.DOCUMENT

    @classmethod
    @contextmanager
    def open(cls, place: Path) -> Iterator["ProxySurface"]:
        queue, tree = Queue(), FakeTree()
        gate = Gate(parse_rules("* may recipient:*@example.com"))
        gateway = GatewaySite(
            cluster=queue.cluster,
            means_of=lambda user: Means(FakeBatch(queue.queue, user), FakeFiles(tree)),
            people=ThesePeople("ann", "bob", "eve"),
            jobs_ttl=timedelta(0),
            patience_s=1.0,
            gate=gate,
        )
        database = Database(place / "gateway.sqlite")
        site = gateway.site
        assert site.watching is not None
        monitors = StoredMonitors(database)
        desk = Desk(StoredTasks(database), site.submitter, site.audit, names_of(None), gate.let_ask)
        watching = replace(site.watching, monitors=monitors, gate=gate)
        gateway.site = replace(site, tasks=desk, watching=watching)
        yield cls(queue, gateway, monitors)
        database.close()

    def ask(self, method: str, path: str, body: object = None, who: Principal = PORTAL) -> Answered:
        site = replace(self.gateway.site, proxy=Proxy(self.reading))
        content = b"" if body is None else json.dumps(body).encode()
        app = application(site, Everybody(who), frozenset({Surface.PROXY}))
        return Client(documented(app)).ask(Asked(path, method, body=content))

    def submit(self, who: Principal = PORTAL, **changed: Any) -> Answered:
        return self.ask("POST", "/submit/", {"task": task(**changed)}, who)

    def register(self, number: int, user: str, uuid: str, who: Principal = PORTAL) -> Answered:
        told = {"task": {"username": user, "uuid": uuid}, "slurm_job_id": number}
        return self.ask("POST", "/monitor", {"monitor": told}, who)
