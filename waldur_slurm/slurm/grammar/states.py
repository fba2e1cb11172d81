"""Job states as Slurm's tools print them, in every form they have. Pure."""

import re
from functools import lru_cache

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.job_state import JobState

_WORDS = re.compile(r"([A-Z][A-Z_]*)((?:[+,][A-Z][A-Z_]*)*)(?: by (\d{1,10}))?", re.ASCII)


@lru_cache(maxsize=256)
def parse_job_state(text: str) -> JobState:
    """Read `RUNNING`, `CANCELLED by 1000` or `COMPLETED,REQUEUED`; one copy of each is kept."""
    match = _WORDS.fullmatch(text)
    if match is None:
        raise UnparsableOutput(f"not a job state: {text[:80]!r}")
    base, more, by = match.groups()
    flags = tuple(filter(None, re.split("[+,]", more)))
    return JobState(base, flags, None if by is None else int(by))
