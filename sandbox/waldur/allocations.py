"""The hidden allocation of the older dialects: its states, and what its moves do to orders.

It appears a moment after approval, starts as "creation scheduled", and an agent that never calls it
ok finds the next Update order erred at approval.
"""

from dataclasses import dataclass

from sandbox.waldur.answers import conflict, invalid_list
from sandbox.waldur.store import Record, Store, real_time

UPDATE_SCHEDULED, UPDATING, OK, ERRED, CREATION_SCHEDULED, CREATING, DELETION_SCHEDULED = range(
    1, 8
)
DELETING = 8

NAMES = {
    UPDATE_SCHEDULED: "Update Scheduled",
    UPDATING: "Updating",
    OK: "OK",
    ERRED: "Erred",
    CREATION_SCHEDULED: "Creation Scheduled",
    CREATING: "Creating",
    DELETION_SCHEDULED: "Deletion Scheduled",
    DELETING: "Deleting",
}

ANY = frozenset(NAMES)


@dataclass(frozen=True, slots=True)
class Move:
    sources: frozenset[int]
    target: int


MOVES = {
    "creating": Move(frozenset({CREATION_SCHEDULED}), CREATING),
    "updating": Move(frozenset({UPDATE_SCHEDULED}), UPDATING),
    "deleting": Move(frozenset({DELETION_SCHEDULED}), DELETING),
    "ok": Move(ANY, OK),
    "erred": Move(ANY, ERRED),
    "deletion_scheduled": Move(frozenset({OK, ERRED}), DELETION_SCHEDULED),
    "update_scheduled": Move(frozenset({OK, ERRED}), UPDATE_SCHEDULED),
}


def schedule_creation(store: Store, resource: str) -> None:
    now = store.stamp()
    store.insert(
        "allocations",
        resource=resource,
        state=CREATION_SCHEDULED,
        visible_from=real_time() + store.setting("allocation_delay", 0.1),
        created=now,
        modified=now,
    )


def allocation_of(store: Store, resource: str) -> Record | None:
    return store.find(
        "SELECT * FROM allocations WHERE resource = ? AND visible_from <= ?",
        resource,
        real_time(),
    )


def schedule_update(store: Store, resource: str) -> str | None:
    """The error that an order gets when the allocation was never made ok, or nothing."""
    allocation = allocation_of(store, resource)
    if allocation is None:
        return None
    if allocation["state"] != OK:
        return f"Can't switch from state '{allocation['state']}' using method 'schedule_updating'"
    enter(store, allocation, UPDATE_SCHEDULED)
    return None


def schedule_deletion(store: Store, resource: str) -> None:
    """In `classic` it stays like that for ever, also when the resource has ended."""
    if not store.dialect.leaves_a_deletion_scheduled:
        return
    allocation = allocation_of(store, resource)
    if allocation is not None and allocation["state"] == OK:
        enter(store, allocation, DELETION_SCHEDULED)


def move(store: Store, allocation: Record, name: str) -> bool:
    """Whether the move ends what an order began (creating or updating, then ok)."""
    wanted = MOVES.get(name)
    if wanted is None:
        raise invalid_list("Invalid state: a corresponding method for transition is absent")
    state = allocation["state"]
    if state not in wanted.sources:
        raise conflict(f"Allocation state can not be changed from {state} to {name}.")
    enter(store, allocation, wanted.target)
    return wanted.target == OK and state in (CREATING, UPDATING)


def enter(store: Store, allocation: Record, state: int) -> None:
    """Waldur copies the state into the resource's metadata and keeps what else is there."""
    store.update("allocations", allocation["uuid"], state=state, modified=store.stamp())
    resource = store.named("resources", allocation["resource"])
    metadata = resource["backend_metadata"] | {
        "state": NAMES[state],
        "action": None,
        "runtime_state": None,
        "action_details": None,
    }
    store.update("resources", resource["uuid"], backend_metadata=metadata)
