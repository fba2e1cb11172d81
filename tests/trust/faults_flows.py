"""Every flow of requests: the deed that begins it, the agent's work, and when it is done."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.trust.faults_world import GPU, GPU_MINUTES, World
from waldur_slurm.model.accounts import Account


@dataclass(frozen=True, slots=True)
class Flow:
    """`begin` answers the resource that it is about; `act` may be repeated at any time."""

    begin: Callable[[World], str]
    act: Callable[[World], object]
    is_done: Callable[[World, str], bool]


def _orders_are_done(world: World, resource: str) -> bool:
    return {order["state"] for order in world.waldur.orders(resource)} == {"done"}


def _create(world: World) -> str:
    return world.order(world.make_project("ann", "bob"))


def _is_created(world: World, resource: str) -> bool:
    held = world.waldur.resource(resource)
    return (
        _orders_are_done(world, resource)
        and held["state"] == "OK"
        and _stands(world, resource, 3, {"ann", "bob"})
        and held["backend_id"] == world.account(resource).name
    )


def _stands(world: World, resource: str, gpu: int, users: set[str]) -> bool:
    found = world.marked(resource)
    return len(found) == 1 and _is(found[0], gpu, users)


def _is(account: Account, gpu: int, users: set[str]) -> bool:
    return account.limits[GPU] == gpu * GPU_MINUTES and account.users == users


def _update(world: World) -> str:
    resource = world.spare()
    world.waldur.order_update(resource, {"gpu": 9})
    return resource


def _is_updated(world: World, resource: str) -> bool:
    return (
        _orders_are_done(world, resource)
        and world.waldur.resource(resource)["limits"] == {"gpu": 9}
        and _stands(world, resource, 9, {"ann", "bob"})
    )


def _terminate(world: World) -> str:
    resource = world.spare()
    world.job(resource, "ann", cpu=4, gpu=1)
    world.waldur.order_terminate(resource)
    return resource


def _is_terminated(world: World, resource: str) -> bool:
    return (
        _orders_are_done(world, resource)
        and world.waldur.resource(resource)["state"] == "Terminated"
        and not world.marked(resource)
        and _has_told(world, resource)
    )


def _exchange_people(world: World) -> str:
    resource = world.spare()
    project = world.waldur.resource(resource)["project"]
    world.leave(project, "bob")
    world.join(project, "eve")
    return resource


def _are_exchanged(world: World, resource: str) -> bool:
    shows = world.waldur.dialect == "today" or world.waldur.associations(resource) == ["ann", "eve"]
    return shows and _stands(world, resource, 3, {"ann", "eve"})


def _use(world: World) -> str:
    resource = world.spare()
    world.job(resource, "ann", cpu=4, gpu=1)
    world.job(resource, "bob", cpu=2, gpu=2)
    world.slurm.set_limits(world.account(resource).name, {GPU: 7 * GPU_MINUTES})
    return resource


def _is_told(world: World, resource: str) -> bool:
    return _has_told(world, resource) and world.waldur.resource(resource)["limits"] == {"gpu": 7}


def _has_told(world: World, resource: str) -> bool:
    by_user = {k: used for k, used in world.usage_by_user.items() if k[0] == resource}
    return (
        world.usage_of(resource).items() <= world.usage_in_waldur().items()
        and by_user.items() <= world.user_usage_in_waldur().items()
    )


def _lose(world: World) -> str:
    for refused in world.lost:  # somebody has seen to it: many missing at once are not believed
        world.waldur.change("resources", refused, state="Erred")
    resource = world.spare()
    world.job(resource, "ann", cpu=1, gpu=1)
    world.lost.add(resource)
    world.slurm.put(Account(world.account(resource).name))
    return resource


def _is_erred(world: World, resource: str) -> bool:
    """Called erred; what Waldur has refused to call so is not asked for again, and only shown."""
    is_erred = world.waldur.resource(resource)["state"] == "Erred"
    is_refused = resource in world.push_state.read("journal/push").get("unerrable", ())
    return (is_erred or is_refused) and _has_told(world, resource)


def _sell(world: World) -> str:
    for held in world.waldur.components():
        if held["type"] == "node":
            world.waldur.store.run("DELETE FROM components WHERE uuid = ?", held["uuid"])
        if held["type"] == "cpu":
            world.waldur.change("components", held["uuid"], name="old")
    return ""


def _is_sold(world: World, _resource: str) -> bool:
    names = sorted((held["type"], held["name"]) for held in world.waldur.components())
    offered = [name for name in names if name[0] in ("cpu", "node")]
    return offered == [("cpu", "cpu"), ("node", "node")]


FLOWS = {
    "create": Flow(_create, World.pull, _is_created),
    "update": Flow(_update, World.pull, _is_updated),
    "terminate": Flow(_terminate, World.pull, _is_terminated),
    "members": Flow(_exchange_people, World.pull, _are_exchanged),
    "usage": Flow(_use, World.push, _is_told),
    "lost account": Flow(_lose, World.push, _is_erred),
    "components": Flow(_sell, World.load_components, _is_sold),
}
