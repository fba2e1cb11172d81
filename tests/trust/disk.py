"""A disk that can be filled to its last byte, and emptied again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Disk:
    """A file system of its own with room for little."""

    place: Path

    def fill(self) -> None:
        with suppress(OSError), (self.place / "filler").open("wb", buffering=0) as filler:
            while filler.write(b"x" * 4096) == 4096:
                pass

    def make_room(self) -> None:
        (self.place / "filler").unlink()


@contextmanager
def small_disk(place: Path, size: str = "512k") -> Iterator[Disk]:
    """Mount one there for as long as it lasts; takes root."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "small", place], check=True)  # noqa: S607 - wherever it lies
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)  # noqa: S607 - wherever it lies
