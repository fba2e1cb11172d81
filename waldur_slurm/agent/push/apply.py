"""Tell Waldur what the plan says, one resource's trouble apart from another's.

After a step has failed, the later steps of its resource wait: none is called erred whose usage is
still to be sent. When Waldur is out of reach several times in a row, the rest waits too.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import assert_never

from waldur_slurm.agent.errors import (
    UnexpectedPayload,
    WaldurError,
    WaldurRejected,
    WaldurUnreachable,
)
from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import HeldUsage, ResourceState, ResourceUuid
from waldur_slurm.agent.push.plan.steps import (
    Step,
    TellAssociation,
    TellErred,
    TellLimits,
    TellMemberships,
    TellOk,
    TellUsage,
    TellUserUsages,
)
from waldur_slurm.agent.push.plan.untaken import differ
from waldur_slurm.agent.push.plan.world import Ledger, by_usage, split_of
from waldur_slurm.agent.report import findings
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.model.period import Month
from waldur_slurm.service.signals import Unbroken

MOST_SILENCES = 3

DECLINES = frozenset({400, 403})
"""How Waldur says that it does not take an amount, by its rules for closed months."""

_NOT_READ = (
    "this Waldur lets the token's user report usage and not read it;"
    " use the token of an owner of the service provider"
)


Failure = findings.Failure[Step]
"""One step of push's that was not carried out."""


@dataclass(kw_only=True)
class WaldurWriter:
    """Does what the steps say. `done` hears of each step that changed something in Waldur.

    `may_book` is asked right before usage is sent: whether it may go without a date.
    """

    marketplace: Marketplace
    ledger: Ledger
    done: Callable[[Step], None]
    may_book: Callable[[Month], bool]
    is_stopping: Callable[[], bool] = lambda: False
    unbroken: Unbroken = nullcontext
    keep: Callable[[Ledger], None] = lambda ledger: None  # noqa: ARG005 - nobody keeps it
    """Told of what must be known even if the next request is the last thing that happens."""
    failures: list[Failure] = field(default_factory=list)
    postponed: set[ResourceUuid] = field(default_factory=set)
    """Whose usage was not sent, because the edge of a month had come near meanwhile."""
    _held: dict[Month, dict[tuple[ResourceUuid, ComponentType], HeldUsage]] = field(
        default_factory=dict
    )

    def carry_out(self, steps: Sequence[Step]) -> None:
        waiting: set[ResourceUuid] = set()
        silences = 0
        for step in steps:
            if self.is_stopping() or silences >= MOST_SILENCES:
                return
            if step.resource.uuid in waiting | self.postponed:
                continue
            try:
                with self.unbroken():
                    if self._tell(step):
                        self.done(step)
            except WaldurError as error:
                self.failures.append(Failure(step, error))
                waiting.add(step.resource.uuid)
                silences = silences + 1 if isinstance(error, WaldurUnreachable) else 0
                continue
            silences = 0

    def _tell(self, step: Step) -> bool:
        match step:
            case TellUsage():
                return self._tell_usage(step)
            case TellUserUsages():
                return self._tell_users(step)
            case TellLimits():
                return self._tell_limits(step)
            case TellAssociation():
                waldur = self.marketplace
                tell = waldur.tell_association if step.is_there else waldur.tell_no_association
                tell(step.resource, step.username)
            case TellMemberships():
                self._tell_members(step)
            case TellErred():
                return self._tell_erred(step)
            case TellOk():
                self._tell_ok(step)
            case _:
                assert_never(step)
        return True

    def _tell_usage(self, step: TellUsage) -> bool:
        """A date goes along only where the amount might be booked to another month without it.

        Managers of an offering may report usage, and may send no date with it.
        """
        is_running = self.may_book(step.month)
        if step.on is None and not is_running:
            self.postponed.add(step.resource.uuid)
            return False
        amounts, on = {**step.beside, **step.amounts}, None if is_running else step.on
        try:
            self.marketplace.tell_usage(step.resource, amounts, on=on)
        except WaldurRejected as error:
            if not step.is_tried or error.status not in DECLINES:
                raise
            self._decline(step, step.amounts)
            return False
        if step.split:
            self._decline(step, self._not_totalled(step))
        return True

    def _not_totalled(self, step: TellUsage) -> Collection[ComponentType]:
        """Components whose rows in Waldur do not add up to the total that it was told."""
        held = by_usage(self.marketplace.read_usages(step.month))
        uuid, told = step.resource.uuid, step.amounts
        return [kind for kind in sorted(step.split) if held.get((uuid, kind)) != told[kind]]

    def _decline(self, step: TellUsage, components: Collection[ComponentType]) -> None:
        declined = {month: dict(held) for month, held in self.ledger.declined.items()}
        for component in components:
            held = declined.setdefault(step.month, {})
            held[step.resource.uuid, component] = step.amounts[component]
        self.ledger = replace(self.ledger, declined=declined)

    def _tell_users(self, step: TellUserUsages) -> bool:
        """Usage by person belongs to a total, whose uuid only a new reading tells.

        A reading without that total fails the step: the resource would be called erred next, and
        Waldur would take no more usage of it.
        """
        if (step.resource.uuid, step.component) in self.ledger.declined.get(step.month, {}):
            return False
        rows = self._rows_of(step.month)
        usage = rows.get((step.resource.uuid, step.component))
        if usage is None:
            told = f"{step.component} of {step.month} of {step.resource.uuid}"
            if not rows and not self._is_owners:
                said = f"no usage, though it has taken {told}: {_NOT_READ}"
                raise WaldurRejected("the list of usages", 200, said)
            del self._held[step.month]
            raise WaldurUnreachable(f"Waldur does not list the usage that it has taken: {told}")
        refused = self.marketplace.tell_user_usages(usage, step.amounts)
        strangers = {(step.month, step.resource.uuid, name) for name in refused}
        self.ledger = replace(self.ledger, strangers=self.ledger.strangers | strangers)
        return len(refused) < len(step.amounts)

    def _rows_of(self, month: Month) -> Mapping[tuple[ResourceUuid, ComponentType], HeldUsage]:
        if month not in self._held:
            held = self.marketplace.read_usages(month)
            split = split_of(held)
            rows = {(each.resource, each.component): each for each in held}
            self._held[month] = {key: row for key, row in rows.items() if key not in split}
        return self._held[month]

    @cached_property
    def _is_owners(self) -> bool:
        """Whether the token reads all usage that it reports; asked where that explains silence."""
        return self.marketplace.read_rights().are_owners

    def _tell_members(self, step: TellMemberships) -> None:
        self.marketplace.tell_memberships(step.resource, step.usernames)
        members = {**self.ledger.members, step.resource.uuid: step.usernames}
        self.ledger = replace(self.ledger, members=members)

    def _tell_limits(self, step: TellLimits) -> bool:
        """Skip it where a customer has ordered since the reading: telling replaces all limits.

        Waldur may keep its own, or clamp ours, without a word; so they are read back, once.
        """
        now = self.marketplace.read_resource(step.resource.uuid)
        if now.has_order_in_flight or now.limits != step.resource.limits:
            return False
        self.marketplace.tell_limits(step.resource, step.limits)
        held = self.marketplace.read_resource(step.resource.uuid).limits
        untaken = {step.resource.uuid: step.limits} if differ(step.limits, held) else {}
        self.ledger = replace(self.ledger, untaken={**self.ledger.untaken, **untaken})
        return held != now.limits

    def _tell_erred(self, step: TellErred) -> bool:
        """Noted first: what push does not remember to have called erred, it never calls OK."""
        uuid = step.resource.uuid
        self.ledger = replace(self.ledger, erred=self.ledger.erred | {uuid})
        self.keep(self.ledger)
        try:
            self.marketplace.tell_resource_erred(step.resource, step.message)
        except WaldurRejected:
            unerrable = self.ledger.unerrable | {uuid}
            self.ledger = replace(
                self.ledger, erred=self.ledger.erred - {uuid}, unerrable=unerrable
            )
            raise
        return True

    def _tell_ok(self, step: TellOk) -> None:
        """The older dialects take several requests, of which any may have been the last."""
        self.marketplace.tell_work_begun(step.resource)
        self.marketplace.tell_resource_ok(step.resource)
        if self.marketplace.read_resource(step.resource.uuid).state is not ResourceState.OK:
            raise UnexpectedPayload("Waldur does not call it OK although it was told to")
        self.ledger = replace(self.ledger, erred=self.ledger.erred - {step.resource.uuid})
