"""The routes by which jobs are handed in."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.native import sheets, submit
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.wire import PlacedView, StartView

SUBMIT_ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/jobs",
        Scope.JOBS_SUBMIT,
        submit.submit,
        "hands a job in, once for each `Idempotency-Key`: 201, and 200 with the same body again;"
        " `dry_run=true` only tells when and where it would start",
        query=submit.SubmitQuery,
        body=sheets.JobAsked,
        answer=PlacedView,
        headers=submit.SubmitHeaders,
        status=201,
        also=(PlacedView, StartView),
    ),
)
