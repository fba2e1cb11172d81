"""Report an allocation's last usage, before Waldur takes it for terminated and takes no more."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

from waldur_slurm.agent.errors import UnexpectedPayload
from waldur_slurm.agent.metering.sums import from_epoch, to_epoch
from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.push.apply import WaldurWriter
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.news import News
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.agent.push.plan.plan import Plan
from waldur_slurm.agent.push.plan.policy import NO_CONSENT
from waldur_slurm.agent.push.plan.usage import UsagePlan, plan_usage
from waldur_slurm.agent.push.plan.world import World
from waldur_slurm.agent.push.reader import Reader
from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.accounts import Snapshot
from waldur_slurm.model.names import AccountName
from waldur_slurm.service.signals import Unbroken
from waldur_slurm.state import understood
from waldur_slurm.telemetry.events import Sink

PATIENCE = timedelta(hours=1)
"""After this long, slurmctld has lost what is missing, or is too busy ever to have told all."""

_NAME = "journal/final-usage"


@dataclass(slots=True, kw_only=True)
class FinalUsage:
    """A callable that the pull direction is handed for its Terminate orders."""

    reader: Reader
    sink: Sink
    unbroken: Unbroken = nullcontext

    def __call__(self, resource: Resource, account: AccountName) -> bool:
        """Return False while records of its jobs are on their way, or the month's edge is near."""
        reader, mine = self.reader, replace(resource, backend_id=account)
        # Asked for before the records: what slurmctld sends in between is among them.
        backlog = reader.accounting.read_backlog()
        world = reader.read_world((mine,), reader.book_open_months(), Snapshot({}), NO_CONSENT)
        plan = plan_usage(world)
        if self._is_expecting(resource, world, backlog) or plan.waiting:
            return False
        _demand_certain(plan)
        if not self._tell(world, plan):
            return False
        self._forget(resource)
        return True

    def _tell(self, world: World, plan: UsagePlan) -> bool:
        news = News(self.sink)
        writer = WaldurWriter(
            marketplace=self.reader.marketplace,
            ledger=world.ledger,
            done=news.changed,
            may_book=self.reader.may_book,
            unbroken=self.unbroken,
        )
        writer.carry_out([*plan.totals, *plan.users])
        if writer.failures:
            raise writer.failures[0].error
        if writer.postponed:
            return False
        after = plan_usage(replace(world, ledger=writer.ledger))
        _demand_certain(after)
        # This was the last measurement of it: what is owed has to be kept now.
        Journal(self.reader.state).keep_owed(plan.judged, after.owed)
        news.report(Plan((), tuple(plan.refusals), unlisted=plan.unlisted), after.owed, ())
        return True

    def _is_expecting(self, resource: Resource, world: World, backlog: int) -> bool:
        """Whether jobs still run, or records of jobs that ended may be on their way."""
        measured = world.measured.values()
        if any(measurement.unfinished for measurement in measured):
            return True
        if not backlog and not any(measurement.runaways for measurement in measured):
            return False
        state, now = self.reader.state, self.reader.clock()
        began = {resource.uuid: to_epoch(now), **state.read(_NAME)}
        with understood(_NAME):
            waited = now - from_epoch(began[resource.uuid])
        state.replace(_NAME, began)
        return waited < PATIENCE

    def _forget(self, resource: Resource) -> None:
        state = self.reader.state
        began = dict(state.read(_NAME))
        if began.pop(resource.uuid, None) is not None:
            state.replace(_NAME, began)


def _demand_certain(plan: UsagePlan) -> None:
    """Nothing ends while its figures are unknown, or while somebody has to correct Waldur's."""
    for refusal in plan.refusals:
        if refusal.kind is RefusalKind.IN_DOUBT:
            raise UnparsableOutput(refusal.reason)
        if refusal.kind is RefusalKind.SPLIT:
            raise UnexpectedPayload(refusal.reason)
