"""What the first original shows of a job's directory: script, output, all of it as a zip."""

from starlette.responses import Response

from waldur_slurm.gateway.apps.job import SCRIPT, ManagedJob
from waldur_slurm.gateway.errors import NotThere
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import look, managed
from waldur_slurm.gateway.web.multipart import part_of
from waldur_slurm.gateway.web.native.serving import Sent, send
from waldur_slurm.gateway.web.pouring import ZIP, pour_out, unpack
from waldur_slurm.gateway.web.seeds.slurmer import asked_job

TEXT = "text/plain"
"""Without a charset, as the original has it."""

PART = "job_dir"


async def batch(ask: Ask) -> Response:
    job = await asked_job(ask)
    path = f"{_directory(ask, job)}/{SCRIPT}"
    return await send(ask, _text(job.user, path))


async def out(ask: Ask) -> Response:
    """Show the newest run's standard output, wherever it is, as long as its file is there."""
    looked = await look(ask, await asked_job(ask))
    run = looked.job.newest_submitted
    if run is None:
        raise NotThere("the job was never started")
    path = run.stdout
    if not path:
        raise NotThere("Slurm does not tell any more where the output went")
    return await send(ask, _text(looked.job.user, path))


async def download(ask: Ask) -> Response:
    """Send the directory as an archive, without the links in it."""
    job = await asked_job(ask)
    return await pour_out(ask, job.user, _directory(ask, job), managed(ask).most_bytes)


async def upload(ask: Ask) -> Response:
    """Unpack an archive over the directory: all of it, or nothing."""
    job = await asked_job(ask)
    directory, most = _directory(ask, job), managed(ask).most_bytes
    kind = ask.request.headers.get("content-type", "")
    pieces = await part_of(ask.request.stream(), kind, PART, ZIP)
    await unpack(ask, job, directory, pieces, most)
    return Response(status_code=200, media_type=JSON)


def _directory(ask: Ask, job: ManagedJob) -> str:
    return managed(ask).places.directory(job.app, job.id)


def _text(user: str, path: str) -> Sent:
    return Sent(user, path, TEXT, more={"Content-Type": TEXT})
