"""What a SlurmJob's conditions and events say, in sentences that say what to do. Pure.

A condition that changes is an event, told once. So a sentence has nothing in it that passes, such
as how long something has lasted.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from waldur_slurm.operator.jobs.kube import EventKind, Told
from waldur_slurm.operator.jobs.phases import JobPhase, Standing
from waldur_slurm.operator.jobs.placement import Placed, Unplaced
from waldur_slurm.operator.jobs.port import JobRef, SeenJob
from waldur_slurm.operator.model.slurm_job import ABANDON, SlurmJob


class Kind(StrEnum):
    """What a condition is about."""

    ACCEPTED = "Accepted"
    SUBMITTED = "Submitted"
    SUSPENDED = "Suspended"
    STARTED = "Started"
    FINISHED = "Finished"
    RESULTS_COLLECTED = "ResultsCollected"
    CLUSTER_REACHABLE = "ClusterReachable"


class Truth(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Verb(StrEnum):
    """What is done to a job that is kept from running, or is so no longer."""

    HOLD = "hold"
    RELEASE = "release"
    REQUEUE_HELD = "requeue and hold"


@dataclass(frozen=True, slots=True)
class Word:
    """What a condition says. `is_trouble`: somebody may have to do something."""

    kind: Kind
    truth: Truth
    reason: str
    sentence: str
    is_trouble: bool = False
    is_silent: bool = False
    """Whether it is no event."""

    def told(self) -> Told:
        kind = EventKind.WARNING if self.is_trouble else EventKind.NORMAL
        return Told(self.reason, self.sentence, kind)


def accepted(placed: Placed) -> Word:
    sentence = f"goes to cluster {placed.cluster.name}, {placed.whom}"
    return Word(Kind.ACCEPTED, Truth.TRUE, "Accepted", sentence)


def open_to_all(placed: Placed) -> Word:
    """As the former configuration has it, which is told as a warning."""
    sentence = (
        f"goes to cluster {placed.cluster.name} as the gateway's own user: slurm-config has no"
        " clusters, so every namespace may use every Slurm that its config names; its"
        " administrator says under clusters who may, and as whom"
    )
    return Word(Kind.ACCEPTED, Truth.TRUE, "AcceptedForAll", sentence, is_trouble=True)


def not_accepted(unplaced: Unplaced) -> Word:
    return Word(Kind.ACCEPTED, Truth.FALSE, unplaced.reason, unplaced.sentence, is_trouble=True)


def kept_back() -> Word:
    sentence = "is not handed in while spec.suspend is true"
    return Word(Kind.SUBMITTED, Truth.FALSE, "Suspended", sentence)


def submitted(job: JobRef, cluster: str) -> Word:
    sentence = f"is job {job.job_id} of cluster {cluster}"
    return Word(Kind.SUBMITTED, Truth.TRUE, "Submitted", sentence)


def refused(said: str) -> Word:
    sentence = f"Slurm refused it: {said}; delete it, and apply what Slurm takes"
    return Word(Kind.SUBMITTED, Truth.FALSE, "Refused", sentence, is_trouble=True)


def not_allowed(cluster: str, why: str) -> Word:
    sentence = (
        f"cluster {cluster} does not let the operator hand it in: {why}; its administrator changes"
        " that, or as whom slurm-config runs this namespace's jobs. It is tried each minute"
    )
    return Word(Kind.SUBMITTED, Truth.FALSE, "NotAllowed", sentence, is_trouble=True)


def never_ran() -> Word:
    sentence = "it ended before it began: Slurm refused it"
    return Word(Kind.FINISHED, Truth.TRUE, "Refused", sentence, is_silent=True)


def outcome_unknown(cluster: str, mark: str) -> Word:
    sentence = (
        f"it was handed in to cluster {cluster}, and whether that made a job cannot be found out"
        " any more, since that cluster keeps no comments of ended jobs; it is not handed in again."
        f" Look for a job with the comment {mark}; then delete this SlurmJob, and apply it anew"
        " if it shall run"
    )
    return Word(Kind.SUBMITTED, Truth.UNKNOWN, "OutcomeUnknown", sentence, is_trouble=True)


def unsettled(cluster: str, why: str) -> Word:
    sentence = (
        f"it was handed in to cluster {cluster}, and what came of that is not known yet: {why}; the"
        " same job is asked for again until it is, and never a second one"
    )
    return Word(Kind.SUBMITTED, Truth.UNKNOWN, "Unsettled", sentence, is_trouble=True)


def lost(job_id: str, cluster: str) -> Word:
    sentence = (
        f"cluster {cluster} does not know its job {job_id} any more, neither in the queue nor in"
        f" the accounting; it is not handed in again. See sacct -j {job_id} there; then delete this"
        " SlurmJob, and apply it anew if it shall run"
    )
    return Word(Kind.FINISHED, Truth.UNKNOWN, "Lost", sentence, is_trouble=True)


def started(seen: SeenJob) -> Word:
    where = f" on {seen.nodes}" if seen.nodes else ""
    return Word(Kind.STARTED, Truth.TRUE, "Started", f"job {seen.ref.job_id} runs{where}")


def finished(seen: SeenJob, standing: Standing) -> Word:
    reason = standing.reason or standing.phase.value
    is_trouble = standing.phase is JobPhase.FAILED
    sentence = f"job {seen.ref.job_id} ended: {seen.state}{_code(seen)}"
    return Word(Kind.FINISHED, Truth.TRUE, reason, sentence, is_trouble)


def _code(seen: SeenJob) -> str:
    if seen.signal:
        return f", by signal {seen.signal}"
    return f", exit code {seen.exit_code}" if seen.exit_code else ""


def about(seen: SeenJob, standing: Standing, cluster: str) -> list[Word]:
    """All that is to be said of a job that Slurm shows."""
    said = [submitted(seen.ref, cluster), reachable(cluster)]
    if seen.started:
        said.append(started(seen))
    if standing.phase.is_over:
        said.append(finished(seen, standing))
    return said


def suspended(verb: Verb) -> Word:
    how = {
        Verb.HOLD: "is held in Slurm before it starts",
        Verb.REQUEUE_HELD: "its run is ended, and it is held in Slurm under its number",
    }
    sentence = how.get(verb, "is held in Slurm")
    return Word(Kind.SUSPENDED, Truth.TRUE, "Suspended", sentence)


def resumed() -> Word:
    return Word(Kind.SUSPENDED, Truth.FALSE, "Resumed", "may start again")


def not_suspended(said: str) -> Word:
    sentence = f"it cannot be suspended, and goes on: {said}; to end it, delete this SlurmJob"
    return Word(Kind.SUSPENDED, Truth.FALSE, "SuspendRefused", sentence, is_trouble=True)


def not_resumed(said: str) -> Word:
    sentence = f"it stays held: {said}; scontrol release, as who held it, lets it start"
    return Word(Kind.SUSPENDED, Truth.TRUE, "ResumeRefused", sentence, is_trouble=True)


def reachable(cluster: str) -> Word:
    sentence = f"cluster {cluster} answers"
    return Word(Kind.CLUSTER_REACHABLE, Truth.TRUE, "Answers", sentence, is_silent=True)


def unreachable(cluster: str, why: str, job: SlurmJob) -> Word:
    """`why` is of its moment, so the reason alone decides whether it is said again."""
    sentence = f"what became of the job on cluster {cluster} cannot be told: {why}"
    if not job.status.get("jobId"):
        sentence = f"whether cluster {cluster} has a job of it cannot be told, so it waits: {why}"
    return _unanswered("NoAnswer", sentence, job)


def shut(cluster: str, why: str, job: SlurmJob) -> Word:
    """Of one whose own way to the cluster is shut; `why` is of its moment, as above."""
    sentence = f"cluster {cluster} cannot be asked about it, and about it alone: {why}"
    ssh = job.spec.ssh
    if ssh and ssh.key:
        sentence += (
            f". The Secret {ssh.key.name} of the namespace {job.namespace} has to have, as"
            f" {ssh.key.key}, a private key without a passphrase that opens the account {ssh.user}"
            " there; soon after it does, this goes on by itself"
        )
    return _unanswered("AccountShut", sentence, job)


def _unanswered(reason: str, sentence: str, job: SlurmJob) -> Word:
    if job.is_deleted:
        sentence += f". Its deletion waits for that; if it never will: {_abandoning(job)}"
        return Word(Kind.CLUSTER_REACHABLE, Truth.FALSE, "DeletionWaits", sentence, is_trouble=True)
    return Word(Kind.CLUSTER_REACHABLE, Truth.FALSE, reason, sentence, is_trouble=True)


def no_such_cluster(cluster: str, job: SlurmJob) -> Word:
    sentence = (
        f"it was accepted for cluster {cluster}, which slurm-config does not name any more: name it"
        " there again"
    )
    if job.is_deleted:
        sentence += f". Its deletion waits for that; if it never will: {_abandoning(job)}"
    return Word(Kind.CLUSTER_REACHABLE, Truth.FALSE, "NoSuchCluster", sentence, is_trouble=True)


def abandoned(job: SlurmJob) -> Told:
    number = job.status.get("jobId")
    which = f"job {number}" if number else "a job that there may be"
    sentence = f"was let go as asked; {which} was not seen to end, and is cancelled when it is seen"
    return Told("Abandoned", sentence, EventKind.WARNING)


def left_running(seen: SeenJob) -> Told:
    return Told("LeftRunning", f"job {seen.ref.job_id} goes on, as spec.cancelPolicy says")


def cancelling(job: JobRef) -> Told:
    return Told("Cancelling", f"job {job.job_id} is cancelled, since this was deleted")


def not_cancelled(job: JobRef, said: str) -> Told:
    sentence = f"job {job.job_id} could not be cancelled: {said}; it is tried again"
    return Told("CancelFailed", sentence, EventKind.WARNING)


def _abandoning(job: SlurmJob) -> str:
    return f"kubectl annotate -n {job.namespace} sj {job.name} {ABANDON}=true lets it go"


LONG_ENOUGH = timedelta(minutes=1)
"""A cluster that is silent for less is not worth a word."""
