"""An account that the original agent left comes to be the agent's own, whole or not at all. Pure.

Limits and hold come first, the mark last, and people come and go only when a fresh reading shows
it: an adoption that fails, or that the brake cuts, lets nobody in and takes nobody out.
"""

from collections.abc import Iterator

from waldur_slurm.agent.pull.desired.allocations import Kept
from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.accounts import plan_account
from waldur_slurm.agent.pull.plan.flags import plan_flags
from waldur_slurm.agent.pull.vocabulary.findings import Drift, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import Step


def plan_inherited(desired: Desired, kept: Kept) -> Iterator[Step | Refusal | Drift]:
    yield from plan_account(desired, kept)
    yield from plan_flags(desired, kept)
    yield from _plan_people(kept)


def _plan_people(kept: Kept) -> Iterator[Refusal]:
    """Shown already, so that nobody learns of it only when it is done."""
    for user in kept.turnover.joiners:
        yield _later(kept, user, "comes in as soon as the account is adopted")
    for leaver in kept.turnover.leavers:
        yield _later(kept, leaver.user, "leaves as soon as the account is adopted")
    for held in kept.turnover.held:
        why = f"is held as soon as the account is adopted: {held.reason}"
        yield _later(kept, held.association.user, why)


def _later(kept: Kept, user: str, what: str) -> Refusal:
    return Refusal(RefusalKind.WAITING, f"{kept.account}/{user}", what)
