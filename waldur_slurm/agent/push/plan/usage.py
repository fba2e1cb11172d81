"""Tell Waldur what was used: totals by component, and what each person used of them. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from waldur_slurm.agent.model.components import AccountingType, Component, ComponentType
from waldur_slurm.agent.model.marketplace import OfferedComponent, Resource, ResourceUuid
from waldur_slurm.agent.model.usage import Measurement
from waldur_slurm.agent.push.plan.findings import Owed, RefusalKind, Unlisted
from waldur_slurm.agent.push.plan.months import Booking, Way
from waldur_slurm.agent.push.plan.steps import TellUsage, TellUserUsages
from waldur_slurm.agent.push.plan.world import NOTHING, World, takes_usage
from waldur_slurm.agent.report.findings import Refusal
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month
from waldur_slurm.model.tres import TresName

ByUser = Mapping[UserName, int]


@dataclass(slots=True)
class UsagePlan:
    totals: list[TellUsage] = field(default_factory=list)
    users: list[TellUserUsages] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    waiting: set[ResourceUuid] = field(default_factory=set)
    """Of whom something is not told only because the edge of a month is near."""
    judged: set[tuple[Month, ResourceUuid]] = field(default_factory=set)
    """What was measured, so that the debts of it are known."""
    _owed: list[Owed] = field(default_factory=list)
    _unlisted: set[Unlisted] = field(default_factory=set)

    @property
    def owed(self) -> tuple[Owed, ...]:
        return tuple(sorted(self._owed))

    @property
    def unlisted(self) -> tuple[Unlisted, ...]:
        return tuple(sorted(self._unlisted))

    def add_owed(self, owed: Owed) -> None:
        self._owed.append(owed)

    def add_unlisted(self, unlisted: Unlisted) -> None:
        self._unlisted.add(unlisted)


def plan_usage(world: World) -> UsagePlan:
    plan = UsagePlan()
    plan.refusals.extend(_not_offered(world))
    for month in sorted(world.measured):
        measurement = world.measured[month]
        used = by_account(measurement)
        for resource in world.told:
            if not takes_usage(resource):
                continue
            doubt = measurement.in_doubt.get(resource.backend_id)
            if doubt is not None:
                reason = f"usage of {month} is unknown: {doubt}"
                plan.refusals.append(Refusal(RefusalKind.IN_DOUBT, resource.backend_id, reason))
                continue
            plan.judged.add((month, resource.uuid))
            account = AccountName(resource.backend_id)
            _Month(world, plan, resource, world.bookings[month]).add(used.get(account, {}))
    return plan


def has_decreases(world: World, month: Month) -> bool:
    """Whether less is measured than Waldur holds, for any component of any resource."""
    used = by_account(world.measured[month])
    return any(
        component.to_usage(sum(used.get(account, {}).get(component.tres, {}).values()))
        < world.held(month, resource, component.type)
        for resource in world.told
        for account in [AccountName(resource.backend_id)]
        for component in world.components
        if takes_usage(resource)
    )


def by_account(
    measurement: Measurement,
) -> Mapping[AccountName, Mapping[TresName, dict[UserName, int]]]:
    """TRES-seconds by account, TRES and person."""
    found: defaultdict[AccountName, defaultdict[TresName, dict[UserName, int]]]
    found = defaultdict(lambda: defaultdict(dict))
    for share, seconds in measurement.tally.items():
        found[share.account][share.tres][share.user] = seconds
    return found


def is_billed(offered: OfferedComponent) -> bool:
    """Whether Waldur takes usage of it; its components of other kinds, fixed ones, have none."""
    return isinstance(offered.billing_type, AccountingType)


def _not_offered(world: World) -> Iterator[Refusal]:
    for component in world.components:
        if component.type not in world.waldur.offered:
            reason = "the offering has no such component: load the components"
            yield Refusal(RefusalKind.NOT_OFFERED, component.type, reason)


class _Month:
    """One resource's month."""

    def __init__(self, world: World, plan: UsagePlan, resource: Resource, booking: Booking) -> None:
        self._world = world
        self._plan = plan
        self._resource = resource
        self._booking = booking
        self._now: dict[ComponentType, Decimal] = {}
        self._tried: dict[ComponentType, Decimal] = {}

    def add(self, used: Mapping[TresName, ByUser]) -> None:
        for component in self._world.components:
            if component.type in self._world.waldur.offered:
                by_user = used.get(component.tres, {})
                if self._settle_total(component, component.to_usage(sum(by_user.values()))):
                    self._settle_users(component, by_user)
        if self._now:
            self._plan.totals.append(replace(self._telling(self._now), beside=self._beside()))
        if self._tried:
            self._plan.totals.append(self._telling(self._tried))

    def _beside(self) -> Mapping[ComponentType, Decimal]:
        """All else that Waldur holds of the month, unless nobody knows what it would become.

        Waldur's page of a resource shows what its last report named, and nothing of a closed month.
        What has no row is given none: a bill may show it.
        """
        if self._booking.is_closed:
            return {}
        return {
            component.type: self._held(component.type)
            for component in self._world.components
            if component.type not in self._now and self._can_be_repeated(component.type)
        }

    def _can_be_repeated(self, component: ComponentType) -> bool:
        offered = self._world.waldur.offered.get(component)
        held = self._world.waldur.usages.get(self._booking.month, {})
        is_held = (self._resource.uuid, component) in held
        if offered is None or not is_billed(offered) or not is_held:
            return False
        return not self._is_split(component) or self._makes_total(component)

    def _settle_total(self, component: Component, measured: Decimal) -> bool:
        """Decide how the total is told; True if Waldur holds it, or may in a moment."""
        held = self._held(component.type)
        is_split = self._is_split(component.type)
        if measured == held:
            return not is_split
        is_unknown = is_split and not self._may_total(component.type, measured)
        if is_unknown and not self._booking.is_closed:
            self._plan.refusals.append(self._split(component.type, measured, held))
            return False
        way = Way.NEVER if is_unknown else self._way(component.type, measured)
        if way is Way.NEVER:
            self._plan.add_owed(self._owed(component.type, measured))
            return False
        if way is Way.LATER:
            self._plan.waiting.add(self._resource.uuid)
            return False
        refusal = self._refuse_decrease(component, measured, held)
        if refusal is not None:
            self._plan.refusals.append(refusal)
            return False
        (self._tried if way is Way.IF_TAKEN else self._now)[component.type] = measured
        return not is_split

    def _way(self, component: ComponentType, measured: Decimal) -> Way:
        if self._booking.is_closed and self._was_declined(component, measured):
            return Way.NEVER
        return self._booking.way(self._world.waldur.offered[component])

    def _was_declined(self, component: ComponentType, measured: Decimal) -> bool:
        declined = self._world.ledger.declined.get(self._booking.month, {})
        return declined.get((self._resource.uuid, component)) == measured

    def _is_split(self, component: ComponentType) -> bool:
        return self._world.is_split(self._booking.month, self._resource, component)

    def _makes_total(self, component: ComponentType) -> bool:
        return self._world.makes_total(self._booking.month, self._resource, component)

    def _may_total(self, component: ComponentType, measured: Decimal) -> bool:
        """Whether Waldur is to make its rows add up; once, as it may not lower those of others."""
        return self._makes_total(component) and not self._was_declined(component, measured)

    def _refuse_decrease(
        self, component: Component, measured: Decimal, held: Decimal
    ) -> Refusal | None:
        world, month = self._world, self._booking.month
        if measured > held or world.consent.allow_decrease:
            return None
        peaks = world.peaks.get(month, {})
        peak = max(held, peaks.get((self._resource.uuid, component.type), held))
        if month in world.truncated:
            reason = "Slurm may have purged records of this month"
        elif Fraction(peak - measured) > world.policy.max_decrease * Fraction(peak):
            reason = "this is more than may fall by itself in a day"
        else:
            return None
        told = f"{component.type} of {month} fell from {peak} to {measured}: {reason}"
        return Refusal(RefusalKind.DECREASE, self._resource.backend_id, told)

    def _split(self, component: ComponentType, measured: Decimal, held: Decimal) -> Refusal:
        why = (
            "keeps those of the plans before as they are"
            if self._makes_total(component)
            else "does not say which one a report would overwrite"
        )
        told = (
            f"Waldur holds {component} of {self._booking.month} in several rows, {held} in all, as"
            f" after a change of plan, and {why}; {measured} was measured: correct the rows in"
            " Waldur"
        )
        return Refusal(RefusalKind.SPLIT, self._resource.backend_id, told)

    def _settle_users(self, component: Component, by_user: ByUser) -> None:
        held = self._world.held_by_users(self._booking.month, self._resource, component.type)
        amounts: dict[str, Decimal] = {}
        for user in sorted({*by_user, *map(UserName, held)}):
            measured = component.to_usage(by_user.get(user, 0))
            if self._is_stranger(user):
                if measured:
                    self._plan.add_unlisted(Unlisted(self._booking.month, self._account, user))
            elif measured != held.get(user, NOTHING):
                amounts[user] = measured
        if amounts:
            self._plan.users.append(
                TellUserUsages(
                    resource=self._resource,
                    month=self._booking.month,
                    component=component.type,
                    amounts=amounts,
                )
            )

    def _is_stranger(self, user: UserName) -> bool:
        refused = (self._booking.month, self._resource.uuid, str(user))
        return user not in self._world.waldur.usernames or refused in self._world.ledger.strangers

    def _telling(self, amounts: Mapping[ComponentType, Decimal]) -> TellUsage:
        return TellUsage(
            resource=self._resource,
            month=self._booking.month,
            amounts=amounts,
            before={component: self._held(component) for component in amounts},
            on=self._booking.on,
            is_tried=self._booking.is_closed,
            split=frozenset(filter(self._is_split, amounts)),
        )

    def _owed(self, component: ComponentType, measured: Decimal) -> Owed:
        return Owed(
            self._booking.month,
            self._account,
            self._resource.uuid,
            component,
            measured,
            self._held(component),
        )

    @property
    def _account(self) -> AccountName:
        return AccountName(self._resource.backend_id)

    def _held(self, component: ComponentType) -> Decimal:
        return self._world.held(self._booking.month, self._resource, component)
