"""Who asks the first original's routes: an app by `X-Auth-Token`, and a person beside it.

Where the site wants a token of its issuer with each request, that one only has to be good: what may
be done follows from the app's token, or, without one, from the person's groups.
"""

from dataclasses import replace

from waldur_slurm.gateway.doors.principals import NOBODY, Kind, Principal
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.errors import Denied, NotSignedIn
from waldur_slurm.gateway.web.admitting import Admission
from waldur_slurm.gateway.web.seeds.slurmer_refusals import InvalidToken


async def admit_app(admission: Admission, shown: Shown, *, needs_issuer: bool) -> Principal:
    """Say who it is; raises `NotSignedIn` without a token, `Denied` with one that is no good."""
    if needs_issuer:
        person = await _signed_in(admission, shown)
        return await _known(admission, shown) if shown.app_token else person
    return await _known(admission, shown)


async def _signed_in(admission: Admission, shown: Shown) -> Principal:
    """Verify the issuer's token. Who follows from it is nobody, where no user of the site does."""
    if not any(each.lower().startswith("bearer ") for each in shown.authorization):
        raise NotSignedIn("a token of the issuer is needed, as `Authorization: Bearer TOKEN`")
    try:
        found = await admission.admit(replace(shown, app_token=()))
    except NotSignedIn as error:
        raise InvalidToken(str(error)) from error
    except Denied:
        return NOBODY
    if found.kind is not Kind.PERSON:
        raise InvalidToken("that is a token of the gateway's own, not of the issuer")
    return found


async def _known(admission: Admission, shown: Shown) -> Principal:
    """Of both kinds of token the app's counts."""
    if shown.app_token:
        shown = replace(shown, authorization=())
    try:
        return await admission.admit(shown)
    except NotSignedIn as error:
        if not shown.app_token and not shown.authorization:
            raise
        raise Denied(str(error)) from error
