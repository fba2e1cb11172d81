"""How the tour of a front that wants root is begun, kept and ended, whichever front it is."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from sandbox.demo.screen import Screen
from sandbox.demo.site import ROOT
from sandbox.demo.staying import (
    AT_MOST,
    INTERRUPTED,
    KEPT_FOR,
    end_at_sigterm,
    let_go_of_the_terminal,
)
from sandbox.slurm import SandboxError

S = TypeVar("S")


@dataclass(frozen=True)
class Front(Generic[S]):
    name: str
    begin: Callable[[ExitStack, Screen, timedelta], S]
    """Make the site, which ends with the stack, and say what it is."""
    guide: Callable[[S, Screen], None]
    tell_what_stays: Callable[[S, Screen], None]
    others: str
    """A sentence about the other fronts."""


def show(front: Front[S], *, keep: bool) -> int:
    if os.geteuid() != 0:
        return _as_root(front.name, keep=keep)
    try:
        return _in_the_background(front) if keep else _in_front(front)
    finally:
        _give_back_the_cache()


def how_to_end_it() -> str:
    """Return the command that ends a site which this process keeps."""
    return f"{'kill' if ROOT.stat().st_uid == 0 else 'sudo kill'} {os.getpid()}"


def _as_root(front: str, *, keep: bool) -> int:
    """Go on as root, as whoever set Slurm up here could become."""
    sudo = shutil.which("sudo")
    if sudo is None:
        sys.stderr.write("This demo makes Unix users, so it wants root, or sudo\n")
        return 1
    sys.stdout.write("It makes Unix users of its own, so it goes on as root, by sudo.\n")
    sys.stdout.flush()
    words = ("-m", "sandbox", "demo", "--front", front, *(["--keep"] if keep else []))
    argv = (sudo, "env", "PYTHONDONTWRITEBYTECODE=1", sys.executable, *words)
    return subprocess.call(argv, cwd=ROOT)


def _give_back_the_cache() -> None:
    """What root made in the project's folder belongs to whom the folder belongs to."""
    owner = ROOT.stat()
    cache = ROOT / ".cache"
    if cache.exists() and owner.st_uid != 0:
        for path in (cache, *cache.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _in_front(front: Front[S]) -> int:
    screen = Screen()
    begun = time.monotonic()
    try:
        with ExitStack() as ends:
            front.guide(front.begin(ends, screen, AT_MOST), screen)
            screen.close(
                f"That took {time.monotonic() - begun:.0f} s. `make demo FRONT={front.name} KEEP=1`"
                f" leaves the site running; {front.others}"
            )
    except SandboxError as failure:
        return _failed(failure)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _failed(failure: SandboxError) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"{failure}\n")
    return 1


def _in_the_background(front: Front[S]) -> int:
    """Let a process of its own make the site and stay; leave once it has shown the tour.

    All that runs there ends with the process that started it, which so must not be this one.
    """
    hears, tells = os.pipe()
    if pid := os.fork():
        os.close(tells)
        try:
            said = os.read(hears, 1)
        except KeyboardInterrupt:
            os.kill(pid, signal.SIGTERM)
            return INTERRUPTED
        return 0 if said else 1
    os.close(hears)
    os.setsid()
    end_at_sigterm()
    os._exit(_stay(front, tells))


def _stay(front: Front[S], tells: int) -> int:
    screen = Screen()
    try:
        with ExitStack() as ends:
            site = front.begin(ends, screen, KEPT_FOR)
            front.guide(site, screen)
            front.tell_what_stays(site, screen)
            sys.stdout.flush()
            let_go_of_the_terminal()
            os.write(tells, b"0")
            os.close(tells)
            time.sleep(KEPT_FOR.total_seconds())
    except SandboxError as failure:
        return _failed(failure)
    except SystemExit:
        return 0
    return 0
