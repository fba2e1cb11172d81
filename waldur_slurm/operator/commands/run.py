"""`run`: look after SlurmJobs until somebody asks it to stop."""

import argparse

from waldur_slurm.operator.composition import Parts
from waldur_slurm.service.signals import listening


def run(parts: Parts, _arguments: argparse.Namespace) -> int:
    notifier, lease = parts.notifier, parts.lease()
    with listening() as signals, parts.watched():
        operator = parts.operator()
        with operator.store.running():
            notifier.ready()
            while not signals.is_stopping:
                notifier.alive()
                if lease is None or lease.hold():
                    operator.site.refresh()
                else:
                    operator.site.leave()
                signals.wait(min(parts.settings.config_every, notifier.longest_sleep))
            notifier.stopping()
            operator.site.leave()
            if lease is not None:
                lease.let_go()
    return 0
