"""How long a Slurm tells of jobs, by its configuration. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

_SECONDS = re.compile(r"(\d+) sec", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the site's slurm.conf says. None of `min_job_age`: slurmctld forgets nothing."""

    min_job_age: timedelta | None
    stores_comments: bool


def rules_of(configuration: Mapping[str, str]) -> Rules:
    """Read slurm.conf; what it does not say is taken for what proves the least."""
    age = _SECONDS.fullmatch(configuration.get("MinJobAge", ""))
    seconds = int(age[1]) if age else 1
    flags = configuration.get("AccountingStoreFlags", "")
    has_accounting = "slurmdbd" in configuration.get("AccountingStorageType", "")
    return Rules(
        min_job_age=timedelta(seconds=seconds) if seconds else None,
        stores_comments=has_accounting and "job_comment" in flags,
    )
