"""Apps that one may open, and one of them with a user's jobs."""

from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.apps.app import App
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import (
    ensure_person,
    list_jobs,
    look_at_all,
    managed,
    stored,
)
from waldur_slurm.gateway.web.native.app_views import ManagedJobView, app_view, managed_job_view
from waldur_slurm.gateway.web.native.apps import all_apps, opened_app
from waldur_slurm.gateway.web.pages.rendering import page, shown, what_was_done


class AppQuery(msgspec.Struct, frozen=True):
    """`user`: whose jobs; nobody named is oneself. `done`: what was just done."""

    user: str = ""
    done: str = ""


class Asked(NamedTuple):
    """Whose jobs are meant, and whether another may be named."""

    user: str
    is_fixed: bool


_SAID = {"remove": "The job is stopped and removed."}


@page
async def show_apps(ask: Ask) -> Response:
    is_admin = Scope.APPS_ADMIN in ask.principal.scopes
    every = await all_apps(ask)
    found = [each for each in every if is_admin or each.id == ask.principal.app]
    return await shown(ask, "apps.html", title="Apps", apps=found)


@page
async def show_app(ask: Ask) -> Response:
    query = ask.query(AppQuery)
    app, asked = await opened_app(ask), user_of(ask, query.user)
    site = managed(ask)
    tokens = await stored(ask, lambda: site.tokens.since(0).tokens)
    return await shown(
        ask,
        "app.html",
        title=app.name,
        app=app_view(app, tokens),
        asked=asked,
        jobs=await _jobs(ask, app, asked.user) if asked.user else (),
        templates=await stored(ask, lambda: site.places.template_names(app.id)),
        of_user=of_user,
        done=what_was_done(ask, _SAID, query.done),
    )


def user_of(ask: Ask, named: str) -> Asked:
    """Find out who is meant: whoever may act for one user alone is that user."""
    who = ask.principal
    may_name = who.run_as.anybody or bool(who.run_as.groups) or len(who.own_users) > 1
    return Asked(named or who.himself or "", is_fixed=not may_name)


def of_user(user: str, **more: Any) -> str:
    """Write the query of a page that is about this user's jobs."""
    given = {"user": user, **more}
    return "?" + urlencode(
        {name: value for name, value in given.items() if value not in ("", None)}
    )


async def _jobs(ask: Ask, app: App, user: str) -> tuple[ManagedJobView, ...]:
    """Return the newest first."""
    person = await ensure_person(ask, user)
    looked = await look_at_all(ask, await list_jobs(ask, app, person.name))
    return tuple(managed_job_view(each.job, each.said) for each in reversed(looked))
