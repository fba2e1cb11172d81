"""How `world.ledger` follows the steps: before each, after it, and against what Slurm shows.

Pure: each function returns the next ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from waldur_slurm.agent.model.marketplace import OrderType
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.accounts import empty_parents, limits_stand
from waldur_slurm.agent.pull.plan.flags import hold_of
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddAccount,
    AddUser,
    AdoptAccount,
    HoldAccount,
    HoldUser,
    MakeHome,
    ReleaseAccount,
    ReleaseUser,
    RemoveAccount,
    RemoveUser,
    ReportFinalUsage,
    SetLimits,
    SetQos,
    Step,
)
from waldur_slurm.agent.pull.world.ledger import Ledger, Page, QosBefore, UserHold
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import AccountName, UserName

Intended = (
    AdoptAccount
    | AddAccount
    | SetLimits
    | HoldAccount
    | HoldUser
    | SetQos
    | AddUser
    | RemoveAccount
)


def with_intent(ledger: Ledger, steps: Iterable[Step]) -> Ledger:
    """Remember what the steps are about to do, and what was there before."""
    pages: dict[AccountName, Page] = {}
    homes = set(ledger.homes_owed)
    for step in steps:
        if isinstance(step, MakeHome):
            homes.add(step.user)
        elif isinstance(step, Intended):
            page = pages.get(step.account, ledger.page(step.account))
            pages[step.account] = _intended(page, step)
    return replace(ledger.with_pages(pages), homes_owed=frozenset(homes))


def with_done(ledger: Ledger, steps: Iterable[Step]) -> Ledger:
    """Forget what the steps have settled."""
    pages: dict[AccountName, Page] = {}
    homes, final = set(ledger.homes_owed), set(ledger.final_usage)
    for step in steps:
        if isinstance(step, MakeHome):
            homes.discard(step.user)
        elif isinstance(step, ReportFinalUsage):
            final.add(step.resource.uuid)
        elif isinstance(step, ReleaseAccount | ReleaseUser | SetQos | RemoveUser | RemoveAccount):
            page = pages.get(step.account, ledger.page(step.account))
            pages[step.account] = _done(page, step)
    return replace(
        ledger.with_pages(pages), homes_owed=frozenset(homes), final_usage=frozenset(final)
    )


def reconciled(ledger: Ledger, desired: Desired) -> Ledger:
    """Bring the ledger in line with what Slurm shows; what is not shown stays remembered."""
    world = desired.world
    downscaled = {each.account for each in desired.allocations if each.resource.is_downscaled}
    pages = {
        name: _reconciled_page(page, world.snapshot.accounts[name], name in downscaled)
        for name, page in ledger.pages.items()
        if name in world.snapshot.accounts
    }
    for kept in desired.kept:
        page = pages.get(kept.account, ledger.page(kept.account))
        if page.awaits_limits and limits_stand(desired, kept):
            pages[kept.account] = replace(page, awaits_limits=False)
    empty = empty_parents(desired)
    for name in empty:
        page = pages.get(name, ledger.page(name))
        pages[name] = replace(page, empty_since=page.empty_since or world.now)
    for name, page in pages.items():
        if page.empty_since is not None and name not in empty:
            pages[name] = replace(page, empty_since=None)
    ending = {o.resource for o in world.waldur.orders if o.type is OrderType.TERMINATE}
    ended = {r.backend_id for r in world.waldur.resources if r.uuid in ending}
    for name, page in ledger.pages.items():
        if page.is_removed and name not in ended:
            pages[name] = replace(pages.get(name, page), is_removed=False)
    return replace(ledger.with_pages(pages), final_usage=ledger.final_usage & ending)


def _intended(page: Page, step: Intended) -> Page:  # noqa: C901 - one case a kind
    match step:
        case AdoptAccount():
            return replace(page, awaits_limits=step.awaits_limits)
        case AddUser():
            return replace(page, people=page.people | {step.user})
        case AddAccount():
            tres = page.tres | set(step.new.limits)
            return replace(page, tres=tres, is_removed=False)
        case RemoveAccount():
            return replace(page, is_removed=step.order is not None)
        case SetLimits():
            ours = {tres for tres, amount in step.limits if amount is not None}
            return replace(page, tres=page.tres | ours)
        case HoldAccount():
            return replace(page, hold=step.before)
        case HoldUser():
            return replace(page, user_holds={**page.user_holds, step.user: step.before})
        case SetQos():
            keeps = not step.is_downscaled or page.qos_before is not None
            return page if keeps else replace(page, qos_before=step.before)


def _done(
    page: Page, step: ReleaseAccount | ReleaseUser | SetQos | RemoveUser | RemoveAccount
) -> Page:
    match step:
        case ReleaseAccount():
            return replace(page, hold=None)
        case ReleaseUser():
            return replace(page, user_holds=_without(page.user_holds, step.user))
        case SetQos():
            return page if step.is_downscaled else replace(page, qos_before=None)
        case RemoveUser():
            holds = _without(page.user_holds, step.user)
            return replace(page, people=page.people - {step.user}, user_holds=holds)
        case RemoveAccount():
            return Page(is_removed=step.order is not None)


def _reconciled_page(page: Page, account: Account, is_downscaled: bool) -> Page:
    held = {a.user for a in account.associations if a.max_submit_jobs == 0}
    hold = hold_of(account)
    is_lifted = hold == page.hold or 0 not in (hold.grp_jobs, hold.grp_submit_jobs)
    is_restored = page.qos_before == QosBefore(account.qos, account.default_qos)
    return replace(
        page,
        people=page.people & account.users,
        hold=None if is_lifted else page.hold,
        user_holds={user: hold for user, hold in page.user_holds.items() if user in held},
        qos_before=None if is_restored and not is_downscaled else page.qos_before,
        is_removed=False,
    )


def _without(holds: Mapping[UserName, UserHold], user: UserName) -> dict[UserName, UserHold]:
    return {name: hold for name, hold in holds.items() if name != user}
