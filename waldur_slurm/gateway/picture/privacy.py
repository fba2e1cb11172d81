"""Whether Slurm hides others' things from the gateway, found out once it answers, and said.

Where slurm.conf or slurmdbd.conf has `PrivateData`, whoever is not root, SlurmUser or an operator
of the accounting is shown his own things only: lists would be short, and look whole.
"""

import traceback
from collections.abc import Iterable
from contextlib import AbstractContextManager
from threading import Event as Bell

from waldur_slurm.errors import ExpectedError
from waldur_slurm.gateway.beside import beside
from waldur_slurm.gateway.picture.cluster import ClusterPictures
from waldur_slurm.gateway.picture.hidden import hidden_by, is_above
from waldur_slurm.telemetry.events import Event, Level, Sink

TRIED_EVERY_S = 30.0


class Privacy:
    """A thread that ends as soon as it knows."""

    def __init__(self, clusters: Iterable[ClusterPictures], user: str, tell: Sink) -> None:
        self._open = list(clusters)
        self._user = user
        self._tell = tell
        self._leaving = Bell()

    def looking(self) -> AbstractContextManager[None]:
        return beside("privacy", self._run, self._leaving.set)

    def _run(self) -> None:
        try:
            while self.look() and not self._leaving.wait(TRIED_EVERY_S):
                pass
        except Exception:  # noqa: BLE001 - a defect here must not be silent
            fields = {"thing": "PrivateData", "traceback": traceback.format_exc()}
            self._tell(Event(name="picture.crashed", level=Level.ERROR, fields=fields))

    def look(self) -> bool:
        """Ask those of which it is not known yet; say whether there are any left."""
        self._open = [cluster for cluster in self._open if not self._is_known(cluster)]
        return bool(self._open)

    def _is_known(self, cluster: ClusterPictures) -> bool:
        try:
            configuration = cluster.configuration.fresh()
            hidden = hidden_by(configuration, cluster.history.read_private())
            people = cluster.people.fresh() if hidden else ()
        except ExpectedError:
            return False
        if is_above(self._user, configuration, people):
            hidden = ()
        cluster.hidden = hidden
        if hidden:
            fields = {"cluster": cluster.name, "hidden": ",".join(hidden), "user": self._user}
            self._tell(Event(name="slurm.private", level=Level.WARNING, fields=fields))
        return True
