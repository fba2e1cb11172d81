"""How people come into an account: only who is known where Slurm runs, and nowhere else. Pure."""

from collections.abc import Iterable, Iterator

from waldur_slurm.agent.pull.desired.allocations import Allocation, Kept
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.vocabulary.findings import Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import AddUser, MakeHome, ReleaseUser
from waldur_slurm.agent.pull.world.world import Answers
from waldur_slurm.model.accounts import Association


def plan_joiners(
    desired: Desired, allocation: Allocation, answers: Answers
) -> Iterator[AddUser | Refusal]:
    policy = desired.world.policy
    for user in allocation.joiners:
        subject = f"{allocation.account}/{user}"
        if subject in desired.world.quarantined:
            reason = desired.world.quarantined[subject]
            yield Refusal(RefusalKind.QUARANTINED, subject, reason)
        elif policy.require_unix_users and answers.missing_unix_users is None:
            yield Refusal(RefusalKind.UNKNOWN, subject, "it is unknown who has a Unix account")
        elif policy.require_unix_users and user in (answers.missing_unix_users or ()):
            yield Refusal(RefusalKind.NO_UNIX_USER, subject, "no Unix account where Slurm runs")
        else:
            yield AddUser(account=allocation.account, user=user)


def plan_homes(desired: Desired, added: Iterable[AddUser]) -> Iterator[MakeHome]:
    """One home for each who is added now, and for whom it did not work out before."""
    if not desired.world.policy.create_homes:
        return
    owed = desired.world.ledger.homes_owed & desired.people
    for user in sorted(owed | {step.user for step in added}):
        if user not in desired.world.quarantined:
            yield MakeHome(user=user)


def plan_returns(desired: Desired, kept: Kept) -> Iterator[ReleaseUser]:
    """Somebody who was about to leave is in the team again."""
    if kept.people is None:
        return
    holds = desired.world.ledger.page(kept.found.name).user_holds
    held: list[Association] = [
        association
        for association in kept.found.associations
        if not association.partition and association.max_submit_jobs == 0
    ]
    for association in held:
        if association.user in kept.people and association.user in holds:
            yield ReleaseUser(
                account=kept.found.name,
                user=association.user,
                restored=holds[association.user],
            )
