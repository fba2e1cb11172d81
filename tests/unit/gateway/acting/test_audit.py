"""Acts in somebody's name are written down, however they end, or not done."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.gateway.site import somebody
from waldur_slurm.gateway.acting.audit import Act, Audit, Caller
from waldur_slurm.gateway.errors import NotNow, OutcomeUnknown, Refused
from waldur_slurm.model.names import UserName
from waldur_slurm.telemetry.audit import AuditLog
from waldur_slurm.telemetry.events import Event

ACT = Act(
    caller=Caller(principal=somebody("ann"), request_id="r1"),
    user=UserName("ann"),
    what="job.cancelled",
    about={"job": "12"},
)


def test_an_act_is_a_line_with_who_as_whom_what_by_which_request_and_how_it_ended(
    tmp_path: Path,
) -> None:
    log = AuditLog(tmp_path / "audit", lambda: datetime(2026, 11, 30, tzinfo=UTC), str)
    with Audit(log, log).doing(ACT) as learned:
        learned["submitted"] = "13"
    line = json.loads((tmp_path / "audit").read_text())
    assert line == {
        "at": "2026-11-30T00:00:00.000Z",
        "event": "job.cancelled",
        "fields": {
            "who": "token:ann",
            "user": "ann",
            "request_id": "r1",
            "job": "12",
            "submitted": "13",
            "ended": "done",
        },
    }


@pytest.mark.parametrize(
    ("error", "ended"),
    [
        (Refused("no such partition"), "not done: no such partition"),
        (OutcomeUnknown("lost"), "unknown: lost"),
        (ZeroDivisionError(), "unknown: ZeroDivisionError"),
    ],
)
def test_how_an_act_failed_is_written_down_too(error: Exception, ended: str) -> None:
    told: list[Event] = []
    with pytest.raises(type(error)), Audit(None, told.append).doing(ACT):
        raise error
    assert [event.fields["ended"] for event in told] == [ended]
    assert told[0].is_change


@pytest.mark.fault("the file of GATEWAY_AUDIT_LOG cannot be written")
def test_nothing_is_done_that_cannot_be_written_down(tmp_path: Path) -> None:
    told: list[Event] = []
    log = AuditLog(tmp_path / "missing" / "audit", lambda: datetime.now(UTC), str)
    done = []
    with pytest.raises(NotNow), Audit(log, told.append).doing(ACT):
        done.append(1)
    assert not done
    assert [event.name for event in told] == ["audit.failed"]
