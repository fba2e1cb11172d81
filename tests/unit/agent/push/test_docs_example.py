"""The example in docs/usage-accounting.md is what the program really makes of that job."""

from datetime import UTC, datetime
from decimal import Decimal

from tests.fakes.makers import component
from tests.places import PROJECT
from tests.unit.agent.push.site import Site
from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.period import Month, Window

DOCS = PROJECT / "docs" / "usage-accounting.md"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    month = 10 if day == 31 else 11
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_the_example_adds_up(today: Site) -> None:
    today.allocation("alpha", "ann")
    job = today.job("alpha", "ann", at(31, 22), at(1, 4), cpu=64, mem=128 * 1024)
    job.paused = [Window(at(31, 23, 30), at(1, 0, 30))]
    cpu = component("cpu", AccountingType.USAGE, factor=60_000)
    mem = component("mem", AccountingType.USAGE, factor=61_440)
    cycle = today.cycle()
    cycle.components = (cpu, mem)
    months = (Month(2026, 10), Month(2026, 11))

    measured = cycle.reader.meter.measure(months, today.now, {AccountName("alpha")})

    text = DOCS.read_text(encoding="utf-8")
    told = []
    for month in months:
        held = {share.tres: seconds for share, seconds in measured[month].tally.items()}
        told += [cpu.to_usage(held[cpu.tres]), mem.to_usage(held[mem.tres])]
        assert f"{held[cpu.tres]:,}" in text
        assert f"{held[mem.tres]:,}" in text
    assert told == [Decimal("0.10"), Decimal("192.00"), Decimal("0.22"), Decimal("448.00")]
    assert all(f"**{amount}**" in text for amount in told)
