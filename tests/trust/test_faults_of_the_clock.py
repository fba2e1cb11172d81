"""A clock that is stepped by hours: what rests on the time waits, the rest goes on."""

from contextlib import suppress
from datetime import timedelta

import pytest

from sandbox.waldur import DialectName
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from tests.trust.faults_flows import FLOWS
from tests.trust.faults_world import World
from tests.trust.size import IS_CAMPAIGN, count
from waldur_slurm.errors import ExpectedError

STEPS = (timedelta(hours=5), timedelta(hours=-5), timedelta(days=31), timedelta(days=-400))


@pytest.mark.parametrize("name", [name for name in FLOWS if name != "components"])
@pytest.mark.parametrize("dialect", DIALECT_NAMES if IS_CAMPAIGN else ("transition",))
def test_a_clock_that_is_stepped_there_and_back_costs_a_cycle_at_most(
    dialect: DialectName, name: str, start_waldur: StartWaldur
) -> None:
    flow = FLOWS[name]
    world = World(start_waldur(dialect, allocation_delay=0.0))
    world.spare()
    for step in STEPS:
        resource = flow.begin(world)
        world.clock_error = step
        for _ in range(2):
            with suppress(ExpectedError):
                flow.act(world)
        world.assert_nothing_false()
        world.clock_error = timedelta(0)

        flow.act(world)

        assert flow.is_done(world, resource), step
        world.assert_nothing_false()
        count("fault of the agent: clock stepped")
    world.served.close()


@pytest.mark.parametrize("step", STEPS)
def test_half_an_hour_that_a_step_of_the_clock_made_proves_nothing(
    step: timedelta, start_waldur: StartWaldur
) -> None:
    world = World(start_waldur("today", allocation_delay=0.0))
    resource = world.spare()
    for username in ("ann", "bob"):
        world.leave(world.waldur.resource(resource)["project"], username)
    for error in (timedelta(0), timedelta(0), step, step):
        world.clock_error = error
        world.pull()
        world.wait(timedelta(minutes=2))

    assert world.account(resource).users == {"ann", "bob"}
    count("fault of the agent: clock stepped while an answer is doubted")
    world.served.close()
