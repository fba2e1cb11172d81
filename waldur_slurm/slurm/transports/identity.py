"""Who a user is where the hand is, asked of the hand, which root's hand.conf has let be him."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from waldur_slurm.errors import TransportError
from waldur_slurm.hand.requests import to_wire
from waldur_slurm.slurm.transports.hands import Answer, Hand, believed, whole


class Identity(NamedTuple):
    """What that host knows him by; `groups` are names."""

    uid: int
    gid: int
    groups: tuple[str, ...]
    home: str


def read_identity(hand: Hand, user: str, silence: timedelta) -> Identity:
    """Ask; raises `NotPermitted` of whom hand.conf does not list, `TransportError` of silence."""
    facts: Mapping[str, Any] = {}
    for each in believed(hand, to_wire("who", user), (), silence, user):
        if isinstance(each, Answer):
            facts = each.facts
    groups, home = facts.get("groups"), facts.get("home")
    if not isinstance(groups, list) or not isinstance(home, str):
        raise TransportError(f"the hand cannot be understood: it does not say who {user} is")
    return Identity(whole(facts, "uid"), whole(facts, "gid"), tuple(map(str, groups)), home)
