"""One pull cycle: read, plan, guard, apply, read again, and tell Waldur what is confirmed.

It sees everything, or what some orders touch: then it serves these, and leaves all else alone.
Nothing is confirmed by an exit code: Waldur hears of an order only when a plan made from a fresh
reading has nothing left to do for it in Slurm.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime

from waldur_slurm.agent.model.components import Component
from waldur_slurm.agent.model.marketplace import Dialect, OfferingUuid, OrderType, ResourceUuid
from waldur_slurm.agent.pull.apply import FinalUsage, SlurmWriter
from waldur_slurm.agent.pull.desired.desired import Desired, desire
from waldur_slurm.agent.pull.guard.brake import Guarded, guard, orders_ending
from waldur_slurm.agent.pull.guard.removals import remember_taken
from waldur_slurm.agent.pull.journal import Journal
from waldur_slurm.agent.pull.memory.bookkeeping import reconciled, with_done, with_intent
from waldur_slurm.agent.pull.memory.quarantine import after_cycle, resting
from waldur_slurm.agent.pull.news import CycleReport, News
from waldur_slurm.agent.pull.plan.adoption import plan_adoption
from waldur_slurm.agent.pull.plan.confirmed import confirmed, slurm_steps
from waldur_slurm.agent.pull.plan.defaults import with_defaults
from waldur_slurm.agent.pull.plan.plan import Plan, plan_desired
from waldur_slurm.agent.pull.read import read_answers
from waldur_slurm.agent.pull.sight import Everything, Sight
from waldur_slurm.agent.pull.tell import WaldurWriter
from waldur_slurm.agent.pull.vocabulary.failures import Failure, NotConfirmed
from waldur_slurm.agent.pull.vocabulary.steps import (
    CancelJobs,
    CompleteOrder,
    Judgement,
    Key,
    RemoveAccount,
    SlurmStep,
    Step,
    sort_key,
    subject_of,
)
from waldur_slurm.agent.pull.world.doubts import believed_doubts, remember_doubts
from waldur_slurm.agent.pull.world.policy import NO_CONSENT, Consent, PullPolicy
from waldur_slurm.agent.pull.world.taken import Taken, still_counting
from waldur_slurm.agent.pull.world.world import WaldurSide, World
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.model.accounts import is_in_cluster
from waldur_slurm.model.names import AccountName
from waldur_slurm.service.signals import Unbroken
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.state import State
from waldur_slurm.telemetry.events import Sink

_MOST_ROUNDS = 5
_LOOKS_FOR_ALLOCATIONS = 5
_MAKING = (OrderType.CREATE, OrderType.RESTORE)


@dataclass(frozen=True, slots=True)
class View:
    """One reading of both sides with the plan that follows from it."""

    desired: Desired
    guarded: Guarded

    @property
    def world(self) -> World:
        return self.desired.world

    @property
    def plan(self) -> Plan:
        return self.guarded.plan


@dataclass(frozen=True, slots=True)
class Ended:
    """How a cycle ended, what it saw last, and whose orders for an account it completed."""

    report: CycleReport
    world: World
    made: frozenset[ResourceUuid]


@dataclass(slots=True, kw_only=True)
class PullCycle:
    """Brings Slurm in line with Waldur, once each time it is run."""

    accounting: Accounting
    marketplace: Marketplace
    offering: OfferingUuid
    components: Sequence[Component]
    policy: PullPolicy
    state: State
    sink: Sink
    clock: Callable[[], datetime]
    report_final_usage: FinalUsage
    is_stopping: Callable[[], bool] = lambda: False
    unbroken: Unbroken = nullcontext
    pause: Callable[[float], None] = time.sleep
    phase: Callable[[str], AbstractContextManager[object]] = nullcontext
    """Around each part of a cycle, for whoever times it."""
    _news: News = field(init=False)

    def __post_init__(self) -> None:
        self._news = News(self.sink)

    def plan(self, consent: Consent = NO_CONSENT) -> Guarded:
        """What `run` would do now; reads only."""
        return self.look(self.everything, Journal(self.state), consent).guarded

    def run(self, consent: Consent = NO_CONSENT) -> CycleReport:
        """Raise what makes the whole cycle impossible; report what went wrong with single items."""
        return self.serve(self.everything, consent).report

    def serve(self, sight: Sight, consent: Consent) -> Ended:
        """Bring what is seen in line, and leave alone what is not."""
        return _Run(self, sight, Journal(self.state), self._news).run(consent)

    @property
    def everything(self) -> Everything:
        return Everything(self.accounting, self.marketplace, self.clock)

    def adopt(self, resource: ResourceUuid, account: AccountName) -> None:
        """Take an account for a resource's own because a person says so.

        Raises `RequestRefused` where that cannot be right.
        """
        desired = self.look(self.everything, Journal(self.state), NO_CONSENT).desired
        found = next((r for r in desired.world.waldur.resources if r.uuid == resource), None)
        step, setting = plan_adoption(desired, found, account)
        with self.unbroken():
            if setting is not None:
                self.accounting.set_limits(account, dict(setting.limits))
                self._news.changed(setting)
            self.accounting.set_description(step.account, step.description)
            self._news.changed(step)

    def look(self, sight: Sight, journal: Journal, consent: Consent) -> View:
        now = self.clock()
        waldur, difference, snapshot = sight.read_both()
        return self.view(
            World(
                offering=self.offering,
                dialect=self.marketplace.dialect,
                now=now,
                waldur=waldur,
                clock_difference=difference,
                snapshot=snapshot,
                components=tuple(self.components),
                policy=self.policy,
                ledger=journal.ledger,
                quarantined=resting(journal.quarantine, now),
                believed=believed_doubts(journal.doubts, now),
                taken=still_counting(journal.taken, now),
                consent=consent,
                is_partial=sight.is_partial,
                claims=sight.claims,
            )
        )

    def view(self, world: World) -> View:
        desired = desire(world)
        answers = read_answers(self.accounting, desired)
        guarded = guard(desired, plan_desired(desired, answers))
        steps = with_defaults(desired, answers, guarded.plan.steps)
        return View(desired, replace(guarded, plan=replace(guarded.plan, steps=steps)))


class _Run:
    """The one cycle that is going on."""

    def __init__(self, cycle: PullCycle, sight: Sight, journal: Journal, news: News) -> None:
        self._cycle = cycle
        self._sight = sight
        self._journal = journal
        self._news = news
        self._failures: list[Failure] = []
        self._done: list[Step] = []
        self._waldur = WaldurWriter(
            marketplace=cycle.marketplace,
            done=self._note,
            is_stopping=cycle.is_stopping,
            unbroken=cycle.unbroken,
        )
        self._slurm = SlurmWriter(
            accounting=cycle.accounting,
            offering=cycle.offering,
            report_final_usage=cycle.report_final_usage,
            done=self._note,
            is_stopping=cycle.is_stopping,
            unbroken=cycle.unbroken,
        )

    def run(self, consent: Consent) -> Ended:
        phase = self._phase
        with phase("read"):
            view = self._cycle.look(self._sight, self._journal, consent)
        self._remember(view)
        is_whole = False
        try:
            with phase("judge"):
                view = self._judge(view)
            with phase("work"):
                view = self._work(view)
            with phase("tell"):
                self._tell(view)
            is_whole = not self._cycle.is_stopping() and not self._sight.is_partial
        finally:
            self._news.failed(self._failures)
            self._keep_quarantine(view.world.now, is_whole=is_whole)
        report = self._news.report(
            view.guarded,
            failures=self._failures,
            changes=len(self._done),
            quarantined=tuple(sorted(self._journal.quarantine)),
            outsiders=view.desired.outsiders,
            is_all=not self._sight.is_partial,
        )
        return Ended(report, view.world, self._made(view))

    def _phase(self, name: str) -> AbstractContextManager[object]:
        return nullcontext() if self._sight.is_partial else self._cycle.phase(name)

    def _remember(self, view: View) -> None:
        """What everything shows; a part shows nothing of what was remembered of the rest."""
        if not self._sight.is_partial:
            self._journal.keep_ledger(reconciled(self._journal.ledger, view.desired))
            doubts = remember_doubts(view.guarded.doubts, self._journal.doubts, view.world.now)
            self._journal.keep_doubts(doubts)

    def _keep_quarantine(self, now: datetime, *, is_whole: bool) -> None:
        """Only a cycle that came to its end, with answers to all, shows what went well."""
        is_whole = is_whole and not any(failure.error.transient for failure in self._failures)
        entries = after_cycle(self._journal.quarantine, self._failures, now, is_whole=is_whole)
        self._journal.keep_quarantine(entries)

    def _judge(self, view: View) -> View:
        """Approve, reject and err orders; what was approved is looked at again before any work."""
        judgements = [step for step in view.plan.steps if isinstance(step, Judgement)]
        if not judgements:
            return view
        self._failures.extend(self._waldur.tell(judgements))
        policy = replace(view.world.policy, approve_orders=False)
        waldur = self._read_waldur(view.world.waldur, view.world.dialect)
        return self._plan_again(replace(view.world, waldur=waldur, policy=policy))

    def _read_waldur(self, before: WaldurSide, dialect: Dialect) -> WaldurSide:
        """The older dialects make the hidden allocation a moment after the approval."""
        for look in range(_LOOKS_FOR_ALLOCATIONS):
            if look:
                self._cycle.pause(1)
            waldur = self._sight.read_waldur(before)
            if dialect is Dialect.TODAY or not _lacks_allocations(waldur):
                break
        return waldur

    def _work(self, view: View) -> View:
        """Round after round, until a fresh reading shows nothing more to do in Slurm."""
        tried: set[Key] = set()
        failed: set[str] = set()
        for _ in range(_MOST_ROUNDS):
            steps = [step for step in slurm_steps(view.plan) if subject_of(step) not in failed]
            new = [step for step in steps if sort_key(step) not in tried]
            if not new or self._cycle.is_stopping():
                break
            tried.update(map(sort_key, new))
            failures = self._carry_out(view, new)
            failed |= {subject_of(failure.step) for failure in failures}
            snapshot = self._sight.read_slurm(view.world.waldur)
            view = self._plan_again(replace(view.world, snapshot=snapshot))
        view = _without_done_removals(view, tried, failed)
        self._fail_unconfirmed(view, tried, failed)
        return view

    def _carry_out(self, view: View, steps: list[SlurmStep]) -> list[Failure]:
        """Write down what is about to happen, let it happen, and forget what is settled."""
        taken = self._journal.taken
        self._journal.keep_ledger(with_intent(self._journal.ledger, steps))
        self._remember_taken(view, taken, steps)
        before = len(self._done)
        try:
            failures = self._slurm.carry_out(steps)
        finally:
            self._failures.extend(self._slurm.failures)
            self._journal.keep_ledger(with_done(self._journal.ledger, self._done[before:]))
        self._remember_taken(view, taken, self._done[before:])
        return failures

    def _remember_taken(self, view: View, before: Taken, steps: Sequence[Step]) -> None:
        """What a person allowed is not summed up: it says nothing about the rest of the day."""
        if not view.world.consent.allow_removals:
            ending = orders_ending(view.desired)
            self._journal.keep_taken(remember_taken(before, steps, ending, view.world.now))

    def _fail_unconfirmed(self, view: View, tried: set[Key], failed: set[str]) -> None:
        """A step that Slurm confirmed and that a fresh plan still holds has failed."""
        for step in slurm_steps(view.plan):
            is_over = subject_of(step) in failed or isinstance(step, CancelJobs)
            if sort_key(step) in tried and not is_over and not self._cycle.is_stopping():
                self._failures.append(
                    Failure(step, NotConfirmed("Slurm does not show what it confirmed"))
                )

    def _tell(self, view: View) -> None:
        self._failures.extend(self._waldur.tell(list(confirmed(view.plan))))

    def _plan_again(self, world: World) -> View:
        taken = still_counting(self._journal.taken, world.now)
        return self._cycle.view(replace(world, ledger=self._journal.ledger, taken=taken))

    def _made(self, view: View) -> frozenset[ResourceUuid]:
        told = {step.order for step in self._done if isinstance(step, CompleteOrder)}
        orders = (order for order in view.world.waldur.orders if order.uuid in told)
        made = (order.resource for order in orders if order.type in _MAKING)
        return frozenset(resource for resource in made if resource)

    def _note(self, step: Step) -> None:
        self._done.append(step)
        self._news.changed(step)


def _without_done_removals(view: View, tried: set[Key], failed: set[str]) -> View:
    """Drop the removals that worked: an account that another cluster uses keeps its record."""
    accounts = view.world.snapshot.accounts

    def is_settled(step: Step) -> bool:
        return (
            isinstance(step, RemoveAccount)
            and sort_key(step) in tried
            and subject_of(step) not in failed
            and not is_in_cluster(accounts.get(step.account))
        )

    steps = tuple(step for step in view.plan.steps if not is_settled(step))
    return replace(view, guarded=replace(view.guarded, plan=replace(view.plan, steps=steps)))


def _lacks_allocations(waldur: WaldurSide) -> bool:
    made = {order.resource for order in waldur.orders if order.type is OrderType.CREATE}
    return any(r.uuid in made and not r.allocation_uuid for r in waldur.resources)
