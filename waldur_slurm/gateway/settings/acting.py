"""How the gateway acts as users, and where it writes down that it did."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from waldur_slurm.gateway.settings.grants import host
from waldur_slurm.slurm.rest.grammar.address import Address, address
from waldur_slurm.slurm.transports.hands import EXECUTOR, PROGRAM, SOCKET
from waldur_slurm.variables.places import path
from waldur_slurm.variables.readers import one_of, whole
from waldur_slurm.variables.variable import variable


class Executor(StrEnum):
    """The ways to reach the hand."""

    SUDO = "sudo"
    SOCKET = "socket"
    SETUID = "setuid"
    SSH = "ssh"
    SELF = "self"


class Login(NamedTuple):
    """Who the gateway is on another host."""

    host: str
    port: int
    user: str
    key: Path
    known_hosts: Path


class Connector(StrEnum):
    """What jobs are handed in and listed by."""

    COMMANDS = "commands"
    SLURMRESTD = "slurmrestd"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActingSettings:
    """Typed and checked."""

    executor: Executor | None = variable(
        "GATEWAY_EXECUTOR",
        one_of(Executor),
        "how it acts as users, by `docs/gateway-operations.md`, *Which executor to take*: `sudo`,"
        " `socket`, `setuid`, `ssh` for one login user of another host, or `self` for a gateway"
        " that is one user and acts as nobody else",
        unset_means="it only reads",
    )
    hand: Path = variable(
        "GATEWAY_HAND",
        path,
        "the hand, for all but `socket`; for `ssh` its place on the other host",
        str(PROGRAM),
    )
    hand_socket: Path = variable(
        "GATEWAY_HAND_SOCKET", path, "the hand's socket, for `socket`", str(SOCKET)
    )
    setuid_program: Path = variable(
        "GATEWAY_SETUID_PROGRAM",
        path,
        "the executor that `executor/` builds, for `setuid`",
        str(EXECUTOR),
    )
    hand_conf: Path | None = variable(
        "GATEWAY_HAND_CONF",
        path,
        "the `hand.conf` of a gateway that is one user, for `self`, and its place on the other"
        " host for `ssh`; the other ways have root's",
    )
    ssh_host: str | None = variable(
        "SSH_HOSTNAME", host, "the host where things are done, for `ssh`"
    )
    ssh_port: int = variable("GATEWAY_SSH_PORT", whole(1, 65_535), "its port", "22")
    ssh_user: str | None = variable(
        "SSH_USERNAME", str, "the login user there, the only one who is acted as"
    )
    ssh_key: Path | None = variable(
        "SSH_PRIVATE_KEY_PATH", path, "his private key, without a passphrase"
    )
    ssh_known_hosts: Path | None = variable(
        "GATEWAY_SSH_KNOWN_HOSTS",
        path,
        "the file that has that host's key, as `known_hosts`; no host is believed unseen",
    )
    connector: Connector = variable(
        "GATEWAY_CONNECTOR",
        one_of(Connector),
        "what jobs are handed in and listed by: Slurm's `commands`, or `slurmrestd`, which takes"
        " some ten times as long to list them and knows fewer options",
        "commands",
    )
    slurmrestd: Address | None = variable(
        "GATEWAY_SLURMRESTD_URL",
        address,
        "where slurmrestd listens: `http://HOST:PORT`, or `unix:/path/of/socket`; users are known"
        " there by tokens that `scontrol token` gives, so Slurm needs `AuthAltTypes=auth/jwt`",
    )
    audit_log: Path | None = variable(
        "GATEWAY_AUDIT_LOG",
        path,
        "a file that gets a line for each act in somebody's name; while it cannot be written the"
        " gateway only reads",
        unset_means="the acts are in the log alone",
    )

    @property
    def login(self) -> "Login":
        """That of `ssh`, which `agreement` sees to."""
        told = (self.ssh_host, self.ssh_user, self.ssh_key, self.ssh_known_hosts)
        host, user, key, known_hosts = told
        if host is None or user is None or key is None or known_hosts is None:
            raise AssertionError("GATEWAY_EXECUTOR=ssh without its host, user and keys")
        return Login(host, self.ssh_port, user, key, known_hosts)

    @property
    def own_conf(self) -> Path:
        """That of `self` and `ssh`, which `agreement` sees to."""
        if self.hand_conf is None:
            raise AssertionError("GATEWAY_EXECUTOR=self, or ssh, without GATEWAY_HAND_CONF")
        return self.hand_conf
