"""Who hears what of a cycle: each change once, each trouble once, and nothing of an idle one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from waldur_slurm.agent.model.standing import Standing
from waldur_slurm.agent.pull.guard.brake import Brake, Guarded
from waldur_slurm.agent.pull.vocabulary.failures import Failure
from waldur_slurm.agent.pull.vocabulary.findings import Drift, Refusal, RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import Step, subject_of
from waldur_slurm.agent.pull.vocabulary.words import record_of, sentence_of
from waldur_slurm.telemetry.events import Event, Level, Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """How a cycle ended."""

    changes: int
    failures: tuple[Failure, ...]
    refusals: tuple[Refusal, ...]
    drifts: tuple[Drift, ...]
    brakes: tuple[Brake, ...]
    doubts: tuple[str, ...]
    """Answers of Waldur's that are not believed yet."""
    quarantined: tuple[str, ...]
    members_without_username: int

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
            drift=Counter(drift.kind.value for drift in self.drifts),
            refused=Counter(refusal.kind.value for refusal in self.refusals),
            quarantined=len(self.quarantined),
            members_without_username=self.members_without_username,
        )


class News:
    """Keeps what was said last time, so that standing trouble is not repeated every minute."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = Lock()
        self._said: frozenset[Refusal | Drift] = frozenset()

    def changed(self, step: Step) -> None:
        with self._lock:
            self._sink(Event(name=step.event, fields=record_of(step), is_change=True))

    def report(
        self,
        guarded: Guarded,
        *,
        failures: Sequence[Failure],
        changes: int,
        quarantined: tuple[str, ...],
        members_without_username: int,
    ) -> CycleReport:
        for failure in failures:
            self._sink(_failed(failure))
        plan = guarded.plan
        findings: list[Refusal | Drift] = [*plan.refusals, *plan.drifts]
        for finding in findings:
            if finding not in self._said:
                self._sink(_found(finding))
        self._said = frozenset(findings)
        return CycleReport(
            changes=changes,
            failures=tuple(failures),
            refusals=plan.refusals,
            drifts=plan.drifts,
            brakes=guarded.brakes,
            doubts=tuple(doubt.key for doubt in guarded.doubts),
            quarantined=quarantined,
            members_without_username=members_without_username,
        )


def _failed(failure: Failure) -> Event:
    level = Level.WARNING if failure.error.transient else Level.ERROR
    told = {
        "subject": subject_of(failure.step),
        "step": sentence_of(failure.step),
        "error": str(failure.error),
    }
    return Event(name="step.failed", level=level, fields=told)


def _found(finding: Refusal | Drift) -> Event:
    if isinstance(finding, Drift):
        told = {"subject": finding.subject, "found": finding.found, "wanted": finding.wanted}
        return Event(
            name="drift.found", level=Level.WARNING, fields={"kind": finding.kind.value, **told}
        )
    fields = {
        "kind": finding.kind.value,
        "subject": finding.subject,
        "reason": finding.reason,
    }
    if finding.kind is RefusalKind.BRAKE:
        return Event(name="brake.active", level=Level.ERROR, fields=fields)
    level = Level.WARNING if finding.kind.needs_a_person else Level.DEBUG
    return Event(name="step.refused", level=level, fields=fields)
