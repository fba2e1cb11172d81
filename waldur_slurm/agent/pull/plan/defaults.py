"""Default accounts: moved before their users leave them, or left last. Pure.

Older Slurm leaves a user without a default account, newer refuses to; so the default moves first,
and where there is nowhere to move it to, it goes last. Where somebody stays is known only when it
is known which removals are done, so this follows the brake.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from waldur_slurm.agent.pull.desired.desired import Desired
from waldur_slurm.agent.pull.plan.departures import leaving
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddUser,
    RemoveUser,
    SetDefaultAccount,
    Step,
    sort_key,
)
from waldur_slurm.agent.pull.world.world import Answers
from waldur_slurm.model.names import ROOT, AccountName, UserName

Place = tuple[UserName, AccountName]


def with_defaults(desired: Desired, answers: Answers, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that are really done, and the moves of default accounts that they need."""
    if not answers.default_accounts:
        return tuple(steps)
    moves = _Moves(desired, answers, steps)
    settled = [each for step in steps for each in moves.before(step)]
    return tuple(sorted(settled, key=sort_key))


class _Moves:
    """Where everybody who loses a default account is when the steps are done."""

    def __init__(self, desired: Desired, answers: Answers, steps: Sequence[Step]) -> None:
        self._defaults = answers.default_accounts
        self._last_choices = (ROOT, desired.world.policy.default_account)
        self._managed = {allocation.account for allocation in desired.allocations}
        self._leaving = {(user, account) for account, user in leaving(desired)}
        removed = {(s.user, s.account) for s in steps if isinstance(s, RemoveUser)}
        added = {(s.user, s.account) for s in steps if isinstance(s, AddUser)}
        self._whole = (self._found(desired, in_partitions=False) | added) - removed
        self._places: defaultdict[UserName, set[AccountName]] = defaultdict(set)
        for user, account in self._whole | self._found(desired, in_partitions=True):
            self._places[user].add(account)

    def before(self, step: Step) -> Iterator[Step]:
        """The step, after what it needs."""
        if not isinstance(step, RemoveUser) or self._defaults.get(step.user) != step.account:
            yield step
        elif places := self._places[step.user] - {step.account}:
            target = min(places, key=lambda place: self._preference((step.user, place)))
            yield SetDefaultAccount(
                user=step.user, account=target, leaving=step.account, order=step.order
            )
            yield step
        else:
            yield replace(step, stage=Stage.LAST_PLACES_OUT)

    def _found(self, desired: Desired, *, in_partitions: bool) -> set[Place]:
        """Who is where, in the whole cluster or in single partitions."""
        return {
            (each.user, account.name)
            for account in desired.world.snapshot.accounts.values()
            for each in account.associations
            if bool(each.partition) is in_partitions
            and each.user in self._defaults  # others need no place
        }

    def _preference(self, place: Place) -> tuple[bool, bool, bool, bool, AccountName]:
        _, name = place
        is_last, is_unmanaged = name in self._last_choices, name not in self._managed
        return place not in self._whole, place in self._leaving, is_last, is_unmanaged, name
