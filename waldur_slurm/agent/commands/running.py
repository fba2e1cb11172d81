"""The commands that run a direction: the daemon, one cycle, its plan, an adoption."""

import argparse

from waldur_slurm import __version__
from waldur_slurm.agent.commands import OK, code_of, display_of
from waldur_slurm.agent.composition import Site
from waldur_slurm.agent.daemon.alone import only_agent
from waldur_slurm.agent.daemon.cycle import ensure_audited, run_audited
from waldur_slurm.agent.daemon.show import counted
from waldur_slurm.agent.daemon.timing import run_timed
from waldur_slurm.agent.directions import Carrier, carrier_of
from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.telemetry.events import Event, Level


def daemon(site: Site, _arguments: argparse.Namespace) -> int:
    """Run cycles until somebody stops it."""
    from waldur_slurm.agent.daemon.daemon import Daemon

    with only_agent(site.settings.state_dir), site.watched():
        carrier = carrier_of(site)
        _introduce(site)
        Daemon(
            run_cycle=_Cycles(site, carrier).run,
            reload=lambda: carrier.sell(site.read_components()),
            pace=site.pace,
            signals=site.signals,
            notifier=site.notifier,
            tell=site.tell,
        ).run()
        site.tell(Event(name="agent.stopped"))
    return OK


class _Cycles:
    """The daemon's cycles; after the first good one, Waldur's providers see the agent."""

    def __init__(self, site: Site, carrier: Carrier) -> None:
        self._site = site
        self._carrier = carrier
        self._is_registered = False

    def run(self) -> None:
        site = self._site
        run_timed(site.tell, lambda: run_audited(site.audit, self._carrier.run))
        if not self._is_registered:
            site.marketplace.register_agent(__version__, site.settings.direction)
            self._is_registered = True


def once(site: Site, arguments: argparse.Namespace) -> int:
    """Run one cycle now, with what a person allows by typing it."""
    with only_agent(site.settings.state_dir):
        carrier = carrier_of(site)
        report = run_audited(site.audit, lambda: carrier.run(arguments))
    changes, failures = report.changes, len(report.failures)
    display_of(site).line(f"{counted(changes, 'change')}, {counted(failures, 'failure')}")
    return code_of(report.failures)


def plan(site: Site, arguments: argparse.Namespace) -> int:
    """Show what the next cycle would do; 0 nothing, 10 changes, 11 drift only."""
    planned = carrier_of(site).plan(arguments)
    display = display_of(site)
    if arguments.json:
        display.json(planned.data)
    else:
        display.text(planned.text)
    return planned.code


def adopt(site: Site, arguments: argparse.Namespace) -> int:
    """Mark an account as an allocation's own, because a person says so."""
    from waldur_slurm.agent.directions.pull import PullCarrier

    with only_agent(site.settings.state_dir):
        ensure_audited(site.audit)
        PullCarrier(site).adopt(ResourceUuid(arguments.resource), arguments.account)
    display_of(site).line(
        f"{arguments.account} is the account of {arguments.resource} from now on;"
        " plan shows what the next cycle makes of it"
    )
    return OK


def _introduce(site: Site) -> None:
    about = {
        "version": __version__,
        "direction": site.settings.direction,
        "offering": site.settings.offering_uuid,
        "interval": site.settings.interval,
    }
    site.tell(Event(name="agent.started", fields=about))
    if not site.settings.verify_ssl:
        site.tell(Event(name="waldur.certificate_not_verified", level=Level.WARNING))
    for text in site.warnings:
        site.tell(Event(name="settings.doubtful", level=Level.WARNING, fields={"what": text}))
