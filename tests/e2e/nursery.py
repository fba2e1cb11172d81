"""A process that has loaded a program, and is forked whenever one of its kind is to be started.

`python -m tests.e2e.nursery SOCKET PACKAGE` loads all of the package and then listens; each message
is a program to become: its module, arguments and environment, with where it is to write and where
its end is to be told. What is forked has a process of its own and ends as any other: by its code or
by a signal.
"""

import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

LONGEST = 1 << 20
"""Bytes of one message."""

MAINS = ("main", "__main__")
"""Python runs them anew in each process, and says so where they were loaded before."""

PYTHONS_OWN = "LC_CTYPE"
"""What Python adds to an environment that names no language."""


def load(package: str) -> None:
    for found in walk_packages(import_module(package).__path__, f"{package}."):
        if found.name.rpartition(".")[2] not in MAINS:
            import_module(found.name)


def listen(door: socket.socket) -> None:
    """Return in each process that is to become a program; the nursery's own ends here."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(door, LONGEST, 3)
        if not message:
            sys.exit()  # the tests have ended
        if os.fork() == 0:
            door.close()
            is_parent = _attend(descriptors[2])
            if not is_parent:
                return _become(json.loads(message), *descriptors)
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _attend(told: int) -> bool:
    """Fork once more; the parent tells the child's number, and how it ended.

    Where nobody is left to be told, as tests were killed, it ends the child.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if not child:
        return False
    os.write(told, b"%d\n" % child)
    if told in select.select([told, os.pidfd_open(child)], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with suppress(BrokenPipeError):
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    return True


def _become(asked: dict[str, Any], out: int, err: int, told: int) -> None:
    """Leave nothing of the nursery's but what it has loaded."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((nothing, out, err)):
        os.dup2(descriptor, number)
    os.closerange(3, max(nothing, out, err, told) + 1)
    locale = {name: text for name, text in os.environ.items() if name == PYTHONS_OWN}  # noqa: TID251 - the whole environment of the program is what it is given
    os.environ.clear()  # noqa: TID251 - the same
    os.environ.update(asked["environ"] | locale)  # noqa: TID251 - the same
    time.tzset()
    sys.argv = [asked["module"], *asked["arguments"]]


if __name__ == "__main__":
    load(sys.argv[2])
    gc.freeze()  # else each process would look through it anew, and so make it its own
    listen(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
