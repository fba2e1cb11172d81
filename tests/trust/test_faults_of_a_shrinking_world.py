"""A world that seems to shrink takes nobody's access away, and is right again once it is back."""

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from sandbox.waldur import DialectName, Fault
from sandbox.waldur.backup import back_up, restore
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from tests.trust.faults_shrinking import CUTS, forgetful, shrunken
from tests.trust.faults_world import GPU, GPU_MINUTES, World
from tests.trust.size import IS_CAMPAIGN, count
from waldur_slurm.errors import ExpectedError
from waldur_slurm.model.accounts import Account
from waldur_slurm.model.names import AccountName

SWEPT_WHOLE = "today"
PROJECTS = 12
READINGS = 3
APART = timedelta(minutes=8)
"""So many readings lie within the half hour after which a small answer is believed."""

SLURM_READINGS = {
    "accounts": (shrunken, ("read_snapshot", "read_outline", "read_accounts")),
    "people": (forgetful, ("read_snapshot", "read_outline", "read_accounts")),
    "queue": (shrunken, ("read_queue",)),
    "records": (shrunken, ("read_job_records",)),
}


def lived_in(dialect: DialectName, start_waldur: StartWaldur) -> World:
    """Twelve projects of three people, all at rest, with usage that has been told."""
    world = World(start_waldur(dialect, allocation_delay=0.0))
    teams = [("ann", f"user{number}", f"user{number + 1}") for number in range(PROJECTS)]
    resources = [world.order(world.make_project(*team)) for team in teams]
    world.settle()
    for resource in resources:
        world.job(resource, "ann", cpu=2, gpu=1)
        world.job(resource, "ann", cpu=2, gpu=1)
    assert world.push().failures == ()
    return world


def go_on(world: World, readings: int = READINGS) -> None:
    """Both services go on as they always do; what fails is tried again later."""
    for _ in range(readings):
        for run in (world.pull, world.push):
            with suppress(ExpectedError):
                run()
        world.wait(APART)


def places(accounts: dict[AccountName, Account]) -> set[tuple[str, str]]:
    """Who is in which account, and the accounts themselves."""
    people = {(name, user) for name, account in accounts.items() for user in account.users}
    return people | {(name, "") for name in accounts}


def held_by_waldur(world: World) -> dict[str, Any]:
    return {
        "orders": [(order["uuid"], order["state"]) for order in world.waldur.orders()],
        "resources": [(r["uuid"], r["state"], r["limits"]) for r in world.waldur.resources()],
        "usage": world.usage_in_waldur(),
        "user usage": world.user_usage_in_waldur(),
    }


def assert_unharmed_and_back(
    world: World, harm: Callable[[], None], mend: Callable[[], None]
) -> None:
    """Go on while it is harmed and after it is mended: nothing is lost, and then nothing to do."""
    before, waldur_before = world.accounts(), held_by_waldur(world)
    harm()
    go_on(world)
    lost = places(before) - places(world.accounts())
    assert lost == set(), "taken away because of an answer that was too small"
    world.assert_nothing_false()
    mend()
    world.settle()
    world.push()
    assert world.accounts() == before
    assert held_by_waldur(world) == waldur_before
    assert world.pull().is_idle
    assert world.push().is_idle


@pytest.mark.parametrize("kind", ["empty_list", "half_list"])
@pytest.mark.parametrize("dialect", DIALECT_NAMES)
def test_a_list_of_waldurs_that_shrinks_takes_nothing_away(
    dialect: DialectName, kind: Any, start_waldur: StartWaldur
) -> None:
    world = lived_in(dialect, start_waldur)
    each = 1 if IS_CAMPAIGN else 2 if dialect == SWEPT_WHOLE else 6
    for route in lists_read_by(world)[::each]:
        assert_unharmed_and_back(
            world,
            lambda route=route: world.waldur.fault(Fault(route, kind)),  # type: ignore[misc]  # bound at once
            world.waldur.clear_faults,
        )
        count(f"shrinking world: {kind} of Waldur")
    world.served.close()


def lists_read_by(world: World) -> list[str]:
    world.waldur.forget_requests()
    world.pull()
    world.push()
    paths = dict.fromkeys(r.path for r in world.waldur.requests() if r.method == "GET")
    lists = [path for path in paths if len(path.rstrip("/").rpartition("/")[2]) != 32]
    teams = {
        "/".join("*" if len(part) == 32 else part for part in path.split("/")) for path in lists
    }
    return ["GET **", *sorted(f"GET {path}" for path in teams)]


@pytest.mark.parametrize("how", CUTS)
@pytest.mark.parametrize("what", SLURM_READINGS)
@pytest.mark.parametrize("dialect", DIALECT_NAMES if IS_CAMPAIGN else ("transition",))
def test_a_reading_of_slurm_that_shrinks_takes_nothing_away(
    dialect: DialectName, what: str, how: str, start_waldur: StartWaldur
) -> None:
    world = lived_in(dialect, start_waldur)
    seen_through, methods = SLURM_READINGS[what]
    whole = world.seen_through
    for method in methods:
        assert_unharmed_and_back(
            world,
            lambda method=method: setattr(world, "seen_through", seen_through(method, CUTS[how])),  # type: ignore[misc]  # bound at once
            lambda: setattr(world, "seen_through", whole),
        )
        count(f"shrinking world: {how} of Slurm's {what}")
    world.served.close()


@pytest.mark.parametrize("how", CUTS)
def test_a_termination_is_not_done_because_slurm_lists_less(
    how: str, start_waldur: StartWaldur
) -> None:
    world = lived_in("today", start_waldur)
    resources = [held["uuid"] for held in world.waldur.resources()]
    for resource in resources[::4]:
        world.waldur.order_terminate(resource)
    world.seen_through = shrunken("read_snapshot", CUTS[how])
    go_on(world)

    for resource in resources[::4]:
        is_done = world.waldur.resource(resource)["state"] == "Terminated"
        assert is_done <= (world.marked(resource) == []), "done, and the account is still there"
    world.seen_through = lambda slurm: slurm
    go_on(world, 2)
    assert not any(world.marked(resource) for resource in resources[::4])
    assert all(world.marked(r) for r in resources if r not in resources[::4])
    world.assert_nothing_false()
    count("shrinking world: termination beside a small answer")
    world.served.close()


@pytest.mark.parametrize("change", ["name", "type", "customer"])
@pytest.mark.parametrize("is_restarted", [False, True])
def test_an_offering_that_was_swapped_costs_nobody_anything(
    change: str, is_restarted: bool, start_waldur: StartWaldur
) -> None:
    world = lived_in("today", start_waldur)
    offering = world.waldur.store.named("offerings", world.waldur.offering_uuid)
    other = {
        "name": "Another",
        "type": "Marketplace.Basic",
        "customer": world.waldur.make_customer("Strangers"),
    }[change]

    def swap() -> None:
        world.waldur.change("offerings", offering["uuid"], **{change: other})
        if is_restarted:
            world.restart()

    def swap_back() -> None:
        world.waldur.change("offerings", offering["uuid"], **{change: offering[change]})

    assert_unharmed_and_back(world, swap, swap_back)
    count(f"shrinking world: offering with another {change}")
    world.served.close()


@pytest.mark.parametrize("dialect", DIALECT_NAMES)
@pytest.mark.parametrize("loss", ["roles", "token", "membership list"])
def test_a_token_that_lost_its_rights_costs_nobody_anything(
    dialect: DialectName, loss: str, start_waldur: StartWaldur
) -> None:
    world = lived_in(dialect, start_waldur)
    kept = back_up(world.waldur.store)

    def lose() -> None:
        store, token = world.waldur.store, world.waldur.tokens.provider
        if loss == "roles":
            store.run(
                "DELETE FROM roles WHERE user = (SELECT uuid FROM users WHERE token = ?)", token
            )
        elif loss == "token":
            store.run("UPDATE users SET token = 'another' WHERE token = ?", token)
        else:
            world.waldur.permit_bulk_memberships(False)

    def give_back() -> None:
        restore(world.waldur.store, kept, only=("roles", "users"))
        world.waldur.permit_bulk_memberships(True)

    assert_unharmed_and_back(world, lose, give_back)
    count(f"shrinking world: token without its {loss}")
    world.served.close()


def test_a_slurm_that_was_restored_from_yesterday_costs_nobody_anything(
    start_waldur: StartWaldur,
) -> None:
    world = lived_in("today", start_waldur)
    ended, grown, changed, *_ = (held["uuid"] for held in world.waldur.resources())
    yesterday = deepcopy(world.slurm)
    world.waldur.order_terminate(ended)
    world.waldur.order_update(grown, {"gpu": 9})
    team = world.waldur.resource(changed)["project"]
    world.leave(team, "ann")
    world.join(team, "eve")
    made = world.order(world.make_project("ann", "bob"))
    world.settle()
    world.push()
    today, before = world.slurm, world.accounts()
    place = world.account(changed).name

    world.slurm = deepcopy(yesterday)
    world.lost.add(made)
    go_on(world)

    were, are = places(dict(yesterday.read_snapshot().accounts)), places(world.accounts())
    assert were - are == {(place, "ann")}, "she has left, and of that Waldur still tells"
    assert (place, "eve") in are
    assert {order["state"] for order in world.waldur.orders()} == {"done"}
    assert world.account(grown).limits[GPU] == 3 * GPU_MINUTES, "shown as drift, and left alone"
    world.assert_nothing_false()
    world.slurm = today
    go_on(world, 2)
    assert world.accounts() == before
    assert world.waldur.resource(made)["state"] == "OK"
    assert world.pull().is_idle
    assert world.push().is_idle
    count("shrinking world: Slurm restored from yesterday")
    world.served.close()


def test_a_waldur_that_was_restored_from_yesterday_costs_nobody_anything(
    start_waldur: StartWaldur,
) -> None:
    world = lived_in("today", start_waldur)
    yesterday = back_up(world.waldur.store)
    made = [world.order(world.make_project("ann", "bob")) for _ in range(3)]
    world.settle()
    today = back_up(world.waldur.store)

    assert_unharmed_and_back(
        world,
        lambda: restore(world.waldur.store, yesterday),
        lambda: restore(world.waldur.store, today),
    )
    assert all(world.marked(resource) for resource in made)
    count("shrinking world: Waldur restored from yesterday")
    world.served.close()
