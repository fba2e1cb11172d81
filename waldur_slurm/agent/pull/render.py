"""A plan on paper: lines for people, one JSON object for machines. Pure."""

from enum import Enum

from waldur_slurm.agent.pull.guard.brake import Guarded
from waldur_slurm.agent.pull.vocabulary.findings import Drift, Refusal
from waldur_slurm.agent.pull.vocabulary.words import record_of, sentence_of


class Kind(Enum):
    """What a plan comes to; the values are the exit codes of `plan`."""

    NOTHING = 0
    CHANGES = 10
    DRIFT_ONLY = 11


def kind_of(guarded: Guarded) -> Kind:
    if guarded.plan.steps:
        return Kind.CHANGES
    return Kind.DRIFT_ONLY if guarded.plan.drifts or guarded.plan.refusals else Kind.NOTHING


def to_text(guarded: Guarded) -> str:
    plan = guarded.plan
    if kind_of(guarded) is Kind.NOTHING:
        return "Nothing to do.\n"
    sections = [
        ("Steps", [f"{number:>4}. {sentence_of(s)}" for number, s in enumerate(plan.steps, 1)]),
        ("Not done", [f"      {_refusal(refusal)}" for refusal in plan.refusals]),
        ("Differs and is left alone", [f"      {_drift(drift)}" for drift in plan.drifts]),
    ]
    return "\n".join(
        "\n".join([f"{title} ({len(lines)})", *map(_one_line, lines), ""])
        for title, lines in sections
        if lines
    )


def to_json(guarded: Guarded) -> dict[str, object]:
    plan = guarded.plan
    return {
        "kind": kind_of(guarded).name.lower().replace("_", "-"),
        "steps": [{"step": s.event, "text": sentence_of(s), **record_of(s)} for s in plan.steps],
        "refusals": [
            {"kind": r.kind.value, "subject": r.subject, "reason": r.reason} for r in plan.refusals
        ],
        "drifts": [
            {"kind": d.kind.value, "subject": d.subject, "found": d.found, "wanted": d.wanted}
            for d in plan.drifts
        ],
        "brakes": [
            {"kind": b.kind.value, "planned": b.planned, "allowed": b.allowed}
            for b in guarded.brakes
        ],
    }


def _one_line(text: str) -> str:
    """What somebody called something is not to look like a line of the plan."""
    return text.replace("\n", "\\n")


def _refusal(refusal: Refusal) -> str:
    return f"{refusal.kind.value}: {refusal.subject}: {refusal.reason}"


def _drift(drift: Drift) -> str:
    return f"{drift.kind.value}: {drift.subject}: found {drift.found}, wanted {drift.wanted}"
