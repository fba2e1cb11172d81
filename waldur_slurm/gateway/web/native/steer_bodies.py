"""What a job may be steered with, and what comes back."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from waldur_slurm.gateway.web.native.spelling import OneJob, QuotedTime
from waldur_slurm.hand.options import UPDATED

MOST_CANCELLED = 1000

Mark = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class MarkQuery(msgspec.Struct, frozen=True):
    """Only a job with this `mark`, which is its whole comment, is meant."""

    mark: Mark | None = None


class MeantHeaders(msgspec.Struct, frozen=True, rename={"if_match": "If-Match"}):
    if_match: QuotedTime | msgspec.UnsetType = msgspec.UNSET


class CancelQuery(MarkQuery, frozen=True):
    """With a `signal`, such as `USR1`, the job is sent that and goes on."""

    signal: str = ""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A job to cancel, left alone where it has another time of submission, or another mark."""

    job_id: OneJob
    submit_time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    mark: Mark | None = None


class Cancelling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    jobs: Annotated[tuple[Wish, ...], msgspec.Meta(min_length=1, max_length=MOST_CANCELLED)]
    signal: str = ""


class CancelView(msgspec.Struct, frozen=True):
    """What became of it.

    `outcome` is `cancelled` or `over`, or the last part of a refusal's type: `not-there`,
    `not-this-job`, `denied`, `refused`, `not-now`, `outcome-unknown`; `detail` says why.
    """

    job_id: str
    outcome: str
    detail: str = ""


class CancelAnswer(msgspec.Struct, frozen=True):
    """In the order in which they were named."""

    jobs: tuple[CancelView, ...]


Changes: Any = msgspec.defstruct(
    "Changes",
    [(key, str | int | msgspec.UnsetType, msgspec.UNSET) for key in UPDATED],
    frozen=True,
    forbid_unknown_fields=True,
    namespace={"__doc__": "Slurm's own names and values; what is left out stays as it is."},
)
