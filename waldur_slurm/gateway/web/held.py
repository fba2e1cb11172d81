"""What is held of files: how many are open, and the digests of those that were sent whole."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from waldur_slurm.gateway.errors import NotNow

MOST_OPEN = 64
"""Files that are read at the same time: each is a process of its owner's for as long."""

MOST_DIGESTS = 4096


class OpenFiles:
    """Counts the files that are being read for somebody."""

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self.open = 0

    @contextmanager
    def one_more(self) -> Iterator[None]:
        if self.open >= self._most:
            raise NotNow("too many files are being read already", 10.0)
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


class FileKey(NamedTuple):
    """A file as it was at one time."""

    cluster: str
    user: str
    path: str
    etag: str


class Digests:
    """SHA-256 of what was sent whole, so that whoever asks for it after that costs no reading."""

    def __init__(self, most: int = MOST_DIGESTS) -> None:
        self._most = most
        self._kept: OrderedDict[FileKey, str] = OrderedDict()

    def keep(self, key: FileKey, digest: str) -> None:
        """Keep it, unless another content may have the same tag."""
        if key.etag.startswith("W/"):
            return
        self._kept[key] = digest
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def find(self, key: FileKey) -> str | None:
        return self._kept.get(key)
