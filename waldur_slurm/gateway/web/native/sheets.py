"""A job as a client asks for it: what the request says, as the sheet that sbatch is given. Pure.

Options have sbatch's long names, with - or _ between; which there are, and what they may hold, is
the hand's table. A command and its arguments become a script word by word, never as one text.
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from waldur_slurm.gateway.errors import Refused, TooLarge, WrongAsk
from waldur_slurm.gateway.submits.marks import MOST_MARK, OWN, PATTERN, is_mark
from waldur_slurm.hand.requests import MOST_SCRIPT, MOST_VARIABLES
from waldur_slurm.model.batch import BatchSheet, Refusal

Told = str | int | float | bool | None
"""null and true stand for an option without a value, false for one that is not given."""

_MARK = msgspec.Meta(
    max_length=MOST_MARK, extra_json_schema={"pattern": f"^(?!{OWN})({PATTERN})?$"}
)


class JobAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either a `script`, or a `command` with its `args`.

    With `environment` the job has those variables alone, else those of a login of its user. `user`
    is by default who asks, or the only one for whom he may. `mark` becomes the job's whole comment.
    """

    script: str = ""
    command: str = ""
    args: tuple[str, ...] = ()
    options: dict[str, Told] = {}
    environment: dict[str, str] | None = None
    user: str = ""
    mark: Annotated[str, _MARK] = ""
    dry_run: bool = False


def sheet_of(asked: JobAsked) -> BatchSheet:
    script = script_of(asked)
    if len(script.encode()) > MOST_SCRIPT:
        raise TooLarge(f"the script is larger than {MOST_SCRIPT} bytes")
    if asked.environment and _size_of(asked.environment) > MOST_VARIABLES:
        raise TooLarge(f"the environment is larger than {MOST_VARIABLES} bytes")
    options = options_of(asked.options)
    _check_mark(asked.mark, options)
    return BatchSheet(script, options, asked.environment)


def script_of(asked: JobAsked) -> str:
    if bool(asked.script) == bool(asked.command):
        raise WrongAsk("expected either a `script` or a `command`")
    if asked.script and asked.args:
        raise WrongAsk("`args` go with a `command`; a script has its own")
    if asked.script:
        return asked.script
    return f"#!/bin/sh\nexec {shlex.join((asked.command, *asked.args))}\n"


def options_of(told: Mapping[str, Told]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, value in _given(told):
        if name in found:
            raise Refused(f"--{name} is given twice", Refusal.OPTION.value)
        found[name] = value
    if "clusters" in found:
        words = "--clusters is not for a job to say: the address of the request says it"
        raise Refused(words, Refusal.OPTION.value)
    return found


def _given(told: Mapping[str, Told]) -> Iterator[tuple[str, str | None]]:
    for name, value in told.items():
        written = name.replace("_", "-")
        if value is None or value is True:
            yield written, None
        elif value is not False:
            yield written, str(value)


def _size_of(variables: Mapping[str, str]) -> int:
    return sum(len(f"{name}={value}\0".encode()) for name, value in variables.items())


def _check_mark(mark: str, options: Mapping[str, str | None]) -> None:
    if not mark:
        return
    if not is_mark(mark) or mark.startswith(OWN):
        raise WrongAsk(
            f"mark: 1 to {MOST_MARK} letters, digits and _.:/@+=,~- are expected, not beginning"
            f" with {OWN}"
        )
    if "comment" in options:
        raise Refused("a mark is the job's comment: leave out --comment", Refusal.OPTION.value)
