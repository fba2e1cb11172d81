"""One push cycle: read, measure, plan, tell Waldur what differs, and remember what it declined.

What Slurm does not answer, or not wholly, is unknown: then nothing is told to anybody.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.push.apply import WaldurWriter
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.news import CycleReport, News
from waldur_slurm.agent.push.plan.erred import COMING_BACK
from waldur_slurm.agent.push.plan.plan import Plan, plan_push
from waldur_slurm.agent.push.plan.policy import NO_CONSENT, Consent, PushPolicy
from waldur_slurm.agent.push.plan.steps import Step, TellUsage
from waldur_slurm.agent.push.plan.untaken import still_untaken
from waldur_slurm.agent.push.plan.world import Ledger, World, is_doubtful
from waldur_slurm.agent.push.reader import Reader
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.service.signals import Unbroken
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.state import State
from waldur_slurm.telemetry.events import Sink


@dataclass(slots=True, kw_only=True)
class PushCycle:
    """Brings Waldur in line with Slurm, once each time it is run."""

    accounting: Accounting
    marketplace: Marketplace
    components: Sequence[Component]
    policy: PushPolicy
    state: State
    sink: Sink
    clock: Callable[[], datetime]
    is_stopping: Callable[[], bool] = lambda: False
    unbroken: Unbroken = nullcontext
    phase: Callable[[str], AbstractContextManager[object]] = nullcontext
    """Around each part of a cycle, for whoever times it."""
    _news: News = field(init=False)

    def __post_init__(self) -> None:
        self._news = News(self.sink)

    @property
    def reader(self) -> Reader:
        """Reads both sides, with the components as they are now."""
        return Reader(
            accounting=self.accounting,
            marketplace=self.marketplace,
            components=tuple(self.components),
            policy=self.policy,
            state=self.state,
            clock=self.clock,
        )

    def plan(self, consent: Consent = NO_CONSENT) -> Plan:
        """What `run` would tell now; reads only."""
        return plan_push(self._read(consent, remember=False))

    def run(self, consent: Consent = NO_CONSENT) -> CycleReport:
        """Raise what makes the whole cycle impossible; report what went wrong with single items."""
        with self.phase("read"):
            world = self._read(consent, remember=True)
        plan = plan_push(world)
        journal = Journal(self.state)

        def done(step: Step) -> None:
            if isinstance(step, TellUsage):
                journal.note_decrease(step, self.clock(), is_allowed=consent.allow_decrease)
            self._news.changed(step)

        writer = WaldurWriter(
            marketplace=self.marketplace,
            ledger=world.ledger,
            done=done,
            may_book=self.reader.may_book,
            is_stopping=self.is_stopping,
            unbroken=self.unbroken,
            keep=journal.keep_ledger,
        )
        try:
            with self.phase("tell"):
                writer.carry_out(plan.steps)
        finally:
            self._news.failed(writer.failures)
            journal.keep_ledger(writer.ledger)
        if _has_refused(writer.ledger, world.ledger):
            after = plan_push(replace(world, ledger=writer.ledger))
            plan = replace(plan, owed=after.owed, refusals=after.refusals, drifts=after.drifts)
        journal.keep_owed(plan.judged, plan.owed)
        if not writer.failures and not writer.postponed and not self.is_stopping():
            journal.keep_newest_month(max(world.measured))
        return self._news.report(plan, journal.read_owed(), tuple(writer.failures))

    def _read(self, consent: Consent, *, remember: bool) -> World:
        resources = self.reader.read_resources()
        booked = self.reader.book_open_months()
        snapshot = self.accounting.read_outline()
        world = self.reader.read_world(resources, booked, snapshot, consent, remember=remember)
        believes = Journal(self.state).believes_missing(
            self.clock(), is_doubtful=is_doubtful(world), remember=remember
        )
        erred = {r.uuid for r in resources if r.state in COMING_BACK}
        ledger = replace(
            world.ledger, erred=world.ledger.erred & erred, untaken=still_untaken(world)
        )
        return replace(world, believes_missing=believes, ledger=ledger)


def _has_refused(after: Ledger, before: Ledger) -> bool:
    """Whether Waldur did not take something, be it without a word."""
    return (after.declined, after.untaken) != (before.declined, before.untaken)
