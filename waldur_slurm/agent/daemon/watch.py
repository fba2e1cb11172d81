"""What others can watch of a running daemon: its health and its metrics, on one small server."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from waldur_slurm.agent.daemon.health import Health
from waldur_slurm.agent.daemon.metrics import CONTENT_TYPE, Metrics
from waldur_slurm.service.health import pages
from waldur_slurm.service.http import Listening, Page, serving
from waldur_slurm.telemetry.events import Event, Sink
from waldur_slurm.telemetry.redaction import Redaction


class Watch:
    """A sink; what it hears is shown while `serving` lasts."""

    def __init__(
        self,
        *,
        version: str,
        direction: str,
        interval: timedelta,
        quiet_for: Callable[[], timedelta],
        redact: Redaction,
    ) -> None:
        self._health = Health(interval, quiet_for, redact)
        self._metrics = Metrics(
            version=version,
            direction=direction,
            interval_s=interval.total_seconds(),
            is_ready=lambda: self._health.work().is_well,
        )

    def __call__(self, event: Event) -> None:
        self._health(event)
        self._metrics(event)

    def serving(self, host: str, port: int, tell: Sink) -> AbstractContextManager[int]:
        shown = pages(self._exposition, self._health.life, self._health.work)
        return serving(Listening(host, port, "AGENT_HTTP_LISTEN"), shown, tell)

    def _exposition(self) -> Page:
        return Page(self._metrics.exposition(), content_type=CONTENT_TYPE)
