"""Who asks, and what that role may see and do; a row that may not be seen does not exist."""

from dataclasses import dataclass

from sandbox.waldur.answers import forbidden, unauthenticated
from sandbox.waldur.store import Record, Store
from sandbox.waldur.traits import has_trait

PERSONAL = "w_"
"""How a personal access token begins."""
OWNED = "(SELECT scope FROM roles WHERE user = :me AND role = 'CUSTOMER.OWNER')"
MANAGED = "(SELECT scope FROM roles WHERE user = :me AND role = 'OFFERING.MANAGER')"
RUN = "(SELECT scope FROM roles WHERE user = :me AND role = 'CUSTOMER.MANAGER')"
OWNED_OFFERINGS = f"(SELECT uuid FROM offerings WHERE customer IN {OWNED})"
OFFERINGS = (
    f"(SELECT uuid FROM offerings WHERE customer IN {OWNED} OR customer IN {RUN}"
    f" OR uuid IN {MANAGED})"
)
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
    table = _tokens_called(store, scheme.lower(), token.strip())
    found = store.find(f"SELECT * FROM {table} WHERE token = ?", token.strip())
    if found is None:
        raise unauthenticated("Invalid token.")
    return as_caller(store.named("users", found["user"]) if "user" in found else found)


def as_caller(user: Record) -> Caller:
    return Caller(user["uuid"], user["id"], user["username"], user["label"], bool(user["is_staff"]))


def owns_customer(store: Store, caller: Caller, customer: str) -> bool:
    return caller.is_staff or _has_role(store, caller, "CUSTOMER.OWNER", customer)


def provides(store: Store, caller: Caller, offering: str) -> bool:
    """Owns the organisation that offers it: approves orders, ends them."""
    return owns_customer(store, caller, store.named("offerings", offering)["customer"])


def approves(store: Store, caller: Caller, offering: str) -> bool:
    """Approves orders and ends them; managers do only on the newest servers."""
    if provides(store, caller, offering):
        return True
    return has_trait(store, "managers_approve") and manages(store, caller, offering)


def manages(store: Store, caller: Caller, offering: str) -> bool:
    """May change its resources; approving orders takes more."""
    customer = store.named("offerings", offering)["customer"]
    return (
        owns_customer(store, caller, customer)
        or _has_role(store, caller, "OFFERING.MANAGER", offering)
        or _has_role(store, caller, "CUSTOMER.MANAGER", customer)
    )


def demand(permitted: bool) -> None:
    if not permitted:
        raise forbidden()


def _tokens_called(store: Store, scheme: str, token: str) -> str:
    """Where such a token is kept; personal ones are known to today's Waldur only, as bearers."""
    if scheme == "token":
        return "users"
    if scheme == "bearer" and token.startswith(PERSONAL) and store.dialect.is_today:
        return "personal_tokens"
    raise unauthenticated("Authentication credentials were not provided.")


def _has_role(store: Store, caller: Caller, role: str, scope: str) -> bool:
    found = store.find(
        "SELECT 1 FROM roles WHERE user = ? AND role = ? AND scope = ?", caller.uuid, role, scope
    )
    return found is not None
