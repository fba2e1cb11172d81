"""`slurm-gateway check`: judge everything that a newcomer may have got wrong; changes nothing."""

import argparse
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from waldur_slurm.errors import ExpectedError, SettingsError
from waldur_slurm.gateway.check import looking
from waldur_slurm.gateway.check.facts import (
    ClusterFacts,
    DoorFacts,
    Facts,
    HandFacts,
    ListenerFacts,
    SettingsFacts,
    SinkFacts,
)
from waldur_slurm.gateway.check.judgement import judge
from waldur_slurm.gateway.check.sinks import ADVICE, greeted
from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.reading import own_user
from waldur_slurm.gateway.settings.acting import Connector, Executor
from waldur_slurm.gateway.settings.reference import unknown_variables
from waldur_slurm.gateway.store.looking import Looked, look_at_database
from waldur_slurm.gateway.store.secret import read_secret
from waldur_slurm.hand.place import CONF
from waldur_slurm.processes.native import NativeTransport
from waldur_slurm.service.check.findings import Obstacle
from waldur_slurm.service.check.known import Known, known
from waldur_slurm.service.check.report import report
from waldur_slurm.service.check.storage import Wanted, obstacle
from waldur_slurm.service.check.systemd import read_unit
from waldur_slurm.service.check.unit import Unit
from waldur_slurm.slurm.rest.logins import Logins
from waldur_slurm.slurm.rest.talk import Rest

UNITS = ("slurm-gateway", "slurm-rest-api")
STATE, LOGS = Path("/var/lib/slurm-gateway"), Path("/var/log/slurm-gateway")


def run(parts: Parts, arguments: argparse.Namespace) -> int:
    findings = judge(Look(parts, arguments).facts())
    return report(
        parts.display,
        findings,
        as_json=arguments.json,
        can="The gateway can run",
        cannot="The gateway cannot run as it should yet",
    )


class Look:
    """One look at everything."""

    def __init__(self, parts: Parts, arguments: argparse.Namespace) -> None:
        self._parts = parts
        self._settings = parts.settings
        self._env_file: Path | None = arguments.env_file
        self._user: str | None = arguments.user
        self._unit = self._read_unit()

    def facts(self) -> Facts:
        settings = self._settings
        database = known(self._database)
        certificate, key = settings.tls_certificate, settings.tls_key
        hand = self._hand()
        return Facts(
            settings=self._told(),
            reading=known(lambda: self._parts.readers.way()),
            clusters=tuple(self._clusters()),
            hand=hand,
            slurmrestd=self._slurmrestd(hand),
            places=self._places(),
            database=_shape(database),
            secret=known(lambda: read_secret(settings.state_dir / "token-secret") is not None),
            listeners=tuple(self._listeners()),
            certificate=known(lambda: looking.look_at_certificate(certificate, key))
            if certificate
            else None,
            doors=self._doors(database),
            sinks=tuple(self._sinks()),
        )

    def _read_unit(self) -> Unit | None:
        if self._env_file is None:
            return None
        return read_unit(NativeTransport(self._parts.environ), UNITS, self._env_file)

    def _told(self) -> SettingsFacts:
        not_honoured = (f"{each.key}: {each.why}" for each in self._parts.not_honoured)
        return SettingsFacts(
            user=own_user(),
            unit_user=self._unit.user if self._unit else "",
            is_root=os.geteuid() == 0,
            env_file=str(self._env_file or ""),
            warnings=(*unknown_variables(self._parts.environ), *not_honoured),
            jobs_age_s=self._settings.jobs_age.total_seconds(),
            acts=self._settings.acting.executor is not None,
            reads_as=self._parts.readers.user,
        )

    def _clusters(self) -> Iterator[ClusterFacts]:
        try:
            clusters = self._parts.clusters
        except ExpectedError as error:
            yield ClusterFacts(name="", configuration=error, asked=_now(), told=error)
            return
        for name, pictures in clusters.items():
            yield looking.look_at_cluster(name, pictures.cluster, pictures.history, _now)

    def _hand(self) -> HandFacts | None:
        executor = self._settings.acting.executor
        if executor is None:
            return None
        try:
            user = self._user or self._somebody(executor)
        except SettingsError as error:
            return HandFacts(executor=executor, user="", why_nobody=str(error))
        commands = self._parts.means.commands_of(user)
        return looking.look_at_hand(executor, user, commands)

    def _somebody(self, executor: Executor) -> str:
        if executor is Executor.SELF:
            return own_user()
        if executor is Executor.SSH:
            return self._settings.acting.login.user
        return looking.somebody_to_act_as(Path(CONF))

    def _slurmrestd(self, hand: HandFacts | None) -> Known[str] | None:
        told = self._settings.acting
        if told.connector is not Connector.SLURMRESTD or told.slurmrestd is None or hand is None:
            return None
        if not hand.user or isinstance(hand.answer, ExpectedError):
            return SettingsError(["see executor"])
        rest = Rest(told.slurmrestd, timeout=self._settings.command_timeout)
        logins = Logins(hand.user, self._parts.means.commands_of(hand.user).run)
        return known(lambda: f"serves v0.0.{rest.version(logins.login())} at {rest.address}")

    def _places(self) -> Mapping[str, str | Obstacle]:
        """Where it writes; the directory of apps has files of their users too."""
        settings = self._settings
        wanted = {"GATEWAY_STATE_DIR": Wanted(settings.state_dir.absolute(), is_directory=True)}
        files = {
            "GATEWAY_AUDIT_LOG": settings.acting.audit_log,
            "GATEWAY_LOG_FILE": settings.log_file,
        }
        for name, path in files.items():
            if path:
                wanted[name] = Wanted(path.absolute(), is_directory=False)
        found = {name: obstacle(each, (STATE, LOGS), self._unit) for name, each in wanted.items()}
        if apps := settings.slurmer.directory:
            user = self._unit.user if self._unit else own_user()
            found["GATEWAY_APPS_DIR"] = looking.look_at_apps(apps.absolute(), user)
        return found

    def _database(self) -> Looked | None:
        path = self._settings.state_dir / "gateway.sqlite"
        if not os.access(self._settings.state_dir, os.X_OK):
            return None
        return look_at_database(path, int(time.time()))

    def _listeners(self) -> Iterator[ListenerFacts]:
        has_tls = self._settings.tls_certificate is not None
        for each in self._settings.listen:
            is_open = not has_tls and not each.is_loopback
            yield looking.look_at_listener(each.at, has_tls=has_tls, is_open=is_open)

    def _doors(self, database: Known[Looked | None]) -> DoorFacts:
        settings = self._settings
        tokens: Known[int] | None
        match database:
            case Looked():
                tokens = database.valid_tokens
            case None:
                tokens = 0
            case error:
                tokens = error
        return DoorFacts(
            anonymous=settings.anonymous_scopes,
            networks=settings.trusted_networks.each,
            tokens=tokens,
            has_issuer=settings.oidc_issuer is not None,
            issuer=known(self._keys),
        )

    def _keys(self) -> int:
        issuer = self._settings.oidc_issuer
        if issuer is None:
            return 0
        from waldur_slurm.gateway.doors.fetching import fetch
        from waldur_slurm.gateway.doors.oidc import published

        try:
            return len(published(issuer, fetch))
        except (OSError, ValueError) as error:
            raise SettingsError([f"{issuer}: {error}"]) from error

    def _sinks(self) -> Iterator[SinkFacts]:
        if not self._settings.letters.are_sent:
            return
        try:
            senders = self._parts.postman.senders
        except SettingsError as error:
            yield SinkFacts(method="any way", answer=error, advice=ADVICE[None])
            return
        for method, sender in senders.items():
            answer = greeted(sender)
            if answer is not None:
                advice = ADVICE.get(method, ADVICE[None])
                yield SinkFacts(method=method, answer=answer, advice=advice)


def _shape(database: Known[Looked | None]) -> Known[str] | None:
    if not isinstance(database, Looked):
        return database
    behind = database.known - database.shape
    waits = f"; the next start brings it up to date, {behind} steps" if behind else ""
    return f"sound, of shape {database.shape} of {database.known}{waits}"


def _now() -> datetime:
    return datetime.now(UTC)
