"""The agent's own errors: what Waldur did not do, and what a person asked for and cannot be.

ExpectedError
├── WaldurError
│   ├── WaldurUnreachable   (transient)
│   ├── WaldurRejected
│   │   └── NoWaldurThere
│   └── UnexpectedPayload
├── NoSuchAllocation
└── UnsafePlan
"""

from waldur_slurm.errors import ExpectedError


class WaldurError(ExpectedError):
    """Waldur could not do, or could not tell us, something."""


class WaldurUnreachable(WaldurError):
    """No answer, or an answer that says "not now": refused connection, time-out, 429, 5xx."""

    transient = True


class WaldurRejected(WaldurError):
    """Waldur understood the request and said no."""

    def __init__(self, request: str, status: int, said: str) -> None:
        super().__init__(f"{request} answered {status}: {said}")
        self.request = request
        self.status = status
        self.said = said


class NoWaldurThere(WaldurRejected):
    """Something answers at the address, but nothing of it is Waldur's API."""


class UnexpectedPayload(WaldurError):
    """Waldur answered something that its contract does not promise."""


class NoSuchAllocation(ExpectedError):
    """Somebody asked about an account that no allocation of the offering has."""


class UnsafePlan(ExpectedError):
    """The plan removes more than the site's policy allows in one cycle."""
