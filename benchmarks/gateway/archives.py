"""A job's directory as a zip, down and up, its entries stored; and what that takes of memory.

The bytes are a client's and a user's on the same machine: read from a disk, and written to one.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.gateway.bed import PATIENCE_S, NotServed
from benchmarks.proc import peak_megabytes, resident_megabytes
from benchmarks.rows import Row
from benchmarks.scale import Scale
from tests.e2e.gateway.acting import ActingSite
from tests.e2e.gateway.slurmer_site import APP, TOKEN, Slurmer, SlurmerSite
from tests.fixtures_hand import ANN

SHOWN = {"Authorization": f"Bearer {TOKEN}"}
AT_LEAST_MB_S = 150.0
MOST_MB = 32.0
A_FILE = 64 * 1000 * 1000
PIECE = 1 << 20
A_LOOK_S = 0.02
TURNS = 3
WHY_SLOW = (
    "each byte goes through the client, the gateway and the hand, which share two processors,"
    " and is summed up for the archive's CRC"
)
WHY_LARGE = (
    "the hand is an interpreter of its own, which takes most of that before it does anything"
)


def measure_archives(acting: ActingSite, scale: Scale) -> Iterator[Row]:
    site = SlurmerSite.make(acting)
    try:
        with site.running() as gateway:
            yield from _measure(site, gateway, scale.archive_megabytes)
    finally:
        site.close()


def _measure(site: SlurmerSite, gateway: Slurmer, megabytes: int) -> Iterator[Row]:
    job = gateway.new_job().rpartition("/")[2]
    _fill(site.directory(job), megabytes)
    path = f"/api/v1/apps/{APP}/jobs/{job}/archive?user={ANN}"
    port = gateway.port - 2  # the one that serves everything
    kept = site.acting.hand.directory / "bench.zip"
    down, up, added, hands = [], [], [], []
    for _ in range(TURNS):
        with _watched(gateway.daemon.process.pid, site.acting.hand.program) as seen:
            began = time.monotonic()
            size = _take(port, path, kept)
            down.append(size / 1e6 / (time.monotonic() - began))
            began = time.monotonic()
            _put(port, path, kept)
            up.append(size / 1e6 / (time.monotonic() - began))
        added.append(seen.added)
        hands.append(seen.of_hands)
    kept.unlink()
    name = f"gateway: a zip of {megabytes:,} MB, stored"
    yield _rate(f"{name}: down", down)
    yield _rate(f"{name}: up", up)
    yield Row(name=f"{name}: the gateway grows by", unit="MB", samples=added, bound=MOST_MB)
    yield Row(
        name=f"{name}: the hand's peak", unit="MB", samples=hands, bound=MOST_MB, reason=WHY_LARGE
    )


def _rate(name: str, samples: list[float]) -> Row:
    bound = AT_LEAST_MB_S
    return Row(name=name, unit="MB/s", samples=samples, bound=bound, at_least=True, reason=WHY_SLOW)


def _fill(directory: Path, megabytes: int) -> None:
    """Let it hold files of the user's, of bytes that nothing packs."""
    piece = os.urandom(PIECE)
    left = megabytes * 1000 * 1000
    while left > 0:
        path = directory / f"result-{left}.bin"
        with path.open("wb") as file:
            for _ in range(max(min(A_FILE, left) // PIECE, 1)):
                file.write(piece)
        shutil.chown(path, ANN)
        left -= A_FILE


def _take(port: int, path: str, kept: Path) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        connection.request("GET", path, headers=SHOWN)
        answer = connection.getresponse()
        if answer.status != 200:
            raise NotServed(f"no archive: {answer.status} {answer.read()[:300]!r}")
        with kept.open("wb") as file:
            while piece := answer.read1(PIECE):
                file.write(piece)
    return kept.stat().st_size


def _put(port: int, path: str, kept: Path) -> None:
    headers = {**SHOWN, "Content-Type": "application/zip"}
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S, blocksize=PIECE)) as to:
        with kept.open("rb") as file:
            told = {**headers, "Content-Length": str(kept.stat().st_size)}
            to.request("POST", path, body=file, headers=told)
        answer = to.getresponse()
        if answer.status != 204:
            raise NotServed(f"not unpacked: {answer.status} {answer.read()[:300]!r}")


@dataclass
class _Seen:
    added: float = 0.0
    of_hands: float = 0.0


@contextmanager
def _watched(pid: int, hand: Path) -> Iterator[_Seen]:
    """See by how much the gateway's peak exceeds what it holds now, and the largest hand."""
    seen, over = _Seen(), threading.Event()

    def look() -> None:
        while not over.wait(A_LOOK_S):
            seen.of_hands = max(seen.of_hands, *peaks_of(hand), 0.0)

    looking = threading.Thread(target=look)
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # its peak begins anew
    before = resident_megabytes(pid)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()
    seen.added = peak_megabytes(pid) - before


def peaks_of(program: Path) -> Iterator[float]:
    """The peak of each interpreter that runs this program now."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"python" in words[0] and os.fsencode(program) in words:
                yield peak_megabytes(int(process.name))
        except (OSError, ValueError):
            continue  # it has ended
