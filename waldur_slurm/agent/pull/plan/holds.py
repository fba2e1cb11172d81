"""The hold on a user who may not work now and has not left: nothing more can be submitted. Pure.

Jobs stay, running and pending, and the hold is lifted as soon as its reason has passed.
"""

from collections.abc import Iterator

from waldur_slurm.agent.pull.desired.allocations import Kept
from waldur_slurm.agent.pull.plan.departures import IN_PARTITION
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import HoldUser
from waldur_slurm.agent.pull.world.ledger import UserHold


def plan_held(kept: Kept) -> Iterator[HoldUser | Refusal | Drift]:
    in_partitions = {each.user for each in kept.found.associations if each.partition}
    for held in kept.turnover.held:
        association = held.association
        subject = f"{kept.account}/{association.user}"
        if association.user in in_partitions:
            wanted = f"held: {held.reason}"
            yield Drift(DriftKind.PARTITION_ASSOCIATION, subject, IN_PARTITION, wanted)
            continue
        yield Refusal(RefusalKind.HELD, subject, held.reason)
        if association.max_submit_jobs != 0:
            before = UserHold(association.max_submit_jobs)
            yield HoldUser(
                account=kept.account, user=association.user, before=before, reason=held.reason
            )
