"""Carry out a plan's steps in Slurm: stage by stage, many at once, each failure alone.

A batch that Slurm refuses is halved until the refused step stands alone. An answer that does not
come ends the work; what was done is found again at the next reading.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol, TypeVar

from waldur_slurm.agent.errors import WaldurError
from waldur_slurm.agent.model.marketplace import OfferingUuid, Resource
from waldur_slurm.agent.pull.vocabulary.failures import Failure, HomeNotMade, NotYet
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddAccount,
    AddUser,
    AdoptAccount,
    CancelJobs,
    DescribeAccount,
    HoldAccount,
    HoldUser,
    MakeHome,
    MoveAccount,
    ReleaseAccount,
    ReleaseUser,
    RemoveAccount,
    RemoveUser,
    ReportFinalUsage,
    SetDefaultAccount,
    SetLimits,
    SetQos,
    SlurmStep,
    Step,
    subject_of,
)
from waldur_slurm.agent.pull.world.marks import parse_mark
from waldur_slurm.errors import (
    AccountingDown,
    CommandFailed,
    InvalidName,
    SlurmError,
    TransportError,
    UnparsableOutput,
)
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.service.signals import Unbroken
from waldur_slurm.slurm.accounting.port import Accounting, Outcome

S = TypeVar("S", bound=SlurmStep)


class FinalUsage(Protocol):
    """Reports an allocation's last usage to Waldur."""

    def __call__(self, resource: Resource, account: AccountName) -> bool:
        """Return False while records of its jobs are still on their way."""
        ...


@dataclass(slots=True, kw_only=True)
class SlurmWriter:
    """Does in Slurm what the steps say. `done` hears of each step that changed something."""

    accounting: Accounting
    offering: OfferingUuid
    report_final_usage: FinalUsage
    done: Callable[[Step], None]
    is_stopping: Callable[[], bool]
    unbroken: Unbroken = nullcontext
    """Around each change and its note: a stop in between would lose the note."""
    failures: list[Failure] = field(default_factory=list)
    """What failed alone in the last `carry_out`, also where that raised."""

    def carry_out(self, steps: Sequence[SlurmStep]) -> list[Failure]:
        """Raise what means that Slurm is not answering; return what failed by itself."""
        failures = self.failures = []
        for stage, group in groupby(steps, key=_batch):
            lost = {subject_of(failure.step) for failure in failures}
            left = [step for step in group if subject_of(step) not in lost]
            if stage is Stage.LAST_PLACES_OUT:
                left, stuck = _without_stuck(left, failures)
                failures.extend(stuck)
            if stage is Stage.FINAL_USAGE:
                left, busy = self._without_busy(left)
                failures.extend(busy)
            by_kind: dict[type, list[SlurmStep]] = defaultdict(list)
            for step in left:
                by_kind[type(step)].append(step)
            for batch in by_kind.values():
                if self.is_stopping():
                    return failures
                failures.extend(self._carry_out(batch))
        return failures

    def _carry_out(self, batch: list[SlurmStep]) -> list[Failure]:
        first = batch[0]
        if isinstance(first, AddAccount):
            return self._change(_only(AddAccount, batch), self._add_accounts)
        if isinstance(first, AddUser):
            return self._change(_only(AddUser, batch), self._add_users)
        if isinstance(first, CancelJobs):
            return self._change(_only(CancelJobs, batch), self._cancel_jobs)
        if isinstance(first, RemoveUser):
            return self._remove_users(_only(RemoveUser, batch))
        if isinstance(first, RemoveAccount):
            return self._remove_accounts(_only(RemoveAccount, batch))
        if isinstance(first, ReportFinalUsage):  # what it tells is noted by itself
            return [failure for step in batch for failure in self._halving([step], self._one)]
        return [failure for step in batch for failure in self._change([step], self._one)]

    def _change(self, steps: list[S], act: Callable[[list[S]], Outcome]) -> list[Failure]:
        with self.unbroken():
            return self._halving(steps, act)

    def _halving(
        self, steps: list[S], act: Callable[[list[S]], Outcome], *, were_tried: bool = False
    ) -> list[Failure]:
        """Do them all at once; on a refusal find those that are refused, and do the others.

        Slurm may have done some of a batch that it refused: where steps `were_tried`, those found
        already so were done then.
        """
        try:
            outcome = act(steps)
        except (CommandFailed, HomeNotMade, InvalidName, NotYet, WaldurError) as error:
            if isinstance(error, AccountingDown):
                raise
            if len(steps) == 1:
                return [Failure(steps[0], error)]
            middle = len(steps) // 2
            halves = (steps[:middle], steps[middle:])
            return [
                failure for half in halves for failure in self._halving(half, act, were_tried=True)
            ]
        if were_tried or outcome is Outcome.CHANGED:
            for step in steps:
                self.done(step)
        return []

    def _add_accounts(self, steps: list[AddAccount]) -> Outcome:
        return self.accounting.add_accounts([step.new for step in steps])

    def _add_users(self, steps: list[AddUser]) -> Outcome:
        memberships: dict[AccountName, list[UserName]] = defaultdict(list)
        for step in steps:
            memberships[step.account].append(step.user)
        return self.accounting.add_users(memberships)

    def _cancel_jobs(self, steps: list[CancelJobs]) -> Outcome:
        return self.accounting.cancel_jobs([job for step in steps for job in step.jobs])

    def _remove_users(self, steps: list[RemoveUser]) -> list[Failure]:
        failures: list[Failure] = []
        for account, group in groupby(steps, key=lambda step: step.account):
            failures.extend(self._change(list(group), self._removing_from(account)))
        return failures

    def _removing_from(self, account: AccountName) -> Callable[[list[RemoveUser]], Outcome]:
        return lambda steps: self.accounting.remove_users(account, [step.user for step in steps])

    def _remove_accounts(self, steps: list[RemoveAccount]) -> list[Failure]:
        """Look at them alone right before: Slurm would drop whatever has come to be below them."""
        fresh = self.accounting.read_accounts([step.account for step in steps])
        safe: list[RemoveAccount] = []
        for step in steps:
            found = fresh.accounts.get(step.account)
            mark = parse_mark(found.description) if found else None
            is_ours = mark is not None and mark.offering == self.offering
            is_used = found is not None and found.associations
            if is_ours and not is_used and not fresh.children(step.account):
                safe.append(step)
        if not safe:
            return []
        return self._change(safe, self._drop_accounts)

    def _drop_accounts(self, steps: list[RemoveAccount]) -> Outcome:
        return self.accounting.remove_accounts([step.account for step in steps])

    def _without_busy(self, steps: list[SlurmStep]) -> tuple[list[SlurmStep], list[Failure]]:
        """Look at the queue once more: a job may have come in before the hold."""
        ending = [step for step in steps if isinstance(step, ReportFinalUsage)]
        try:
            jobs = self.accounting.read_queue([step.account for step in ending])
        except SlurmError as error:
            return [], [Failure(step, error) for step in ending]
        busy = {job.account for job in jobs}
        late = NotYet("the account has jobs in the queue, which have to end first")
        return (
            [step for step in ending if step.account not in busy],
            [Failure(step, late) for step in ending if step.account in busy],
        )

    def _one(self, steps: list[SlurmStep]) -> Outcome:  # noqa: C901 - one case a kind
        (step,) = steps
        slurm = self.accounting
        match step:
            case AdoptAccount() | DescribeAccount():
                return slurm.set_description(step.account, step.description)
            case MoveAccount():
                return slurm.set_parent(step.account, step.parent)
            case SetLimits():
                return slurm.set_limits(step.account, dict(step.limits))
            case HoldAccount():
                return slurm.set_account_hold(step.account, 0, 0)
            case ReleaseAccount(restored=held):
                return slurm.set_account_hold(step.account, held.grp_jobs, held.grp_submit_jobs)
            case HoldUser():
                return slurm.set_user_hold(step.account, step.user, 0)
            case ReleaseUser(restored=hold):
                return slurm.set_user_hold(step.account, step.user, hold.max_submit_jobs)
            case SetQos():
                return slurm.set_qos(step.account, step.qos.qos, step.qos.default_qos)
            case MakeHome():
                return self._make_home(step)
            case SetDefaultAccount():
                return slurm.set_default_account(step.user, step.account)
            case ReportFinalUsage():
                return self._report(step)
            case _:
                raise AssertionError(f"{type(step).__name__} is carried out in batches")

    def _make_home(self, step: MakeHome) -> Outcome:
        """A helper that is missing or hangs is no sign that Slurm does not answer."""
        try:
            return self.accounting.make_home(step.user)
        except TransportError as error:
            raise HomeNotMade(str(error)) from error

    def _report(self, step: ReportFinalUsage) -> Outcome:
        try:
            is_told = self.report_final_usage(step.resource, step.account)
        except UnparsableOutput as error:  # of this account alone: the other steps go on
            raise NotYet(str(error)) from error
        if not is_told:
            raise NotYet(f"records of {step.account}'s last jobs are still on their way")
        return Outcome.CHANGED


def _batch(step: SlurmStep) -> Stage:
    """Accounts of all levels go together, parents before their children."""
    return Stage.CUSTOMERS if isinstance(step, AddAccount) else step.stage


def _without_stuck(
    steps: list[SlurmStep], failures: Iterable[Failure]
) -> tuple[list[SlurmStep], list[Failure]]:
    """Whoever could not leave another account would be left there without a default one."""
    stuck = {failure.step.user for failure in failures if isinstance(failure.step, RemoveUser)}
    late = [step for step in steps if isinstance(step, RemoveUser) and step.user in stuck]
    why = NotYet("it is the user's default account, and another one could not be left")
    return [step for step in steps if step not in late], [Failure(step, why) for step in late]


def _only(kind: type[S], steps: Iterable[SlurmStep]) -> list[S]:
    return [step for step in steps if isinstance(step, kind)]
