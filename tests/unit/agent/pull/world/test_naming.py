"""Names as users of the original agent know them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.makers import project, resource
from waldur_slurm.agent.model.marketplace import ResourceUuid
from waldur_slurm.agent.pull.world.choices import Naming
from waldur_slurm.agent.pull.world.marks import MarkKind
from waldur_slurm.agent.pull.world.naming import allocation_names, original_name, parent_names
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.model.names import account_name

PROJECT, RESOURCE = project(), resource()
POLICY = PullPolicy()
uuids = st.text("0123456789abcdef", min_size=32, max_size=32)


def test_an_allocation_is_called_as_the_original_agent_called_it() -> None:
    assert next(allocation_names(POLICY, RESOURCE)) == "hpc_01234_myfirstallocation"


def test_its_name_does_not_change_when_waldur_makes_the_hidden_allocation() -> None:
    hidden = replace(RESOURCE, allocation_uuid="f" * 32)

    assert list(allocation_names(POLICY, hidden)) == list(allocation_names(POLICY, RESOURCE))


def test_the_original_agent_called_it_after_the_hidden_allocation_where_there_was_one() -> None:
    hidden = replace(RESOURCE, allocation_uuid="f" * 32)

    assert original_name(POLICY, hidden) == "hpc_fffff_myfirstallocation"
    assert original_name(POLICY, RESOURCE) == "hpc_01234_myfirstallocation"


def test_its_name_is_cut_to_the_length_the_site_asks_for() -> None:
    policy = PullPolicy(name_max_length=12)

    assert next(allocation_names(policy, RESOURCE)) == "hpc_01234_my"


def test_a_name_that_is_taken_gets_more_of_the_uuid() -> None:
    first, second, third, *_ = allocation_names(POLICY, RESOURCE)

    assert first == "hpc_01234_myfirstallocation"
    assert second == "hpc_01234567_myfirstallocation"
    assert third == "hpc_0123456789ab_myfirstallocation"


def test_parents_carry_their_whole_uuid() -> None:
    assert list(parent_names(POLICY, MarkKind.PROJECT, PROJECT)) == ["hpc_" + "b" * 32]
    assert list(parent_names(POLICY, MarkKind.CUSTOMER, PROJECT)) == ["hpc_" + "c" * 32]


def test_slugs_come_first_where_the_site_asks_for_them() -> None:
    policy = PullPolicy(naming=Naming.SLUG)

    assert next(allocation_names(policy, RESOURCE)) == "hpc_my-first"
    assert next(parent_names(policy, MarkKind.PROJECT, PROJECT)) == "hpc_physics"
    without = replace(RESOURCE, slug="", project=replace(PROJECT, slug=""))
    assert next(allocation_names(policy, without)) == "hpc_01234_myfirstallocation"
    assert next(parent_names(policy, MarkKind.PROJECT, without.project)) == "hpc_" + "b" * 32


@given(name=st.text(), uuid=uuids)
def test_every_name_is_one_safe_slurm_account(name: str, uuid: str) -> None:
    resource = replace(RESOURCE, name=name, uuid=ResourceUuid(uuid))

    names = list(allocation_names(POLICY, resource))

    assert names
    assert len(set(names)) == len(names)
    assert all(account_name(found) == found and len(found) <= 34 for found in names)
