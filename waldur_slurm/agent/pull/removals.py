"""What steps take away, by kind, and what was taken away within the last day. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from waldur_slurm.agent.pull.limits import lowers
from waldur_slurm.agent.pull.steps import (
    CancelJobs,
    HoldAccount,
    HoldUser,
    RemoveAccount,
    RemoveUser,
    SetDefaultAccount,
    SetLimits,
    SetQos,
    Step,
    TellNoAssociation,
)
from waldur_slurm.model.period import moment_of

REMEMBERED_FOR = timedelta(hours=24)
"""How long what was taken away counts against what is allowed."""


class BrakeKind(StrEnum):
    PEOPLE = "people"
    ACCOUNTS = "accounts"
    HOLDS = "holds"
    LIMITS = "limits"
    TERMINATIONS = "terminations"


Taken = Mapping[BrakeKind, Mapping[str, datetime]]
"""Names of what was taken away, each with the moment."""


def brake_kind(step: Step, terminating: frozenset[str]) -> BrakeKind | None:
    """Which brake a step counts for; what belongs to it is cut with it."""
    if step.order in terminating:
        return BrakeKind.TERMINATIONS
    match step:
        case RemoveUser() | HoldUser() | CancelJobs() | SetDefaultAccount() | TellNoAssociation():
            return BrakeKind.PEOPLE
        case RemoveAccount():
            return BrakeKind.ACCOUNTS
        case HoldAccount():
            return BrakeKind.HOLDS
        case SetQos(is_downscaled=True):
            return BrakeKind.HOLDS
        case SetLimits() if lowers(step.limits, step.before):
            return BrakeKind.LIMITS
        case _:
            return None


def taken_by(
    steps: Iterable[Step], terminating: frozenset[str]
) -> defaultdict[BrakeKind, set[str]]:
    taken: defaultdict[BrakeKind, set[str]] = defaultdict(set)
    for step in steps:
        kind = brake_kind(step, terminating)
        counted = _counted(step, kind) if kind else None
        if kind is not None and counted is not None:
            taken[kind].add(counted)
    return taken


def _counted(step: Step, kind: BrakeKind) -> str | None:
    """Things of one kind that are taken away; a person whose jobs go counts once."""
    match step:
        case SetDefaultAccount() | TellNoAssociation() if kind is BrakeKind.PEOPLE:
            return None
        case RemoveUser() | HoldUser() | CancelJobs() if kind is BrakeKind.PEOPLE:
            return f"{step.account}/{step.user}"
        case _ if kind is BrakeKind.TERMINATIONS:
            return step.order
        case RemoveAccount() | HoldAccount() | SetQos() | SetLimits():
            return step.account
        case _:
            return None


def still_counting(taken: Taken, now: datetime) -> dict[BrakeKind, dict[str, datetime]]:
    """What counts now; a moment far in the future was told by a clock that was wrong."""
    fresh = {
        kind: {name: at for name, at in names.items() if abs(now - at) < REMEMBERED_FOR}
        for kind, names in taken.items()
    }
    return {kind: names for kind, names in fresh.items() if names}


def remember_taken(
    taken: Taken, steps: Iterable[Step], terminating: frozenset[str], now: datetime
) -> dict[BrakeKind, dict[str, datetime]]:
    """Add what the steps take away and forget what no longer counts; orders count by the cycle."""
    remembered = still_counting(taken, now)
    for kind, names in taken_by(steps, terminating).items():
        if kind is not BrakeKind.TERMINATIONS:
            remembered.setdefault(kind, {}).update(dict.fromkeys(names, now))
    return remembered


def to_document(taken: Taken) -> dict[str, dict[str, str]]:
    return {
        kind: {name: at.isoformat() for name, at in names.items()} for kind, names in taken.items()
    }


def from_document(document: Mapping[str, Mapping[str, str]]) -> Taken:
    return {
        BrakeKind(kind): {name: moment_of(at) for name, at in names.items()}
        for kind, names in document.items()
    }
