"""How the native API's parameters are spelled, as its document says it to programs. Pure.

A pattern says what is taken for certain; what no pattern can say is said in words beside it.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta

Schema = dict[str, Any]

_YEAR = "(19(7[1-9]|[89][0-9])|20[0-9]{2})"
_LEAP_YEAR = "(19(7[26]|8[048]|9[26])|20([02468][048]|[13579][26]))"
_DAY = (
    f"({_YEAR}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)"
    f"|(0[13578]|1[02])-31)|{_LEAP_YEAR}-02-29)"
)
_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = rf"({_DAY}(T{_CLOCK}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{_CLOCK})?)?|[1-9][0-9]{{7,9}})"

TIME = re.compile(_TIME)
"""2026-11-30T12:00:00Z, a day, or seconds since 1970; from 1971 to 2099, as Slurm's own clocks."""

MOST_NUMBER = 10**18 - 1

# A number has 32 bits; patterns count in tens, and this one stops a little below.
_PLACE = "(0|[1-9][0-9]{0,8})"
_NUMBER = "([1-9][0-9]{0,8}|[1-3][0-9]{9}|4[01][0-9]{8}|42[0-8][0-9]{7})"
_ONE = rf"{_NUMBER}(_{_PLACE}|\+{_PLACE})?"
_JOB = rf"{_NUMBER}(_{_PLACE}|\+{_PLACE}|_\[[0-9,:-]+(%{_PLACE})?\])?"


def _whole(pattern: str) -> Schema:
    return {"pattern": f"^{pattern}$"}


def _said(says: str, pattern: str) -> Meta:
    """Say how it is spelled; the reader refuses the rest, in words that are for people."""
    return Meta(description=says, extra_json_schema=_whole(pattern))


def _several(pattern: str) -> str:
    return f"({pattern}(,{pattern})*)?"


Since = Annotated[
    str,
    _said(
        "such as `2026-11-30T12:00:00Z`, `2026-11-30`, or seconds since 1970; a time before the"
        " end that is asked for",
        f"({_TIME})?",
    ),
]
Until = Annotated[
    str,
    _said(
        "as the beginning is written; now where it is left out, and of history at the latest",
        f"({_TIME})?",
    ),
]
QuotedTime = Annotated[
    str,
    _said(
        'when the job was submitted, such as `"2026-11-30T12:00:00Z"`, in quotes; another job of'
        " this number is left alone",
        f'"{_TIME}"',
    ),
]
OneJob = Annotated[
    str,
    _said("`12`, `12_3`, `12+0`, or tasks that wait together as the lists name them", _ONE),
]
JobIds = Annotated[
    str,
    _said(
        "by commas: `12`, a task `12_3`, a component `12+0`, or tasks that wait together as the"
        " lists name them, `12_[1,4-9:2]`",
        _several(_JOB),
    ),
]
Users = Annotated[str, _said("by commas", _several("[a-z0-9_][a-z0-9_.@-]{0,41}"))]
Accounts = Annotated[str, _said("by commas", _several("[a-z0-9_][a-z0-9_.-]{0,127}"))]
JOB_ID: Schema = {"type": "string", **_whole(_ONE)}
Cursor = Annotated[
    str,
    Meta(description="`next` of the page before, to whoever was given it and asks for the same"),
]


def one_of(names: Iterable[str]) -> Meta:
    return Meta(extra_json_schema={"enum": list(names)})


def some_of(names: Iterable[str], says: str, least: int = 0) -> Meta:
    """Spell names out of a closed list, separated by commas."""
    name = f"({'|'.join(names)})"
    return _said(
        f"some of them, by commas; {says}", f"{name}(,{name})*" if least else _several(name)
    )


def compared_schema(kind: type) -> Schema:
    """Say what a thing of that kind is compared with."""
    if kind is int:
        return {"type": "integer", "minimum": -MOST_NUMBER, "maximum": MOST_NUMBER}
    return {"type": "string", **(_whole(_TIME) if kind is datetime else {})}
