"""Where an agent is measured: a Slurm with stock TCP and 200,000 jobs, and a Waldur with orders.

The same five people are in every project. The original's push puts each person of the offering
into every account: with other people in each project it would go on for hours.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from zoneinfo import ZoneInfo

from benchmarks import site
from benchmarks.peers.usage import Figure
from sandbox.slurm.history import load_jobs
from sandbox.slurm.history_jobs import HistoryOptions, Job, invent
from sandbox.slurm.history_sums import Share, exact_sums
from sandbox.waldur.dialects import DialectName

ACCOUNTS = 100
PEOPLE = ("u0", "u1", "u2", "u3", "u4")
JOBS = 200_000
MONTHS = 4
SPARE = 1.5
"""So many times the jobs are invented, for some of them are not over yet."""
LIMITS = {"cpu": 1000, "mem": 2000, "gres/gpu": 100}
PARENT = "root"


@dataclass(frozen=True)
class Past:
    """Jobs that are over, of accounts and people by number."""

    options: HistoryOptions
    jobs: Sequence[Job]
    month: str
    """The month that is not over, in which usage is compared."""
    sums: Mapping[str, Mapping[Share, int]]
    """TRES-seconds of what jobs were `allocated`, and of what they `requested`."""

    def of(self, accounts: Sequence[str]) -> Iterator[Job]:
        """The same jobs in these accounts, which have the same people."""
        names = self.options.account_names()
        account_of = dict(zip(names, accounts, strict=True))
        person_of = {
            (name, user): person
            for name in names
            for user, person in zip(self.options.members(name), PEOPLE, strict=True)
        }
        for job in self.jobs:
            person = person_of[job.account, job.user]
            yield job._replace(account=account_of[job.account], user=person)

    def sums_of(self, accounts: Sequence[str], basis: str) -> Mapping[Share, int]:
        """What these come to, which stand for the first of the accounts."""
        names = dict(zip(self.options.account_names(), accounts, strict=False))
        return {
            share._replace(account=names[share.account]): seconds
            for share, seconds in self.sums[basis].items()
            if share.account in names
        }


def past_of(options: HistoryOptions, jobs: Sequence[Job], month: str) -> Past:
    zone, until = ZoneInfo(options.zone), max(job.end for job in jobs)
    bases = ("allocated", "requested")
    sums = {basis: exact_sums(jobs, zone, until, basis=basis) for basis in bases}
    return Past(options, jobs, month, sums)


def invent_past(now: datetime) -> Past:
    """Whole months up to now, in UTC."""
    counted = now.year * 12 + now.month - MONTHS
    options = HistoryOptions(
        jobs=int(JOBS * SPARE),
        first_month=(counted // 12, counted % 12 + 1),
        months=MONTHS,
        accounts=ACCOUNTS,
        users=3 * ACCOUNTS,
    )
    over = (job for job in invent(options) if 0 < job.end <= now.timestamp())
    return past_of(options, tuple(islice(over, JOBS)), f"{now:%Y-%m}")


@dataclass(frozen=True)
class PeerSite(site.Site):
    @property
    def environ(self) -> dict[str, str]:
        path = f"{self.tools.bin_path}:{os.defpath}"
        return {"PATH": path, "TZ": "UTC", "HOME": str(self.directory), **self.cluster.environ}

    def order(self, allocations: int) -> None:
        customer = self.waldur.make_customer("Science")
        people = [self.waldur.make_user(f"home-{name}") for name in PEOPLE]
        for user, name in zip(people, PEOPLE, strict=True):
            self.waldur.set_offering_username(user, name)
        for number in range(allocations):
            project = self.waldur.make_project(customer, f"Project {number}")
            for user in people:
                self.waldur.add_member(project, user)
            self.waldur.order_create(project, f"work {number}", dict(LIMITS))

    def is_provisioned(self) -> bool:
        """Every order is done, and everybody is in the account that Waldur was told of."""
        if any(order["state"] != "done" for order in self.waldur.orders()):
            return False
        listed = self.cluster.must("sacctmgr", "-nP", "show", "assoc", "format=account,user")
        found = set(listed.splitlines())
        return all(f"{name}|{user}" in found for name in self.accounts() for user in PEOPLE)

    def accounts(self) -> list[str]:
        return [resource["backend_id"] for resource in self.waldur.resources()]

    def work_for_months(self, past: Past) -> None:
        """Give the accounts a past, and the cluster as many others as the whole site would have."""
        ours = self.accounts()
        others = [f"other_{number}" for number in range(ACCOUNTS - len(ours))]
        if others:
            together = ",".join(others)
            self.cluster.must("sacctmgr", "-i", "add", "account", together, timeout=120)
            people = ",".join(PEOPLE)
            self.cluster.must(
                "sacctmgr", "-i", "add", "user", people, f"account={together}", timeout=120
            )
        load_jobs(self.cluster, self.cluster.options.name, past.of(ours + others))

    def reported(self, month: str) -> dict[Figure, Decimal]:
        account_of = {row["uuid"]: row["backend_id"] for row in self.waldur.resources()}
        return {
            (account_of[row["resource"]], row["type"]): Decimal(row["usage"])
            for row in self.waldur.usages()
            if row["billing_period"] == f"{month}-01"
        }


@contextmanager
def running_site(dialect: DialectName) -> Iterator[PeerSite]:
    with site.running_site(dialect=dialect) as plain:
        # Components are called after TRES, as the original demands.
        gpu = next(one for one in plain.waldur.components() if one["type"] == "gpu")
        plain.waldur.change("components", gpu["uuid"], type="gres/gpu")
        yield PeerSite(plain.directory, plain.cluster, plain.waldur, plain.tools)
