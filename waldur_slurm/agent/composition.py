"""The composition root: settings to parts, each part built when it is first asked for.

Nothing here decides anything. A front that is not used is not imported.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from waldur_slurm import __version__
from waldur_slurm.agent.daemon.pace import Pace
from waldur_slurm.agent.daemon.timing import timed_phase
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import OfferingUuid
from waldur_slurm.agent.settings import LOGS, Deployment, Direction, LogFormat, Settings
from waldur_slurm.agent.tres_file import read_tres_file
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.processes.port import Transport
from waldur_slurm.service.notify import Notifier
from waldur_slurm.service.signals import Signals
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.slurm.transports.observed import ObservedTransport
from waldur_slurm.state import StateDirectory
from waldur_slurm.telemetry.audit import AuditLog
from waldur_slurm.telemetry.events import Event, Level, Sink, to_all
from waldur_slurm.telemetry.log import is_journal_stream, start_log
from waldur_slurm.telemetry.redaction import Redaction, redaction

if TYPE_CHECKING:
    from waldur_slurm.agent.daemon.hooks import Hooks
    from waldur_slurm.agent.daemon.watch import Watch
    from waldur_slurm.agent.waldur.notices import Notice
    from waldur_slurm.agent.waldur.transport import Exchange

_HOST_ANSWERS = timedelta(seconds=10)
_LONGEST_CONNECT_S = 5.0
_SLOW_ANSWERS = 4
"""How many times its time-out a whole exchange may take, where the answer comes drop by drop."""


class Parts:
    """One agent's parts, for one offering and direction."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        signals: Signals,
        log: TextIO,
        *,
        command: str | None = None,
    ) -> None:
        self.settings = settings
        self.signals = signals
        self.command = command
        """What a person typed; None is the daemon, whose log tells what it found Waldur to be."""
        self._environ = environ
        self._log = log
        self._closing = ExitStack()

    def close(self) -> None:
        """Let go of connections, and send what is still to be sent."""
        self._closing.close()

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Settings that work, but hardly as they were meant."""
        from waldur_slurm.agent.settings.reference import unknown_variables

        return tuple(unknown_variables(self._environ))

    @cached_property
    def redact(self) -> Redaction:
        return redaction(self.settings.secrets())

    @cached_property
    def state(self) -> StateDirectory:
        return StateDirectory(self.settings.state_dir)

    @cached_property
    def notifier(self) -> Notifier:
        microseconds = self._environ.get("WATCHDOG_USEC", "")
        watchdog = timedelta(microseconds=int(microseconds)) if microseconds.isdecimal() else None
        address = self._environ.get("NOTIFY_SOCKET", "")
        return Notifier(address, watchdog, redact=self.redact)

    # Telemetry

    @cached_property
    def watch(self) -> "Watch | None":
        if not self.settings.http_listen:
            return None
        from waldur_slurm.agent.daemon.watch import Watch

        return Watch(
            version=__version__,
            direction=self.settings.direction,
            interval=self.settings.interval,
            quiet_for=lambda: self.notifier.quiet_for,
            redact=self.redact,
        )

    def watched(self) -> AbstractContextManager[object]:
        """Show health and metrics while the body runs, where the settings say so."""
        if not (self.watch and self.settings.http_listen):
            return nullcontext()
        return self.watch.serving(*self.settings.http_listen, self.tell)

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Time a part of a cycle."""
        return timed_phase(self.tell, name)

    @cached_property
    def audit(self) -> AuditLog | None:
        path = self.settings.audit_log
        if not path:
            return None
        # A command may be typed before the service was ever started.
        return AuditLog(path, now, self.redact, makes_directory=path.parent == LOGS)

    @cached_property
    def hooks(self) -> "Hooks | None":
        if not self.settings.hook_dir:
            return None
        from waldur_slurm.agent.daemon.hooks import Hooks

        return Hooks(self.settings.hook_dir, self._environ, lambda event: self.tell(event))

    @cached_property
    def tell(self) -> Sink:
        is_json = self.settings.log_format is LogFormat.JSON
        level = Level[self.settings.log_level.name]
        is_journal = is_journal_stream(self._environ.get("JOURNAL_STREAM", ""), self._log)
        log = start_log(self._log, level, self.redact, is_json=is_json, is_journal=is_journal)
        sinks: list[Sink] = [log]
        if self.audit:
            sinks.append(self.audit)
        if self.watch:
            sinks.append(self.watch)
        if self.hooks:
            sinks.append(self.hooks)
        if self.settings.sentry_dsn:
            from waldur_slurm.telemetry.sentry import Sentry

            sentry = Sentry(
                self.settings.sentry_dsn.reveal(),
                self.settings.sentry_environment,
                __version__,
                self.redact,
            )
            self._closing.callback(sentry.close)
            sinks.append(sentry)
        return to_all(*sinks)

    # Slurm

    @cached_property
    def accounting(self) -> Accounting:
        from waldur_slurm.slurm.accounting.client import SlurmClient

        transport = ObservedTransport(
            self._transport(), self.signals.stop_if_asked, self._note_command
        )
        return SlurmClient(
            transport,
            cluster=self.settings.cluster,
            bin_path=str(self.settings.bin_path or ""),
        )

    @cached_property
    def host(self) -> Transport:
        """Where the agent itself runs, wherever Slurm is."""
        from waldur_slurm.processes.native import NativeTransport

        return NativeTransport(self._environ, timeout=_HOST_ANSWERS)

    def _transport(self) -> Transport:
        if self.settings.deployment is Deployment.NATIVE:
            from waldur_slurm.processes.native import NativeTransport

            return NativeTransport(self._environ)
        from waldur_slurm.slurm.transports.docker import DockerTransport

        user = self.settings.container_user or ""
        return DockerTransport(self.settings.container_name, user=user)

    def _note_command(self, argv: tuple[str, ...], code: int | None, seconds: float) -> None:
        self.notifier.alive()
        fields = {"command": " ".join(argv), "code": code, "seconds": round(seconds, 3)}
        self.tell(Event(name="slurm.command", level=Level.DEBUG, fields=fields))

    # Waldur

    @cached_property
    def marketplace(self) -> Marketplace:
        from waldur_slurm.agent.waldur.client import WaldurMarketplace
        from waldur_slurm.agent.waldur.session import WaldurSession
        from waldur_slurm.agent.waldur.transport import Bounds

        seconds = self.settings.request_timeout.total_seconds()
        session = WaldurSession(
            self.settings.api_url,
            self.settings.api_token.reveal(),
            user_agent=(
                # Waldur recognises a live agent by the words in brackets.
                f"waldur-slurm-agent/{__version__} ({self.settings.direction}; waldur-site-agent)"
            ),
            bounds=Bounds(
                connect=min(seconds, _LONGEST_CONNECT_S),
                read=seconds,
                whole=_SLOW_ANSWERS * seconds,
            ),
            verify=self.settings.verify_ssl,
            observer=self._note_request,
        )
        self._closing.callback(session.close)
        return WaldurMarketplace(session, self.offering, tell=self._pass_on)

    @property
    def offering(self) -> OfferingUuid:
        return OfferingUuid(self.settings.offering_uuid)

    def _note_request(self, exchange: "Exchange") -> None:
        self.notifier.alive()
        fields = {
            "request": f"{exchange.method} {exchange.route}",
            "status": exchange.status,
            "seconds": round(exchange.seconds, 3),
        }
        self.tell(Event(name="waldur.request", level=Level.DEBUG, fields=fields))
        self.signals.stop_if_asked()

    def _pass_on(self, notice: "Notice") -> None:
        news = Level.DEBUG if self.command else Level.INFO
        level = Level.WARNING if notice.is_trouble else news
        level = Level.ERROR if notice.needs_a_person else level
        self.tell(Event(name=notice.name, level=level, fields=notice.fields))

    # What is sold

    @cached_property
    def components(self) -> tuple[Component, ...]:
        return self.read_components()

    def read_components(self) -> tuple[Component, ...]:
        return read_tres_file(self.settings.tres_path)

    # The direction

    @cached_property
    def pace(self) -> Pace:
        is_push = self.settings.direction is Direction.PUSH
        if is_push:
            return Pace(self.settings.interval, self.settings.push.zone)
        return Pace(self.settings.interval, looks=self.settings.pull.order_interval or None)


def now() -> datetime:
    return datetime.now(UTC)
