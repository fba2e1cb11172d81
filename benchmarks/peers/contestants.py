"""The agents that are compared: this one, the original and its successor, and how each is set up.

Rule: everybody gets its own defaults, but for what this machine lacks (home directories, Unix
users) and for the order's units.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environments import python_of
from benchmarks.peers.outcome import Work
from benchmarks.peers.site import PARENT, PeerSite
from sandbox.waldur.dialects import DialectName

HOURS = {"cpu": 60, "mem": 61440, "gres/gpu": 60}
"""TRES-minutes in one unit; Slurm counts memory in MiB."""
MINUTES = dict.fromkeys(HOURS, 1)
LARGEST = 10_000_000
SAMPLE = 10


@dataclass(frozen=True)
class Launch:
    """One cycle: the function that its console script calls, and what it is told."""

    entry: str
    environ: Mapping[str, str]
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contestant:
    name: str
    dialect: DialectName
    allocations: int
    units: Mapping[str, int]
    launch: Callable[[PeerSite, Work], Launch]
    requirements: tuple[str, ...] = ()
    """What pip is asked for; nothing for the agent of this tree."""

    @property
    def is_ours(self) -> bool:
        return not self.requirements

    def python(self) -> Path:
        return Path(sys.executable) if self.is_ours else python_of(self.requirements)


def contestants(allocations: int) -> tuple[Contestant, ...]:
    """This agent first, in the dialect of each of the others; it alone is measured on all."""
    return (
        ours("today", allocations),
        ours("classic", allocations),
        Contestant(
            name="waldur-slurm-agent 0.2.2",
            dialect="classic",
            allocations=SAMPLE,
            units=MINUTES,
            launch=launch_original,
            requirements=("waldur-slurm-agent==0.2.2", "python-waldur-client==0.2.10"),
        ),
        Contestant(
            name="waldur-site-agent 1.0.7",
            dialect="today",
            allocations=SAMPLE,
            units=HOURS,
            launch=launch_successor,
            requirements=("waldur-site-agent==1.0.7", "waldur-site-agent-slurm==1.0.7"),
        ),
    )


def ours(dialect: DialectName, allocations: int) -> Contestant:
    return Contestant(
        name=f"this agent ({dialect})",
        dialect=dialect,
        allocations=allocations,
        units=HOURS,
        launch=launch_ours,
    )


def launch_ours(site: PeerSite, work: Work) -> Launch:
    direction = "push" if work is Work.USAGE else "pull"
    environ = _legacy_environ(site, direction, HOURS) | {
        "AGENT_STATE_DIR": str(site.directory / f"state-{direction}"),
        "SLURM_BIN_PATH": str(site.tools.bin_path),
        "SLURM_REQUIRE_UNIX_USERS": "false",
    }
    return Launch("waldur_slurm.main:main", environ, ("once",))


def launch_original(site: PeerSite, work: Work) -> Launch:
    direction = "push" if work is Work.USAGE else "pull"
    return Launch("waldur_slurm.main:main", _legacy_environ(site, direction, MINUTES))


def _legacy_environ(site: PeerSite, direction: str, units: Mapping[str, int]) -> dict[str, str]:
    """The variables of the original, which this agent reads as well."""
    components = site.directory / "components.yaml"
    components.write_text(json.dumps(_components(units)))
    return {
        **site.environ,
        "SLURM_DEPLOYMENT_TYPE": "native",
        "SLURM_DEFAULT_ACCOUNT": PARENT,
        "SLURM_TRES_CONFIG_PATH": str(components),
        "WALDUR_API_URL": site.waldur.url,
        "WALDUR_API_TOKEN": site.waldur.tokens.provider,
        "WALDUR_OFFERING_UUID": site.waldur.offering_uuid,
        "WALDUR_SYNC_DIRECTION": direction,
    }


MODES = {
    Work.PROVISION: "order_process",
    Work.MEMBERS: "membership_sync",
    Work.USAGE: "report",
}


def launch_successor(site: PeerSite, work: Work) -> Launch:
    prefixes = ("customer_prefix", "project_prefix", "allocation_prefix")
    offering = {
        "name": "SLURM",
        "waldur_api_url": site.waldur.url,
        "waldur_api_token": site.waldur.tokens.provider,
        "waldur_offering_uuid": site.waldur.offering_uuid,
        "backend_type": "slurm",
        "order_processing_backend": "slurm",
        "membership_sync_backend": "slurm",
        "reporting_backend": "slurm",
        "backend_settings": {
            "default_account": PARENT,
            **dict.fromkeys(prefixes, "hpc_"),
            "slurm_bin_path": str(site.tools.bin_path),
            "cluster_name": site.cluster.options.name,
            "enable_user_homedir_account_creation": False,
        },
        "backend_components": _components(HOURS),
    }
    settings = site.directory / "settings.yaml"
    settings.write_text(json.dumps({"timezone": "UTC", "offerings": [offering]}))
    arguments = ("--mode", MODES[work], "--config-file", str(settings))
    return Launch("waldur_site_agent.main:main", site.environ, arguments)


def _components(units: Mapping[str, int]) -> dict[str, dict[str, object]]:
    """JSON is YAML too."""
    return {
        tres: {
            "label": tres,
            "measured_unit": "minutes" if unit == 1 else "hours",
            "accounting_type": "limit",
            "limit": LARGEST,
            **({} if unit == 1 else {"unit_factor": unit}),
        }
        for tres, unit in units.items()
    }
