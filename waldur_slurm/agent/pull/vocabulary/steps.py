"""The only changes a pull cycle can make, in Slurm and in Waldur.

A step is a value. Its meaning is given once, by `apply` and `tell`; where it stands in a plan is
its stage, and it is safe to stop after any of them.
"""

from dataclasses import dataclass
from typing import ClassVar

from waldur_slurm.agent.model.components import ComponentType
from waldur_slurm.agent.model.marketplace import OrderUuid, Resource, UserUuid
from waldur_slurm.agent.pull.vocabulary.limits import LimitChange
from waldur_slurm.agent.pull.vocabulary.stages import Stage
from waldur_slurm.agent.pull.world.ledger import AccountHold, QosBefore, UserHold
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import Tres

# What an order is told before any work


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveOrder:
    stage: ClassVar[Stage] = Stage.JUDGE
    event: ClassVar[str] = "order.approved"
    order: OrderUuid


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectOrder:
    stage: ClassVar[Stage] = Stage.JUDGE
    event: ClassVar[str] = "order.rejected"
    order: OrderUuid
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOrder:
    """Tell the customer why an order is not carried out; it goes on waiting."""

    stage: ClassVar[Stage] = Stage.JUDGE
    event: ClassVar[str] = "customer.told"
    order: OrderUuid
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrOrder:
    stage: ClassVar[Stage] = Stage.JUDGE
    event: ClassVar[str] = "order.erred"
    order: OrderUuid
    reason: str


# Accounts in Slurm


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptAccount:
    """Mark an account that the original agent made, and by that own it.

    The mark comes after limits and hold, so that an adoption cut short is found unmarked and is
    done again. `awaits_limits`: what was ordered was not set before.
    """

    stage: ClassVar[Stage] = Stage.ADOPTIONS
    event: ClassVar[str] = "account.adopted"
    account: AccountName
    description: str
    before: str
    awaits_limits: bool = False
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeAccount:
    """Follow a new name in Waldur; the account's own name never changes."""

    stage: ClassVar[Stage] = Stage.DESCRIPTIONS
    event: ClassVar[str] = "account.described"
    account: AccountName
    description: str
    before: str
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAccount:
    event: ClassVar[str] = "account.added"
    stage: Stage
    new: NewAccount
    order: OrderUuid | None = None

    @property
    def account(self) -> AccountName:
        return self.new.name


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveAccount:
    stage: ClassVar[Stage] = Stage.PARENTS
    event: ClassVar[str] = "account.moved"
    account: AccountName
    parent: AccountName
    before: AccountName | None
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAccount:
    event: ClassVar[str] = "account.removed"
    stage: Stage
    account: AccountName
    reason: str
    order: OrderUuid | None = None


# What an account may do


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLimits:
    stage: ClassVar[Stage] = Stage.LIMITS
    event: ClassVar[str] = "limits.set"
    account: AccountName
    limits: LimitChange
    before: Tres
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAccount:
    """Let nobody start or submit anything, until `before` is restored."""

    stage: ClassVar[Stage] = Stage.HOLDS
    event: ClassVar[str] = "account.held"
    account: AccountName
    before: AccountHold
    reason: str
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseAccount:
    stage: ClassVar[Stage] = Stage.RELEASES
    event: ClassVar[str] = "account.released"
    account: AccountName
    restored: AccountHold
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetQos:
    """Set QoS list and default QoS together; `before` is kept while the resource is downscaled."""

    stage: ClassVar[Stage] = Stage.HOLDS
    event: ClassVar[str] = "qos.set"
    account: AccountName
    qos: QosBefore
    before: QosBefore
    is_downscaled: bool
    order: OrderUuid | None = None


# People in an account and their jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUser:
    stage: ClassVar[Stage] = Stage.PEOPLE_IN
    event: ClassVar[str] = "user.added"
    account: AccountName
    user: UserName
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeHome:
    stage: ClassVar[Stage] = Stage.HOMES
    event: ClassVar[str] = "home.made"
    user: UserName
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldUser:
    stage: ClassVar[Stage] = Stage.HOLDS
    event: ClassVar[str] = "user.held"
    account: AccountName
    user: UserName
    before: UserHold
    reason: str
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseUser:
    stage: ClassVar[Stage] = Stage.RELEASES
    event: ClassVar[str] = "user.released"
    account: AccountName
    user: UserName
    restored: UserHold
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJobs:
    stage: ClassVar[Stage] = Stage.JOBS
    event: ClassVar[str] = "jobs.cancelled"
    account: AccountName
    user: UserName
    jobs: tuple[QueuedJob, ...]
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDefaultAccount:
    """Move a user's default away from `leaving`, which Slurm would not let go otherwise."""

    stage: ClassVar[Stage] = Stage.DEFAULTS
    event: ClassVar[str] = "default_account.set"
    user: UserName
    account: AccountName
    leaving: AccountName
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveUser:
    """A user who leaves all accounts leaves the default one last."""

    event: ClassVar[str] = "user.removed"
    stage: Stage = Stage.PEOPLE_OUT
    account: AccountName
    user: UserName
    reason: str
    order: OrderUuid | None = None


# On both sides


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFinalUsage:
    """Tell Waldur the last usage while it still takes any."""

    stage: ClassVar[Stage] = Stage.FINAL_USAGE
    event: ClassVar[str] = "usage.final"
    resource: Resource
    account: AccountName
    order: OrderUuid | None = None


# What Waldur is told once Slurm has confirmed it


@dataclass(frozen=True, slots=True, kw_only=True)
class TellBackendId:
    stage: ClassVar[Stage] = Stage.BACKEND_IDS
    event: ClassVar[str] = "backend_id.told"
    resource: Resource
    account: AccountName
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteOrder:
    """Report an order done; the older dialects' hidden allocation is led there with its limits."""

    stage: ClassVar[Stage] = Stage.COMPLETIONS
    event: ClassVar[str] = "order.done"
    resource: Resource
    order: OrderUuid
    settles_resource: bool
    limits: tuple[tuple[ComponentType, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TellAssociation:
    stage: ClassVar[Stage] = Stage.ASSOCIATIONS
    event: ClassVar[str] = "association.told"
    resource: Resource
    account: AccountName
    user: str
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TellNoAssociation:
    stage: ClassVar[Stage] = Stage.ASSOCIATIONS
    event: ClassVar[str] = "association.dropped"
    resource: Resource
    account: AccountName
    user: str
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeOfferingUser:
    """Make a member an offering user, who then lacks a user name only."""

    stage: ClassVar[Stage] = Stage.OFFERING_USERS
    event: ClassVar[str] = "offering_user.made"
    user: UserUuid
    name: str
    order: OrderUuid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOfferingUser:
    """Say that somebody whose deletion Waldur asked for is gone, as nothing in Slurm is theirs."""

    stage: ClassVar[Stage] = Stage.OFFERING_USERS
    event: ClassVar[str] = "offering_user.deleted"
    offering_user: str
    user: UserUuid
    name: str
    order: OrderUuid | None = None


Judgement = ApproveOrder | RejectOrder | ExplainOrder | ErrOrder
SlurmStep = (
    AdoptAccount
    | DescribeAccount
    | AddAccount
    | MoveAccount
    | SetLimits
    | HoldAccount
    | HoldUser
    | SetQos
    | CancelJobs
    | AddUser
    | MakeHome
    | ReleaseAccount
    | ReleaseUser
    | ReportFinalUsage
    | SetDefaultAccount
    | RemoveUser
    | RemoveAccount
)
Telling = (
    TellBackendId
    | CompleteOrder
    | TellAssociation
    | TellNoAssociation
    | MakeOfferingUser
    | DeleteOfferingUser
)
Step = Judgement | SlurmStep | Telling


def subject_of(step: Step) -> str:
    """Name what fails or waits when the step does: its order, or the account and person."""
    if step.order is not None:
        return step.order
    if isinstance(step, SetDefaultAccount):
        return f"{step.leaving}/{step.user}"
    return "/".join(filter(None, _about(step)))


Key = tuple[int, str, str, str]


def sort_key(step: Step) -> Key:
    """By stage, then by what it is about: one plan for one world, whatever the order of reading."""
    return (step.stage, *_about(step), step.event)


def _about(step: Step) -> tuple[str, str]:
    match step:
        case ApproveOrder() | RejectOrder() | ExplainOrder() | ErrOrder():
            return step.order, ""
        case CompleteOrder():
            return step.resource.uuid, ""
        case MakeOfferingUser() | DeleteOfferingUser():
            return step.user, ""
        case MakeHome():
            return step.order or "", step.user
        case AddUser() | HoldUser() | ReleaseUser() | CancelJobs() | RemoveUser():
            return step.account, step.user
        case SetDefaultAccount() | TellAssociation() | TellNoAssociation():
            return step.account, step.user
        case _:
            return step.account, ""
