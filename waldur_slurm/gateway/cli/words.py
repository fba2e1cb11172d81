"""How the command line writes times, sizes and shares. Pure.

Times are local, as Slurm's own commands write them; JSON and CSV have them in UTC.
"""

from datetime import datetime

NOTHING = "-"


def span(seconds: int | None) -> str:
    """Write a time as Slurm does, `1-02:03:04`."""
    if seconds is None:
        return NOTHING
    minutes, second = divmod(max(seconds, 0), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    clock = f"{hour:02}:{minute:02}:{second:02}"
    return f"{days}-{clock}" if days else clock


def moment(time: datetime | None) -> str:
    return NOTHING if time is None else time.astimezone().strftime("%Y-%m-%dT%H:%M:%S")


def size(amount: float | None) -> str:
    """Write bytes in the unit that leaves one to four digits."""
    if amount is None:
        return NOTHING
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def memory(mebibytes: int | None) -> str:
    return size(None if mebibytes is None else mebibytes * 1024 * 1024)


def share(part: float | None) -> str:
    return NOTHING if part is None else f"{part:.0%}"


def part_of(part: int, whole: int) -> str:
    return f"{part}/{whole}"


def counted(number: int, one: str) -> str:
    return f"{number} {one if number == 1 else one + 's'}"
