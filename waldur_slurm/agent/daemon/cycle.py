"""One cycle of either direction, as the daemon and `once` run it."""

from collections.abc import Callable
from typing import TypeVar

from waldur_slurm.telemetry.audit import AuditLog

Ended = TypeVar("Ended")


def run_audited(audit: AuditLog | None, work: Callable[[], Ended]) -> Ended:
    """Run a cycle or a look, unless the audit log lacks changes or room; raise if it does then."""
    ensure_audited(audit)
    report = work()
    if audit is not None:
        audit.ensure_complete()
    return report


def ensure_audited(audit: AuditLog | None) -> None:
    """Refuse to change anything of which the audit log would not hear."""
    if audit is not None:
        audit.ensure_writable()
