"""The rows of the table of routes that are the pages of apps; apps are of no one cluster."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.pages import app_form, app_job, apps
from waldur_slurm.gateway.web.pages.app_deeds import APP_DEEDS, doing
from waldur_slurm.gateway.web.pages.rows import does, shows
from waldur_slurm.gateway.web.route import Route

_USE = Scope.APPS_USE
_APP = "/ui/apps/{app_id}"
_JOB = f"{_APP}/jobs/{{job_id}}"

APP_PAGE_ROUTES: tuple[Route, ...] = (
    shows("/ui/apps", _USE, apps.show_apps, "the apps that one may open"),
    shows(_APP, _USE, apps.show_app, "one app, and a user's jobs of it"),
    shows(f"{_APP}/new", _USE, app_form.show_form, "what a template makes a job of"),
    does(f"{_APP}/jobs", _USE, app_form.make, "makes a job of a template"),
    shows(_JOB, _USE, app_job.show_job, "one managed job: runs, script, output and files"),
    *(
        does(f"{_JOB}/{deed.verb}", _USE, doing(deed), f"what its button {deed.title} does")
        for deed in APP_DEEDS
    ),
)
