"""The environment of a cluster's clients and daemons: complete, and nothing of the caller's."""

from pathlib import Path

from sandbox.slurm.daemons import faketime_library
from sandbox.slurm.keeping import PATH
from sandbox.slurm.site import Site


def client_part(site: Site) -> dict[str, str]:
    """Return what makes a command talk to this cluster, and share its clock."""
    return {"SLURM_CONF": str(site.slurm_conf), **_preloads(site, [])}


def client_environ(site: Site) -> dict[str, str]:
    return _plain() | client_part(site)


def daemon_environ(site: Site) -> dict[str, str]:
    preloads = _preloads(site, [site.library("loopback")])
    return _plain() | {"SLURM_CONF": str(site.slurm_conf)} | preloads


def _plain() -> dict[str, str]:
    return {"PATH": PATH, "LANG": "C.UTF-8", "TZ": "UTC"}


def _preloads(site: Site, libraries: list[Path]) -> dict[str, str]:
    environ = {}
    if site.options.tcp == "fast":
        libraries = [*libraries, site.library("nodelay")]
    if site.options.clock_offset is not None:
        libraries = [faketime_library(), *libraries]
        environ["FAKETIME"] = f"{round(site.options.clock_offset.total_seconds()):+d}"
        environ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    if libraries:
        environ["LD_PRELOAD"] = ":".join(map(str, libraries))
    return environ
