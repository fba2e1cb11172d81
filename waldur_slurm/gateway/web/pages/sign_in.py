"""Signing in and out: by a token, or at the issuer; either begins a session."""

from time import monotonic
from urllib.parse import urlsplit

import msgspec
from starlette.responses import Response

from waldur_slurm.gateway.doors.errands import Errand
from waldur_slurm.gateway.errors import GatewayError, NotOffered, NotSignedIn, WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.pages.forms import (
    demand_own_page,
    read_fields,
    read_form,
    session_of,
)
from waldur_slurm.gateway.web.pages.nav import entries
from waldur_slurm.gateway.web.pages.rendering import below, page, redirected, shown
from waldur_slurm.gateway.web.pages.site import Pages
from waldur_slurm.gateway.web.showing import SESSION_COOKIE

SIGN_IN_COOKIE = "sgw_sign_in"
_CALLBACK = "/ui/oidc/callback"


class SignInQuery(msgspec.Struct, frozen=True):
    """`back`: the page to go to after it."""

    back: str = ""


@page
async def go_home(ask: Ask) -> Response:
    """Lead to the first page that one may see."""
    found = entries(ask.principal)
    if not found:
        raise NotSignedIn("nothing is shown without signing in")
    return redirected(below(ask) + found[0].path)


@page
async def show_sign_in(ask: Ask) -> Response:
    query = ask.query(SignInQuery)
    return await _sign_in_page(ask, 200, "", own_page(query.back))


@page
async def sign_in(ask: Ask) -> Response:
    """Take a token; what is wrong with it is said on the same page."""
    demand_own_page(ask)
    pages = _pages(ask)
    form = await read_fields(ask)
    back = own_page(form.get("back", "")) or _from_where(ask)
    try:
        token_id = await _known(ask, pages, form.get("token", "").strip())
    except GatewayError as error:
        return await _sign_in_page(ask, error.status, str(error), back)
    text = await ask.site.crossing.store.run(lambda: pages.sessions.begin(token_id=token_id))
    return _begun(ask, pages, text, back)


@page
async def sign_out(ask: Ask) -> Response:
    await read_form(ask)
    text, pages = session_of(ask), _pages(ask)
    if text:
        await ask.site.crossing.store.run(lambda: pages.sessions.end(text))
    response = redirected("/ui/sign-in")
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


@page
async def begin_at_issuer(ask: Ask) -> Response:
    flow = _pages(ask).flow
    if flow is None:
        raise NotOffered("people do not sign in at an issuer here: GATEWAY_OIDC_CLIENT_ID")
    back = own_page(ask.query(SignInQuery).back) or _from_where(ask)
    begun = await ask.site.crossing.issuer.run(lambda: flow.begin(back))
    response = redirected(begun.address)
    _keep(ask, response, SIGN_IN_COOKIE, begun.sealed, 600, _CALLBACK)
    return response


@page
async def end_at_issuer(ask: Ask) -> Response:
    """Take what the issuer sends somebody back with, once, in the browser that began it."""
    pages, query = _pages(ask), ask.request.query_params
    if pages.flow is None:
        raise NotOffered("people do not sign in at an issuer here: GATEWAY_OIDC_CLIENT_ID")
    flow = pages.flow
    state, code = query.get("state", ""), query.get("code", "")
    if "error" in query or not code:
        why = query.get("error", "it sent no code")
        raise NotSignedIn(f"the issuer did not sign you in: {why[:200]}")
    sealed = ask.request.cookies.get(SIGN_IN_COOKIE, "")
    ended = await ask.site.crossing.issuer.run(lambda: flow.end(sealed, state, code))
    text = await ask.site.crossing.store.run(lambda: pages.sessions.begin(claims=ended.claims))
    response = _begun(ask, pages, text, own_page(ended.back))
    response.delete_cookie(SIGN_IN_COOKIE, path=_CALLBACK)
    return response


def own_page(address: str) -> str:
    """Return it where it leads to a page of the dashboard, and to nowhere else; else nothing."""
    is_plain = address.isascii() and address.isprintable() and "\\" not in address
    if not is_plain or not (address == "/ui" or address.startswith(("/ui/", "/ui?"))):
        return ""
    parts = urlsplit(address)
    is_elsewhere = parts.scheme or parts.netloc or ".." in parts.path.split("/")
    return "" if is_elsewhere or parts.path.startswith(("/ui/sign", "/ui/oidc")) else address


def _from_where(ask: Ask) -> str:
    """Return the page that showed the form; browsers tell it of their own site."""
    parts = urlsplit(ask.request.headers.get("referer", ""))
    if parts.netloc != ask.request.headers.get("host", ""):
        return ""
    return own_page(f"{parts.path}?{parts.query}" if parts.query else parts.path)


async def _known(ask: Ask, pages: Pages, token: str) -> str:
    if not token:
        raise WrongAsk("paste a token, or sign in in another way")
    asked_at = monotonic()
    while isinstance(found := pages.recognise(token, asked_at), Errand):
        await ask.site.crossing.store.run(found.run)
    return pages.id_of(token)


def _begun(ask: Ask, pages: Pages, text: str, back: str) -> Response:
    response = redirected(back or "/ui")
    _keep(ask, response, SESSION_COOKIE, text, int(pages.sessions.life.total_seconds()), "/")
    return response


def _keep(ask: Ask, response: Response, name: str, value: str, life_s: int, path: str) -> None:
    """Let the browser keep it, where no script reaches it, nor plain HTTP where there is TLS."""
    request = ask.request
    is_safe = "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", ""))
    response.set_cookie(
        name, value, max_age=life_s, path=path, secure=is_safe, httponly=True, samesite="lax"
    )


async def _sign_in_page(ask: Ask, status: int, detail: str, back: str) -> Response:
    pages = ask.site.pages
    return await shown(
        ask,
        "sign_in.html",
        status,
        title="Sign in",
        detail=detail,
        refused=status != 200,
        back=back,
        can_sign_in=pages is not None,
        has_issuer=pages is not None and pages.flow is not None,
    )


def _pages(ask: Ask) -> Pages:
    if ask.site.pages is None:
        raise NotOffered("nobody can sign in here")
    return ask.site.pages
