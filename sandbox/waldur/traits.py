"""Where servers of one dialect differ, or where somebody eases a test: switches, on or off.

`today` is several servers. What only the newest do, and what only older ones did, has a name here.
"""

from dataclasses import dataclass

from sandbox.waldur.store import Store


@dataclass(frozen=True, slots=True)
class Trait:
    """`today` and `older` say what holds unless somebody says otherwise; None: not there at all."""

    meaning: str
    today: bool | None
    older: bool | None = None


TRAITS: dict[str, Trait] = {
    "bulk_memberships": Trait(
        "project_permissions/ answers the owner of the provider, instead of 403", True, True
    ),
    "unordered_memberships": Trait(
        "project_permissions/ sorts by moment alone: rows of one moment change places from page"
        " to page",
        False,
        False,
    ),
    "managers_approve": Trait(
        "managers of an offering or its provider approve and end orders (newest)", False
    ),
    "managers_read_usage": Trait(
        "a manager of an offering reads the usage that he reports (newest)", False
    ),
    "fractional_bounds": Trait(
        "limit_amount, min_value and max_value may be fractions (newest)", False
    ),
    "month_totals": Trait(
        "a report is the month's total, whatever the plans, and rows say missing_usage_policy", True
    ),
    "takes_any_username": Trait("usage by user is taken for names that nobody has", True),
    "moves_at_order_creation": Trait(
        "a resource is Updating or Terminating as soon as that is ordered", True
    ),
    "makes_users_at_order_creation": Trait(
        "members become offering users as soon as the provider has the order", True
    ),
    "merges_current_usages": Trait("a partial report leaves the other current usages", True),
    "errs_done_orders": Trait("set_state_erred makes a done order erred, too", True),
    "wants_error_fields": Trait("set_state_erred without its fields fails with 500", True, True),
    "every_component_has_a_price": Trait(
        "as if the provider priced each component in the plan at once", False, False
    ),
}


def has_trait(store: Store, name: str) -> bool:
    default = _default(store, name)
    told: dict[str, bool] = store.setting("traits", {})
    return default is not None and told.get(name, default)


def set_trait(store: Store, name: str, is_on: bool) -> None:
    if name not in TRAITS:
        raise LookupError(f"no trait {name}; there are: {', '.join(TRAITS)}")
    if _default(store, name) is None:
        raise LookupError(f"a Waldur of the dialect {store.dialect.name} knows no {name}")
    with store.transaction():
        store.keep_setting("traits", store.setting("traits", {}) | {name: is_on})


def _default(store: Store, name: str) -> bool | None:
    trait = TRAITS[name]
    return trait.today if store.dialect.is_today else trait.older
