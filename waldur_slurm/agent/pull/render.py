"""A pull plan on paper: lines for people, one JSON object for machines. Pure."""

from waldur_slurm.agent.pull.guard.brake import Guarded
from waldur_slurm.agent.pull.vocabulary.words import record_of, sentence_of
from waldur_slurm.agent.report import paper
from waldur_slurm.agent.report.findings import Drift, Refusal, drift_record, refusal_record


def kind_of(guarded: Guarded) -> paper.Kind:
    plan = guarded.plan
    return paper.kind_of(
        has_steps=bool(plan.steps), has_findings=bool(plan.drifts or plan.refusals)
    )


def to_text(guarded: Guarded) -> str:
    plan = guarded.plan
    steps = (f"{number:>4}. {sentence_of(step)}" for number, step in enumerate(plan.steps, 1))
    return paper.to_text(
        [
            ("Steps", steps),
            ("Not done", (f"      {_refusal(refusal)}" for refusal in plan.refusals)),
            ("Differs and is left alone", (f"      {_drift(drift)}" for drift in plan.drifts)),
        ]
    )


def to_json(guarded: Guarded) -> dict[str, object]:
    plan = guarded.plan
    return {
        "kind": kind_of(guarded).word,
        "steps": [{"step": s.event, "text": sentence_of(s), **record_of(s)} for s in plan.steps],
        "refusals": [refusal_record(refusal) for refusal in plan.refusals],
        "drifts": [drift_record(drift) for drift in plan.drifts],
        "brakes": [
            {"kind": b.kind.value, "planned": b.planned, "allowed": b.allowed}
            for b in guarded.brakes
        ],
    }


def _refusal(refusal: Refusal) -> str:
    return f"{refusal.kind.value}: {refusal.subject}: {refusal.reason}"


def _drift(drift: Drift) -> str:
    return f"{drift.kind.value}: {drift.subject}: found {drift.found}, wanted {drift.wanted}"
