"""Kill push before and after every effect it has; the next cycle mends what is left.

An effect is a request that is no reading, or a document that is replaced. Push changes nothing in
Slurm, so there is no other. One dialect is swept at every effect, the others at every fifth.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.push_site import GPU_MINUTES, HOUR, NOON, PushSite
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from waldur_slurm.agent.push.cycle import PushCycle
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.model.tres import tres_name
from waldur_slurm.state import Document, State

ANN, BOB = "wsat-ann", "wsat-bob"
JUNE = "2026-06"
SWEPT_WHOLE = "transition"
LIVED = 0

R = TypeVar("R")


@dataclass
class Effects:
    """Counts effects, and ends the process at one of them."""

    kill_at: int
    is_after: bool
    count: int = 0

    def have(self, act: Callable[[], R]) -> R:
        is_last = self.count == self.kill_at
        self.count += 1
        if is_last and not self.is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = act()
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class MortalWaldur:
    """A marketplace whose every `tell_*` is an effect."""

    def __init__(self, waldur: Marketplace, effects: Effects) -> None:
        self._waldur = waldur
        self._effects = effects

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._waldur, name)
        if not name.startswith("tell_"):
            return found
        return lambda *args, **more: self._effects.have(lambda: found(*args, **more))


@dataclass
class MortalState:
    state: State
    effects: Effects

    def read(self, name: str) -> Document:
        return self.state.read(name)

    def replace(self, name: str, document: Mapping[str, Any]) -> None:
        self.effects.have(lambda: self.state.replace(name, document))


def run_mortally(cycle: PushCycle, effects: Effects) -> int:
    """Run a cycle in a process of its own; return minus the signal that ended it, or LIVED."""
    waldur: Any = MortalWaldur(cycle.marketplace, effects)
    cycle.marketplace = waldur
    cycle.state = MortalState(cycle.state, effects)
    process = get_context("fork").Process(target=cycle.run)
    process.start()
    process.join(120)
    assert process.exitcode is not None
    return process.exitcode


@pytest.fixture(scope="module")
def cluster(new_slurm_cluster: NewCluster) -> Iterator[Cluster]:
    with new_slurm_cluster(ClusterOptions(nodes=1)) as cluster:
        yield cluster


@pytest.fixture(params=DIALECT_NAMES)
def site(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> PushSite:
    return PushSite(cluster, start_waldur(request.param, allocation_delay=0.0), tmp_path)


def test_a_kill_at_any_effect_only_costs_a_cycle(site: PushSite) -> None:
    is_whole = site.waldur.dialect == SWEPT_WHOLE
    swept = 0
    for effect, is_after in moments(1 if is_whole else 5):
        resource, account = site.allocate(ANN, BOB, gpu=5)
        site.held_job(account, ANN, NOON - 30 * HOUR, NOON - 3 * HOUR, cpu=4, gpu=1)
        site.held_job(account, BOB, NOON - 5 * HOUR, NOON - HOUR)
        site.slurm().set_limits(account, {tres_name("gres/gpu"): 9 * GPU_MINUTES})

        ended = run_mortally(site.cycle(), Effects(effect, is_after))
        assert ended in (-signal.SIGKILL, LIVED)
        site.cycle().run()
        site.told()
        assert site.cycle().run().is_idle
        assert site.told() == []

        known = site.known(account, JUNE)
        assert site.usage(resource, JUNE) == {
            kind: sum(people.values()) for kind, people in known.items()
        }
        assert site.user_usage(resource, JUNE) == known
        assert site.limits(resource) == {"gpu": 9}
        if ended == LIVED:
            break
        swept += 1

    print(f"swept {swept} points in {site.waldur.dialect}")  # noqa: T201 - the proof
    assert ended == LIVED
    assert swept >= (8 if is_whole else 2)


def moments(step: int) -> Iterator[tuple[int, bool]]:
    """Before the first effect, then after each; the first process that lives ends the sweep."""
    yield 0, False
    for effect in range(0, 60, step):
        yield effect, True
