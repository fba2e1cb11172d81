"""What the log is told of watching: each trouble once, until it is over."""

from collections.abc import Iterable

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.watch.monitor import Stage
from waldur_slurm.gateway.watch.port import Turn
from waldur_slurm.telemetry.events import Event, Level, Sink

_NAMES = {
    Stage.WATCHING: "monitor.turned",
    Stage.ENDED: "monitor.ended",
    Stage.EXPIRED: "monitor.expired",
    Stage.GIVEN_UP: "monitor.given_up",
}
_LOST = frozenset({Stage.EXPIRED, Stage.GIVEN_UP})


class News:
    """Of one cluster."""

    def __init__(self, cluster: str, tell: Sink) -> None:
        self._cluster = cluster
        self._tell = tell
        self._odd: set[str] = set()
        self._is_unwritten = False

    def written(self, turns: Iterable[Turn]) -> None:
        for turn in turns:
            monitor = turn.monitor
            self._tell(
                Event(
                    name=_NAMES[monitor.stage],
                    level=Level.WARNING if monitor.stage in _LOST else Level.DEBUG,
                    fields={
                        "monitor": monitor.id,
                        "cluster": self._cluster,
                        "job": str(monitor.job or ""),
                        "user": monitor.user,
                        "state": monitor.state,
                        "letters": len(turn.letters),
                    },
                )
            )

    def well(self) -> None:
        self._is_unwritten = False

    def unwritten(self, error: ExpectedError) -> None:
        if not self._is_unwritten:
            self._is_unwritten = True
            fields: dict[str, object] = {"cluster": self._cluster, "error": str(error)}
            self._tell(Event(name="monitor.unwritten", level=Level.WARNING, fields=fields))

    def odd(self, monitor_id: str, why: str) -> None:
        if monitor_id not in self._odd:
            self._odd.add(monitor_id)
            fields: dict[str, object] = {"monitor": monitor_id, "why": why}
            self._tell(Event(name="monitor.odd", level=Level.ERROR, fields=fields))

    def crashed(self, text: str) -> None:
        fields: dict[str, object] = {"cluster": self._cluster, "traceback": text}
        self._tell(Event(name="monitor.crashed", level=Level.ERROR, fields=fields))
