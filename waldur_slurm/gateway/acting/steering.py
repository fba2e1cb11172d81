"""Jobs are steered as their owner, each act written down. Blocks."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from waldur_slurm.gateway.acting.actors import Actor
from waldur_slurm.gateway.acting.audit import Act, Audit
from waldur_slurm.gateway.acting.meant import Meant
from waldur_slurm.gateway.acting.words import refusals, refused
from waldur_slurm.gateway.errors import GatewayError, OutcomeUnknown
from waldur_slurm.gateway.errors import Refused as NotDone
from waldur_slurm.model.batch import Cancelled, JobId, Refusal, Refused, Verb
from waldur_slurm.slurm.batch.port import JobRefused

Outcome = Cancelled | GatewayError

VERBS: Mapping[str, Verb] = {
    "hold": Verb.HOLD_AS_USER,
    "release": Verb.RELEASE,
    "requeue": Verb.REQUEUE,
    "requeuehold": Verb.REQUEUE_HELD,
    "suspend": Verb.SUSPEND,
    "resume": Verb.RESUME,
}
"""What somebody holds he can release: even where he is an operator of Slurm it is his own hold."""

RUNS_AGAIN = frozenset({"requeue", "requeuehold"})
"""What does something else when it is done twice."""


class Steering:
    """One user's jobs, as the actor steers them."""

    def __init__(self, actor: Actor, audit: Audit) -> None:
        self._actor = actor
        self._audit = audit

    def cancel(self, jobs: Collection[JobId], signal: str) -> Mapping[JobId, Outcome]:
        """End jobs of one user, or send them a signal, by one scancel; tell of each."""
        about = {"jobs": ",".join(map(str, jobs)), **({"signal": signal} if signal else {})}
        with self._doing("cancel", about) as learned:
            told = self._actor.batch.cancel(jobs, signal=signal)
            outcomes = {job: _outcome(job, each) for job, each in told.items()}
            errors = {job: each for job, each in outcomes.items() if isinstance(each, GatewayError)}
            if len(errors) == len(jobs) == 1:
                raise errors.popitem()[1]
            if errors:
                learned["not_done"] = "; ".join(f"{job}: {each}" for job, each in errors.items())
            return outcomes

    def control(self, verb: str, meant: Meant) -> None:
        with self._doing(verb, _about(meant)):
            self._actor.batch.control(VERBS[verb], meant.job)

    def update(self, meant: Meant, changes: Mapping[str, str]) -> None:
        with self._doing("update", {**_about(meant), "changes": dict(changes)}):
            self._actor.batch.update(meant.job, changes)

    def read_script(self, meant: Meant) -> str:
        """Looking is no act."""
        with _known():
            return self._actor.batch.read_script(meant.number)

    @contextmanager
    def _doing(self, what: str, about: Mapping[str, object]) -> Iterator[dict[str, object]]:
        act = Act(
            caller=self._actor.caller, user=self._actor.person.name, what=f"job.{what}", about=about
        )
        with self._audit.doing(act) as learned, _known():
            yield learned


@contextmanager
def _known() -> Iterator[None]:
    """Of a job that was found a moment ago nobody is told that there is none: Slurm refused it."""
    with refusals():
        try:
            yield
        except JobRefused as error:
            if error.why.refusal is not Refusal.JOB:
                raise
            raise NotDone(error.why.words, error.why.refusal.value) from error


def _about(meant: Meant) -> Mapping[str, object]:
    return {"job": str(meant.job), "submitted": meant.submitted.isoformat()}


def _outcome(job: JobId, told: Cancelled | Refused) -> Outcome:
    if isinstance(told, Refused):
        return refused(told)
    if told is Cancelled.SPARED:
        return OutcomeUnknown(f"scancel said nothing of job {job}")
    return told
