"""Ready answers of one picture, made once for all who may see the same.

Bounded by their bytes; what was not asked for longest goes first. What only one person may see is
never kept here.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

MOST_BYTES = 64 * 1024 * 1024


class BodyKey(NamedTuple):
    cluster: str
    generation: int
    representation: str
    visibility: str
    encoding: str


class Bodies:
    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[BodyKey, bytes] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    @property
    def size(self) -> int:
        return self._size

    def find(self, key: BodyKey) -> bytes | None:
        with self._lock:
            body = self._kept.get(key)
            if body is not None:
                self._kept.move_to_end(key)
            return body

    def find_or_make(self, key: BodyKey, make: Callable[[], bytes]) -> bytes:
        """Two who ask at the same moment may both make it; the later one's stays."""
        body = self.find(key)
        if body is None:
            body = make()
            self._keep(key, body)
        return body

    def _keep(self, key: BodyKey, body: bytes) -> None:
        if len(body) > self._most:
            return
        with self._lock:
            self._drop_older_than(key)
            self._size += len(body) - len(self._kept.pop(key, b""))
            self._kept[key] = body
            while self._size > self._most:
                _, dropped = self._kept.popitem(last=False)
                self._size -= len(dropped)

    def _drop_older_than(self, key: BodyKey) -> None:
        """An earlier picture's body is of no use once a later one is shown."""
        old = [
            kept
            for kept in self._kept
            if kept._replace(generation=0) == key._replace(generation=0)
            and kept.generation < key.generation
        ]
        for kept in old:
            self._size -= len(self._kept.pop(kept))
