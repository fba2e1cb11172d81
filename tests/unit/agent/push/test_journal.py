"""A document of push's journal that does not hold what it should says so, and what to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.makers import resource
from tests.fakes.pull import FakeState
from tests.unit.agent.push.site import (
    CPU,
    EDGE,
    GPU,
    HOUR,
    NOON,
    NOVEMBER,
    OCTOBER,
    Site,
    debts,
    with_a_debt,
    with_a_job_over_the_edge,
)
from waldur_slurm.agent.model.marketplace import ResourceState, ResourceUuid
from waldur_slurm.agent.push.journal import Journal
from waldur_slurm.agent.push.plan.findings import Owed
from waldur_slurm.agent.push.plan.steps import TellUsage
from waldur_slurm.agent.push.plan.world import Ledger
from waldur_slurm.errors import StateError
from waldur_slurm.model.jobs import UnreadableRecord
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Month


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


def believed(journal: Journal, *readings: tuple[int, bool]) -> list[bool]:
    """Whether each reading is believed, of so many minutes past noon, that is doubtful or not."""
    return [
        journal.believes_missing(
            NOON + timedelta(minutes=minutes), is_doubtful=is_doubtful, remember=True
        )
        for minutes, is_doubtful in readings
    ]


def test_accounts_that_are_gone_at_once_are_believed_after_three_readings_and_half_an_hour() -> (
    None
):
    def journal() -> Journal:
        return Journal(FakeState())

    in_doubt = [(0, True), (15, True)]
    assert believed(journal(), *in_doubt, (30, True)) == [False, False, True]
    assert believed(journal(), *in_doubt, (29, True), (30, True)) == [False, False, False, True]
    assert believed(journal(), (0, True), (30, True), (31, True)) == [False, False, True]
    assert believed(journal(), *in_doubt, (20, False), (30, True)) == [False, False, True, False]
    again = [(minutes + 60, True) for minutes in (0, 15, 30)]
    assert believed(journal(), *in_doubt, (20, False), *again)[-3:] == [False, False, True]


def test_whoever_only_looks_brings_no_doubt_nearer_to_belief() -> None:
    state = FakeState()
    for _ in range(9):
        assert not Journal(state).believes_missing(NOON, is_doubtful=True, remember=False)
    assert believed(Journal(state), (60, True), (61, True)) == [False, False]


def decrease(before: str, after: str) -> TellUsage:
    return TellUsage(
        resource=resource(),
        month=NOVEMBER,
        amounts={CPU: Decimal(after)},
        before={CPU: Decimal(before)},
    )


def peak(journal: Journal, now: datetime) -> Decimal | None:
    peaks = journal.read_peaks(now).get(NOVEMBER, {})
    return peaks.get((resource().uuid, CPU))


def test_a_peak_is_the_highest_of_a_day_since_the_first_decrease() -> None:
    journal, day = Journal(FakeState()), timedelta(days=1)
    journal.note_decrease(decrease("100", "97"), NOON, is_allowed=False)
    assert peak(journal, NOON) == 100
    journal.note_decrease(decrease("97", "99"), NOON + HOUR, is_allowed=False)
    journal.note_decrease(decrease("99", "96"), NOON + 2 * HOUR, is_allowed=False)
    assert peak(journal, NOON + day - HOUR) == 100
    assert peak(journal, NOON + day) is None
    assert peak(journal, NOON - day) is None
    journal.note_decrease(decrease("110", "109"), NOON + 3 * HOUR, is_allowed=False)
    assert peak(journal, NOON + 3 * HOUR) == 110
    journal.note_decrease(decrease("109", "20"), NOON + 4 * HOUR, is_allowed=True)
    assert peak(journal, NOON + 4 * HOUR) is None


def test_what_rises_or_stays_is_no_peak() -> None:
    state = FakeState()
    journal = Journal(state)
    for before, after in (("5", "5"), ("5", "6")):
        journal.note_decrease(decrease(before, after), NOON, is_allowed=False)
    assert peak(journal, NOON) is None
    assert state.documents == {}


def test_a_ledger_comes_back_whole() -> None:
    state, uuid = FakeState(), resource().uuid
    whole = Ledger(
        erred=frozenset({uuid}),
        unerrable=frozenset({ResourceUuid("other")}),
        declined={OCTOBER: {(uuid, CPU): Decimal("6.00"), (uuid, GPU): Decimal("0.00")}},
        untaken={uuid: {CPU: 7}},
        strangers=frozenset({(OCTOBER, uuid, "ann")}),
        members={uuid: frozenset({"ann", "bob"})},
    )
    Journal(state).keep_ledger(whole)
    assert Journal(state).read_ledger() == whole
    Journal(state).keep_ledger(Ledger())
    assert Journal(state).read_ledger() == Ledger()


def test_debts_of_what_was_not_judged_stay() -> None:
    journal = Journal(FakeState())
    uuid, other = ResourceUuid("1"), ResourceUuid("2")
    old = [owed(OCTOBER, uuid), owed(OCTOBER, other), owed(NOVEMBER, uuid)]
    judged = [(month, each) for month in (OCTOBER, NOVEMBER) for each in (uuid, other)]
    journal.keep_owed(judged, old)
    journal.keep_owed([(OCTOBER, uuid)], [])
    assert set(journal.read_owed()) == set(old[1:])
    journal.keep_owed([(OCTOBER, other)], [owed(OCTOBER, other, "7.00")])
    assert {o.measured for o in journal.read_owed() if o.resource == other} == {Decimal("7.00")}
    assert journal.read_owed() == tuple(sorted(journal.read_owed()))


def test_only_the_debt_that_was_acknowledged_is_settled() -> None:
    journal, uuid = Journal(FakeState()), ResourceUuid("1")
    rest = [owed(NOVEMBER, uuid), replace(owed(OCTOBER, uuid), account=AccountName("beta"))]
    judged = [(OCTOBER, uuid), (NOVEMBER, uuid)]
    journal.keep_owed(judged, [owed(OCTOBER, uuid), *rest])

    settled = journal.acknowledge(OCTOBER, AccountName("alpha"), "waived", NOON)

    assert settled == (owed(OCTOBER, uuid),)
    assert set(journal.read_owed()) == set(rest)
    assert journal.acknowledge(OCTOBER, AccountName("alpha"), "again", NOON) == ()


def owed(month: Month, uuid: ResourceUuid, measured: str = "6.00") -> Owed:
    return Owed(month, AccountName("alpha"), uuid, CPU, Decimal(measured), Decimal(1))


def test_the_newest_month_is_kept_and_written_once() -> None:
    state = FakeState()
    journal = Journal(state)
    assert journal.read_newest_month() is None
    journal.keep_newest_month(OCTOBER)
    assert journal.read_newest_month() == OCTOBER
    journal.keep_newest_month(NOVEMBER)
    assert journal.read_newest_month() == NOVEMBER
