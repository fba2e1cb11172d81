"""What steps take away, by kind, and how that is remembered. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from waldur_slurm.agent.pull.vocabulary.limits import lowers
from waldur_slurm.agent.pull.vocabulary.steps import (
    CancelJobs,
    HoldAccount,
    HoldUser,
    RemoveAccount,
    RemoveUser,
    SetLimits,
    SetQos,
    Step,
    TellNoAssociation,
)
from waldur_slurm.agent.pull.world.taken import BrakeKind, Taken, still_counting


def brake_kind(step: Step, terminating: frozenset[str]) -> BrakeKind | None:
    """Which brake a step counts for; what belongs to it is cut with it."""
    if step.order in terminating:
        return BrakeKind.TERMINATIONS
    match step:
        case RemoveUser() | HoldUser() | CancelJobs() | TellNoAssociation():
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
        case TellNoAssociation() if kind is BrakeKind.PEOPLE:
            return None
        case RemoveUser() | HoldUser() | CancelJobs() if kind is BrakeKind.PEOPLE:
            return f"{step.account}/{step.user}"
        case _ if kind is BrakeKind.TERMINATIONS:
            return step.order
        case RemoveAccount() | HoldAccount() | SetQos() | SetLimits():
            return step.account
        case _:
            return None


def remember_taken(
    taken: Taken, steps: Iterable[Step], terminating: frozenset[str], now: datetime
) -> dict[BrakeKind, dict[str, datetime]]:
    """Add what the steps take away and forget what no longer counts; orders count by the cycle."""
    remembered = still_counting(taken, now)
    for kind, names in taken_by(steps, terminating).items():
        if kind is not BrakeKind.TERMINATIONS:
            remembered.setdefault(kind, {}).update(dict.fromkeys(names, now))
    return remembered
