"""The gateway's surfaces: groups of routes that are switched on together."""

from enum import StrEnum


class Surface(StrEnum):
    NATIVE = "native"
    RESTAPI = "restapi"
    SLURMER = "slurmer"
    PROXY = "proxy"
    PAGES = "pages"
    WATCH = "watch"
    CONTROLLER = "controller"


NAMED = frozenset(Surface) - {Surface.CONTROLLER}
"""What a gateway may be told to serve. The rest `slurm-controller` serves, and nothing else."""
