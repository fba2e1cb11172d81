"""Apps, their tokens and templates: what who manages them may do."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.apps.app import App, is_app_name
from waldur_slurm.gateway.apps.template import NAME, Template, parse_template
from waldur_slurm.gateway.doors.principals import RunAs, run_as
from waldur_slurm.gateway.errors import Busy, NotThere, WrongAsk
from waldur_slurm.gateway.web.answers import JSON
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.managed import find_app, managed, opens, stored
from waldur_slurm.gateway.web.native.app_views import (
    AppsAnswer,
    AppView,
    NewAppView,
    NewTokenView,
    ScriptView,
    TemplatesAnswer,
    app_view,
    template_view,
)

MOST_TEMPLATE = 1024 * 1024


class AppWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    cross_user: bool = False


class AppChanged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not named stays as it is."""

    name: str | None = None
    cross_user: bool | None = None


class AppTokenWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`run_as`: users and `@groups`, separated by commas, or `any`."""

    name: str
    run_as: str = "any"


class TemplateWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: str


class PreviewWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without a `text` it is the template as it is kept."""

    parameters: dict[str, Any]
    text: str | None = None


async def list_apps(ask: Ask) -> Response:
    return answered(AppsAnswer(await all_apps(ask)))


async def all_apps(ask: Ask) -> tuple[AppView, ...]:
    site = managed(ask)

    def read() -> tuple[AppView, ...]:
        tokens = site.tokens.since(0).tokens
        return tuple(app_view(app, tokens) for app in site.apps.all())

    return await stored(ask, read)


async def make_app(ask: Ask) -> Response:
    site, wanted = managed(ask), await ask.body(AppWanted)
    _check_name(wanted.name)
    made = datetime.now(UTC).replace(microsecond=0)
    app = App(str(uuid4()), wanted.name, made, wanted.cross_user)

    def make() -> NewAppView:
        minted = site.mint(app, app.name)
        site.places.ensure(app.id)
        site.apps.put(app)
        site.tokens.add(minted.token)
        return NewAppView(app_view(app, (minted.token,)), minted.text)

    return answered(await stored(ask, make), 201)


async def show_app(ask: Ask) -> Response:
    app = await opened_app(ask)
    tokens = managed(ask).tokens
    return answered(await stored(ask, lambda: app_view(app, tokens.since(0).tokens)))


async def change_app(ask: Ask) -> Response:
    app, wanted = await find_app(ask), await ask.body(AppChanged)
    site = managed(ask)
    if wanted.name is not None:
        _check_name(wanted.name)
        app = replace(app, name=wanted.name)
    if wanted.cross_user is not None:
        app = replace(app, cross_user=wanted.cross_user)
    await stored(ask, lambda: site.apps.put(app))
    return await show_app(ask)


async def drop_app(ask: Ask) -> Response:
    """Its tokens end with it; its directory stays, empty but for templates."""
    app, site = await find_app(ask), managed(ask)

    def drop() -> bool:
        if not site.apps.drop(app.id):
            return False
        now = datetime.now(UTC)
        for token in site.tokens.since(0).tokens:
            if token.app == app.id:
                site.tokens.revoke(token.id, now)
        return True

    if not await stored(ask, drop):
        raise Busy("the app has jobs; delete them first", 60.0)
    return Response(status_code=204)


async def make_app_token(ask: Ask) -> Response:
    app, wanted = await find_app(ask), await ask.body(AppTokenWanted)
    _check_name(wanted.name)
    actors = _actors(wanted.run_as)
    site = managed(ask)

    def make() -> NewTokenView:
        minted = site.mint(app, wanted.name)
        site.tokens.add(replace(minted.token, run_as=actors))
        return NewTokenView(minted.token.id, minted.text)

    return answered(await stored(ask, make), 201)


async def end_app_token(ask: Ask) -> Response:
    app, site = await find_app(ask), managed(ask)
    token_id = ask.request.path_params["token_id"]

    def end() -> bool:
        known = {token.id for token in site.tokens.since(0).tokens if token.app == app.id}
        return token_id in known and site.tokens.revoke(token_id, datetime.now(UTC))

    if not await stored(ask, end):
        raise NotThere("the app has no such token")
    return Response(status_code=204)


async def list_templates(ask: Ask) -> Response:
    app, places = await opened_app(ask), managed(ask).places
    return answered(TemplatesAnswer(await stored(ask, lambda: places.template_names(app.id))))


async def show_template(ask: Ask) -> Response:
    name = ask.request.path_params["template"]
    return answered(template_view(name, await find_template(ask, await opened_app(ask), name)))


async def put_template(ask: Ask) -> Response:
    """Take one that can be rendered, and no other."""
    app, name = await find_app(ask), ask.request.path_params["template"]
    if NAME.fullmatch(name) is None:
        raise WrongAsk("a template's name has letters, digits, _ and -")
    wanted = await ask.body(TemplateWanted, MOST_TEMPLATE)
    template, places = parse_template(wanted.text), managed(ask).places
    await stored(ask, lambda: places.put_template(app.id, name, wanted.text))
    return answered(template_view(name, template))


async def preview_template(ask: Ask) -> Response:
    app = await opened_app(ask)
    wanted = await ask.body(PreviewWanted, MOST_TEMPLATE)
    if wanted.text is not None:
        template = parse_template(wanted.text)
    else:
        template = await find_template(ask, app, ask.request.path_params["template"])
    return answered(ScriptView(template.render(wanted.parameters)))


async def find_template(ask: Ask, app: App, name: str) -> Template:
    places = managed(ask).places
    found = await stored(ask, lambda: places.read_template(app.id, name))
    if found is None:
        raise NotThere("the app has no such template")
    return found


async def opened_app(ask: Ask) -> App:
    """Find the app for who may use it; to others it is not there."""
    app = await find_app(ask)
    if not opens(ask, app):
        raise NotThere("there is no such app")
    return app


def answered(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type=JSON)


def _check_name(name: str) -> None:
    if not name or not is_app_name(name):
        raise WrongAsk("a name is one line of at most 200 letters")


def _actors(text: str) -> RunAs:
    try:
        return run_as(text)
    except ValueError as error:
        raise WrongAsk(f"run_as: expected {error}") from None
