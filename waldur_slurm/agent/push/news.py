"""Who hears what of a push cycle: each change once, each standing trouble once."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal

from waldur_slurm.agent.model.standing import Standing
from waldur_slurm.agent.model.usage import Runaway
from waldur_slurm.agent.push.apply import Failure
from waldur_slurm.agent.push.plan.findings import Drift, Owed, Refusal, RefusalKind, Unlisted
from waldur_slurm.agent.push.plan.plan import Plan
from waldur_slurm.agent.push.plan.steps import Step
from waldur_slurm.agent.push.plan.words import event_of, record_of, sentence_of
from waldur_slurm.agent.push.render import owed_record
from waldur_slurm.telemetry.events import Event, Level, Sink

Finding = Refusal | Drift | Owed | Unlisted | Runaway


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """How a cycle ended."""

    changes: int
    failures: tuple[Failure, ...]
    refusals: tuple[Refusal, ...]
    drifts: tuple[Drift, ...]
    owed: tuple[Owed, ...]
    """Everything owed for closed months and not acknowledged, older months included."""
    unlisted: tuple[Unlisted, ...]
    runaways: tuple[Runaway, ...]

    @property
    def is_idle(self) -> bool:
        return not self.changes and not self.failures

    @property
    def is_brake_active(self) -> bool:
        return any(refusal.kind is RefusalKind.BRAKE for refusal in self.refusals)

    @property
    def standing(self) -> Standing:
        return Standing(
            is_brake_active=self.is_brake_active,
            drift={"limits": len(self.drifts)} if self.drifts else {},
            refused=Counter(refusal.kind.value for refusal in self.refusals),
            unreported=_unreported(self.owed),
            usage_of_unknown_users=len({each.user for each in self.unlisted}),
            runaway_jobs=len(self.runaways),
        )


def _unreported(owed: tuple[Owed, ...]) -> dict[str, Decimal]:
    """Sum the differences by component; too much and too little do not make up for each other."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in owed:
        sums[each.component] += abs(each.measured - each.held)
    return dict(sums)


class News:
    """Keeps what was said last time, so that standing trouble is not repeated every hour."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._said: frozenset[Finding] = frozenset()
        self._changes = 0

    def changed(self, step: Step) -> None:
        self._changes += 1
        self._sink(Event(name=event_of(step), fields=record_of(step), is_change=True))

    def report(
        self, plan: Plan, owed: tuple[Owed, ...], failures: tuple[Failure, ...]
    ) -> CycleReport:
        for failure in failures:
            self._sink(_failed(failure))
        found: tuple[Finding, ...] = (
            *plan.refusals,
            *plan.drifts,
            *owed,
            *plan.unlisted,
            *plan.runaways,
        )
        for finding in found:
            if finding not in self._said:
                self._sink(_found(finding))
        self._said = frozenset(found)
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


def _failed(failure: Failure) -> Event:
    level = Level.WARNING if failure.error.transient else Level.ERROR
    told = {
        "subject": failure.step.resource.backend_id,
        "step": sentence_of(failure.step),
        "error": str(failure.error),
    }
    return Event(name="step.failed", level=level, fields=told)


def _found(finding: Finding) -> Event:
    match finding:
        case Refusal():
            is_brake = finding.kind is RefusalKind.BRAKE
            return Event(
                name="brake.active" if is_brake else "step.refused",
                level=Level.ERROR,
                fields={
                    "kind": finding.kind.value,
                    "subject": finding.subject,
                    "reason": finding.reason,
                },
            )
        case Drift():
            told = {"component": finding.component, "found": finding.found, "held": finding.held}
            fields: dict[str, object] = {"subject": finding.subject, **told}
            return Event(name="limits.differ", level=Level.WARNING, fields=fields)
        case Owed():
            return Event(name="usage.owed", level=Level.ERROR, fields=owed_record(finding))
        case Unlisted():
            fields = {
                "account": finding.account,
                "user": finding.user,
                "month": str(finding.month),
            }
            return Event(name="usage.of_unknown_user", level=Level.WARNING, fields=fields)
        case Runaway():
            until = finding.counted_until
            fields = {
                "job": finding.run.id,
                "account": finding.account,
                "user": finding.user,
                "counted_until": until.isoformat() if until else "never",
            }
            return Event(name="job.runaway", level=Level.ERROR, fields=fields)
