"""What only slurm-proxy's surface is told; a name that the original knows is its own."""

import re
from dataclasses import dataclass

from waldur_slurm.gateway.tasks.task import Reading
from waldur_slurm.variables.readers import one_of
from waldur_slurm.variables.variable import variable


def plugin_version(text: str) -> int:
    """Read `0.0.42`, or `v0.0.42`, as 42."""
    found = re.fullmatch(r"v?0\.0\.(\d{2,3})", text, re.ASCII)
    if found is None:
        raise ValueError("a version of slurmrestd's interface such as 0.0.42")
    return int(found[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """Typed and checked."""

    reading: Reading = variable(
        "GATEWAY_PROXY_READING",
        one_of(Reading),
        "how tasks are read: by slurm-proxy's `document` (`time` in hours, `mem` for the whole job"
        " on a node, 400 for what is not found), or as its code, the `original`, does (minutes, for"
        " each CPU, 404)",
        "document",
    )
    version: int | None = variable(
        "SLURM_REST_API_DATA_PARSER_PLUGIN_VERSION",
        plugin_version,
        "the version of slurmrestd's interface that `/slurm/` speaks, where slurmrestd serves it",
        unset_means="the newest that both know",
    )
