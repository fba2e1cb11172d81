"""The queue: marked rows to jobs, one by one; what cannot be read is one unreadable job. Pure."""

from collections.abc import Iterable, Iterator

from waldur_slurm.errors import InvalidName, UnparsableOutput
from waldur_slurm.model.batch import JobId, job_id
from waldur_slurm.model.live import JobListing, LiveJob, UnreadableJob
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.slurm.grammar.marks import split_marked
from waldur_slurm.slurm.grammar.states import parse_job_state
from waldur_slurm.slurm.grammar.values import parse_integer
from waldur_slurm.slurm.live.grammar.columns import QueueRow
from waldur_slurm.slurm.live.grammar.values import (
    parse_bound,
    parse_duration,
    parse_exit,
    parse_known_duration,
    parse_known_time,
    parse_shared_tres,
    parse_signed,
    parse_time,
    parse_word,
)

_TITLE = "JOBID"
_OF_A_CLUSTER = "CLUSTER: "
"""The line above the heading where a cluster is named."""

_TELLING = QueueRow._fields.index("uid")
_OWN = QueueRow._fields.index("stdout")
"""Columns from the first to the second come again from job to job; those behind are a job's own."""


def parse_jobs(lines: Iterable[str], mark: str) -> JobListing | None:
    """Read the whole listing; None if there is not even a heading: then nobody answered."""
    rows = split_marked(_without_cluster(lines), mark, len(QueueRow._fields))
    heading = next(rows, None)
    if heading is None:
        return None
    if heading[0] != _TITLE:
        raise UnparsableOutput(f"not the heading of a queue: {heading[0][:80]!r}")
    jobs: list[LiveJob] = []
    unreadable: list[UnreadableJob] = []
    copies: dict[str, str] = {}
    for cells in rows:
        try:
            jobs.append(_job(QueueRow._make(_shared(cells, copies))))
        except (UnparsableOutput, InvalidName) as error:
            unreadable.append(UnreadableJob(cells, str(error)))
    return JobListing(tuple(jobs), tuple(unreadable))


def _without_cluster(lines: Iterable[str]) -> Iterator[str]:
    found = iter(lines)
    first = next(found, None)
    if first is not None and not first.startswith(_OF_A_CLUSTER):
        yield first
    yield from found


def _shared(cells: tuple[str, ...], copies: dict[str, str]) -> tuple[str, ...]:
    """Keep one copy of each text that comes again."""
    again = cells[_TELLING:_OWN]
    return (*cells[:_TELLING], *map(copies.setdefault, again, again), *cells[_OWN:])


def _job(row: QueueRow) -> LiveJob:
    stdout = _text(row.stdout)
    return LiveJob(
        id=_id(row.id),
        number=parse_integer(row.number),
        state=parse_job_state(row.state),
        reason=parse_word(row.reason),
        exit=parse_exit(row.exit),
        submitted=parse_known_time(row.submitted),
        eligible=parse_time(row.eligible),
        start=parse_time(row.start),
        end=parse_time(row.end),
        considered=parse_time(row.considered),
        limit_s=parse_duration(row.limit),
        elapsed_s=parse_known_duration(row.elapsed),
        uid=parse_integer(row.uid),
        gid=parse_integer(row.gid),
        user=UserName(row.user),
        account=AccountName(_text(row.account)),
        partition=_text(row.partition),
        qos=_text(row.qos),
        priority=parse_integer(row.priority),
        nice=parse_signed(row.nice),
        restarts=parse_integer(row.restarts),
        may_requeue=parse_integer(row.may_requeue) != 0,
        node_count=parse_integer(row.node_count),
        cpus=parse_integer(row.cpus),
        tasks=parse_bound(row.tasks),
        tres=parse_shared_tres(row.tres),
        tres_per_node=parse_word(row.tres_per_node),
        hosts=parse_word(row.hosts),
        batch_host=parse_word(row.batch_host),
        requested_hosts=parse_word(row.requested_hosts),
        scheduled_hosts=parse_word(row.scheduled_hosts),
        features=_text(row.features),
        reservation=_text(row.reservation),
        licenses=_text(row.licenses),
        dependency=_text(row.dependency),
        wckey=_text(row.wckey),
        stdout=stdout,
        stderr=stdout if row.stderr == row.stdout else _text(row.stderr),
        command=_text(row.command),
        work_dir=_text(row.work_dir),
        comment=_text(row.comment),
        name=row.name,
    )


def _text(text: str) -> str:
    """Read text that may be anybody's: only what Slurm writes for nothing is nothing."""
    return "" if text == "(null)" else text


def _id(text: str) -> JobId:
    return JobId(int(text)) if text.isascii() and text.isdigit() else job_id(text)
