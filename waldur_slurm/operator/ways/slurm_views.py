"""What Slurm's own tools say of jobs, as the operator's port says it. Pure."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from waldur_slurm.model.batch import BatchSheet, JobId, Task, Tasks
from waldur_slurm.model.job_state import Phase
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.past import PastJob
from waldur_slurm.operator.jobs.port import ClusterFacts, JobRef, SeenJob, Wanted
from waldur_slurm.operator.ways.entries import Entry
from waldur_slurm.operator.ways.settling import CLOCKS, DOUBT
from waldur_slurm.operator.ways.whole import Row
from waldur_slurm.slurm.grammar.keeping import rules_of
from waldur_slurm.slurm.grammar.output_names import NamedJob, output_path

FOR_EVER = timedelta.max
_MARK = re.compile(r"[A-Za-z0-9_.:/@+=,~-]{1,256}", re.ASCII)


def facts_of(configuration: Mapping[str, str]) -> ClusterFacts:
    rules = rules_of(configuration)
    version = configuration.get("SLURM_VERSION", "")
    age = FOR_EVER if rules.min_job_age is None else rules.min_job_age
    return ClusterFacts(version, rules.stores_comments, age)


def sheet_of(wanted: Wanted) -> BatchSheet:
    """The command line's comment wins over the script's."""
    options: dict[str, str | None] = {}
    for name, value in wanted.options.items():
        if value is not False:
            options[name.replace("_", "-")] = None if value is True else str(value)
    return BatchSheet(wanted.script, {**options, "comment": wanted.mark})


class Marks:
    """Which job a mark means: the one that the journal knows, else whichever of his carries it."""

    def __init__(self, marks: Collection[str], user: str, entries: Mapping[str, Entry]) -> None:
        self._marks = frozenset(marks)
        self._user = user
        self._placed = {
            entry.number: entry for entry in entries.values() if entry.number is not None
        }
        self._settled = {entry.mark for entry in self._placed.values()}

    def of_live(self, job: LiveJob) -> str | None:
        return self._of(job.id, job.user, job.comment, job.submitted, job.restarts)

    def of_past(self, job: PastJob) -> str | None:
        return self._of(job.id, job.last.user, job.last.comment, job.submitted, 0)

    def _of(
        self, job: JobId, user: str, comment: str, submitted: datetime, restarts: int
    ) -> str | None:
        if user != self._user:
            return None
        entry = self._placed.get(job.number)
        if entry and (restarts or _is_then(entry, submitted)):
            return entry.mark
        return comment if comment in self._marks - self._settled else None


def _is_then(entry: Entry, submitted: datetime) -> bool:
    """Numbers come again, but not so soon; the clocks may be apart."""
    after = submitted.timestamp() - entry.at
    return -CLOCKS.total_seconds() <= after <= (DOUBT + CLOCKS).total_seconds()


def row_of_live(job: LiveJob, mark: str) -> Row:
    state = job.state
    seen = SeenJob(
        ref=JobRef(str(job.id), job.submitted, mark, job.user),
        state=state,
        reason=job.reason,
        is_held=state.phase is Phase.PENDING and job.priority == 0,
        exit_code=job.exit.code if state.is_terminal else None,
        signal=job.exit.signal if state.is_terminal else None,
        started=None if state.phase is Phase.PENDING else job.start,
        ended=job.end if state.is_terminal else None,
        nodes=job.hosts,
        account=job.account,
        partition=job.partition,
        work_dir=job.work_dir or None,
        stdout=job.stdout or None,
        stderr=job.stderr or None,
    )
    return Row(job.id, seen)


def row_of_past(job: PastJob, mark: str) -> Row:
    run, state = job.last, job.last.state
    seen = SeenJob(
        ref=JobRef(str(job.id), job.submitted, mark, run.user),
        state=state,
        exit_code=run.exit.code if state.is_terminal else None,
        signal=run.exit.signal if state.is_terminal else None,
        started=run.start,
        ended=run.end if state.is_terminal else None,
        nodes=run.hosts,
        account=run.account,
        partition=run.partition,
        work_dir=run.work_dir or None,
    )
    return Row(job.id, seen)


def rest_of(past: Iterable[Row], listed: Collection[Row]) -> list[Row]:
    """Leave out what is listed; of an array that is, only tasks that ended may be missing there."""
    known = {row.id for row in listed}
    tasks: dict[int, set[int]] = defaultdict(set)
    for row in listed:
        tasks[row.id.number] |= row.id.tasks
    return [
        row
        for row in past
        if row.id not in known
        if row.id.number not in tasks
        or (row.seen.state.is_terminal and not row.id.tasks & tasks[row.id.number])
    ]


def is_speakable(mark: str) -> bool:
    """Whether it is one word, with nothing that a shell or a list of options could take apart."""
    return _MARK.fullmatch(mark) is not None


def why_another(
    job: JobRef, rows: Collection[LiveJob], entry: Entry | None, user: str, *, is_each: bool
) -> str:
    """Say what makes rows of that number another job than the one that is meant; or nothing."""
    means = Marks([job.mark], user, {} if entry is None else {job.mark: entry})
    for row in rows:
        if means.of_live(row) != job.mark:
            return f"job {row.id} is of another user, or has another mark"
    times = [row.submitted for row in rows]
    fits = all if is_each else any
    if rows and job.submitted is not None and not fits(job.submitted == time for time in times):
        return f"job {job.job_id} was submitted, or requeued, at {max(times).isoformat()}"
    return ""


def where_it_writes(rows: Collection[LiveJob], stream: str) -> str | None:
    """Return the file of a job, or of the first component; of arrays each task has its own."""
    first = min(rows, key=lambda row: str(row.id), default=None)
    if first is None or isinstance(first.id.part, Task | Tasks):
        return None
    pattern = first.stdout if stream == "out" else first.stderr or first.stdout
    named = NamedJob(
        first.id, first.number, first.user, first.name, first.batch_host, first.work_dir
    )
    return output_path(pattern, named)
