"""The names that tasks may have, each with defaults for those that have it. Pure.

What a task says counts before what its name says; nothing of a task ever becomes a name's.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from waldur_slurm.gateway.tasks.notice import Notice, notice_of
from waldur_slurm.gateway.tasks.task import TaskNotification

MOST_NAMES = 1000
EXPECTED = "expected `tasks:` with a name below it for each, and below each cmd, params and so on"


class Canned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The defaults of a name. Whoever says `cmd` himself says the whole command."""

    cmd: str = ""
    params: tuple[str, ...] = ()
    environment: str | tuple[str, ...] | dict[str, str] | None = None
    notification: TaskNotification = TaskNotification()

    @property
    def notice(self) -> Notice:
        return notice_of(self.notification)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tasks: dict[str, Canned | None]


Names = Mapping[str, Canned]


def parse_names(text: str) -> Names:
    """Read a file of names; raises `ValueError` that says what is wrong with it, and where."""
    told = _loaded(text)
    try:
        found = msgspec.convert(told, _File, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(f"{error}; {EXPECTED}") from None
    if len(found.tasks) > MOST_NAMES:
        raise ValueError(f"there are {len(found.tasks)} of them, and {MOST_NAMES} are the most")
    names = {name: canned or Canned() for name, canned in found.tasks.items()}
    for name, canned in names.items():
        try:
            _ = canned.notice
        except ValueError as error:
            raise ValueError(f"tasks.{name}.notification: {error}") from None
    return names


def _loaded(text: str) -> Any:
    """A file makes values, never objects; a mistake shows no line of it."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark else ""
        raise ValueError(f"{where}not YAML") from None
