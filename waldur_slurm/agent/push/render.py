"""A push plan on paper: lines for people, one JSON object for machines. Pure."""

from collections.abc import Iterable
from enum import Enum

from waldur_slurm.agent.model.usage import Runaway
from waldur_slurm.agent.push.plan.findings import Owed
from waldur_slurm.agent.push.plan.plan import Plan
from waldur_slurm.agent.push.plan.words import event_of, record_of, sentence_of


class Kind(Enum):
    """What a plan comes to; the values are the exit codes of `plan`."""

    NOTHING = 0
    CHANGES = 10
    DRIFT_ONLY = 11


def kind_of(plan: Plan) -> Kind:
    if plan.steps:
        return Kind.CHANGES
    found = (plan.refusals, plan.drifts, plan.owed, plan.unlisted, plan.runaways)
    return Kind.DRIFT_ONLY if any(found) else Kind.NOTHING


def to_text(plan: Plan) -> str:
    if kind_of(plan) is Kind.NOTHING:
        return "Nothing to do.\n"
    sections: tuple[tuple[str, Iterable[str]], ...] = (
        ("To tell Waldur", (sentence_of(step) for step in plan.steps)),
        ("Not told", (f"{r.kind.value}: {r.subject}: {r.reason}" for r in plan.refusals)),
        (
            "Limits that differ",
            (f"{d.subject}: Slurm {d.found}, Waldur {d.component}={d.held}" for d in plan.drifts),
        ),
        ("Owed for closed months", map(_owed, plan.owed)),
        (
            "Usage of people whom Waldur does not know",
            (f"{u.user} in {u.account}, {u.month}" for u in plan.unlisted),
        ),
        ("Jobs that only the accounting thinks to run", map(_runaway, plan.runaways)),
    )
    return "\n".join(filter(None, (_section(title, list(lines)) for title, lines in sections)))


def to_json(plan: Plan) -> dict[str, object]:
    return {
        "kind": kind_of(plan).name.lower().replace("_", "-"),
        "steps": [
            {"step": event_of(step), "text": sentence_of(step), **record_of(step)}
            for step in plan.steps
        ],
        "refusals": [
            {"kind": r.kind.value, "subject": r.subject, "reason": r.reason} for r in plan.refusals
        ],
        "drifts": [
            {"subject": d.subject, "component": d.component, "found": d.found, "held": d.held}
            for d in plan.drifts
        ],
        "owed": [owed_record(owed) for owed in plan.owed],
        "unlisted": [
            {"month": str(u.month), "account": u.account, "user": u.user} for u in plan.unlisted
        ],
        "runaways": [
            {"job": r.run.id, "account": r.account, "user": r.user} for r in plan.runaways
        ],
    }


def owed_record(owed: Owed) -> dict[str, object]:
    return {
        "month": str(owed.month),
        "account": owed.account,
        "component": owed.component,
        "measured": str(owed.measured),
        "held": str(owed.held),
    }


def _section(title: str, lines: list[str]) -> str:
    return (
        "\n".join([f"{title} ({len(lines)})", *(f"  {_one_line(line)}" for line in lines), ""])
        if lines
        else ""
    )


def _one_line(text: str) -> str:
    """What somebody called something is not to look like a line of the plan."""
    return text.replace("\n", "\\n")


def _owed(owed: Owed) -> str:
    told = f"{owed.component} {owed.measured}, Waldur holds {owed.held}"
    return f"{owed.account} in {owed.month}: {told}"


def _runaway(runaway: Runaway) -> str:
    until = runaway.counted_until
    counted = f"counted until {until:%F %T} UTC" if until else "not counted"
    return f"job {runaway.run.id} of {runaway.user} in {runaway.account}: {counted}"
