"""`make demo FRONT=gateway`: the tour, and with --keep a site that stays for a while."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from types import FrameType

from sandbox.demo.screen import Screen
from sandbox.demo.site import MACHINES, ROOT
from sandbox.gateway_demo.site import GatewaySite, running_site
from sandbox.gateway_demo.tour import guide
from sandbox.slurm import SandboxError

KEPT_FOR = timedelta(hours=2)
AT_MOST = timedelta(minutes=10)
INTERRUPTED = 130


def main(*, keep: bool) -> int:
    if os.geteuid() != 0:
        return _as_root(keep=keep)
    try:
        return _main(keep=keep)
    finally:
        _give_back_the_cache()


def _as_root(*, keep: bool) -> int:
    """Go on as root, as whoever set Slurm up here could become."""
    sudo = shutil.which("sudo")
    if sudo is None:
        sys.stderr.write("This demo makes Unix users, so it wants root, or sudo\n")
        return 1
    sys.stdout.write("It makes Unix users of its own, so it goes on as root, by sudo.\n")
    sys.stdout.flush()
    words = ("-m", "sandbox", "demo", "--front", "gateway", *(["--keep"] if keep else []))
    argv = (sudo, "env", "PYTHONDONTWRITEBYTECODE=1", sys.executable, *words)
    return subprocess.call(argv, cwd=ROOT)


def _give_back_the_cache() -> None:
    """What root made in the project's folder belongs to whom the folder belongs to."""
    owner = ROOT.stat()
    cache = ROOT / ".cache"
    if cache.exists() and owner.st_uid != 0:
        for path in (cache, *cache.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _main(*, keep: bool) -> int:
    if keep:
        return _in_the_background()
    try:
        _show(Screen(), lifetime=AT_MOST)
    except SandboxError as failure:
        sys.stdout.flush()
        sys.stderr.write(f"{failure}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _show(screen: Screen, *, lifetime: timedelta) -> None:
    begun = time.monotonic()
    with ExitStack() as ends:
        site = _begin(ends, screen, lifetime)
        guide(site, screen)
        seconds = time.monotonic() - begun
        screen.close(
            f"That took {seconds:.0f} s. `make demo FRONT=gateway KEEP=1` leaves the site running;"
            " `make demo` is the agent's."
        )


def _begin(ends: ExitStack, screen: Screen, lifetime: timedelta) -> GatewaySite:
    with screen.working("Slurm, its users, the gateway and a mail relay start"):
        site = ends.enter_context(running_site(lifetime))
    screen.say(
        f"Slurm {site.slurm_version} is real, with accounting and {MACHINES.nodes} nodes; so is the"
        f" gateway, at {site.url}, which is never root and acts as {' and '.join(site.people)}."
        " Clients that show no token may read, as the originals let them:"
        f" GATEWAY_ANONYMOUS_SCOPES={site.environ['GATEWAY_ANONYMOUS_SCOPES']}"
    )
    return site


def _in_the_background() -> int:
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
    signal.signal(signal.SIGTERM, _end)
    os._exit(_stay(tells))


def _stay(tells: int) -> int:
    screen = Screen()
    try:
        with ExitStack() as ends:
            site = _begin(ends, screen, KEPT_FOR)
            guide(site, screen)
            _tell_what_stays(site, screen)
            sys.stdout.flush()
            _let_go_of_the_terminal()
            os.write(tells, b"0")
            os.close(tells)
            time.sleep(KEPT_FOR.total_seconds())
    except SandboxError as failure:
        sys.stdout.flush()
        sys.stderr.write(f"{failure}\n")
        return 1
    except SystemExit:
        return 0
    return 0


def _let_go_of_the_terminal() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit


def _tell_what_stays(site: GatewaySite, screen: Screen) -> None:
    screen.chapter("The site stays for you to play with")
    kill = "kill" if ROOT.stat().st_uid == 0 else "sudo kill"
    screen.say(
        f"It ends by itself at {site.ends_at:%H:%M} UTC; `{kill} {os.getpid()}` ends it now."
    )
    screen.commands(
        (f"export GATEWAY_URL={site.url} GATEWAY_TOKEN={site.token}", "where it is, and a token"),
        (f"{site.url}/ui", "the dashboard, in a browser; that token is the way in"),
        (f"{site.url}/docs", "all that can be asked"),
        (
            'curl -sS -H "Authorization: Bearer $GATEWAY_TOKEN" $GATEWAY_URL/api/v1/jobs',
            "the queue",
        ),
    )
