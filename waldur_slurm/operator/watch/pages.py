"""The pages of health and metrics, and the sink that fills them."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import timedelta

from waldur_slurm.operator.jobs.kube import Snapshot
from waldur_slurm.operator.watch.health import Health
from waldur_slurm.operator.watch.metrics import CONTENT_TYPE, Metrics
from waldur_slurm.service.health import pages
from waldur_slurm.service.http import Listening, Page, serving
from waldur_slurm.telemetry.events import Event, Sink

VARIABLE = "OPERATOR_HTTP_LISTEN"


class Watch:
    """A sink; what it hears is shown while `serving` lasts."""

    def __init__(self, version: str, quiet_for: Callable[[], timedelta]) -> None:
        self._read: Callable[[], Snapshot | None] = lambda: None
        self._clusters: Callable[[], Collection[str]] = tuple
        self._metrics = Metrics(version, lambda: self._read(), lambda: self._clusters())
        self._health = Health(lambda: self._read(), quiet_for)

    def look_at(
        self, read: Callable[[], Snapshot | None], clusters: Callable[[], Collection[str]]
    ) -> None:
        """Show what these say, from now on."""
        self._read, self._clusters = read, clusters

    def __call__(self, event: Event) -> None:
        self._metrics(event)

    def serving(self, host: str, port: int, tell: Sink) -> AbstractContextManager[int]:
        shown = pages(self._exposition, self._health.life, self._health.work)
        return serving(Listening(host, port, VARIABLE), shown, tell)

    def _exposition(self) -> Page:
        return Page(self._metrics.exposition(), content_type=CONTENT_TYPE)
