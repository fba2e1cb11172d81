"""The first original's words for apps and jobs, in the order in which it writes them. Pure."""

import msgspec

from waldur_slurm.gateway.apps.app import App
from waldur_slurm.gateway.apps.job import REFUSED, ManagedJob, Run
from waldur_slurm.gateway.apps.plan import Live, Said, is_started
from waldur_slurm.model.live import LiveJob


class AppView(msgspec.Struct, frozen=True):
    """`access_token` is there once, for whoever made the app."""

    name: str
    access_token: str | None
    directory: str
    id: str


class SlurmJobView(msgspec.Struct, frozen=True):
    account: str
    job_id: int
    job_state: str
    state_description: str
    state_reason: str
    name: str
    user_name: str
    user_id: int


class JobView(msgspec.Struct, frozen=True):
    name: str
    status: str
    user_name: str
    id: str
    slurm_id: int
    slurm_job: SlurmJobView | None


def app_view(app: App, token: str | None = None) -> AppView:
    return AppView(app.name, token, f"applications/{app.id}", app.id)


def job_view(job: ManagedJob, said: Said) -> JobView:
    run = job.newest_submitted
    return JobView(
        name=job.name,
        status="started" if is_started(job, said) else "stopped",
        user_name=job.user,
        id=job.id,
        slurm_id=run.slurm_id or 0 if run else 0,
        slurm_job=_slurm_job(job, said, run),
    )


def _slurm_job(job: ManagedJob, said: Said, run: Run | None) -> SlurmJobView | None:
    if isinstance(said, Live):
        return _listed(said.job)
    if run is None or run.end is None or run.slurm_id is None or run.end.state == REFUSED:
        return None
    return SlurmJobView(
        account=run.account,
        job_id=run.slurm_id,
        job_state=run.end.state,
        state_description="",
        state_reason=run.end.reason or "None",
        name=job.name,
        user_name=job.user,
        user_id=job.uid,
    )


def _listed(row: LiveJob) -> SlurmJobView:
    return SlurmJobView(
        account=row.account,
        job_id=row.number,
        job_state=row.state.base,
        state_description="",
        state_reason=row.reason or "None",
        name=row.name,
        user_name=row.user,
        user_id=row.uid,
    )
