"""When a person says that an account is a resource's own: what still must hold. Pure."""

from waldur_slurm.agent.errors import RequestRefused
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.vocabulary.limits import Unusable, held_limits, limit_change
from waldur_slurm.agent.pull.vocabulary.steps import AdoptAccount, SetLimits
from waldur_slurm.agent.pull.world.marks import MarkKind, looks_marked
from waldur_slurm.agent.pull.world.ownership import Ours
from waldur_slurm.model.accounts import is_in_cluster
from waldur_slurm.model.names import AccountName


def plan_adoption(
    desired: Desired, resource: Resource | None, name: AccountName
) -> tuple[AdoptAccount, SetLimits | None]:
    """The step that marks the account, and before it the one that sets what was ordered.

    Raises `RequestRefused` with the reason.
    """
    if resource is None:
        raise RequestRefused("Waldur lists no such resource in this offering")
    found = desired.world.snapshot.accounts.get(name)
    if found is None or not is_in_cluster(found):
        raise RequestRefused(f"Slurm knows no account {name} in this cluster")
    if desired.world.policy.protects_account(name):
        raise RequestRefused(f"account {name} is protected")
    if looks_marked(found.description):
        raise RequestRefused(f"account {name} carries a mark already: {found.description}")
    holding = desired.ownership.holding(resource)
    if isinstance(holding, Ours):
        raise RequestRefused(f"the resource has account {holding.account.name} already")
    mark = desired.ownership.mark(MarkKind.RESOURCE, resource.uuid)
    limits = held_limits(desired.world.components, resource.limits)
    if isinstance(limits, Unusable):
        raise RequestRefused(f"what was ordered cannot be read: {limits.reason}")
    sold = {component.tres for component in desired.world.components}
    change = limit_change(limits, found.limits, sold)
    setting = SetLimits(account=name, limits=change, before=found.limits) if change else None
    adopting = AdoptAccount(
        account=name, description=mark.describe(resource.name), before=found.description
    )
    return adopting, setting
