"""The agent's own errors: what Waldur did not do, and a person's requests that are refused.

ExpectedError
├── WaldurError
│   ├── WaldurUnreachable   (transient)
│   ├── WaldurRejected
│   │   └── NoWaldurThere
│   └── UnexpectedPayload
├── NoSuchAllocation
└── RequestRefused
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


class RequestRefused(ExpectedError):
    """What a person asked for would be wrong, or Waldur would not take it; nothing was done."""
