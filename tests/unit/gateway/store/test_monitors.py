"""What a place for monitors does, the real one and the fake alike."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.monitors import FakeMonitors
from tests.unit.gateway.post.letters import letter
from tests.unit.gateway.watch.monitors import MAIL, NOW, monitor
from waldur_slurm.errors import StateError
from waldur_slurm.gateway.post.letter import Method, Occasion
from waldur_slurm.gateway.store.monitors import (
    StoredMonitors,
    add_monitor,
    drop_monitor,
    name_job,
)
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.watch.monitor import Sight, Stage, Transition, UnreadableMonitor
from waldur_slurm.gateway.watch.port import Monitors, Turn, Wanted
from waldur_slurm.model.batch import JobId, Task
from waldur_slurm.model.names import UserName

LATER = NOW + timedelta(minutes=5)
ENDED = Transition(NOW, "RUNNING", "FAILED", Stage.ENDED, "the node's own words: ö\n")
BEN = UserName("ben")


@pytest.fixture(params=["fake", "sqlite"])
def monitors(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Monitors]:
    if request.param == "fake":
        yield FakeMonitors()
        return
    database = Database(tmp_path / "state" / "gateway.sqlite")
    yield StoredMonitors(database)
    database.close()


def test_a_monitor_is_kept_with_all_that_is_known_of_it(monitors: Monitors) -> None:
    whole = monitor(
        "whole",
        JobId(7, Task(3)),
        submitted=NOW,
        updated=LATER,
        missing_since=LATER,
        state="CANCELLED by 1000",
        methods={**MAIL, Method.TEST: {}},
        occasions=frozenset({Occasion.TERMINAL, Occasion.STARTED}),
        told=frozenset({Occasion.STARTED}),
        uuid="u-1",
        task={"name": "generic", "params": ["a", {"b": None}]},
        sight=Sight(run=NOW, restarts=2, open_tasks="1-2", ended_tasks={"FAILED": "0"}),
    )
    bare = monitor("bare", None, methods={})

    assert monitors.add(whole)
    assert monitors.add(bare)

    assert monitors.find("whole") == whole
    assert monitors.find("bare") == bare
    assert monitors.find("other") is None
    assert monitors.watching("lab") == (whole, bare)
    assert monitors.watching("away") == ()


def test_an_owner_has_one_monitor_of_a_task(monitors: Monitors) -> None:
    assert monitors.add(monitor("one", uuid="u"))
    assert not monitors.add(monitor("two", 2, uuid="u"))
    assert monitors.add(monitor("three", uuid="u", owner="token:other"))
    assert monitors.add(monitor("four"))
    assert monitors.add(monitor("five"))


def test_what_became_of_a_monitor_is_written_with_its_letters(monitors: Monitors) -> None:
    before = monitor()
    after = replace(before, state="FAILED", stage=Stage.ENDED, updated=LATER, submitted=NOW)
    turn = Turn(after, ENDED, (letter("a", monitor="m"),))
    monitors.add(before)

    assert [*monitors.note([turn])] == [turn]
    assert [*monitors.note([turn])] == []

    assert monitors.find("m") == after
    assert monitors.transitions("m") == (ENDED,)
    assert monitors.letters("m") == (letter("a", monitor="m"),)
    assert monitors.watching("lab") == ()


def test_a_monitor_that_was_dropped_meanwhile_gets_no_letter(monitors: Monitors) -> None:
    before = monitor()
    monitors.add(before)
    monitors.note([Turn(before, ENDED)])

    assert monitors.drop("m")
    assert not monitors.drop("m")

    assert [*monitors.note([Turn(before, ENDED, (letter("a", monitor="m"),))])] == []
    assert monitors.letters("m") == ()
    assert monitors.transitions("m") == ()


def test_a_monitor_whose_job_is_being_handed_in_is_not_dropped(monitors: Monitors) -> None:
    monitors.add(monitor(job=None))

    assert not monitors.drop("m")
    assert monitors.find("m") == monitor(job=None)


def test_among_all_a_uuid_is_one_of_its_user_whoever_has_it(monitors: Monitors) -> None:
    def add(name: str, owner: str, *, user: UserName = BEN, among_all: bool = False) -> bool:
        new = monitor(name, owner=owner, user=user, uuid="u")
        return monitors.add(new, among_all=among_all)

    assert add("first", "token:a")
    assert not add("second", "token:b", among_all=True)
    assert add("third", "token:c")
    assert add("fourth", "token:b", user=UserName("ann"), among_all=True)
    assert monitors.find("second") is None


def test_a_monitor_whose_job_was_named_meanwhile_is_looked_at_again(monitors: Monitors) -> None:
    monitors.add(monitor(job=2))

    assert [*monitors.note([Turn(monitor(job=None, stage=Stage.EXPIRED))])] == []
    assert monitors.find("m") == monitor(job=2)


def test_monitors_are_searched_by_who_may_see_them(monitors: Monitors) -> None:
    own = monitor("own", 1)
    anns = monitor("anns", 2, owner="token:other", state="RUNNING")
    bens = monitor("bens", 3, owner="token:other", user=BEN, uuid="u", stage=Stage.ENDED)
    for each in (own, anns, bens):
        monitors.add(each)

    def found(limit: int = 9, **wanted: object) -> list[str]:
        return [each.id for _, each in monitors.search(Wanted(**wanted), limit)]  # type: ignore[arg-type]  # a test's typo fails at once

    assert found() == ["bens", "anns", "own"]
    assert found(limit=2) == ["bens", "anns"]
    assert found(owner="token:portal", users=()) == ["own"]
    assert found(owner="token:x", users=["ann"]) == ["anns", "own"]
    assert found(owner="token:x") == []
    assert found(stage=Stage.ENDED) == found(uuid="u") == found(job=JobId(3)) == ["bens"]
    assert found(state="RUNNING") == ["anns"]
    assert found(cluster="away") == []
    [(number, _)] = monitors.search(Wanted(job=JobId(2)), 9)
    assert found(before=number) == ["own"]


def test_those_that_stopped_long_ago_are_forgotten(monitors: Monitors) -> None:
    monitors.add(monitor("old", stage=Stage.EXPIRED, updated=NOW - timedelta(days=1)))
    monitors.add(monitor("new", stage=Stage.ENDED, updated=NOW))
    monitors.add(monitor("waiting", made=NOW - timedelta(days=9)))

    assert monitors.counts() == {Stage.EXPIRED: 1, Stage.ENDED: 1, Stage.WATCHING: 1}
    monitors.forget(NOW)

    assert [each.id for _, each in monitors.search(Wanted(), 9)] == ["waiting", "new"]


def test_a_monitor_is_made_and_named_within_another_write(database: Database) -> None:
    monitors = StoredMonitors(database)

    def interrupted(connection: sqlite3.Connection) -> None:
        add_monitor(connection, monitor("lost"))
        raise StateError("the task's own write fails")

    with pytest.raises(StateError):
        database.write(interrupted)
    assert database.write(lambda connection: add_monitor(connection, monitor("kept", None)))
    assert monitors.watching("lab") == (monitor("kept", None),)

    def named(job: int) -> bool:
        return database.write(lambda connection: name_job(connection, "kept", JobId(job), NOW))

    assert [named(5), named(5), named(6)] == [True, True, False]
    assert monitors.find("kept") == monitor("kept", 5, submitted=NOW)
    assert database.write(lambda connection: drop_monitor(connection, "kept"))
    assert not database.write(lambda connection: name_job(connection, "kept", JobId(5), NOW))


def test_an_odd_record_stops_no_other(database: Database) -> None:
    monitors = StoredMonitors(database)
    monitors.add(monitor("odd"))
    monitors.add(monitor("sound"))
    query = "UPDATE monitors SET methods = '{\"pigeon\": {}}' WHERE id = 'odd'"
    database.write(lambda connection: connection.execute(query))

    odd, sound = monitors.watching("lab")

    assert isinstance(odd, UnreadableMonitor)
    assert (odd.id, "pigeon" in odd.reason) == ("odd", True)
    assert sound == monitor("sound")
    assert [each.id for _, each in monitors.search(Wanted(), 9)] == ["sound"]
    with pytest.raises(StateError, match="not understood"):
        monitors.find("odd")
