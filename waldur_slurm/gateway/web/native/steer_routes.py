"""The rows of the table of routes that steer jobs."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.native import steer
from waldur_slurm.gateway.web.native.steer_bodies import (
    CancelAnswer,
    Cancelling,
    CancelQuery,
    Changes,
    MarkQuery,
    MeantHeaders,
)
from waldur_slurm.gateway.web.route import Route

_SAYS = {
    "hold": "keep a job from being started",
    "release": "let a held job be started",
    "requeue": "put a job back into the queue, which ends its run",
    "requeuehold": "put a job back into the queue, and hold it there",
    "suspend": "stop a running job for a while, where Slurm lets its owner",
    "resume": "let a suspended job go on",
}

STEER_ROUTES: tuple[Route, ...] = (
    Route(
        "DELETE",
        "/jobs/{job_id}",
        Scope.JOBS_CANCEL,
        steer.cancel,
        "cancel a job, or send it a signal; done too where it is over already",
        query=CancelQuery,
        headers=MeantHeaders,
        status=204,
    ),
    Route(
        "POST",
        "/jobs:cancel",
        Scope.JOBS_CANCEL,
        steer.cancel_many,
        "cancel up to 1,000 jobs, and be told of each",
        body=Cancelling,
        answer=CancelAnswer,
    ),
    *(
        Route(
            "POST",
            f"/jobs/{{job_id}}/{verb}",
            Scope.JOBS_CONTROL,
            steer.controlling(verb),
            says,
            query=MarkQuery,
            headers=MeantHeaders,
            status=204,
        )
        for verb, says in _SAYS.items()
    ),
    Route(
        "PATCH",
        "/jobs/{job_id}",
        Scope.JOBS_CONTROL,
        steer.change,
        "change a job: its time limit, partition, name and so on, by Slurm's names",
        query=MarkQuery,
        headers=MeantHeaders,
        body=Changes,
        status=204,
    ),
    Route(
        "GET",
        "/jobs/{job_id}/script",
        Scope.FILES_READ,
        steer.show_script,
        "a job's script as text, for whoever may act for its owner",
        query=MarkQuery,
        headers=MeantHeaders,
        media_types=("text/plain",),
    ),
)
