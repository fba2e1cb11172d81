"""Every step in words: one sentence for people, one flat record for machines. Pure."""

from collections.abc import Sequence
from dataclasses import fields
from typing import assert_never

from waldur_slurm.agent.model.marketplace import Resource
from waldur_slurm.agent.pull.vocabulary.limits import LimitChange
from waldur_slurm.agent.pull.vocabulary.steps import (
    AddAccount,
    AddUser,
    AdoptAccount,
    ApproveOrder,
    CancelJobs,
    CompleteOrder,
    DeleteOfferingUser,
    DescribeAccount,
    ErrOrder,
    ExplainOrder,
    HoldAccount,
    HoldUser,
    MakeHome,
    MakeOfferingUser,
    MoveAccount,
    RejectOrder,
    ReleaseAccount,
    ReleaseUser,
    RemoveAccount,
    RemoveUser,
    ReportFinalUsage,
    SetDefaultAccount,
    SetLimits,
    SetQos,
    Step,
    TellAssociation,
    TellBackendId,
    TellNoAssociation,
)
from waldur_slurm.agent.pull.world.ledger import AccountHold, QosBefore, UserHold
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.counting import counted
from waldur_slurm.model.jobs import QueuedJob
from waldur_slurm.model.tres import Tres

_MOST_JOBS = 5
"""So many of somebody's jobs are named in a sentence."""
_RECORDED_AS = {"jobs": "job_ids"}
"""Fields whose own names would be misread: `jobs=3` looks like a number of jobs."""
_SHOWN_OTHERWISE = ("stage", "new", "limits", "qos", "restored", "before", "description")
"""Fields that are told as what was there before and what is there after."""


def record_of(step: Step) -> dict[str, object]:
    """The step's own fields, as JSON can hold them, with what was there before and after."""
    record: dict[str, object] = {}
    for item in fields(step):
        value = getattr(step, item.name)
        if item.name not in _SHOWN_OTHERWISE and value not in (None, "", ()):
            record[_RECORDED_AS.get(item.name, item.name)] = _plain(value)
    before, after = _before_and_after(step)
    if after is not None:
        record.update(before=before, after=after)
    return record


def sentence_of(step: Step) -> str:  # noqa: C901, PLR0912 - one case a kind
    match step:
        case ApproveOrder():
            return f"approve order {step.order}"
        case RejectOrder():
            return f"reject order {step.order}: {step.reason}"
        case ExplainOrder():
            return f"tell the customer of order {step.order}: {step.message}"
        case ErrOrder():
            return f"mark order {step.order} erred: {step.reason}"
        case AdoptAccount():
            return f"adopt account {step.account}"
        case DescribeAccount():
            return f"describe account {step.account} as '{step.description}'"
        case AddAccount(new=new):
            return f"add account {new.name} under {new.parent} ({show_limits(new.limits)})"
        case MoveAccount():
            return f"move account {step.account} from {step.before} to {step.parent}"
        case RemoveAccount():
            return f"remove account {step.account} ({step.reason})"
        case SetLimits():
            change = f"{show_found(step.limits, step.before)} to {show_change(step.limits)}"
            return f"set limits of {step.account} from {change}"
        case HoldAccount():
            return f"hold account {step.account} ({step.reason})"
        case ReleaseAccount():
            return f"release account {step.account}"
        case SetQos():
            return f"set QoS of {step.account} from {_qos(step.before)} to {_qos(step.qos)}"
        case AddUser():
            return f"add {step.user} to {step.account}"
        case MakeHome():
            return f"make a home for {step.user} if it is missing"
        case DeleteOfferingUser():
            return f"tell that {step.name} ({step.user}) is deleted here"
        case MakeOfferingUser():
            return f"make {step.name} ({step.user}) an offering user"
        case HoldUser():
            return f"let {step.user} submit no more to {step.account} ({step.reason})"
        case ReleaseUser():
            return f"let {step.user} submit to {step.account} again"
        case CancelJobs():
            return f"cancel {_jobs(step.jobs)} of {step.user} in {step.account}"
        case SetDefaultAccount():
            return f"make {step.account} the default of {step.user}"
        case RemoveUser():
            return f"remove {step.user} from {step.account} ({step.reason})"
        case ReportFinalUsage():
            return f"report the last usage of {step.account}"
        case TellBackendId():
            return f"tell resource {step.resource.uuid} its account is {step.account}"
        case CompleteOrder():
            return f"report order {step.order} done"
        case TellAssociation():
            return f"show {step.user} in resource {step.resource.uuid}"
        case TellNoAssociation():
            return f"show {step.user} no longer in resource {step.resource.uuid}"
        case _:
            assert_never(step)


def show_limits(limits: Tres) -> str:
    return ",".join(f"{tres}={amount}" for tres, amount in sorted(limits.items())) or "no limits"


def _before_and_after(step: Step) -> tuple[object, object]:  # noqa: C901, PLR0912 - one case a kind
    match step:
        case AddAccount(new=new):
            return None, _plain(new)
        case AdoptAccount() | DescribeAccount():
            return step.before, step.description
        case MoveAccount():
            return step.before, step.parent
        case SetLimits():
            before = {tres: step.before.get(tres) for tres, _ in step.limits}
            return before, dict(step.limits)
        case HoldAccount():
            return _plain(step.before), [0, 0]
        case ReleaseAccount():
            return [0, 0], _plain(step.restored)
        case HoldUser():
            return _plain(step.before), 0
        case ReleaseUser():
            return 0, _plain(step.restored)
        case SetQos():
            return _plain(step.before), _plain(step.qos)
        case SetDefaultAccount():
            return step.leaving, step.account
        case TellBackendId():
            return step.resource.backend_id, step.account
        case CompleteOrder(limits=limits) if limits:
            return None, {str(component): amount for component, amount in limits}
        case _:
            return None, None


def _plain(value: object) -> object:  # noqa: C901 - one case a type
    match value:
        case Resource():
            return value.uuid
        case NewAccount():
            return {
                item.name: _plain(content)
                for item in fields(value)
                if (content := getattr(value, item.name))
            }
        case QueuedJob():
            return value.id
        case AccountHold():
            return [value.grp_jobs, value.grp_submit_jobs]
        case UserHold():
            return value.max_submit_jobs
        case QosBefore():
            return {"qos": list(value.qos), "default_qos": value.default_qos}
        case tuple():
            return [_plain(item) for item in value]
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case _:
            return value


def _jobs(jobs: Sequence[QueuedJob]) -> str:
    ids = ", ".join(job.id for job in jobs[:_MOST_JOBS])
    more = f" and {len(jobs) - _MOST_JOBS} more" if len(jobs) > _MOST_JOBS else ""
    return f"{counted(len(jobs), 'job')} ({ids}{more})"


def show_change(change: LimitChange) -> str:
    return ",".join(f"{t}={'unlimited' if n is None else n}" for t, n in change)


def show_found(change: LimitChange, found: Tres) -> str:
    """What the change starts from, in the same order."""
    return ",".join(f"{tres}={found.get(tres, 'unlimited')}" for tres, _ in change)


def _qos(qos: QosBefore) -> str:
    return f"{','.join(qos.qos) or 'none'} (default {qos.default_qos or 'none'})"
