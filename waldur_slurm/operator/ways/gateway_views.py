"""What a gateway says of jobs, as the operator's port says it. Pure."""

from datetime import timedelta

from waldur_slurm.gateway.wire import JobView, LookupAnswer
from waldur_slurm.gateway.wire_cluster import ClusterView, MeView
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.job_state import JobState, Phase
from waldur_slurm.operator.check.facts import TokenFacts
from waldur_slurm.operator.jobs.port import ClusterFacts, Found, JobRef, SeenJob
from waldur_slurm.operator.ways.together import found_from
from waldur_slurm.operator.ways.whole import Row

FOR_EVER = timedelta.max
ANYBODY = "any"


def facts_of(view: ClusterView) -> ClusterFacts:
    age = view.min_job_age_s
    return ClusterFacts(
        version=view.slurm or "",
        keeps_comments=bool(view.stores_comments),
        min_job_age=FOR_EVER if age == 0 else timedelta(seconds=age or 0),
    )


def token_facts_of(view: MeView) -> TokenFacts:
    named = [each for each in view.run_as.split(",") if each]
    is_open = any(each == ANYBODY or each.startswith("@") for each in named)
    himself = [view.user] if view.user else []
    return TokenFacts(
        scopes=frozenset(may.scope for may in view.scopes if may.allowed),
        users=None if is_open else frozenset([*himself, *named]),
    )


def found_of(answer: LookupAnswer) -> Found:
    return found_from(
        map(row_of, answer.jobs),
        as_of=answer.as_of,
        absent=answer.absent,
        unknown=dict.fromkeys(answer.unknown, answer.said),
        tried=answer.tried,
    )


def row_of(view: JobView) -> Row:
    by = f" by {view.state.raw.rpartition(' by ')[2]}"
    is_by = view.state.raw.endswith(by) and by[4:].isdecimal()
    state = JobState(view.state.base, view.state.flags, int(by[4:]) if is_by else None)
    seen = SeenJob(
        ref=JobRef(view.job_id, view.times.submit, view.mark or "", view.user),
        state=state,
        reason=view.state.reason,
        is_held=state.phase is Phase.PENDING and view.priority == 0,
        exit_code=view.exit.code if view.exit else None,
        signal=view.exit.signal if view.exit else None,
        started=None if state.phase is Phase.PENDING else view.times.start,
        ended=view.times.end if view.terminal else None,
        nodes=view.nodes,
        account=view.account,
        partition=view.partition,
        work_dir=view.work_dir or None,
        stdout=view.stdout,
        stderr=view.stderr,
    )
    return Row(job_id(view.job_id), seen)
