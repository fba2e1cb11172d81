"""What a place for tasks does, the real one and the fake alike."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.fakes.monitors import FakeMonitors
from tests.fakes.tasks import FakeTasks
from tests.unit.gateway.tasks.makers import NOW, monitor_of
from tests.unit.gateway.tasks.makers import kept_task as task
from waldur_slurm.gateway.store.monitors import StoredMonitors
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.tasks import StoredTasks
from waldur_slurm.gateway.submits.attempt import Placed
from waldur_slurm.gateway.tasks.port import Sought, Tasks, Watched
from waldur_slurm.gateway.tasks.task import KeptTask
from waldur_slurm.gateway.watch.port import Monitors
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

JOB = Placed(JobId(12), "lab", NOW, "/home/ann", "/home/ann/out", "/home/ann/err")


class Places(NamedTuple):
    tasks: Tasks
    monitors: Monitors


@pytest.fixture(params=["fake", "sqlite"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Places]:
    if request.param == "fake":
        monitors = FakeMonitors()
        yield Places(FakeTasks(monitors), monitors)
        return
    database = Database(tmp_path / "state" / "gateway.sqlite")
    yield Places(StoredTasks(database), StoredMonitors(database))
    database.close()


def reserve(places: Places, kept: KeptTask) -> KeptTask | Watched | None:
    return places.tasks.reserve(kept, monitor_of(kept))


def test_a_task_is_unsettled_with_a_monitor_without_a_job_until_it_is_closed(
    places: Places,
) -> None:
    assert reserve(places, task()) is None
    assert places.tasks.unsettled() == (task(),)
    assert places.monitors.find("monitor-u") == monitor_of(task())

    places.tasks.close(task(), JOB)

    assert places.tasks.unsettled() == ()
    assert places.tasks.find("token:portal", "u") == task(placed=JOB)
    assert places.monitors.find("monitor-u") == monitor_of(task(), job=JobId(12), submitted=NOW)


def test_a_uuid_stands_for_one_task_of_its_owner(places: Places) -> None:
    reserve(places, task())
    second = task(id="second", monitor="second")
    others = task(id="others", owner="token:other", monitor="others")

    assert reserve(places, second) == task()
    assert reserve(places, others) is None
    assert places.monitors.find("second") is None
    assert places.tasks.find("token:other", "u") == others


def test_a_uuid_of_a_monitor_is_not_a_tasks_as_well(places: Places) -> None:
    places.monitors.add(monitor_of(task(), id="outside", job=JobId(7)))

    assert reserve(places, task()) == Watched(JobId(7))
    assert places.tasks.find("token:portal", "u") is None


def test_a_task_that_is_freed_leaves_no_monitor_and_its_uuid_is_free(places: Places) -> None:
    reserve(places, task())
    places.tasks.free(task())

    assert places.tasks.unsettled() == ()
    assert places.monitors.find("monitor-u") is None
    assert reserve(places, task(id="again", monitor="again")) is None


def test_a_task_with_a_job_is_not_freed_and_keeps_it(places: Places) -> None:
    reserve(places, task())
    places.tasks.close(task(), JOB)

    places.tasks.free(task())
    places.tasks.close(task(), replace(JOB, job_id=JobId(13)))

    assert places.tasks.find("token:portal", "u") == task(placed=JOB)


def test_more_of_the_same_job_may_be_told_later(places: Places) -> None:
    reserve(places, task())
    bare = Placed(JobId(12), "lab")
    places.tasks.close(task(), bare)
    assert places.tasks.find("token:portal", "u") == task(placed=bare)

    places.tasks.close(task(), JOB)
    assert places.tasks.find("token:portal", "u") == task(placed=JOB)


def test_a_task_goes_with_its_monitor_and_closing_it_is_no_trouble(places: Places) -> None:
    reserve(places, task())
    assert places.monitors.drop("monitor-u")

    places.tasks.close(task(), JOB)
    places.tasks.free(task())

    assert places.tasks.find("token:portal", "u") is None
    assert places.tasks.unsettled() == ()


def test_tasks_are_shown_to_their_owner_and_to_who_sees_the_users_jobs(places: Places) -> None:
    bens = task("b", user=UserName("ben"), owner="token:other")
    for each in (task("a"), bens, task("c", made=NOW + timedelta(seconds=1))):
        reserve(places, each)

    def seen(limit: int = 10, **sought: Any) -> list[str]:
        wanted = Sought(**{"owner": "token:portal", "users": (), **sought})
        return [each.uuid for _, each in places.tasks.search(wanted, limit)]

    assert seen() == ["c", "a"]
    assert seen(users=[UserName("ben")]) == ["c", "b", "a"]
    assert seen(users=None, owner="nobody") == ["c", "b", "a"]
    assert seen(users=None, uuid="b") == ["b"]
    assert seen(users=None, cluster="other") == []
    assert seen(users=None, limit=1) == ["c"]
    (number, _), *_ = places.tasks.search(Sought("token:portal", None), 1)
    assert seen(users=None, before=number) == ["b", "a"]
