"""Says who asks, from what a request shows."""

from collections.abc import Collection

from waldur_slurm.gateway.doors.principals import Kind, Principal
from waldur_slurm.gateway.doors.scopes import Scope, widened
from waldur_slurm.gateway.doors.shown import Shown
from waldur_slurm.gateway.errors import NotSignedIn


class Doors:
    """Whoever shows nothing is nobody, with what nobody in particular may do."""

    def __init__(self, anonymous: Collection[Scope]) -> None:
        self._nobody = Principal(kind=Kind.NOBODY, name="", scopes=widened(anonymous))

    def admit(self, shown: Shown) -> Principal:
        """Say who it is; blocks for as long as it takes. Raises `NotSignedIn` or `Denied`."""
        if shown.authorization or shown.app_token:
            raise NotSignedIn("this token is not known here")
        return self._nobody
