"""`adopt`: mark an account as an allocation's own, because a person says so."""

import argparse

from waldur_slurm.agent.commands import OK, alone, display_of, require
from waldur_slurm.agent.composition import Parts
from waldur_slurm.agent.daemon.cycle import ensure_audited
from waldur_slurm.agent.directions.pull import PullCarrier
from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.agent.settings import Direction


def adopt(parts: Parts, arguments: argparse.Namespace) -> int:
    require(parts, Direction.PULL, "accounts are adopted by pull.env's agent")
    with alone(parts):
        ensure_audited(parts.audit)
        PullCarrier(parts).adopt(ResourceUuid(arguments.resource), arguments.account)
    display_of(parts).line(
        f"{arguments.account} is the account of {arguments.resource} from now on;"
        " plan shows what the next cycle makes of it"
    )
    return OK
