"""Which keys somebody works on at this moment: for one key one thread does something, or nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from waldur_slurm.gateway.errors import Busy
from waldur_slurm.gateway.submits.attempt import Key

SOON_S = 1.0


class UnderWay:
    """Of one process; that only one works on a store is seen to elsewhere."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._keys: set[Key] = set()

    @contextmanager
    def alone(self, key: Key) -> Iterator[None]:
        """Raise `Busy` where another thread has the key."""
        with self._lock:
            if key in self._keys:
                raise Busy("a request with this key is being carried out", SOON_S)
            self._keys.add(key)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(key)
