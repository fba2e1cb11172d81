"""Read both sides: what Slurm recorded, what Waldur holds, and which month it is there."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.plan.months import Booking, book, bookings
from waldur_slurm.agent.push.plan.policy import Consent, PushPolicy
from waldur_slurm.agent.push.plan.usage import has_decreases
from waldur_slurm.agent.push.plan.world import (
    WaldurSide,
    World,
    by_usage,
    by_user,
    split_of,
    totals_of,
)
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.state import State

LOOKED_BACK = (timedelta(days=1), timedelta(days=8))
"""How far before a month a record is looked for, which shows that none of the month was purged."""


class ClocksDiffer(WaldurError):
    """Our clock and Waldur's tell different times, so nobody knows which month it is."""

    transient = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads, and writes nothing to either side."""

    accounting: Accounting
    marketplace: Marketplace
    components: Sequence[Component]
    policy: PushPolicy
    state: State
    clock: Callable[[], datetime]

    @property
    def meter(self) -> Meter:
        wanted = {component.tres for component in self.components}
        zone, basis = self.policy.zone, self.policy.basis
        return Meter(self.accounting, self.state, zone, wanted, basis)

    def read_resources(self) -> tuple[Resource, ...]:
        return tuple(self.marketplace.read_resources())

    def server_now(self) -> datetime:
        """Ask Waldur for its time; raise `ClocksDiffer` if ours is another."""
        self.marketplace.read_offering()  # every answer carries the date
        now = self.clock()
        server = self.marketplace.server_time or now
        if abs(server - now) > self.policy.greatest_clock_difference:
            raise ClocksDiffer(f"Waldur's clock says {server:%F %T}, ours {now:%F %T} (UTC)")
        return server

    def book(self, months: Iterable[Month]) -> Mapping[Month, Booking]:
        now, dialect = self.server_now(), self.marketplace.dialect
        return {month: book(month, now, dialect, self.policy) for month in months}

    def book_open_months(self) -> Mapping[Month, Booking]:
        """The running month, and those before it that are not known to be told for good."""
        since = Journal(self.state).read_newest_month()
        found = bookings(self.server_now(), self.marketplace.dialect, self.policy, since)
        return {booking.month: booking for booking in found}

    def may_book(self, month: Month) -> bool:
        """Whether what is sent now without a date lands in `month`, and safely so."""
        now, dialect = self.clock(), self.marketplace.dialect
        for each in (now, self.marketplace.server_time or now):
            is_running = Month.containing(each, self.policy.zone) == month
            if not is_running or book(month, each, dialect, self.policy).is_near_edge:
                return False
        return True

    def read_world(
        self,
        resources: tuple[Resource, ...],
        booked: Mapping[Month, Booking],
        snapshot: Snapshot,
        consent: Consent,
        *,
        remember: bool = False,
    ) -> World:
        """Measure the months for these resources, and read what Waldur holds of them."""
        accounts = named_accounts(resources)
        measured = self.meter.measure(booked, self.clock(), accounts, remember=remember)
        world = World(
            waldur=self._read_waldur(resources, booked),
            snapshot=snapshot,
            measured=measured,
            bookings=booked,
            components=tuple(self.components),
            policy=self.policy,
            ledger=Journal(self.state).read_ledger(),
            peaks=Journal(self.state).read_peaks(self.clock()),
            consent=consent,
        )
        falling = [month for month in booked if has_decreases(world, month)]
        truncated = frozenset(month for month in falling if self._may_be_truncated(month))
        return replace(world, truncated=truncated)

    def _read_waldur(
        self, resources: tuple[Resource, ...], months: Collection[Month]
    ) -> WaldurSide:
        waldur = self.marketplace
        offering = waldur.read_offering()
        persons = [account.person for account in waldur.read_project_accounts()]
        names = frozenset(u.username for u in (*waldur.read_offering_users(), *persons))
        held = {month: waldur.read_usages(month) for month in months}
        return WaldurSide(
            offered={component.type: component for component in offering.components},
            resources=resources,
            usages={month: by_usage(rows) for month, rows in held.items()},
            split={month: split_of(rows) for month, rows in held.items()},
            totals={month: totals_of(rows) for month, rows in held.items()},
            user_usages={
                month: by_user(waldur.read_user_usages(month, rows)) for month, rows in held.items()
            },
            usernames=names - {""},
            associations=waldur.read_associations(resources),
            is_unavailable=offering.is_unavailable,
            wants_memberships=offering.wants_memberships,
        )

    def _may_be_truncated(self, month: Month) -> bool:
        """Whether records of the month may have been purged: none are older than the month."""
        start = month.window(self.policy.zone).start
        for back in LOOKED_BACK:
            records = self.accounting.read_job_records(Window(start - back, start))
            if any(True for _ in records):
                return False
        return True


def named_accounts(resources: Iterable[Resource]) -> frozenset[AccountName]:
    return frozenset(AccountName(r.backend_id) for r in resources if r.backend_id)
