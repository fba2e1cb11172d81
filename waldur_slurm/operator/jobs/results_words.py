"""What the condition ResultsCollected says, in sentences that say what to do. Pure."""

from waldur_slurm.operator.jobs.companion import pod_name
from waldur_slurm.operator.jobs.placement import no_claim
from waldur_slurm.operator.jobs.words import Kind, Truth, Word
from waldur_slurm.operator.model.cluster import ByGateway, Cluster
from waldur_slurm.operator.model.collected import Collected
from waldur_slurm.operator.model.slurm_job import Results, SlurmJob

FINAL = frozenset({"CollectFailed", "NotAskedFor", "NeverStarted", "NotOffered", "JobForgotten"})
"""Reasons after which nothing more is tried; a claim that has all is the other end."""

ROLE = "slurm-operator-results"
_KIND = Kind.RESULTS_COLLECTED


def not_a_claim(job: SlurmJob, results: Results) -> Word:
    """As it was edited when its job was in Slurm already."""
    return Word(_KIND, Truth.FALSE, "NotAClaim", no_claim(job.namespace, results), is_trouble=True)


def collected(told: Collected, results: Results) -> Word:
    files = "1 file" if told.count == 1 else f"{told.count} files"
    first = f"; {told.files[0].path} has SHA-256 {told.files[0].sha256}" if told.files else ""
    sentence = f"{files} of {told.size} bytes are in the claim {results.claim}{first}"
    return Word(_KIND, Truth.TRUE, "Collected", sentence)


def not_asked_for(told: Collected) -> Word:
    return Word(_KIND, Truth.FALSE, "NotAskedFor", told.words, is_silent=True)


def collect_failed(job: SlurmJob, why: str) -> Word:
    sentence = (
        f"{why}; the job is not touched, and its files are where it wrote them. See kubectl logs"
        f" -n {job.namespace} {pod_name(job.name)}"
    )
    return Word(_KIND, Truth.FALSE, "CollectFailed", sentence, is_trouble=True)


def never_started() -> Word:
    sentence = "the job ended before it began, so it left nothing"
    return Word(_KIND, Truth.FALSE, "NeverStarted", sentence, is_silent=True)


def forgotten(job_id: str, cluster: str) -> Word:
    sentence = (
        f"cluster {cluster} does not know job {job_id} any more, so its files cannot be asked for;"
        " they are where it wrote them"
    )
    return Word(_KIND, Truth.FALSE, "JobForgotten", sentence, is_trouble=True)


def not_offered(cluster: str) -> Word:
    sentence = (
        f"cluster {cluster} is reached over ssh, and results are collected through a gateway alone:"
        " its administrator names the gateway's url for it in slurm-config. The job runs, its files"
        " stay where it writes them"
    )
    return Word(_KIND, Truth.FALSE, "NotOffered", sentence, is_trouble=True)


def loopback(cluster: Cluster, by: ByGateway) -> Word:
    sentence = (
        f"the gateway of cluster {cluster.name} is named {by.url}, which to a pod is the pod"
        " itself: its administrator names an address in slurm-config that pods reach"
    )
    return Word(_KIND, Truth.FALSE, "AddressUnreachable", sentence, is_trouble=True)


def closed(namespace: str, why: str) -> Word:
    sentence = (
        f"the operator cannot work with pods and Secrets in the namespace {namespace}: {why}."
        f" Where it lacks the right, an administrator adds the RoleBinding {ROLE}: kubectl apply -n"
        f" {namespace} -k deploy/overlays/results"
    )
    return Word(_KIND, Truth.FALSE, "NamespaceNotOpened", sentence, is_trouble=True)


def no_token(cluster: str, why: str) -> Word:
    sentence = (
        f"the gateway of cluster {cluster} gives no token for the job: {why}; the operator's own"
        " token needs the scopes jobs:read and files:read"
    )
    return Word(_KIND, Truth.FALSE, "NoToken", sentence, is_trouble=True)


def name_taken(job: SlurmJob) -> Word:
    sentence = (
        f"there is a pod {pod_name(job.name)} already, which is not this SlurmJob's: delete it, or"
        " give this SlurmJob another name"
    )
    return Word(_KIND, Truth.FALSE, "NameTaken", sentence, is_trouble=True)


def follows(job: SlurmJob) -> Word:
    sentence = (
        f"kubectl logs -n {job.namespace} {pod_name(job.name)} shows what it writes; results are"
        " collected when it is over"
    )
    return Word(_KIND, Truth.FALSE, "JobRuns", sentence, is_silent=True)


def copies() -> Word:
    return Word(_KIND, Truth.FALSE, "Collecting", "the files are being copied", is_silent=True)


def waits(job: SlurmJob, why: str) -> Word:
    sentence = f"the pod {pod_name(job.name)} has not begun: {why}"
    return Word(_KIND, Truth.FALSE, "PodWaits", sentence, is_trouble=True)


def made_again(job: SlurmJob, why: str) -> Word:
    sentence = (
        f"the pod {pod_name(job.name)} ended before it had collected all: {why}. It is made again,"
        " and goes on where it was"
    )
    return Word(_KIND, Truth.FALSE, "MadeAgain", sentence, is_trouble=True)
