"""Usage for a person: the numbers that push reports, what Waldur holds, and the difference."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from waldur_slurm.agent.errors import NoSuchAllocation
from waldur_slurm.agent.model.components import Component, ComponentType
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.model.usage import Measurement
from waldur_slurm.agent.push.plan.usage import by_account
from waldur_slurm.agent.push.plan.world import NOTHING, by_usage, by_user
from waldur_slurm.agent.push.reader import Reader, named_accounts
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.model.tres import TresName


@dataclass(frozen=True, slots=True, order=True)
class UsageRow:
    """One line. `held` and `difference` are None where Waldur holds no such figure."""

    account: AccountName
    period: str
    component: ComponentType
    user: str
    tres_seconds: int
    measured: Decimal
    held: Decimal | None
    note: str = ""
    """Why the figure is in doubt."""

    @property
    def difference(self) -> Decimal | None:
        return None if self.held is None else self.measured - self.held


@dataclass(frozen=True, slots=True, order=True)
class Disagreement:
    """Where Slurm's own rollup says something else, in TRES-seconds."""

    account: AccountName
    user: UserName
    tres: TresName
    measured: int
    rolled_up: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared; sreport knows whole hours only, and the window is cut to them."""

    window: Window
    compared: int
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True, slots=True)
class UsageStatement:
    """Reads both sides and writes to neither."""

    reader: Reader

    def by_month(
        self, months: Iterable[Month], accounts: Collection[AccountName] = ()
    ) -> tuple[UsageRow, ...]:
        """One row for each account, month and component; no `accounts` means all."""
        resources = self._resources(accounts)
        rows: list[UsageRow] = []
        for month, measurement in self._measure(months, resources).items():
            held = by_usage(self.reader.marketplace.read_usages(month))
            used = by_account(measurement)
            for resource, component in self._figures_of(resources):
                account = AccountName(resource.backend_id)
                seconds = sum(used.get(account, {}).get(component.tres, {}).values())
                amount = held.get((resource.uuid, component.type), NOTHING)
                note = measurement.in_doubt.get(account, "")
                rows.append(_row(account, str(month), component, "", seconds, amount, note))
        return tuple(sorted(rows))

    def by_user(
        self, months: Iterable[Month], accounts: Collection[AccountName] = ()
    ) -> tuple[UsageRow, ...]:
        resources = self._resources(accounts)
        rows: list[UsageRow] = []
        for month, measurement in self._measure(months, resources).items():
            waldur = self.reader.marketplace
            held = by_user(waldur.read_user_usages(month, waldur.read_usages(month)))
            used = by_account(measurement)
            for resource, component in self._figures_of(resources):
                account = AccountName(resource.backend_id)
                people = used.get(account, {}).get(component.tres, {})
                known = held.get((resource.uuid, component.type), {})
                rows += [
                    _row(
                        account,
                        str(month),
                        component,
                        user,
                        people.get(UserName(user), 0),
                        known.get(user, NOTHING),
                        measurement.in_doubt.get(account, ""),
                    )
                    for user in people.keys() | known.keys()
                ]
        return tuple(sorted(rows))

    def by_day(
        self, first: date, last: date, accounts: Collection[AccountName] = ()
    ) -> tuple[UsageRow, ...]:
        """Days in the billing zone, the last one included; Waldur knows no days."""
        reader, resources = self.reader, self._resources(accounts)
        window = Window.of_days(first, last, reader.policy.zone)
        days = reader.meter.measure_days(window, reader.clock(), named_accounts(resources))
        rows: list[UsageRow] = []
        for day, measurement in days.items():
            used = by_account(measurement)
            written = str(day.start.astimezone(reader.policy.zone).date())
            for resource, component in self._figures_of(resources):
                account = AccountName(resource.backend_id)
                seconds = sum(used.get(account, {}).get(component.tres, {}).values())
                note = measurement.in_doubt.get(account, "")
                if seconds or note:
                    rows.append(_row(account, written, component, "", seconds, None, note))
        return tuple(sorted(rows))

    def verify(self, month: Month, accounts: Collection[AccountName] = ()) -> Verification:
        """Compare with sreport, account by account, over the hours that are over."""
        reader, resources = self.reader, self._resources(accounts)
        hour = _hour_of(reader.clock())
        window = _whole_hours(month.window(reader.policy.zone).before(hour))
        names = named_accounts(resources)
        days = reader.meter.measure_days(window, hour, names)
        measured = _summed(days.values())
        wanted = {component.tres for component in reader.components}
        compared, found = 0, list[Disagreement]()
        for account in sorted(names):
            rolled_up = reader.accounting.read_rollup(account, window)
            mine = measured.get(account, {})
            for user, tres in sorted(rolled_up.keys() | mine.keys()):
                if tres in wanted:
                    compared += 1
                    here, there = mine.get((user, tres), 0), rolled_up.get((user, tres), 0)
                    if here != there:
                        found.append(Disagreement(account, user, tres, here, there))
        return Verification(window, compared, tuple(found))

    def _measure(
        self, months: Iterable[Month], resources: Collection[Resource]
    ) -> Mapping[Month, Measurement]:
        return self.reader.meter.measure(
            sorted(months), self.reader.clock(), named_accounts(resources)
        )

    def _resources(self, accounts: Collection[AccountName]) -> tuple[Resource, ...]:
        named = [r for r in self.reader.read_resources() if r.backend_id]
        if unknown := set(accounts) - named_accounts(named):
            raise NoSuchAllocation(f"no allocation of this offering has account {min(unknown)}")
        return tuple(r for r in named if not accounts or r.backend_id in accounts)

    def _figures_of(self, resources: Iterable[Resource]) -> Iterator[tuple[Resource, Component]]:
        """Each resource with each component: what a statement has a figure for."""
        for resource in resources:
            for component in self.reader.components:
                yield resource, component


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _whole_hours(window: Window) -> Window:
    """Months of some zones begin and end at half an hour."""
    first = _hour_of(window.start)
    start = first if first == window.start else first + timedelta(hours=1)
    return Window(start, max(start, _hour_of(window.end)))


def _summed(
    measurements: Iterable[Measurement],
) -> Mapping[AccountName, Mapping[tuple[UserName, TresName], int]]:
    sums: dict[AccountName, dict[tuple[UserName, TresName], int]] = {}
    for measurement in measurements:
        for share, seconds in measurement.tally.items():
            mine = sums.setdefault(share.account, {})
            key = (share.user, share.tres)
            mine[key] = mine.get(key, 0) + seconds
    return sums


def _row(
    account: AccountName,
    period: str,
    component: Component,
    user: str,
    seconds: int,
    held: Decimal | None,
    note: str,
) -> UsageRow:
    measured = component.to_usage(seconds)
    return UsageRow(account, period, component.type, user, seconds, measured, held, note)
