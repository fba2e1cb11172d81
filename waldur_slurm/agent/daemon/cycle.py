"""One cycle of either direction, as the daemon and `once` run it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from waldur_slurm.agent.model.standing import Standing
from waldur_slurm.errors import ExpectedError
from waldur_slurm.telemetry.audit import AuditLog


class Failure(Protocol):
    """One item that went wrong by itself; it was told where it happened."""

    @property
    def error(self) -> ExpectedError: ...


class Report(Protocol):
    """How a cycle ended."""

    @property
    def changes(self) -> int: ...

    @property
    def failures(self) -> Sequence[Failure]: ...

    @property
    def standing(self) -> Standing: ...


def run_audited(audit: AuditLog | None, work: Callable[[], Report]) -> Report:
    """Run one cycle, unless the audit log lacks changes or room; raise if it lacks some now."""
    ensure_audited(audit)
    report = work()
    if audit is not None:
        audit.ensure_complete()
    return report


def ensure_audited(audit: AuditLog | None) -> None:
    """Refuse to change anything of which the audit log would not hear."""
    if audit is not None:
        audit.ensure_writable()
