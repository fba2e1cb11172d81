"""Apps as the settings tell of them: put together, taken over at the start, and settled beside.

Apps that a configuration file names are there from then on; its tokens are kept as all are, hashed.
"""

import pwd
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event as Bell
from typing import NamedTuple
from uuid import uuid4

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.acting.audit import Caller
from waldur_slurm.gateway.apps.app import App, uuid_of
from waldur_slurm.gateway.apps.apply import Applying
from waldur_slurm.gateway.apps.job import ManagedJob, Run, Stage
from waldur_slurm.gateway.apps.places import Places
from waldur_slurm.gateway.apps.plan import Gone, Idle, Live, Said, Silent, Unsent, plan_rest
from waldur_slurm.gateway.beside import beside
from waldur_slurm.gateway.doors.principals import Kind, Principal, RunAs
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.tokens import Minted, Token, Tokens, digest, id_of, mint
from waldur_slurm.gateway.errors import Busy, GatewayError
from waldur_slurm.gateway.settings.slurmer import SlurmerSettings, ToldApp
from waldur_slurm.gateway.store.apps import StoredApps, StoredJobs
from waldur_slurm.gateway.store.slurmer import SlurmerJob
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.web.ask import Site
from waldur_slurm.gateway.web.managed_site import Managed
from waldur_slurm.gateway.web.recalling import LOOKED_BACK
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName
from waldur_slurm.telemetry.events import Event, Level, Sink

OPENS = frozenset({Scope.APPS_USE})
FOR_ANYBODY = RunAs(anybody=True)
"""An app's token is shown with whom it acts for; uids and root's hand.conf bound that."""

SHORTEST_TOKEN = 22
"""128 bits, in the letters of base64."""

SOON_S, SELDOM_S = 2.0, 30.0
"""Between two looks at what is left undone: while something is, and else."""

OURSELVES = Caller(
    principal=Principal(Kind.TOKEN, "the gateway", run_as=FOR_ANYBODY), request_id=""
)
"""Who finishes what somebody once asked for."""

_FROM_FILE = "config.yml: "


def managed_of(
    told: SlurmerSettings, database: Database, tokens: Tokens, secret: Callable[[], bytes]
) -> Managed | None:
    """Return what apps need; None where nobody said where their jobs would lie."""
    if told.directory is None:
        return None

    def mint_for(app: App, name: str, run_as: RunAs = FOR_ANYBODY) -> Minted:
        now = datetime.now(UTC)
        return mint(
            secret(), name=name, scopes=OPENS, run_as=run_as, made=now, ends=None, app=app.id
        )

    return Managed(
        apps=StoredApps(database),
        jobs=StoredJobs(database),
        places=Places(told.directory.absolute(), told.templates),
        tokens=tokens,
        mint=mint_for,
        most_bytes=told.most_mib * 1024**2,
        needs_issuer=told.needs_issuer,
    )


def take_over_apps(
    managed: Managed, told: SlurmerSettings, secret: Callable[[], bytes], tell: Sink
) -> None:
    """Prepare the directory, and let apps that the settings name be there."""
    managed.places.prepare()
    for path in managed.places.unknown_templates():
        fields = {"key": str(path), "why": "a template of Go; NAME.j2 in Jinja takes its place"}
        tell(Event(name="config.not_honoured", level=Level.WARNING, fields=fields))
    closed = managed.places.closed_above()
    if closed:
        fields = {"path": str(closed), "why": "users cannot pass it on their way to their jobs"}
        tell(Event(name="apps.closed", level=Level.WARNING, fields=fields))
    known = managed.apps.all()
    for each in told.told:
        app = _app_of(each, known)
        managed.apps.put(app)
        _take_token(managed.tokens, app, each.token, secret, tell)
    for app in managed.apps.all():
        managed.places.ensure(app.id)
    now = datetime.now(UTC)
    tokens = (token for token in managed.tokens.since(0).tokens if not token.is_over(now))
    if not any(Scope.APPS_ADMIN in token.scopes for token in tokens):
        why = "no token may manage apps; `slurm-gateway token make --scopes apps:admin` makes one"
        tell(Event(name="apps.no_admin", fields={"why": why}))


class Taken(NamedTuple):
    """How many jobs were new, known already, and not understood."""

    added: int
    there: int
    skipped: int


def take_over_jobs(managed: Managed, jobs: Sequence[SlurmerJob]) -> Taken:
    """Let jobs of the first original be there; how their last run ended is asked when it is."""
    added = there = 0
    for each in jobs:
        job = _job_of(managed, each)
        if job is None:
            continue
        if managed.jobs.find(job.app, job.id):
            there += 1
            continue
        managed.jobs.take_over(job)
        added += 1
    return Taken(added, there, len(jobs) - added - there)


def _job_of(managed: Managed, told: SlurmerJob) -> ManagedJob | None:
    """Believe a row of a known app and a known user whose directory is where it is looked for."""
    job_id, app_id = uuid_of(told.id), uuid_of(told.app)
    if job_id is None or app_id is None or managed.apps.find(app_id) is None:
        return None
    if told.directory.strip("/") != f"applications/{app_id}/jobs/{job_id}":
        return None
    try:
        uid = pwd.getpwnam(told.user).pw_uid
    except (KeyError, ValueError):
        return None
    now = datetime.now(UTC).replace(microsecond=0)
    stdout = f"{managed.places.directory(app_id, job_id)}/slurm-{told.slurm_id}.out"
    run = Run(str(uuid4()), 1, now - LOOKED_BACK, told.slurm_id, stdout=stdout)
    runs = (run,) if told.slurm_id > 0 else ()
    user, stage = UserName(told.user), Stage.READY
    return ManagedJob(job_id, app_id, user, uid, told.name, now, stage, runs)


def _app_of(told: ToldApp, known: tuple[App, ...]) -> App:
    """Find it by its id, or, where the file gives it none, by its name."""
    app_id = uuid_of(told.uuid) if told.uuid else None
    for app in known:
        if app.id == app_id or (app_id is None and app.name == told.name):
            return App(app.id, told.name, app.made, app.cross_user)
    return App(app_id or str(uuid4()), told.name, datetime.now(UTC).replace(microsecond=0))


def _take_token(
    tokens: Tokens, app: App, text: str, secret: Callable[[], bytes], tell: Sink
) -> None:
    """Keep the token that the file has, and let go of those that it had; one revoked stays so."""
    named = f"{_FROM_FILE}{app.name}"
    now = datetime.now(UTC)
    there = tokens.since(0).tokens
    shown = digest(secret(), text) if text else b""
    token_id = id_of(text, shown) if text else ""
    for token in there:
        is_old = token.app == app.id and token.name.startswith(_FROM_FILE)
        if is_old and token.id != token_id and not token.is_over(now):
            tokens.revoke(token.id, now)
    if not text:
        what = f"it has no token; make one by `slurm-gateway token make --app {app.id}`"
        _warn(tell, app, what)
        return
    if len(text) < SHORTEST_TOKEN:
        _warn(tell, app, "its token has less than 128 bits, so it may be guessed; take a new one")
    if all(token.id != token_id for token in there):
        tokens.add(Token(token_id, shown, named, OPENS, FOR_ANYBODY, now, app=app.id))


def _warn(tell: Sink, app: App, what: str) -> None:
    fields = {"app": app.name, "id": app.id, "why": what}
    tell(Event(name="apps.token_doubtful", level=Level.WARNING, fields=fields))


@contextmanager
def finishing(site: Site) -> Iterator[None]:
    """Finish beside everything else what a gateway that ended left undone."""
    if site.managed is None:
        yield
        return
    finisher = Finisher(site, site.managed)
    with beside("apps", finisher.run, finisher.leaving.set):
        yield


class Finisher:
    """Tells once of each trouble that it has with a job."""

    def __init__(self, site: Site, managed: Managed) -> None:
        self._site = site
        self._managed = managed
        self._told: set[tuple[str, str]] = set()
        self.leaving = Bell()

    def run(self) -> None:
        """Look soon again as long as something is left."""
        pause_s = 0.0
        while not self.leaving.wait(pause_s):
            pause_s = SOON_S if self.finish_all() else SELDOM_S

    def finish_all(self) -> bool:
        """Do what is left of all jobs; whether something still is."""
        try:
            left = self._managed.jobs.unsettled()
            for job in left:
                if not self.leaving.is_set():
                    self._finish(job.app, job.id)
        except ExpectedError as error:
            self._tell_of("", str(error))
        except Exception:  # noqa: BLE001 - a defect in one job must not end it for the others
            fields = {"traceback": traceback.format_exc()}
            self._site.tell(Event(name="apps.crashed", level=Level.ERROR, fields=fields))
            return False
        else:
            return bool(left)
        return True

    def _finish(self, app_id: str, job_id: str) -> None:
        """Do what is left of one job; blocks. What cannot be done now is left for later."""
        site, managed, cluster = self._site, self._managed, self._site.actors.cluster
        try:
            with managed.claims.held(job_id):
                job = managed.jobs.find(app_id, job_id)
                if job is None:
                    return
                steps = plan_rest(job, _say(site, job))
                actor = site.actors.find(OURSELVES, job.user, cluster)
                directory = managed.places.directory(app_id, job_id)
                applying = Applying(managed.jobs, site.submitter, actor, cluster, directory)
                applying.apply(job, steps)
        except Busy:
            return
        except GatewayError as error:
            self._tell_of(job_id, str(error))

    def _tell_of(self, job_id: str, error: str) -> None:
        if (job_id, error) not in self._told:
            self._told.add((job_id, error))
            fields = {"job": job_id, "error": error}
            self._site.tell(Event(name="apps.unfinished", level=Level.WARNING, fields=fields))


def _say(site: Site, job: ManagedJob) -> Said:
    """Ask slurmctld alone: what it does not list is not running."""
    run = job.open_run
    if run is None:
        return Idle()
    if run.slurm_id is None:
        return Unsent()
    try:
        listing = site.clusters[site.actors.cluster].cluster.read_job(JobId(run.slurm_id))
    except ExpectedError as error:
        return Silent(str(error))
    rows = [row for row in listing.jobs if row.user == job.user and not row.state.is_terminal]
    return Live(rows[0]) if rows else Gone()
