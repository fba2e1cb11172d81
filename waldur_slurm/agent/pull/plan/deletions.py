"""Offering users whose deletion Waldur asked for are told as deleted once nothing is theirs. Pure.

Only where the site says that this agent has the last word on them, and only by what a reading of
everything shows: who is still in an account of the agent's, be it held, is not gone.
"""

from collections.abc import Iterator

from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.vocabulary.steps import DeleteOfferingUser
from waldur_slurm.agent.pull.world.marks import MarkKind


def plan_deletions(desired: Desired) -> Iterator[DeleteOfferingUser]:
    world = desired.world
    if world.is_partial or not world.policy.delete_offering_users:
        return
    there = {
        association.user
        for account, _ in desired.ownership.own(*MarkKind)
        for association in account.associations
    }
    for person in desired.roster.persons.values():
        if person.to_be_deleted and person.username not in there:
            yield DeleteOfferingUser(
                offering_user=person.to_be_deleted,
                user=person.user,
                name=person.username or "somebody without a user name",
            )
