"""Routes of a job's output and files, below the address of a cluster."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.native import files, job_tokens, output, pieces
from waldur_slurm.gateway.web.route import Route
from waldur_slurm.gateway.wire import FileView
from waldur_slurm.gateway.wire_cluster import JobTokenView

FILE_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/jobs/{job_id}/output",
        Scope.OUTPUT_READ,
        output.show_output,
        "what a job writes: a piece, its end, or as server-sent events all as it comes; takes"
        " `Range`; `X-Next-Offset` and `X-Complete` say how to go on",
        query=pieces.OutputQuery,
        media_types=("text/plain; charset=utf-8", "text/event-stream"),
        is_of_one_job=True,
    ),
    Route(
        "GET",
        "/jobs/{job_id}/files",
        Scope.FILES_READ,
        files.list_files,
        "files of the job's folder; `X-Truncated` says whether there are more",
        query=files.FilesQuery,
        answer=list[FileView],
        is_of_one_job=True,
    ),
    Route(
        "GET",
        "/jobs/{job_id}/files/{path}",
        Scope.FILES_READ,
        files.show_file,
        "a file of the job's folder, streamed; takes `Range` and `If-Range`; `digest=sha-256` says"
        " its digest instead",
        query=files.FileQuery,
        media_types=("application/octet-stream", "application/json"),
        is_of_one_job=True,
    ),
    Route(
        "POST",
        "/jobs/{job_id}/tokens",
        Scope.OUTPUT_READ,
        job_tokens.make_job_token,
        "a token that reads this job's output and files, and does nothing else",
        body=job_tokens.JobTokenWanted,
        answer=JobTokenView,
        status=201,
    ),
)
