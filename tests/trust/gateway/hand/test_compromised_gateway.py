"""Whoever takes over the gateway's process has its user's rights and its store, and no more.

He submits as a user whom root listed: that is the gateway's power. He becomes neither root nor
anybody else, and reaches no file beside the roots.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from pwd import getpwnam
from typing import Any

import pytest

from sandbox.slurm.daemons import find_program
from tests.fixtures_hand import ANN, BOB, CALLER, STRANGER, HandSite
from tests.trust.gateway.hand import intruder
from tests.trust.size import count

WAYS = ("sudo", "setuid", "socket")
SLURM: dict[str, Any] = {"verb": "slurm", "environ": {}, "variables": None, "timeout_s": 9}
SBATCH = {**SLURM, "argv": ["sbatch"]}
NO_USERS = (
    "root",
    "0",
    "#0",
    BOB,
    STRANGER,
    CALLER,
    "daemon",
    "",
    f"{ANN}\0",
    ANN.upper(),
    "@users",
)
"""Bob is SlurmUser here, and Eve is not listed, though sudo would start a hand as either."""

TOOLS: tuple[tuple[list[str], dict[str, str]], ...] = (
    (["/bin/sh", "-c", "id"], {}),
    (["srun", "id"], {}),
    (["sbatch", "--uid=0"], {}),
    (["sbatch", "--wrap=id"], {}),
    (["sbatch", "/etc/shadow"], {}),
    (["scancel", f"--user={STRANGER}"], {}),
    (["scontrol", "update", "NodeName=n1", "State=DOWN"], {}),
    (["scontrol", "token", "username=root"], {}),
    (["../../../bin/sh"], {}),
    (["sbatch"], {"LD_PRELOAD": "/tmp/x.so"}),  # noqa: S108 - only named
    (["sbatch"], {"SLURM_CONF": "/tmp/slurm.conf"}),  # noqa: S108 - only named
)


@pytest.fixture
def taken(hand_site: HandSite) -> Iterator[HandSite]:
    """A site whose tools leave a trace, and where Ann keeps links that lead astray."""
    tools = hand_site.directory / "traced"
    tools.mkdir()
    for name in ("sbatch", "scancel", "scontrol"):
        (tools / name).write_text('#!/bin/sh\nid -un >>"$HOME"/ran 2>/dev/null; cat >/dev/null\n')
        (tools / name).chmod(0o755)
    hand_site.write_conf(slurm_bin=str(tools), slurm_user=BOB)
    mine = hand_site.directory / "mine"
    mine.mkdir()
    os.chown(mine, getpwnam(CALLER).pw_uid, -1)
    (hand_site.home(ANN) / "out").symlink_to(hand_site.directory)
    (hand_site.home(ANN) / "conf").symlink_to(hand_site.conf)
    yield hand_site
    for directory in (tools, mine):
        shutil.rmtree(directory)


def command_of(site: HandSite, way: str, user: str) -> list[str]:
    """How he starts a hand himself; nothing where he connects to one."""
    if way == "sudo":
        return ["sudo", "-n", "-u", user, "--", str(site.program)]
    if way == "setuid":
        return [str(site.executor), "--user", user, "--command", str(site.program)]
    return []


def file_requests(path: str) -> Iterator[dict[str, Any]]:
    """Every verb for files, at one path; the first two reach the two ways to open one."""
    yield {"verb": "take", "path": path, "offset": 0, "length": None}
    yield {"verb": "put", "path": path, "mode": 0o666, "most": 99, "replace": True}
    yield {"verb": "make", "path": path, "mode": 0o777, "parents": True}
    yield {"verb": "list", "path": path, "depth": 9, "most": 99}
    yield {"verb": "stat", "path": path}
    yield {"verb": "zip-out", "path": path, "most": 2**20, "compress": False}
    yield {"verb": "zip-in", "path": path, "most": 2**20, "most_entries": 9}
    yield {"verb": "remove", "path": path, "keep": []}


def places_outside(site: HandSite) -> tuple[str, ...]:
    home = site.home(ANN)
    return (
        "/etc/cron.d/owned", "/etc/passwd", "/root", "/", str(site.conf), str(site.home(BOB)),
        f"{home}/../{BOB}/owned", f"{home}/out/owned", f"{home}/out/hand.conf", f"{home}//owned",
        f"{home}/./../../hand.conf", f"{site.directory}/home/{ANN}x/owned",
    )  # fmt: skip


def asked(site: HandSite, way: str) -> Iterator[tuple[str, list[str], dict[str, Any], str]]:
    started_as_ann = command_of(site, way, ANN)
    for user in NO_USERS:
        for request in (SBATCH, {"verb": "stat", "path": str(site.home(ANN))}, {"verb": "who"}):
            what = f"{request['verb']} as {user!r}"
            yield what, command_of(site, way, user), {**request, "user": user}, "id"
            yield f"{what}, as Ann", started_as_ann, {**request, "user": user}, "id"
    for argv, environ in TOOLS:
        request = {**SLURM, "user": ANN, "argv": argv, "environ": environ}
        yield f"{' '.join(argv)} {environ}", started_as_ann, request, "id"
    for path in places_outside(site):
        for request in file_requests(path) if way == "socket" else [*file_requests(path)][:2]:
            yield f"{request['verb']} {path}", started_as_ann, {**request, "user": ANN}, "x"
    for verb in ("take", "list", "zip-in"):
        request = next(
            each for each in file_requests(f"{site.home(ANN)}/conf") if each["verb"] == verb
        )
        yield f"{verb} through a link", started_as_ann, {**request, "user": ANN}, "x"


def commands(site: HandSite) -> list[list[str]]:
    """What he might have root start."""
    hand, executor, own_conf = str(site.program), str(site.executor), f"{site.directory}/mine/conf"
    return [
        ["sudo", "-n", "id"],
        ["sudo", "-n", "-u", "root", "--", hand],
        ["sudo", "-n", "-u", ANN, "--", "/bin/sh", "-c", "id"],
        ["sudo", "-n", "-u", ANN, "--", hand, "serve"],
        ["sudo", "-n", "-u", ANN, "--", hand, "self", own_conf],
        ["sudo", "-n", "-E", "-u", ANN, "LD_PRELOAD=/x.so", "--", hand],
        ["sudo", "-n", "-e", str(site.conf)],
        [executor, "--user", "root", "--command", hand],
        [executor, "--user", ANN, "--command", "/bin/sh"],
        [executor, "--user", ANN, "--command", f"{hand} self {own_conf}"],
        [hand, "serve"],
        [hand, "self", str(site.conf)],
    ]


def intrude(site: HandSite, told: dict[str, Any]) -> dict[str, str]:
    """Run the intruder as the gateway's user, where sudo reads the site's rules."""
    own_rules = f'mount --bind {site.sudoers} /etc/sudoers && exec "$@"'
    as_caller = ("setpriv", f"--reuid={CALLER}", "--regid=nogroup", "--clear-groups", "--")
    source = Path(intruder.__file__).read_text(encoding="utf-8")
    python = ("/usr/bin/python3", "-I", "-c", source)
    done = subprocess.run(
        (find_program("unshare"), "-m", "sh", "-c", own_rules, "sh", *as_caller, *python),
        input=json.dumps(told),
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def told(site: HandSite, way: str) -> dict[str, Any]:
    files = (site.conf, site.program, site.sudoers, site.executor, site.directory / "new")
    return {
        "roots_own": [*map(str, files), "/etc/sudoers"],
        "mine": str(site.directory / "mine"),
        "commands": commands(site),
        "service": service_of(site),
        "socket": str(site.socket),
        "asked": [*asked(site, way)],
    }


def service_of(site: HandSite) -> int:
    """Find root's process that serves the socket."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if line.read_bytes().endswith(os.fsencode(site.program) + b"\0serve\0"):
                return int(line.parent.name)
    raise AssertionError("nothing serves the socket")


def state_of(site: HandSite) -> dict[str, tuple[int, int, int, bytes]]:
    """Tell all that there is, but for what Ann has."""
    return {
        str(path): (found.st_uid, found.st_mode, found.st_mtime_ns, content)
        for path in sorted(site.directory.rglob("*"))
        if site.home(ANN) not in (path, *path.parents)
        for found in [path.lstat()]
        for content in [path.read_bytes() if path.is_file() and not path.is_symlink() else b""]
    }


@pytest.mark.parametrize("way", WAYS)
def test_who_takes_the_gateway_over_gets_no_further_than_root_lets_it(
    taken: HandSite, way: str
) -> None:
    ways, before = told(taken, way), state_of(taken)

    found = intrude(taken, ways)

    count("try of a compromised gateway", len(found))
    assert [what for what, ending in found.items() if ending.startswith("done")] == []
    assert len(found) > 100
    assert state_of(taken) == before
    assert sorted(path.name for path in taken.home(ANN).iterdir()) == ["conf", "out"]


@pytest.mark.parametrize("way", WAYS)
def test_what_it_may_do_is_act_as_a_listed_user_within_his_roots(taken: HandSite, way: str) -> None:
    """The same code, the same words: so what was refused was refused for what it asked."""
    home, start = taken.home(ANN), command_of(taken, way, ANN)
    (home / "conf").unlink()
    requests = {
        "put": {"verb": "put", "path": f"{home}/f", "mode": 0o644, "most": 9, "replace": False},
        "take": {"verb": "take", "path": f"{home}/f", "offset": 0, "length": None},
        "list": {"verb": "list", "path": str(home), "depth": 1, "most": 9},
        "slurm": SBATCH,
    }
    ways = {**told(taken, way), "roots_own": [], "commands": []}
    ways["asked"] = [(what, start, {**each, "user": ANN}, "x") for what, each in requests.items()]

    found = intrude(taken, ways)

    assert {what: found[what] for what in requests} == dict.fromkeys(requests, "done")
    assert (home / "f").read_text() == "x"
