"""What Slurm's words of refusal mean. Pure.

22.05, 24.11 and 26.05 use the same, but for a full queue.
What is not known here is `Refusal.OTHER` with its words, never a guess.
"""

import re
from typing import NamedTuple

from waldur_slurm.model.batch import Refusal, Refused
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.grammar.evidence import said


class _Meaning(NamedTuple):
    refusal: Refusal
    words: re.Pattern[str]


def _meaning(refusal: Refusal, *words: str) -> _Meaning:
    return _Meaning(refusal, re.compile("|".join(words), re.IGNORECASE))


_MEANINGS = (
    _meaning(
        Refusal.BUSY,
        "Resource temporarily unavailable",
        "MaxJobCount limit reached",
        "temporarily unable to accept job",
        "try again later",
        "job queue full",
    ),
    _meaning(
        Refusal.LIMIT,
        r"Job violates accounting/QOS policy",
        r"\b(?:Assoc|QOS)\w+Limit\b",
    ),
    _meaning(Refusal.CLUSTER, "invalid entry for --cluster", "No cluster .* known by database"),
    _meaning(Refusal.JOB, "Invalid job id"),
    _meaning(Refusal.PARTITION, "Invalid partition name"),
    _meaning(Refusal.NOT_AVAILABLE, "Required partition not available"),
    _meaning(
        Refusal.NOT_ALLOWED,
        "Access/permission denied",
        "User's group not permitted",
        "Invalid user id",
        "Invalid --nice value",
    ),
    _meaning(Refusal.ACCOUNT, "Invalid account"),
    _meaning(Refusal.QOS, "Invalid qos"),
    _meaning(
        Refusal.STATE,
        "Job is (?:no longer )?pending execution",
        "already completing or completed",
        "Job can not be altered now",
        "Requested operation is presently disabled",
        "Job has already finished",
        "Job is (?:not|already) suspended",
    ),
    _meaning(
        Refusal.TIME,
        "Requested time limit is invalid",
        r"Invalid --(?:time|time-min|begin|deadline) specification",
        "Invalid (?:TimeLimit|TimeMin|StartTime|Deadline)",
        "Invalid time specification",
    ),
    _meaning(Refusal.DEPENDENCY, "Job dependency problem"),
    _meaning(
        Refusal.RESOURCES,
        "Requested node configuration is not available",
        "Invalid (?:feature|license|generic resource|node name)",
        "Requested reservation is invalid",
        "Node count specification invalid",
        r"\(gres\) specification",
    ),
    _meaning(
        Refusal.SCRIPT,
        "Batch script is empty",
        "does not look like a batch script",
        "contains DOS line breaks",
        "contain a NULL character",
        "Batch script .*too (?:large|big)",
    ),
    _meaning(
        Refusal.OPTION,
        "unrecognized option",
        "Invalid (?:numeric )?value",
        r"Invalid --[\w-]+ specification",
        "Invalid job array specification",
        r"--[\w-]+=.* is not valid",
        "Update of this parameter is not supported",
        "user environment file",
        "requires an argument|invalid option",
    ),
)
_LIMIT = re.compile(r"\b((?:Assoc|QOS)\w+Limit)\b")
_NOT_SENT = re.compile(
    r"Unable to contact slurm controller \(connect failure\)"
    r"|Munge encode failed|cannot stat file .*slurm\.conf|Unable to process configuration"
    r"|[Pp]roblem talking to (?:the )?database|PersistInit|failed to open persistent connection"
)
_LOST = re.compile(
    r"[Tt]imed out|Connection reset|Zero Bytes were transmitted|Broken pipe"
    r"|Unexpected message received|Header lengths|Insane message length"
    r"|Communication (?:connection|shutdown) failure|Message (?:send|receive) failure"
    r"|Transport endpoint|No route to host|Network is unreachable"
)


def known_refusal(words: str) -> Refused | None:
    """What these words refuse; None where they are of no kind that is known."""
    for meaning in _MEANINGS:
        if meaning.words.search(words):
            limit = _LIMIT.search(words)
            return Refused(meaning.refusal, words, limit[1] if limit else None)
    return None


def refused(completed: Completed) -> Refused:
    words = said(completed)
    return known_refusal(words) or Refused(Refusal.OTHER, words)


def was_never_sent(completed: Completed) -> bool:
    """Whether slurmctld cannot have heard of it: no connection was made, nor anything lost."""
    return _NOT_SENT.search(completed.err) is not None and not was_lost(completed)


def was_lost(completed: Completed) -> bool:
    """Whether slurmctld may have heard of it, although its answer did not come."""
    return _LOST.search(completed.err) is not None
