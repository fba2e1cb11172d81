"""What the native API's lists are asked with: names by commas, comparisons, times. Pure."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from waldur_slurm.errors import InvalidName
from waldur_slurm.gateway.errors import WrongAsk
from waldur_slurm.gateway.web.native.spelling import TIME
from waldur_slurm.model.batch import JobId, job_id

T = TypeVar("T")

MOST_PATTERNS, MOST_COMPARISONS = 20, 60
"""Of one question: each is tried with each of many thousand jobs. There are fewer comparisons."""

COMPARISONS = ("eq", "gt", "gte", "lt", "lte")
_PATTERN = frozenset("*?[")
_COMPARED = re.compile(rf"([a-z_]+)\[({'|'.join(COMPARISONS)})\]")


class Compared(NamedTuple):
    """`submit_time[gte]=2026-11-30T00:00:00Z`, in its parts."""

    name: str
    comparison: str
    text: str


def split_comparisons(
    pairs: Iterable[tuple[str, str]],
) -> tuple[dict[str, str], tuple[Compared, ...]]:
    """Part a query into plain parameters, repeated ones joined by commas, and comparisons."""
    plain: dict[str, str] = {}
    compared: list[Compared] = []
    for name, value in pairs:
        found = _COMPARED.fullmatch(name)
        if found:
            compared.append(Compared(found[1], found[2], value))
        else:
            plain[name] = f"{plain[name]},{value}" if name in plain else value
    _demand_few(compared, "comparisons", MOST_COMPARISONS)
    return plain, tuple(compared)


def names_in(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def patterns_among(names: Collection[str]) -> tuple[str, ...]:
    """Return those that stand for many names; more than a few are a `WrongAsk`."""
    found = tuple(sorted(name for name in names if not _PATTERN.isdisjoint(name)))
    _demand_few(found, "patterns", MOST_PATTERNS)
    return found


def _demand_few(found: Collection[object], what: str, most: int) -> None:
    if len(found) > most:
        raise WrongAsk(f"{len(found)} {what}; expected at most {most}")


def ids_in(text: str) -> frozenset[JobId]:
    return frozenset(read_id(name) for name in re.findall(r"[^,\[]+(?:\[[^\]]*\])?", text))


def read_id(text: str) -> JobId:
    try:
        return job_id(text)
    except InvalidName as error:
        raise WrongAsk(str(error)) from None


def read_time(text: str) -> datetime:
    """Read `2026-11-30T12:00:00Z`, a day, or seconds since 1970; without a zone it is UTC."""
    if not TIME.fullmatch(text):
        raise WrongAsk(
            f"{text!r}: expected a time such as 2026-11-30T12:00:00Z, or seconds since 1970"
        )
    if text.isdecimal():
        return datetime.fromtimestamp(int(text), UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def read_moment(written: str) -> datetime:
    """Read a time back that a cursor holds."""
    return datetime.fromisoformat(written)


def read_number(text: str) -> int:
    if re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        return int(text)
    raise WrongAsk(f"{text!r}: expected a whole number")


def read_compared(compared: Compared, readers: Mapping[str, Callable[[str], T]]) -> T:
    """Read the value of a comparison; only what `readers` name can be compared."""
    read = readers.get(compared.name)
    if read is None:
        known = ", ".join(sorted(readers))
        raise WrongAsk(f"{compared.name} cannot be compared; there is {known}")
    return read(compared.text)


def sort_of(text: str, sorts: Iterable[str]) -> tuple[str, bool]:
    """Return what to sort by, and whether downward."""
    name = text.removeprefix("-")
    if name not in sorts:
        known = ", ".join(sorts)
        raise WrongAsk(f"sort: expected one of {known}, with - before it for downward")
    return name, text.startswith("-")


def only_fields(view: Any, fields: frozenset[str]) -> Any:
    """Leave in what was asked for; nothing asked for is all."""
    if not fields:
        return view
    return {name: getattr(view, name) for name in view.__struct_fields__ if name in fields}


def demand_fields(fields: frozenset[str], of: type) -> None:
    """Refuse names that no such thing has."""
    known: tuple[str, ...] = of.__struct_fields__  # type: ignore[attr-defined]  # a msgspec Struct
    unknown = sorted(fields - set(known))
    if unknown:
        raise WrongAsk(f"fields: there is no {', '.join(unknown)}; there is {', '.join(known)}")
