"""Jobs of the accounting as the native API shows them: the same object as in the queue. Pure."""

from collections.abc import Collection

from waldur_slurm.gateway.past.efficiency import efficiency
from waldur_slurm.gateway.submits.marks import marked
from waldur_slurm.gateway.web.native.views import array_view, outcome_word, resources_view
from waldur_slurm.gateway.wire import EfficiencyView, ExitView, JobView, StateView, TimesView
from waldur_slurm.model.batch import Component
from waldur_slurm.model.past import PastJob, PastStep


def past_job_view(job: PastJob, cluster: str, steps: Collection[PastStep] | None = None) -> JobView:
    """Show the last run; its efficiency where its steps were asked for."""
    run, part, comment = job.last, job.id.part, marked(job.last.comment)
    wait = None if run.start is None else run.start - (run.eligible or run.submitted)
    return JobView(
        job_id=str(job.id),
        array=array_view(job.id.number, part),
        het=part.offset if isinstance(part, Component) else None,
        name=run.name,
        user=run.user,
        uid=None,
        account=run.account,
        partition=run.partition,
        qos=run.qos,
        state=StateView(run.state.base, run.state.flags, str(run.state), ""),
        phase=run.state.phase.value,
        terminal=run.state.is_terminal,
        outcome=outcome_word(run.state),
        exit=ExitView(run.exit.code, run.exit.signal) if run.state.is_terminal else None,
        priority=None,
        restarts=len(job.runs) - 1,
        resources=resources_view(run.allocated or run.requested, run.cpus, run.node_count),
        nodes=run.hosts,
        times=TimesView(
            submit=job.submitted,
            eligible=run.eligible,
            start=run.start,
            end=run.end,
            limit_s=run.limit_s,
            elapsed_s=run.elapsed_s,
            wait_s=None if wait is None else max(int(wait.total_seconds()), 0),
        ),
        work_dir=run.work_dir,
        stdout=None,
        stderr=None,
        command=None,
        dependency=None,
        mark=comment.mark,
        comment=comment.words,
        cluster=cluster,
        efficiency=None if steps is None else efficiency_view(job, steps),
    )


def efficiency_view(job: PastJob, steps: Collection[PastStep]) -> EfficiencyView:
    found = efficiency(job.last, steps)
    return EfficiencyView(
        cpu=found.cpu,
        memory=found.memory,
        gpu=found.gpu,
        time=found.time,
        cpu_seconds=found.cpu_seconds,
        most_memory_bytes=found.most_memory_bytes,
    )
