"""What a log of transitions does, of the real one and the fake alike."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.transitions import FakeTransitions
from waldur_slurm.gateway.picture.transitions import Kind, Transition, Transitions
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.transitions import StoredTransitions

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


@pytest.fixture(params=["fake", "sqlite"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transitions]:
    if request.param == "fake":
        yield FakeTransitions()
        return
    database = Database(tmp_path / "state" / "gateway.sqlite")
    yield StoredTransitions(database)
    database.close()


def turned(job_id: str, at: datetime = NOW) -> Transition:
    return Transition(
        at=at,
        cluster="lab",
        kind=Kind.TURNED,
        job_id=job_id,
        submitted=NOW,
        user="ann",
        before="RUNNING",
        state="CANCELLED by 1000",
        is_terminal=True,
        outcome="cancelled",
    )


def test_what_is_added_is_found_in_its_order(log: Transitions) -> None:
    added = log.add([turned("1"), turned("2")])
    added += log.add([turned("3"), Transition(at=NOW, cluster="lab", kind=Kind.GAP)])

    assert log.after(0, 10) == added
    assert log.after(added[1].number, 1) == added[2:3]
    assert log.after(added[-1].number, 10) == ()
    assert log.bounds() == (added[0].number, added[-1].number)


def test_an_empty_log_has_no_bounds(log: Transitions) -> None:
    assert log.bounds() == (0, 0)
    assert log.after(0, 10) == ()


def test_old_ones_are_forgotten_and_no_number_comes_again(log: Transitions) -> None:
    old = log.add([turned("1", NOW - timedelta(days=3)), turned("2", NOW - timedelta(days=3))])

    log.forget(NOW - timedelta(days=2))
    (new,) = log.add([turned("3")])

    assert new.number == old[-1].number + 1
    assert [each.transition.job_id for each in log.after(0, 10)] == ["2", "3"]
