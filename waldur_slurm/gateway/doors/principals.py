"""Who asks: known by what he showed, with what he may do. Pure.

A principal says what somebody may do, never whom he says he is: acting as a user needs that user
among those whom the principal may act for.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.model.names import UserName

_USER = re.compile(r"[a-z_][a-z0-9_.-]{0,31}\$?", re.ASCII)
"""What a user may be called here: nothing that Slurm or a shell could take for something else."""


class Kind(StrEnum):
    NOBODY = "nobody"
    NETWORK = "network"
    PEER = "peer"
    TOKEN = "token"  # noqa: S105 - a word, no secret
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class RunAs:
    """For whom somebody may act: himself, those named, members of groups, or anybody at all."""

    users: frozenset[UserName] = frozenset()
    groups: frozenset[str] = frozenset()
    anybody: bool = False

    def takes(self, user: UserName, groups_of_user: Collection[str] = ()) -> bool:
        return self.anybody or user in self.users or not self.groups.isdisjoint(groups_of_user)

    def __str__(self) -> str:
        if self.anybody:
            return "any"
        return ",".join([*sorted(self.users), *(f"@{group}" for group in sorted(self.groups))])


FOR_NOBODY = RunAs()


@dataclass(frozen=True, slots=True)
class OneJob:
    """The one job that somebody may look at: numbers come again, so it is not a number alone."""

    cluster: str
    number: int
    submitted: datetime
    """To the second, as Slurm has it."""

    def __str__(self) -> str:
        return f"{self.number} of {self.cluster}"


@dataclass(frozen=True, slots=True)
class Principal:
    """`user` is the Unix user that he himself is, where that is proven."""

    kind: Kind
    name: str
    scopes: frozenset[Scope] = frozenset()
    user: UserName | None = None
    run_as: RunAs = FOR_NOBODY
    expires: datetime | None = None
    app: str = ""
    """The id of the app whose token was shown."""
    job: OneJob | None = None
    """Where it is not None nothing is his but this job's output, its files and what it is."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)

    @property
    def sees_all(self) -> bool:
        return Scope.JOBS_READ_ALL in self.scopes

    @property
    def sees_only(self) -> frozenset[UserName] | None:
        """Whose jobs he sees; None: everybody's."""
        return None if self.sees_all else self.own_users

    @property
    def visibility(self) -> str:
        """What two who see the same have in common."""
        if self.sees_all:
            return "all"
        return "own:" + ",".join(sorted(self.own_users))

    @property
    def himself(self) -> UserName | None:
        """Whom he acts as where he names nobody: himself, or the only one for whom he may."""
        if self.user is not None or self.run_as.groups or self.run_as.anybody:
            return self.user
        return next(iter(self.run_as.users)) if len(self.run_as.users) == 1 else None

    @property
    def own_users(self) -> frozenset[UserName]:
        """Whose jobs are his own: himself and those named whom he may act for."""
        himself = frozenset() if self.user is None else frozenset({self.user})
        return himself | self.run_as.users


NOBODY = Principal(kind=Kind.NOBODY, name="")


def run_as(text: str) -> RunAs:
    """Read `ann,bob,@physics` or `any`; `self` adds nobody. Words of an error follow "expected"."""
    users, groups, anybody = set(), set(), False
    for item in filter(None, re.split(r"[,\s]+", text)):
        if item == "any":
            anybody = True
        elif item.startswith("@") and _USER.fullmatch(item[1:]):
            groups.add(item[1:])
        elif item != "self" and _USER.fullmatch(item):
            users.add(UserName(item))
        elif item != "self":
            raise ValueError("user names, @groups, `self` or `any`, separated by commas")
    return RunAs(frozenset(users), frozenset(groups), anybody)


def is_user(text: str) -> bool:
    """Whether it may be a user's name at all; a number, which Slurm takes for a uid, is none."""
    return _USER.fullmatch(text) is not None
