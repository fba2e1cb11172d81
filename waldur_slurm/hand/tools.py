"""Slurm's tools, run as the user who this process is. Nothing else is ever started.

The script has come whole before sbatch begins. What a job shall have in its environment goes to
sbatch through a file that has no name: `--export-file` with `--export=ALL`, which gives the job
exactly that on 22.05, 24.11 and 26.05, and wins over what its script says. Without `ALL` some of
them ignore the file. What a tool itself has is a login's.
"""

import errno
import os
import select
import signal
import time
from collections.abc import Mapping
from typing import NamedTuple

from waldur_slurm.hand import files, paths, wire
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.errors import Failed, Refused
from waldur_slurm.hand.paths import Parts, Roots
from waldur_slurm.hand.requests import MOST_SCRIPT, Slurm, parts_of, variables_file

MOST_OUTPUT = 16 * 1024 * 1024
LATE = ("it did not end in time and was killed", errno.ETIMEDOUT)
PAUSE_S = 0.002
JOB_ENVIRON = 3
"""The descriptor at which sbatch finds the variables of the job."""


class Started(NamedTuple):
    pid: int
    out: int
    err: int


def run(
    act: Slurm, roots: Roots, directory: str, login: Mapping[str, str], talk: Conversation
) -> None:
    """Run the tool to its end, or to the end of its time, which kills it with all it started."""
    script = os.memfd_create("script")  # first, lest variables get the number JOB_ENVIRON
    variables = _variables(act, roots)
    for data in talk.body(MOST_SCRIPT):
        files.write_all(script, data)
    os.lseek(script, 0, os.SEEK_SET)
    argv = (*_without_file(act.argv), *_with_variables(act.argv, variables))
    environ = {**login, **act.environ}
    started = _start(f"{directory}/{argv[0]}", argv, environ, script, variables)
    deadline = time.monotonic() + act.timeout_s
    try:
        _relay(started, deadline, talk)
        code = _wait(started.pid, deadline)
    except BaseException:
        _kill(started.pid)
        raise
    talk.done({"code": code})


def _variables(act: Slurm, roots: Roots) -> int | None:
    """Open what sbatch shall read a job's variables from: those of the request, or a file."""
    named = [word.partition("=")[2] for word in act.argv if word.startswith("--export-file=")]
    if act.variables is None and not named:
        return None
    if act.argv[0] != "sbatch" or (act.variables is not None and named):
        raise Refused("variables are a job's, and come in one way")
    if {"--export=NONE", "--export=NIL"} & {*act.argv}:
        raise Refused("sbatch drops a job's variables beside --export=NONE or NIL")
    if named:
        return _opened_file(parts_of(named[0]), roots)
    descriptor = os.memfd_create("environ")
    files.write_all(descriptor, variables_file(act.variables or {}))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _opened_file(path: Parts, roots: Roots) -> int:
    try:
        with paths.parent(roots.place(path), path) as (within, name):
            return paths.open_file(name, within)
    except Failed as why:
        raise Refused(f"the variables cannot be read: {why}") from why


def _without_file(argv: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in argv if not word.startswith("--export-file="))


def _with_variables(argv: tuple[str, ...], variables: int | None) -> tuple[str, ...]:
    if variables is None:
        return ()
    said = () if "--export=ALL" in argv else ("--export=ALL",)
    return (*said, f"--export-file={JOB_ENVIRON}")


def _start(
    path: str,
    argv: tuple[str, ...],
    environ: Mapping[str, str],
    script: int,
    variables: int | None,
) -> Started:
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    handed = [(script, 0), (out_end, 1), (err_end, 2)]
    if variables is not None:
        handed.append((variables, JOB_ENVIRON))
    actions = [(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in handed]
    try:
        pid = os.posix_spawn(
            path,
            argv,
            environ,
            file_actions=actions,
            setpgroup=0,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ, signal.SIGALRM),
        )
    except OSError as error:
        raise Failed(f"{path} cannot be started: {error.strerror}", error.errno or 0) from error
    finally:
        for ours, _ in handed:
            os.close(ours)
    return Started(pid, out, err)


def _relay(started: Started, deadline: float, talk: Conversation) -> None:
    """Send on what the tool writes, until it writes no more."""
    poll = select.poll()
    tellers = {started.out: talk.data, started.err: talk.said}
    for descriptor in tellers:
        poll.register(descriptor, select.POLLIN)
    written = 0
    while tellers:
        for descriptor, _ in _ready(poll, deadline):
            data = os.read(descriptor, wire.CHUNK)
            written += len(data)
            if written > MOST_OUTPUT:
                raise Failed(f"it wrote more than {MOST_OUTPUT} bytes and was killed", errno.EFBIG)
            if data:
                tellers[descriptor](data)
            else:
                poll.unregister(descriptor)
                del tellers[descriptor]


def _ready(poll: select.poll, deadline: float) -> list[tuple[int, int]]:
    signal.alarm(0)  # the tool's time is the deadline's matter, not the asker's patience
    left = deadline - time.monotonic()
    ready = poll.poll(left * 1000) if left > 0 else []
    if not ready:
        raise Failed(*LATE)
    return ready


def _wait(pid: int, deadline: float) -> int:
    """Return the exit code, or 128 and the signal as a shell does; who writes no more soon ends."""
    signal.alarm(0)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        if time.monotonic() > deadline:
            raise Failed(*LATE)
        time.sleep(PAUSE_S)


def _kill(pid: int) -> None:
    """End the tool and all that it started; it is ours, and has not been waited for."""
    try:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return
