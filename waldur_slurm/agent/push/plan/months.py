"""Which months are measured, and how Waldur can be told of each. Pure.

Waldur's own clock decides which month is running there. Where no date can be sent, an amount lands
in that month whatever it was measured for: so near an edge nothing is sent, and never a closed one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.agent.model.marketplace import Dialect, OfferedComponent
from waldur_slurm.agent.push.plan.policy import PushPolicy
from waldur_slurm.model.period import Month


class Way(Enum):
    """How an amount can be told."""

    NOW = auto()
    LATER = auto()
    """Too near an edge of the month."""
    IF_TAKEN = auto()
    """Waldur may refuse, by its own rules for closed months."""
    NEVER = auto()


@dataclass(frozen=True, slots=True)
class Booking:
    """A month as Waldur can be told of it."""

    month: Month
    is_closed: bool
    is_near_edge: bool
    takes_dates: bool
    on: datetime | None
    """The date to send along where one is needed, and the dialect takes it."""

    def way(self, component: OfferedComponent) -> Way:
        if self.takes_dates:
            is_by_usage = component.billing_type == AccountingType.USAGE
            return Way.IF_TAKEN if self.is_closed and is_by_usage else Way.NOW
        if self.is_closed:
            return Way.NEVER
        return Way.LATER if self.is_near_edge else Way.NOW


def bookings(
    now: datetime, dialect: Dialect, policy: PushPolicy, since: Month | None = None
) -> tuple[Booking, ...]:
    """Return the months to measure, oldest first; `now` is by Waldur's clock.

    `since` is the month that ran when all was last told: it may have closed while nobody looked.
    """
    return tuple(book(month, now, dialect, policy) for month in _open_months(now, policy, since))


def book(month: Month, now: datetime, dialect: Dialect, policy: PushPolicy) -> Booking:
    window = month.window(policy.zone)
    is_closed = window.end <= now
    takes_dates = dialect.takes_dates
    on = window.end - timedelta(hours=12) if is_closed else now
    return Booking(
        month=month,
        is_closed=is_closed,
        is_near_edge=min(abs(now - window.start), abs(window.end - now)) < policy.margin,
        takes_dates=takes_dates,
        on=on if takes_dates else None,
    )


def _open_months(now: datetime, policy: PushPolicy, since: Month | None) -> Iterator[Month]:
    running = Month.containing(now, policy.zone)
    closing_until = running.window(policy.zone).start + timedelta(days=policy.closing_days)
    oldest = running.preceding() if now < closing_until else running
    if since is not None:
        oldest = min(oldest, since)
    while oldest <= running:
        yield oldest
        oldest = oldest.following()
