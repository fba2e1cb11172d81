"""A plan on paper: lines for people, one JSON object for machines. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from waldur_slurm.model.counting import counted
from waldur_slurm.operator.jobs.plan import JobPlan, Plan
from waldur_slurm.operator.jobs.steps import (
    Accept,
    Cancel,
    ForgetToken,
    Keep,
    LetGo,
    MakeCompanion,
    SetStatus,
    Steer,
    Step,
    Submit,
    Tell,
)

NOTHING, CHANGES = 0, 10
"""The exit codes of `plan`."""
NOTHING_TO_DO = "Nothing to do.\n"


@dataclass(frozen=True, slots=True)
class OfCluster:
    """What the next turn for one cluster would do; without a name, for those that have none."""

    cluster: str
    plan: Plan


def code_of(plans: Sequence[OfCluster]) -> int:
    return CHANGES if any(each.plan.jobs for each in plans) else NOTHING


def to_text(plans: Sequence[OfCluster]) -> str:
    return "\n".join(_section(each) for each in plans if each.plan.jobs) or NOTHING_TO_DO


def to_json(plans: Sequence[OfCluster]) -> dict[str, object]:
    return {
        "kind": "changes" if code_of(plans) else "nothing",
        "clusters": [
            {
                "cluster": each.cluster,
                "steps": [record for one in each.plan.jobs for record in _records(one)],
                "put_off": each.plan.put_off,
            }
            for each in plans
        ],
    }


def sentence_of(step: Step) -> str:
    match step:
        case Accept(cluster):
            return f"hold it until its job is over, and write down cluster {cluster}"
        case Submit(wanted):
            whom = wanted.user or "the gateway's own user"
            size = counted(len(wanted.script.encode()), "byte")
            return f"hand it in as {whom}, a script of {size}"
        case Cancel(job):
            return f"cancel job {job.job_id} of {job.user}"
        case Steer(verb, job):
            return f"{verb} job {job.job_id}"
        case MakeCompanion(job):
            return f"make the pod that collects the results of job {job.job_id}"
        case _:
            return _kubernetes(step)


def _kubernetes(step: Keep | LetGo | Tell | SetStatus | ForgetToken) -> str:
    match step:
        case Keep():
            return "remember that its job is left running"
        case LetGo():
            return "let it go"
        case Tell(told):
            return f"tell {told.reason}: {told.sentence}"
        case SetStatus(status):
            return f"let its status say {status.get('phase', 'nothing')}"
        case ForgetToken():
            return "take away the token of its pod"


def _section(each: OfCluster) -> str:
    where = f"Cluster {each.cluster}" if each.cluster else "On no cluster"
    lines = [line for one in each.plan.jobs for line in _lines(one)]
    steps = [f"{number:>4}. {line}" for number, line in enumerate(lines, 1)]
    if each.plan.put_off:
        jobs = counted(each.plan.put_off, "more is", "more are")
        steps.append(f"      {jobs} handed in by the turns after that")
    return "\n".join([f"{where} ({counted(len(lines), 'step')})", *steps, ""])


def _lines(one: JobPlan) -> Iterator[str]:
    for step in one.steps:
        sentence = sentence_of(step).replace("\n", "\\n")
        yield f"{one.job.namespace}/{one.job.name}: {sentence}"


def _records(one: JobPlan) -> Iterator[dict[str, object]]:
    for step in one.steps:
        yield {
            "namespace": one.job.namespace,
            "name": one.job.name,
            "uid": one.job.uid,
            "step": type(step).__name__,
            "text": sentence_of(step),
        }
