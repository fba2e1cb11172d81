"""Which jobs' details are certain, for all that slurmctld forgets. Pure.

Details come from records that stand among their owners' words, and are believed where nothing else
claims to be that job. Once slurmctld has forgotten a job, a claim that somebody wrote would be the
only one. So of a job that had ended so long ago that it may have been forgotten, nothing is told.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from waldur_slurm.gateway.picture.picture import Picture
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import LiveJob

CLOCKS_APART = timedelta(minutes=1)
"""So far this machine's clock may be from slurmctld's."""

_AGE = re.compile(r"(\d{1,9}) sec", re.ASCII)


def kept_after_end(configuration: Mapping[str, str]) -> timedelta:
    """For how long slurmctld keeps a job after its end; nothing where that is unclear."""
    found = _AGE.fullmatch(configuration.get("MinJobAge", ""))
    if found is None:
        return timedelta(0)
    seconds = int(found[1])
    return timedelta(seconds=seconds) if seconds else timedelta.max  # 0 is for ever


class Certain:
    """The details of one picture that no forger can have written."""

    def __init__(self, picture: Picture[Mapping[Run, JobDetails]], kept: timedelta) -> None:
        self._told = picture.value
        self._read_by = picture.as_of + timedelta(seconds=picture.took_s)
        self._kept = kept - CLOCKS_APART

    def of(self, job: LiveJob) -> JobDetails | None:
        if job.state.is_terminal and (job.end is None or self._read_by - job.end >= self._kept):
            return None
        return self._told.get(job.run)
