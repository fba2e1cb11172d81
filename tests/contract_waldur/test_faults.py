"""Every fault of the switch at every request of every intent.

After each: the right class of error, within the bounds; and once the fault is over, the same act
again leaves Waldur as one undisturbed act does.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.waldur import DialectName, Fault
from tests.contract_waldur.faults import FAULTS, trap_for_tokens, wait_for_what_is_late
from tests.contract_waldur.scenarios import SCENARIOS, SILENT, left_behind, sweep
from tests.contract_waldur.sites import QUICK, ServedSite
from tests.fixtures_waldur import StartWaldur
from tests.patience import AT_ONCE_S
from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.model.marketplace import Dialect


@pytest.fixture(scope="module")
def trap() -> Iterator[tuple[str, list[str]]]:
    with trap_for_tokens() as trap:
        yield trap


def act_under(
    site: ServedSite, scenario: str, fault: Fault | None
) -> tuple[str, BaseException | None, int]:
    """One act, perhaps under a fault: its resource, its error, and the requests it took."""
    resource, act = SCENARIOS[scenario].prepare(site)
    site.waldur.forget_requests()
    site.exchanges.clear()
    if fault is not None:
        site.waldur.fault(fault)
    error: WaldurError | None = None
    start = time.monotonic()
    try:
        act()
    except WaldurError as caught:
        error = caught
    assert time.monotonic() - start < AT_ONCE_S
    if fault is not None and fault.kind == "delay":
        wait_for_what_is_late(site)
    requests = len(site.waldur.requests())
    site.waldur.clear_faults()
    if fault is not None:
        act()
    return resource, error, requests


@pytest.mark.parametrize(("dialect", "scenario"), sweep())
def test_no_fault_is_mistaken_and_none_has_a_second_effect(
    dialect: DialectName,
    scenario: str,
    start_waldur: StartWaldur,
    trap: tuple[str, list[str]],
) -> None:
    elsewhere, arrived = trap
    options = {"enable_membership_sync_status": True}
    waldur = start_waldur(dialect, allocation_delay=0.0, plugin_options=options)
    served = ServedSite(waldur, bounds=QUICK)
    served.market.read_offering()
    resource, error, requests = act_under(served, scenario, None)
    assert error is None
    assert requests
    undisturbed = left_behind(served, resource)
    for kind, (pattern, expected) in FAULTS.items():
        value = elsewhere if kind == "redirect" else pattern.value
        for nth in (*range(1, requests + 1), "all"):
            fault = replace(pattern, nth=nth, value=value)
            resource, error, _ = act_under(served, scenario, fault)
            assert error is None or isinstance(error, expected), (kind, nth, error)
            assert left_behind(served, resource) == undisturbed, (kind, nth, error)
    assert arrived == []
    served.close()


@pytest.mark.parametrize("scenario", sorted(SILENT[Dialect.TODAY]))
def test_what_a_dialect_has_no_place_for_asks_nothing(
    scenario: str, start_waldur: StartWaldur
) -> None:
    served = ServedSite(start_waldur("today"), bounds=QUICK)
    assert act_under(served, scenario, None)[1:] == (None, 0)
    served.close()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_while_asking_for_the_dialect_is_not_an_answer(
    served: ServedSite, kind: str, trap: tuple[str, list[str]]
) -> None:
    pattern, _ = FAULTS[kind]
    hasty = ServedSite(served.waldur, bounds=QUICK)
    value = trap[0] if kind == "redirect" else pattern.value
    served.waldur.fault(Fault(pattern.route, pattern.kind, value=value))
    with pytest.raises(WaldurError):
        hasty.market.read_offering()
    served.waldur.clear_faults()
    hasty.market.read_offering()
    assert hasty.market.dialect is served.dialect
    assert hasty.notices == ["waldur.dialect_found"]
    hasty.close()


def test_a_passing_404_does_not_make_waldur_older(served: ServedSite) -> None:
    served.waldur.fault(Fault("GET **", "status", nth=1, value=404))
    assert served.market.dialect is served.dialect
