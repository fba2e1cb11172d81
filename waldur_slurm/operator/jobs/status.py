"""What the status of a SlurmJob says. Pure; where it says so already, nothing is written.

It is made whole from what was found, and from what it said before only what cannot be found again:
since when a condition holds, and the end of the output. A tenant may have written anything there.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from waldur_slurm.operator.jobs.phases import JobPhase, standing_of
from waldur_slurm.operator.jobs.port import JobRef, SeenJob, TaskCounts
from waldur_slurm.operator.jobs.words import Kind, Truth, Word
from waldur_slurm.operator.model.collected import Collected
from waldur_slurm.operator.model.slurm_job import SlurmJob

LONGEST_TAIL = 4096
"""Bytes."""

_KEPT = ("output", "results")
"""What was found out once, after the end."""

_PHASE_KEYS = ("phase", "status", "reason")
Status = dict[str, Any]


def pending(
    job: SlurmJob, cluster: str, reason: str, said: Iterable[Word], now: datetime
) -> Status:
    """Say that it is not in Slurm yet."""
    return _said(job, _phase(JobPhase.PENDING, reason), cluster, said, now)


def refused(job: SlurmJob, cluster: str, said: Iterable[Word], now: datetime) -> Status:
    """Say that Slurm will not have it, for good."""
    return _said(job, _phase(JobPhase.FAILED, "Refused"), cluster, said, now)


def handed_in(
    job: SlurmJob, ref: JobRef, cluster: str, said: Iterable[Word], now: datetime
) -> Status:
    """Say what is known right after it was handed in."""
    status = _said(job, _phase(JobPhase.SUBMITTED, ""), cluster, said, now)
    slurm = {"submitTime": _time(ref.submitted)} if ref.submitted else {}
    return status | {"jobId": ref.job_id, "slurm": slurm}


def unsure(job: SlurmJob, reason: str, said: Iterable[Word], now: datetime) -> Status:
    """Say that nobody knows what became of it; what was known once stays."""
    phase = _phase(JobPhase.UNKNOWN, reason)
    kept = {key: value for key, value in job.status.items() if key not in _PHASE_KEYS}
    return kept | _said(job, phase, job.place, said, now)


def noted(job: SlurmJob, said: Iterable[Word], now: datetime) -> Status:
    """Say something besides, and leave all else."""
    before = job.status or _phase(JobPhase.PENDING, "")
    return {**before, "conditions": _conditions(job, said, now)}


def observed(job: SlurmJob) -> Status:
    """Say that its newest wording was seen, which changes nothing any more."""
    return {**job.status, "observedGeneration": job.generation}


def followed(
    job: SlurmJob, seen: SeenJob, cluster: str, said: Iterable[Word], now: datetime
) -> Status:
    """Say what Slurm shows."""
    standing = standing_of(seen)
    status = _said(job, _phase(standing.phase, standing.reason), cluster, said, now)
    status["conditions"] = [each for each in status["conditions"] if not _is_past(each, seen)]
    status |= {"jobId": seen.ref.job_id, "slurm": _slurm(seen)}
    if seen.tasks:
        status["array"] = _array(seen.tasks)
    if standing.phase.is_over:
        if seen.exit_code is not None and not seen.tasks:
            status["exitCode"] = seen.exit_code
        if seen.signal:
            status["signal"] = seen.signal
        status |= {name: found for name in _KEPT if (found := _mapping(job.status.get(name)))}
    return status


def with_tail(status: Mapping[str, Any], tail: bytes, said: str = "") -> Status:
    """Add the end of what was written, or why it cannot be read."""
    output = {"tail": _text(tail)} | ({"message": said} if said else {})
    return {**status, "output": output}


def results(told: Collected) -> Status:
    """Say what lies in the claim: all are counted, as many as are known are named."""
    names = ("path", "size", "sha256")
    files = [{name: getattr(file, name) for name in names} for file in told.files]
    return {"count": told.count, "size": told.size, "files": files}


def is_complete(job: SlurmJob) -> bool:
    """Whether it said of its end all there is to say."""
    is_over = job.status.get("phase") in [each.value for each in JobPhase if each.is_over]
    return is_over and condition(job.status, Kind.FINISHED) is not None


def condition(status: Mapping[str, Any], kind: Kind) -> Mapping[str, Any] | None:
    """Return what a status says of one thing, in whatever state a tenant left it."""
    return next((each for each in _listed(status) if each.get("type") == kind.value), None)


def is_true(status: Mapping[str, Any], kind: Kind) -> bool:
    return (condition(status, kind) or {}).get("status") == Truth.TRUE.value


def news(job: SlurmJob, said: Iterable[Word]) -> list[Word]:
    """Choose what its status did not say so far."""
    return [word for word in said if not word.is_silent and not _says(job.status, word)]


def _says(status: Mapping[str, Any], word: Word) -> bool:
    found = condition(status, word.kind) or {}
    return (found.get("status"), found.get("reason")) == (word.truth.value, word.reason)


def _said(
    job: SlurmJob, phase: Status, cluster: str, said: Iterable[Word], now: datetime
) -> Status:
    status = {
        **phase,
        "observedGeneration": job.generation,
        "conditions": _conditions(job, said, now),
    }
    return status | ({"cluster": cluster} if cluster else {})


def _phase(phase: JobPhase, reason: str) -> Status:
    status = {"phase": phase.value, "status": phase.of_pods}
    return status | ({"reason": reason} if reason else {})


def _conditions(job: SlurmJob, said: Iterable[Word], now: datetime) -> list[Mapping[str, Any]]:
    """In one order, those that were there before included."""
    new = {word.kind: word for word in said}
    before = {kind: found for kind in Kind if (found := condition(job.status, kind))}
    return [
        _condition(job, new[kind], before.get(kind) or {}, now) if kind in new else before[kind]
        for kind in Kind
        if kind in new or kind in before
    ]


def _condition(
    job: SlurmJob, word: Word, before: Mapping[str, Any], now: datetime
) -> Mapping[str, Any]:
    """Whatever says the same for the same reason stays as it is, with the time that it has."""
    if _says({"conditions": [before]}, word) and isinstance(before.get("lastTransitionTime"), str):
        return before
    is_same = before.get("status") == word.truth.value and before.get("lastTransitionTime")
    return {
        "type": word.kind.value,
        "status": word.truth.value,
        "reason": word.reason,
        "message": word.sentence,
        "lastTransitionTime": before["lastTransitionTime"] if is_same else _time(now),
        "observedGeneration": job.generation,
    }


def _is_past(condition: Mapping[str, Any], seen: SeenJob) -> bool:
    """Whether it told of a run that was, or was thought to be, over before."""
    match condition.get("type"):
        case Kind.FINISHED.value:
            return not standing_of(seen).phase.is_over
        case Kind.STARTED.value:
            return not seen.started
        case _:
            return False


def _listed(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = status.get("conditions")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _slurm(seen: SeenJob) -> Status:
    told = {
        "state": str(seen.state),
        "reason": "" if seen.reason == "None" else seen.reason,
        "submitTime": _time(seen.ref.submitted),
        "startTime": _time(seen.started),
        "endTime": _time(seen.ended) if standing_of(seen).phase.is_over else "",
        "nodes": seen.nodes,
        "user": seen.ref.user,
        "account": seen.account,
        "partition": seen.partition,
        "workDir": seen.work_dir,
        "stdout": "" if seen.tasks else seen.stdout,  # each task has its own
        "stderr": "" if seen.tasks else seen.stderr,
    }
    return {name: value for name, value in told.items() if value}


def _array(tasks: TaskCounts) -> Status:
    names = ("total", "pending", "running", "succeeded", "failed")
    return {name: getattr(tasks, name) for name in names}


def _time(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def _text(tail: bytes) -> str:
    """A character that was cut in two is left out."""
    text = tail[-LONGEST_TAIL:].decode("utf-8", "replace").lstrip("\N{REPLACEMENT CHARACTER}")
    return text.replace("\0", "")


def _mapping(found: object) -> Mapping[str, Any] | None:
    return found if isinstance(found, Mapping) else None
