"""Paused and downscaled resources: reversible holds, and back. Pure.

A hold that the ledger does not know is an administrator's and is never lifted.
"""

from collections.abc import Iterator

from waldur_slurm.agent.pull.desired.allocations import Kept
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.accounts import limits_stand
from waldur_slurm.agent.pull.vocabulary.findings import Drift, DriftKind
from waldur_slurm.agent.pull.vocabulary.steps import HoldAccount, ReleaseAccount, SetQos
from waldur_slurm.agent.pull.world.ledger import AccountHold, QosBefore
from waldur_slurm.model.accounts import Account

HELD = AccountHold(0, 0)


def hold_of(account: Account) -> AccountHold:
    return AccountHold(account.grp_jobs, account.grp_submit_jobs)


def hold_before(desired: Desired, account: Account) -> AccountHold:
    """The limits as they would be without the agent's hold.

    A number that is not 0 while the hold lasts was set by an administrator: it counts.
    """
    now, known = hold_of(account), desired.world.ledger.page(account.name).hold
    if known is None:
        return now
    return AccountHold(
        known.grp_jobs if now.grp_jobs == 0 else now.grp_jobs,
        known.grp_submit_jobs if now.grp_submit_jobs == 0 else now.grp_submit_jobs,
    )


def plan_flags(
    desired: Desired, kept: Kept
) -> Iterator[HoldAccount | ReleaseAccount | SetQos | Drift]:
    yield from _plan_hold(desired, kept, kept.found)
    yield from _plan_qos(desired, kept, kept.found)


def _plan_hold(
    desired: Desired, kept: Kept, found: Account
) -> Iterator[HoldAccount | ReleaseAccount | Drift]:
    now, before = hold_of(found), hold_before(desired, found)
    reason = _reason_to_hold(desired, kept)
    if reason and now != HELD:
        yield HoldAccount(account=found.name, before=before, reason=reason)
    elif not reason and now != before:
        yield ReleaseAccount(account=found.name, restored=before)
    elif not reason and now == HELD:
        yield Drift(
            DriftKind.HOLD, found.name, "a hold that the journal does not know", "none: not paused"
        )


def _reason_to_hold(desired: Desired, kept: Kept) -> str:
    """An account that comes to be the agent's is open only with its ordered limits."""
    if kept.resource.is_paused:
        return "paused in Waldur"
    if kept.is_adopted and kept.limits is None:
        return "its ordered limits are not known"
    awaits_limits = desired.world.ledger.page(kept.found.name).awaits_limits
    if awaits_limits and not limits_stand(desired, kept):
        return "its ordered limits do not stand"
    return ""


def _plan_qos(desired: Desired, kept: Kept, found: Account) -> Iterator[SetQos | Drift]:
    lower = desired.world.policy.downscaled_qos
    held = QosBefore(found.qos, found.default_qos)
    before = desired.world.ledger.page(found.name).qos_before
    if kept.resource.is_downscaled:
        if not lower:
            yield Drift(DriftKind.QOS, found.name, "SLURM_DOWNSCALED_QOS not set", "downscaled")
        elif held != QosBefore((lower,), lower):
            wanted = QosBefore((lower,), lower)
            yield SetQos(account=found.name, qos=wanted, before=held, is_downscaled=True)
    elif before is not None and before != held:
        yield SetQos(account=found.name, qos=before, before=held, is_downscaled=False)
