"""How the gateway acts as users, and where it writes down that it did."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from waldur_slurm.slurm.transports.hands import PROGRAM, SOCKET
from waldur_slurm.variables.places import path
from waldur_slurm.variables.readers import one_of
from waldur_slurm.variables.variable import variable


class Executor(StrEnum):
    """The ways to reach the hand."""

    SUDO = "sudo"
    SOCKET = "socket"
    SELF = "self"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActingSettings:
    """Typed and checked."""

    executor: Executor | None = variable(
        "GATEWAY_EXECUTOR",
        one_of(Executor),
        "how it acts as users, by `docs/hand.md`: `sudo`, `socket`, or `self` for a gateway that"
        " is one user and acts as nobody else",
        unset_means="it only reads",
    )
    hand: Path = variable("GATEWAY_HAND", path, "the hand, for `sudo` and `self`", str(PROGRAM))
    hand_socket: Path = variable(
        "GATEWAY_HAND_SOCKET", path, "the hand's socket, for `socket`", str(SOCKET)
    )
    hand_conf: Path | None = variable(
        "GATEWAY_HAND_CONF",
        path,
        "the `hand.conf` of a gateway that is one user, for `self`; the other ways have root's",
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
