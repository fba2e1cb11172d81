"""A user's home, and what is true of it beside what her `Files` say."""

from pathlib import Path
from pwd import getpwnam
from typing import Protocol

from tests.fakes.files import FakeFiles, FakeTree
from tests.fixtures_hand import ANN, BOB, HandSite
from waldur_slurm.slurm.transports.files import Files


class FilesSite(Protocol):
    """Paths are absolute; `canary` lies below no root of hers."""

    @property
    def files(self) -> Files: ...

    @property
    def home(self) -> str: ...

    @property
    def bobs_home(self) -> str: ...

    def canary(self) -> str: ...

    def link(self, path: str, target: str) -> None: ...

    def read(self, path: str) -> bytes: ...

    def names(self) -> list[str]:
        """What her home holds."""
        ...

    def is_anns(self, path: str, mode: int) -> bool: ...


class HandFilesSite:
    def __init__(self, hand_site: HandSite, way: str) -> None:
        self._hand_site = hand_site
        self.files = hand_site.behalf(way).of(ANN).files
        self.home = str(hand_site.home(ANN))
        self.bobs_home = str(hand_site.home(BOB))

    def canary(self) -> str:
        path = self._hand_site.directory / "canary"
        path.write_text("canary")
        return str(path)

    def link(self, path: str, target: str) -> None:
        Path(path).symlink_to(target)

    def read(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def names(self) -> list[str]:
        return [path.name for path in Path(self.home).iterdir()]

    def is_anns(self, path: str, mode: int) -> bool:
        found, entry = Path(path).lstat(), getpwnam(ANN)
        is_hers = (found.st_uid, found.st_gid) == (entry.pw_uid, entry.pw_gid)
        return is_hers and found.st_mode & 0o7777 == mode


class FakeFilesSite:
    """In a fake all is hers."""

    def __init__(self) -> None:
        self._tree = FakeTree(("/home/ann",))
        self.files = FakeFiles(self._tree)
        self.home, self.bobs_home = "/home/ann", "/home/bob"

    def canary(self) -> str:
        self._tree.write("/srv/canary", b"canary")
        return "/srv/canary"

    def link(self, path: str, target: str) -> None:
        self._tree.link(path, target)

    def read(self, path: str) -> bytes:
        return self._tree.read(path)

    def names(self) -> list[str]:
        return self._tree.names(self.home)

    def is_anns(self, path: str, mode: int) -> bool:
        facts = self.files.look(path)
        return facts is not None and facts.mode == mode
