"""How the gateway acts as users, and where it writes down that it did."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from waldur_slurm.slurm.rest.grammar.address import Address, address
from waldur_slurm.slurm.transports.hands import EXECUTOR, PROGRAM, SOCKET
from waldur_slurm.variables.places import path
from waldur_slurm.variables.readers import one_of
from waldur_slurm.variables.variable import variable


class Executor(StrEnum):
    """The ways to reach the hand."""

    SUDO = "sudo"
    SOCKET = "socket"
    SETUID = "setuid"
    SELF = "self"


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
        " `socket`, `setuid`, or `self` for a gateway that is one user and acts as nobody else",
        unset_means="it only reads",
    )
    hand: Path = variable("GATEWAY_HAND", path, "the hand, for all but `socket`", str(PROGRAM))
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
        "the `hand.conf` of a gateway that is one user, for `self`; the other ways have root's",
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
    def own_conf(self) -> Path:
        """That of `self`, which `agreement` sees to."""
        if self.hand_conf is None:
            raise AssertionError("GATEWAY_EXECUTOR=self without GATEWAY_HAND_CONF")
        return self.hand_conf
