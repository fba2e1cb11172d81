"""Measuring adds up, whatever jobs there are and however time is cut."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.makers import component
from tests.fakes.slurm import FOREVER, FakeJob, FakeSlurm
from waldur_slurm.agent.metering.measure import Meter
from waldur_slurm.agent.metering.sums import Sums
from waldur_slurm.agent.metering.witness import WitnessedRecords
from waldur_slurm.agent.model.usage import Basis, Share
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window
from waldur_slurm.model.tres import TresName
from waldur_slurm.state import StateDirectory

EDGE = datetime(2026, 10, 25, tzinfo=UTC)  # around it clocks go back in Europe
CPU, GPU = TresName("cpu"), TresName("gres/gpu")
ACCOUNTS = ("alpha", "beta")
ZONES = st.sampled_from(["UTC", "Europe/Tallinn", "Asia/Kolkata", "America/Havana"]).map(ZoneInfo)
NOW = datetime(2026, 11, 12, 7, 30, tzinfo=UTC)
MONTHS = (Month(2026, 9), Month(2026, 10), Month(2026, 11))


@st.composite
def jobs(draw: st.DrawFn) -> FakeJob:
    start = EDGE + timedelta(seconds=draw(st.integers(-40 * 86400, 17 * 86400)))
    lasts = timedelta(seconds=draw(st.integers(0, 50 * 86400)))
    end = start + lasts if start + lasts <= NOW else None
    paused: list[Window] = []
    if draw(st.booleans()):
        begin = start + timedelta(seconds=draw(st.integers(0, 10 * 86400)))
        over = begin + timedelta(seconds=draw(st.integers(0, 10 * 86400)))
        if over <= (end or NOW):
            paused.append(Window(begin, over))
    state = "COMPLETED" if end else "RUNNING"
    if not end and draw(st.booleans()):
        since = max([start, *(pause.end for pause in paused)])
        paused.append(Window(since + (NOW - since) * draw(st.floats(0, 1)) // 1, FOREVER))
        state = "SUSPENDED"
    return FakeJob(
        id=str(draw(st.integers(1, 10**9))),
        account=AccountName(draw(st.sampled_from(ACCOUNTS))),
        user=UserName(draw(st.sampled_from(["ann", "bob"]))),
        allocated={CPU: draw(st.integers(1, 64)), GPU: draw(st.integers(0, 4))},
        start=start,
        end=end,
        state=state,
        submitted=start,
        paused=[Window(p.start.replace(microsecond=0), p.end) for p in paused],
    )


def held(job: FakeJob, window: Window) -> int:
    """Second by second in spirit: the span in the window less what of it was suspended."""
    assert job.start is not None

    def overlap(start: datetime, end: datetime) -> int:
        inside = min(end, window.end, job.end or NOW) - max(start, window.start)
        return max(0, int(inside.total_seconds()))

    return overlap(job.start, FOREVER) - sum(overlap(p.start, p.end) for p in job.paused)


def known(found: list[FakeJob], window: Window) -> dict[Share, int]:
    sums: dict[Share, int] = {}
    for job in found:
        for tres, amount in job.allocated.items():
            share = Share(job.account, job.user, tres)
            sums[share] = sums.get(share, 0) + amount * held(job, window)
    return {share: total for share, total in sums.items() if total}


@settings(max_examples=150, deadline=None)
@given(st.lists(jobs(), max_size=12, unique_by=lambda job: job.id), ZONES)
def test_every_month_is_what_was_held_in_it(found: list[FakeJob], zone: ZoneInfo) -> None:
    slurm = FakeSlurm(now=NOW, jobs=found)
    accounts = frozenset(map(AccountName, ACCOUNTS))
    with tempfile.TemporaryDirectory() as directory:
        meter = Meter(slurm, StateDirectory(Path(directory)), zone, [CPU, GPU])
        for _ in ("read", "with what was kept of past days"):
            measured = meter.measure(MONTHS, NOW, accounts)
            for month in MONTHS:
                tally = {s: total for s, total in measured[month].tally.items() if total}
                assert tally == known(found, month.window(zone).before(NOW))


EARLIER = NOW - timedelta(hours=2)  # the same day in every zone


def as_of(job: FakeJob, moment: datetime) -> FakeJob:
    """The job as it was: what came to an end since had none yet."""
    paused = [p if p.end <= moment else Window(p.start, FOREVER) for p in job.paused]
    paused = [p for p in paused if p.start < moment]
    if job.end is not None and job.end <= moment:
        return job
    is_suspended = any(p.end == FOREVER for p in paused)
    return replace(job, end=None, paused=paused, state="SUSPENDED" if is_suspended else "RUNNING")


@st.composite
def ended_since(draw: st.DrawFn) -> FakeJob:
    """One that ran for long, and has come to its end in the last two hours."""
    job = draw(jobs())
    end = NOW - timedelta(seconds=draw(st.integers(0, 7200)))
    over = [p if p.end <= end else Window(p.start, end) for p in job.paused if p.start < end]
    return replace(job, end=end, state="COMPLETED", paused=over)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(jobs() | ended_since(), max_size=8, unique_by=lambda job: job.id),
    ZONES,
    st.booleans(),
)
def test_whatever_ends_or_goes_on_since_days_were_kept_the_months_are_what_was_held(
    found: list[FakeJob], zone: ZoneInfo, remember: bool
) -> None:
    before = [as_of(job, EARLIER) for job in found if job.start and job.start < EARLIER]
    accounts = frozenset(map(AccountName, ACCOUNTS))
    with tempfile.TemporaryDirectory() as directory:
        state = StateDirectory(Path(directory))
        Meter(FakeSlurm(now=EARLIER, jobs=before), state, zone, [CPU, GPU]).measure(
            MONTHS, EARLIER, accounts, remember=remember
        )
        later = Meter(FakeSlurm(now=NOW, jobs=found), state, zone, [CPU, GPU])
        measured = later.measure(MONTHS, NOW, accounts)

    for month in MONTHS:
        tally = {s: total for s, total in measured[month].tally.items() if total}
        assert tally == known(found, month.window(zone).before(NOW))
        assert measured[month].runaways == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(jobs(), max_size=8, unique_by=lambda job: job.id),
    ZONES,
    st.integers(5 * 3600, 32 * 86400),
)
def test_however_long_the_parts_are_that_are_read_it_comes_to_the_same(
    found: list[FakeJob], zone: ZoneInfo, seconds: int
) -> None:
    slurm = FakeSlurm(now=NOW, jobs=found)
    month = Month(2026, 10).window(zone)

    assert read_in_parts(slurm, month, timedelta(seconds=seconds)) == known(found, month)


def read_in_parts(slurm: FakeSlurm, window: Window, length: timedelta) -> dict[Share, int]:
    """What is over and what is open alike."""
    sums, records = Sums(Basis.ALLOCATED, frozenset([CPU, GPU])), WitnessedRecords(slurm)
    while window.start < window.end:
        part = window.before(window.start + length)
        sums.read(records, part)
        window = window.since(part.end)
    tally = sums.tally
    for open_part in sums.open_parts:
        for share, seconds in open_part.shares():
            tally[share] = tally.get(share, 0) + seconds
    return {share: total for share, total in tally.items() if total}


@settings(max_examples=60, deadline=None)
@given(st.lists(jobs(), max_size=8, unique_by=lambda job: job.id), ZONES)
def test_a_months_days_add_up_to_the_month(found: list[FakeJob], zone: ZoneInfo) -> None:
    slurm = FakeSlurm(now=NOW, jobs=found)
    accounts = frozenset(map(AccountName, ACCOUNTS))
    month = Month(2026, 10)
    with tempfile.TemporaryDirectory() as directory:
        meter = Meter(slurm, StateDirectory(Path(directory)), zone, [CPU, GPU])
        whole = meter.measure([month], NOW, accounts)[month].tally
        days = meter.measure_days(month.window(zone), NOW, accounts)

    sums: dict[Share, int] = {}
    for day in days.values():
        for share, seconds in day.tally.items():
            sums[share] = sums.get(share, 0) + seconds
    assert {s: n for s, n in sums.items() if n} == {s: n for s, n in whole.items() if n}
    assert len(days) == 31


FACTORS = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10**6), places=2)


@given(st.integers(0, 10**15), FACTORS)
def test_usage_is_rounded_once_to_the_nearest_hundredth(seconds: int, factor: Decimal) -> None:
    told = component("cpu", factor=factor).to_usage(seconds)

    assert told.as_tuple().exponent == -2
    assert abs(Fraction(told) - Fraction(seconds, 60) / Fraction(factor)) <= Fraction(1, 200)


@given(st.integers(0, 10**12), st.integers(0, 10**12), FACTORS)
def test_more_held_is_never_less_told(one: int, more: int, factor: Decimal) -> None:
    assert component("cpu", factor=factor).to_usage(one) <= component(
        "cpu", factor=factor
    ).to_usage(one + more)


@given(st.integers(0, 10**9), st.integers(1, 10**6))
def test_limits_survive_the_way_to_slurm_and_back(units: int, factor: int) -> None:
    sold = component("cpu", factor=factor)

    assert sold.to_whole_units(sold.to_tres_minutes(units)) == units


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_a_limit_that_comes_back_is_the_one_that_slurm_enforces(minutes: int, factor: int) -> None:
    sold = component("cpu", factor=factor)
    units = sold.to_whole_units(minutes)

    assert units is None or sold.to_tres_minutes(units) == minutes
