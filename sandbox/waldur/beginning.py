"""A fresh Waldur: a provider with one Slurm offering, its people, and a token for every role."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sandbox.waldur.dialects import DialectName
from sandbox.waldur.lifecycle import SLURM
from sandbox.waldur.store import Record, Store

COMPONENTS = (
    ("cpu", "CPU", "k-Hours"),
    ("mem", "RAM", "gb-Hours"),
    ("gpu", "GPU", "gpu-Hours"),
)
PLUGIN_OPTIONS: Record = {
    "username_generation_policy": "service_provider",
    "service_provider_can_create_offering_user": True,
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """provider: owner of the offering's organisation. manager: of the offering alone."""

    provider: str
    manager: str
    customer: str
    staff: str
    stranger: str


def begin(
    directory: Path,
    dialect: DialectName,
    *,
    allocation_delay: float = 0.1,
    offering_type: str = SLURM,
    plugin_options: Record | None = None,
    offering_uuid: str = "",
    provider_token: str = "",
) -> Store:
    """The state in the directory: what is there already, or a new beginning.

    An offering's UUID and its provider's token are made up, unless somebody knows them already.
    """
    directory.mkdir(parents=True, exist_ok=True)
    store = Store(directory)
    if store.is_new:
        store.create_tables()
        begin_again(
            store,
            dialect,
            allocation_delay=allocation_delay,
            offering_type=offering_type,
            plugin_options=plugin_options,
            offering_uuid=offering_uuid,
            provider_token=provider_token,
        )
    return store


def begin_again(
    store: Store,
    dialect: DialectName,
    *,
    allocation_delay: float = 0.1,
    offering_type: str = SLURM,
    plugin_options: Record | None = None,
    offering_uuid: str = "",
    provider_token: str = "",
) -> None:
    """A new beginning in the place of everything that was held."""
    with store.transaction():
        store.empty()
        store.keep_setting("dialect", dialect)
        store.keep_setting("allocation_delay", allocation_delay)
        store.keep_setting("service_settings", uuid4().hex)
        _make_offering(
            store,
            offering_uuid or uuid4().hex,
            offering_type,
            PLUGIN_OPTIONS | (plugin_options or {}),
        )
        _make_people(store, provider_token or new_token())


def tokens_of(store: Store) -> Tokens:
    found = {
        row["label"]: row["token"]
        for row in store.rows(
            "SELECT label, token FROM users WHERE id <= 5 ORDER BY id",
        )
    }
    return Tokens(**found)


def new_token() -> str:
    return uuid4().hex + uuid4().hex[:8]


def make_user(store: Store, username: str, full_name: str, **columns: Any) -> Record:
    values = {
        "label": username,
        "email": f"{username}@example.com",
        "slug": store.slug("users", username),
        "token": new_token(),
        "created": store.stamp(),
    }
    return store.insert("users", username=username, full_name=full_name, **(values | columns))


def make_customer(store: Store, name: str) -> Record:
    return store.insert(
        "customers",
        name=name,
        abbreviation="".join(word[0] for word in name.split()).lower(),
        slug=store.slug("customers", name),
        created=store.stamp(),
    )


def grant(store: Store, user: str, role: str, scope_type: str, scope: str) -> Record:
    return store.insert(
        "roles",
        user=user,
        role=role,
        scope_type=scope_type,
        scope=scope,
        created=store.stamp(),
    )


def _make_offering(store: Store, uuid: str, offering_type: str, plugin_options: Record) -> None:
    provider = make_customer(store, "HPC Provider")
    store.insert("service_providers", customer=provider["uuid"], created=store.stamp())
    offering = store.insert(
        "offerings",
        uuid=uuid,
        customer=provider["uuid"],
        category=uuid4().hex,
        category_title="HPC",
        name="SLURM",
        slug=store.slug("offerings", "SLURM"),
        type=offering_type,
        state="Active",
        plugin_options=plugin_options,
        created=store.stamp(),
    )
    for kind, name, unit in COMPONENTS:
        store.insert(
            "components",
            offering=offering["uuid"],
            type=kind,
            name=name,
            measured_unit=unit,
            billing_type="limit",
            limit_period="total",
        )
    store.insert("plans", offering=offering["uuid"], name="Default")
    store.keep_setting("provider", provider["uuid"])
    store.keep_setting("offering", offering["uuid"])


def _make_people(store: Store, provider_token: str) -> None:
    offering = store.offering_uuid
    owner = make_user(store, "prov-owner", "Provider Owner", label="provider", token=provider_token)
    manager = make_user(store, "off-manager", "Offering Manager", label="manager")
    customer_owner = make_user(store, "cust-owner", "Customer Owner", label="customer")
    make_user(store, "staff", "Staff Person", label="staff", is_staff=1)
    make_user(store, "stranger", "Stranger Person", label="stranger")
    grant(store, owner["uuid"], "CUSTOMER.OWNER", "customer", store.setting("provider"))
    grant(store, manager["uuid"], "OFFERING.MANAGER", "offering", offering)
    store.keep_setting("customer_owner", customer_owner["uuid"])
