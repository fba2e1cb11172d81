"""`run`: look after SlurmJobs until somebody asks it to stop."""

import argparse

from waldur_slurm.operator.composition import Parts
from waldur_slurm.service.signals import listening


def run(parts: Parts, _arguments: argparse.Namespace) -> int:
    notifier = parts.notifier
    with listening() as signals, parts.watched():
        operator = parts.operator()
        with operator.store.running():
            notifier.ready()
            while not signals.is_stopping:
                notifier.alive()
                operator.site.refresh()
                signals.wait(min(parts.settings.config_every, notifier.longest_sleep))
            notifier.stopping()
            operator.site.leave()
    return 0
