"""Looks at what the gateway needs: Slurm, the hand, addresses, the certificate. Changes nothing."""

import grp
import os
import pwd
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path

from waldur_slurm.errors import CannotListen, ExpectedError, SettingsError
from waldur_slurm.gateway.check.facts import ClusterFacts, HandFacts, ListenerFacts
from waldur_slurm.hand.conf import Conf
from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.people import find_person, is_name
from waldur_slurm.hand.trusted import read_conf
from waldur_slurm.processes.port import Transport
from waldur_slurm.service.check.findings import Obstacle
from waldur_slurm.service.check.known import known
from waldur_slurm.slurm.grammar.evidence import is_silence, refusal, silence
from waldur_slurm.slurm.live.port import Cluster
from waldur_slurm.slurm.past.port import History
from waldur_slurm.variables.places import Address

ROOTS = frozenset({0})
QUICKLY_S = 5.0


def look_at_cluster(
    name: str, cluster: Cluster, history: History, now: Callable[[], datetime]
) -> ClusterFacts:
    """Ask one after the other: each silence costs its time-out, so nothing is asked after one."""
    configuration = known(cluster.read_configuration)
    asked = now()
    if isinstance(configuration, ExpectedError):
        return ClusterFacts(name=name, configuration=configuration, asked=asked, told=configuration)
    asked = now()
    told = known(lambda: cluster.read_statistics().at)
    private = known(history.read_private)
    return ClusterFacts(
        name=name,
        configuration=configuration,
        private=private,
        people=private if isinstance(private, ExpectedError) else known(history.read_people),
        asked=asked,
        told=told,
    )


def look_at_hand(executor: str, user: str, commands: Transport) -> HandFacts:
    """Let the hand become the user and ask Slurm whether it is there, which anybody may."""
    return HandFacts(executor=executor, user=user, answer=known(lambda: _pinged(user, commands)))


def _pinged(user: str, commands: Transport) -> str:
    argv = ("scontrol", "ping")
    completed = commands.run(argv)
    if is_silence(completed):
        raise silence(argv, completed)
    if completed.code != 0:
        raise refusal(argv, completed)
    return f"the hand is {user}, and Slurm answers him"


def somebody_to_act_as(conf_path: Path) -> str:
    """Return one whom hand.conf lets be acted as; raises `SettingsError` where it names nobody."""
    try:
        conf = read_conf(str(conf_path), ROOTS)
    except Refused as error:
        raise SettingsError([str(error)]) from error
    found = next((name for name in _listed(conf) if _may_be(conf, name)), None)
    if found is None:
        raise SettingsError([f"{conf_path} lists nobody who is there and within its uids"])
    return found


def _listed(conf: Conf) -> Iterator[str]:
    everybody = pwd.getpwall()
    for word in conf.users:
        if word == "*":
            yield from (entry.pw_name for entry in everybody)
        elif word.startswith("@"):
            yield from _members(word[1:], everybody)
        else:
            yield word


def _members(group: str, everybody: list[pwd.struct_passwd]) -> Iterator[str]:
    try:
        entry = grp.getgrnam(group)
    except KeyError:
        return
    yield from entry.gr_mem
    yield from (one.pw_name for one in everybody if one.pw_gid == entry.gr_gid)


def _may_be(conf: Conf, name: str) -> bool:
    try:
        return is_name(name) and bool(find_person(conf, name))
    except Refused:
        return False


def look_at_apps(directory: Path, user: str) -> str | Obstacle:
    """Ask about the directory alone: what lies in it is in part its users'."""
    nearest = next(each for each in (directory, *directory.parents) if each.exists())
    if os.access(nearest, os.W_OK | os.X_OK):
        return "can be written" if nearest == directory else "is made when it is needed"
    cure = f"as root, install -d -m 0711 -o {user} {directory}"
    return Obstacle(f"{user} may not write to {nearest}", cure)


def look_at_listener(at: Address, *, has_tls: bool, is_open: bool) -> ListenerFacts:
    found = known(lambda: _who_is_there(at, has_tls=has_tls))
    return ListenerFacts(address=str(at), is_open=is_open, found=found)


def _who_is_there(at: Address, *, has_tls: bool) -> str:
    """Say that the gateway answers there already, or that it can be had; else `CannotListen`."""
    try:
        family, *_, address = socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        if _is_alive(at, has_tls=has_tls):
            return "the gateway answers there"
        raise CannotListen(f"cannot listen there: {error.strerror}") from error
    return "free; the gateway does not run"


def _is_alive(at: Address, *, has_tls: bool) -> bool:
    """Ask for `/healthz`; whose certificate it is says nothing here."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(at.host, at.host)  # noqa: S104 - asked, not served
    connection: HTTPConnection
    if has_tls:
        context = ssl._create_unverified_context()  # noqa: S323 - it is ourselves that are asked
        connection = HTTPSConnection(host, at.port, timeout=QUICKLY_S, context=context)
    else:
        connection = HTTPConnection(host, at.port, timeout=QUICKLY_S)
    try:
        with closing(connection):
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            return answer.status == 200 and answer.read(16).strip() == b"ok"
    except (OSError, HTTPException):
        return False


def look_at_certificate(certificate: Path, key: Path | None) -> str:
    """Say that it can be served, or raise `SettingsError`."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:
        raise SettingsError([f"{certificate}: {error.strerror or error}"]) from error
    return f"{certificate} can be served"
