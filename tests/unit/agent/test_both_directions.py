"""Pull and push serve one site: what the one has settled, the other leaves as it is."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.pull import COMPONENTS, Site, new_site, served
from waldur_slurm.agent.model.marketplace import Dialect, Resource
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.push.plan.policy import PushPolicy
from waldur_slurm.model.accounts import Association
from waldur_slurm.model.names import UserName
from waldur_slurm.state import StateDirectory

older = pytest.mark.parametrize("dialect", [Dialect.TRANSITION, Dialect.CLASSIC])

EVE_IN_ONE_PARTITION = Association(UserName("eve"), partition="debug")


def push_of(site: Site, directory: Path) -> PushCycle:
    return PushCycle(
        accounting=site.slurm,
        marketplace=site.waldur,
        components=COMPONENTS,
        policy=PushPolicy(),
        state=StateDirectory(directory),
        sink=site.events.append,
        clock=lambda: site.waldur.now,
    )


def with_eve_in_one_partition(site: Site, *people: str) -> Resource:
    """An administrator has let somebody into a partition of the account, by hand."""
    resource = served(site, *people)
    account = site.account_of(resource.uuid)
    associations = (*account.associations, EVE_IN_ONE_PARTITION)
    site.slurm.put(replace(account, associations=associations))
    return resource


@older
@pytest.mark.parametrize("people", [("ann",), ("ann", "eve")], ids=["a stranger", "a member"])
def test_who_is_in_one_partition_only_is_told_by_neither_direction_against_the_other(
    dialect: Dialect, people: tuple[str, ...], tmp_path: Path
) -> None:
    site = new_site(dialect)
    resource = with_eve_in_one_partition(site, *people)
    push = push_of(site, tmp_path)
    for _ in range(2):
        site.run()
        push.run()
        site.wait(timedelta(minutes=5))

    assert site.run().is_idle
    assert push.run().is_idle
    assert site.waldur.associations[resource.uuid] == set(people)
