"""The first original's surface: apps and their jobs, for clients that stay as they are.

An app is shown by its token, a job's user by the header `User`. Answers are JSON on one line; how
it says no is in `slurmer_refusals`.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.apps.app import App, is_app_name
from waldur_slurm.gateway.apps.job import ManagedJob
from waldur_slurm.gateway.apps.places import STOCK
from waldur_slurm.gateway.apps.plan import Idle, Wish
from waldur_slurm.gateway.doors.people import Person
from waldur_slurm.gateway.errors import NotSignedIn, WrongAsk
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import (
    change,
    ensure_opened,
    ensure_person,
    find_app,
    find_job,
    list_jobs,
    look,
    look_at_all,
    make_job,
    managed,
    opens,
    stored,
)
from waldur_slurm.gateway.web.seeds.slurmer_refusals import WrongApp
from waldur_slurm.gateway.web.seeds.slurmer_views import app_view, job_view

TOKEN = "x-auth-token"  # noqa: S105 - the name of a header
USER = "user"


class Status(StrEnum):
    STARTED = "started"
    STOPPED = "stopped"


class AppBody(msgspec.Struct, frozen=True):
    """Whatever else the body says has no effect."""

    name: str = ""


async def list_apps(ask: Ask) -> Response:
    apps = await stored(ask, managed(ask).apps.all)
    return _json([app_view(app) for app in apps])


async def add_app(ask: Ask) -> Response:
    """Make one with a token, which is shown this once."""
    site = managed(ask)
    body = await _app_body(ask)
    app = App(str(uuid4()), body.name, datetime.now(UTC).replace(microsecond=0))

    def make() -> str:
        minted = site.mint(app, app.name)
        site.places.ensure(app.id)
        site.apps.put(app)
        site.tokens.add(minted.token)
        return minted.text

    return _json(app_view(app, await stored(ask, make)))


async def _app_body(ask: Ask) -> AppBody:
    try:
        body = await ask.body(AppBody)
    except WrongAsk as error:
        raise WrongApp(str(error)) from error
    if not is_app_name(body.name):
        raise WrongApp("an app's name is one line of at most 200 letters")
    return body


async def show_app(ask: Ask) -> Response:
    return _json(app_view(await opened(ask)))


async def list_app_jobs(ask: Ask) -> Response:
    app = await opened(ask)
    user = await named_user(ask)
    looked = await look_at_all(ask, await list_jobs(ask, app, user.name))
    return _json([job_view(each.job, each.said) for each in looked])


async def add_job(ask: Ask) -> Response:
    """Render the app's template with what the body says; what it does not declare has no effect."""
    app = await opened(ask)
    user = await named_user(ask)
    given = await ask.body(dict[str, Any])
    site = managed(ask)
    template = await stored(ask, lambda: site.places.read_template(app.id, STOCK))
    if template is None:
        raise AssertionError("the stock template is missing")
    script = template.render(given, takes_others=True)
    name = given.get("job_name")
    job = await make_job(ask, app, user, name if isinstance(name, str) else "", script)
    return _json(job_view(job, Idle()), 201)


async def show_job(ask: Ask) -> Response:
    looked = await look(ask, await asked_job(ask))
    return _json(job_view(looked.job, looked.said))


async def delete_job(ask: Ask) -> Response:
    await change(ask, await asked_job(ask), Wish.DELETE)
    return _done(200)


async def put_status(ask: Ask) -> Response:
    job = await asked_job(ask)
    status = await ask.body(Status)
    await change(ask, job, Wish.START if status is Status.STARTED else Wish.STOP)
    return _json(status)


async def prune(ask: Ask) -> Response:
    job = await asked_job(ask)
    is_forced = "force" in ask.request.query_params
    await change(ask, job, Wish.PRUNE_ANYWAY if is_forced else Wish.PRUNE)
    return _done(204)


async def start(ask: Ask) -> Response:
    await change(ask, await asked_job(ask), Wish.START)
    return _done(204)


async def stop(ask: Ask) -> Response:
    await change(ask, await asked_job(ask), Wish.STOP)
    return _done(204)


async def opened(ask: Ask) -> App:
    """Find the app of the path, for who may use it."""
    app = await find_app(ask)
    if TOKEN not in ask.request.headers and not opens(ask, app):
        raise NotSignedIn("X-Auth-Token is missing")
    ensure_opened(ask, app)
    return app


async def named_user(ask: Ask) -> Person:
    """Find whom the header `User` names; of two, nobody could tell which one is meant."""
    named = ask.request.headers.getlist(USER)
    if not named or not named[0]:
        raise NotSignedIn("the header User is missing")
    if len(named) > 1:
        raise WrongAsk("there is more than one header User; send one")
    return await ensure_person(ask, named[0])


async def asked_job(ask: Ask) -> ManagedJob:
    """Find the job of the path, for who may use its app and is its user."""
    app = await opened(ask)
    user = await named_user(ask)
    return await find_job(ask, app, user.name, ask.request.path_params["job_id"])


def _json(value: object, status: int = 200) -> Response:
    body = msgspec.json.encode(value) + b"\n"
    return Response(body, status_code=status, media_type=JSON)


def _done(status: int) -> Response:
    return Response(status_code=status, media_type=JSON)
