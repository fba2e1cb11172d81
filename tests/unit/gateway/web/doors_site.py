"""A gateway within the process behind its real doors, with tokens that a test makes."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tests.fakes.batch import FakeJob, FakeQueue
from tests.fakes.cluster import live_job
from tests.fakes.people import ThesePeople
from tests.fakes.samples import FakeSamples
from tests.fakes.tokens import FakeTokens
from tests.gateway_client import Answered, Asked, Client
from tests.unit.gateway.site import GatewaySite, means_by
from waldur_slurm.gateway.doors.doors import Doors
from waldur_slurm.gateway.doors.keyring import Keyring
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.pacing import Pacing
from waldur_slurm.gateway.doors.principals import run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.shown import NO_OWNER
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.doors.tokens import mint
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.model.names import UserName

SECRET = b"of no use to anybody"
PARAMETERS = {"cluster": "lab", "job_id": "1", "node": "n1"}
ANNS = "the name of a job of Ann's"


def path_of(route: Route) -> str:
    return route.path.format_map(PARAMETERS)


@dataclass
class DoorsSite:
    """Job 1 is Ann's. Streams end as soon as they have begun."""

    allowed: Allowed = field(default_factory=Allowed)
    pace: Pace = field(default_factory=lambda: Pace(1_000, 1_000))
    tokens: FakeTokens = field(default_factory=FakeTokens)
    gateway: GatewaySite = field(
        default_factory=lambda: GatewaySite(
            people=ThesePeople("ann", "bob"),
            means_of=means_by(FakeQueue(jobs=[FakeJob(1, "ann", BatchSheet("#!/bin/sh\n"))])),
            restapi=RestApi(has_index=True, archive=FakeSamples()),
        )
    )

    def __post_init__(self) -> None:
        self.gateway.cluster.put(live_job(1, user=UserName("ann"), name=ANNS))
        keyring = Keyring(
            self.tokens,
            lambda: SECRET,
            self.gateway.told.append,
            time.monotonic,
            lambda: datetime.now(UTC),
        )
        strangers = Strangers(self.allowed, lambda _: NO_OWNER)
        doors = Doors(strangers, keyring, None, Pacing(self.pace), time.monotonic)
        site = replace(self.gateway.site, is_stopping=lambda: True)
        self.client = Client(application(site, doors, frozenset(Surface)))

    def token(
        self,
        scopes: Collection[Scope],
        actors: str = "ann",
        lasts: timedelta = timedelta(hours=1),
    ) -> str:
        now = datetime.now(UTC)
        made = mint(
            SECRET,
            name="test",
            scopes=frozenset(scopes),
            run_as=run_as(actors),
            made=now,
            ends=now + lasts,
        )
        self.tokens.add(made.token)
        return made.text

    def ask(self, route: Route, token: str = "", **headers: str) -> Answered:
        given = {"host": "127.0.0.1:8040", **headers}
        given |= {"authorization": f"Bearer {token}"} if token else {}
        body = b"{}" if route.method in ("POST", "PUT", "PATCH") else b""
        return self.client.ask(Asked(path_of(route), route.method, list(given.items()), body))
