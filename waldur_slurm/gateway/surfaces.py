"""The gateway's surfaces: groups of routes that are switched on together."""

from enum import StrEnum


class Surface(StrEnum):
    NATIVE = "native"
    RESTAPI = "restapi"
    SLURMER = "slurmer"
    PROXY = "proxy"
    PAGES = "pages"
    WATCH = "watch"
