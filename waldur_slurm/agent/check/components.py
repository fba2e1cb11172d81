"""What the offering sells and the TRES file does not name, told before a customer meets it. Pure.

`--load-components` walks the file only: what is in Waldur alone is for a person to decide.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher

from waldur_slurm.agent.check.facts import WaldurFacts
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import OfferedComponent
from waldur_slurm.service.check.findings import Finding, warning

_SUBJECT = "components"
_ALIKE = 0.8

_MEANS = {
    AccountingType.LIMIT: "an order that names it is invalid, and its usage is not reported",
    AccountingType.USAGE: "its usage is not reported, and so never billed",
}


def judge_unsold(waldur: WaldurFacts, components: tuple[Component, ...]) -> Iterator[Finding]:
    """Components of other kinds, such as a fee once, are no agent's and pass without a word."""
    misspelt = {offered: component for component, offered in misspellings(waldur, components)}
    for offered in _unsold(waldur, components):
        component = misspelt.get(offered.type)
        if component is None:
            yield warning(
                _SUBJECT,
                f"the offering sells {offered.type} by {offered.billing_type}, and the TRES file"
                f" does not name it: {_MEANS[AccountingType(offered.billing_type)]}",
                "sell it in the TRES file, or take it out of the offering in Waldur",
            )
        else:
            yield warning(
                _SUBJECT,
                f"the TRES file sells {component.tres} as {component.type}, and the offering has"
                f" {offered.type} in its place: {_MEANS[AccountingType(offered.billing_type)]}",
                f"write `component: {offered.type}` below {component.tres} in the TRES file; or, if"
                " they are two things, take the other out of the offering and load the components",
            )


def misspellings(
    waldur: WaldurFacts, components: tuple[Component, ...]
) -> tuple[tuple[Component, ComponentType], ...]:
    """Pairs of which each side lacks the other's name, where the names are nearly the same."""
    left = [each.type for each in _unsold(waldur, components)]
    offered = {each.type for each in waldur.offering.components}
    found: list[tuple[Component, ComponentType]] = []
    for component in components:
        near = [kind for kind in left if _are_alike(component.type, kind)]
        if component.type not in offered and len(near) == 1:
            found.append((component, near[0]))
    return tuple(found)


def _unsold(waldur: WaldurFacts, components: tuple[Component, ...]) -> Iterator[OfferedComponent]:
    sold = {component.type for component in components}
    for offered in waldur.offering.components:
        if isinstance(offered.billing_type, AccountingType) and offered.type not in sold:
            yield offered


def _are_alike(one: str, other: str) -> bool:
    """`gres/gpu` and `gpu`, `Mem` and `mem`, `gpus` and `gpu`; but not `cpu` and `gpu`."""
    mine, theirs = (text.lower().rpartition("/")[2] for text in (one, other))
    return mine == theirs or SequenceMatcher(None, mine, theirs).ratio() >= _ALIKE
