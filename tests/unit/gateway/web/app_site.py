"""A gateway with an app, within the process, behind its real doors."""

import json
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.documented import documented
from tests.fakes.apps import FakeApps, FakeJobs
from tests.fakes.batch import FakeBatch, FakeQueue
from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.people import ThesePeople
from tests.fakes.tokens import FakeTokens
from tests.gateway_client import Answered, Asked, Client
from tests.unit.gateway.site import SECRET, GatewaySite
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.apps.app import App
from waldur_slurm.gateway.apps.places import Places
from waldur_slurm.gateway.doors.doors import Doors
from waldur_slurm.gateway.doors.keyring import Keyring
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.pacing import Pacing
from waldur_slurm.gateway.doors.principals import RunAs, run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.shown import NO_OWNER
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.doors.tokens import Minted, mint
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.managed_site import Managed

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
APP = App("a9a5fc66-9bed-4a13-874a-d8d7d1756224", "portal", NOW)
OTHER = App("4ae4ce67-60b0-4c59-a746-6ac81a08eaae", "other", NOW)


@dataclass
class AppSite:
    """`token` opens `APP`, `others` opens `OTHER`, `admin` manages both."""

    place: Path
    pace: Pace = field(default_factory=lambda: Pace(1_000, 1_000))
    allowed: Allowed = field(default_factory=Allowed)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    queue: FakeQueue = field(default_factory=FakeQueue)

    def __post_init__(self) -> None:
        self.jobs = FakeJobs()
        self.apps = FakeApps(self.jobs)
        self.tree = FakeTree(roots=(str(self.place / "applications"),))
        self.gateway = GatewaySite(
            means_of=self._means,
            people=ThesePeople("ann", "bob"),
            jobs_ttl=timedelta(seconds=0.05),
        )
        self.managed = Managed(self.apps, self.jobs, Places(self.place), self.tokens, self._mint)
        self.managed.places.prepare()
        for app in (APP, OTHER):
            self.apps.put(app)
            self.managed.places.ensure(app.id)
            self.tree.add(f"{self.place}/applications/{app.id}", "directory")
            self.tree.add(f"{self.place}/applications/{app.id}/jobs", "directory")
        keyring = Keyring(
            self.tokens,
            lambda: SECRET,
            self.gateway.told.append,
            time.monotonic,
            lambda: datetime.now(UTC),
        )
        strangers = Strangers(self.allowed, lambda _: NO_OWNER)
        doors = Doors(strangers, keyring, None, Pacing(self.pace), time.monotonic)
        site = replace(self.gateway.site, managed=self.managed, is_stopping=lambda: True)
        self.client = Client(documented(application(site, doors, frozenset(Surface))))
        self.token, self.others = self.token_of(APP), self.token_of(OTHER)
        self.admin = self.token_for({Scope.APPS_ADMIN}, "any")

    def token_of(self, app: App, actors: str = "any") -> str:
        minted = self._mint(app, app.name, run_as(actors))
        self.tokens.add(minted.token)
        return minted.text

    def token_for(self, scopes: Collection[Scope], actors: str = "") -> str:
        minted = mint(
            SECRET,
            name="test",
            scopes=frozenset(scopes),
            run_as=run_as(actors),
            made=datetime.now(UTC),
            ends=None,
        )
        self.tokens.add(minted.token)
        return minted.text

    def ask(
        self, method: str, path: str, token: str = "", body: object = None, **headers: str
    ) -> Answered:
        """Ask natively with a bearer's token; headers are names with _ for -."""
        given = {"host": "127.0.0.1:8040"}
        given |= {"authorization": f"Bearer {token}"} if token else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = b"" if body is None else content
        return self.client.ask(Asked(path, method, list(given.items()), sent))

    def _mint(self, app: App, name: str, actors: RunAs = RunAs(anybody=True)) -> Minted:  # noqa: B008 - a value
        return mint(
            SECRET,
            name=name,
            scopes=frozenset({Scope.APPS_USE}),
            run_as=actors,
            made=datetime.now(UTC),
            ends=None,
            app=app.id,
        )

    def _means(self, user: str) -> Means:
        return Means(FakeBatch(self.queue, user), FakeFiles(self.tree))
