"""A dashboard with what the gateway keeps itself: an app and its jobs, tasks, monitors, letters."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fakes.apps import FakeApps, FakeJobs
from tests.fakes.files import FakeTree
from tests.gateway_client import Client
from tests.unit.gateway.post.letters import FACTS, letter
from tests.unit.gateway.site import SECRET
from tests.unit.gateway.tasks.makers import kept_task, monitor_of
from tests.unit.gateway.watch.monitors import NOW, monitor
from tests.unit.gateway.web.pages.pages_site import HOME, Browser, PagesSite
from waldur_slurm.gateway.apps.app import App
from waldur_slurm.gateway.apps.places import Places
from waldur_slurm.gateway.doors.principals import run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.tokens import mint
from waldur_slurm.gateway.post.letter import Letter, Stage
from waldur_slurm.gateway.tasks.task import KeptTask
from waldur_slurm.gateway.watch.monitor import Monitor, Transition
from waldur_slurm.gateway.watch.monitor import Stage as Watch
from waldur_slurm.gateway.web.managed_site import Managed
from waldur_slurm.model.names import UserName

APP = App("a9a5fc66-9bed-4a13-874a-d8d7d1756224", "portal", NOW)
OTHER = App("4ae4ce67-60b0-4c59-a746-6ac81a08eaae", "another <b>app</b>", NOW)
PAGE = f"/ui/apps/{APP.id}"


@dataclass
class KeptSite(PagesSite):
    """`place` is where the apps' templates lie; their jobs' files are in memory."""

    place: Path = field(kw_only=True)

    def __post_init__(self) -> None:
        self.tree = FakeTree(roots=(HOME, f"{self.place}/applications"))
        self.kept_jobs = FakeJobs()
        self.apps = FakeApps(self.kept_jobs)
        super().__post_init__()
        self.monitors = self.gateway.monitors
        self.gateway.tasks.monitors = self.monitors
        places = Places(self.place)
        places.prepare()
        for app in (APP, OTHER):
            self.apps.put(app)
            places.ensure(app.id)
            self.tree.add(f"{self.place}/applications/{app.id}", "directory")
            self.tree.add(f"{self.place}/applications/{app.id}/jobs", "directory")
        self.places = places
        no_mint: Any = None
        managed = Managed(self.apps, self.kept_jobs, places, self.gateway.tokens, no_mint)
        self.gateway.site = replace(self.gateway.site, managed=managed)
        self.app = self.application()
        self.client = Client(self.app)

    def app_token(self, app: App = APP, actors: str = "any") -> str:
        made = mint(
            SECRET,
            name=f"of {app.name}",
            scopes=frozenset({Scope.APPS_USE}),
            run_as=run_as(actors),
            made=datetime.now(UTC),
            ends=None,
            app=app.id,
        )
        self.gateway.tokens.add(made.token)
        return made.text

    def opened(self, app: App = APP, actors: str = "any") -> Browser:
        """Return a browser that is signed in with a token of this app."""
        browser = Browser(self)
        answer = browser.sign_in(self.app_token(app, actors))
        assert answer.status == 303, answer.text
        return browser

    def folder(self, job_id: str) -> str:
        return self.places.directory(APP.id, job_id)

    def add_task(self, uuid: str, user: str = "ann", **changes: Any) -> KeptTask:
        task = kept_task(uuid, user=UserName(user), **changes)
        self.gateway.tasks.reserve(task, monitor_of(task))
        return task

    def add_monitor(self, monitor_id: str, user: str = "ann", **changes: Any) -> Monitor:
        made = monitor(monitor_id, user=UserName(user), **changes)
        self.monitors.kept[made.id] = made
        self.monitors.told[made.id] = []
        return made

    def turn(self, monitor_id: str, before: str, state: str, words: str = "") -> None:
        told = Transition(NOW, before, state, Watch.WATCHING, words)
        self.monitors.told[monitor_id].append(told)

    def add_letter(self, message_id: str, user: str = "ann", **changes: Any) -> Letter:
        made = letter(message_id, facts=replace(FACTS, user=user), **changes)
        self.monitors.outbox.kept[made.message_id] = made
        return made


def dead(words: str = "550 no such user") -> dict[str, Any]:
    return {"stage": Stage.DEAD, "last_words": words, "tries": 9}
