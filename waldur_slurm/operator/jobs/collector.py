"""Companions of one cluster's SlurmJobs: looked for, made, and let go of.

Why one could not be made is kept for a minute, to be said of its SlurmJob; then it is tried again.
Only namespaces where results are open are looked into, once a turn: the operator needs no right
in any other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from waldur_slurm.operator.errors import ChangedMeanwhile, Invalid, KubeError, NotAllowed
from waldur_slurm.operator.jobs import results_words as words
from waldur_slurm.operator.jobs.companion import Means, pod_name, pod_of, secret_of
from waldur_slurm.operator.jobs.pods import Companions, Pod, Pods
from waldur_slurm.operator.jobs.port import Jobs, Refused
from waldur_slurm.operator.jobs.steps import MakeCompanion
from waldur_slurm.operator.jobs.words import Word
from waldur_slurm.operator.model.slurm_job import Results, SlurmJob

TOKEN_LASTS = timedelta(days=7)
"""As long as a gateway allows; a job that runs for longer has another companion then."""

AGAIN_AFTER = timedelta(minutes=1)


class Collector:
    """`means` are read anew for each: certificates are replaced."""

    def __init__(
        self, pods: Pods, cluster: str, means: Callable[[], Means], now: Callable[[], datetime]
    ) -> None:
        self._pods = pods
        self._cluster = cluster
        self._means = means
        self._now = now
        self._obstacles: dict[str, tuple[Word, datetime]] = {}
        self._collided: set[str] = set()

    def look(self, jobs: Iterable[SlurmJob], note: Callable[[str], None]) -> Companions:
        """Look for those of these SlurmJobs; what cannot be looked into just now is left out."""
        by_namespace: dict[str, list[SlurmJob]] = defaultdict(list)
        for job in jobs:
            by_namespace[job.namespace].append(job)
        pods: dict[str, Pod] = {}
        looked_into: set[str] = set()
        for namespace, its in sorted(by_namespace.items()):
            try:
                pods |= {pod.of: pod for pod in self._pods.list_companions(namespace)}
            except NotAllowed as error:
                for job in its:
                    self._note(job, words.closed(namespace, str(error)))
            except KubeError as error:
                note(f"companions in {namespace} cannot be looked for: {error}")
                continue
            looked_into.add(namespace)
        self._collided -= pods.keys()
        return Companions(frozenset(looked_into), pods, self._obstacles_now())

    def make(self, job: SlurmJob, step: MakeCompanion, slurm: Jobs) -> bool:
        """Return whether it was made; where not, the next look says why."""
        results = job.spec.results
        if results is None:
            return False
        try:
            self._make(job, results, step, slurm)
        except Refused as error:
            self._note(job, words.no_token(self._cluster, str(error)))
        except (NotAllowed, Invalid) as error:
            self._note(job, words.closed(job.namespace, str(error)))
        except ChangedMeanwhile:
            self._note_collision(job)
        else:
            return True
        return False

    def forget_token(self, job: SlurmJob) -> None:
        self._pods.forget_token(job.namespace, pod_name(job.name))

    def _make(self, job: SlurmJob, results: Results, step: MakeCompanion, slurm: Jobs) -> None:
        if step.instead_of:
            self._pods.end_companion(job.namespace, step.instead_of)
        means = self._means()
        token = slurm.make_token(step.job, TOKEN_LASTS)
        secret = secret_of(job, results, means, step.job.job_id, token)
        self._pods.make_companion(secret, pod_of(job, results, means, step.attempt))

    def _note_collision(self, job: SlurmJob) -> None:
        """Once, another operator may have been faster; its pod is then seen."""
        if job.uid in self._collided:
            self._note(job, words.name_taken(job))
        self._collided.add(job.uid)

    def _note(self, job: SlurmJob, word: Word) -> None:
        self._obstacles[job.uid] = (word, self._now() + AGAIN_AFTER)

    def _obstacles_now(self) -> dict[str, Word]:
        now = self._now()
        left = {uid: each for uid, each in self._obstacles.items() if now < each[1]}
        self._obstacles = left
        return {uid: word for uid, (word, _) in left.items()}
