"""A fresh Waldur: a provider with one Slurm offering, its people, and a token for every role."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from sandbox.waldur import limits, people, traits
from sandbox.waldur.dialects import DialectName
from sandbox.waldur.lifecycle import RESTORES, SLURM
from sandbox.waldur.store import Record, Store

COMPONENTS = (
    ("cpu", "CPU", "k-Hours"),
    ("mem", "RAM", "gb-Hours"),
    ("gpu", "GPU", "gpu-Hours"),
)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a Waldur begins with: one offering, as Waldur makes it where nothing else is said.

    Its components have prices in its plan, as if made with it; those added later have none.
    """

    offering_type: str = SLURM
    shared: bool = True
    makes_users: bool = False
    plugin_options: Record = field(default_factory=dict)
    traits: Mapping[str, bool] = field(default_factory=dict)
    allocation_delay: float = 0.1
    offering_uuid: str = ""
    provider_token: str = ""
    """The last two are made up, unless somebody knows them already."""

    def changed(
        self,
        plugin_options: Record | None = None,
        traits: Mapping[str, bool] | None = None,
        **changes: Any,
    ) -> "Setup":
        """The same with these changes; options and traits are added to those that are there."""
        return replace(
            self,
            plugin_options=self.plugin_options | (plugin_options or {}),
            traits={**self.traits, **(traits or {})},
            **changes,
        )


READY = Setup(
    makes_users=True,
    plugin_options={"username_generation_policy": "service_provider", RESTORES: True},
    traits={"every_component_has_a_price": True},
)
"""An offering that its provider has made ready: members become offering users, all has a price,
and what has ended may come back."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """provider: owner of the offering's organisation. manager: of the offering alone."""

    provider: str
    manager: str
    customer: str
    staff: str
    stranger: str


def begin(directory: Path, dialect: DialectName, setup: Setup | None = None) -> Store:
    """The state in the directory: what is there already, or a new beginning."""
    directory.mkdir(parents=True, exist_ok=True)
    store = Store(directory)
    if store.is_new:
        store.create_tables()
        begin_again(store, dialect, setup)
    return store


def begin_again(store: Store, dialect: DialectName, setup: Setup | None = None) -> None:
    """A new beginning in the place of everything that was held."""
    setup = setup or Setup()
    with store.transaction():
        store.empty()
        store.keep_setting("dialect", dialect)
        store.keep_setting("allocation_delay", setup.allocation_delay)
        store.keep_setting("service_settings", uuid4().hex)
        for name, is_on in setup.traits.items():
            traits.set_trait(store, name, is_on)
        _make_offering(store, setup)
        _make_people(store, setup.provider_token or new_token())


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


def grant(
    store: Store, user: str, role: str, scope_type: str, scope: str, by: str | None = None
) -> Record:
    return store.insert(
        "roles",
        user=user,
        role=role,
        scope_type=scope_type,
        scope=scope,
        created=store.stamp(),
        created_by=by,
    )


def _make_offering(store: Store, setup: Setup) -> None:
    provider = make_customer(store, "HPC Provider")
    store.insert("service_providers", customer=provider["uuid"], created=store.stamp())
    offering = store.insert(
        "offerings",
        uuid=setup.offering_uuid or uuid4().hex,
        customer=provider["uuid"],
        category=uuid4().hex,
        category_title="HPC",
        name="SLURM",
        slug=store.slug("offerings", "SLURM"),
        type=setup.offering_type,
        state="Active",
        shared=int(setup.shared),
        plugin_options=setup.plugin_options,
        created=store.stamp(),
    )
    store.keep_setting("provider", provider["uuid"])
    store.keep_setting("offering", offering["uuid"])
    if setup.makes_users:
        people.let_make_users(store, offering["uuid"], True)
    _make_components(store, offering["uuid"])


def _make_components(store: Store, offering: str) -> None:
    plan = store.insert("plans", offering=offering, name="Default")
    for kind, name, unit in COMPONENTS:
        component = store.insert(
            "components",
            offering=offering,
            type=kind,
            name=name,
            measured_unit=unit,
            billing_type="limit",
            limit_period="total",
        )
        limits.set_price(store, plan["uuid"], component["uuid"], "0.0")


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
