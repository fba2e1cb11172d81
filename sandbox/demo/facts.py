"""What both sides hold, asked of Slurm's own commands and read from Waldur's state."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from sandbox.demo.site import Site

KINDS = ("cpu", "mem", "gpu")
UNITS = ("CPU-minutes", "GiB-minutes", "GPU-minutes")


@dataclass(frozen=True)
class Job:
    number: str
    user: str
    account: str
    tres: Mapping[str, str]
    seconds: int
    state: str


def accounts(site: Site) -> Iterator[tuple[str, str, str]]:
    """Yield account (indented under its parent), users and limits."""
    listed = site.cluster.must(
        "sacctmgr", "-nP", "show", "assoc", "tree", "format=account,user,grptresmins"
    )
    rows = [line.split("|") for line in listed.splitlines()]
    for account, group in groupby(rows, key=lambda row: row[0].strip()):
        here = list(group)
        depth = len(here[0][0]) - len(account)
        users = " ".join(row[1] for row in here if row[1])
        yield "  " * depth + account, users, here[0][2].replace(",", " ")


def orders(site: Site) -> Iterator[tuple[str, ...]]:
    """Yield allocation, state of its order, its account's name, and limits in Waldur's units."""
    for order in site.waldur.orders():
        resource = site.waldur.resource(order["resource"])
        limits = (str(order["limits"].get(kind, "")) for kind in KINDS)
        yield resource["name"], order["state"], resource["backend_id"], *limits


def jobs(site: Site) -> list[Job]:
    wanted = "--format=jobid,user,account,alloctres,elapsedraw,state"
    listed = site.cluster.must("sacct", "-aXnP", "--starttime=now-1hours", wanted)
    return [
        Job(number, user, account, dict(_pairs(tres)), int(seconds), state)
        for number, user, account, tres, seconds, state in (
            line.split("|") for line in listed.splitlines()
        )
    ]


def usage(site: Site) -> Iterator[tuple[str, ...]]:
    """Yield allocation, user ("" for the total) and amounts, as Waldur holds them."""
    for resource in site.waldur.resources():
        total = {row["type"]: row["usage"] for row in site.waldur.usages(resource["uuid"])}
        yield resource["name"], "", *(total.get(kind, "") for kind in KINDS)
        by_user: dict[str, dict[str, str]] = {}
        for row in site.waldur.user_usages(resource["uuid"]):
            by_user.setdefault(row["username"], {})[row["type"]] = row["usage"]
        for user, amounts in by_user.items():
            yield "", user, *(amounts.get(kind, "") for kind in KINDS)


def _pairs(tres: str) -> Iterator[tuple[str, str]]:
    for part in tres.split(","):
        kind, _, amount = part.partition("=")
        yield kind, amount
