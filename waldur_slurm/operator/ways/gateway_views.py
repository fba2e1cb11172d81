"""What a gateway says of jobs, as the operator's port says it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from waldur_slurm.gateway.wire import JobView, LookupAnswer
from waldur_slurm.gateway.wire_cluster import ClusterView
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.jobs.port import ClusterFacts, Found, JobRef, SeenJob
from waldur_slurm.operator.ways.whole import Row, whole_of

FOR_EVER = timedelta.max
SEVERAL = "several jobs carry the mark {mark}: {jobs}"


def facts_of(view: ClusterView) -> ClusterFacts:
    age = view.min_job_age_s
    return ClusterFacts(
        version=view.slurm or "",
        keeps_comments=bool(view.stores_comments),
        min_job_age=FOR_EVER if age == 0 else timedelta(seconds=age or 0),
    )


def found_of(answer: LookupAnswer) -> Found:
    """Which of several jobs with one mark is meant nobody could tell."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for view in answer.jobs:
        rows[view.mark or ""].append(row_of(view))
    jobs = {mark: whole_of(some) for mark, some in rows.items() if not _are_several(some)}
    doubtful = {mark: some for mark, some in rows.items() if _are_several(some)}
    return Found(
        as_of=answer.as_of,
        jobs=jobs,
        absent=frozenset(answer.absent),
        unknown=frozenset(answer.unknown) | doubtful.keys(),
        said="; ".join(filter(None, (answer.said, *_words(doubtful)))),
    )


def row_of(view: JobView) -> Row:
    by = f" by {view.state.raw.rpartition(' by ')[2]}"
    is_by = view.state.raw.endswith(by) and by[4:].isdecimal()
    state = JobState(view.state.base, view.state.flags, int(by[4:]) if is_by else None)
    seen = SeenJob(
        ref=JobRef(view.job_id, view.times.submit, view.mark or "", view.user),
        state=state,
        reason=view.state.reason,
        exit_code=view.exit.code if view.exit else None,
        signal=view.exit.signal if view.exit else None,
        started=view.times.start if state.phase.value != "pending" else None,
        ended=view.times.end if view.terminal else None,
        nodes=view.nodes,
        account=view.account,
        partition=view.partition,
        work_dir=view.work_dir or None,
        stdout=view.stdout,
        stderr=view.stderr,
    )
    return Row(job_id(view.job_id), seen)


def _are_several(rows: Iterable[Row]) -> bool:
    return len({(row.id.number, row.seen.ref.user) for row in rows}) > 1


def _words(doubtful: Mapping[str, Iterable[Row]]) -> Iterable[str]:
    for mark, rows in sorted(doubtful.items()):
        numbers = ", ".join(sorted({str(row.id.whole) for row in rows}))
        yield SEVERAL.format(mark=mark, jobs=numbers)
