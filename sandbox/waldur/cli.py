"""The stand-in's command line: run a Waldur in a directory, be its customers, see what it holds.

People, projects, resources and orders are named by name, or by the first digits of a UUID.
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import get_args

from sandbox.waldur import beginning, process
from sandbox.waldur.answers import Problem
from sandbox.waldur.beginning import READY, Setup
from sandbox.waldur.consumer import Consumer, Order
from sandbox.waldur.dialects import DIALECTS
from sandbox.waldur.faults import Fault, Kind, clear_faults, set_fault
from sandbox.waldur.provider import Provider
from sandbox.waldur.store import Store
from sandbox.waldur.traits import TRAITS, has_trait, set_trait

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
OFFERING_STATES = ("Draft", "Active", "Paused", "Archived", "Unavailable")
AS_READY = "an offering that its provider has set up: users, prices"
FLAGS = ("paused", "downscaled", "restrict_member_access")
TOPICS = ("orders", "resources", "usage", "users", "agents", "requests")
ROLES = {
    "member": "PROJECT.MEMBER",
    "admin": "PROJECT.ADMIN",
    "manager": "PROJECT.MANAGER",
}

Command = Callable[[argparse.Namespace], None]


class CannotDo(Exception):
    """What stops a command, said to a person."""


def main(argv: Sequence[str]) -> int:
    wanted = _parser().parse_args(argv)
    try:
        wanted.command(wanted)
    except (CannotDo, LookupError, process.NotRunning) as trouble:
        return _complain(str(trouble))
    except Problem as problem:
        return _complain(f"Waldur refuses: {problem.answer.status} {problem.answer.data}")
    return 0


def begin(wanted: argparse.Namespace) -> None:
    beginning.begin(
        wanted.directory,
        wanted.dialect or "today",
        _setup(wanted).changed(offering_uuid=wanted.offering, provider_token=wanted.token),
    ).close()


def start(wanted: argparse.Namespace) -> None:
    if process.running(wanted.directory) is None:
        store = beginning.begin(wanted.directory, wanted.dialect or "today", _setup(wanted))
        if wanted.dialect:
            store.keep_setting("dialect", wanted.dialect)
        store.close()
        process.start_detached(wanted.directory, wanted.port, seconds_of(wanted.lifetime))
    status(wanted)


def stop(wanted: argparse.Namespace) -> None:
    say("stopped" if process.stop_detached(wanted.directory) else "was not running")


def status(wanted: argparse.Namespace) -> None:
    found = process.running(wanted.directory)
    if found is None:
        raise CannotDo(f"no Waldur is running in {wanted.directory}")
    store = _store(wanted)
    say(f"address   http://127.0.0.1:{found[1]}/api/")
    say(f"dialect   {store.dialect.name}")
    say(f"offering  {store.offering_uuid}")
    for role, token in asdict(beginning.tokens_of(store)).items():
        say(f"token     {token}  {role}")


def show(wanted: argparse.Namespace) -> None:
    from sandbox.waldur import tables

    topics = [wanted.topic] if wanted.topic else TOPICS[:-1]
    tables.show(_store(wanted), topics)


def add_customer(wanted: argparse.Namespace) -> None:
    say(_consumer(wanted).make_customer(wanted.name))


def add_project(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    customer = _named(consumer.store, "customers", wanted.customer)
    say(consumer.make_project(customer, wanted.name))


def add_user(wanted: argparse.Namespace) -> None:
    say(_consumer(wanted).make_user(wanted.username, wanted.full_name))


def join(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    project = _named(consumer.store, "projects", wanted.project)
    consumer.add_member(project, _user(consumer, wanted), ROLES[wanted.role])


def leave(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    project = _named(consumer.store, "projects", wanted.project)
    consumer.remove_member(project, _user(consumer, wanted))


def name_user(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    say(consumer.set_offering_username(_user(consumer, wanted), wanted.username))


def order_create(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    project = _named(consumer.store, "projects", wanted.project)
    state = "pending-consumer" if wanted.as_member else "pending-provider"
    _tell(consumer.order_create(project, wanted.name, dict(wanted.limit), state=state))


def order_update(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    resource = consumer.store.named("resources", _resource(consumer, wanted))
    limits = resource["limits"] | dict(wanted.limit)
    _tell(consumer.order_update(resource["uuid"], limits))


def order_terminate(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    _tell(consumer.order_terminate(_resource(consumer, wanted)))


def order_restore(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    _tell(consumer.order_restore(_resource(consumer, wanted)))


def approve(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    consumer.approve_as_consumer(_named(consumer.store, "orders", wanted.order, by="uuid"))


def flag(wanted: argparse.Namespace) -> None:
    flags = {name: getattr(wanted, name) for name in FLAGS if getattr(wanted, name) is not None}
    if not flags:
        raise CannotDo("name a flag, such as --paused or --no-paused")
    consumer = _consumer(wanted)
    consumer.set_flags(_resource(consumer, wanted), **flags)


def move(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    customer = _named(consumer.store, "customers", wanted.customer)
    consumer.move_project(_named(consumer.store, "projects", wanted.project), customer)


def offering(wanted: argparse.Namespace) -> None:
    waldur = _provider(wanted)
    waldur.change_offering(shared=wanted.shared, state=wanted.state)
    if wanted.users is not None:
        waldur.let_offering_make_users(wanted.users)


def price(wanted: argparse.Namespace) -> None:
    _provider(wanted).set_price(wanted.component, None if wanted.price == "none" else wanted.price)


def plan(wanted: argparse.Namespace) -> None:
    waldur = _provider(wanted)
    say(waldur.switch_plan(_named(waldur.store, "resources", wanted.resource), wanted.plan))


def trait(wanted: argparse.Namespace) -> None:
    if wanted.trait:
        set_trait(_store(wanted), wanted.trait, wanted.is_on)
        return
    store = _store(wanted)
    for name, one in TRAITS.items():
        say(f"{'on ' if has_trait(store, name) else 'off'}  {name:28}  {one.meaning}")


def invoice(wanted: argparse.Namespace) -> None:
    waldur = _provider(wanted)
    customer = _named(waldur.store, "customers", wanted.customer)
    waldur.keep_invoice_open(customer, f"{wanted.month}-01", wanted.is_open)


def govern(wanted: argparse.Namespace) -> None:
    _provider(wanted).govern_limits(*wanted.component)


def personal_token(wanted: argparse.Namespace) -> None:
    say(_provider(wanted).make_personal_token(wanted.user))


def fault(wanted: argparse.Namespace) -> None:
    set_fault(_store(wanted), Fault(wanted.route, wanted.kind, nth=wanted.nth, value=wanted.value))


def heal(wanted: argparse.Namespace) -> None:
    clear_faults(_store(wanted))


def clock(wanted: argparse.Namespace) -> None:
    consumer = _consumer(wanted)
    consumer.set_clock(None if wanted.moment == "real" else _moment(wanted.moment))
    say(consumer.store.stamp())


def seconds_of(text: str) -> float:
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if found is None:
        raise CannotDo(f"a time such as 30m or 4h is wanted, not {text!r}")
    return int(found[1]) * UNITS[found[2]]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _complain(text: str) -> int:
    sys.stderr.write(text + "\n")
    return 1


def _tell(order: Order) -> None:
    say(f"order     {order.uuid}")
    say(f"resource  {order.resource_uuid}")


def _store(wanted: argparse.Namespace) -> Store:
    directory: Path = wanted.directory
    if not (directory / "waldur.sqlite").exists():
        raise CannotDo(f"no Waldur was ever started in {directory}")
    return Store(directory)


def _consumer(wanted: argparse.Namespace) -> Consumer:
    return Consumer(_store(wanted))


def _provider(wanted: argparse.Namespace) -> Provider:
    return Provider(_store(wanted))


def _setup(wanted: argparse.Namespace) -> Setup:
    return READY if wanted.ready else Setup()


def _user(consumer: Consumer, wanted: argparse.Namespace) -> str:
    return _named(consumer.store, "users", wanted.user, by="username")


def _resource(consumer: Consumer, wanted: argparse.Namespace) -> str:
    return _named(consumer.store, "resources", wanted.resource)


def _named(store: Store, table: str, text: str, by: str = "name") -> str:
    rows = store.rows(
        f"SELECT uuid FROM {table} WHERE {by} = ? OR uuid LIKE ? || '%'",
        text,
        text,
    )
    if len(rows) != 1:
        raise CannotDo(f"{len(rows)} of the {table} are called {text!r}")
    return str(rows[0]["uuid"])


def _limit(text: str) -> tuple[str, int]:
    kind, _, amount = text.partition("=")
    return kind, int(amount)


def _nth(text: str) -> int | str:
    return text if text == "all" else int(text)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise CannotDo(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox waldur", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, text: str, *words: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("directory", type=Path, metavar="DIR")
        for word in words:
            made.add_argument(word)
        made.set_defaults(command=run)
        return made

    _add_running(command)
    _add_people(command)
    _add_orders(command)
    _add_provider(command)
    _add_trouble(command)
    return parser


Adder = Callable[..., argparse.ArgumentParser]


def _add_running(command: Adder) -> None:
    made = command("begin", begin, "make what it holds, without starting it")
    made.add_argument("--dialect", choices=sorted(DIALECTS))
    made.add_argument("--offering", default="", metavar="UUID", help="the offering's UUID")
    made.add_argument("--token", default="", help="the provider's token")
    made.add_argument("--ready", action="store_true", help=AS_READY)
    made = command("start", start, "start a Waldur on loopback; print its address and tokens")
    made.add_argument("--dialect", choices=sorted(DIALECTS))
    made.add_argument("--ready", action="store_true", help=AS_READY)
    made.add_argument("--port", type=int, default=0)
    made.add_argument("--for", dest="lifetime", default="4h", metavar="TIME")
    command("stop", stop, "stop it; what it holds stays in the directory")
    command("status", status, "print its address and tokens again")
    made = command("show", show, "what Waldur holds now, as tables")
    made.add_argument("topic", nargs="?", choices=TOPICS)


def _add_people(command: Adder) -> None:
    command("customer", add_customer, "make a customer", "name")
    command("project", add_project, "make a project of a customer", "customer", "name")
    made = command("user", add_user, "make a user of Waldur", "username")
    made.add_argument("--full-name", default="")
    made = command("join", join, "make a user a member of a project", "project", "user")
    made.add_argument("--role", choices=sorted(ROLES), default="member")
    command("move", move, "give a project to another customer", "project", "customer")
    command("leave", leave, "take a member out of a project", "project", "user")
    command("name", name_user, 'a user\'s name in the offering; "" for none', "user", "username")


def _add_orders(command: Adder) -> None:
    made = command("create", order_create, "order an allocation", "project", "name")
    made.add_argument("--limit", type=_limit, action="append", default=[], metavar="cpu=5")
    made.add_argument("--as-member", action="store_true", help="needs the customer's approval")
    made = command("update", order_update, "order other limits", "resource")
    made.add_argument("--limit", type=_limit, action="append", required=True, metavar="cpu=5")
    command("terminate", order_terminate, "order the end of an allocation", "resource")
    command("restore", order_restore, "order an ended allocation back (today)", "resource")
    command("approve", approve, "approve an order as the customer", "order")
    made = command("flag", flag, "pause, downscale or restrict a resource", "resource")
    for name in FLAGS:
        made.add_argument(f"--{name.replace('_', '-')}", action=argparse.BooleanOptionalAction)


def _add_provider(command: Adder) -> None:
    made = command("offering", offering, "what the provider says of the offering")
    made.add_argument(
        "--shared", action=argparse.BooleanOptionalAction, help="--no-shared: private"
    )
    made.add_argument("--users", action=argparse.BooleanOptionalAction, help="make offering users")
    made.add_argument("--state", choices=OFFERING_STATES)
    command("price", price, 'of a component in the plan; "none" for none', "component", "price")
    command("plan", plan, "switch an allocation to a plan, made if need be", "resource", "plan")
    made = command("trait", trait, "what this server is like, or one thing to be otherwise")
    made.add_argument("trait", nargs="?", choices=sorted(TRAITS))
    made.add_argument("--off", dest="is_on", action="store_false")
    made = command("invoice", invoice, "let a month's bill change still (today)", "customer")
    made.add_argument("month", metavar="YYYY-MM")
    made.add_argument("--closed", dest="is_open", action="store_false")
    made = command("govern", govern, "components whose limits a policy keeps (today)")
    made.add_argument("component", nargs="*")
    command("personal-token", personal_token, "a personal access token (today)", "user")


def _add_trouble(command: Adder) -> None:
    made = command("fault", fault, "make a route fail", "route")
    made.add_argument("kind", choices=get_args(Kind))
    made.add_argument("--nth", type=_nth, default="all")
    made.add_argument("--value")
    command("heal", heal, "take all faults back")
    command("clock", clock, "set Waldur's clock, or give it back the real time", "moment")
