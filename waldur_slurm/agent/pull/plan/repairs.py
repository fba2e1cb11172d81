"""What the original agent left behind: associations that let people spend without a limit. Pure."""

from collections.abc import Iterator

from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind
from waldur_slurm.agent.pull.vocabulary.steps import RemoveUser
from waldur_slurm.model.names import ROOT, AccountName, UserName


def unlimited(desired: Desired) -> Iterator[tuple[AccountName, UserName]]:
    """The managed users' associations at root and the default account."""
    world = desired.world
    managed = {
        user
        for kept in desired.kept
        for user in kept.found.users
        if user in desired.roster.known or user in world.ledger.page(kept.found.name).people
    }
    for name in sorted({ROOT, world.policy.default_account}):
        account = world.snapshot.accounts.get(name)
        for user in sorted(account.users & managed if account else ()):
            if not world.policy.protects_user(user):
                yield name, user


def plan_default_associations(desired: Desired) -> Iterator[Drift | RemoveUser]:
    """Show what is unlimited; remove it when asked."""
    for name, user in unlimited(desired):
        if desired.world.consent.repair_default_associations:
            reason = "unlimited, left by the original agent"
            yield RemoveUser(account=name, user=user, reason=reason)
        else:
            yield Drift(
                DriftKind.DEFAULT_ASSOCIATION, f"{name}/{user}", "an unlimited association", "none"
            )
