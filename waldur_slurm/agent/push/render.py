"""A push plan on paper: lines for people, one JSON object for machines. Pure."""

from waldur_slurm.agent.model.usage import Runaway
from waldur_slurm.agent.push.plan.findings import LimitDrift, Owed
from waldur_slurm.agent.push.plan.plan import Plan
from waldur_slurm.agent.push.plan.words import event_of, record_of, sentence_of
from waldur_slurm.agent.report import paper
from waldur_slurm.agent.report.findings import refusal_record


def kind_of(plan: Plan) -> paper.Kind:
    found = (plan.refusals, plan.drifts, plan.owed, plan.unlisted, plan.runaways)
    return paper.kind_of(has_steps=bool(plan.steps), has_findings=any(found))


def to_text(plan: Plan) -> str:
    sections = (
        ("To tell Waldur", (sentence_of(step) for step in plan.steps)),
        ("Not told", (f"{r.kind.value}: {r.subject}: {r.reason}" for r in plan.refusals)),
        (
            "Limits that differ",
            (f"{d.subject}: Slurm {d.found}, Waldur {d.component}={d.wanted}" for d in plan.drifts),
        ),
        ("Owed for closed months", map(_owed, plan.owed)),
        (
            "Usage of people whom Waldur does not know",
            (f"{u.user} in {u.account}, {u.month}" for u in plan.unlisted),
        ),
        ("Jobs that only the accounting thinks to run", map(_runaway, plan.runaways)),
    )
    return paper.to_text((title, (f"  {line}" for line in lines)) for title, lines in sections)


def to_json(plan: Plan) -> dict[str, object]:
    return {
        "kind": kind_of(plan).word,
        "steps": [
            {"step": event_of(step), "text": sentence_of(step), **record_of(step)}
            for step in plan.steps
        ],
        "refusals": [refusal_record(refusal) for refusal in plan.refusals],
        "drifts": [limit_record(drift) for drift in plan.drifts],
        "owed": [owed_record(owed) for owed in plan.owed],
        "unlisted": [
            {"month": str(u.month), "account": u.account, "user": u.user} for u in plan.unlisted
        ],
        "runaways": [
            {"job": r.run.id, "account": r.account, "user": r.user} for r in plan.runaways
        ],
    }


def limit_record(drift: LimitDrift) -> dict[str, object]:
    return {
        "subject": drift.subject,
        "component": drift.component,
        "found": drift.found,
        "held": drift.wanted,
    }


def owed_record(owed: Owed) -> dict[str, object]:
    return {
        "month": str(owed.month),
        "account": owed.account,
        "component": owed.component,
        "measured": str(owed.measured),
        "held": str(owed.held),
    }


def _owed(owed: Owed) -> str:
    told = f"{owed.component} {owed.measured}, Waldur holds {owed.held}"
    return f"{owed.account} in {owed.month}: {told}"


def _runaway(runaway: Runaway) -> str:
    until = runaway.counted_until
    counted = f"counted until {until:%F %T} UTC" if until else "not counted"
    return f"job {runaway.run.id} of {runaway.user} in {runaway.account}: {counted}"
