"""Nothing is changed of which the audit log would not hear."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from waldur_slurm.agent.daemon.cycle import run_audited
from waldur_slurm.agent.report.report import Report
from waldur_slurm.errors import StateError
from waldur_slurm.telemetry.audit import AuditLog
from waldur_slurm.telemetry.events import Event
from waldur_slurm.telemetry.redaction import redaction


def done() -> Report:
    return Report(changes=1, failures=(), refusals=(), drifts=())


def audit_log(path: Path) -> AuditLog:
    return AuditLog(path, lambda: datetime(2026, 11, 21, tzinfo=UTC), redaction([]))


def test_a_cycle_runs_with_an_audit_log_that_can_be_written_or_with_none(tmp_path: Path) -> None:
    assert run_audited(audit_log(tmp_path / "audit.jsonl"), done).changes == 1
    assert run_audited(None, done).changes == 1


def test_a_cycle_does_not_run_without_the_audit_log_it_was_promised(tmp_path: Path) -> None:
    ran: list[int] = []

    def work() -> Report:
        ran.append(1)
        return done()

    with pytest.raises(StateError, match="cannot write the audit log"):
        run_audited(audit_log(tmp_path / "none" / "audit.jsonl"), work)

    assert ran == []


def test_a_cycle_whose_changes_did_not_reach_the_audit_log_has_not_ended_well(
    tmp_path: Path,
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    log = audit_log(place / "audit.jsonl")

    def work() -> Report:
        shutil.rmtree(place)
        log(Event(name="account.added", is_change=True))
        return done()

    with pytest.raises(StateError, match="1 change is not in it"):
        run_audited(log, work)
