"""Names as users of the original agent know them, and a mark that survives Slurm."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.agent.model.marketplace import (
    CustomerUuid,
    OfferingUuid,
    Project,
    ProjectUuid,
    Resource,
    ResourceState,
    ResourceUuid,
    canonical_uuid,
)
from waldur_slurm.agent.pull.world.choices import Naming
from waldur_slurm.agent.pull.world.marks import Mark, MarkKind, looks_marked, parse_mark
from waldur_slurm.agent.pull.world.naming import allocation_names, parent_names
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.errors import InvalidName
from waldur_slurm.model.names import account_name
from waldur_slurm.slurm.accounting.grammar.text import clean_text

PROJECT = Project(
    uuid=ProjectUuid("b" * 32),
    name="Physics",
    slug="physics",
    customer_uuid=CustomerUuid("c" * 32),
    customer_name="Science",
    customer_slug="science",
)
RESOURCE = Resource(
    uuid=ResourceUuid("0123456789abcdef" * 2),
    name="My First Allocation!",
    slug="my-first",
    state=ResourceState.OK,
    backend_id="",
    project=PROJECT,
)
POLICY = PullPolicy()
OFFERING = OfferingUuid("f" * 32)
uuids = st.text("0123456789abcdef", min_size=32, max_size=32)


def test_an_allocation_is_called_as_the_original_agent_called_it() -> None:
    assert next(allocation_names(POLICY, RESOURCE)) == "hpc_01234_myfirstallocation"


def test_it_is_called_after_the_hidden_allocation_where_there_is_one() -> None:
    hidden = replace(RESOURCE, allocation_uuid="f" * 32)

    assert next(allocation_names(POLICY, hidden)) == "hpc_fffff_myfirstallocation"


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


@pytest.mark.parametrize("uuid", ["", "x", "a" * 31, "a" * 33, "g" * 32, "a,b", "../" + "a" * 29])
def test_what_is_no_uuid_names_nothing(uuid: str) -> None:
    with pytest.raises(InvalidName):
        next(allocation_names(POLICY, replace(RESOURCE, uuid=ResourceUuid(uuid))))


@given(kind=st.sampled_from(list(MarkKind)), offering=uuids, uuid=uuids, name=st.text())
def test_a_mark_is_read_back_from_what_slurm_stores(
    kind: MarkKind, offering: str, uuid: str, name: str
) -> None:
    mark = Mark(kind, OfferingUuid(offering), uuid)
    description = mark.describe(name)

    assert clean_text(description) == description
    assert parse_mark(description) == mark
    assert len(description) <= 125


@pytest.mark.parametrize(
    "description",
    [
        "",
        "alloc",
        f" waldur/resource/{'a' * 32}/{'b' * 32}",
        f"WALDUR/resource/{'a' * 32}/{'b' * 32}",
        f"waldur/resource/{'a' * 32}/{'b' * 31}",
        f"waldur/resource/{'a' * 32}/{'b' * 32}c",
        f"waldur/resource/{'a' * 32}/{'b' * 32}\nother",
        f"waldur/resource/{'A' * 32}/{'b' * 32}",
        f"waldur/account/{'a' * 32}/{'b' * 32} name",
        f"waldur/resource/{'b' * 32}",
    ],
)
def test_what_is_not_a_mark_to_the_letter_is_none(description: str) -> None:
    assert parse_mark(description) is None


def test_a_mark_of_some_other_make_is_known_to_be_somebodys() -> None:
    assert looks_marked("waldur/resource/v9/what is this")
    assert not looks_marked("the waldur account")


def test_uuids_have_one_spelling() -> None:
    assert canonical_uuid("0123ABCD-0000-0000-0000-000000000000") == "0123abcd" + "0" * 24
