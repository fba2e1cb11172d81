"""A gateway over a Slurm and a store in memory, behind its real doors; it may be started anew."""

import asyncio
import json
import time
from atexit import register
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Bell
from typing import Any

from tests.fakes.apps import FakeApps, FakeJobs
from tests.fakes.journal import FakeJournal
from tests.fakes.letters import FakeLetters
from tests.fakes.monitors import FakeMonitors
from tests.fakes.people import ThesePeople
from tests.fakes.tasks import FakeTasks
from tests.fakes.tokens import FakeTokens
from tests.fakes.transitions import FakeTransitions
from tests.gateway_client import Answered, Asked, Client
from tests.trust.gateway_walks.slurm import Slurm
from tests.unit.gateway.site import SECRET, GatewaySite
from waldur_slurm.gateway.apps.app import App
from waldur_slurm.gateway.apps.places import Places
from waldur_slurm.gateway.doors.doors import Doors
from waldur_slurm.gateway.doors.keyring import Keyring
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.pacing import Pacing
from waldur_slurm.gateway.doors.principals import run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.shown import NO_OWNER
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.doors.tokens import Minted, mint
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.managing import Finisher as AppFinisher
from waldur_slurm.gateway.post.allowed import parse_rules
from waldur_slurm.gateway.post.cycle import Postman
from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.post.letter import Letter, Method
from waldur_slurm.gateway.post.port import Delivered, Later, Outcome
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.tasks.finisher import Finisher
from waldur_slurm.gateway.tasks.task import Reading
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.managed_site import Managed
from waldur_slurm.gateway.web.seeds.proxy_site import Proxy

SOME_SECONDS = timedelta(seconds=2)
DOUBT = timedelta(minutes=1)
"""For so long an sbatch may still be on its way; only a walk lets it pass."""

APP = App("a9a5fc66-9bed-4a13-874a-d8d7d1756224", "portal", datetime(2026, 11, 30, 9, tzinfo=UTC))
KEPT_S = 3600.0
"""A walk says itself when time has passed for a picture; by itself none grows old."""


@dataclass
class Relay:
    """Where mail goes: it takes it, or not, or the gateway dies before it can note that."""

    letters: FakeLetters
    mood: str = "takes"
    taken: list[Letter] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Letters that it took, and whose sender was killed before he could note it."""

    def send(self, letter: Letter) -> Outcome:
        if self.mood == "is gone":
            return Later("Connection refused")
        self.taken.append(letter)
        if self.mood == "takes, and the gateway is killed":
            self.lost.append(letter.message_id)
            self.letters.is_full = True  # nothing more is written by this gateway
        return Delivered()


def no_tokens(_app: App, _name: str) -> Minted:
    raise AssertionError("no walk makes tokens of the app")


@cache
def places() -> Places:
    """Where the app of every walk has its templates; jobs' directories are in memory."""
    kept = TemporaryDirectory()
    register(kept.cleanup)
    found = Places(Path(kept.name))
    found.prepare()
    found.ensure(APP.id)
    return found


@dataclass
class Running:
    """`restart` keeps what a store keeps, and nothing else."""

    slurm: Slurm
    journal: FakeJournal = field(default_factory=FakeJournal)
    monitors: FakeMonitors = field(default_factory=FakeMonitors)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    transitions: FakeTransitions = field(default_factory=FakeTransitions)
    passed: timedelta = timedelta(0)
    """By the time of day, as the doors and the post are told it."""

    def __post_init__(self) -> None:
        self.tasks = FakeTasks(self.monitors)
        self.app_jobs = FakeJobs()
        self.apps = FakeApps(self.app_jobs, {APP.id: APP})
        self.relay = Relay(self.letters)
        self.runner = asyncio.Runner()
        self.start()

    @property
    def letters(self) -> FakeLetters:
        return self.monitors.outbox

    def start(self) -> None:
        gate = Gate(parse_rules("* may recipient:*@example.org"))
        self.gateway = GatewaySite(
            cluster=self.slurm.cluster,
            history=self.slurm.history,
            journal=self.journal,
            monitors=self.monitors,
            tasks=self.tasks,
            tokens=self.tokens,
            transitions=self.transitions,
            means_of=self.slurm.means_of,
            people=ThesePeople("ann", "bob", "eve"),
            gate=gate,
            watch_interval_s=0.0,
            doubt=DOUBT,
        )
        for keeper in self.gateway.pictures.all:
            keeper.ttl_s = KEPT_S
        keyring = Keyring(
            self.tokens, lambda: SECRET, self.gateway.told.append, time.monotonic, self.now
        )
        strangers = Strangers(Allowed(), lambda _: NO_OWNER)
        doors = Doors(strangers, keyring, None, Pacing(Pace(10_000, 10_000)), time.monotonic)
        managed = Managed(self.apps, self.app_jobs, places(), self.tokens, no_tokens)
        site = replace(
            self.gateway.site,
            proxy=Proxy(Reading.DOCUMENT),
            managed=managed,
            is_stopping=lambda: True,
        )
        self.client = Client(application(site, doors, frozenset(Surface)))
        assert site.tasks is not None
        self.finisher = Finisher(site.tasks, Bell(), self.gateway.told.append)
        self.app_finisher = AppFinisher(site, managed)
        self.postman = Postman(
            self.letters, {Method.EMAIL: self.relay}, self.gateway.told.append, clock=self.now
        )

    def restart(self) -> None:
        self.runner.close()
        self.runner = asyncio.Runner()
        self.start()

    def close(self) -> None:
        self.runner.close()

    # Clients

    def make_token(self, scopes: Collection[Scope], actors: str) -> tuple[str, str]:
        """Return its text and its id."""
        made = mint(
            SECRET,
            name="walker",
            scopes=frozenset(scopes),
            run_as=run_as(actors),
            made=self.now(),
            ends=None,
        )
        self.tokens.add(made.token)
        return made.text, made.token.id

    def ask(self, token: str, method: str, path: str, body: object = None, **more: str) -> Answered:
        """`more` are headers; an empty one is none."""
        headers = [("host", "127.0.0.1:8040"), ("authorization", f"Bearer {token}")]
        headers += [(name, value) for name, value in more.items() if value]
        content = b"" if body is None else json.dumps(body).encode()
        answered = self.runner.run(self._answered(Asked(path, method, headers, content)))
        self.slurm.follow()
        return answered

    async def _answered(self, asked: Asked) -> Answered:
        """Let what was begun beside the answer end too: the loop stands still until the next."""
        answered = await self.client.one(asked)
        if beside := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(beside)
        return answered

    # Time

    def pass_time(self) -> None:
        """Let so much pass that no picture is young, and no sbatch on its way any more."""
        self.slurm.queue.arrive()
        self.passed += timedelta(seconds=10)
        for key, each in self.journal.kept.items():
            opened, until = each.opened - SOME_SECONDS, each.doubt_until - DOUBT - SOME_SECONDS
            self.journal.kept[key] = replace(each, opened=opened, doubt_until=until)
        for keeper in self.gateway.pictures.all:
            if keeper.readings:
                with self._old(keeper):
                    try:
                        keeper.shown(younger_than=keeper.now)
                    except NotNow:
                        continue

    @contextmanager
    def jobs_are_old(self) -> Iterator[None]:
        """Who asks for one job that is not listed waits for the next list: it is due now."""
        with self._old(self.gateway.pictures.jobs):
            yield

    @contextmanager
    def _old(self, keeper: Any) -> Iterator[None]:
        keeper.ttl_s = 0.0
        try:
            yield
        finally:
            keeper.ttl_s = KEPT_S

    def settle(self) -> None:
        """What the gateway does beside: it settles keys, tasks and managed jobs that are open."""
        self.gateway.site.submitter.settler.settle_all()
        self.finisher.finish_all()
        self.app_finisher.finish_all()
        self.slurm.follow()

    def watch(self) -> None:
        self.gateway.watch.step()

    def post(self, mood: str) -> None:
        """Send what is due; a letter that was not taken before is due a day later."""
        self.relay.mood = mood
        self.passed += timedelta(hours=1, minutes=1)
        self.postman.begin_due()
        assert self.postman.wait_idle(60)
        if self.letters.is_full:
            self.letters.is_full = False
            self.restart()
        self.relay.mood = "takes"

    def now(self) -> datetime:
        return datetime.now(UTC) + self.passed
