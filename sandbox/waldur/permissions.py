"""Who asks, and what that role may see and do; a row that may not be seen does not exist."""

from dataclasses import dataclass

from sandbox.waldur.answers import forbidden, unauthenticated
from sandbox.waldur.store import Record, Store

OWNED = "(SELECT scope FROM roles WHERE user = :me AND role = 'CUSTOMER.OWNER')"
MANAGED = "(SELECT scope FROM roles WHERE user = :me AND role = 'OFFERING.MANAGER')"
OFFERINGS = f"(SELECT uuid FROM offerings WHERE customer IN {OWNED} OR uuid IN {MANAGED})"
PROJECTS = (
    f"(SELECT uuid FROM projects WHERE customer IN {OWNED} UNION "
    "SELECT scope FROM roles WHERE user = :me AND scope_type = 'project')"
)


@dataclass(frozen=True, slots=True)
class Caller:
    uuid: str
    id: int
    username: str
    label: str
    """What the request log calls the role."""
    is_staff: bool

    def sees(self, condition: str) -> str:
        """The condition as SQL over `:me`; staff sees everything."""
        return "1" if self.is_staff else condition


def caller_of(store: Store, authorization: str | None) -> Caller:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "token":
        raise unauthenticated("Authentication credentials were not provided.")
    user = store.find("SELECT * FROM users WHERE token = ?", token.strip())
    if user is None:
        raise unauthenticated("Invalid token.")
    return as_caller(user)


def as_caller(user: Record) -> Caller:
    return Caller(user["uuid"], user["id"], user["username"], user["label"], bool(user["is_staff"]))


def owns_customer(store: Store, caller: Caller, customer: str) -> bool:
    return caller.is_staff or _has_role(store, caller, "CUSTOMER.OWNER", customer)


def provides(store: Store, caller: Caller, offering: str) -> bool:
    """Owns the organisation that offers it: approves orders, ends them."""
    return owns_customer(store, caller, store.named("offerings", offering)["customer"])


def manages(store: Store, caller: Caller, offering: str) -> bool:
    """May change its resources; approving orders takes more."""
    return provides(store, caller, offering) or _has_role(
        store, caller, "OFFERING.MANAGER", offering
    )


def demand(permitted: bool) -> None:
    if not permitted:
        raise forbidden()


def _has_role(store: Store, caller: Caller, role: str, scope: str) -> bool:
    found = store.find(
        "SELECT 1 FROM roles WHERE user = ? AND role = ? AND scope = ?", caller.uuid, role, scope
    )
    return found is not None
