"""What the offering sells and the TRES file does not name, and the other way round."""

from dataclasses import replace

import pytest

from tests.fakes.makers import component
from tests.unit.agent.check.site import Site
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import OfferedComponent
from waldur_slurm.service.check.findings import Finding, Verdict, is_fit

CPU = component("cpu", AccountingType.USAGE)
GPU = component("gres/gpu", AccountingType.LIMIT)


def offered(kind: str, billing: AccountingType | str) -> OfferedComponent:
    return OfferedComponent(
        uuid=f"{kind}-in-waldur",
        type=ComponentType(kind),
        name=kind,
        measured_unit="hours",
        billing_type=billing,
        limit_amount=None,
    )


def judged(*file: Component, **also: AccountingType | str) -> list[Finding]:
    """A site in step with `file`, whose offering sells something more."""
    site = Site(components=file)
    sold = (*site.waldur.offering.components, *(offered(k, b) for k, b in also.items()))
    site.waldur.offering = replace(site.waldur.offering, components=sold)
    assert is_fit(site.findings())
    return [f for f in site.findings() if f.subject == "components"]


@pytest.mark.parametrize(
    ("billing", "meaning"),
    [
        (AccountingType.LIMIT, "an order that names it is invalid"),
        (AccountingType.USAGE, "never billed"),
    ],
)
def test_what_the_offering_sells_and_the_file_does_not_name_has_a_line_with_its_consequence(
    billing: AccountingType, meaning: str
) -> None:
    (found,) = judged(CPU, storage=billing)

    assert found.verdict is Verdict.WARNING
    assert found.found.startswith(f"the offering sells storage by {billing}")
    assert meaning in found.found
    assert found.advice == "sell it in the TRES file, or take it out of the offering in Waldur"


def test_what_no_agent_bills_passes_without_a_word() -> None:
    (found,) = judged(CPU, setup="one", seat="fixed")

    assert (found.verdict, found.found) == (Verdict.OK, "1 component is in step with the TRES file")


@pytest.mark.parametrize("spelt", ["gpu", "GPU", "gpus", "gres/gpus"])
def test_a_name_that_is_spelt_otherwise_in_waldur_is_named_with_the_line_to_write(
    spelt: str,
) -> None:
    site = Site(components=(CPU, GPU))
    mine = tuple(each for each in site.waldur.offering.components if each.type != GPU.type)
    sold = (*mine, offered(spelt, AccountingType.LIMIT))
    site.waldur.offering = replace(site.waldur.offering, components=sold)

    (found,) = [f for f in site.findings() if f.subject == "components"]

    assert f"sells gres/gpu as gres/gpu, and the offering has {spelt} in its place" in found.found
    assert found.advice.startswith(f"write `component: {spelt}` below gres/gpu in the TRES file")
    site.components = (CPU, replace(GPU, type=ComponentType(spelt)))
    assert "components" not in {
        f.subject for f in site.findings() if "in its place" in f.found or "not name" in f.found
    }


def test_names_that_are_merely_similar_are_two_things() -> None:
    site = Site(components=(GPU,))
    site.waldur.offering = replace(
        site.waldur.offering, components=(offered("cpu", AccountingType.USAGE),)
    )

    found = [f.found for f in site.findings() if f.subject == "components"]

    assert len(found) == 2
    assert found[0].startswith("the offering sells cpu by usage")
    assert found[1] == "in Waldur gres/gpu differ from the TRES file, or are missing"
