"""Rebuild what a Mastermind must have held for an exchange to go as it was recorded.

Rows carry the recorded UUIDs and names, so that the same question can be asked in the same words.
"""

import re
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from sandbox.waldur.people import USERS_OPTION
from sandbox.waldur.store import Record, Store
from sandbox.waldur.traits import set_trait
from tests.standin.recordings import Recording

ROLES = {
    "provider-owner": "Provider Owner",
    "offering-manager": "Offering Manager",
    "customer-owner": "Customer Owner",
    "project-admin": "Project Admin",
    "project-member": "Project Member",
    "stranger": "Stranger Person",
    "staff": "",
}
SHORT_ROLES = {"admin": "PROJECT.ADMIN", "manager": "PROJECT.MANAGER", "member": "PROJECT.MEMBER"}
NOW = "2026-11-21T03:00:00.000000Z"
MONTH = "2026-11-01"
USUAL_OPTIONS: Record = {"username_generation_policy": "service_provider", USERS_OPTION: True}
USUAL_OFFERING: Record = {
    "name": "SLURM",
    "type": "Marketplace.Slurm",
    "state": "Active",
    "category": "c" * 32,
    "category_title": "HPC",
    "plugin_options": USUAL_OPTIONS,
    "secret_options": {USERS_OPTION: True},
    "created": NOW,
}
ALLOCATION_STATES = {
    "Update Scheduled": 1,
    "Updating": 2,
    "OK": 3,
    "Erred": 4,
    "Creation Scheduled": 5,
    "Deletion Scheduled": 7,
}


def token_of(who: str) -> str:
    return f"token-of-{who}"


class World:
    """An empty Waldur with its usual people, to be filled with what a recording shows."""

    def __init__(self, store: Store) -> None:
        self.store = store
        dialect = store.dialect.name
        store.empty()
        store.keep_setting("dialect", dialect)
        set_trait(store, "every_component_has_a_price", True)
        self.people = {
            who: self.user(who, name, token=token_of(who), label=who, is_staff=int(who == "staff"))
            for who, name in ROLES.items()
        }
        self.offering = uuid4().hex
        self.provider = uuid4().hex
        self.plan = uuid4().hex
        self.customer = uuid4().hex
        self.project = uuid4().hex
        self.resource = uuid4().hex
        self.is_bare = False
        """An offering that has nothing but what a recording shows of it, or needs."""

    def keep(self, table: str, uuid: str, **columns: Any) -> None:
        """The row is there afterwards, with these columns."""
        if self.store.find(f"SELECT 1 FROM {table} WHERE uuid = ?", uuid):  # noqa: S608 - our tables
            if columns:
                self.store.update(table, uuid, **columns)
        else:
            self.store.insert(table, uuid=uuid, **columns)

    def keep_new(self, table: str, uuid: str, **columns: Any) -> None:
        """The row is there afterwards; what it says already, it goes on saying."""
        if not self.store.find(f"SELECT 1 FROM {table} WHERE uuid = ?", uuid):  # noqa: S608 - as above
            self.store.insert(table, uuid=uuid, **columns)

    def user(self, username: str, full_name: str, **columns: Any) -> str:
        found = self.store.find("SELECT uuid FROM users WHERE username = ?", username)
        if found:
            return str(found["uuid"])
        values = {"email": f"{username}@example.com", "slug": username, "label": "member"}
        values |= {"token": uuid4().hex, "created": NOW} | columns
        row = self.store.insert("users", username=username, full_name=full_name, **values)
        return str(row["uuid"])

    def is_really(self, who: str, uuid: str, **columns: Any) -> None:
        """One of the usual people turns out to be this user."""
        self.store.run("UPDATE users SET uuid = ? WHERE uuid = ?", uuid, self.people[who])
        self.people[who] = uuid
        self.store.update("users", uuid, **columns)

    def role(self, user: str, role: str, scope_type: str, scope: str, **columns: Any) -> None:
        known = self.store.find(
            "SELECT 1 FROM roles WHERE user = ? AND role = ? AND scope = ?", user, role, scope
        )
        if not known:
            self.store.insert(
                "roles",
                user=user,
                role=role,
                scope_type=scope_type,
                scope=scope,
                created=NOW,
                **columns,
            )

    def places(self, doc: Record, *, customer_is_provider: bool = False) -> None:
        """Offering, provider, plan, project and customer, as far as the document names them."""
        self.offering = doc.get("offering_uuid") or self.offering
        self.plan = doc.get("plan_uuid") or self.plan
        self.project = doc.get("project_uuid") or self.project
        if customer_is_provider:
            self.provider = doc.get("customer_uuid") or self.provider
            provider_name = doc.get("customer_name")
        else:
            self.provider = doc.get("provider_uuid") or self.provider
            self.customer = doc.get("customer_uuid") or self.customer
            provider_name = doc.get("provider_name")
        self.keep("customers", self.provider, **_known(name=provider_name, slug="provider"))
        self._keep_offering(doc)
        self._keep_project(doc, named=not customer_is_provider)

    def _keep_offering(self, doc: Record) -> None:
        if not self.store.find("SELECT 1 FROM offerings WHERE uuid = ?", self.offering):
            bare: Record = {"secret_options": {}} if self.is_bare else {}
            self.keep("offerings", self.offering, **(USUAL_OFFERING | bare))
        self.keep(
            "offerings",
            self.offering,
            customer=self.provider,
            **_known(
                name=doc.get("offering_name"),
                type=doc.get("offering_type"),
                category=doc.get("category_uuid"),
                category_title=doc.get("category_title"),
                plugin_options=doc.get("offering_plugin_options"),
            ),
        )
        self.keep_new("plans", self.plan, offering=self.offering, name="Default")
        self.keep("plans", self.plan, **_known(name=doc.get("plan_name")))
        if self.is_bare:
            return
        for kind, name, unit in (
            ("cpu", "CPU", "k-Hours"),
            ("gpu", "GPU", "gpu-Hours"),
            ("mem", "RAM", "gb-Hours"),
        ):
            self.component(kind, name, unit)

    def _keep_project(self, doc: Record, *, named: bool) -> None:
        self.keep_new("customers", self.customer, name="Org", slug="org")
        name = doc.get("customer_name") if named else None
        self.keep("customers", self.customer, **_known(name=name, slug=doc.get("customer_slug")))
        self.keep_new("projects", self.project, name="Project", slug="project")
        self.keep(
            "projects",
            self.project,
            customer=self.customer,
            **_known(
                name=doc.get("project_name"),
                slug=doc.get("project_slug"),
                description=doc.get("project_description"),
                created=doc.get("project_created"),
            ),
        )

    def component(
        self, kind: str, name: str, unit: str, billing: str = "limit", period: str = "total"
    ) -> str:
        found = self.store.find(
            "SELECT uuid FROM components WHERE offering = ? AND type = ?", self.offering, kind
        )
        if found:
            return str(found["uuid"])
        row = self.store.insert(
            "components",
            offering=self.offering,
            type=kind,
            name=name,
            measured_unit=unit,
            billing_type=billing,
            limit_period=period,
        )
        return str(row["uuid"])

    def needs_limits(self, limits: Record) -> None:
        """The offering has these components, and they have limits."""
        for kind in limits:
            self.component(kind, kind.upper(), "", period="month")

    def usual_roles(self) -> None:
        people = self.people
        self.role(people["provider-owner"], "CUSTOMER.OWNER", "customer", self.provider)
        self.role(people["offering-manager"], "OFFERING.MANAGER", "offering", self.offering)
        self.role(people["customer-owner"], "CUSTOMER.OWNER", "customer", self.customer)

    def keep_resource(self, uuid: str, **columns: Any) -> None:
        values = {"name": "alloc", "slug": "alloc-1", "state": "OK", "created": NOW}
        values |= {"modified": NOW, "plan": self.plan, "offering": self.offering}
        self.keep("resources", uuid, **(values | {"project": self.project} | columns))

    def keep_allocation(self, uuid: str | None, resource: str, state: int = 3, **more: Any) -> None:
        self.keep(
            "allocations",
            uuid or uuid4().hex,
            resource=resource,
            state=state,
            visible_from=0.0,
            **({"created": NOW, "modified": NOW} | more),
        )

    def keep_order(self, uuid: str, resource: str, **columns: Any) -> None:
        values = {"type": "Create", "state": "done", "created": NOW, "modified": NOW}
        values |= {"offering": self.offering, "project": self.project, "plan": self.plan}
        values |= {"created_by": self.people["customer-owner"]}
        self.keep("orders", uuid, resource=resource, **(values | columns))

    def order_from(self, doc: Record) -> None:
        """An order as it was shown, with the resource and the allocation it names."""
        self.places(doc)
        resource = doc["marketplace_resource_uuid"]
        if not self.store.find("SELECT 1 FROM resources WHERE uuid = ?", resource):
            self.keep_resource(resource, name=doc["resource_name"], limits=doc["limits"])
        if doc["resource_uuid"]:
            self.keep_allocation(doc["resource_uuid"], resource)
        self.keep_order(
            doc["uuid"],
            resource,
            plan=doc.get("plan_uuid"),
            type=doc["type"],
            state=doc["state"],
            attributes=doc["attributes"],
            limits=doc["limits"],
            error_message=doc["error_message"],
            error_traceback=doc.get("error_traceback", ""),
            backend_id=doc.get("backend_id", ""),
            created_by=self._person_called(doc["created_by_full_name"]),
            **self._review(doc, "consumer"),
            **self._review(doc, "provider"),
        )

    def _review(self, doc: Record, side: str) -> Record:
        reviewer = doc.get(f"{side}_reviewed_by")
        name = doc.get(f"{side}_reviewed_by_full_name", "")
        return {
            f"{side}_reviewed_by": self.user(reviewer, name) if reviewer else None,
            f"{side}_reviewed_at": doc[f"{side}_reviewed_at"],
        }

    def _person_called(self, full_name: str) -> str:
        found = self.store.find("SELECT uuid FROM users WHERE full_name = ?", full_name)
        return str(found["uuid"]) if found else self.user(full_name.lower(), full_name)

    def resource_from(self, doc: Record) -> None:
        """A resource as it was shown, with its orders, its usage and its allocation."""
        self.places(doc)
        kept = ("name", "slug", "description", "state", "backend_id", "effective_id", "limits")
        more = ("attributes", "backend_metadata", "current_usages", "endpoints", "report")
        self.keep_resource(
            doc["uuid"],
            error_message=doc["error_message"],
            error_traceback=doc["error_traceback"],
            end_date=doc["end_date"],
            **{key: doc[key] for key in (*kept, *more)},
        )
        if doc["resource_uuid"]:
            self.keep_allocation(doc["resource_uuid"], doc["uuid"])
        for key in ("creation_order", "order_in_progress"):
            if doc.get(key):
                self.order_from(doc[key])
        if doc["is_usage_based"]:
            self.component("node", "Node", "node-hours", "usage")
        limit_usage = doc["limit_usage"] or {}
        self.needs_limits(limit_usage if self.is_bare else {})
        for kind, used in limit_usage.items():
            if used is not None:
                component = self.component(kind, kind.upper(), "")
                self.keep_usage(uuid4().hex, doc["uuid"], component, f"{used:.2f}")

    def keep_usage(self, uuid: str, resource: str, component: str, usage: str, **more: Any) -> None:
        values = {"billing_period": MONTH, "date": NOW, "created": NOW, "modified_by": 1}
        self.keep(
            "usages", uuid, resource=resource, component=component, usage=usage, **(values | more)
        )


def uuid_in(link: Any) -> str:
    return str(link).rstrip("/").rpartition("/")[2]


def query_of(recording: Recording) -> dict[str, str]:
    return dict(parse_qsl(recording.query))


def is_narrow(recording: Recording) -> bool:
    """Whether `field=` left only some of the keys."""
    return "field=" in recording.query


def allocation_state_before(recording: Recording) -> int:
    """The state that a refusal names, or one from which the move is right."""
    named = re.search(r"changed from (\d) to", str(recording.response))
    if named:
        return int(named[1])
    wanted = recording.body.get("state") if isinstance(recording.body, dict) else None
    return {"creating": 5, "updating": 1}.get(str(wanted), 3)


def _known(**columns: Any) -> Record:
    return {name: value for name, value in columns.items() if value is not None}
