"""By which rules a cluster runs: partitions, QoS, reservations, licences; and its accounts."""

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.keeper import Keeper
from waldur_slurm.gateway.web.ask import Ask
from waldur_slurm.gateway.web.native.accounts import association_view, see_tree
from waldur_slurm.gateway.web.native.cluster_views import (
    license_view,
    partition_view,
    qos_view,
    reservation_view,
)
from waldur_slurm.gateway.web.pages.rendering import page, shown

MOST_ROWS = 2000


class _Listed:
    """Rows of one kind, or why there are none: one kind that is silent takes no other with it."""

    def __init__(self, rows: tuple[Any, ...], said: str, age_s: float | None) -> None:
        self.rows = rows
        self.said = said
        self.age_s = age_s


@page
async def show_rules(ask: Ask) -> Response:
    cluster = ask.cluster
    return await shown(
        ask,
        "rules.html",
        title="Partitions",
        partitions=await _listed(ask, cluster.partitions, partition_view),
        qos=await _listed(ask, cluster.qos, qos_view),
        reservations=await _listed(ask, cluster.reservations, reservation_view),
        licenses=await _listed(ask, cluster.licenses, license_view),
    )


@page
async def show_accounts(ask: Ask) -> Response:
    """Show the tree; who may not see everybody sees what is his."""
    seen, tree = await see_tree(ask)
    people = await ask.see(ask.cluster.memberships)
    mine = ask.principal.sees_only
    rows = [
        association_view(each) for each in people.picture.value if mine is None or each.user in mine
    ]
    return await shown(
        ask,
        "accounts.html",
        title="Accounts",
        tree=tree,
        rows=rows[:MOST_ROWS],
        left_out=max(len(rows) - MOST_ROWS, 0),
        age_s=seen.age_s,
        silence=seen.silence,
    )


async def _listed(ask: Ask, keeper: Keeper[tuple[Any, ...]], view: Callable[[Any], Any]) -> _Listed:
    try:
        seen = await ask.see(keeper)
    except NotNow as silence:
        return _Listed((), str(silence), None)
    return _Listed(tuple(map(view, seen.picture.value)), seen.silence, seen.age_s)
