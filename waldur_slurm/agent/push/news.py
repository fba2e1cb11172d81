"""Who hears what of a push cycle: each change once, each standing trouble once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from waldur_slurm.agent.model.usage import Runaway
from waldur_slurm.agent.push.apply import Failure
from waldur_slurm.agent.push.plan.findings import LimitDrift, Owed, RefusalKind, Unlisted
from waldur_slurm.agent.push.plan.plan import Plan
from waldur_slurm.agent.push.plan.steps import Step, TellOk
from waldur_slurm.agent.push.plan.words import event_of, record_of, sentence_of
from waldur_slurm.agent.push.render import limit_record, owed_record
from waldur_slurm.agent.report.findings import Refusal
from waldur_slurm.agent.report.news import SaidOnce, failed, refused
from waldur_slurm.agent.report.report import Report
from waldur_slurm.agent.report.standing import Standing
from waldur_slurm.telemetry.events import Event, Level, Sink

Trouble = Refusal | LimitDrift | Owed | Unlisted | Runaway


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport(Report):
    """How a cycle ended."""

    failures: tuple[Failure, ...]
    drifts: tuple[LimitDrift, ...]
    owed: tuple[Owed, ...]
    """Everything owed for closed months and not acknowledged, older months included."""
    unlisted: tuple[Unlisted, ...]
    runaways: tuple[Runaway, ...]

    @property
    def standing(self) -> Standing:
        return replace(
            self.counted(),
            unreported=unreported(self.owed),
            usage_of_unknown_users=len({each.user for each in self.unlisted}),
            runaway_jobs=len(self.runaways),
            erred_resources=self._erred,
        )

    @property
    def _erred(self) -> int:
        """How many stay erred; one that was to come back and did not is a failure."""
        staying = sum(refusal.kind is RefusalKind.ERRED for refusal in self.refusals)
        return staying + sum(isinstance(failure.step, TellOk) for failure in self.failures)


def unreported(owed: tuple[Owed, ...]) -> dict[str, Decimal]:
    """Sum the differences by component; too much and too little do not make up for each other."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in owed:
        sums[each.component] += abs(each.measured - each.held)
    return dict(sums)


class News:
    """Remembers what the last cycle found, so that standing trouble is not told every hour."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._troubles = SaidOnce(sink, _event_of_trouble)
        self._changes = 0

    def changed(self, step: Step) -> None:
        self._changes += 1
        self._sink(Event(name=event_of(step), fields=record_of(step), is_change=True))

    def failed(self, failures: Iterable[Failure]) -> None:
        """Tell what failed alone, also where the cycle breaks off."""
        for each in failures:
            subject = each.step.resource.backend_id
            self._sink(failed(subject, sentence_of(each.step), each.error))

    def report(
        self, plan: Plan, owed: tuple[Owed, ...], failures: tuple[Failure, ...]
    ) -> CycleReport:
        self._troubles.tell([*plan.refusals, *plan.drifts, *owed, *plan.unlisted, *plan.runaways])
        changes, self._changes = self._changes, 0
        return CycleReport(
            changes=changes,
            failures=failures,
            refusals=plan.refusals,
            drifts=plan.drifts,
            owed=owed,
            unlisted=plan.unlisted,
            runaways=plan.runaways,
        )


def _event_of_trouble(trouble: Trouble) -> Event:
    match trouble:
        case Refusal():
            return refused(trouble)
        case LimitDrift():
            fields = limit_record(trouble)
            return Event(name="limits.differ", level=Level.WARNING, fields=fields)
        case Owed():
            return Event(name="usage.owed", level=Level.ERROR, fields=owed_record(trouble))
        case Unlisted():
            fields = {
                "account": trouble.account,
                "user": trouble.user,
                "month": str(trouble.month),
            }
            return Event(name="usage.of_unknown_user", level=Level.WARNING, fields=fields)
        case Runaway():
            until = trouble.counted_until
            fields = {
                "job": trouble.run.id,
                "account": trouble.account,
                "user": trouble.user,
                "counted_until": until.isoformat() if until else "never",
            }
            return Event(name="job.runaway", level=Level.ERROR, fields=fields)
