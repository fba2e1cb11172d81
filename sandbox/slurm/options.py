"""What a caller may choose about a cluster. Values only; they are checked when they are made."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, Self, get_args

Tcp = Literal["fast", "stock"]

MOST_NODES = 50


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """The shape of a cluster.

    `tcp`: "stock" is what a production site has; "fast" adds TCP_NODELAY, which makes each
    accounting command about thirty times quicker.
    `clock_offset` shifts the clock of every daemon and client, not the machine's.
    `other_clusters` are registered in the same slurmdbd but have no daemons.
    `accounting_of` is the directory of a cluster that runs, whose munge and slurmdbd serve this one
    too; it has none of its own.
    `slurm_conf` and `slurmdbd_conf` replace or add single settings of these files.
    `tres` is what is tracked beside Slurm's own TRES: "gres/gpu", "gres/gpu:a100", "license/x".
    """

    nodes: int = 2
    cpus: int = 8
    memory_mb: int = 32000
    gpus: int = 4
    name: str = "lab"
    tcp: Tcp = "fast"
    clock_offset: timedelta | None = None
    with_controller: bool = True
    lifetime: timedelta = timedelta(hours=1)
    other_clusters: tuple[str, ...] = ()
    accounting_of: str = ""
    slurm_conf: Mapping[str, str] = field(default_factory=dict)
    slurmdbd_conf: Mapping[str, str] = field(default_factory=dict)
    tres: tuple[str, ...] = ("gres/gpu",)

    def __post_init__(self) -> None:
        if not 1 <= self.nodes <= MOST_NODES:
            raise ValueError(f"nodes must be 1 to {MOST_NODES}, not {self.nodes}")
        if self.cpus < 1 or self.memory_mb < 1 or self.gpus < 0:
            raise ValueError("cpus and memory_mb must be positive, gpus not negative")
        if self.tcp not in get_args(Tcp):
            raise ValueError(f"tcp must be fast or stock, not {self.tcp!r}")
        for name in (self.name, *self.other_clusters):
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
                raise ValueError(f"{name!r} does not serve as a cluster's name: [a-z][a-z0-9_]*")
        if self.lifetime <= timedelta(0):
            raise ValueError("lifetime must be positive")

    @property
    def node_names(self) -> tuple[str, ...]:
        return tuple(f"n{number}" for number in range(1, self.nodes + 1))

    def to_json(self) -> dict[str, Any]:
        values = {
            **self.__dict__,
            "slurm_conf": dict(self.slurm_conf),
            "slurmdbd_conf": dict(self.slurmdbd_conf),
        }
        values["lifetime"] = self.lifetime.total_seconds()
        values["clock_offset"] = self.clock_offset and self.clock_offset.total_seconds()
        return values

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        values["lifetime"] = timedelta(seconds=values["lifetime"])
        if values["clock_offset"] is not None:
            values["clock_offset"] = timedelta(seconds=values["clock_offset"])
        for name in ("other_clusters", "tres"):
            values[name] = tuple(values[name])
        return cls(**values)
