"""Every fault of Waldur at every request of every flow, once and for as long as it lasts.

While it lasts nothing false is seen on either side and no token reaches another host; the first
healthy cycle ends as one that nothing disturbed.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

import pytest

from sandbox.waldur import DialectName, Fault
from sandbox.waldur.standin import Request
from tests.contract_waldur.faults import FAULTS, NOT_NOW, trap_for_tokens, wait_for_what_is_late
from tests.contract_waldur.sites import PATIENT, QUICK
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from tests.trust.faults_flows import FLOWS, Flow
from tests.trust.faults_world import MANY_LIVES, World
from tests.trust.size import IS_CAMPAIGN, count
from waldur_slurm.agent.pull.world.policy import PullPolicy
from waldur_slurm.errors import ExpectedError

SWEPT_WHOLE: DialectName = "today"
A_PAUSE = timedelta(minutes=10)
"""Longer than what was refused once or twice is left alone."""
LONGEST_S = 30.0
EMPTY_LIST: Literal["empty_list"] = "empty_list"
LAST = ("terminate", "lost account")
"""After these Waldur takes no more usage."""
READS = ("GET", "HEAD")
PEOPLE = "marketplace-offering-users/"
MOST_POINTS = 60
"""A world that has seen so many is left for a new one: the lists grow, and with them the time."""
KINDS = tuple(FAULTS)

Trap = tuple[str, list[str]]


@dataclass(frozen=True, slots=True)
class Point:
    """One fault: at the n-th request of those that `route` names, or at all of them.

    An empty list counts readings only.
    """

    kind: str
    nth: int | Literal["all"]
    route: str = ""

    def fault(self, elsewhere: str) -> Fault:
        pattern, _ = FAULTS[self.kind]
        value = elsewhere if self.kind == "redirect" else pattern.value
        return replace(pattern, nth=self.nth, value=value, route=self.route or pattern.route)

    @property
    def passes_by_itself(self) -> bool:
        """What may be a refusal is left alone for a while before it is tried again."""
        return FAULTS[self.kind][1] is NOT_NOW


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    with trap_for_tokens() as trap:
        yield trap


@pytest.mark.parametrize("name", FLOWS)
@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_no_fault_of_waldur_does_harm_and_the_first_healthy_cycle_mends_it(
    dialect: DialectName, name: str, start_waldur: StartWaldur, trap: Trap
) -> None:
    flow = FLOWS[name]
    world = a_world(dialect, start_waldur)
    requests = undisturbed(world, flow)
    for number, point in enumerate(points(dialect, name, requests)):
        if is_about_nothing(point) or costs_names(flow, point, requests):
            continue
        if number % MOST_POINTS == MOST_POINTS - 1:
            world.served.close()
            world = a_world(dialect, start_waldur)
        disturb(world, flow, point, trap)
        count(f"fault of Waldur: {point.kind}")
    world.served.close()


@pytest.mark.parametrize("name", LAST)
def test_an_empty_list_of_people_at_the_last_moment_costs_their_names_and_no_total(
    name: str, start_waldur: StartWaldur
) -> None:
    """What nobody can be asked for later: who is not listed counts in the total alone."""
    flow = FLOWS[name]
    world = a_world(SWEPT_WHOLE, start_waldur)
    resource = flow.begin(world)
    world.waldur.fault(Fault(f"GET {PEOPLE}", EMPTY_LIST))

    flow.act(world)

    world.assert_nothing_false()
    assert world.usage_of(resource).items() <= world.usage_in_waldur().items()
    assert "usage.of_unknown_user" in {event.name for event in world.events}
    world.served.close()


def a_world(dialect: DialectName, start_waldur: StartWaldur) -> World:
    policy = PullPolicy(max_removals=MANY_LIVES)
    world = World(start_waldur(dialect, allocation_delay=0.0), policy=policy)
    bystander = world.spare()
    world.job(bystander, "bob", cpu=1, gpu=1)
    world.push()
    return world


def undisturbed(world: World, flow: Flow) -> list[Request]:
    resource = flow.begin(world)
    world.waldur.forget_requests()
    flow.act(world)
    assert flow.is_done(world, resource)
    return world.waldur.requests()


def points(dialect: DialectName, name: str, requests: list[Request]) -> Iterator[Point]:
    """All there are; in the short form some kinds in turn, and one dialect at every request."""
    kinds = Turns(KINDS, sum(map(ord, name)))
    is_whole = IS_CAMPAIGN or dialect == SWEPT_WHOLE
    for nth, request in enumerate(requests, 1):
        is_read = request.method in READS
        if is_whole or not is_read:
            reads = sum(each.method in READS for each in requests[:nth])
            for kind in kinds.next(2 if is_whole and not is_read else 1):
                yield Point(kind, reads if kind == EMPTY_LIST else nth)
    for route in dict.fromkeys(map(_route, requests)) if is_whole else ():
        for kind in kinds.next(1):
            yield Point(kind, "all", route)
    for kind in kinds.next(2) if is_whole else ():
        yield Point(kind, "all")


@dataclass(slots=True)
class Turns:
    """Each kind in turn, or in the campaign all of them every time."""

    kinds: tuple[str, ...]
    at: int

    def next(self, few: int) -> tuple[str, ...]:
        chosen = [self.kinds[(self.at + n) % len(self.kinds)] for n in range(few)]
        self.at += few
        return self.kinds if IS_CAMPAIGN else tuple(chosen)


def is_about_nothing(point: Point) -> bool:
    """What answers no list cannot answer an empty one."""
    return point.kind == EMPTY_LIST and bool(point.route) and not point.route.startswith(READS)


def costs_names(flow: Flow, point: Point, requests: list[Request]) -> bool:
    """Whether it hides who somebody is at the last moment, which has a test of its own."""
    if flow not in (FLOWS[name] for name in LAST) or point.kind != EMPTY_LIST:
        return False
    reads = [request.path for request in requests if request.method in READS]
    path = reads[point.nth - 1] if point.nth != "all" else point.route.partition(" ")[2]
    return path == PEOPLE


def _route(request: Request) -> str:
    """The request with a star for each uuid."""
    parts = request.path.split("/")
    return f"{request.method} " + "/".join("*" if len(part) == 32 else part for part in parts)


def disturb(world: World, flow: Flow, point: Point, trap: Trap) -> None:
    elsewhere, arrived = trap
    resource = flow.begin(world)
    is_late = point.kind == "delay"
    if is_late:
        world.restart(QUICK)
    world.waldur.forget_requests()
    world.served.exchanges.clear()
    world.waldur.fault(point.fault(elsewhere))
    began = time.monotonic()
    with suppress(ExpectedError):
        flow.act(world)
    assert time.monotonic() - began < LONGEST_S, point
    if is_late:
        wait_for_what_is_late(world.served)
    world.assert_nothing_false()
    world.waldur.clear_faults()
    if is_late:
        world.restart(PATIENT)
    if not point.passes_by_itself:
        world.wait(A_PAUSE)

    flow.act(world)

    assert flow.is_done(world, resource), point
    world.assert_nothing_false()
    assert arrived == [], point
