"""Who hears what of a cycle: each change once, each trouble once, and nothing of an idle one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from threading import Lock

from waldur_slurm.agent.pull.guard.brake import Brake, Guarded
from waldur_slurm.agent.pull.vocabulary.failures import Failure
from waldur_slurm.agent.pull.vocabulary.findings import RefusalKind
from waldur_slurm.agent.pull.vocabulary.steps import Step, subject_of
from waldur_slurm.agent.pull.vocabulary.words import record_of, sentence_of
from waldur_slurm.agent.pull.world.access import Lack, Outsider
from waldur_slurm.agent.report.findings import Drift, Refusal
from waldur_slurm.agent.report.news import SaidOnce, drifted, failed, refused
from waldur_slurm.agent.report.report import Report
from waldur_slurm.agent.report.standing import Standing
from waldur_slurm.telemetry.events import Event, Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport(Report):
    """How a cycle ended."""

    failures: tuple[Failure, ...]
    brakes: tuple[Brake, ...]
    doubts: tuple[str, ...]
    """Answers of Waldur's that are not believed yet."""
    quarantined: tuple[str, ...]
    members_without_access: Mapping[str, int]
    unreported: Mapping[str, Decimal] = field(default_factory=dict)
    """What allocations that have ended still owe for closed months, by component."""

    @property
    def standing(self) -> Standing:
        return replace(
            self.counted(),
            quarantined=len(self.quarantined),
            members_without_access=self.members_without_access,
            unreported=self.unreported,
        )


class News:
    """Remembers what the last cycle found, so that standing trouble is not told every minute."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = Lock()
        self._troubles = SaidOnce(sink, _event_of_trouble)

    def changed(self, step: Step) -> None:
        with self._lock:
            self._sink(Event(name=step.event, fields=record_of(step), is_change=True))

    def failed(self, failures: Iterable[Failure]) -> None:
        """Tell what failed alone, also where the cycle breaks off."""
        for each in failures:
            self._sink(failed(subject_of(each.step), sentence_of(each.step), each.error))

    def report(
        self,
        guarded: Guarded,
        *,
        failures: Sequence[Failure],
        changes: int,
        quarantined: tuple[str, ...],
        outsiders: Sequence[Outsider],
        is_all: bool = True,
    ) -> CycleReport:
        """`is_all`: what is not found now has passed, as everything was looked at."""
        plan = guarded.plan
        self._troubles.tell([*plan.refusals, *plan.drifts], is_all=is_all)
        return CycleReport(
            changes=changes,
            failures=tuple(failures),
            refusals=plan.refusals,
            drifts=plan.drifts,
            brakes=guarded.brakes,
            doubts=tuple(doubt.key for doubt in guarded.doubts),
            quarantined=quarantined,
            members_without_access=_count(outsiders, plan.refusals),
        )


def _count(outsiders: Sequence[Outsider], refusals: Sequence[Refusal]) -> Counter[str]:
    """Members by what they lack; whom the cluster does not know as a user is told by refusals."""
    unknown = {
        refusal.subject.rpartition("/")[2]
        for refusal in refusals
        if refusal.kind is RefusalKind.NO_UNIX_USER
    }
    counts = Counter(outsider.lack.value for outsider in outsiders)
    return counts + Counter({Lack.UNIX_USER.value: len(unknown)})


def _event_of_trouble(trouble: Refusal | Drift) -> Event:
    return drifted(trouble) if isinstance(trouble, Drift) else refused(trouble)
