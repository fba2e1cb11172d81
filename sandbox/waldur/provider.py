"""The provider's side and the operator's: how the offering is set up, and what this server is like.

Like the consumer's side it works on the state itself, beside the server.
"""

from uuid import uuid4

from sandbox.waldur import beginning, lifecycle, limits, people, traits
from sandbox.waldur.store import Record, Store, real_time


class Provider:
    """What a provider sets in his offering, and what only an operator of Waldur can."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def change_offering(
        self,
        *,
        shared: bool | None = None,
        state: str | None = None,
        plugin_options: Record | None = None,
        backend_id_rules: Record | None = None,
    ) -> None:
        """state: Draft, Active, Paused, Archived, or Unavailable (today).

        backend_id_rules (today): `format`, a regular expression, and `unique`.
        """
        columns = {
            "shared": None if shared is None else int(shared),
            "state": state,
            "plugin_options": plugin_options,
            "backend_id_rules": backend_id_rules,
        }
        told = {name: value for name, value in columns.items() if value is not None}
        if told:
            self.store.update("offerings", self.store.offering_uuid, **told)

    def let_offering_make_users(self, permitted: bool = True) -> None:
        """The option without which nobody is given an offering user, where its dialect has it."""
        with self.store.transaction():
            people.let_make_users(self.store, self.store.offering_uuid, permitted)

    def set_price(self, kind: str, price: str | None = "1.0", plan: str = "") -> None:
        """Of a component, in the plan or the first one; None takes the component out of it."""
        with self.store.transaction():
            limits.set_price(
                self.store, plan or self._plans()[0]["uuid"], self._component(kind)["uuid"], price
            )

    def switch_plan(self, resource: str, name: str) -> str:
        """To the plan of this name, made with the first one's prices where there is none yet."""
        with self.store.transaction():
            known = {plan["name"]: plan["uuid"] for plan in self._plans()}
            plan: str = known.get(name) or self._copied_plan(name)
            lifecycle.switch_plan(self.store, self.store.named("resources", resource), plan)
            return plan

    def set_trait(self, name: str, is_on: bool = True) -> None:
        """Make this server the one of its dialect that a test needs: see `traits.TRAITS`."""
        traits.set_trait(self.store, name, is_on)

    def permit_bulk_memberships(self, permitted: bool) -> None:
        """Whether `project_permissions/` answers this provider, or 403."""
        self.set_trait("bulk_memberships", permitted)

    def govern_limits(self, *kinds: str) -> None:
        """Today: components whose limits a usage policy keeps, whatever `set_limits` says."""
        self.store.keep_setting("governed_limits", list(kinds))

    def keep_invoice_open(self, customer: str, month: str, is_open: bool = True) -> None:
        """Whether the customer's bill of the month (YYYY-MM-01) may still change."""
        with self.store.transaction():
            self.store.run(
                "DELETE FROM open_invoices WHERE customer = ? AND month = ?", customer, month
            )
            if is_open:
                self.store.insert("open_invoices", customer=customer, month=month)

    def make_personal_token(self, username: str = "prov-owner") -> str:
        """A personal access token of today's Waldur: it comes after `Bearer`, and only there."""
        with self.store.transaction():
            user = self._user(username)
            token = f"w_{int(real_time())}_{uuid4().hex}"
            self.store.insert("personal_tokens", user=user["uuid"], token=token)
            return token

    def make_provider_manager(self, username: str) -> str:
        """Somebody with CUSTOMER.MANAGER in the provider's organisation; answers his token."""
        with self.store.transaction():
            user = beginning.make_user(self.store, username, f"{username.title()} Manager")
            provider = self.store.setting("provider")
            beginning.grant(self.store, user["uuid"], "CUSTOMER.MANAGER", "customer", provider)
            token: str = user["token"]
            return token

    def _plans(self) -> list[Record]:
        return self.store.rows(
            "SELECT * FROM plans WHERE offering = ? ORDER BY id", self.store.offering_uuid
        )

    def _component(self, kind: str) -> Record:
        found = self.store.find(
            "SELECT * FROM components WHERE offering = ? AND type = ?",
            self.store.offering_uuid,
            kind,
        )
        if found is None:
            raise LookupError(f"the offering has no component {kind}")
        return found

    def _user(self, username: str) -> Record:
        found = self.store.find("SELECT * FROM users WHERE username = ?", username)
        if found is None:
            raise LookupError(f"nobody is called {username}")
        return found

    def _copied_plan(self, name: str) -> str:
        offering, first = self.store.offering_uuid, self._plans()[0]["uuid"]
        plan: str = self.store.insert("plans", offering=offering, name=name)["uuid"]
        for row in self.store.rows("SELECT * FROM plan_components WHERE plan = ?", first):
            limits.set_price(self.store, plan, row["component"], row["price"])
        return plan
