"""What the original agent left behind: associations that let people spend without a limit. Pure."""

from collections.abc import Iterator

from waldur_slurm.model.names import ROOT
from waldur_slurm.pull.departures import Departures
from waldur_slurm.pull.desired import Desired
from waldur_slurm.pull.findings import Drift, DriftKind
from waldur_slurm.pull.steps import RemoveUser, SetDefaultAccount


def plan_default_associations(
    desired: Desired, departures: Departures
) -> Iterator[Drift | SetDefaultAccount | RemoveUser]:
    """Show the managed users' associations at root and the default account; remove when asked."""
    world = desired.world
    managed = {
        user
        for kept in desired.kept
        if kept.found
        for user in kept.found.users
        if user in desired.roster.known or user in world.ledger.page(kept.found.name).people
    }
    for name in sorted({ROOT, world.policy.default_account}):
        account = world.snapshot.accounts.get(name)
        for user in sorted(account.users & managed if account else ()):
            if world.policy.protects_user(user):
                continue
            if not world.consent.repair_default_associations:
                yield Drift(DriftKind.DEFAULT_ASSOCIATION, f"{name}/{user}", "present", "absent")
                continue
            yield from departures.leave(user, name, "unlimited, left by the original agent")
