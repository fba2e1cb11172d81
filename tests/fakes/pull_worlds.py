"""Worlds for the laws of pull: what customers, administrators and users did before a cycle.

A world is a list of deeds, so that the same one can be built twice.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from itertools import count
from typing import Any

from hypothesis import strategies as st

from tests.fakes.pull import Site, new_site
from waldur_slurm.agent.model.marketplace import (
    Dialect,
    OrderState,
    OrderType,
    Project,
    ResourceState,
    ResourceUuid,
)
from waldur_slurm.agent.pull.world.choices import Allowance
from waldur_slurm.agent.pull.world.policy import Consent, PullPolicy
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.names import ROOT, AccountName, UserName
from waldur_slurm.model.tres import tres_name

GENEROUS = PullPolicy(
    require_unix_users=False,
    max_removals=Allowance(1000, Fraction(1)),
    max_terminations=1000,
    downscaled_qos="low",
    empty_account_grace=timedelta(0),
)
A_PERSON_SAID_YES = Consent(allow_removals=True)
FOREIGN = AccountName("admins")
OPEN = {OrderState.PENDING_PROVIDER, OrderState.EXECUTING}
ADMIN = UserName("root_admin")
GPU = tres_name("gres/gpu")
UNREADABLE = "many"
"""No number of GPUs."""
NAMES = ("ann", "bob", "eve", "dan", "")


@dataclass(frozen=True)
class Deed:
    """`what` is done to the `which`-th project or resource there is, if there is one."""

    what: str
    which: int = 0
    amount: int = 0
    name: str = ""


_FOUNDED = [
    *(Deed("join", which=which, name=name) for which in (0, 1) for name in ("ann", "bob")),
    *(Deed("create", which=which, amount=2) for which in (0, 0, 1)),
    Deed("settle"),
]
_FLAGS = {"pause": "is_paused", "downscale": "is_downscaled", "restrict": "is_restricted"}


def deeds() -> st.SearchStrategy[list[Deed]]:
    """Deeds in an empty world, or in one that has been lived in."""
    one = st.builds(
        Deed,
        what=st.sampled_from(
            [
                *("create", "join", "settle", "leave", "update", "terminate", "pause"),
                *("downscale", "restrict", "rename", "submit", "admin", "unusable", "inherit"),
            ]
        ),
        which=st.integers(0, 5),
        amount=st.integers(0, 3),
        name=st.sampled_from(NAMES),
    )
    founding = st.sampled_from([[], _FOUNDED, _FOUNDED])
    return st.builds(lambda first, then: [*first, *then], founding, st.lists(one, max_size=14))


def built(dialect: Dialect, done: Sequence[Deed], site: Site | None = None) -> Site:
    """Do the deeds in a new site in memory, or in the one that is given."""
    if site is None:
        site = new_site(dialect)
        numbers: Any = map(scattered, count())
        site.waldur._numbers = numbers
    site.policy = GENEROUS
    site.slurm.qos |= {"low"}
    site.slurm.put(
        Account(
            FOREIGN,
            "admins' own",
            "root",
            parent=ROOT,
            limits={},
            associations=(Association(UserName("ann")),),
        )
    )
    customers = ("Science", "Science", "Arts")
    projects = [site.waldur.make_project(f"P{n}", customers[n]) for n in range(3)]
    for deed in done:
        _do(site, projects, deed)
    return site


def scattered(number: int) -> int:
    """Numbers that differ in their first digits, as uuids do."""
    return (number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)


def settle(site: Site) -> None:
    """Run until nothing changes; jobs end by themselves between two cycles."""
    for _ in range(30):
        if site.run(A_PERSON_SAID_YES).is_idle:
            return
        site.wait(timedelta(minutes=2))
        for job in site.slurm.jobs:
            if job.state == "RUNNING":
                site.slurm.finish(job)
    raise AssertionError("the site does not come to rest")


def _do(site: Site, projects: list[Project], deed: Deed) -> None:
    project = projects[deed.which % len(projects)]
    waldur = site.waldur
    match deed.what:
        case "create":
            limits = {"gpu": deed.amount} if deed.amount else {}
            executing = deed.which % 2 and waldur.dialect is Dialect.TODAY
            state = OrderState.EXECUTING if executing else OrderState.PENDING_PROVIDER
            waldur.place_create(project, f"alloc {deed.amount % 2}", limits, state)
        case "join":
            waldur.add_member(project, deed.name)
        case "leave" if waldur.members[project.uuid]:
            waldur.remove_member(project, min(waldur.members[project.uuid]))
        case "unusable" if waldur.offering_users:
            users = sorted(waldur.offering_users)
            user = users[deed.which % len(users)]
            waldur.name_user(user, waldur.usernames[user], is_usable=False)
        case "inherit":
            _inherit(site, project, UNREADABLE if deed.amount == 3 else deed.amount)
        case "settle":
            settle(site)
        case _:
            _do_to_resource(site, deed)


def _inherit(site: Site, project: Project, gpus: object) -> None:
    """The original agent served it: no mark, no limits, and everybody it knew of is in it."""
    name = AccountName(f"hpc_old{len(site.waldur.resources)}_{project.uuid[:8]}")
    site.waldur.make_resource(project, "old", {"gpu": gpus}, backend_id=name)
    known = {UserName(each.username) for each in site.waldur.offering_users.values()} - {""}
    there = tuple(map(Association, sorted(known | {ADMIN})))
    site.slurm.put(Account(name, "old", f"hpc_{project.uuid}", parent=ROOT, associations=there))


def _do_to_resource(site: Site, deed: Deed) -> None:
    waldur = site.waldur
    busy = {order.resource for order in waldur.orders.values() if order.state in OPEN}
    live = [
        r.uuid
        for r in waldur.resources.values()
        if r.state is ResourceState.OK and r.uuid not in busy
    ]
    if not live:
        return
    uuid = live[deed.which % len(live)]
    resource = waldur.resources[uuid]
    match deed.what:
        case "update" if dict(resource.limits) != {"gpu": deed.amount}:
            waldur.place_update(uuid, {"gpu": deed.amount})
        case "terminate":
            waldur.place_terminate(uuid)
        case flag if flag in _FLAGS:
            turned: dict[str, Any] = {_FLAGS[flag]: not getattr(resource, _FLAGS[flag])}
            waldur.resources[uuid] = replace(resource, **turned)
        case "rename":
            waldur.resources[uuid] = replace(resource, name=f"renamed {deed.amount}")
        case "submit" | "admin" if resource.backend_id:
            _do_in_slurm(site, deed, AccountName(resource.backend_id))


def _do_in_slurm(site: Site, deed: Deed, account: AccountName) -> None:
    with suppress(CommandFailed):
        if deed.what == "submit":
            site.slurm.submit(deed.name or "ann", account)
        else:
            site.slurm.add_users({account: [ADMIN]})


def fingerprint(site: Site) -> tuple[object, ...]:
    """Everything outside the agent that a cycle may change, jobs last."""
    accounts = dict(site.accounts())
    people = {one.user for account in accounts.values() for one in account.associations}
    return (
        accounts,
        dict(site.slurm.read_default_accounts(people)),
        {order.uuid: order.state for order in site.waldur.orders.values()},
        dict(site.waldur.resources),
        {uuid: frozenset(shown) for uuid, shown in site.waldur.associations.items() if shown},
        [(job.id, job.state) for job in site.slurm.jobs],
    )


def expected_people(site: Site, resource: ResourceUuid) -> frozenset[UserName]:
    """Who Waldur says should be in, told without any of pull's own code."""
    waldur = site.waldur
    held = waldur.resources[resource]
    if held.is_restricted:
        return frozenset()
    people = (waldur.offering_users.get(user) for user in waldur.members[held.project.uuid])
    return frozenset(
        UserName(person.username) for person in people if person is not None and person.is_usable
    )


def waiting_people(site: Site, resource: ResourceUuid) -> frozenset[UserName]:
    """Who is in the team and may not work now: they may be in the account, and are held there."""
    waldur = site.waldur
    team = waldur.members[waldur.resources[resource].project.uuid]
    people = (waldur.offering_users.get(user) for user in team)
    named = frozenset(UserName(person.username) for person in people if person is not None)
    return named - expected_people(site, resource)


def assert_reached(site: Site) -> None:
    """What customers see in Waldur is what Slurm holds; told without any of pull's own code."""
    assert not [order for order in site.waldur.orders.values() if order.state in OPEN]
    for resource in site.waldur.resources.values():
        marked = [
            account
            for account in site.accounts().values()
            if f"/{resource.uuid}" in account.description
        ]
        if resource.state is ResourceState.TERMINATED:
            assert not marked
            continue
        gpus = ordered_gpus(site, resource.uuid)
        if gpus is None:
            (closed,) = marked
            assert (closed.grp_jobs, closed.grp_submit_jobs) == (0, 0)
            continue
        (account,) = marked
        assert resource.backend_id == account.name
        working = {a.user for a in account.associations if a.max_submit_jobs is None}
        assert working - {ADMIN} == expected_people(site, resource.uuid)
        assert account.users - working <= waiting_people(site, resource.uuid)
        assert account.limits[GPU] == 60 * gpus
        assert (account.grp_jobs == 0) is resource.is_paused
        assert (account.default_qos == "low") is resource.is_downscaled
        place = ROOT if account.name.startswith("hpc_old") else f"hpc_{resource.project.uuid}"
        assert account.parent == place


def ordered_gpus(site: Site, resource: ResourceUuid) -> int | None:
    """What the last order named, or what Waldur holds without one; None if it is no number."""
    orders = [
        order
        for order in site.waldur.orders.values()
        if order.resource == resource and order.type in (OrderType.CREATE, OrderType.UPDATE)
    ]
    latest = max(orders, key=lambda order: order.created, default=None)
    limits = latest.limits if latest else site.waldur.resources[resource].limits
    amount = limits.get("gpu", 0)
    return amount if isinstance(amount, int) else None


def assert_open_only_with_limits(site: Site) -> None:
    """Wherever a cycle ended: what carries a resource's mark has the limits of some order.

    A real Slurm may hold other sites' accounts as well.
    """
    ours = {*site.waldur.resources, *(order.resource for order in site.waldur.orders.values())}
    for account in site.accounts().values():
        if any(f"/{resource} " in f"{account.description} " for resource in ours):
            assert GPU in account.limits or account.grp_submit_jobs == 0, account.name
