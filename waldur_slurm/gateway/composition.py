"""The composition root: settings to parts. Nothing here decides anything."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING, TextIO

from waldur_slurm import __version__
from waldur_slurm.gateway.acting.actors import Actors
from waldur_slurm.gateway.acting.audit import Audit
from waldur_slurm.gateway.configs.told import NotHonoured
from waldur_slurm.gateway.doors.doors import Doors
from waldur_slurm.gateway.doors.keyring import Keyring
from waldur_slurm.gateway.doors.one_job import JobTokens
from waldur_slurm.gateway.doors.paces import Pace
from waldur_slurm.gateway.doors.pacing import Pacing
from waldur_slurm.gateway.doors.people import People
from waldur_slurm.gateway.doors.strangers import Allowed, Strangers
from waldur_slurm.gateway.doors.tokens import Tokens
from waldur_slurm.gateway.load.sampler import Sampler
from waldur_slurm.gateway.managing import managed_of
from waldur_slurm.gateway.means import Builder
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.privacy import Privacy
from waldur_slurm.gateway.picture.recorder import Recorder
from waldur_slurm.gateway.post.cycle import Postman
from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.posting import gate_of, postman_of
from waldur_slurm.gateway.reading import Readers
from waldur_slurm.gateway.records.port import Records
from waldur_slurm.gateway.settings import Settings
from waldur_slurm.gateway.settings.acting import Executor
from waldur_slurm.gateway.signing_in import SigningIn
from waldur_slurm.gateway.store.letters import StoredLetters
from waldur_slurm.gateway.store.samples import StoredSamples
from waldur_slurm.gateway.store.secret import server_secret
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.submits import StoredJournal
from waldur_slurm.gateway.store.tokens import StoredTokens
from waldur_slurm.gateway.store.transitions import StoredTransitions
from waldur_slurm.gateway.submits.submitter import Submitter
from waldur_slurm.gateway.tasking import Tasking, tasking_of
from waldur_slurm.gateway.watching import watched, watching_of
from waldur_slurm.gateway.web.admitting import Doorkeeper
from waldur_slurm.gateway.web.ask import Site
from waldur_slurm.gateway.web.cors import ANY
from waldur_slurm.gateway.web.managed_site import Managed
from waldur_slurm.gateway.web.seeds.controller_site import Controller
from waldur_slurm.gateway.web.seeds.proxy_site import Proxy
from waldur_slurm.gateway.web.seeds.restapi_site import RestApi
from waldur_slurm.gateway.web.tally import Tally
from waldur_slurm.gateway.web.watch_site import Watching
from waldur_slurm.service.display import Display
from waldur_slurm.service.notify import Notifier
from waldur_slurm.slurm.past.port import History
from waldur_slurm.slurm.transports.on_behalf import GRACE
from waldur_slurm.telemetry.audit import AuditLog
from waldur_slurm.telemetry.events import Event, Level, Sink, to_all
from waldur_slurm.telemetry.log import is_journal_stream, start_log
from waldur_slurm.telemetry.redaction import Redaction, redaction
from waldur_slurm.variables.choices import LogFormat

if TYPE_CHECKING:
    from waldur_slurm.gateway.doors.oidc import Issuer


class Parts:
    """One gateway's parts."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        log: TextIO,
        not_honoured: Sequence[NotHonoured] = (),
    ) -> None:
        self.settings = settings
        self.environ = environ
        self.not_honoured = not_honoured
        self._log = log
        self._closing = ExitStack()
        self.is_stopping = False
        """Whether streams should end."""

    def end_streams(self) -> None:
        """Let whoever follows events go: the gateway stops."""
        self.is_stopping = True
        self.recorder.wake()

    def close(self) -> None:
        self._closing.close()

    @cached_property
    def redact(self) -> Redaction:
        return redaction(self.settings.secrets())

    @cached_property
    def display(self) -> Display:
        return Display(sys.stdout, self.redact)

    @cached_property
    def notifier(self) -> Notifier:
        microseconds = self.environ.get("WATCHDOG_USEC", "")
        watchdog = timedelta(microseconds=int(microseconds)) if microseconds.isdecimal() else None
        return Notifier(self.environ.get("NOTIFY_SOCKET", ""), watchdog, redact=self.redact)

    @cached_property
    def tally(self) -> Tally:
        return Tally()

    @cached_property
    def tell(self) -> Sink:
        settings = self.settings
        log = start_log(
            self._log,
            Level[settings.log_level.name],
            self.redact,
            is_json=settings.log_format is LogFormat.JSON,
            is_journal=is_journal_stream(self.environ.get("JOURNAL_STREAM", ""), self._log),
        )
        sinks: list[Sink] = [log, self.tally]
        if self.audit_log:
            sinks.append(self.audit_log)
        if not settings.sentry_dsn:
            return to_all(*sinks)
        from waldur_slurm.telemetry.sentry import Sentry

        dsn, environment = settings.sentry_dsn.reveal(), settings.sentry_environment
        sentry = Sentry(dsn, environment, __version__, self.redact)
        self._closing.callback(sentry.close)
        return to_all(*sinks, sentry)

    @cached_property
    def doors(self) -> Doors:
        settings = self.settings
        allowed = Allowed(
            anybody=settings.anonymous_scopes,
            networks=settings.trusted_networks.each,
            proxies=settings.trusted_proxies,
            hosts=settings.hosts | {listener.at.host.lower() for listener in settings.listen},
            origins=settings.cors_origins,
            min_uid=settings.min_uid,
        )
        pace = Pace(settings.pace_at_once, settings.pace_a_second)
        return Doors(
            Strangers(allowed, self.people.owner_of),
            self.keyring,
            self.issuer,
            Pacing(pace),
            time.monotonic,
            self.signing_in.sessions,
        )

    @property
    def doorkeeper(self) -> Doorkeeper:
        return self.doors

    @cached_property
    def people(self) -> People:
        """Who may be acted as; Slurm's own user never, even where slurm.conf does not name it."""
        acts_alone = self.settings.acting.executor in (Executor.SELF, Executor.SSH, None)
        own_uid = None if acts_alone else os.geteuid()
        login_user = self.means.login_user
        return People(
            self.settings.min_uid,
            self.settings.max_uid,
            self.readers.slurm_user,
            own_uid,
            login_user.find if login_user else None,
        )

    @cached_property
    def audit_log(self) -> AuditLog | None:
        path = self.settings.acting.audit_log
        return AuditLog(path, _now, self.redact) if path else None

    @cached_property
    def audit(self) -> Audit:
        return Audit(self.audit_log, self.tell)

    @cached_property
    def readers(self) -> Readers:
        readers = Readers(self.settings, self.environ, self.tell)
        self._closing.callback(readers.close)
        return readers

    @cached_property
    def means(self) -> Builder:
        builder = Builder(self.settings, self.readers.transport())
        self._closing.callback(builder.close)
        return builder

    @cached_property
    def submitter(self) -> Submitter:
        """A hand that is busy takes one more command's time to begin."""
        return Submitter(
            StoredJournal(self.database),
            self.clusters,
            self.audit,
            self.tell,
            doubt=2 * self.settings.command_timeout + GRACE,
        )

    @cached_property
    def tasking(self) -> Tasking:
        return tasking_of(
            self.settings.tasks.names,
            self.database,
            self.submitter,
            self.audit,
            self.gate.let_ask,
            lambda cluster: self.clusters[cluster].partitions.shown().picture.value,
            self.tell,
        )

    @contextmanager
    def settling(self) -> Iterator[None]:
        """Settle submits and tasks that are open, where there can be any."""
        if self.settings.acting.executor is None:
            yield
            return
        with self.submitter.settler.running(), self.tasking.finisher.running():
            yield

    @cached_property
    def tokens(self) -> Tokens:
        return StoredTokens(self.database)

    @cached_property
    def token_secret(self) -> bytes:
        return server_secret(self.settings.state_dir / "token-secret", self.tokens)

    @cached_property
    def keyring(self) -> Keyring:
        keyring = Keyring(self.tokens, lambda: self.token_secret, self.tell, time.monotonic, _now)
        self._closing.callback(keyring.note_uses)
        return keyring

    @cached_property
    def issuer(self) -> "Issuer | None":
        return self.signing_in.issuer(self.tell)

    @cached_property
    def signing_in(self) -> SigningIn:
        return SigningIn(self.settings, self.keyring, self.database, lambda: self.token_secret)

    @cached_property
    def site(self) -> Site:
        default = next(iter(self.clusters))
        return Site(
            clusters=self.clusters,
            default_cluster=default,
            tell=self.tell,
            mark=token_hex(16),
            restapi=self._restapi(),
            recorder=self.recorder,
            is_stopping=lambda: self.is_stopping,
            tally=self.tally,
            actors=Actors(self.people, self.means.means_of(), default),
            audit=self.audit,
            job_tokens=JobTokens(self.tokens, lambda: self.token_secret, _now),
            submitter=self.submitter,
            tasks=self.tasking.desk,
            managed=self.managed,
            proxy=self._proxy(),
            controller=self.controller,
            pages=self.signing_in.pages(self.issuer),
            watching=self.watching,
        )

    @property
    def controller(self) -> Controller | None:
        """What slurm-controller knows, which any other gateway is not."""
        return None

    @cached_property
    def managed(self) -> Managed | None:
        return managed_of(
            self.settings.slurmer, self.database, self.tokens, lambda: self.token_secret
        )

    @cached_property
    def clusters(self) -> Mapping[str, ClusterPictures]:
        """By their names, the default one first."""
        built = self.readers.clusters(self.recorder, self.means)
        return {pictures.name: pictures for pictures in built}

    @cached_property
    def database(self) -> Database:
        path = self.settings.state_dir / "gateway.sqlite"
        database = Database(path, on_damage=self._tell_of_damage)
        self._closing.callback(database.close)
        return database

    def _tell_of_damage(self, why: str) -> None:
        self.tell(Event(name="store.damaged", level=Level.ERROR, fields={"error": why}))

    @cached_property
    def letters(self) -> StoredLetters:
        return StoredLetters(self.database)

    @cached_property
    def gate(self) -> Gate:
        """What whoever asks for letters is held to, and the postman once more."""
        return gate_of(self.settings.letters)

    @cached_property
    def postman(self) -> Postman:
        told = self.settings.letters
        return postman_of(told, self.letters, self.gate, self._histories, self.tell, self.redact)

    def _histories(self) -> Mapping[str, History]:
        return {name: pictures.history for name, pictures in self.clusters.items()}

    def posting(self) -> AbstractContextManager[None]:
        """Send letters for as long as it lasts; some only go into the log."""
        return self.postman.running()

    @cached_property
    def watching(self) -> Watching:
        return watching_of(
            self.settings.monitors,
            self.database,
            self.letters,
            self.gate,
            self.postman,
            self.clusters,
            self.tell,
        )

    def watched(self) -> AbstractContextManager[None]:
        """Watch jobs for as long as it lasts."""
        return watched(self.watching, self.recorder)

    @cached_property
    def samples(self) -> StoredSamples:
        return StoredSamples(self.database)

    def _restapi(self) -> RestApi:
        told = self.settings.restapi
        return RestApi(
            has_accounting=told.has_accounting,
            has_index=told.has_index,
            origins=self.settings.cors_origins | ({ANY} if told.is_open_to_pages else set()),
            hidden=told.hidden,
            hides_everywhere=told.hides_everywhere,
            archive=self.samples if told.has_archive else None,
            wait_s=int(told.wait.total_seconds()),
            reach=told.reach,
            records=self._records(),
        )

    def _proxy(self) -> Proxy:
        told = self.settings
        slurmrestd = self.means.passing(self.readers.user)
        return Proxy(told.proxy.reading, slurmrestd, told.monitors.max_age)

    def _records(self) -> Mapping[str, Records]:
        """Ask the database itself about the default cluster, where one is named."""
        told = self.settings.restapi.database
        if told is None:
            return {}
        from waldur_slurm.gateway.records.mysql import MysqlRecords, source_of

        source = self.readers.default_cluster
        return {source: MysqlRecords(source_of(told.reveal(), source))}

    def looking(self) -> AbstractContextManager[None]:
        """Find out what Slurm hides, once it answers."""
        return Privacy(self.site.clusters.values(), self.readers.user, self.tell).looking()

    def sampling(self) -> AbstractContextManager[None]:
        """Sample the load of all clusters for as long as it lasts, where that is wanted."""
        told = self.settings.restapi
        if not told.has_archive:
            return nullcontext()
        return Sampler(
            self.site.clusters.values(),
            self.samples,
            self.tell,
            wait_s=int(told.wait.total_seconds()),
            keep_s=told.days * 86_400,
        ).running()

    @cached_property
    def recorder(self) -> Recorder:
        return Recorder(StoredTransitions(self.database), self.tell)


def _now() -> datetime:
    return datetime.now(UTC)
