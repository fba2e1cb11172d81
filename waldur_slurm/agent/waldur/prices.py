"""Say why Waldur broke over a change of limits, where a missing price is why.

It is asked only after such a failure: a site where all is well pays nothing for it.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from waldur_slurm.agent.errors import WaldurError, WaldurRejected
from waldur_slurm.agent.model.marketplace import Dialect, Offering
from waldur_slurm.agent.model.prices import unpriced
from waldur_slurm.agent.waldur.transport import NotNow

REMEDY = (
    'have the provider give each a price in the plan, 0 if it costs nothing (README, "The offering'
    ' in Waldur"): without one Waldur cannot change limits'
)


@contextmanager
def explaining(
    limits: Collection[str],
    dialect: Dialect,
    read_offering: Callable[[], Offering],
    read_plan: Callable[[], str],
) -> Iterator[None]:
    """Within it, a 500 over `limits` is a refusal for a person where the plan lacks a price."""
    try:
        yield
    except NotNow as error:
        if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        said = _lacking(limits, dialect, read_offering, read_plan)
        if not said:
            raise
        raise WaldurRejected(error.request, error.status, said) from error


def _lacking(
    limits: Collection[str],
    dialect: Dialect,
    read_offering: Callable[[], Offering],
    read_plan: Callable[[], str],
) -> str:
    """Empty where it is not the prices, or nobody can tell."""
    try:
        found = {plan.uuid: (plan, kinds) for plan, kinds in unpriced(read_offering(), dialect)}
        plan, kinds = found.get(read_plan(), (None, ()))
    except WaldurError:
        return ""
    lacking = [kind for kind in kinds if kind in limits]
    if plan is None or not lacking:
        return ""
    return f"the plan {plan.name!r} has no price for {', '.join(lacking)}; {REMEDY}"
