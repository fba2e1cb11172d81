"""What managed jobs are told by the settings, and who is changing which of them at the moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from waldur_slurm.gateway.apps.app import App, Apps
from waldur_slurm.gateway.apps.job import Jobs
from waldur_slurm.gateway.apps.places import Places
from waldur_slurm.gateway.doors.tokens import Minted, Tokens
from waldur_slurm.gateway.errors import Busy


class Claims:
    """One change of a job at a time; who comes second is told so, and may come again."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._lock = Lock()

    @contextmanager
    def held(self, job_id: str) -> Iterator[None]:
        with self._lock:
            if job_id in self._held:
                raise Busy("the job is being changed at the moment")
            self._held.add(job_id)
        try:
            yield
        finally:
            self._held.discard(job_id)


@dataclass(frozen=True, slots=True)
class Managed:
    """`needs_issuer`: the first original's routes want a token of the issuer beside the app's."""

    apps: Apps
    jobs: Jobs
    places: Places
    tokens: Tokens
    mint: Callable[[App, str], Minted]
    """Makes a token that opens this app; nothing is kept of it yet."""
    most_bytes: int = 16 * 1024**3
    needs_issuer: bool = False
    claims: Claims = field(default_factory=Claims)
