"""Somebody who asks a Waldur over HTTP, in any role, and knows its two names for resources."""

from typing import Any

import requests

from sandbox.waldur import Order, Waldur


class Asking:
    def __init__(self, waldur: Waldur) -> None:
        self.waldur = waldur
        self.session = requests.Session()
        self.resources = (
            "marketplace-resources"
            if waldur.dialect == "classic"
            else "marketplace-provider-resources"
        )

    def request(
        self, method: str, path: str, body: Any = None, *, role: str = "provider"
    ) -> requests.Response:
        return self.session.request(
            method,
            self.waldur.url + path,
            json=body,
            headers={"Authorization": f"Token {getattr(self.waldur.tokens, role)}"},
            timeout=20,
            allow_redirects=False,
        )

    def read(self, path: str, *, role: str = "provider") -> Any:
        answer = self.request("GET", path, role=role)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, *, role: str = "provider") -> requests.Response:
        return self.request("POST", path, body, role=role)

    def on_order(
        self, order: Order, action: str, body: Any = None, *, role: str = "provider"
    ) -> requests.Response:
        return self.post(f"marketplace-orders/{order.uuid}/{action}/", body, role=role)

    def on_resource(self, resource: str, action: str, body: Any = None) -> requests.Response:
        return self.post(f"{self.resources}/{resource}/{action}/", body)

    def on_allocation(self, resource: str, action: str, body: Any) -> requests.Response:
        return self.post(f"marketplace-slurm-remote/{resource}/{action}/", body)

    def report(self, resource: str, **amounts: str) -> requests.Response:
        return self.post("marketplace-component-usages/set_usage/", self.usage(resource, **amounts))

    @staticmethod
    def usage(resource: str, date: str | None = None, **amounts: str) -> dict[str, Any]:
        usages = [{"type": kind, "amount": amount} for kind, amount in amounts.items()]
        return {"resource": resource, "usages": usages} | ({"date": date} if date else {})

    def make_running(self, limits: dict[str, int] | None = None) -> tuple[str, str]:
        """A project with one member, and its allocation, created and done."""
        waldur = self.waldur
        project = waldur.make_project(waldur.make_customer("Org"), "Project")
        waldur.add_member(project, waldur.make_user("ann"))
        order = waldur.order_create(project, "alloc", limits or {"cpu": 5})
        self.carry_out(order)
        return project, order.resource_uuid

    def carry_out(self, order: Order) -> None:
        """As an agent does: approved, the allocation called ok where there is one, done."""
        assert self.on_order(order, "approve_by_provider").status_code == 200
        if self.waldur.allocation(order.resource_uuid):
            self.await_allocation(order)
            assert self.on_allocation(order.resource_uuid, "set_state", {"state": "ok"}).ok
        if self.waldur.order(order.uuid)["state"] == "executing":
            assert self.on_order(order, "set_state_done").status_code == 200

    def carry_out_end(self, order: Order) -> None:
        """A Terminate order, as an agent that leaves the allocation alone."""
        assert self.on_order(order, "approve_by_provider").status_code == 200
        assert self.on_order(order, "set_state_done").status_code == 200

    def await_allocation(self, order: Order) -> str:
        while True:
            shown = self.read(f"marketplace-orders/{order.uuid}/")
            if shown["resource_uuid"]:
                return str(shown["resource_uuid"])
