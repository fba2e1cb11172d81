"""What is asked about jobs, scene by scene: once while it is recorded, again by the parser tests.

Rule: a scene asks in a fixed order and with fixed marks, so that what was said fits what is asked.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from tests.contract.batch_site import FULL, sheet
from tests.contract.past_site import LAB
from waldur_slurm.errors import SlurmError
from waldur_slurm.model.batch import (
    BatchSheet,
    Estimate,
    GuardedState,
    JobId,
    Refusal,
    Submitted,
    Verb,
)
from waldur_slurm.model.details import JobDetails
from waldur_slurm.model.jobs import Run
from waldur_slurm.model.live import JobListing
from waldur_slurm.model.past import PastJob, PastQuery, PastStep
from waldur_slurm.processes.port import Transport
from waldur_slurm.slurm.batch.client import SlurmBatch
from waldur_slurm.slurm.batch.port import JobRefused
from waldur_slurm.slurm.batch.variables import ShellVariables
from waldur_slurm.slurm.live.client import ClusterClient
from waldur_slurm.slurm.past.client import HistoryClient
from waldur_slurm.slurm.tools import Tools

NONCE = "RecordedNonce"
NOWHERE = JobId(999_999)


def script(text: str) -> BatchSheet:
    return replace(sheet(), script=f"#!/bin/sh\n{text}")


REFUSED = {
    "partition": sheet(partition="nosuch"),
    "account": sheet(account="nosuch"),
    "qos": sheet(qos="nosuch"),
    "limit": sheet(account=FULL),
    "deadline": sheet(deadline="2001-01-01"),
    "feature": sheet(constraint="nosuch"),
    "node": sheet(nodelist="nosuch"),
    "gres": sheet(gres="nosuch:1"),
    "memory": sheet(mem="900000G"),
    "licence": sheet(licenses="nosuch:1"),
    "reservation": sheet(reservation="nosuch"),
    "array": sheet(array="0-99999999"),
    "cluster": sheet(clusters="nosuch"),
    "priority": sheet(nice="-100"),
    "empty": replace(sheet(), script=""),
    "no-interpreter": replace(sheet(), script="echo\n"),
    "line-ends": replace(sheet(), script="#!/bin/sh\r\nsleep 1\r\n"),
    "option": script("#SBATCH --nosuch\n"),
    "time": script("#SBATCH -t abc\n"),
    "dependency": script("#SBATCH --dependency=nonsense:1\n"),
}
"""Jobs that no Slurm takes, by what is wrong with them."""


def cluster_of(transport: Transport) -> ClusterClient:
    return ClusterClient(transport, nonce=lambda: NONCE)


def history_of(transport: Transport) -> HistoryClient:
    return HistoryClient(transport, LAB, nonce=lambda: NONCE)


def batch_of(transport: Transport) -> SlurmBatch:
    return SlurmBatch(ShellVariables(transport), Tools(transport))


@dataclass(frozen=True)
class Queue:
    listing: JobListing
    details: dict[Run, JobDetails]


def read_queue(cluster: ClusterClient) -> Queue:
    listing = cluster.read_jobs()
    return Queue(listing, dict(cluster.read_details(listing.jobs)))


def read_history(history: HistoryClient, query: PastQuery) -> tuple[list[PastJob], list[PastStep]]:
    jobs = [each for each in history.read_jobs(query) if isinstance(each, PastJob)]
    found = history.read_steps([job.id for job in jobs], query.since)
    return jobs, [step for steps in found.values() for step in steps]


def submit_what_is_refused(batch: SlurmBatch) -> dict[str, Refusal]:
    return dict(_refusals((name, _submitting(batch, job)) for name, job in REFUSED.items()))


def submit(batch: SlurmBatch) -> tuple[Submitted, Estimate]:
    given = sheet(hold=None, job_name="taken", time="5")
    return batch.submit(replace(given, variables={"A": "b,c=d"})), batch.estimate(given)


def steer(batch: SlurmBatch, own: JobId, others: JobId) -> dict[str, Refusal]:
    """Do to another's job, and to one that is not there, what a user does to his own."""
    acts: list[tuple[str, Callable[[], object]]] = [
        ("hold another's", lambda: batch.control(Verb.HOLD_AS_USER, others)),
        ("change another's", lambda: batch.update(others, {"Comment": "mine"})),
        ("release nobody's", lambda: batch.control(Verb.RELEASE, NOWHERE)),
        ("suspend one's own", lambda: batch.control(Verb.SUSPEND, own)),
        ("raise one's own", lambda: batch.update(own, {"Nice": "-100"})),
        ("move one's own", lambda: batch.update(own, {"Partition": "nosuch"})),
    ]
    return dict(_refusals(acts))


def cancel_all(batch: SlurmBatch, own: JobId, others: JobId) -> dict[JobId, object]:
    return {
        **batch.cancel([own], only=GuardedState.RUNNING),
        **batch.cancel([others, NOWHERE]),
    }


def ask_slurmctld(cluster: ClusterClient, batch: SlurmBatch) -> None:
    """Ask each tool once; what fails is what is wanted here."""
    for ask in questions(cluster, batch).values():
        with suppress(SlurmError):
            ask()


def questions(cluster: ClusterClient, batch: SlurmBatch) -> dict[str, Callable[[], object]]:
    return {
        "queue": cluster.read_jobs,
        "nodes": cluster.read_nodes,
        "partitions": cluster.read_partitions,
        "reservations": cluster.read_reservations,
        "licences": cluster.read_licenses,
        "statistics": cluster.read_statistics,
        "submit": lambda: batch.submit(sheet()),
        "estimate": lambda: batch.estimate(sheet()),
        "cancel": lambda: batch.cancel([NOWHERE]),
        "hold": lambda: batch.control(Verb.HOLD, NOWHERE),
    }


def _submitting(batch: SlurmBatch, job: BatchSheet) -> Callable[[], object]:
    return lambda: batch.submit(job)


def _refusals(
    acts: Iterable[tuple[str, Callable[[], object]]],
) -> Iterable[tuple[str, Refusal]]:
    for name, act in acts:
        try:
            act()
        except JobRefused as refused:
            yield name, refused.why.refusal
