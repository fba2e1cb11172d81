"""Routes of apps and their managed jobs."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Handler
from waldur_slurm.gateway.web.native import app_files, app_jobs, app_views, apps
from waldur_slurm.gateway.web.native.events import EVENT_STREAM
from waldur_slurm.gateway.web.native.output import TEXT
from waldur_slurm.gateway.web.native.serving import BYTES
from waldur_slurm.gateway.web.pouring import ZIP
from waldur_slurm.gateway.web.route import Route

_APPS = "/api/v1/apps"
_APP = f"{_APPS}/{{app_id}}"
_TEMPLATE = f"{_APP}/templates/{{template}}"
_JOBS = f"{_APP}/jobs"
_JOB = f"{_JOBS}/{{job_id}}"
_FILE = f"{_JOB}/files/{{path}}"


def _admin(
    method: str,
    path: str,
    handler: Handler,
    says: str,
    *,
    body: type | None = None,
    answer: type | None = None,
    status: int = 200,
) -> Route:
    scope = Scope.APPS_ADMIN
    return Route(method, path, scope, handler, says, body=body, answer=answer, status=status)


def _use(
    method: str,
    path: str,
    handler: Handler,
    says: str,
    *,
    query: type | None = app_jobs.UserQuery,
    body: type | None = None,
    answer: type | None = None,
    status: int = 200,
    media_types: tuple[str, ...] = (JSON,),
) -> Route:
    return Route(
        method,
        path,
        Scope.APPS_USE,
        handler,
        says,
        query=query,
        body=body,
        answer=answer,
        status=status,
        media_types=media_types,
    )


APP_ROUTES: tuple[Route, ...] = (
    _admin("GET", _APPS, apps.list_apps, "all apps", answer=app_views.AppsAnswer),
    _admin(
        "POST",
        _APPS,
        apps.make_app,
        "a new app; its token is shown this once",
        body=apps.AppWanted,
        answer=app_views.NewAppView,
        status=201,
    ),
    _use("GET", _APP, apps.show_app, "one app", query=None, answer=app_views.AppView),
    _admin(
        "PATCH",
        _APP,
        apps.change_app,
        "changes an app",
        body=apps.AppChanged,
        answer=app_views.AppView,
    ),
    _admin(
        "DELETE",
        _APP,
        apps.drop_app,
        "removes an app that has no jobs, and ends its tokens",
        status=204,
    ),
    _admin(
        "POST",
        f"{_APP}/tokens",
        apps.make_app_token,
        "a token that opens the app; it is shown this once",
        body=apps.AppTokenWanted,
        answer=app_views.NewTokenView,
        status=201,
    ),
    _admin(
        "DELETE",
        f"{_APP}/tokens/{{token_id}}",
        apps.end_app_token,
        "ends a token of the app",
        status=204,
    ),
    _use(
        "GET",
        f"{_APP}/templates",
        apps.list_templates,
        "the app's templates",
        query=None,
        answer=app_views.TemplatesAnswer,
    ),
    _use(
        "GET",
        _TEMPLATE,
        apps.show_template,
        "one template, with what it may be given",
        query=None,
        answer=app_views.TemplateView,
    ),
    _admin(
        "PUT",
        _TEMPLATE,
        apps.put_template,
        "writes a template",
        body=apps.TemplateWanted,
        answer=app_views.TemplateView,
    ),
    _use(
        "POST",
        f"{_TEMPLATE}/preview",
        apps.preview_template,
        "the script that a template makes",
        query=None,
        body=apps.PreviewWanted,
        answer=app_views.ScriptView,
    ),
    _use(
        "GET",
        _JOBS,
        app_jobs.list_managed_jobs,
        "the user's jobs of the app",
        answer=app_views.ManagedJobsAnswer,
    ),
    _use(
        "POST",
        _JOBS,
        app_jobs.make_managed_job,
        "a new job from a template",
        query=None,
        body=app_jobs.ManagedJobWanted,
        answer=app_views.ManagedJobView,
        status=201,
    ),
    _use("GET", _JOB, app_jobs.show_managed_job, "one job", answer=app_views.ManagedJobView),
    _use("DELETE", _JOB, app_jobs.drop_managed_job, "stops a job and removes it", status=204),
    _use(
        "POST",
        f"{_JOB}/start",
        app_jobs.start_managed_job,
        "starts a job; one that is started stays so",
        answer=app_views.ManagedJobView,
    ),
    _use(
        "POST",
        f"{_JOB}/stop",
        app_jobs.stop_managed_job,
        "stops a job",
        answer=app_views.ManagedJobView,
    ),
    _use(
        "POST",
        f"{_JOB}/prune",
        app_jobs.prune_managed_job,
        "removes all of a job's files but the script",
        query=app_jobs.PruneQuery,
        answer=app_views.ManagedJobView,
    ),
    _use(
        "GET",
        f"{_JOB}/runs",
        app_jobs.list_runs,
        "every start of a job, with how it ended",
        answer=app_views.RunsAnswer,
    ),
    _use("GET", f"{_JOB}/script", app_jobs.show_script, "the job's script", media_types=(TEXT,)),
    _use(
        "GET",
        f"{_JOB}/output",
        app_jobs.show_run_output,
        "what a run writes, as of any job: a piece, its end, or all as it comes",
        query=app_jobs.RunOutputQuery,
        media_types=(TEXT, EVENT_STREAM),
    ),
    _use(
        "GET",
        f"{_JOB}/files",
        app_files.list_job_files,
        "what is in the job's directory",
        query=app_files.JobFilesQuery,
        answer=app_files.JobFilesAnswer,
    ),
    _use(
        "GET",
        _FILE,
        app_files.show_job_file,
        "a file, streamed; takes `Range`",
        media_types=(BYTES,),
    ),
    _use("PUT", _FILE, app_files.put_job_file, "writes a file: the body, as it is", status=204),
    _use("DELETE", _FILE, app_files.drop_job_file, "removes a file or a directory", status=204),
    _use(
        "GET",
        f"{_JOB}/archive",
        app_files.show_archive,
        "the job's directory as a zip",
        media_types=(ZIP,),
    ),
    _use(
        "POST",
        f"{_JOB}/archive",
        app_files.take_archive,
        "unpacks a zip over it, or nothing",
        status=204,
    ),
)
