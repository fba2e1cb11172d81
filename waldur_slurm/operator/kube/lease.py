"""One operator at a time, to save work. Two at once do no harm: nothing correct hangs on this.

Who holds the Lease renews it; whoever sees it unchanged for long enough, by a clock of his own,
takes it. No clock of another host is believed. Where the API server does not answer, nothing
changes about who works.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from waldur_slurm.operator.errors import ChangedMeanwhile, Gone, KubeError, NotAllowed
from waldur_slurm.operator.kube import paths
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.telemetry.events import Event, Level, Sink

RENEWED_S, LASTS_S = 10.0, 30.0


class Lease:
    """`me` is told to who asks for the holder, and is nobody else's."""

    def __init__(
        self,
        talk: Talk,
        namespace: str,
        name: str,
        me: str,
        tell: Sink,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._talk = talk
        self._path = paths.lease(namespace, name)
        self._all = paths.lease(namespace)
        self._meta = {"name": name, "namespace": namespace}
        self._me = me
        self._tell = tell
        self._clock = clock
        self._now = now
        self._is_mine = False
        self._renewed = 0.0
        self._seen: tuple[str, float] = ("", 0.0)

    def hold(self) -> bool:
        """Take it, or keep it; return whether it is ours, as far as is known."""
        if self._is_mine and self._clock() - self._renewed < RENEWED_S:
            return True
        try:
            is_mine = self._ask()
        except ChangedMeanwhile:
            is_mine = False
        except NotAllowed as error:
            is_mine = True
            if not self._is_mine:
                fields = {"error": str(error)}
                self._tell(Event(name="lease.refused", level=Level.WARNING, fields=fields))
        except KubeError:
            return self._is_mine
        if is_mine != self._is_mine:
            self._tell(Event(name="lease.held" if is_mine else "lease.lost"))
        self._is_mine = is_mine
        self._renewed = self._clock()
        return is_mine

    def let_go(self) -> None:
        """Leave it to the next one, who need not wait then."""
        if not self._is_mine:
            return
        self._is_mine = False
        try:
            found = self._talk.get(self._path)
            if (found.get("spec") or {}).get("holderIdentity") == self._me:
                self._patch(found, {"holderIdentity": ""})
        except KubeError:
            return

    def _ask(self) -> bool:
        try:
            found = self._talk.get(self._path)
        except Gone:
            self._talk.post(self._all, {"metadata": self._meta, "spec": self._spec()})
            return True
        spec = found.get("spec") or {}
        holder, version = spec.get("holderIdentity"), str(found["metadata"]["resourceVersion"])
        if holder and holder != self._me and not self._is_stale(version):
            return False
        self._patch(found, self._spec())
        return True

    def _is_stale(self, version: str) -> bool:
        """Whether its holder has not renewed it for as long as it lasts."""
        if version != self._seen[0]:
            self._seen = version, self._clock()
        return self._clock() - self._seen[1] >= LASTS_S

    def _patch(self, found: dict[str, Any], spec: dict[str, Any]) -> None:
        """Only if it is still as it was read."""
        meta = {"resourceVersion": found["metadata"]["resourceVersion"]}
        self._talk.patch(self._path, {"metadata": meta, "spec": spec})

    def _spec(self) -> dict[str, Any]:
        now = self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "holderIdentity": self._me,
            "leaseDurationSeconds": int(LASTS_S),
            "renewTime": now,
        }
