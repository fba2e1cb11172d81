"""A gateway over a cluster and an accounting in memory, asked within the process."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from tests.documented import documented
from tests.fakes.batch import FakeBatch, FakeQueue
from tests.fakes.cluster import FakeCluster
from tests.fakes.journal import FakeJournal
from tests.fakes.monitors import FakeMonitors
from tests.fakes.past import FakeHistory
from tests.fakes.samples import FakeSamples
from tests.fakes.tasks import FakeTasks
from tests.fakes.tokens import FakeTokens
from tests.fakes.transitions import FakeTransitions
from tests.gateway_client import Answered, Asked, Client
from waldur_slurm.gateway.acting.actors import Actors, Means, MeansOf
from waldur_slurm.gateway.acting.audit import Audit
from waldur_slurm.gateway.doors.one_job import JobTokens
from waldur_slurm.gateway.doors.people import People
from waldur_slurm.gateway.doors.principals import Kind, Principal, RunAs
from waldur_slurm.gateway.doors.scopes import Scope, widened
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.recorder import Recorder
from waldur_slurm.gateway.post.allowed import Rules, parse_rules
from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.submits.submitter import Submitter
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.tasking import names_of
from waldur_slurm.gateway.tasks.desk import Desk
from waldur_slurm.gateway.watch.cycle import Watch
from waldur_slurm.gateway.watch.plan import Rules as WatchRules
from waldur_slurm.gateway.watch.reading import Reader as WatchReader
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.ask import Site
from waldur_slurm.gateway.web.questions import PATIENCE_S
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.gateway.web.tally import Tally
from waldur_slurm.gateway.web.watch_site import Watching
from waldur_slurm.model.names import UserName
from waldur_slurm.telemetry.events import Event, to_all

EVERYTHING = frozenset(Scope)
SECRET = b"of no use to anybody"


class Clock:
    """A gateway's monotonic clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Everybody:
    """Lets everybody in as whom the test says."""

    principal: Principal

    def admit(self, _shown: Shown) -> Principal:
        return self.principal


def means_by(queue: FakeQueue) -> MeansOf:
    """Reach this queue as whoever is acted as; his files are not reached."""
    no_files: Any = None
    return lambda user: Means(FakeBatch(queue, user), no_files)


def somebody(
    *users: str, scopes: Collection[Scope] = EVERYTHING - {Scope.JOBS_READ_ALL}
) -> Principal:
    """Make a principal who is, or may act for, these users."""
    return Principal(
        kind=Kind.TOKEN,
        name="+".join(users) or "nobody's",
        scopes=widened(scopes),
        run_as=RunAs(frozenset(map(UserName, users))),
    )


ADMIN = somebody(scopes=EVERYTHING)


@dataclass
class GatewaySite:
    cluster: FakeCluster = field(default_factory=FakeCluster)
    history: FakeHistory = field(default_factory=FakeHistory)
    told: list[Event] = field(default_factory=list)
    transitions: FakeTransitions = field(default_factory=FakeTransitions)
    jobs_ttl: timedelta = timedelta(seconds=5)
    means_of: MeansOf | None = None
    tokens: FakeTokens = field(default_factory=FakeTokens)
    people: People = field(default_factory=lambda: People(1000, 65_535, "slurm"))
    journal: FakeJournal = field(default_factory=FakeJournal)
    tasks: FakeTasks = field(default_factory=FakeTasks)
    gate: Gate = field(default_factory=lambda: Gate(Rules()))
    doubt: timedelta = timedelta(0)
    patience_s: float = PATIENCE_S
    restapi: RestApi = field(default_factory=lambda: RestApi(has_index=True, archive=FakeSamples()))
    monitors: FakeMonitors = field(default_factory=FakeMonitors)
    letters_allowed: str = "* may recipient:*@example.org"
    hook_secret: str | None = None
    watch_interval_s: float = 60.0

    def __post_init__(self) -> None:
        self.tally = Tally()
        self.tell = to_all(self.told.append, self.tally)
        self.recorder = Recorder(self.transitions, self.tell)
        self.pictures = ClusterPictures(
            "lab",
            self.cluster,
            self.history,
            self.tell,
            jobs_ttl_s=self.jobs_ttl.total_seconds(),
            on_jobs=partial(self.recorder.record, "lab"),
        )
        clusters, audit = {"lab": self.pictures}, Audit(None, self.tell)
        self.pictures.hidden = ()
        submitter = Submitter(self.journal, clusters, audit, self.tell, doubt=self.doubt)
        self.site = Site(
            clusters=clusters,
            default_cluster="lab",
            tell=self.tell,
            mark="the mark of this process",
            recorder=self.recorder,
            actors=Actors(self.people, self.means_of, "lab"),
            job_tokens=JobTokens(self.tokens, lambda: SECRET, lambda: datetime.now(UTC)),
            audit=audit,
            submitter=submitter,
            tasks=Desk(self.tasks, submitter, audit, names_of(None), self.gate.let_ask),
            restapi=self.restapi,
            tally=self.tally,
            patience_s=self.patience_s,
            watching=self._watching(),
        )

    def _watching(self) -> Watching:
        """Nothing looks by itself: a test steps."""
        rules = WatchRules(max_age=timedelta(days=14), forgotten_after=timedelta(minutes=2))
        reader = WatchReader(self.pictures, lambda: datetime.now(UTC))
        self.watch = Watch("lab", self.monitors, reader, self.tell, rules, self.watch_interval_s)
        return Watching(
            monitors=self.monitors,
            letters=self.monitors.outbox,
            gate=Gate(parse_rules(self.letters_allowed)),
            ways=frozenset({Method.EMAIL, Method.RABBITMQ, Method.TEST}),
            watches={"lab": self.watch},
            hook_secret=self.hook_secret,
        )

    def client(self, principal: Principal = ADMIN) -> Client:
        return Client(documented(application(self.site, Everybody(principal), frozenset(Surface))))

    def get(self, path: str, principal: Principal = ADMIN, **headers: str) -> Answered:
        return self.client(principal).get(path, **headers)

    def post(self, path: str, body: bytes, principal: Principal = ADMIN) -> Answered:
        return self.client(principal).ask(Asked(path, "POST", body=body))

    def errors(self) -> list[Event]:
        return [event for event in self.told if event.name == "request.crashed"]
