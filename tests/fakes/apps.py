"""Apps and managed jobs in memory, held to the store by `tests/unit/gateway/store/test_apps.py`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.apps.app import App
from waldur_slurm.gateway.apps.job import End, ManagedJob, Run, Stage


@dataclass
class FakeJobs:
    """A `Jobs`; `broken` is why nothing can be written."""

    broken: str = ""

    jobs: dict[str, ManagedJob] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)

    def add(self, job: ManagedJob) -> None:
        self._demand()
        self.jobs[job.id] = job

    def take_over(self, job: ManagedJob) -> None:
        self.jobs[job.id] = job

    def find(self, app_id: str, job_id: str) -> ManagedJob | None:
        job = self.jobs.get(job_id)
        return job if job and job.app == app_id else None

    def of_app(self, app_id: str) -> Sequence[ManagedJob]:
        ready = [job for job in self.jobs.values() if job.stage is Stage.READY]
        return [job for job in ready if job.app == app_id]

    def unsettled(self) -> Sequence[ManagedJob]:
        return [job for job in self.jobs.values() if _is_unsettled(job)]

    def set_stage(self, job_id: str, stage: Stage) -> None:
        self._demand()
        self.jobs[job_id] = replace(self.jobs[job_id], stage=stage)

    def add_run(self, job_id: str, run: Run, script: str) -> None:
        job = self.jobs[job_id]
        self.jobs[job_id] = replace(job, runs=(*job.runs, run))
        self.scripts[run.id] = script

    def script_of(self, run_id: str) -> str:
        return self.scripts[run_id]

    def drop_run(self, run_id: str) -> None:
        for job in self.jobs.values():
            runs = tuple(run for run in job.runs if run.id != run_id or run.slurm_id is not None)
            self.jobs[job.id] = replace(job, runs=runs)

    def note_submitted(self, run_id: str, slurm_id: int) -> None:
        self._demand()
        self._change(run_id, lambda run: replace(run, slurm_id=slurm_id))
        self.scripts[run_id] = ""

    def note_seen(self, run_id: str, account: str, stdout: str) -> None:
        self._change(
            run_id,
            lambda run: replace(run, account=run.account or account, stdout=run.stdout or stdout),
        )

    def note_end(self, run_id: str, end: End) -> None:
        self._change(run_id, lambda run: run if run.end else replace(run, end=end))

    def forget(self, job_id: str) -> None:
        self.jobs.pop(job_id, None)

    def _demand(self) -> None:
        if self.broken:
            raise StateError(self.broken)

    def _change(self, run_id: str, change: Callable[[Run], Run]) -> None:
        for job in self.jobs.values():
            runs = tuple(change(run) if run.id == run_id else run for run in job.runs)
            self.jobs[job.id] = replace(job, runs=runs)


@dataclass
class FakeApps:
    """An `Apps` over the same jobs."""

    jobs: FakeJobs
    apps: dict[str, App] = field(default_factory=dict)

    def all(self) -> tuple[App, ...]:
        return tuple(sorted(self.apps.values(), key=lambda app: app.made))

    def find(self, app_id: str) -> App | None:
        return self.apps.get(app_id)

    def put(self, app: App) -> None:
        before = self.apps.get(app.id)
        self.apps[app.id] = replace(app, made=before.made) if before else app

    def drop(self, app_id: str) -> bool:
        if any(job.app == app_id for job in self.jobs.jobs.values()):
            return False
        return self.apps.pop(app_id, None) is not None


def _is_unsettled(job: ManagedJob) -> bool:
    is_unsent = any(run.slurm_id is None and run.end is None for run in job.runs)
    return job.stage is not Stage.READY or is_unsent
