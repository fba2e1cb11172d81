"""slurm-proxy's monitors taken over: what ended stays ended, the rest is watched on, once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.tasks.makers import hello, shipped
from waldur_slurm.gateway.configs.mongodump import KeptMonitor
from waldur_slurm.gateway.monitored import OWNER, Believed, monitor_of, take_over_monitors
from waldur_slurm.gateway.post.letter import Method, Occasion
from waldur_slurm.gateway.store.monitors import StoredMonitors
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.watch.monitor import Stage

NOW = datetime(2026, 12, 1, tzinfo=UTC)
BELIEVED = Believed("lab", shipped(), NOW, timedelta(days=14))


def record(state: str = "RUNNING", **changed: Any) -> KeptMonitor:
    kept = KeptMonitor(
        id="6b0cd014a77506345f91ede4",
        username="ann",
        job_id=70,
        state=state,
        task=hello(),
        made=NOW - timedelta(days=1),
        updated=None,
    )
    return replace(kept, **changed)


@pytest.fixture
def monitors(tmp_path: Path) -> Iterator[StoredMonitors]:
    database = Database(tmp_path / "gateway.sqlite")
    yield StoredMonitors(database)
    database.close()


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        ("PENDING", Stage.WATCHING),
        ("RUNNING", Stage.WATCHING),
        ("SUSPENDED", Stage.WATCHING),
        ("UNKNOWN", Stage.WATCHING),
        ("", Stage.WATCHING),
        ("COMPLETED", Stage.ENDED),
        ("CANCELLED by 1000", Stage.ENDED),
        ("OUT_OF_MEMORY", Stage.ENDED),
    ],
)
def test_what_ended_is_not_watched_and_has_nobody_to_be_told(state: str, stage: Stage) -> None:
    made = monitor_of(record(state), BELIEVED)

    assert made.stage is stage
    assert bool(made.methods) == (stage is Stage.WATCHING)
    assert (made.owner, made.uuid) == (OWNER, hello()["uuid"])


def test_who_was_to_be_told_of_the_end_still_is_and_of_what_is_past_nobody_is() -> None:
    events = {"methods": ["email"], "params": hello()["notification"]["params"]}
    task = hello(notification={**events, "events": ["started", "terminal"]})

    made = monitor_of(record(task=task), BELIEVED)

    assert made.methods[Method.EMAIL]["recipient"] == "username@example.com"
    assert made.occasions == {Occasion.STARTED, Occasion.TERMINAL}
    assert made.told == {Occasion.STARTED}


def test_a_job_that_was_watched_for_too_long_already_is_not_watched_on() -> None:
    made = monitor_of(record(made=NOW - timedelta(days=15)), BELIEVED)

    assert made.stage is Stage.EXPIRED
    assert made.methods == {}


def test_a_task_that_is_odd_is_watched_and_tells_nobody() -> None:
    odd = {"uuid": "u", "username": "ann", "notification": {"methods": ["pigeon"]}}

    made = monitor_of(record(task=odd), BELIEVED)

    assert (made.stage, made.methods) == (Stage.WATCHING, {})


def test_a_second_time_nothing_comes_twice(monitors: StoredMonitors) -> None:
    records = [record(), record("COMPLETED", id="other", task=hello(uuid="u-2"))]

    first = take_over_monitors(monitors, records, BELIEVED)
    again = take_over_monitors(monitors, records, BELIEVED)

    assert first == (2, 1, 0, 0)
    assert again == (0, 0, 2, 0)


@pytest.mark.parametrize("user", ["", "0", "--uid=0", "ann bob", "ann\n"])
def test_a_record_of_a_user_that_nobody_can_be_is_skipped(
    monitors: StoredMonitors, user: str
) -> None:
    records = [record(username=user), record(id="other")]

    assert take_over_monitors(monitors, records, BELIEVED) == (1, 1, 0, 1)
