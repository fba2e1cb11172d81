"""Forms that do something: sent by a page of ours, on behalf of whoever is signed in there.

A browser shows its cookie whatever page makes it ask. So a form of a session carries what only our
own page could write; whoever shows a token himself needs none of it.
"""

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from waldur_slurm.gateway.errors import Denied, TooLarge, WrongAsk
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.showing import SESSION_COOKIE, kept_by

MOST_FORM = 64 * 1024
TOKEN_FIELD = "form"  # noqa: S105 - a field's name


def session_of(ask: Ask) -> str:
    """Return the session that the browser shows, and that counts; else nothing."""
    headers = ask.request.headers
    if ask.site.pages is None or "authorization" in headers or "x-auth-token" in headers:
        return ""
    text = kept_by(ask.request, SESSION_COOKIE)
    return text if text and ask.site.pages.sessions.has(text) else ""


def form_token(ask: Ask) -> Callable[[], str]:
    """Make what writes the token of each form of a page."""
    text = session_of(ask)

    def made() -> str:
        pages = ask.site.pages
        return pages.sessions.form_token(text) if text and pages else ""

    return made


async def read_form(ask: Ask) -> Mapping[str, str]:
    """Read what was sent; raises `Denied` where no page of ours can have sent it."""
    form = await read_fields(ask)
    headers = ask.request.headers
    if "authorization" in headers or "x-auth-token" in headers:
        return form
    text, pages = session_of(ask), ask.site.pages
    if not text or pages is None:
        raise Denied("sign in first: nothing is done for whoever only looks")
    if not pages.sessions.is_form_token(text, form.get(TOKEN_FIELD, "")):
        raise Denied("the form is not from this session; go back, reload the page and try again")
    return form


async def read_fields(ask: Ask) -> Mapping[str, str]:
    """Read a form whoever sent it."""
    body = b""
    async for part in ask.request.stream():
        body += part
        if len(body) > MOST_FORM:
            raise TooLarge(f"the form is larger than {MOST_FORM} bytes")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        raise WrongAsk("that is no form") from None
    return dict(pairs)


def demand_own_page(ask: Ask) -> None:
    """Raises `Denied` where the browser says that another site's page made it ask."""
    headers = ask.request.headers
    origin, host = headers.get("origin", ""), headers.get("host", "")
    is_own = origin in {f"http://{host}", f"https://{host}"} or not origin
    if not is_own or headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Denied("a page of another site asks; that is not answered")
