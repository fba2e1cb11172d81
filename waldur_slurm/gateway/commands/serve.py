"""`slurm-gateway`: serve until somebody asks it to stop."""

import argparse
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from waldur_slurm.gateway.composition import Parts
from waldur_slurm.gateway.managing import finishing, take_over_apps
from waldur_slurm.gateway.settings.reference import unknown_variables
from waldur_slurm.gateway.store.alone import only_gateway
from waldur_slurm.gateway.web.app import application
from waldur_slurm.gateway.web.protocol import Crowd
from waldur_slurm.gateway.web.server import Served, listening, serve
from waldur_slurm.telemetry.events import Event, Level

SELDOM = 5000
"""After so many of its smaller collections Python looks through everything for cycles. Of fifty
thousand jobs that takes a sixth of a second, in which nobody is answered, and would be once in each
reading of the queue; so it is once in some two hundred. What ends young is found as before."""


def run(parts: Parts, _arguments: argparse.Namespace) -> int:
    settings, tell = parts.settings, parts.tell
    for warning in unknown_variables(parts.environ):
        fields = {"warning": warning}
        tell(Event(name="settings.doubtful", level=Level.WARNING, fields=fields))
    for key in parts.not_honoured:
        fields = {"key": key.key, "why": key.why}
        tell(Event(name="config.not_honoured", level=Level.WARNING, fields=fields))
    addresses = [listener.at for listener in settings.listen]
    with (
        only_gateway(settings.state_dir, ", ".join(map(str, addresses))),
        listening(addresses) as sockets,
        parts.sampling(),
        parts.looking(),
        parts.settling(),
        parts.posting(),
        parts.watched(),
        managing(parts),
    ):
        applications = {
            listener.at: application(parts.site, parts.doorkeeper, listener.surfaces)
            for listener in settings.listen
        }
        collect_seldom()
        serve(
            Served(applications),
            sockets,
            parts.notifier,
            settings.tls_certificate,
            settings.tls_key,
            parts.end_streams,
            tell,
            Crowd(proxies=settings.trusted_proxies),
        )
    tell(Event(name="gateway.stopped"))
    return 0


def collect_seldom() -> None:
    """Never look again through what a start has made, and seldom through all that came since."""
    gc.collect()
    gc.freeze()
    often, less_often, _ = gc.get_threshold()
    gc.set_threshold(often, less_often, SELDOM)


@contextmanager
def managing(parts: Parts) -> Iterator[None]:
    """Let the apps of the settings be there, and finish what was left undone of their jobs."""
    if parts.managed is None:
        yield
        return
    told = parts.settings.slurmer
    take_over_apps(parts.managed, told, lambda: parts.token_secret, parts.tell)
    with finishing(parts.site):
        yield
