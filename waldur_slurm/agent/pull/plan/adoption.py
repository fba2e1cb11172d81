"""When a person says that an account is a resource's own: what still must hold. Pure."""

from waldur_slurm.agent.errors import UnsafePlan
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.vocabulary.steps import AdoptAccount
from waldur_slurm.agent.pull.world.marks import MarkKind, looks_marked
from waldur_slurm.agent.pull.world.ownership import Ours
from waldur_slurm.model.names import AccountName


def adoption(desired: Desired, resource: Resource | None, name: AccountName) -> AdoptAccount:
    """Return the step that marks the account, or raise `UnsafePlan` with the reason."""
    if resource is None:
        raise UnsafePlan("Waldur lists no such resource in this offering")
    found = desired.world.snapshot.accounts.get(name)
    if found is None or found.parent is None:
        raise UnsafePlan(f"Slurm knows no account {name} in this cluster")
    if desired.world.policy.protects_account(name):
        raise UnsafePlan(f"account {name} is protected")
    if looks_marked(found.description):
        raise UnsafePlan(f"account {name} carries a mark already: {found.description}")
    holding = desired.ownership.holding(resource)
    if isinstance(holding, Ours):
        raise UnsafePlan(f"the resource has account {holding.account.name} already")
    mark = desired.ownership.mark(MarkKind.RESOURCE, resource.uuid)
    return AdoptAccount(
        account=name, description=mark.describe(resource.name), before=found.description
    )
