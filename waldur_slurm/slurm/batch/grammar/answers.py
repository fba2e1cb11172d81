"""What sbatch and scancel say when they do not refuse. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.batch import Cancelled, Estimate, JobId, Refusal, Refused, Submitted
from waldur_slurm.slurm.batch.grammar.refusals import known_refusal
from waldur_slurm.slurm.grammar.values import parse_known_moment

_SUBMITTED = re.compile(r"([1-9][0-9]{0,9})(?:;([A-Za-z0-9_.-]+))?", re.ASCII)
_ESTIMATE = re.compile(
    r"Job [0-9]+ to start at ([0-9]+) (?:a )?using ([0-9]+) processors"
    r" on (?:nodes )?(\S+) in partition (\S+)",
    re.ASCII,
)
_SENT = re.compile(r"^scancel: (?:Terminating|Signal \S+ to) .*?(?:job|step) (\S+)$", re.MULTILINE)
_FAILED = re.compile(r"^scancel: error: .*? on job id (\S+): (.+)$", re.MULTILINE)


def parse_submitted(out: str) -> Submitted | None:
    """Read the one line with a number; None where sbatch said anything else, or nothing."""
    found = [*filter(None, map(_SUBMITTED.fullmatch, out.split("\n")))]
    return Submitted(JobId(int(found[0][1])), found[0][2]) if len(found) == 1 else None


def parse_estimate(words: str) -> Estimate:
    found = _ESTIMATE.search(words)
    if found is None:
        raise UnparsableOutput(f"not a time of start: {words[:200]!r}")
    starts = parse_known_moment(found[1])
    return Estimate(starts, int(found[2]), found[3], found[4])


def parse_cancelled(err: str, jobs: Collection[JobId]) -> Mapping[JobId, Cancelled | Refused]:
    """Tell of each job what its own lines say; a job without a line was not in the state."""
    failed = [*_FAILED.findall(err)]
    sent = [*_SENT.findall(err)]
    return {
        job: _outcome([*_own(job, failed)], [*_own(job, [(s, "") for s in sent])]) for job in jobs
    }


def _own(job: JobId, lines: Collection[tuple[str, str]]) -> Iterator[str]:
    """Where a state is asked for, an array is told of task by task."""
    parts = () if job.part is not None else (f"{job}_", f"{job}+")
    return (words for name, words in lines if name == job.named or name.startswith(parts))


def _outcome(failed: Collection[str], sent: Collection[str]) -> Cancelled | Refused:
    for words in failed:
        found = known_refusal(words) or Refused(Refusal.OTHER, words)
        if found.refusal is Refusal.JOB:
            return Cancelled.ABSENT
        if "already completing or completed" in words:
            return Cancelled.OVER
        return found
    return Cancelled.SENT if sent else Cancelled.SPARED
