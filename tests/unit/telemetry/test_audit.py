"""Every change is in the audit log, whole and in order, or nothing more is changed."""

import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.places import PROJECT
from waldur_slurm.errors import StateError
from waldur_slurm.telemetry.audit import AuditLog
from waldur_slurm.telemetry.events import Event, Level, to_all
from waldur_slurm.telemetry.redaction import redaction

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def audit_log(path: Path) -> AuditLog:
    return AuditLog(path, lambda: NOON, redaction(["s3cret-token"]))


def change(number: int) -> Event:
    return Event(name="user.added", fields={"number": number}, is_change=True)


def numbers(path: Path) -> list[int]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["fields"]["number"] for line in lines if line]


def test_a_change_is_one_json_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    event = Event(
        name="limits.set",
        fields={"account": "hpc_1", "before": {"cpu": 1}, "why": "order\nwith s3cret-token"},
        is_change=True,
    )

    audit_log(path)(event)

    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "at": "2026-11-21T12:00:00.000Z",
        "event": "limits.set",
        "fields": {"account": "hpc_1", "before": {"cpu": 1}, "why": "order\nwith <secret>"},
    }


def test_what_changed_nothing_is_not_in_it(tmp_path: Path) -> None:
    audit_log(tmp_path / "audit.jsonl")(Event(name="slurm.down", level=Level.ERROR))

    assert not (tmp_path / "audit.jsonl").exists()


def test_it_is_only_ever_appended_to_and_only_its_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    audit_log(path)(change(1))
    audit_log(path)(change(2))

    assert numbers(path) == [1, 2]
    assert path.stat().st_mode & 0o077 == 0


def test_a_change_that_could_not_be_written_stops_the_next_cycle(tmp_path: Path) -> None:
    log = audit_log(tmp_path / "missing" / "audit.jsonl")
    log(change(1))
    log(change(2))

    with pytest.raises(StateError, match="No such file or directory; 2 changes are not in it"):
        log.ensure_writable()


def test_only_a_directory_that_is_the_agents_own_is_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "none" / "audit.jsonl"
    with pytest.raises(StateError, match="No such file or directory"):
        AuditLog(path, lambda: NOON, redaction([])).ensure_writable()

    AuditLog(path, lambda: NOON, redaction([]), makes_directory=True).ensure_writable()

    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_that_lacks_nothing_is_complete(tmp_path: Path) -> None:
    log = audit_log(tmp_path / "later" / "audit.jsonl")
    log(change(1))
    with pytest.raises(StateError, match="1 change is not in it"):
        log.ensure_complete()

    (tmp_path / "later").mkdir()
    log.ensure_complete()


def test_what_could_not_be_written_is_written_later_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "later" / "audit.jsonl"
    log = audit_log(path)
    log(change(1))
    path.parent.mkdir()

    log.ensure_writable()
    log(change(2))

    assert numbers(path) == [1, 2]


_HALF_A_LINE = """
import json, resource, signal, sys
from pathlib import Path
from tests.unit.telemetry.test_audit import audit_log, change

path = Path(sys.argv[1])
log = audit_log(path)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log(change(1))
whole = path.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (whole + 20, resource.RLIM_INFINITY))
log(change(2))
assert path.stat().st_size == whole + 20
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.ensure_writable()
log(change(3))
"""


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY,
    reason="files here are limited in size already",
)
def test_after_half_a_line_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    subprocess.run(
        [sys.executable, "-c", _HALF_A_LINE, str(path)],
        check=True,
        timeout=60,
        cwd=PROJECT,
    )

    first, torn, *rest = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(first)["fields"]["number"] == 1
    assert len(torn) == 20
    assert [json.loads(line)["fields"]["number"] for line in rest] == [2, 3]


def test_every_sink_hears_every_event_in_order(tmp_path: Path) -> None:
    heard: list[tuple[str, str]] = []
    tell = to_all(
        lambda e: heard.append(("first", e.name)), lambda e: heard.append(("then", e.name))
    )

    tell(change(1))

    assert heard == [("first", "user.added"), ("then", "user.added")]


def test_it_may_lie_on_a_device_such_as_standard_output() -> None:
    read, write = os.pipe()
    try:
        audit_log(Path(f"/proc/self/fd/{write}"))(change(7))
        assert json.loads(os.read(read, 4096))["fields"] == {"number": 7}
    finally:
        os.close(read)
        os.close(write)
