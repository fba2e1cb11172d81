"""What the layers below say no with reaches a client as one of the gateway's refusals."""

import pytest

from waldur_slurm.errors import (
    AccountingDown,
    CannotStart,
    FileFailed,
    NotPermitted,
    TransportError,
)
from waldur_slurm.gateway.acting.words import refusals
from waldur_slurm.gateway.errors import (
    Denied,
    GatewayError,
    NotNow,
    NotThere,
    OutcomeUnknown,
    Refused,
)
from waldur_slurm.model import batch
from waldur_slurm.slurm.batch import port


def _refused(refusal: batch.Refusal) -> port.JobRefused:
    return port.JobRefused(batch.Refused(refusal, "Slurm's words"))


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (_refused(batch.Refusal.PARTITION), Refused),
        (_refused(batch.Refusal.BUSY), NotNow),
        (_refused(batch.Refusal.JOB), NotThere),
        (port.OutcomeUnknown("lost"), OutcomeUnknown),
        (AccountingDown(("sbatch",), 1, "down"), NotNow),
        (CannotStart("no sudo"), NotNow),
        (TransportError("timed out"), OutcomeUnknown),
        (NotPermitted("not listed"), Denied),
        (FileFailed("gone", "ENOENT"), NotThere),
        (FileFailed("a link", "ELOOP"), Denied),
        (FileFailed("full", "EDQUOT"), Refused),
    ],
    ids=str,
)
def test_each_no_is_the_refusal_that_says_whether_it_was_done(
    raised: Exception, told: type[GatewayError]
) -> None:
    with pytest.raises(told), refusals():
        raise raised


def test_a_refusal_keeps_slurms_words_its_kind_and_the_limit() -> None:
    why = batch.Refused(batch.Refusal.LIMIT, "QOSMaxSubmitJobPerUserLimit", "MaxSubmitJobs")
    with pytest.raises(Refused) as told, refusals():
        raise port.JobRefused(why)
    assert (str(told.value), told.value.refusal, told.value.limit) == (
        "QOSMaxSubmitJobPerUserLimit",
        "over-a-limit",
        "MaxSubmitJobs",
    )
