"""How a cycle ended, as the daemon and the commands see it in both directions. Values."""

from collections import Counter
from dataclasses import dataclass

from waldur_slurm.agent.report.findings import Drift, Failure, Refusal
from waldur_slurm.agent.report.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a direction knows beside this it adds in a report of its own."""

    changes: int
    failures: tuple[Failure[object], ...]
    refusals: tuple[Refusal, ...]
    drifts: tuple[Drift, ...]

    @property
    def is_idle(self) -> bool:
        return not self.changes and not self.failures

    @property
    def is_brake_active(self) -> bool:
        return any(refusal.kind.is_brake for refusal in self.refusals)

    @property
    def standing(self) -> Standing:
        return self.counted()

    def counted(self) -> Standing:
        """Count what every direction knows."""
        return Standing(
            is_brake_active=self.is_brake_active,
            drift=Counter(drift.kind.value for drift in self.drifts),
            refused=Counter(refusal.kind.value for refusal in self.refusals),
        )
