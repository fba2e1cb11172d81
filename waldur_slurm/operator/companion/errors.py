"""Why a companion ends without having collected all."""

from waldur_slurm.errors import ExpectedError
from waldur_slurm.operator.model.collected import AGAIN, FAILED, TOKEN_ENDED


class CompanionError(ExpectedError):
    """It cannot be done; another companion could not do it either."""

    code = FAILED


class TryAnother(CompanionError):
    """Another companion, later, may do it."""

    code = AGAIN


class TokenEnded(CompanionError):
    """The token is not, or no longer, valid."""

    code = TOKEN_ENDED


class Changing(CompanionError):
    """A file changed while it was copied."""


class Missing(CompanionError):
    """There is no such thing, or nobody knows where it is."""
