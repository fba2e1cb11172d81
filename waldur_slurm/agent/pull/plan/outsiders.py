"""Members without access are named with what they lack, and made offering users if asked. Pure."""

from collections.abc import Iterator

from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.vocabulary.findings import Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import MakeOfferingUser
from waldur_slurm.agent.pull.world.access import Lack


def plan_outsiders(desired: Desired) -> Iterator[MakeOfferingUser | Refusal]:
    makes_users = desired.world.policy.make_offering_users
    for outsider in desired.outsiders:
        if outsider.lack is Lack.OFFERING_USER and makes_users:
            yield MakeOfferingUser(user=outsider.user, name=outsider.name)
        elif outsider.lack is not Lack.SAFE_NAME:  # which is a refusal of its own
            reason = f"{outsider.name}: {outsider.why}"
            yield Refusal(RefusalKind.NO_ACCESS, outsider.user, reason)
