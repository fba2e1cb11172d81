"""A list of hosts means to us what it means to Slurm's own tool, name for name and in its order."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.site import RealSite
from tests.laws.hosts import HOST_LISTS, HOST_NAMES, PLAIN_HOST_LISTS
from waldur_slurm.model.hosts import expand_hosts, fold_hosts

asked = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""One process a list of lists: what is tried many times are the lists, not the tool's start."""


def _several(lists: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(lists, min_size=1, max_size=30)


def _hostnames(site: RealSite, text: str) -> tuple[str, ...]:
    return tuple(site.machine.must("scontrol", "show", "hostnames", text).split("\n")[:-1])


@asked
@given(lists=_several(PLAIN_HOST_LISTS))
def test_a_list_is_spread_as_slurm_spreads_it(real: RealSite, lists: list[str]) -> None:
    text = ",".join(lists)
    assert _hostnames(real, text) == expand_hosts(text)


@asked
@given(lists=_several(HOST_LISTS))
def test_a_list_with_something_behind_its_brackets_is_read_where_slurm_reads_it(
    real: RealSite, lists: list[str]
) -> None:
    text = ",".join(lists)
    if real.machine.run("scontrol", "show", "hostnames", "n[1-2]x").out.startswith("n1x"):
        assert _hostnames(real, text) == expand_hosts(text)
    else:
        assert expand_hosts(text)


@asked
@given(names=st.lists(HOST_NAMES, min_size=1, max_size=60))
def test_names_are_folded_as_slurm_folds_them(real: RealSite, names: list[str]) -> None:
    folded = real.machine.must("scontrol", "show", "hostlist", ",".join(names)).strip()
    assert fold_hosts(names) == folded
    assert _hostnames(real, folded) == tuple(names)


@pytest.mark.parametrize("text", ["n[3-1]", "n[]", "n[a-b]", "n[1-2,]"])
def test_slurm_too_refuses_what_is_no_list(real: RealSite, text: str) -> None:
    said = real.machine.run("scontrol", "show", "hostnames", text)
    assert "Invalid hostlist" in said.out + said.err
