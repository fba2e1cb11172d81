"""Builds what watches jobs, as the settings say. Nothing here decides anything."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.recorder import Recorder
from waldur_slurm.gateway.post.cycle import Postman
from waldur_slurm.gateway.post.gate import Gate
from waldur_slurm.gateway.post.port import Letters
from waldur_slurm.gateway.settings.monitors import MonitorSettings
from waldur_slurm.gateway.store.monitors import StoredMonitors
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.watch.cycle import Watch, now_utc, watching
from waldur_slurm.gateway.watch.plan import Rules
from waldur_slurm.gateway.watch.reading import Reader
from waldur_slurm.gateway.web.watch_site import Watching
from waldur_slurm.telemetry.events import Sink

MISSED = 2
"""For so many intervals a job is missing before it is given up where there is no accounting."""


def watching_of(
    told: MonitorSettings,
    database: Database,
    letters: Letters,
    gate: Gate,
    postman: Postman,
    clusters: Mapping[str, ClusterPictures],
    tell: Sink,
) -> Watching:
    monitors = StoredMonitors(database)
    rules = Rules(told.max_age, _forgotten_after(told))
    return Watching(
        monitors=monitors,
        letters=letters,
        gate=gate,
        ways=frozenset(postman.senders),
        watches={
            name: Watch(
                name,
                monitors,
                Reader(pictures, now_utc),
                tell,
                rules,
                told.interval.total_seconds(),
            )
            for name, pictures in clusters.items()
        },
        hook_secret=told.hook_secret.reveal() if told.hook_secret else None,
    )


def _forgotten_after(told: MonitorSettings) -> timedelta:
    return MISSED * told.interval


@contextmanager
def watched(site: Watching, recorder: Recorder) -> Iterator[None]:
    """Watch for as long as it lasts, and look at each list that shows something new."""

    def wake() -> None:
        for watch in site.watches.values():
            watch.wake()

    stop = recorder.listen(wake)
    try:
        with watching([*site.watches.values()]):
            yield
    finally:
        stop()
