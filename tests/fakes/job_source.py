"""A job as a companion sees it through a gateway, in memory, with the faults of a real one."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from waldur_slurm.operator.companion.errors import Changing, CompanionError, Missing
from waldur_slurm.operator.companion.port import Into, JobNow, Listed, Piece, Stream, Version

RUNNING = JobNow("RUNNING", is_over=False, is_well=False)
WELL = JobNow("COMPLETED", is_over=True, is_well=True)
BADLY = JobNow("FAILED", is_over=True, is_well=False)


@dataclass
class FakeSource:
    """`companion.port.Source`. `beats` are how it stands, look by look; the last one stays."""

    beats: list[JobNow] = field(default_factory=lambda: [WELL])
    files: dict[str, bytes] = field(default_factory=dict)
    written: dict[str, bytes | None] = field(default_factory=lambda: {"out": b"", "err": b""})
    listed: dict[str, str] = field(default_factory=dict)
    """Names that a gateway shows beside its files, and the file that each is."""
    is_whole: bool = True
    unsettled: int = 0
    """Looks for which it is not sure that the file stays."""
    refusing: dict[str, CompanionError] = field(default_factory=dict)
    meanwhile: Callable[[str], None] = lambda _path: None
    """What happens when half of a file was sent."""
    cut: BaseException | None = None
    """What ends it after a file was sent by half; once."""
    piece: int = 4
    """Bytes of its output that one look shows at most."""
    waited: list[float] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes, by file."""

    def look(self) -> JobNow:
        return self.beats[0]

    def look_again(self, seconds: float) -> JobNow:
        self.waited.append(seconds)
        if len(self.beats) > 1:
            self.beats.pop(0)
        return self.beats[0]

    def read_output(self, stream: Stream, offset: int) -> Piece:
        data = self.written[stream]
        if data is None:
            raise Missing("nothing is kept of it")
        piece = data[offset : offset + self.piece]
        following = offset + len(piece)
        return Piece(piece, following, self.beats[0].is_over and following >= len(data))

    def list_files(self, pattern: str) -> Listed:
        names = [*self.files, *self.listed]
        return Listed([name for name in names if fnmatchcase(name, pattern)], self.is_whole)

    def look_at(self, path: str | None) -> Version:
        data = self._content(path)
        if self.unsettled:
            self.unsettled -= 1
            return Version(len(data), "")
        return Version(len(data), _digest(data)[:8])

    def take(self, path: str | None, version: Version, into: Into) -> None:
        name, data = path or "", self._content(path)
        if _digest(data)[:8] != version.tag:
            raise Changing("the file changed while it was taken")
        half = data[into.size : max(len(data) // 2, into.size)]
        self._send(name, half, into)
        self.meanwhile(name)
        if self.cut:
            cut, self.cut = self.cut, None
            raise cut
        self._send(name, data[into.size :], into)

    def read_digest(self, path: str | None) -> str:
        return "" if path is None else _digest(self._content(path))

    def _send(self, name: str, data: bytes, into: Into) -> None:
        into.write(data)
        self.sent[name] += len(data)

    def _content(self, path: str | None) -> bytes:
        if path is None:
            return self.written["out"] or b""
        if path in self.refusing:
            raise self.refusing[path]
        try:
            return self.files[self.listed.get(path, path)]
        except KeyError:
            raise Missing(f"there is no file {path}") from None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
