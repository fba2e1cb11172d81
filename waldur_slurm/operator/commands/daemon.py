"""`resource-daemon`: give nodes the labels and resources that the site says."""

import argparse

from waldur_slurm.operator.composition import Parts
from waldur_slurm.service.signals import listening


def resource_daemon(parts: Parts, arguments: argparse.Namespace) -> int:
    daemon = parts.resource_daemon()
    if arguments.once:
        return 0 if daemon.turn() else 1
    with listening() as signals:
        while not signals.is_stopping:
            daemon.turn()
            signals.wait(parts.settings.nodes_every)
    return 0
