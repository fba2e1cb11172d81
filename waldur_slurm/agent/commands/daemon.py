"""`waldur-slurm-agent` without a command: run cycles until somebody stops it."""

import argparse

from waldur_slurm import __version__
from waldur_slurm.agent.commands import OK, alone
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.daemon.cycle import run_audited
from waldur_slurm.agent.daemon.daemon import Daemon
from waldur_slurm.agent.daemon.looks import Looks
from waldur_slurm.agent.daemon.presence import Presence
from waldur_slurm.agent.daemon.timing import look_timed, run_timed
from waldur_slurm.agent.directions import Carrier, carrier_of
from waldur_slurm.telemetry.events import Event, Level


def daemon(parts: Parts, _arguments: argparse.Namespace) -> int:
    with alone(parts), parts.watched():
        carrier = carrier_of(parts)
        _introduce(parts)
        Daemon(
            run_cycle=_Cycles(parts, carrier).run,
            reload=lambda: carrier.use_components(parts.read_components()),
            pace=parts.pace,
            signals=parts.signals,
            notifier=parts.notifier,
            tell=parts.tell,
            looks=_looks(parts, carrier),
        ).run()
        parts.tell(Event(name="agent.stopped"))
    return OK


def _looks(parts: Parts, carrier: Carrier) -> Looks | None:
    look, interval = carrier.look, parts.pace.looks
    if look is None or interval is None:
        return None
    return Looks(
        lambda: look_timed(parts.tell, lambda: run_audited(parts.audit, look)),
        interval=interval,
        longest=parts.pace.interval,
        tell=parts.tell,
    )


class _Cycles:
    """The daemon's cycles; by good ones Waldur's providers see that the agent is there."""

    def __init__(self, parts: Parts, carrier: Carrier) -> None:
        self._parts = parts
        self._carrier = carrier
        register, direction = parts.marketplace.register_agent, parts.settings.direction
        self._presence = Presence(
            lambda has_started: register(__version__, direction, has_started=has_started)
        )

    def run(self) -> None:
        parts = self._parts
        run_timed(parts.tell, lambda: run_audited(parts.audit, self._carrier.run))
        self._presence.note_good_cycle()


def _introduce(parts: Parts) -> None:
    about = {
        "version": __version__,
        "direction": parts.settings.direction,
        "offering": parts.settings.offering_uuid,
        "interval": parts.settings.interval,
    }
    parts.tell(Event(name="agent.started", fields=about))
    if not parts.settings.verify_ssl:
        parts.tell(Event(name="waldur.certificate_not_verified", level=Level.WARNING))
    for text in parts.warnings:
        parts.tell(Event(name="settings.doubtful", level=Level.WARNING, fields={"what": text}))
