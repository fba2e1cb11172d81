"""Sessions in memory, held to the real store by `tests/unit/gateway/store/test_sessions.py`."""

from dataclasses import dataclass, field

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.doors.sessions import Session


@dataclass
class FakeSessions:
    """A `Sessions`; `broken` is why none of it works."""

    kept: dict[bytes, Session] = field(default_factory=dict)
    broken: str = ""

    def all(self) -> tuple[Session, ...]:
        self._demand()
        return tuple(self.kept.values())

    def add(self, session: Session) -> None:
        self._demand()
        assert session.digest not in self.kept
        self.kept[session.digest] = session

    def drop(self, digests: tuple[bytes, ...]) -> None:
        self._demand()
        for each in digests:
            self.kept.pop(each, None)

    def _demand(self) -> None:
        if self.broken:
            raise StateError(self.broken)
