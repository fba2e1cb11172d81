"""`marketplace-orders/`: what agents poll, approve and end, and what customers place."""

from sandbox.waldur import lifecycle
from sandbox.waldur.answers import Answer, conflict, invalid
from sandbox.waldur.exchange import Exchange, plain_uuid
from sandbox.waldur.filters import Filter
from sandbox.waldur.limits import demand_orderable
from sandbox.waldur.pagination import paged, selected
from sandbox.waldur.permissions import OFFERINGS, PROJECTS, approves, demand, manages, owns_customer
from sandbox.waldur.shapes.orders import created_order_shape, order_shape
from sandbox.waldur.store import Record

VISIBLE = f"t.offering IN {OFFERINGS} OR t.project IN {PROJECTS}"
BACKEND_ID = 255
"""Its longest, in letters."""
MESSAGES = "enable_provider_consumer_messaging"
MESSAGE = ("provider_message", "provider_message_url")
TYPES = ("Create", "Update", "Terminate", "Restore")


def list_orders(ask: Exchange) -> Answer:
    wanted = Filter(ask, VISIBLE)
    wanted.uuid("offering_uuid", "t.offering")
    wanted.uuid("project_uuid", "t.project")
    wanted.uuid("resource_uuid", "t.resource")
    wanted.choices("state", "t.state", lifecycle.ORDER_STATES)
    wanted.choices("type", "t.type", TYPES)
    wanted.since("modified", "t.modified")
    wanted.since("created", "t.created")
    note_agent(ask, "orders_polled")
    return paged(ask, f"FROM orders t {wanted.where}", order_shape, **wanted.values)


def show_order(ask: Exchange) -> Answer:
    return Answer(200, selected(ask, order_shape(ask, _order(ask))))


def create_order(ask: Exchange) -> Answer:
    payload = ask.payload
    project = _linked(ask, "project", "projects", f"t.uuid IN {PROJECTS}")
    offering = _linked(ask, "offering", "offerings", "1")
    plan = _linked(ask, "plan", "plans", "1", at="/plans/")
    attributes = payload.get("attributes") or {}
    if not attributes.get("name"):
        raise invalid(attributes="This field is required.")
    limits = payload.get("limits") or {}
    demand_orderable(ask.store, offering["uuid"], limits)
    at_once = owns_customer(ask.store, ask.caller, project["customer"])
    order = lifecycle.place_creation(
        ask.store,
        offering["uuid"],
        plan["uuid"],
        project["uuid"],
        ask.caller.uuid,
        wanted=limits,
        attributes=attributes,
        state="pending-provider" if at_once else "pending-consumer",
    )
    return Answer(201, created_order_shape(ask, order))


def approve_by_consumer(ask: Exchange) -> Answer:
    order = _order(ask)
    customer = ask.named("projects", order["project"])["customer"]
    demand(owns_customer(ask.store, ask.caller, customer))
    lifecycle.approve_as_consumer(ask.store, order, ask.caller.uuid)
    return _done(ask, "Order has been approved.")


def approve_by_provider(ask: Exchange) -> Answer:
    lifecycle.approve_as_provider(ask.store, _for_provider(ask), ask.caller.uuid)
    return _done(ask, "Order has been approved.")


def reject_by_provider(ask: Exchange) -> Answer:
    comment = ask.payload.get("provider_rejection_comment", "")
    lifecycle.reject(ask.store, _for_provider(ask), ask.caller.uuid, comment)
    return Answer()


def cancel(ask: Exchange) -> Answer:
    order = _order(ask)
    customer = ask.named("projects", order["project"])["customer"]
    demand(owns_customer(ask.store, ask.caller, customer))
    lifecycle.cancel(ask.store, order)
    return Answer(202 if ask.dialect.is_today else 200)


def set_state_executing(ask: Exchange) -> Answer:
    lifecycle.execute_again(ask.store, _for_provider(ask))
    return Answer()


def set_state_done(ask: Exchange) -> Answer:
    order = _for_provider(ask)
    lifecycle.demand_order_state(order, "executing")
    lifecycle.complete(ask.store, order)
    return Answer()


def set_state_erred(ask: Exchange) -> Answer:
    order = _for_provider(ask)
    lifecycle.demand_agent_offering(ask.store, order)
    lifecycle.fail(ask.store, order, *lifecycle.error_text(ask.store, ask.payload))
    return Answer()


def set_backend_id(ask: Exchange) -> Answer:
    order = _for_provider(ask)
    wanted = ask.text("backend_id", BACKEND_ID)
    changed = order["backend_id"] != wanted
    ask.store.update("orders", order["uuid"], backend_id=wanted)
    return Answer(200, {"status": f"Order backend_id {said(changed)}."})


def set_provider_info(ask: Exchange) -> Answer:
    """A word to the customer while the provider has the order; what is left out stays."""
    order = _for_provider(ask)
    options = ask.named("offerings", order["offering"])["plugin_options"]
    if not options.get(MESSAGES):
        raise conflict("Messages are not enabled for this offering.")
    lifecycle.demand_order_state(order, "pending-provider")
    told = {key: str(ask.payload[key]) for key in MESSAGE if key in ask.payload}
    ask.store.update("orders", order["uuid"], **told, modified=ask.store.stamp())
    return Answer(200, {"detail": "Provider info has been set."})


def said(changed: bool) -> str:
    return "has been changed" if changed else "is not changed"


def note_agent(ask: Exchange, column: str) -> None:
    """Waldur takes the word in the User-Agent for the life of an agent."""
    offering = plain_uuid(ask.first("offering_uuid") or "")
    known = ask.store.find("SELECT 1 FROM offerings WHERE uuid = ?", offering)
    if known and "waldur-site-agent" in ask.user_agent and manages(ask.store, ask.caller, offering):
        ask.store.update("offerings", offering, **{column: ask.store.stamp()})


def _order(ask: Exchange) -> Record:
    return ask.visible("orders", "Order", VISIBLE)


def _for_provider(ask: Exchange) -> Record:
    order = _order(ask)
    demand(approves(ask.store, ask.caller, order["offering"]))
    return order


def _linked(ask: Exchange, key: str, table: str, visible: str, at: str = "") -> Record:
    """The row that a hyperlink of the payload points to; `at` is in the address of such a one."""
    link = ask.payload.get(key)
    if not link:
        raise invalid(**{key: "This field is required."})
    if at not in str(link):
        raise invalid(**{key: "Invalid hyperlink - Incorrect URL match."})
    uuid = plain_uuid(str(link).rstrip("/").rpartition("/")[2])
    found = ask.select(
        f"SELECT t.* FROM {table} t WHERE t.uuid = :uuid AND ({ask.caller.sees(visible)})",
        uuid=uuid,
    )
    if not found:
        raise invalid(**{key: "Invalid hyperlink - Object does not exist."})
    return found[0]


def _done(ask: Exchange, detail: str) -> Answer:
    return Answer(200, {"detail": detail}) if ask.dialect.is_today else Answer()
