"""Tell Waldur: one resource's messages in their order, several resources at a time.

A message that fails ends its resource's turn and nobody else's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from threading import Event
from typing import assert_never

from waldur_slurm.agent.errors import WaldurError, WaldurUnreachable
from waldur_slurm.agent.pull.vocabulary.failures import Failure
from waldur_slurm.agent.pull.vocabulary.steps import (
    ApproveOrder,
    CompleteOrder,
    DeleteOfferingUser,
    ErrOrder,
    ExplainOrder,
    Judgement,
    MakeOfferingUser,
    RejectOrder,
    Step,
    TellAssociation,
    TellBackendId,
    Telling,
    TellNoAssociation,
)
from waldur_slurm.agent.waldur.port import Marketplace
from waldur_slurm.service.signals import Unbroken

AT_A_TIME = 8
_ENOUGH = 3
"""So many unanswered messages, and the others wait for the next cycle."""


@dataclass(slots=True, kw_only=True)
class WaldurWriter:
    """Does in Waldur what the steps say. `done` hears of each and may be called by any thread."""

    marketplace: Marketplace
    done: Callable[[Step], None]
    is_stopping: Callable[[], bool]
    unbroken: Unbroken = nullcontext
    _unanswered: list[Failure] = field(default_factory=list)
    _silence: Event = field(default_factory=Event)

    def tell(self, steps: Sequence[Judgement | Telling]) -> list[Failure]:
        self._unanswered.clear()
        self._silence.clear()
        turns: dict[str, list[Judgement | Telling]] = defaultdict(list)
        for step in steps:
            turns[_turn(step)].append(step)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return [
                failure for lost in pool.map(self._take_turn, turns.values()) for failure in lost
            ]

    def _take_turn(self, steps: Iterable[Judgement | Telling]) -> list[Failure]:
        for step in steps:
            if self._silence.is_set() or self.is_stopping():
                return []
            try:
                with self.unbroken():
                    self._tell(step)
                    self.done(step)
            except WaldurError as error:
                failure = Failure(step, error)
                if isinstance(error, WaldurUnreachable):
                    self._unanswered.append(failure)
                    if len(self._unanswered) >= _ENOUGH:
                        self._silence.set()
                return [failure]
        return []

    def _tell(self, step: Judgement | Telling) -> None:  # noqa: C901 - one case a kind
        waldur = self.marketplace
        match step:
            case ApproveOrder():
                waldur.approve_order(step.order)
            case RejectOrder():
                waldur.reject_order(step.order, step.reason)
            case ExplainOrder():
                waldur.tell_order_message(step.order, step.message)
            case ErrOrder():
                waldur.tell_order_erred(step.order, step.reason)
            case TellBackendId():
                waldur.tell_backend_id(step.resource, step.account)
            case CompleteOrder():
                self._complete(step)
            case TellAssociation():
                waldur.tell_association(step.resource, step.user)
            case TellNoAssociation():
                waldur.tell_no_association(step.resource, step.user)
            case DeleteOfferingUser():
                waldur.tell_offering_user_deleted(step.offering_user)
            case MakeOfferingUser():
                waldur.tell_offering_user(step.user)
            case _:
                assert_never(step)

    def _complete(self, step: CompleteOrder) -> None:
        """In the older dialects the allocation's way to ok may complete the order by itself."""
        if step.settles_resource:
            self.marketplace.tell_work_begun(step.resource)
            if step.limits:
                self.marketplace.tell_limits(step.resource, dict(step.limits))
            self.marketplace.tell_resource_ok(step.resource)
        self.marketplace.tell_order_done(step.order)


def _turn(step: Judgement | Telling) -> str:
    match step:
        case ApproveOrder() | RejectOrder() | ExplainOrder() | ErrOrder():
            return step.order
        case MakeOfferingUser() | DeleteOfferingUser():
            return step.user
        case _:
            return step.resource.uuid
