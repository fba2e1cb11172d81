"""How people sign in to the dashboard, and for how long."""

import re
from dataclasses import dataclass
from datetime import timedelta

from waldur_slurm.variables.readers import duration, token
from waldur_slurm.variables.variable import Secret, variable


def redirect(text: str) -> str:
    local = r"http://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?"
    if re.fullmatch(rf"(https://[A-Za-z0-9_.:\[\]-]+|{local})/ui/oidc/callback", text, re.ASCII):
        return text
    raise ValueError("an address such as https://gateway.example.org/ui/oidc/callback")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """Typed and checked."""

    session_life: timedelta = variable(
        "GATEWAY_SESSION_LIFE",
        duration(timedelta(minutes=1)),
        "how long somebody stays signed in; he is signed out sooner where his token ends",
        "12h",
    )
    client_id: str | None = variable(
        "GATEWAY_OIDC_CLIENT_ID",
        str,
        "what the issuer calls the dashboard, so that people sign in to it there",
        unset_means="people sign in by a token",
    )
    client_secret: Secret | None = variable(
        "GATEWAY_OIDC_CLIENT_SECRET",
        token,
        "the secret that the issuer gave it",
        is_secret=True,
        unset_means="the issuer knows it as a public client; PKCE is used either way",
    )
    redirect_url: str | None = variable(
        "GATEWAY_OIDC_REDIRECT_URL",
        redirect,
        "where the issuer sends people back to: the dashboard's own address and"
        " `/ui/oidc/callback`, as the issuer knows it",
    )
    scopes: str = variable(
        "GATEWAY_OIDC_SCOPES",
        str,
        "what is asked of the issuer about people, groups among it where it takes that",
        "openid profile",
    )
