"""What the Slurm layer and the hand say no with, as the gateway's refusals."""

from collections.abc import Iterator
from contextlib import contextmanager

from waldur_slurm.errors import (
    AccountingDown,
    CannotStart,
    FileFailed,
    NotPermitted,
    TransportError,
)
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

BUSY_S = 5.0


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what was raised below into what a client is told."""
    try:
        yield
    except port.JobRefused as error:
        raise refused(error.why) from error
    except port.OutcomeUnknown as error:
        raise OutcomeUnknown(str(error), BUSY_S) from error
    except (AccountingDown, CannotStart) as error:
        raise NotNow(f"nothing was done: {error}", BUSY_S) from error
    except NotPermitted as error:
        raise Denied(f"the hand refused: {error}") from error
    except FileFailed as error:
        raise _file_failed(error) from error
    except TransportError as error:
        raise OutcomeUnknown(f"it may have been done or not: {error}", BUSY_S) from error


def refused(why: batch.Refused) -> GatewayError:
    """What Slurm refused, as the gateway says it."""
    if why.refusal is batch.Refusal.BUSY:
        return NotNow(f"Slurm is busy: {why.words}", BUSY_S)
    if why.refusal is batch.Refusal.JOB:
        return NotThere("slurmctld knows no such job, or no longer")
    return Refused(why.words, why.refusal.value, why.limit)


def _file_failed(error: FileFailed) -> Exception:
    if error.errno in ("ENOENT", "ENOTDIR"):
        return NotThere(str(error))
    if error.errno in ("EACCES", "EPERM", "ELOOP", "EXDEV"):
        return Denied(str(error))
    return Refused(str(error))
