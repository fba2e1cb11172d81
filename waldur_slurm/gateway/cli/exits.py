"""What the exit codes of the command line say, and what can be done about a refusal. Pure.

How a job ended has codes below 10; that nothing could be done has those of sysexits.h, so that a
script never takes one for the other. 2 is wrong usage.
"""

from collections.abc import Mapping

from waldur_slurm.gateway.errors import (
    Busy,
    Denied,
    GatewayError,
    NotNow,
    NotSignedIn,
    NotThere,
    NotThisJob,
    OtherBody,
    OutcomeUnknown,
    TooFast,
)
from waldur_slurm.gateway.wire import JobView

DONE = 0
NOT_OVER = 8

OUTCOMES: Mapping[str | None, int] = {
    "success": DONE,
    "failed": 1,
    "timeout": 3,
    "deadline": 3,
    "cancelled": 4,
    "oom": 5,
    "node_fail": 6,
    "boot_fail": 6,
    "preempted": 6,
    None: 7,
}
"""None: it is over, and Slurm does not say how."""

REFUSED = 65
NO_SUCH_THING = 66
UNAVAILABLE = 69
TRY_AGAIN = 75
NOT_ALLOWED = 77

_CODES: tuple[tuple[type[GatewayError], int], ...] = (
    (NotSignedIn, NOT_ALLOWED),
    (Denied, NOT_ALLOWED),
    (NotThere, NO_SUCH_THING),
)
_ADVICE: tuple[tuple[type[GatewayError], str], ...] = (
    (NotSignedIn, "set GATEWAY_TOKEN, or GATEWAY_TOKEN_FILE, to a token that is valid"),
    (Denied, "`slurm-gateway me` shows what you may do"),
    (NotThisJob, "nothing was done; `slurm-gateway show` says which job has that number now"),
    (OtherBody, "use another --key for another job"),
    (TooFast, "wait a moment, and ask less often"),
    (Busy, "ask again in a moment"),
    (OutcomeUnknown, "ask again: it then says whether it was done"),
    (NotNow, "nothing was done; ask again later"),
)


def code_of_job(job: JobView) -> int:
    if not job.terminal:
        return NOT_OVER
    return OUTCOMES.get(job.outcome, OUTCOMES[None])


def code_of_error(error: GatewayError) -> int:
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    if error.transient:
        return TRY_AGAIN
    return UNAVAILABLE if type(error) is GatewayError else REFUSED


def advice_of(error: GatewayError) -> str:
    """Say what to do where the gateway's own words do not; empty where they do."""
    for kind, advice in _ADVICE:
        if isinstance(error, kind):
            return advice
    return ""
