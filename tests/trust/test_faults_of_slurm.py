"""Slurm's tools lie, hang or fail, its daemons go down: nothing is concluded from it, nothing lost.

Against a real Slurm of its own and a served Waldur; each flow is disturbed at one of its commands.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar, cast

import pytest

from sandbox.slurm import Cluster
from sandbox.slurm.history import load_jobs
from sandbox.slurm.history_jobs import COMPLETED, Job, Shape
from tests.e2e.pull_on_slurm import RealSlurm
from tests.fakes.slurm import FakeJob, FakeSlurm
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from tests.trust.faults_flows import FLOWS, Flow
from tests.trust.faults_tools import MODES, FaultyTools, Trouble
from tests.trust.faults_world import MANY_LIVES, World
from tests.trust.size import CLUSTER, IS_CAMPAIGN, SEED, count, size
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.names import ClusterName
from waldur_slurm.slurm.accounting.client import SlurmClient

A_PAUSE = timedelta(minutes=10)
DAEMONS = ("slurmdbd", "mariadbd", "munged", "slurmctld")
TROUBLES = ("down", "frozen", "slow", "restarted")
TURNED = ("create", "update", "terminate", "members", "usage")
SHORT = 2
"""So many points of each flow are tried where there is no time for more."""

T = TypeVar("T")


class JobsOfThePast(list[FakeJob]):
    """Puts into the accounting of a real cluster what is appended."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self._cluster = cluster
        self._first = 7_000_000 + 1000 * id(self) % 1_000_000

    def append(self, job: FakeJob) -> None:
        super().append(job)
        amounts: dict[str, int] = {"billing": 1}
        amounts |= {str(name): amount for name, amount in job.allocated.items()}
        shape = Shape(amounts, amounts)
        assert job.start is not None
        assert job.end is not None
        began, ended = int(job.start.timestamp()), int(job.end.timestamp())
        row = Job(
            self._first + len(self), job.account, job.user, COMPLETED, began, began, ended, shape
        )
        load_jobs(self._cluster, "lab", [row])


@pytest.fixture(scope="module")
def cluster(new_slurm_cluster: NewCluster) -> Iterator[Cluster]:
    """A cluster whose daemons may be troubled."""
    with new_slurm_cluster(CLUSTER) as cluster:
        yield cluster


@pytest.fixture
def world(cluster: Cluster, start_waldur: StartWaldur, request: pytest.FixtureRequest) -> World:
    slurm = RealSlurm(cluster)
    slurm.jobs = cast(Any, JobsOfThePast(cluster))
    dialect = getattr(request, "param", "today")
    return World(
        start_waldur(dialect, allocation_delay=0.0),
        cast(FakeSlurm, slurm),
        PullPolicy(require_unix_users=False, max_removals=MANY_LIVES),
        batch=8 if IS_CAMPAIGN else SHORT + 1,
    )


def commands_of(world: World, cluster: Cluster, flow: Flow) -> int:
    """How many commands the flow takes when nothing disturbs it.

    The daemons may still be settling what the test before did to them, so it is tried again.
    """
    for _ in range(3):
        tools = FaultyTools(cluster, at=0)
        resource = flow.begin(world)
        act_through(world, flow, tools)
        if flow.is_done(world, resource):
            return tools.commands
    raise AssertionError(world.events)


def act_through(world: World, flow: Flow, tools: FaultyTools) -> None:
    whole = world.seen_through
    world.seen_through = lambda _slurm: SlurmClient(tools, cluster=ClusterName("lab"))
    try:
        flow.act(world)
    finally:
        world.seen_through = whole


@pytest.mark.parametrize("name", TURNED)
@pytest.mark.parametrize("world", DIALECT_NAMES if IS_CAMPAIGN else ("transition",), indirect=True)
def test_tools_that_lie_or_fail_at_any_command_are_not_believed(
    world: World, cluster: Cluster, name: str
) -> None:
    flow = FLOWS[name]
    for at, mode in points(name, commands_of(world, cluster, flow), MODES, 40):
        resource = flow.begin(world)
        with suppress(ExpectedError):
            act_through(world, flow, FaultyTools(cluster, mode, at))
        world.assert_nothing_false()
        world.wait(A_PAUSE)

        flow.act(world)

        assert flow.is_done(world, resource), (mode, at)
        world.assert_nothing_false()
        count(f"fault of Slurm: a command {mode}")
    world.served.close()


@pytest.mark.parametrize("name", TURNED)
def test_daemons_in_trouble_at_any_command_only_cost_a_cycle(
    world: World, cluster: Cluster, name: str
) -> None:
    flow = FLOWS[name]
    both = [(daemon, kind) for kind in TROUBLES for daemon in DAEMONS]
    for at, (daemon, kind) in points(name, commands_of(world, cluster, flow), both, 32):
        resource = flow.begin(world)
        trouble = Trouble(cluster, daemon, kind)
        try:
            with suppress(ExpectedError):
                act_through(world, flow, FaultyTools(cluster, at=at, before=trouble.begin))
        finally:
            trouble.end()
        world.assert_nothing_false()

        flow.act(world)

        assert flow.is_done(world, resource), (daemon, kind, at)
        count(f"fault of Slurm: {daemon} {kind}")
    world.served.close()


def points(name: str, commands: int, kinds: Sequence[T], long: int) -> Iterator[tuple[int, T]]:
    """Kinds in turn, other ones for each flow where there is time for few; commands by chance."""
    dice = random.Random(f"{name} {SEED}")  # noqa: S311 - chance, not secrecy
    tries = size(SHORT, long)
    first = TURNED.index(name) * tries
    for number in range(first, first + tries):
        yield dice.randint(1, commands), kinds[number % len(kinds)]
