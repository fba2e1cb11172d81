"""Which answers of this reading are too small to be believed at once. Pure.

How long a doubt lasts, and when it is taken for the truth, is in `world.doubts`.
"""

from collections.abc import Iterable
from datetime import timedelta

from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.world.doubts import Doubt, doubt_of
from waldur_slurm.agent.pull.world.marks import MarkKind
from waldur_slurm.agent.pull.world.people import Turnover
from waldur_slurm.model.counting import counted

GREATEST_CLOCK_DIFFERENCE = timedelta(minutes=5)
_FEW = 4
"""Below so many, half of them is no sign of anything."""


def find_doubts(desired: Desired) -> Iterable[Doubt]:
    """Compare what Waldur tells with what the agent's accounts in Slurm still show."""
    listed = {str(resource.uuid) for resource in desired.world.waldur.resources}
    listed |= {row.uuid for row in desired.world.waldur.unreadable}
    marked = [mark.uuid for _, mark in desired.ownership.own(MarkKind.RESOURCE)]
    lost = sum(uuid not in listed for uuid in marked)
    if marked and (lost == len(marked) or (lost >= _FEW and lost * 2 >= len(marked))):
        found = counted(len(marked), "allocation")
        yield Doubt("resources", f"Waldur lists {len(marked) - lost} of {found}", lost)
    leavers = sum(_losers(k.turnover) for k in desired.kept if not k.resource.is_restricted)
    people = _people(desired)
    if leavers >= _FEW and leavers * 2 >= people:
        yield Doubt(
            "people", f"{leavers} of {people} people would leave or be held at once", leavers
        )
    for kept in desired.kept:
        left = kept.turnover.leavers
        is_emptied = kept.people == () and not kept.resource.is_restricted
        if left and is_emptied:
            reason = f"the team of {kept.account} is suddenly empty"
            yield Doubt(f"team/{kept.resource.uuid}", reason, len(left), kept.account)
    if desired.world.clock_difference > GREATEST_CLOCK_DIFFERENCE:
        yield Doubt("clock", "Waldur's clock and ours tell different times", 1)
    for missing in desired.missing:
        resource = missing.resource
        reason = f"Slurm does not list {resource.backend_id}"
        yield Doubt(doubt_of(resource), reason, 1, resource.backend_id)


def _losers(turnover: Turnover) -> int:
    """Who leaves, and who is held now; whoever is held already loses nothing more."""
    held = sum(each.association.max_submit_jobs != 0 for each in turnover.held)
    return len(turnover.leavers) + held


def _people(desired: Desired) -> int:
    return sum(len(kept.found.users) for kept in desired.kept)
