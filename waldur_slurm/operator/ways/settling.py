"""What may be concluded of a job that was perhaps handed in, and is nowhere to be found. Pure.

That there is none is concluded from a list that was read after sbatch could have had its last
effect, while slurmctld cannot have forgotten the job yet; later the accounting has to say so too.
"""

from dataclasses import dataclass
from datetime import timedelta

from waldur_slurm.operator.ways.entries import Entry
from waldur_slurm.slurm.grammar.keeping import Rules
from waldur_slurm.slurm.past.port import LAG

COMMAND = timedelta(seconds=45)
"""How long one command on the login host may take."""

DOUBT = 2 * COMMAND + timedelta(seconds=15)
"""For how long an sbatch may hand a job in after its line was written."""

CLOCKS = timedelta(minutes=5)
"""How far the clocks of two hosts may be apart: munge bears no more."""

SLOW = timedelta(seconds=10)
"""A list that took longer may be older than a job that waited for slurmctld as long."""


TORN = "a job that may be it is not understood"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A list that lacks the job: begun `now`, by the login host's clock; and what sacct said."""

    now: int
    took: timedelta
    rules: Rules
    is_behind: bool
    """Whether slurmctld has still to tell the accounting of jobs."""


def may_be_forgotten(entry: Entry, now: int, rules: Rules) -> bool:
    """Whether slurmctld may list its job no longer, if there is one."""
    return rules.min_job_age is not None and now >= entry.at + rules.min_job_age.total_seconds()


def why_unknown(entry: Entry, evidence: Evidence) -> str:
    """Say why nobody knows whether there is a job; empty: there is none, for certain."""
    age = timedelta(seconds=evidence.now - entry.at)
    if entry.number is not None:
        return f"job {entry.number} was handed in, and Slurm does not show it"
    if age < DOUBT:
        return "it may still be on its way to slurmctld"
    if evidence.took > SLOW:
        return "slurmctld was too slow for its answer to prove anything"
    if not may_be_forgotten(entry, evidence.now, evidence.rules):
        return ""
    return _why_unknown_later(entry, evidence, age)


def _why_unknown_later(entry: Entry, evidence: Evidence, age: timedelta) -> str:
    if not evidence.rules.stores_comments:
        return "slurmctld may have forgotten it, and the accounting keeps no comments"
    if evidence.is_behind or age < DOUBT + LAG:
        return "the accounting may not have heard of it yet"
    if entry.may_wait:
        return (
            "slurmctld may have forgotten it, and the accounting knows nothing of a job that ended"
            " before it might begin"
        )
    return ""
