"""What the page of a job lets one do: each a form, which does what the native route of it does."""

from typing import NamedTuple
from urllib.parse import quote

from starlette.responses import Response

from waldur_slurm.gateway.acting.meant import Asked
from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.ask import Ask, Handler
from waldur_slurm.gateway.web.native.filters import read_id, read_time
from waldur_slurm.gateway.web.native.steer import cancel_one, control_one
from waldur_slurm.gateway.web.pages.forms import read_form
from waldur_slurm.gateway.web.pages.rendering import below, page, redirected
from waldur_slurm.gateway.wire import JobView


class Deed(NamedTuple):
    """`asks`: what is asked before it is done, where it cannot be undone."""

    verb: str
    title: str
    asks: str
    scope: Scope
    says: str


DEEDS = (
    Deed("hold", "Hold", "", Scope.JOBS_CONTROL, "The job is held: Slurm does not start it."),
    Deed("release", "Release", "", Scope.JOBS_CONTROL, "The job is released: it may start."),
    Deed(
        "requeue",
        "Requeue",
        "Its run ends, and it waits again.",
        Scope.JOBS_CONTROL,
        "The job is back in the queue.",
    ),
    Deed(
        "cancel",
        "Cancel",
        "It ends, and what it has not written is lost.",
        Scope.JOBS_CANCEL,
        "The job is being cancelled. Slurm may take a moment to end it.",
    ),
)
SAID = {deed.verb: deed.says for deed in DEEDS}


def offered(ask: Ask, job: JobView) -> tuple[Deed, ...]:
    """Leave what makes sense for the job as it is, and what the one who looks may do."""
    is_held = job.state.reason in ("JobHeldUser", "JobHeldAdmin")
    fits = {
        "hold": job.phase == "pending" and not is_held,
        "release": job.phase == "pending" and is_held,
        "requeue": job.phase in ("running", "suspended"),
        "cancel": job.phase in ("pending", "running", "suspended", "unknown"),
    }
    return tuple(
        deed
        for deed in DEEDS
        if fits[deed.verb] and isinstance(decide(ask.principal, deed.scope), Yes)
    )


def doing(verb: str) -> Handler:
    """Make what answers the form; the job is the one that the page showed, or none."""

    @page
    async def act(ask: Ask) -> Response:
        form = await read_form(ask)
        job = read_id(ask.request.path_params["job_id"])
        submitted = form.get("submitted", "")
        asked = Asked(job, read_time(submitted) if submitted else None)
        if verb == "cancel":
            await cancel_one(ask, asked)
        else:
            await control_one(ask, asked, verb)
        return redirected(f"{below(ask)}/jobs/{quote(str(job))}?done={verb}")

    return act
