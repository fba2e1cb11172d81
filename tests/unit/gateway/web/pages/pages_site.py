"""A dashboard within the process behind its real doors: people sign in as a browser does."""

import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette

from tests.fakes.batch import FakeBatch, FakeJob, FakeQueue
from tests.fakes.cluster import live_job
from tests.fakes.files import FakeFiles, FakeTree
from tests.fakes.people import ThesePeople
from tests.fakes.sessions import FakeSessions
from tests.gateway_client import Answered, Asked, Client
from tests.unit.gateway.site import SECRET, GatewaySite
from waldur_slurm.gateway.acting.actors import Means
from waldur_slurm.gateway.doors.claims import Expected, person_again
from waldur_slurm.gateway.doors.code_flow import CodeFlow
from waldur_slurm.gateway.doors.doors import Doors
from waldur_slurm.gateway.doors.keyring import Keyring
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.pacing import Pacing
from waldur_slurm.gateway.doors.principals import Principal, run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.sessions import Claims, SessionRing
from waldur_slurm.gateway.doors.shown import NO_OWNER
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.doors.tokens import mint
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.pages.site import Pages
from waldur_slurm.model.batch import BatchSheet
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName

HOST = "127.0.0.1:8040"
HOME = "/home/ann"
OWN = frozenset(Scope) - {Scope.JOBS_READ_ALL}


@dataclass
class PagesSite:
    """Ann has a queue and a home; the times of day may be set forward."""

    queue: FakeQueue = field(default_factory=FakeQueue)
    tree: FakeTree = field(default_factory=FakeTree)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    life: timedelta = timedelta(hours=12)
    jobs_ttl: timedelta = timedelta(seconds=0.05)
    allowed: Allowed = field(default_factory=Allowed)
    expected: Expected | None = None
    flow: CodeFlow | None = None

    def __post_init__(self) -> None:
        self.later = timedelta(0)
        self.gateway = GatewaySite(
            people=ThesePeople("ann", "bob"),
            jobs_ttl=self.jobs_ttl,
            means_of=lambda user: Means(FakeBatch(self.queue, user), FakeFiles(self.tree)),
        )
        self.app = self.application()
        self.client = Client(self.app)

    def application(self) -> Starlette:
        keyring = Keyring(
            self.gateway.tokens,
            lambda: SECRET,
            self.gateway.told.append,
            time.monotonic,
            self.now,
        )
        person_of = self._person_of if self.expected else None
        ring = SessionRing(self.sessions, lambda: SECRET, keyring, person_of, self.now, self.life)
        strangers = Strangers(self.allowed, lambda _: NO_OWNER)
        pacing = Pacing(Pace(1_000, 1_000))
        doors = Doors(strangers, keyring, None, pacing, time.monotonic, ring)
        pages = Pages(ring, keyring.recognise, keyring.id_of, self.flow)
        self.gateway.site = replace(self.gateway.site, pages=pages)
        return application(self.gateway.site, doors, frozenset(Surface))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def _person_of(self, claims: Claims, ends: datetime) -> Principal:
        assert self.expected
        return person_again(claims, self.expected, ends.timestamp(), self.now().timestamp())

    def put(
        self, number: int, user: str = "ann", state: str = "RUNNING", **changes: Any
    ) -> LiveJob:
        """Let there be a job that Slurm lists and that may be steered."""
        options = {"hold": None} if changes.get("reason") == "JobHeldUser" else {}
        self.queue.jobs.append(FakeJob(number, user, BatchSheet("#!/bin/sh\n", options), state))
        where = {"stdout": f"{HOME}/slurm-%j.out", "stderr": "", "work_dir": HOME}
        job = live_job(number, user=UserName(user), state=state, **{**where, **changes})
        return self.gateway.cluster.put(job)

    def token(
        self,
        scopes: Collection[Scope] = OWN,
        actors: str = "ann",
        lasts: timedelta | None = None,
    ) -> str:
        now = datetime.now(UTC)
        made = mint(
            SECRET,
            name="test",
            scopes=frozenset(scopes),
            run_as=run_as(actors),
            made=now,
            ends=now + lasts if lasts else None,
        )
        self.gateway.tokens.add(made.token)
        return made.text

    def signed_in(self, scopes: Collection[Scope] = OWN, actors: str = "ann") -> "Browser":
        browser = Browser(self)
        answer = browser.sign_in(self.token(scopes, actors))
        assert answer.status == 303, answer.text
        return browser


@dataclass
class Browser:
    """Keeps cookies, tells its origin, and fills in a page's hidden fields."""

    site: PagesSite
    cookies: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    """What cookies were set as, in full."""

    def get(self, path: str, **headers: str) -> Answered:
        return self._ask(Asked(path, headers=self._headers(headers)))

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> Answered:
        return self.send("POST", path, form, {"origin": f"http://{HOST}", **headers})

    def send(
        self, method: str, path: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> Answered:
        """Send a form of whatever page; it may tell no origin."""
        kind = ("content-type", "application/x-www-form-urlencoded")
        body = urlencode(form).encode()
        return self._ask(Asked(path, method, [*self._headers(headers), kind], body))

    def sign_in(self, token: str, **more: str) -> Answered:
        return self.post("/ui/sign-in", {"token": token, **more})

    def press(self, page: str, action: str) -> Answered:
        """Send the form of a page that leads to `action`, with all that is in it."""
        text = self.get(page).text
        found = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', text, re.DOTALL)
        assert found, f"{page} has no form for {action}"
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', found[0])
        return self.post(action, dict(fields))

    def _headers(self, given: Mapping[str, str]) -> list[tuple[str, str]]:
        own = {name.replace("_", "-"): value for name, value in given.items()}
        own.setdefault("host", HOST)
        if self.cookies:
            own["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return [*own.items()]

    def _ask(self, asked: Asked) -> Answered:
        answer = self.site.client.ask(asked)
        for header in answer.cookies:
            self.said.append(header)
            name, _, value = header.partition(";")[0].partition("=")
            self.cookies[name] = value  # with its quotes, as browsers do
            if "max-age=0" in header.lower():
                del self.cookies[name]
        return answer
