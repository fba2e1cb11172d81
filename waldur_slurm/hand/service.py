"""The way of a socket: a small service of root's that becomes the user, in one fork a request.

Only the caller may speak: the kernel says who has connected (SO_PEERCRED). At most `at_once` acts
run; whoever comes then waits in the socket's queue. Where systemd listens, its socket is served.
"""

import os
import signal
import socket
import stat
import struct
from collections.abc import Callable, Mapping

from waldur_slurm.hand import conversation, login
from waldur_slurm.hand.acts import answer
from waldur_slurm.hand.conf import Conf
from waldur_slurm.hand.conversation import Conversation
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.people import Person, find_person, uid_of
from waldur_slurm.hand.trusted import read_conf

BY_SYSTEMD = 3
"""The descriptor of the one socket that systemd hands over."""

WAITING = 256
CREDENTIALS = struct.Struct("3i")


def serve(place: str, environ: Mapping[str, str]) -> int:
    """Serve until a signal ends it; acts that have begun go on to their end."""
    if os.geteuid() != 0:
        raise Refused("only root can become somebody else: start `serve` as root")
    conf = read_conf(place, {0})
    listener = _listener(conf, environ)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    running: set[int] = set()
    while True:
        running -= _ended(running, wait=len(running) >= conf.at_once)
        if len(running) >= conf.at_once:
            continue
        connection = listener.accept()[0]
        running.add(_fork(lambda taken=connection: _converse(taken, place)))  # type: ignore[misc]  # bound at once
        connection.close()


def _fork(act: Callable[[], int]) -> int:
    """Run `act` in a process of its own, which never comes back."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        code = act()
    finally:
        os._exit(code)


def _ended(running: set[int], *, wait: bool) -> set[int]:
    """Return who has ended; where one has to end first, wait for it."""
    ended: set[int] = set()
    for pid in running:
        if os.waitpid(pid, os.WNOHANG)[0]:
            ended.add(pid)
    if wait and not ended and running:
        ended.add(os.waitpid(-1, 0)[0])
    return ended


def _converse(connection: socket.socket, place: str) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    asker = CREDENTIALS.unpack(credentials)[1]
    os.dup2(connection.fileno(), 0)
    os.dup2(connection.fileno(), 1)
    login.close_all_but(3)
    conversation.end_silence()
    talk = Conversation(0, 1)
    try:
        conf = _conf_for(asker, place)
    except Refused as why:
        return talk.turned_away(why)

    def admit(name: str) -> tuple[Person, Conf]:
        person = find_person(conf, name)
        login.become(person, conf)
        return person, conf

    return answer(talk, admit)


def _conf_for(asker: int, place: str) -> Conf:
    """Read hand.conf anew for each act, and look who asks before anything is heard of him."""
    conf = read_conf(place, {0})
    if asker != uid_of(conf.caller):
        raise Refused(f"uid {asker} is not {conf.caller}, who alone may ask")
    return conf


def _listener(conf: Conf, environ: Mapping[str, str]) -> socket.socket:
    if environ.get("LISTEN_PID") == str(os.getpid()) and environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=BY_SYSTEMD)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    _clear(conf.socket)
    os.umask(0o177)
    listener.bind(conf.socket)
    os.chown(conf.socket, uid_of(conf.caller) or 0, -1)
    listener.listen(WAITING)
    return listener


def _clear(path: str) -> None:
    """Remove the socket that an earlier service left."""
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)  # noqa: PTH108 - pathlib costs more than all that is imported here
    except FileNotFoundError:
        return
