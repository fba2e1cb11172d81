"""A refusal as a page: whoever is not signed in is shown the way in, at the page that he wanted."""

from starlette.responses import Response

from waldur_slurm.gateway.errors import GatewayError, NotSignedIn
from waldur_slurm.gateway.web.ask import Site
from waldur_slurm.gateway.web.pages.rendering import html, outside, rendered
from waldur_slurm.gateway.web.problems import advice


def refusal(error: GatewayError, request_id: str, site: Site | None = None) -> Response:
    """`site` is None where no route is meant. Signing in leads back, by `Referer`."""
    pages = site.pages if site else None
    values = outside(None) | {
        "title": error.title,
        "detail": str(error),
        "request_id": request_id,
        "back": "",
        "can_sign_in": pages is not None,
        "has_issuer": pages is not None and pages.flow is not None,
    }
    if isinstance(error, NotSignedIn):
        detail = f"Sign in to see this page: {error}."
        told = {"title": "Sign in", "detail": detail, "refused": False}
        body = rendered("sign_in.html", values | told)
    else:
        body = rendered("refused.html", values)
    return html(body, error.status, advice(error))
