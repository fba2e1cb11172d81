"""slurm-controller's routes, as rows of the table. One that cancels is asked by GET, as it was."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.ask import Handler
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.web.seeds import controller


def _row(method: str, path: str, scope: Scope, handler: Handler, says: str) -> Route:
    return Route(method, path, scope, handler, says, Surface.CONTROLLER)


CONTROLLER_ROUTES: tuple[Route, ...] = (
    _row("POST", "/sbatch", Scope.JOBS_SUBMIT, controller.sbatch, "hands a script in"),
    _row("GET", "/sacct/{job_id}", Scope.JOBS_READ, controller.sacct, "a job, or its parts"),
    _row("GET", "/scancel/{job_id}", Scope.JOBS_CANCEL, controller.scancel, "cancels a job"),
    _row("GET", "/open", Scope.FILES_READ, controller.open_file, "a file below the roots"),
    _row("POST", "/srun", Scope.JOBS_SUBMIT, controller.srun, "says that it is off"),
)
