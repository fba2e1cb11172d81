"""Report months that are over: refused before the first write where Waldur takes none of them.

Of a component billed by usage today's Waldur takes a past month from its staff, and from others
while the customer's invoice of that month may change: only trying tells.
Only differences are sent, so a backfill may be repeated; months that were finished are remembered
until the whole range is, and a backfill that was interrupted goes on where it stopped.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from waldur_slurm.agent.errors import UnsafePlan
from waldur_slurm.agent.model.marketplace import Dialect
from waldur_slurm.agent.push.apply import Failure, WaldurHand
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.news import News
from waldur_slurm.agent.push.plan.policy import NO_CONSENT, Consent
from waldur_slurm.agent.push.plan.usage import UsagePlan, plan_usage
from waldur_slurm.agent.push.plan.world import World
from waldur_slurm.agent.push.reader import Reader
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.model.period import Month
from waldur_slurm.service.signals import Unbroken
from waldur_slurm.telemetry.events import Sink

Progress = Callable[[Month, int, int], None]
"""Hears which month is next, how many are done, and how many there are."""

_NAME = "journal/backfill"


@dataclass(frozen=True, slots=True)
class MonthReport:
    """What one month came to, or in a dry run would come to."""

    month: Month
    plan: UsagePlan
    failures: tuple[Failure, ...] = ()


@dataclass(slots=True, kw_only=True)
class Backfill:
    """Past months of one offering, oldest first."""

    reader: Reader
    sink: Sink
    consent: Consent = NO_CONSENT
    is_stopping: Callable[[], bool] = lambda: False
    unbroken: Unbroken = nullcontext
    progress: Progress = field(default=lambda month, done, of: None)  # noqa: ARG005 - nobody listens

    def run(self, first: Month, last: Month, *, dry_run: bool = False) -> tuple[MonthReport, ...]:
        """Raise `UnsafePlan` before anything is told where Waldur takes no closed month at all.

        A dry run is refused what the run would be refused.
        """
        months = months_between(first, last)
        self._refuse_what_waldur_would(months)
        key = f"{first}..{last}"
        done = [] if dry_run else list(self.reader.state.read(_NAME).get(key, ()))
        reports: list[MonthReport] = []
        for number, month in enumerate(months):
            if self.is_stopping():
                break
            self.progress(month, number, len(months))
            if str(month) in done:
                continue
            report = self._month(month, dry_run=dry_run)
            reports.append(report)
            if not dry_run and not report.failures and not self.is_stopping():
                done.append(str(month))
                self.reader.state.replace(_NAME, {key: done})
        if len(done) == len(months):
            self.reader.state.replace(_NAME, {})
        return tuple(reports)

    def _month(self, month: Month, *, dry_run: bool) -> MonthReport:
        resources = self.reader.read_resources()
        booked = self.reader.book([month])
        world = self.reader.read_world(resources, booked, Snapshot({}), self.consent)
        world = replace(world, ledger=replace(world.ledger, declined={}))  # now it may be taken
        plan = plan_usage(world)
        if dry_run:
            return MonthReport(month, plan)
        failures = self._tell(world, plan)
        if not failures and not self.is_stopping():
            Journal(self.reader.state).keep_owed(plan.judged, plan.owed)
        return MonthReport(month, plan, failures)

    def _tell(self, world: World, plan: UsagePlan) -> tuple[Failure, ...]:
        hand = WaldurHand(
            marketplace=self.reader.marketplace,
            ledger=world.ledger,
            done=News(self.sink).changed,
            may_book=self.reader.may_book,
            is_stopping=self.is_stopping,
            unbroken=self.unbroken,
        )
        # What Waldur declines is a failure here: somebody asked for it and wants to know.
        totals = [replace(step, is_tried=False) for step in plan.totals]
        hand.carry_out([*totals, *plan.users])
        return tuple(hand.failures)

    def _refuse_what_waldur_would(self, months: tuple[Month, ...]) -> None:
        now = self.reader.server_now()
        running = Month.containing(now, self.reader.policy.zone)
        if months and months[-1] > running:
            raise UnsafePlan(f"{months[-1]} has not begun")
        is_past = any(month < running for month in months)
        if is_past and self.reader.marketplace.dialect is not Dialect.TODAY:
            raise UnsafePlan("this Waldur takes usage for the running month only")


def months_between(first: Month, last: Month) -> tuple[Month, ...]:
    """Return all months from `first` to `last`, both included."""
    months: list[Month] = []
    while first <= last:
        months.append(first)
        first = first.following()
    return tuple(months)
