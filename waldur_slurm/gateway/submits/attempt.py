"""An attempt to hand in one job: under which key, what, since when, and what came of it. Pure.

A key names one job for ever. Its attempt is written down before sbatch is called and closed after;
one that is open may have made a job or not, until `plan` has settled it.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime

from waldur_slurm.gateway.submits.marks import OWN, comment_of
from waldur_slurm.model.batch import BatchSheet, JobId, VariablesFile
from waldur_slurm.model.names import UserName


@dataclass(frozen=True, slots=True)
class Key:
    """`owner` is whose it is, such as a principal or an app: two owners never share one."""

    owner: str
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job as it is asked for. Without a `mark` the gateway makes one of its own."""

    cluster: str
    user: UserName
    sheet: BatchSheet
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """The job that a key stands for; None is what Slurm has not told yet."""

    job_id: JobId
    cluster: str
    submitted: datetime | None = None
    work_dir: str | None = None
    stdout: str | None = None
    stderr: str | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """It is open until it is `placed`. Times are in whole seconds."""

    key: Key
    cluster: str
    user: UserName
    fingerprint: str
    mark: str
    opened: datetime
    doubt_until: datetime
    """Until then an sbatch whose answer was lost may still hand the job in."""
    may_wait: bool = False
    """Whether its job might not become eligible for long: of such the accounting knows nothing."""
    placed: Placed | None = None


def fingerprint(wanted: Wanted) -> str:
    """Tell what is asked for from anything else; how it is written down may change with a release.

    A mark that the gateway makes has no part in it.
    """
    sheet = wanted.sheet
    variables = sheet.variables
    told = {
        "cluster": wanted.cluster,
        "user": wanted.user,
        "mark": wanted.mark,
        "script": sheet.script,
        "options": dict(sheet.options),
        "variables": variables.path if isinstance(variables, VariablesFile) else variables,
        "is_file": isinstance(variables, VariablesFile),
    }
    text = json.dumps(told, sort_keys=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()


def with_mark(sheet: BatchSheet, mark: str) -> BatchSheet:
    """Let the job carry the mark; the command line's comment wins over the script's."""
    words = sheet.options.get("comment") or ""
    comment = comment_of(mark, words if mark.startswith(OWN) else "")
    return replace(sheet, options={**sheet.options, "comment": comment})
