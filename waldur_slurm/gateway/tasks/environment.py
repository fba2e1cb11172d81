"""The variables that a task asks for, in each of the ways to write them. Pure."""

import re
from collections.abc import Iterable, Mapping

from waldur_slurm.gateway.errors import TooLarge, WrongAsk
from waldur_slurm.hand.requests import MOST_VARIABLES

USUAL = "PATH=/bin/:/usr/bin/:/sbin/"

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_BETWEEN = re.compile(rf",(?={_NAME}=)", re.ASCII)
"""A comma is a value's own unless a variable follows it."""

_ONE = re.compile(rf"({_NAME})=([^\x00]*)", re.ASCII | re.DOTALL)


def variables_of(told: str | Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """Read `"A=1,B=2"`, a list of `"A=1"`, or a map; raises `WrongAsk`."""
    if isinstance(told, str):
        written: Iterable[str] = _BETWEEN.split(told) if told else ()
    elif isinstance(told, Mapping):
        written = (f"{name}={value}" for name, value in told.items())
    else:
        written = told
    found: dict[str, str] = {}
    for each in written:
        name, value = _variable(each)
        if name in found:
            raise WrongAsk(f"task.slurm.environment: {name} is there twice")
        found[name] = value
    if sum(len(f"{name}={value}\0".encode()) for name, value in found.items()) > MOST_VARIABLES:
        raise TooLarge(f"the environment is larger than {MOST_VARIABLES} bytes")
    return found


def _variable(text: str) -> tuple[str, str]:
    match = _ONE.fullmatch(text)
    if match is None:
        raise WrongAsk(
            f"task.slurm.environment: {text[:80]!r} is no NAME=value; a name has letters of ASCII,"
            " digits and _"
        )
    return match[1], match[2]
