"""Readers of what only the gateway is told: where it listens, and which clusters it shows. Pure.

The words of an error follow "expected".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeVar

from waldur_slurm.errors import InvalidName
from waldur_slurm.gateway.surfaces import NAMED, Surface
from waldur_slurm.model.names import ClusterName, cluster_name
from waldur_slurm.variables.places import Address, address

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listener:
    """An address, and what is served there; nothing named is everything."""

    at: Address
    surfaces: frozenset[Surface] = NAMED

    @property
    def is_loopback(self) -> bool:
        try:
            return ip_address(self.at.host).is_loopback
        except ValueError:
            return self.at.host == "localhost"

    def __str__(self) -> str:
        if self.surfaces == NAMED:
            return str(self.at)
        return f"{self.at}={'+'.join(sorted(self.surfaces))}"


@dataclass(frozen=True, slots=True)
class ClusterSource:
    """A cluster of the local slurm.conf's accounting, or of a slurm.conf of its own."""

    name: ClusterName
    slurm_conf: str = ""

    def __str__(self) -> str:
        return f"{self.name}={self.slurm_conf}" if self.slurm_conf else str(self.name)


def several(read_one: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Read some, separated by commas or blanks, in their order."""

    def read(text: str) -> tuple[T, ...]:
        return tuple(read_one(item) for item in re.split(r"[,\s]+", text) if item)

    return read


def listener(text: str) -> Listener:
    """Read `127.0.0.1:8040`, or `127.0.0.1:5000=restapi+watch`."""
    where, _, what = text.partition("=")
    try:
        surfaces = frozenset(map(_surface, what.split("+"))) if what else None
        at = address(where)
    except ValueError:
        raise ValueError(
            "addresses such as 127.0.0.1:8040, or 127.0.0.1:5000=restapi for a part:"
            f" {', '.join(each for each in Surface if each in NAMED)}, several of them joined by +"
        ) from None
    return Listener(at) if surfaces is None else Listener(at, surfaces)


def _surface(word: str) -> Surface:
    surface = Surface(word)
    if surface not in NAMED:
        raise ValueError(word)
    return surface


def cluster_source(text: str) -> ClusterSource:
    """Read `alpha`, or `alpha=/etc/slurm-alpha/slurm.conf`."""
    name, _, conf = text.partition("=")
    try:
        known = cluster_name(name)
    except InvalidName:
        known = None
    if known is None or (conf and not conf.startswith("/")):
        raise ValueError(
            "clusters such as alpha, or alpha=/etc/slurm-alpha/slurm.conf, separated by commas"
        )
    return ClusterSource(known, conf)
