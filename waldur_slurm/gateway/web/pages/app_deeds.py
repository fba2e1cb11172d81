"""What the page of a managed job lets one do: each a form of a native route."""

from typing import NamedTuple
from urllib.parse import quote

from starlette.responses import Response

from waldur_slurm.gateway.apps.plan import Wish
from waldur_slurm.gateway.web.ask import Ask, Handler
from waldur_slurm.gateway.web.managed import change
from waldur_slurm.gateway.web.native.app_jobs import asked_job
from waldur_slurm.gateway.web.native.app_views import ManagedJobView
from waldur_slurm.gateway.web.pages.apps import of_user
from waldur_slurm.gateway.web.pages.forms import read_form
from waldur_slurm.gateway.web.pages.rendering import page, redirected


class AppDeed(NamedTuple):
    """`asks`: what is asked before it is done, where it cannot be undone."""

    verb: str
    title: str
    wish: Wish
    asks: str
    says: str


APP_DEEDS = (
    AppDeed("start", "Start", Wish.START, "", "The job is handed in to Slurm."),
    AppDeed("stop", "Stop", Wish.STOP, "Its run ends.", "Its run is being ended."),
    AppDeed(
        "prune",
        "Prune",
        Wish.PRUNE,
        "All its files but the script are removed.",
        "Its files are removed, but for the script.",
    ),
    AppDeed(
        "remove",
        "Remove",
        Wish.DELETE,
        "It is stopped; its files, its script and its runs are gone.",
        "The job is stopped and removed.",
    ),
)
SAID = {deed.verb: deed.says for deed in APP_DEEDS}


def offered(job: ManagedJobView) -> tuple[AppDeed, ...]:
    """Leave what makes sense for the job as it is."""
    fits = {"start": not job.started, "stop": job.started, "prune": not job.started}
    return tuple(deed for deed in APP_DEEDS if fits.get(deed.verb, True))


def doing(deed: AppDeed) -> Handler:
    """Make what answers the form."""

    @page
    async def act(ask: Ask) -> Response:
        form = await read_form(ask)
        user = form.get("user", "")
        job = await asked_job(ask, user)
        await change(ask, job, deed.wish)
        here = f"/ui/apps/{quote(job.app)}"
        if deed.wish is not Wish.DELETE:
            here = f"{here}/jobs/{quote(job.id)}"
        return redirected(here + of_user(user, done=deed.verb))

    return act
