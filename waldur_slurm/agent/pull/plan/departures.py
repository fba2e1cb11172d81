"""How people leave an account, and how an account ends: jobs first, nothing torn away. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from waldur_slurm.agent.model.marketplace import OrderUuid
from waldur_slurm.agent.pull.desired.allocations import Ending, Kept
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.flags import HELD, hold_before, hold_of
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.steps import (
    AdoptAccount,
    CancelJobs,
    CompleteOrder,
    HoldAccount,
    HoldUser,
    RemoveAccount,
    RemoveUser,
    ReportFinalUsage,
    Step,
)
from waldur_slurm.agent.pull.world.choices import JobPolicy
from waldur_slurm.agent.pull.world.ledger import UserHold
from waldur_slurm.agent.pull.world.ownership import name_in_waldur
from waldur_slurm.agent.pull.world.world import Answers
from waldur_slurm.model.accounts import Account, Association, is_in_cluster
from waldur_slurm.model.counting import counted
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import AccountName, UserName

LEFT = "no longer in the team"
IN_PARTITION = "an association of one partition, added by hand"


def leaving(desired: Desired) -> Iterator[tuple[AccountName, UserName]]:
    """Who leaves which account, now or when the last jobs have ended."""
    for kept in desired.kept:
        yield from ((kept.account, each.user) for each in kept.turnover.leavers)
    for found in (ending.found for ending in desired.endings):
        if found:
            yield from ((found.name, each.user) for each in found.associations)


def plan_leavers(
    desired: Desired, kept: Kept, answers: Answers
) -> Iterator[Step | Refusal | Drift]:
    in_partitions = {a.user for a in kept.found.associations if a.partition}
    jobs = _by_user(answers, kept.found.name)
    for association in kept.turnover.leavers:
        user = association.user
        if user in in_partitions:
            subject = f"{kept.account}/{user}"
            wanted = "none: the user has left the team"
            yield Drift(DriftKind.PARTITION_ASSOCIATION, subject, IN_PARTITION, wanted)
        elif jobs is None:
            reason = f"the jobs of {kept.account} are unknown"
            yield Refusal(RefusalKind.UNKNOWN, f"{kept.account}/{user}", reason)
        elif jobs[user]:
            yield from _drain(desired, kept.account, association, jobs[user])
        else:
            yield RemoveUser(account=kept.account, user=user, reason=LEFT)


def plan_ending(desired: Desired, ending: Ending, answers: Answers) -> Iterator[Step | Refusal]:
    """Stop new work, let the jobs end, report the last usage, then remove people and account.

    A removal that was cut short may have left the account's record without a place in the cluster,
    and a slurmctld that fell back to what it had written last, jobs that had been cancelled.
    """
    order = ending.order.uuid
    done = CompleteOrder(resource=ending.resource, order=order, settles_resource=False)
    if ending.found is None:
        yield from _plan_vanished(desired, ending, answers, done)
        return
    obstacle = _obstacle(desired, ending.found)
    if obstacle:
        yield Refusal(RefusalKind.SITE, order, obstacle)
        return
    if is_in_cluster(ending.found):
        yield from _stop_new_work(desired, ending, ending.found)
    jobs = _jobs_of(answers, ending.found.name)
    if jobs is None:
        yield Refusal(RefusalKind.UNKNOWN, order, f"the jobs of {ending.found.name} are unknown")
    elif jobs:
        yield from _cancel(jobs, desired.world.policy.terminated_jobs, order=order)
        yield Refusal(RefusalKind.WAITING, order, _not_ended(jobs))
    else:
        yield from _clear_away(desired, ending, ending.found)
        yield done


def _plan_vanished(
    desired: Desired, ending: Ending, answers: Answers, done: CompleteOrder
) -> Iterator[Step | Refusal]:
    """End what is left of an allocation whose account is gone; jobs may have outlived it.

    slurmctld fell back to what it had written last, or somebody removed the account while they were
    pending. Its name alone does not make them the agent's.
    """
    order, name = ending.order.uuid, ending.resource.backend_id
    account = name_in_waldur(ending.resource)
    jobs = _jobs_of(answers, account)
    if jobs is None:
        yield Refusal(RefusalKind.UNKNOWN, order, f"the jobs of {name} are unknown")
    elif not jobs:
        if name and ending.resource.uuid not in desired.world.ledger.final_usage:
            yield ReportFinalUsage(resource=ending.resource, account=AccountName(name), order=order)
        yield done
    elif desired.ownership.was_ours(ending.resource):
        yield from _cancel(jobs, desired.world.policy.terminated_jobs, order=order)
        yield Refusal(RefusalKind.WAITING, order, _not_ended(jobs))
    else:
        reason = (
            f"{_not_ended(jobs)} of account {name}, which Slurm no longer lists and"
            f" the journal does not know: if they are its own, `scancel --account={name}`"
        )
        yield Refusal(RefusalKind.SITE, order, reason)


def _jobs_of(answers: Answers, account: AccountName | None) -> Collection[QueuedJob] | None:
    if account is None:
        return ()
    return None if answers.jobs is None else answers.jobs.get(account, ())


def _clear_away(desired: Desired, ending: Ending, found: Account) -> Iterator[Step]:
    order = ending.order.uuid
    if ending.resource.uuid not in desired.world.ledger.final_usage:
        yield ReportFinalUsage(resource=ending.resource, account=found.name, order=order)
    for user in sorted({association.user for association in found.associations}):
        yield RemoveUser(account=found.name, user=user, reason="the allocation ends", order=order)
    yield RemoveAccount(
        stage=Stage.ALLOCATIONS_OUT,
        account=found.name,
        reason="the allocation ends",
        order=order,
    )


def _stop_new_work(desired: Desired, ending: Ending, found: Account) -> Iterator[Step]:
    order = ending.order.uuid
    if hold_of(found) != HELD:
        yield HoldAccount(
            account=found.name,
            before=hold_before(desired, found),
            reason="the allocation ends",
            order=order,
        )
    if ending.adopted_as:
        yield AdoptAccount(
            account=found.name,
            description=ending.adopted_as,
            before=found.description,
            awaits_limits=True,
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
