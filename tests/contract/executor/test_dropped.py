"""What runs is the user in every respect that the kernel knows, and nothing of who asked."""

import fcntl
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures_executor import ALICE, SLURMER, UIDS, ExecutorSite, has_ended, request, run

STATUS = "tr '\\t' ' ' </proc/self/status"
PROBE = f"""#!/bin/sh
{STATUS} | grep -E '^(Uid|Gid|Groups|NoNewPrivs|Sig(Blk|Ign)|Cap(Inh|Prm|Eff|Amb)):'
echo umask $(umask)
ulimit -a | sed 's/^/limit /'
ls /proc/self/fd | tr '\\n' ' ' | sed 's/^/descriptors /'
"""
REGAIN = """#!/usr/bin/python3 -IS
import os
SETUID = ["executor", "--uid", "2002", "--command", "id"]
for name, call in {
    "setuid": lambda: os.setuid(0),
    "seteuid": lambda: os.seteuid(0),
    "setresuid": lambda: os.setresuid(0, 0, 0),
    "to the caller": lambda: os.setuid(2000),
    "setgid": lambda: os.setgid(0),
    "setgroups": lambda: os.setgroups([0]),
    "a setuid file": lambda: os.execv("/usr/local/bin/executor", SETUID),
}.items():
    try:
        print(name, "fails", call(), sep=" not ")
    except PermissionError:
        print(name, "fails", flush=True)
"""
KEYRING = """import ctypes, platform
number = {"x86_64": 250, "aarch64": 219}[platform.machine()]
def keyctl(*words):
    return ctypes.CDLL(None).syscall(number, *words)
"""
IN_A_SESSION = f"""{KEYRING}
import os, sys
print(keyctl(1, None), flush=True)
os.execv(sys.argv[1], sys.argv[1:])
"""
NO_KEYS = -1
"""What a kernel answers that has none."""

SYS_RESOURCE = 1 << 24
"""The right to raise limits, which root has not everywhere."""

BOTH_WAYS = pytest.mark.parametrize("way", ["stdin", "command"])


def probe(executor: ExecutorSite, way: str, script: str = PROBE, **more: object) -> str:
    """Run a script as alice by one of the two ways, and return what it found."""
    path = executor.add_command("probe", script)
    executor.allow(path)
    words = ("--stdin",) if way == "stdin" else ("--user", ALICE, "--command", path)
    done = executor.run(*words, stdin=request(ALICE, path), **more)  # type: ignore[arg-type]  # handed on
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def limit(text: str, name: str) -> list[str]:
    """Return one row of /proc/PID/limits: what it is, and what it may become."""
    return next(
        line[len(name) :].split()[:2] for line in text.splitlines() if line.startswith(name)
    )


def words(text: str, first: str) -> list[str]:
    """Return what follows in each line that begins so."""
    return [line.partition(" ")[2] for line in text.splitlines() if line.startswith(first)]


@BOTH_WAYS
def test_ids_and_groups_are_the_users_alone(executor: ExecutorSite, way: str) -> None:
    """The caller is in two groups, of which the user is in one."""
    found = probe(executor, way)

    assert words(found, "Uid:")[0].split() == ["2001"] * 4
    assert words(found, "Gid:")[0].split() == ["2001"] * 4
    assert words(found, "Groups:")[0].split() == ["2001", "3001", "3002"]


@BOTH_WAYS
def test_no_right_is_left_and_none_can_be_gained(executor: ExecutorSite, way: str) -> None:
    found = probe(executor, way)

    assert {int(each, 16) for each in words(found, "Cap")} == {0}
    assert words(found, "NoNewPrivs:") == ["1"]


@BOTH_WAYS
def test_root_cannot_be_had_back_nor_the_caller(executor: ExecutorSite, way: str) -> None:
    """Each way back is tried; last a setuid file, which starts without root's rights."""
    path = executor.add_command("regain", REGAIN)
    executor.allow(path)
    asked = ("--stdin",) if way == "stdin" else ("--user", ALICE, "--command", path)

    done = executor.run(*asked, stdin=request(ALICE, path))

    tried = ("setuid", "seteuid", "setresuid", "to the caller", "setgid", "setgroups")
    assert done.stdout.splitlines() == [f"{each} fails" for each in tried]
    assert "bad calling user" in done.stderr


@BOTH_WAYS
def test_the_environment_is_the_users_and_nothing_of_the_callers(
    executor: ExecutorSite, way: str
) -> None:
    of_the_caller = {"SECRET": "s", "LD_LIBRARY_PATH": "/x", "IFS": "x", "EXECUTOR_UID": "0"}

    found = probe(executor, way, "#!/bin/sh\ncat /proc/$$/environ\n", environ=of_the_caller)

    assert dict(row.split("=", 1) for row in found.split("\0") if row) == {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/home/alice",
        "USER": ALICE,
        "LOGNAME": ALICE,
        "SHELL": "/bin/sh",
        "LANG": "C.UTF-8",
        "EXECUTOR_UID": str(UIDS[SLURMER]),
    }


@BOTH_WAYS
def test_three_descriptors_are_left(executor: ExecutorSite, way: str) -> None:
    kept = os.open("/etc/shadow", os.O_RDONLY)
    try:
        found = probe(executor, way, pass_fds=(kept,))
    finally:
        os.close(kept)

    assert words(found, "descriptors") == ["0 1 2 3 "]  # 3 is what ls looks through


def test_no_number_of_a_descriptor_is_beyond_reach(executor: ExecutorSite) -> None:
    """It may lie above the limit that the caller has now."""
    path = executor.add_command("probe", PROBE)
    executor.allow(path)
    with Path("/etc/shadow").open("rb") as secret:
        kept = fcntl.fcntl(secret, fcntl.F_DUPFD, 900)
        narrow = ("prlimit", "--nofile=50:60", "--")
        done = run(*narrow, *executor.argv("--user", ALICE, "--command", path), pass_fds=(kept,))
        os.close(kept)

    assert words(done.stdout, "descriptors") == ["0 1 2 3 "]


@BOTH_WAYS
def test_keys_of_the_caller_stay_with_him(executor: ExecutorSite, way: str) -> None:
    """Who shares a session's keyring reads what it holds, such as tickets of Kerberos."""
    path = executor.add_command(
        "keys", f"#!/usr/bin/python3 -IS\n{KEYRING}print(keyctl(0, -3, 0))\n"
    )
    executor.allow(path)
    asked = ("--stdin",) if way == "stdin" else ("--user", ALICE, "--command", path)

    in_a_session = ("/usr/bin/python3", "-ISc", IN_A_SESSION, *executor.argv(*asked))
    done = run(*in_a_session, stdin=request(ALICE, path))

    of_the_caller, of_the_command = map(int, done.stdout.split())
    assert of_the_command != of_the_caller or of_the_caller == NO_KEYS


def test_who_closed_them_has_them_opened(executor: ExecutorSite) -> None:
    """A file that is opened for something else must not become what the command reads."""
    path = executor.add_command("probe", "#!/bin/sh\nls -l /proc/self/fd >/home/alice/found\n")
    executor.allow(path)
    closing = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")

    argv = executor.argv("--user", ALICE, "--command", path)
    done = subprocess.run((*closing, *argv), env={"PATH": os.defpath}, timeout=60)

    found = (executor.home / ALICE / "found").read_text()
    assert done.returncode == 0
    assert re.findall(r" ([02]) -> /dev/(?:null|full)\n", found) == ["0", "2"]


OF_THE_LIBRARY = 1 << 31 | 1 << 32
"""Signals 32 and 33, which the C library keeps to itself: no program can reset them by it."""


@BOTH_WAYS
def test_umask_and_signals_are_those_of_a_login(executor: ExecutorSite, way: str) -> None:
    before = (
        signal.signal(signal.SIGTERM, signal.SIG_IGN),
        signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP, signal.SIGUSR1})
    mask = os.umask(0)
    try:
        found = probe(executor, way)
    finally:
        os.umask(mask)
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])

    assert words(found, "umask") == ["0022"]
    assert {int(each, 16) & ~OF_THE_LIBRARY for each in words(found, "Sig")} == {0}


@BOTH_WAYS
def test_limits_begin_with_those_of_the_first_process(executor: ExecutorSite, way: str) -> None:
    """What the caller's unit allows him is not handed on to the user's jobs, as far as root may."""
    path = executor.add_command("probe", "#!/bin/sh\ncat /proc/self/limits\n")
    executor.allow(path)
    asked = ("--stdin",) if way == "stdin" else ("--user", ALICE, "--command", path)
    narrow = ("prlimit", "--fsize=1000000", "--nofile=2000:3000", "--")

    found = run(*narrow, *executor.argv(*asked), stdin=request(ALICE, path)).stdout

    may_raise = (
        int(words(Path("/proc/self/status").read_text().replace("\t", " "), "CapBnd:")[0], 16)
        & SYS_RESOURCE
    )
    first = Path("/proc/1/limits").read_text()
    assert limit(found, "Max file size") == (
        limit(first, "Max file size") if may_raise else ["1000000"] * 2
    )
    assert limit(found, "Max open files") == [
        "1024",
        limit(first, "Max open files")[1] if may_raise else "3000",
    ]


def test_who_asks_for_nobody_stays_what_he_is_and_gains_no_group(executor: ExecutorSite) -> None:
    """He may have come without a group that he is in by name."""
    path = executor.add_command("probe", PROBE)
    executor.allow(path)
    inside, *_ = executor.argv()
    bare = ("setpriv", "--reuid", "bob", "--regid", "bob", "--clear-groups", "--")

    found = run(inside, *bare, "/usr/local/bin/executor", "--command", path).stdout

    assert words(found, "Uid:")[0].split() == ["2002"] * 4
    assert words(found, "Groups:")[0].split() == []
    assert words(found, "NoNewPrivs:") == ["1"]


@contextmanager
def running(executor: ExecutorSite, pass_fds: tuple[int, ...] = ()) -> Iterator[tuple[Path, Path]]:
    """Give /proc of an executor and of what it runs."""
    path = executor.add_command("wait", "#!/bin/sh\necho $PPID $$\nexec sleep 60\n")
    executor.allow(path)
    argv = executor.argv("--user", ALICE, "--command", path)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, pass_fds=pass_fds) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            parent, child = (Path("/proc", pid) for pid in line.split())
            yield parent, child
        finally:
            process.kill()
    assert has_ended(child)


def test_who_waits_for_the_command_has_no_root_either_and_cannot_be_looked_into(
    executor: ExecutorSite,
) -> None:
    """Its real uid is the caller's, so that he may signal it; all else is the user's."""
    with running(executor) as (parent, child):
        status = (parent / "status").read_text().replace("\t", " ")
        assert words(status, "Uid:")[0].split() == ["2000", "2001", "2001", "2001"]
        assert words(status, "Gid:")[0].split() == ["2001"] * 4
        for each in ("CapInh:", "CapPrm:", "CapEff:", "CapAmb:"):
            assert int(words(status, each)[0], 16) == 0
        assert (parent / "environ").stat().st_uid == 0
        assert (child / "environ").stat().st_uid == UIDS[ALICE]
        for curious in ("2000", "2001"):
            him = ("setpriv", "--reuid", curious, "--regid", curious, "--clear-groups", "--")
            assert "Permission denied" in run(*him, "cat", parent / "environ").stderr


def test_who_waits_keeps_nothing_open_of_the_callers(executor: ExecutorSite) -> None:
    """A pipe that he has closed is closed, though the command runs on."""
    reading, writing = os.pipe()
    with running(executor, pass_fds=(writing,)) as (parent, _):
        os.close(writing)
        assert os.read(reading, 1) == b""
        assert {"0", "1", "2"} <= {each.name for each in (parent / "fd").iterdir()}
    os.close(reading)
