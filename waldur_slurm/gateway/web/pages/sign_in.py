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
from waldur_slurm.gateway.web.pages.rendering import below, entries_of, page, redirected, shown
from waldur_slurm.gateway.web.pages.site import Pages
from waldur_slurm.gateway.web.showing import SESSION_COOKIE, cookie_named, is_by_tls, kept_by

SIGN_IN_COOKIE = "sgw_sign_in"
_NO_ISSUER = "nobody signs in at an issuer here, as GATEWAY_OIDC_CLIENT_ID is not set; use a token"


class SignInQuery(msgspec.Struct, frozen=True):
    """`back`: the page to go to after it."""

    back: str = ""


@page
async def go_home(ask: Ask) -> Response:
    """Lead to the first page that one may see."""
    found = entries_of(ask)
    if not found:
        raise NotSignedIn("nothing is shown without signing in")
    return redirected((below(ask) if found[0].is_of_a_cluster else "/ui") + found[0].path)


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
    _drop(ask, response, SESSION_COOKIE)
    return response


@page
async def begin_at_issuer(ask: Ask) -> Response:
    flow = _pages(ask).flow
    if flow is None:
        raise NotOffered(_NO_ISSUER)
    back = own_page(ask.query(SignInQuery).back) or _from_where(ask)
    begun = await ask.site.crossing.issuer.run(lambda: flow.begin(back))
    response = redirected(begun.address)
    _keep(ask, response, SIGN_IN_COOKIE, begun.sealed, 600)
    return response


@page
async def end_at_issuer(ask: Ask) -> Response:
    """Take what the issuer sends somebody back with, once, in the browser that began it."""
    pages, query = _pages(ask), ask.request.query_params
    if pages.flow is None:
        raise NotOffered(_NO_ISSUER)
    flow = pages.flow
    state, code = query.get("state", ""), query.get("code", "")
    if "error" in query or not code:
        why = query.get("error", "it sent no code")
        raise NotSignedIn(f"the issuer did not sign you in: {why[:200]}")
    sealed = kept_by(ask.request, SIGN_IN_COOKIE)
    ended = await ask.site.crossing.issuer.run(lambda: flow.end(sealed, state, code))
    text = await ask.site.crossing.store.run(lambda: pages.sessions.begin(claims=ended.claims))
    response = _begun(ask, pages, text, own_page(ended.back))
    _drop(ask, response, SIGN_IN_COOKIE)
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
    _keep(ask, response, SESSION_COOKIE, text, int(pages.sessions.life.total_seconds()))
    return response


def _keep(ask: Ask, response: Response, name: str, value: str, life_s: int) -> None:
    """Let the browser keep it, where no script reaches it.

    Where there is TLS, plain HTTP does not either, and no other host of the domain can set one.
    """
    response.set_cookie(
        cookie_named(ask.request, name),
        value,
        max_age=life_s,
        secure=is_by_tls(ask.request),
        httponly=True,
        samesite="lax",
    )


def _drop(ask: Ask, response: Response, name: str) -> None:
    response.delete_cookie(cookie_named(ask.request, name), secure=is_by_tls(ask.request))


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
