"""How people leave an account, and how an account ends: jobs first, nothing torn away. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from waldur_slurm.agent.model.marketplace import OrderUuid
from waldur_slurm.agent.pull.desired.allocations import Ending, Kept
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.flags import HELD, hold_before, hold_of
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddUser,
    AdoptAccount,
    CancelJobs,
    CompleteOrder,
    HoldAccount,
    HoldUser,
    RemoveAccount,
    RemoveUser,
    ReportFinalUsage,
    SetDefaultAccount,
    Stage,
    Step,
)
from waldur_slurm.agent.pull.world.choices import JobPolicy
from waldur_slurm.agent.pull.world.ledger import UserHold
from waldur_slurm.agent.pull.world.ownership import is_in_cluster
from waldur_slurm.agent.pull.world.world import Answers
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.counting import counted
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import ROOT, AccountName, UserName

LEFT = "no longer in the team"


class Departures:
    """Who leaves what in this plan, and in which order Slurm lets people go.

    Older Slurm leaves a user without a default account, newer refuses to; so the default moves
    first, and where there is nowhere to move it to, it goes last.
    """

    def __init__(self, desired: Desired, answers: Answers, added: Iterable[AddUser]) -> None:
        self._defaults = answers.default_accounts
        self._last_choices = (ROOT, desired.world.policy.default_account)
        self._managed = {allocation.account for allocation in desired.allocations}
        self._ending = {ending.found.name for ending in desired.endings if ending.found}
        self._answers = answers
        self._leaving = _pairs(*leaving(desired))
        self._places = _pairs(
            *(
                (found.name, each.user)
                for found in _accounts(desired)
                for each in found.associations
                if each.user in self._defaults  # whoever has none needs no other place
            ),
            *((step.account, step.user) for step in added),
        )

    def leave(
        self, user: UserName, account: AccountName, reason: str, order: OrderUuid | None = None
    ) -> Iterator[SetDefaultAccount | RemoveUser]:
        stage = Stage.PEOPLE_OUT
        if self._defaults.get(user) == account:
            choices = {place for place in self._places[user] if self._stays(user, place)}
            choices.discard(account)
            if choices:
                target = min(choices, key=lambda name: self._preference(user, name))
                yield SetDefaultAccount(user=user, account=target, leaving=account, order=order)
            else:
                stage = Stage.LAST_PLACES_OUT
        yield RemoveUser(stage=stage, account=account, user=user, reason=reason, order=order)

    def _stays(self, user: UserName, place: AccountName) -> bool:
        """Whether the user stays in the account after this plan, if only until his jobs end."""
        if place not in self._leaving[user]:
            return True
        if self._answers.jobs is None:
            return True
        jobs = self._answers.jobs.get(place, ())
        return any(place in self._ending or job.user == user for job in jobs)

    def _preference(self, user: UserName, name: AccountName) -> tuple[bool, bool, bool, str]:
        is_leaving = name in self._leaving[user]
        return (is_leaving, name in self._last_choices, name not in self._managed, name)


def leaving(desired: Desired) -> Iterator[tuple[AccountName, UserName]]:
    """Who leaves which account, if only when his jobs have ended."""
    for kept in desired.kept:
        yield from ((kept.account, each.user) for each in kept.turnover.leavers)
    for found in (ending.found for ending in desired.endings):
        if found:
            yield from ((found.name, each.user) for each in found.associations)


def _accounts(desired: Desired) -> Collection[Account]:
    return desired.world.snapshot.accounts.values()


def _pairs(*pairs: tuple[AccountName, UserName]) -> defaultdict[UserName, set[AccountName]]:
    accounts: defaultdict[UserName, set[AccountName]] = defaultdict(set)
    for account, user in pairs:
        accounts[user].add(account)
    return accounts


def plan_leavers(
    desired: Desired, kept: Kept, answers: Answers, departures: Departures
) -> Iterator[Step | Refusal | Drift]:
    in_partitions = {a.user for a in kept.found.associations if a.partition}
    jobs = _by_user(answers, kept.found.name)
    for association in kept.turnover.leavers:
        user = association.user
        if user in in_partitions:
            subject = f"{kept.account}/{user}"
            yield Drift(DriftKind.PARTITION_ASSOCIATION, subject, "by hand", "left in Waldur")
        elif jobs is None:
            reason = f"the jobs of {kept.account} are unknown"
            yield Refusal(RefusalKind.UNKNOWN, f"{kept.account}/{user}", reason)
        elif jobs[user]:
            yield from _drain(desired, kept.account, association, jobs[user])
        else:
            yield from departures.leave(user, kept.account, LEFT)


def plan_ending(
    desired: Desired, ending: Ending, answers: Answers, departures: Departures
) -> Iterator[Step | Refusal]:
    """Stop new work, let the jobs end, report the last usage, then remove people and account.

    A removal that was cut short may have left the account's record without a place in the cluster,
    and a slurmctld that fell back to what it had written last, jobs that had been cancelled.
    """
    order = ending.order.uuid
    done = CompleteOrder(resource=ending.resource, order=order, settles_resource=False)
    if ending.found is None:
        name = ending.resource.backend_id
        if name and ending.resource.uuid not in desired.world.ledger.final_usage:
            yield ReportFinalUsage(resource=ending.resource, account=AccountName(name), order=order)
        yield done
        return
    obstacle = _obstacle(desired, ending.found)
    if obstacle:
        yield Refusal(RefusalKind.SITE, order, obstacle)
        return
    if is_in_cluster(ending.found):
        yield from _stop_new_work(desired, ending, ending.found)
    jobs = None if answers.jobs is None else answers.jobs.get(ending.found.name, ())
    if jobs is None:
        yield Refusal(RefusalKind.UNKNOWN, order, f"the jobs of {ending.found.name} are unknown")
    elif jobs:
        yield from _cancel(jobs, desired.world.policy.terminated_jobs, order=order)
        yield Refusal(RefusalKind.WAITING, order, _not_ended(jobs))
    else:
        yield from _clear_away(desired, ending, ending.found, departures)
        yield done


def _clear_away(
    desired: Desired, ending: Ending, found: Account, departures: Departures
) -> Iterator[Step]:
    order = ending.order.uuid
    if ending.resource.uuid not in desired.world.ledger.final_usage:
        yield ReportFinalUsage(resource=ending.resource, account=found.name, order=order)
    for user in sorted({association.user for association in found.associations}):
        yield from departures.leave(user, found.name, "the allocation ends", order)
    yield RemoveAccount(
        stage=Stage.ALLOCATIONS_OUT,
        account=found.name,
        reason="the allocation ends",
        order=order,
    )


def _stop_new_work(desired: Desired, ending: Ending, found: Account) -> Iterator[Step]:
    order = ending.order.uuid
    if ending.adopted_as:
        yield AdoptAccount(
            account=found.name,
            description=ending.adopted_as,
            before=found.description,
            order=order,
        )
    if hold_of(found) != HELD:
        yield HoldAccount(
            account=found.name,
            before=hold_before(desired, found),
            reason="the allocation ends",
            order=order,
        )


def _obstacle(desired: Desired, found: Account) -> str:
    policy = desired.world.policy
    if policy.protects_account(found.name):
        return f"account {found.name} is protected"
    children = desired.ownership.children(found.name)
    if children:
        return f"account {found.name} has accounts below it: {', '.join(children[:3])}"
    protected = [a.user for a in found.associations if policy.protects_user(a.user)]
    if protected:
        return f"account {found.name} holds the protected user {min(protected)}"
    in_partitions = [a.user for a in found.associations if a.partition]
    if in_partitions:
        return f"account {found.name} lets {min(in_partitions)} into a partition, by hand"
    return ""


def _not_ended(jobs: Collection[QueuedJob]) -> str:
    return counted(len(jobs), "job has not ended", "jobs have not ended")


def _drain(
    desired: Desired,
    account: AccountName,
    association: Association,
    jobs: Collection[QueuedJob],
) -> Iterator[Step | Refusal]:
    if association.max_submit_jobs != 0:
        before = UserHold(association.max_submit_jobs)
        yield HoldUser(account=account, user=association.user, before=before, reason=LEFT)
    yield from _cancel(jobs, desired.world.policy.leavers)
    yield Refusal(RefusalKind.WAITING, f"{account}/{association.user}", _not_ended(jobs))


def _cancel(
    jobs: Iterable[QueuedJob], policy: JobPolicy, order: OrderUuid | None = None
) -> Iterator[CancelJobs]:
    by_user: dict[tuple[AccountName, UserName], list[QueuedJob]] = defaultdict(list)
    for job in jobs:
        if policy is JobPolicy.CANCEL or job.is_pending:
            by_user[job.account, job.user].append(job)
    for (account, user), theirs in sorted(by_user.items()):
        ordered = tuple(sorted(theirs, key=lambda job: job.id))
        yield CancelJobs(account=account, user=user, jobs=ordered, order=order)


def _by_user(
    answers: Answers, account: AccountName
) -> defaultdict[UserName, list[QueuedJob]] | None:
    if answers.jobs is None:
        return None
    found: defaultdict[UserName, list[QueuedJob]] = defaultdict(list)
    for job in answers.jobs.get(account, ()):
        found[job.user].append(job)
    return found
