"""Single values as the second original's clients read them. Pure.

Times are seconds since the epoch, 0 where there is none; spelled out they are in the server's own
zone. A limit that there is not is a word.
"""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from waldur_slurm.errors import InvalidName
from waldur_slurm.model.hosts import expand_hosts
from waldur_slurm.model.tres import Tres

UNLIMITED = "UNLIMITED"
NO_LIMIT = 2**32 - 1
"""What Slurm's database holds where there is no limit."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_NOTHING = frozenset({"", "(null)", "N/A", "n/a", "n/s", "None", "NONE"})

Zone = tzinfo | None
"""None is the zone of the server itself."""


def epoch(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp())


def spelled(moment: datetime | None, zone: Zone = None) -> str:
    """Write `Thu Apr  5 11:02:33 2018`, in English whatever the server speaks."""
    return "" if moment is None else moment.astimezone(zone).ctime()


def iso(moment: datetime | None, zone: Zone = None) -> str:
    if moment is None:
        return "Unknown"
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")


def limit_in_words(minutes: int) -> str:
    """Write a time limit as the history has it: `1d:2h:30m`."""
    days, rest = divmod(minutes, 24 * 60)
    return f"{days}d:{rest // 60}h:{rest % 60}m"


def clock(seconds: int) -> str:
    """Write `1-02:03:04`, and nothing at all as `00:00:00`."""
    if not seconds:
        return "00:00:00"
    days, rest = divmod(seconds, _DAY)
    return f"{days}-{rest // _HOUR:02}:{rest % _HOUR // _MINUTE:02}:{rest % _MINUTE:02}"


def word(text: str) -> str | None:
    return None if text in _NOTHING else text


def number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


def number_or_word(text: str) -> int | str | None:
    """Read a number where it is one, else the word that stands for it."""
    found = number(text)
    return word(text) if found is None else found


def parts(text: str) -> Sequence[str]:
    return [] if text in _NOTHING else text.split(",")


def hosts_in_full(text: str) -> Sequence[str]:
    """Name each; what is no list of hosts is left as it is."""
    try:
        return expand_hosts(text)
    except InvalidName:
        return [text]


def tres_in_words(tres: Tres) -> str | None:
    """Write what Slurm would: `cpu=4,mem=4000M,node=2,billing=4`."""
    amounts = (
        f"{name}={memory_in_words(amount) if name == 'mem' else amount}"
        for name, amount in tres.items()
    )
    return ",".join(amounts) or None


def memory_in_words(mib: int) -> str:
    """Take the next unit as long as halves of it come out even: `1G`, `62.50G`, but `4000M`."""
    amount, unit = float(mib), 0
    while amount >= 1024 and amount % 512 == 0:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.0f}{'MGTPE'[unit]}" if amount.is_integer() else f"{amount:.2f}{'MGTPE'[unit]}"
