"""A command is fed while it runs, is told of every signal, and its end is told as it was."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fixtures_executor import (
    ALICE,
    BOB,
    SLURMER,
    UIDS,
    ExecutorSite,
    has_ended,
    lives,
    request,
)

LARGE = "0123456789abcdef" * 200_000
WORDS = (
    "a b",
    "",
    "$(id)",
    "'",
    '"',
    "\\",
    "\n",
    "\u00fc",
    "\U0001f600",
    "--user",
    "-",
    "%s",
    "\x7f",
)


def test_what_is_larger_than_a_pipe_goes_in_and_out(executor: ExecutorSite) -> None:
    """It writes while it reads: who fed it first, or read it last, would wait for ever."""
    done = executor.ask(ALICE, "cat", stdin=LARGE)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == LARGE


def test_who_does_not_read_is_not_waited_for(executor: ExecutorSite) -> None:
    assert executor.ask(ALICE, "id", "-u", stdin=LARGE).stdout == "2001\n"


def test_who_has_ended_is_not_waited_for_though_another_holds_his_input(
    executor: ExecutorSite,
) -> None:
    script = "exec 3<&0; sleep 60 >/dev/null 2>&1 & echo $!; exit 3"

    done = executor.ask(ALICE, "sh", "-c", script, stdin=LARGE)

    left_behind = Path("/proc", done.stdout.strip())
    assert lives(left_behind)
    os.kill(int(left_behind.name), signal.SIGKILL)
    assert (done.returncode, done.stderr) == (6, "exit status 3\n")


def test_without_input_there_is_none(executor: ExecutorSite) -> None:
    """What is left of the request is not the command's."""
    done = executor.run("--stdin", stdin='{"user": "alice", "command": "cat", "args": null} ')

    assert (done.returncode, done.stdout) == (0, "")


def test_a_commands_input_is_the_callers_own(executor: ExecutorSite) -> None:
    done = executor.run("--user", ALICE, "--command", "/usr/bin/cat", stdin=LARGE)

    assert done.stdout == LARGE


def test_words_are_passed_as_they_are(executor: ExecutorSite) -> None:
    path = executor.add_command("probe", '#!/bin/sh\nprintf "%s|" "$@"\n')
    executor.allow(path)

    done = executor.ask(ALICE, "probe", *WORDS)

    assert done.stdout == "".join(f"{word}|" for word in WORDS)


def test_streams_are_kept_apart(executor: ExecutorSite) -> None:
    done = executor.ask(ALICE, "sh", "-c", "echo out; echo err >&2")

    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")


def test_a_directory_may_begin_where_the_caller_is(executor: ExecutorSite) -> None:
    """The original's service names its jobs' directories so."""
    asked = request(ALICE, "sh", "-c", "pwd", dir="usr/bin")

    absolute = executor.ask(ALICE, "sh", "-c", "pwd", directory="/home/alice")
    relative = executor.run("--stdin", stdin=asked, cwd=Path("/"))
    where_he_is = executor.run("--stdin", stdin=request(ALICE, "sh", "-c", "pwd"), cwd=Path("/usr"))

    assert absolute.stdout == "/home/alice\n"
    assert relative.stdout == "/usr/bin\n"
    assert where_he_is.stdout == "/usr\n"


def test_the_originals_service_makes_and_removes_a_jobs_directory_by_it(
    executor: ExecutorSite,
) -> None:
    """It says names without a path, and directories that begin where it is itself."""
    executor.allow("/usr/bin/mkdir", "/usr/bin/tee", "/usr/bin/rm")
    jobs = executor.directory / "jobs"
    jobs.mkdir(exist_ok=True)
    jobs.chmod(0o1777)

    def ask(command: str, *args: str, **more: str) -> None:
        done = executor.run("--stdin", stdin=request(ALICE, command, *args, **more), cwd=jobs)
        assert (done.returncode, done.stderr) == (0, "")

    ask("mkdir", "-p", "app/1", dir="")
    ask("tee", "batch.sh", dir="app/1", stdin=LARGE)
    found = (jobs / "app" / "1" / "batch.sh").stat()
    ask("rm", "-rf", "app", dir="")

    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (2001, 2001, 0o644)
    assert found.st_size == len(LARGE)
    assert list(jobs.iterdir()) == []


@pytest.mark.parametrize(
    ("directory", "why"),
    [
        ("/home/bob", "permission denied"),
        ("/home/nobody", "no such file or directory"),
        ("/etc/passwd", "not a directory"),
    ],
)
def test_nothing_is_run_elsewhere_than_where_it_should_be(
    executor: ExecutorSite, directory: str, why: str
) -> None:
    done = executor.ask(ALICE, "id", directory=directory)

    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr == f"chdir {directory}: {why}\n"


def test_what_cannot_be_started_is_said(executor: ExecutorSite) -> None:
    path = executor.add_command("probe", "no script")
    executor.allow(path)
    unfit = executor.ask(ALICE, path)
    (executor.prefix / "libexec" / "probe").chmod(0o644)
    closed = executor.ask(ALICE, path)
    executor.allow("/usr/bin/id")
    long = executor.ask(ALICE, "id", "x" * 200_000)

    assert (unfit.returncode, unfit.stderr) == (6, f"fork/exec {path}: exec format error\n")
    assert (closed.returncode, closed.stderr) == (6, f"fork/exec {path}: permission denied\n")
    assert (long.returncode, long.stderr) == (6, "fork/exec id: argument list too long\n")


def test_who_is_ended_by_a_signal_is_told_so(executor: ExecutorSite) -> None:
    by_request = executor.ask(ALICE, "sh", "-c", "kill -9 $$")
    by_words = executor.run("--user", ALICE, "--command", "kill -9 $$")

    assert (by_request.returncode, by_request.stderr) == (6, "signal: Killed\n")
    assert by_words.returncode == 128 + signal.SIGKILL


LISTENER = """#!/usr/bin/python3 -IS
import signal, sys
heard = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGRTMIN}
signal.pthread_sigmask(signal.SIG_BLOCK, heard)
print("ready", flush=True)
print("heard", signal.Signals(signal.sigwait(heard)).name)
sys.exit(9)
"""


@contextmanager
def listening(executor: ExecutorSite, way: str) -> Iterator[subprocess.Popen[str]]:
    """Run what waits for a signal, until it is ready to hear one."""
    path = executor.add_command("listen", LISTENER)
    executor.allow(path)
    words = ("--stdin",) if way == "stdin" else ("--user", ALICE, "--command", path)
    argv = executor.argv(*words)
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(request(ALICE, path))
        process.stdin.close()
        assert process.stdout.readline() == "ready\n"
        process.stdin = None
        try:
            yield process
        finally:
            process.kill()


def kill_as(user: str, number: int, pid: int) -> int:
    uid = str(UIDS[user])
    him = ("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--")
    return subprocess.run((*him, "kill", f"-{number}", str(pid)), capture_output=True).returncode


@pytest.mark.parametrize("user", [SLURMER, ALICE, "root"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1", "SIGRTMIN"])
def test_a_signal_of_the_callers_or_the_users_reaches_the_command(
    executor: ExecutorSite, user: str, name: str
) -> None:
    with listening(executor, "stdin") as process:
        assert kill_as(user, signal.Signals[name], process.pid) == 0
        asked = process.communicate(timeout=60)
        assert process.returncode == 6
    with listening(executor, "command") as process:
        assert kill_as(user, signal.Signals[name], process.pid) == 0
        typed = process.communicate(timeout=60)
        assert process.returncode == 9

    assert asked == (f"heard {name}\n", "exit status 9\n")
    assert typed == (f"heard {name}\n", "")


def test_a_strangers_signal_does_not(executor: ExecutorSite) -> None:
    with listening(executor, "command") as process:
        assert kill_as(BOB, signal.SIGTERM, process.pid) != 0
        assert process.poll() is None
        assert kill_as(SLURMER, signal.SIGTERM, process.pid) == 0
        assert process.wait(60) == 9


def test_a_signal_reaches_what_the_command_has_started_too(executor: ExecutorSite) -> None:
    """As one that is typed at a terminal would; the command has a session of its own."""
    script = "sleep 60 & echo $!; wait"
    argv = executor.argv("--user", ALICE, "--command", script)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        started = Path("/proc", process.stdout.readline().strip())
        assert kill_as(SLURMER, signal.SIGTERM, process.pid) == 0
        assert process.wait(60) == 128 + signal.SIGTERM
    assert has_ended(started)
