"""Hold a cluster's daemons, so that none of them outlives whoever wanted them.

Two processes watch each other. The guard ends everything when its owner dies (the pipe on stdin
closes), when the cluster's time is over, or when the supervisor is gone. The supervisor starts
daemons, and the kernel tells it when the guard dies. Both adopt orphans (slurmd forks its job
steps away from itself), so that everything a daemon ever started is found among their descendants.
Should both be killed in the same instant, the kernel still kills the daemons, their children.

Neither knows anything about Slurm. Single-threaded on purpose: the kernel's "parent died" is about
the thread that forked.
"""

import argparse
import ctypes
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - libfaketime chose it
SWEEP_DEADLINE = 10.0
REQUEST_DEADLINE = 5.0


def main(argv: list[str]) -> int:
    arguments = parse(argv)
    for number in (arguments.listener, *arguments.hold):
        os.set_inheritable(number, False)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no dumps beside whatever started us
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    supervisor = os.fork()
    if supervisor == 0:
        run_supervisor(guard, socket.socket(fileno=arguments.listener))
    watch(supervisor, arguments.lifetime, owned=arguments.owned)
    sweep()
    forget_dead_clocks()
    for tree in arguments.remove:
        remove_directories(tree)
    return 0


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="keeper", description=__doc__)
    parser.add_argument("--listener", type=int, required=True, help="descriptor to answer on")
    parser.add_argument("--hold", type=int, nargs="*", default=[], help="descriptors to keep open")
    parser.add_argument(
        "--remove", type=Path, nargs="*", default=[], help="directories, at the end"
    )
    parser.add_argument("--lifetime", type=float, required=True, help="seconds")
    parser.add_argument("--owned", action="store_true", help="end when stdin closes")
    return parser.parse_args(argv)


def watch(supervisor: int, lifetime: float, *, owned: bool) -> None:
    """Return when the supervisor has ended, the owner has died or the time is over."""
    with selectors.DefaultSelector() as events:
        events.register(os.pidfd_open(supervisor), selectors.EVENT_READ)
        if owned:
            events.register(0, selectors.EVENT_READ)
        events.select(lifetime)


def run_supervisor(guard: int, listener: socket.socket) -> NoReturn:
    os.setsid()  # a signal to the guard's process group must not hit both
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    try:
        if os.getppid() == guard:
            Supervisor(listener).serve()
    finally:
        sweep()
        os._exit(0)


class Supervisor:
    """Starts daemons, signals them, and knows what became of them."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._pids: dict[str, int] = {}
        self._ends: dict[int, str] = {}
        self._ending = False

    def serve(self) -> None:
        """Answer requests until asked to quit; a request is one line of JSON, so is an answer."""
        woken, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self.quit())
        with selectors.DefaultSelector() as events:
            events.register(self._listener, selectors.EVENT_READ)
            events.register(woken, selectors.EVENT_READ)
            while not self._ending:
                for key, _ in events.select():
                    if key.fileobj is self._listener:
                        self._answer()
                    else:
                        os.read(woken, 4096)
                self._reap()

    def _answer(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rw") as stream:
            connection.settimeout(REQUEST_DEADLINE)
            try:
                request = json.loads(stream.readline())
                self._reap()
                answer = VERBS[request.pop("verb")](self, **request)
                stream.write(json.dumps({"answer": answer}) + "\n")
            except (OSError, ValueError, LookupError, TypeError) as error:
                stream.write(json.dumps({"error": str(error)}) + "\n")

    def spawn(self, name: str, argv: list[str], environ: dict[str, str], output: str) -> int:
        """Start a daemon that stays in the foreground, unless it runs already."""
        if self._runs(name):
            return self._pids[name]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        files = [
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        bound = ["setpriv", "--pdeathsig", "KILL", "--", *argv]
        pid = os.posix_spawnp(bound[0], bound, environ, file_actions=files, setsid=True)
        self._pids[name] = pid
        return pid

    def signal(self, name: str, number: int) -> None:
        if not self._runs(name):
            raise LookupError(f"{name} does not run")
        os.kill(self._pids[name], number)

    def terminate(self, name: str) -> None:
        """Ask the daemon to end, also if it is frozen or has ended already."""
        if self._runs(name):
            os.kill(self._pids[name], signal.SIGTERM)
            os.kill(self._pids[name], signal.SIGCONT)

    def report(self) -> dict[str, dict[str, Any]]:
        return {name: {"pid": pid, "state": self._state(pid)} for name, pid in self._pids.items()}

    def quit(self) -> None:
        self._ending = True

    def _runs(self, name: str) -> bool:
        return name in self._pids and self._pids[name] not in self._ends

    def _state(self, pid: int) -> str:
        if pid in self._ends:
            return self._ends[pid]
        return "frozen" if _stat(pid)[0] in ("T", "t") else "up"

    def _reap(self) -> None:
        for pid, status in reap():
            code = os.waitstatus_to_exitcode(status)
            self._ends[pid] = f"exited {code}" if code >= 0 else signal.Signals(-code).name


VERBS: dict[str, Callable[..., Any]] = {
    "spawn": Supervisor.spawn,
    "signal": Supervisor.signal,
    "terminate": Supervisor.terminate,
    "report": Supervisor.report,
    "quit": Supervisor.quit,
}


def reap() -> Iterator[tuple[int, int]]:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        yield pid, status


def forget_dead_clocks() -> None:
    """Remove what libfaketime leaves in shared memory under the numbers of dead processes."""
    for file in SHARED_MEMORY.glob("*faketime_s*_*"):
        if not Path("/proc", file.name.rpartition("_")[2]).exists():
            file.unlink(missing_ok=True)


def remove_directories(tree: Path) -> None:
    """Remove a tree of nothing but directories; the files of a control group are its kernel's."""
    for directory, _, _ in os.walk(tree, topdown=False):
        with suppress(OSError):
            Path(directory).rmdir()


def sweep() -> None:
    """Kill every descendant, also those that were forked while the sweep ran."""
    deadline = time.monotonic() + SWEEP_DEADLINE
    while (left := descendants(os.getpid())) and time.monotonic() < deadline:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.005)
        list(reap())


def descendants(ancestor: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int(_stat(int(entry.name))[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    todo = [ancestor]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the command's name: state, parent, ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option})")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
