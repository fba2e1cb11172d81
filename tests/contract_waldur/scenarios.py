"""Every intent of the adapter as a scenario: what comes before it, itself, and what it leaves.

`act` is what the agent would do again in its next cycle, so that it may be repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from tests.contract_waldur.sites import ServedSite, resource_of, serve_create
from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import Dialect, OrderUuid, Resource
from waldur_slurm.model.period import Month
from waldur_slurm.model.tres import TresName

CPU = ComponentType("cpu")

Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`prepare` runs unharmed and answers the act; `resource` is what it is about."""

    prepare: Callable[[ServedSite], tuple[str, Act]]


def _on_order(act: Callable[[ServedSite, OrderUuid], object], *, approved: bool) -> Scenario:
    def prepare(site: ServedSite) -> tuple[str, Act]:
        order = site.order_create(_project(site), {"cpu": 5})
        if approved:
            site.market.approve_order(order)
        return resource_of(site, order), lambda: act(site, order)

    return Scenario(prepare)


def _on_resource(act: Callable[[ServedSite, Resource], object]) -> Scenario:
    def prepare(site: ServedSite) -> tuple[str, Act]:
        resource = site.market.read_resource(serve_create(site, _project(site), {"cpu": 5}))
        return resource.uuid, lambda: act(site, resource)

    return Scenario(prepare)


def _on_update(act: Callable[[ServedSite, Resource], object]) -> Scenario:
    def prepare(site: ServedSite) -> tuple[str, Act]:
        uuid = serve_create(site, _project(site), {"cpu": 5})
        site.market.approve_order(site.order_update(uuid, {"cpu": 7}))
        resource = site.market.read_resource(uuid)
        return uuid, lambda: act(site, resource)

    return Scenario(prepare)


def _project(site: ServedSite) -> str:
    project = site.make_project()
    number = len(site.waldur.offering_users())
    site.add_member(project, f"alice{number}")
    return project


def _month(site: ServedSite) -> Month:
    now = site.market.server_time
    assert now is not None
    return Month(now.year, now.month)


def _prepare_usage_by_person(site: ServedSite) -> tuple[str, Act]:
    resource = site.market.read_resource(serve_create(site, _project(site), {"cpu": 5}))
    site.market.tell_usage(resource, {CPU: Decimal(3)})
    [usage] = [u for u in site.market.read_usages(_month(site)) if u.resource == resource.uuid]
    name = site.waldur.offering_users()[-1]["username"]
    return resource.uuid, lambda: site.market.tell_user_usages(usage, {name: Decimal(2)})


def _make_component(site: ServedSite, resource: Resource) -> None:
    """As loading components does: what is there already is not made again."""
    component = Component(
        tres=TresName("node"),
        type=ComponentType(f"node-{resource.uuid[:8]}"),
        label="Nodes",
        measured_unit="node-hours",
        accounting_type=AccountingType.USAGE,
        limit=0,
    )
    offered = {held.type: held for held in site.market.read_offering().components}
    if component.type in offered:
        site.market.update_component(offered[component.type], component)
    else:
        site.market.create_component(component)


def _err_unless_done(site: ServedSite, order: OrderUuid) -> None:
    site.market.tell_order_erred(order, "no such partition")


def _work(site: ServedSite, resource: Resource) -> None:
    """Begun and ended in one act: only together they are something to repeat."""
    site.market.tell_work_begun(resource)
    site.market.tell_resource_ok(resource)


SCENARIOS: dict[str, Scenario] = {
    "approve_order": _on_order(lambda s, o: s.market.approve_order(o), approved=False),
    "reject_order": _on_order(lambda s, o: s.market.reject_order(o, "no"), approved=False),
    "tell_order_done": _on_order(lambda s, o: s.market.tell_order_done(o), approved=True),
    "tell_order_erred": _on_order(_err_unless_done, approved=True),
    "work on an update": _on_update(_work),
    "tell_backend_id": _on_resource(lambda s, r: s.market.tell_backend_id(r, "hpc_other")),
    "tell_limits": _on_resource(lambda s, r: s.market.tell_limits(r, {CPU: 9})),
    "tell_resource_erred": _on_resource(lambda s, r: s.market.tell_resource_erred(r, "gone")),
    "tell_association": _on_resource(lambda s, r: s.market.tell_association(r, "alice")),
    "tell_no_association": _on_resource(lambda s, r: s.market.tell_no_association(r, "alice")),
    "tell_memberships": _on_resource(lambda s, r: s.market.tell_memberships(r, {"alice"})),
    "tell_usage": _on_resource(lambda s, r: s.market.tell_usage(r, {CPU: Decimal("1.25")})),
    "tell_user_usages": Scenario(_prepare_usage_by_person),
    "components": _on_resource(_make_component),
    "register_agent": _on_resource(lambda s, _: s.market.register_agent("1", "pull")),
    "read_offering": _on_resource(lambda s, _: s.market.read_offering()),
    "read_orders": _on_resource(lambda s, _: s.market.read_orders()),
    "read_resources": _on_resource(lambda s, _: s.market.read_resources()),
    "read_resource": _on_resource(lambda s, r: s.market.read_resource(r.uuid)),
    "read_members": _on_resource(lambda s, r: s.market.read_members([r])),
    "read_offering_users": _on_resource(lambda s, _: s.market.read_offering_users()),
    "read_associations": _on_resource(lambda s, r: s.market.read_associations([r])),
    "read_usages": _on_resource(lambda s, _: s.market.read_usages(_month(s))),
    "read_user_usages": _on_resource(lambda s, _: s.market.read_user_usages(_month(s), ())),
    "read_rights": _on_resource(lambda s, _: s.market.read_rights()),
}

SILENT = {
    Dialect.TODAY: {
        "read_associations",
        "tell_association",
        "tell_no_association",
        "work on an update",
    },
    Dialect.TRANSITION: {"tell_memberships", "register_agent"},
    Dialect.CLASSIC: {"tell_memberships", "register_agent"},
}
"""Where a dialect has no place for an intent, and nothing is asked."""

SAID_ALIKE = {
    "components",
    "read_offering",
    "read_offering_users",
    "read_orders",
    "read_rights",
    "read_usages",
    "read_user_usages",
    "reject_order",
    *SILENT[Dialect.CLASSIC],
}
"""What is said in the same words everywhere is swept in one dialect."""


def sweep() -> list[tuple[str, str]]:
    """Dialect and scenario: one dialect fully, the others where they speak otherwise."""
    return [
        (str(dialect), name)
        for dialect in Dialect
        for name in SCENARIOS
        if name not in SILENT[dialect]
        if dialect is Dialect.TODAY or name not in SAID_ALIKE
    ]


def left_behind(site: ServedSite, resource: str) -> dict[str, object]:
    """All that Waldur holds about one resource, without what differs from run to run."""
    waldur = site.waldur
    held = waldur.resource(resource)
    allocation = waldur.allocation(resource)
    return {
        "orders": [(order["type"], order["state"]) for order in waldur.orders(resource)],
        "resource": (held["state"], held["backend_id"], held["limits"]),
        "allocation": allocation and (allocation["state"], allocation["backend_id"]),
        "associations": waldur.associations(resource),
        "statuses": len(waldur.membership_statuses(resource)),
        "usages": [(usage["type"], usage["usage"]) for usage in waldur.usages(resource)],
        "people": [(usage["type"], usage["usage"]) for usage in waldur.user_usages(resource)],
        "components": sum(resource[:8] in component["type"] for component in waldur.components()),
        "agents": [len(agent["services"]) for agent in waldur.agents()],
    }
