"""A disk that is full: the agent says which file it cannot write, and changes nothing blindly."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.waldur import Waldur
from tests.e2e.program import Program, eventually
from tests.fixtures_program import NewProgram
from tests.fixtures_waldur import StartWaldur
from tests.trust.disk import Disk, small_disk
from tests.trust.size import count

FAILED = 1
WORDS = {
    "state": "cannot use the state directory",
    "audit": "cannot write the audit log",
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as found:
        yield found


@pytest.fixture
def waldur(start_waldur: StartWaldur) -> Waldur:
    return start_waldur("today")


def order(waldur: Waldur) -> str:
    project = waldur.make_project(waldur.make_customer("Science"), "Physics")
    return waldur.order_create(project, "alloc", {"cpu": 10}).resource_uuid


def on(disk: Disk, which: str, new_program: NewProgram, waldur: Waldur, **more: str) -> Program:
    variable = "AGENT_STATE_DIR" if which == "state" else "AGENT_AUDIT_LOG"
    return new_program(waldur, **{variable: str(disk.place / which)}, **more)


@pytest.mark.parametrize("which", WORDS)
def test_a_full_disk_stops_a_cycle_before_it_changes_anything(
    which: str, disk: Disk, waldur: Waldur, new_program: NewProgram
) -> None:
    program = on(disk, which, new_program, waldur)
    resource = order(waldur)
    disk.fill()

    refused = program.run("once")

    assert refused.returncode == FAILED
    assert WORDS[which] in refused.stderr
    assert "No space left on device" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert waldur.writes() == []
    disk.make_room()
    assert program.run("once").returncode == 0
    assert waldur.resource(resource)["state"] == "OK"
    count(f"fault of the host: no room for the {which}")


@pytest.mark.parametrize("which", WORDS)
def test_a_disk_that_fills_under_the_service_is_told_and_made_good(
    which: str, disk: Disk, waldur: Waldur, new_program: NewProgram
) -> None:
    program = on(disk, which, new_program, waldur, WALDUR_SYNC_INTERVAL="1")
    with program.daemon() as daemon:
        daemon.hears("STATUS=last cycle ended well")
        disk.fill()
        resource = order(waldur)
        daemon.hears("STATUS=failed")
        assert "No space left on device" in daemon.log
        assert {each["state"] for each in waldur.orders()}.isdisjoint({"erred", "rejected"})
        disk.make_room()
        eventually(lambda: waldur.resource(resource)["state"] == "OK", "the order is done", 60.0)
        daemon.hears("STATUS=last cycle ended well")
        assert daemon.stop() == 0
        assert "cycle.recovered" in daemon.log
    lines = (Path(program.environ["AGENT_AUDIT_LOG"])).read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert [events.count(name) for name in ("order.approved", "order.done")] == [1, 1]
    assert events.count("account.added") == 3
    count(f"fault of the host: no room any more for the {which}")
