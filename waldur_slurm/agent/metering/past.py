"""Keep the sums of days that are over, so that they are read once a day.

They are kept in `cache/`: without them the same days are read again, to the same result.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from waldur_slurm.agent.metering.sums import HOUR, Holder, Sums, from_epoch, to_epoch
from waldur_slurm.agent.model.usage import Basis, OpenPart
from waldur_slurm.errors import StateError
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Month, Window, midnight
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.port import Accounting
from waldur_slurm.state import Document, State, understood

FORMAT = 2


@dataclass(frozen=True, slots=True)
class Span:
    """A month up to now, in two parts: days that are over for good, and the two newest."""

    month: Month
    past: Window
    recent: Window

    @classmethod
    def of(cls, month: Month, zone: ZoneInfo, now: datetime) -> "Span":
        whole = month.window(zone).before(now)
        yesterday = midnight(now.astimezone(zone).date() - timedelta(days=1), zone)
        return cls(month, whole.before(yesterday), whole.since(yesterday))

    @property
    def whole(self) -> Window:
        return Window(self.past.start, self.recent.end)


class PastDays:
    """Sums of past days as of this day's first reading."""

    def __init__(
        self,
        accounting: Accounting,
        state: State,
        zone: ZoneInfo,
        basis: Basis,
        wanted: frozenset[TresName],
    ) -> None:
        self._accounting = accounting
        self._state = state
        self._zone = zone
        self._basis = basis
        self._wanted = wanted

    def recall(self, span: Span, now: datetime) -> Sums | None:
        """Return the sums of `span.past`, or None where they were not read today."""
        try:
            document = self._state.read(_name(span))
            if {key: document.get(key) for key in self._key(span, now)} != self._key(span, now):
                return None
            with understood(_name(span)):
                return Sums(
                    self._basis,
                    self._wanted,
                    _read_held(document),
                    _read_open(document),
                    dict(document["in_doubt"]),
                    next_part=document["next_hours"] * HOUR,
                )
        except StateError:
            return None

    def keep(self, span: Span, sums: Sums, now: datetime) -> None:
        tally: dict[str, dict[str, dict[TresName, int]]] = {}
        for (account, user), amounts in sums.held.items():
            tally.setdefault(account, {})[user] = amounts
        document = {
            **self._key(span, now),
            "tally": tally,
            "open": [_write_open(part) for part in sums.open_parts],
            "in_doubt": sums.in_doubt,
            "next_hours": sums.next_part // HOUR,
        }
        self._state.replace(_name(span), document)

    def _key(self, span: Span, now: datetime) -> Document:
        """What must be the same for kept sums to be today's answer."""
        return {
            "format": FORMAT,
            "cluster": self._accounting.cluster,
            "zone": self._zone.key,
            "read_on": str(now.astimezone(self._zone).date()),
            "from": to_epoch(span.past.start),
            "until": to_epoch(span.past.end),
            "basis": self._basis.value,
            "tres": sorted(self._wanted),
        }


def _name(span: Span) -> str:
    return f"cache/past-days/{span.month}"


def _read_held(document: Document) -> dict[Holder, dict[TresName, int]]:
    return {
        (AccountName(account), UserName(user)): {
            TresName(tres): int(seconds) for tres, seconds in amounts.items()
        }
        for account, users in document["tally"].items()
        for user, amounts in users.items()
    }


def _write_open(part: OpenPart) -> Document:
    return {
        "id": part.run.id,
        "submitted": to_epoch(part.run.submitted),
        "account": part.account,
        "user": part.user,
        "start": to_epoch(part.held.start),
        "end": to_epoch(part.held.end),
        "seconds": part.seconds,
        "amounts": dict(part.amounts),
        "is_suspended": part.is_suspended,
    }


def _read_open(document: Document) -> list[OpenPart]:
    return [
        OpenPart(
            Run(part["id"], from_epoch(part["submitted"])),
            AccountName(part["account"]),
            UserName(part["user"]),
            Window(from_epoch(part["start"]), from_epoch(part["end"])),
            part["seconds"],
            part["amounts"],
            part["is_suspended"],
        )
        for part in document["open"]
    ]
