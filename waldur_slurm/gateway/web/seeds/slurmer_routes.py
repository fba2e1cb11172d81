"""The first original's routes, as rows of the table; each is there with a last slash too."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.ask import Handler
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.seeds import slurmer, slurmer_files


def _row(method: str, path: str, scope: Scope, handler: Handler, says: str) -> Route:
    return Route(method, path, scope, handler, says, Surface.SLURMER)


_APP = "/apps/{app_id}"
_JOBS = f"{_APP}/jobs"
_JOB = f"{_JOBS}/{{job_id}}"
_ADMIN, _USE = Scope.APPS_ADMIN, Scope.APPS_USE

SLURMER_ROUTES: tuple[Route, ...] = (
    _row("GET", "/apps", _ADMIN, slurmer.list_apps, "all apps"),
    _row("POST", "/apps", _ADMIN, slurmer.add_app, "a new app; its token is shown this once"),
    _row("GET", _APP, _USE, slurmer.show_app, "one app"),
    _row("GET", _JOBS, _USE, slurmer.list_app_jobs, "the user's jobs of the app"),
    _row("POST", _JOBS, _USE, slurmer.add_job, "a new job, which is not started"),
    _row("GET", _JOB, _USE, slurmer.show_job, "one job"),
    _row("DELETE", _JOB, _USE, slurmer.delete_job, "stops a job and removes it"),
    _row("GET", f"{_JOB}/batch", _USE, slurmer_files.batch, "the job's script"),
    _row("GET", f"{_JOB}/out", _USE, slurmer_files.out, "the job's standard output"),
    _row("GET", f"{_JOB}/files", _USE, slurmer_files.download, "the job's directory as a zip"),
    _row("POST", f"{_JOB}/files", _USE, slurmer_files.upload, "unpacks a zip over it"),
    _row("PUT", f"{_JOB}/status", _USE, slurmer.put_status, "starts or stops a job"),
    _row("PUT", f"{_JOB}/prune", _USE, slurmer.prune, "removes all but the script"),
    _row("PUT", f"{_JOB}/start", _USE, slurmer.start, "starts a job"),
    _row("PUT", f"{_JOB}/stop", _USE, slurmer.stop, "stops a job"),
)
