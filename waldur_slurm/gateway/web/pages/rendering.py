"""From a template to an answer: every page alike, under a policy that lets nothing run but ours.

Whatever users wrote is text: templates escape it, and the policy would not run it either.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, wraps
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from waldur_slurm.gateway.doors.decide import Yes, decide
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.errors import GatewayError
from waldur_slurm.gateway.reasons.words import meaning_of
from waldur_slurm.gateway.web.answers import in_slices, packed, takes_packed
from waldur_slurm.gateway.web.ask import Ask, Handler
from waldur_slurm.gateway.web.pages import words
from waldur_slurm.gateway.web.pages.forms import form_token, session_of
from waldur_slurm.gateway.web.pages.nav import Entry, entries
from waldur_slurm.gateway.web.pages.static_files import version
from waldur_slurm.gateway.web.problems import advice

HTML = "text/html; charset=utf-8"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Authorization, Accept-Encoding",
}
THEMES = ("auto", "light", "dark")


def read_pages() -> None:
    """Read all that pages are made of; an upgrade beneath a running gateway changes none of it.

    What is read is compiled when a page first needs it: many gateways show none.
    """
    _templates()
    version()


@cache
def _templates() -> Environment:
    made = Environment(
        loader=DictLoader(_texts()),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in (
        "duration",
        "size",
        "number",
        "percent",
        "moment",
        "exact",
        "tone",
        "node_tone",
        "state_tone",
        "stage_tone",
        "octets",
    ):
        made.filters[name] = getattr(words, name)
    made.filters["meaning"] = lambda word: meaning_of(word).says
    made.globals |= {"share": words.share, "level": words.level, "quote": _quoted}
    return made


def _texts() -> dict[str, str]:
    """Return the templates as they are written, by their names."""
    places = (files(__package__) / "templates").iterdir()
    return {place.name: place.read_text("utf-8") for place in places}


def rendered(template: str, values: Mapping[str, Any]) -> bytes:
    return _templates().get_template(template).render(values).encode("utf-8", "replace")


async def shown(ask: Ask, template: str, status: int = 200, **values: Any) -> Response:
    """Answer with a page; it is written in a thread, as a long table takes its time."""
    given = _common(ask) | values

    def make() -> bytes:
        body = rendered(template, given)
        return packed(body) if takes_packed(ask.request) else body

    return html(await ask.site.crossing.bodies.run(make), status)


def html(body: bytes, status: int = 200, more: Mapping[str, str] | None = None) -> Response:
    """Answer with ready bytes, packed or not."""
    encoding = {"Content-Encoding": "gzip"} if body[:2] == b"\x1f\x8b" else {}
    response = in_slices(body, {**HEADERS, **encoding, **(more or {})}, HTML)
    response.status_code = status
    return response


def page(handler: Handler) -> Handler:
    """Let what is refused be a page as well, with all that leads on from there."""

    @wraps(handler)
    async def shows(ask: Ask) -> Response:
        try:
            return await handler(ask)
        except GatewayError as error:
            response = await shown(
                ask,
                "refused.html",
                error.status,
                title=error.title,
                detail=str(error),
                request_id=ask.request_id,
            )
            response.headers.update(advice(error))
            return response

    return shows


def what_was_done(ask: Ask, says: Mapping[str, str], done: str) -> str:
    """Say it where a form of ours led here; a link from elsewhere would say what never was."""
    came = ask.request.headers.get("sec-fetch-site", "same-origin")
    return says.get(done, "") if came == "same-origin" else ""


def redirected(to: str) -> Response:
    """Lead a browser on with a GET, within the dashboard."""
    return RedirectResponse(to, 303, headers=dict(HEADERS))


def entries_of(ask: Ask) -> tuple[Entry, ...]:
    """Return the pages that there are for who asks."""
    site = ask.site
    has = {"apps": site.managed is not None, "monitors": site.watching is not None}
    return entries(ask.principal, {name for name, is_there in has.items() if is_there})


def below(ask: Ask) -> str:
    """Return where the pages of the cluster begin that the address names."""
    named = ask.request.path_params.get("cluster")
    return f"/ui/clusters/{quote(named, safe='')}" if named else "/ui"


def api_of(ask: Ask) -> str:
    """Return where the native API has the same cluster."""
    return below(ask).replace("/ui", "/api/v1", 1)


def theme_of(request: Request) -> str:
    found = request.cookies.get("sgw_theme", "")
    return found if found in THEMES else "auto"


def outside(request: Request | None) -> dict[str, Any]:
    """Return what a page needs that nobody is shown to be on."""
    return {
        "ui": "/ui",
        "static": f"/ui/static/{version()}",
        "theme": theme_of(request) if request else "auto",
        "nav": (),
        "sees_jobs": False,
        "here": "",
        "me": "",
        "is_signed_in": False,
        "clusters": (),
        "cluster": "",
        "form_token": str,  # called, it writes nothing: without a session no form has a token
    }


def _common(ask: Ask) -> dict[str, Any]:
    """Return what every page has around what it shows."""
    prefix, path = below(ask), ask.request.url.path
    who = ask.principal
    return outside(ask.request) | {
        "ui": prefix,
        "nav": entries_of(ask),
        "sees_jobs": isinstance(decide(who, Scope.JOBS_READ), Yes),
        "here": path.removeprefix(prefix),
        "me": who.name or "nobody",
        "is_signed_in": bool(session_of(ask)),
        "clusters": tuple(ask.site.clusters) if len(ask.site.clusters) > 1 else (),
        "cluster": ask.request.path_params.get("cluster", ask.site.default_cluster),
        "form_token": form_token(ask),
        "now": datetime.now(UTC),
    }


def link_with(query: Mapping[str, Any]) -> Callable[..., str]:
    """Make what writes the page's own address with some of its query changed."""

    def link(**changes: Any) -> str:
        given = {**query, **changes}
        return "?" + urlencode({name: value for name, value in given.items() if value != ""})

    return link


def changed(query: msgspec.Struct, *left_out: str) -> dict[str, Any]:
    """Return what of a page's query is not as it is where nobody says so: addresses stay short."""
    default = msgspec.structs.asdict(type(query)())
    given = msgspec.structs.asdict(query)
    return {
        name: value
        for name, value in given.items()
        if value != default[name] and name not in left_out
    }


def attached(file: str) -> dict[str, str]:
    """Return the headers of what a browser saves as this file, anew each time."""
    return {
        "Content-Disposition": f'attachment; filename="{file}"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def _quoted(text: str) -> str:
    return quote(text, safe="")
