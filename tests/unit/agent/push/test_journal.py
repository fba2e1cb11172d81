"""A document of push's journal that does not hold what it should says so, and what to do."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.pull import FakeState
from tests.unit.agent.push.site import (
    CPU,
    EDGE,
    HOUR,
    NOON,
    NOVEMBER,
    OCTOBER,
    Site,
    debts,
    with_a_debt,
    with_a_job_over_the_edge,
)
from waldur_slurm.agent.model.marketplace import ResourceState
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.errors import StateError
from waldur_slurm.model.jobs import UnreadableRecord
from waldur_slurm.model.names import AccountName


def is_believed(journal: Journal) -> bool:
    return journal.believes_missing(NOON, is_doubtful=True, remember=False)


@pytest.mark.parametrize(
    ("name", "document", "read"),
    [
        ("push", {"declined": {"2026-10": {"r": {"cpu": "much"}}}}, Journal.read_ledger),
        ("push", {"untaken": {"r": {"cpu": "many"}}}, Journal.read_ledger),
        ("push", {"strangers": [["2026-10"]]}, Journal.read_ledger),
        ("owed", {"owed": [{"month": "2026-10"}]}, Journal.read_owed),
        ("owed", {"owed": 7}, Journal.read_owed),
        ("months", {"newest": "last"}, Journal.read_newest_month),
        ("missing-accounts", {"readings": "few"}, is_believed),
    ],
)
def test_a_document_that_cannot_be_understood_is_named(
    name: str, document: dict[str, object], read: Callable[[Journal], object]
) -> None:
    journal = Journal(FakeState({f"journal/{name}": document}))

    with pytest.raises(StateError, match=f"journal/{name}.json .* put a backup in its place"):
        read(journal)


@pytest.mark.parametrize("state", [ResourceState.ERRED, ResourceState.TERMINATED])
def test_a_debt_outlives_its_allocation(older: Site, state: ResourceState) -> None:
    alpha = with_a_debt(older)
    older.waldur._change(alpha, state=state)

    older.cycle().run()

    assert debts(older) == [(OCTOBER, CPU, Decimal("6.00"))]


def test_a_debt_outlives_a_cycle_that_cannot_measure_it(older: Site) -> None:
    with_a_debt(older)
    older.slurm.unreadable = [UnreadableRecord(("alpha", "??"), "no amount: '??'")]

    older.cycle().run()

    assert debts(older) == [(OCTOBER, CPU, Decimal("6.00"))]


@pytest.mark.parametrize("name", ["cache/members"])
def test_a_broken_cache_stops_nothing(site: Site, tmp_path: Path, name: str) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("alpha", "ann", NOON - 3 * HOUR, NOON - HOUR)
    (tmp_path / "cache").mkdir()
    (tmp_path / f"{name}.json").write_text("{")

    site.cycle().run()

    assert site.held(alpha, CPU, NOVEMBER) == Decimal("2.00")


def test_what_is_owed_stays_until_a_person_acknowledges_it(older: Site) -> None:
    with_a_job_over_the_edge(older).move_to(EDGE + 2 * HOUR)
    older.cycle().run()
    older.move_to(EDGE + timedelta(days=15))
    assert len(older.cycle().run().owed) == 2

    journal = Journal(older.state)
    settled = journal.acknowledge(OCTOBER, AccountName("alpha"), "waived", older.now)

    assert len(settled) == 2
    assert older.cycle().run().owed == ()


def test_a_debt_that_grows_after_it_was_acknowledged_shows_again(older: Site) -> None:
    with_a_job_over_the_edge(older).move_to(EDGE + 2 * HOUR)
    older.cycle().run()
    Journal(older.state).acknowledge(OCTOBER, AccountName("alpha"), "waived", older.now)
    older.job("alpha", "ann", EDGE - 20 * HOUR, EDGE - 10 * HOUR)
    older.move_to(EDGE + timedelta(days=1, hours=2))

    report = older.cycle().run()

    assert [(o.component, o.measured) for o in report.owed] == [(CPU, Decimal("16.00"))]


def test_a_peak_that_a_clock_years_ahead_noted_judges_nothing(site: Site) -> None:
    alpha = site.allocation("alpha", "ann")
    site.job("other", "bob", NOON.replace(day=1) - 30 * HOUR, NOON.replace(day=1))
    site.job("alpha", "ann", NOON - 97 * HOUR, NOON)
    site.hold(alpha, CPU, NOVEMBER, "100.00")
    ahead = int(NOON.replace(year=2036).timestamp())
    key = f"{NOVEMBER}/{alpha.uuid}/cpu"
    site.state.replace("journal/peaks", {key: {"amount": "900.00", "at": ahead}})

    assert site.cycle().run().refusals == ()
    assert site.held(alpha, CPU, NOVEMBER) == Decimal("97.00")
