"""What a request shows to be let in: nothing, a token, or a token of OpenID Connect. Pure."""

import re
from dataclasses import dataclass, field

from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.errors import NotSignedIn, WrongAsk

_BEARER = re.compile(r"bearer +([\x21-\x7e]+)", re.IGNORECASE)
_JWT = re.compile(r"ey[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Credential:
    text: str = field(repr=False)

    @property
    def is_jwt(self) -> bool:
        """Whether an issuer wrote it: it begins with a JSON object, in base64."""
        return _JWT.fullmatch(self.text) is not None


def credential_of(shown: Shown) -> Credential | None:
    """Return what is shown; of two, nobody could tell which one is meant."""
    given = [*shown.authorization, *shown.app_token]
    if len(given) > 1:
        raise WrongAsk("there is more than one token; send one Authorization or X-Auth-Token")
    if not given:
        return None
    text = _bearer(given[0]) if shown.authorization else given[0].strip()
    if not text or len(text) > _LONGEST:
        raise NotSignedIn("that is no token")
    return Credential(text)


def _bearer(header: str) -> str:
    match = _BEARER.fullmatch(header.strip())
    if match is None:
        raise NotSignedIn("Authorization is understood as `Bearer TOKEN` only")
    return match[1]
