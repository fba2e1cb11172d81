"""What a push step is called: an event's name, its fields, and a sentence for people. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import assert_never

from waldur_slurm.agent.model.components import ComponentType
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


def event_of(step: Step) -> str:
    match step:
        case TellUsage():
            return "usage.decreased" if is_decrease(step) else "usage.reported"
        case TellUserUsages():
            return "usage.users_reported"
        case TellLimits():
            return "limits.reported"
        case TellAssociation():
            return "association.reported" if step.is_there else "association.withdrawn"
        case TellMemberships():
            return "members.reported"
        case TellErred():
            return "resource.erred"
        case TellOk():
            return "resource.ok"
        case _:
            assert_never(step)


def record_of(step: Step) -> dict[str, object]:
    """What varies, for logs and the audit."""
    record: dict[str, object] = {
        "account": step.resource.backend_id,
        "resource": step.resource.uuid,
    }
    match step:
        case TellUsage():
            record |= _usage_record(step)
        case TellUserUsages():
            record |= {"month": str(step.month), "component": step.component}
            record |= {"amounts": _plain(step.amounts)}
        case TellLimits():
            record |= {"limits": dict(step.limits), "before": dict(step.resource.limits)}
        case TellAssociation():
            record["user"] = step.username
        case TellMemberships():
            record["users"] = sorted(step.usernames)
        case TellErred():
            record["message"] = step.message
        case TellOk():
            pass
        case _:
            assert_never(step)
    return record


def _usage_record(step: TellUsage) -> dict[str, object]:
    record: dict[str, object] = {
        "month": str(step.month),
        "amounts": _plain(step.amounts),
        "before": _plain(step.before),
    }
    if is_decrease(step):
        record["reason"] = "Slurm's records of the month say less than was reported"
    return record


def sentence_of(step: Step) -> str:
    name = step.resource.backend_id
    match step:
        case TellUsage():
            return f"report usage of {name} in {step.month}: {_listed(step.amounts)}"
        case TellUserUsages():
            people = ", ".join(f"{user} {amount}" for user, amount in step.amounts.items())
            return f"report {step.component} of {name} in {step.month} by person: {people}"
        case TellLimits():
            limits = ", ".join(f"{kind}={units}" for kind, units in sorted(step.limits.items()))
            return f"report limits of {name}: {limits}"
        case TellAssociation():
            return f"report that {step.username} is {'' if step.is_there else 'not '}in {name}"
        case TellMemberships():
            return f"report who is in {name}: {', '.join(sorted(step.usernames)) or 'nobody'}"
        case TellErred():
            return f"call {name} erred: {step.message}"
        case TellOk():
            return f"call {name} ok: its account is back"
        case _:
            assert_never(step)


def is_decrease(step: TellUsage) -> bool:
    return any(amount < step.before.get(kind, amount) for kind, amount in step.amounts.items())


def _plain(amounts: Mapping[ComponentType, Decimal] | Mapping[str, Decimal]) -> dict[str, str]:
    return {str(name): str(amount) for name, amount in sorted(amounts.items())}


def _listed(amounts: Mapping[ComponentType, Decimal]) -> str:
    return ", ".join(f"{kind} {amount}" for kind, amount in sorted(amounts.items()))
