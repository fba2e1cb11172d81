"""Billing months and half-open windows of time in the zone that bills are written in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """`start` belongs to it, `end` does not; both know their zone."""

    start: datetime
    end: datetime

    @classmethod
    def of_days(cls, first: date, last: date, zone: ZoneInfo) -> Self:
        """From the midnight that begins `first` to the one that ends `last`."""
        return cls(midnight(first, zone), midnight(last + timedelta(days=1), zone))

    def days(self, zone: ZoneInfo) -> Iterator["Window"]:
        """Cut at every local midnight, so that days of 23 and 25 hours come out whole."""
        rest = self
        while rest.start < rest.end:
            next_day = rest.start.astimezone(zone).date() + timedelta(days=1)
            day = rest.before(midnight(next_day, zone))
            yield day
            rest = rest.since(day.end)

    def before(self, moment: datetime) -> "Window":
        """Return the part of it that lies before `moment`, which may be empty."""
        return Window(self.start, max(self.start, min(self.end, moment)))

    def since(self, moment: datetime) -> "Window":
        """Return the part of it that does not lie before `moment`, which may be empty."""
        return Window(min(self.end, max(self.start, moment)), self.end)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month; `window` says where it lies in a zone."""

    year: int
    number: int

    @classmethod
    def containing(cls, moment: datetime, zone: ZoneInfo) -> Self:
        local = moment.astimezone(zone)
        return cls(local.year, local.month)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2026-11`; anything else is a `ValueError`."""
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
        return cls(first.year, first.month)

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    def following(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    def preceding(self) -> "Month":
        day = self.first_day - timedelta(days=1)
        return Month(day.year, day.month)

    def window(self, zone: ZoneInfo) -> Window:
        return Window(midnight(self.first_day, zone), midnight(self.following().first_day, zone))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a local day; where clocks skip midnight, when the day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def moment_of(text: str) -> datetime:
    """Read a moment as `isoformat` wrote it; one without a zone is refused."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment
