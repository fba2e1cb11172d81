"""A job of an app made by a form, which has a field for each thing that the template declares."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.apps.app import App, is_app_name
from waldur_slurm.gateway.apps.places import STOCK
from waldur_slurm.gateway.apps.plan import Wish
from waldur_slurm.gateway.apps.template import Template
from waldur_slurm.gateway.errors import NotThere, WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import change, ensure_person, find_job, make_job
from waldur_slurm.gateway.web.native.app_views import template_view
from waldur_slurm.gateway.web.native.apps import find_template, opened_app
from waldur_slurm.gateway.web.pages.apps import of_user, user_of
from waldur_slurm.gateway.web.pages.filled import field_of, filled_in, parameters_of
from waldur_slurm.gateway.web.pages.forms import read_form
from waldur_slurm.gateway.web.pages.rendering import page, redirected, shown


class FormQuery(msgspec.Struct, frozen=True):
    template: str = STOCK
    user: str = ""


@page
async def show_form(ask: Ask) -> Response:
    query = ask.query(FormQuery)
    app = await opened_app(ask)
    template = await find_template(ask, app, query.template)
    given = {"user": query.user, "template": query.template, "start": "on", "once": token_hex(16)}
    return await _form(ask, app, template, given | filled_in(template.parameters))


@page
async def make(ask: Ask) -> Response:
    """Make it once, however often the form is sent; what is wrong is said beside what was typed."""
    form = await read_form(ask)
    app = await opened_app(ask)
    template = await find_template(ask, app, form.get("template", STOCK))
    try:
        job_id = await _make(ask, app, template, form)
    except WrongAsk as error:
        return await _form(ask, app, template, form, str(error))
    user = user_of(ask, form.get("user", "")).user
    return redirected(f"/ui/apps/{quote(app.id)}/jobs/{quote(job_id)}{of_user(user)}")


async def _make(ask: Ask, app: App, template: Template, form: Mapping[str, str]) -> str:
    user, name = user_of(ask, form.get("user", "")).user, form.get("name", "").strip()
    if not user:
        raise WrongAsk("user: expected whose job it is")
    if not is_app_name(name):
        raise WrongAsk("name: expected one line of at most 200 letters")
    person = await ensure_person(ask, user)
    script = template.render(given := parameters_of(template.parameters, form))
    job_id = _id_of(ask, app, person.name, form.get("once", ""))
    try:
        job = await find_job(ask, app, person.name, job_id)
    except NotThere:
        name = name or str(given.get("job_name") or "")
        job = await make_job(ask, app, person, name, script, job_id)
    if "start" in form and not job.runs:
        await change(ask, job, Wish.START)
    return job.id


def _id_of(ask: Ask, app: App, user: str, once: str) -> str:
    """One form makes one job, of whoever sends it: nobody else's form makes the same."""
    if not once:
        raise WrongAsk("the form is not whole; go back, reload the page and try again")
    return str(uuid5(UUID(app.id), f"{ask.principal} {user} {once}"))


async def _form(
    ask: Ask, app: App, template: Template, given: Mapping[str, Any], detail: str = ""
) -> Response:
    return await shown(
        ask,
        "app_form.html",
        400 if detail else 200,
        title=f"New job of {app.name}",
        app=app,
        asked=user_of(ask, given.get("user", "")),
        made_of=template_view(given.get("template", STOCK), template),
        given=given,
        field_of=field_of,
        detail=detail,
        of_user=of_user,
    )
