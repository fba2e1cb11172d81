"""What is to be done about a SlurmJob's results: when its companion is made, and what its end says.

A companion is made when the job runs, or has run: one that waits for days needs no pod. It is made
again for as long as it dies, never while another of its name is there. Only a job that was found by
its mark is asked for: what a status says of it a tenant may have written. Whatever becomes of the
results, the phase of the job stays what it is. Pure.
"""

import re
from datetime import timedelta

from waldur_slurm.operator.jobs import results_words as words
from waldur_slurm.operator.jobs import status
from waldur_slurm.operator.jobs.phases import JobPhase, standing_of
from waldur_slurm.operator.jobs.pods import Ended, Pod, Waiting, Working
from waldur_slurm.operator.jobs.port import SeenJob
from waldur_slurm.operator.jobs.sight import Absence, Doubt, Sight
from waldur_slurm.operator.jobs.steps import ForgetToken, MakeCompanion, SetStatus, Step, Tell
from waldur_slurm.operator.jobs.words import Kind, Truth, Word
from waldur_slurm.operator.model.cluster import ByGateway
from waldur_slurm.operator.model.collected import COLLECTED, FAILED, Collected
from waldur_slurm.operator.model.slurm_job import Results, SlurmJob

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=5)
"""Between one that died and the next."""

_LOOPBACK = re.compile(r"https?://(localhost|127(\.\d+){3}|\[::1\])(:\d+)?(/.*)?", re.IGNORECASE)


def is_open(job: SlurmJob) -> bool:
    """Whether results are asked for, and nothing final was said of them."""
    if job.spec.results is None:
        return False
    said = status.condition(job.status, Kind.RESULTS_COLLECTED) or {}
    is_collected = said.get("status") == Truth.TRUE.value
    return not is_collected and said.get("reason") not in words.FINAL


def needs_pods(job: SlurmJob, sight: Sight) -> bool:
    """Whether it has to be known which pod it has."""
    if not is_open(job) or not isinstance(sight.cluster.by, ByGateway):
        return False
    seen = sight.answer(job)
    return status.is_complete(job) or (isinstance(seen, SeenJob) and _has_begun(seen))


def plan_companion(job: SlurmJob, sight: Sight) -> tuple[Step, ...]:
    """Decide for one of which all else is said already."""
    results = job.spec.results
    if results is None or not is_open(job):
        return ()
    if not isinstance(sight.cluster.by, ByGateway):
        return _say(job, words.not_offered(sight.cluster.name), sight)
    if not results.is_claim:
        return _say(job, words.not_a_claim(job, results), sight)
    companions = sight.companions
    if companions is None or job.namespace not in companions.namespaces:
        return ()
    pod = companions.pods.get(job.uid)
    if pod is None:
        return _begin(job, sight, sight.cluster.by, companions.obstacles.get(job.uid))
    return () if pod.is_leaving else _follow(job, pod, results, sight)


def _begin(job: SlurmJob, sight: Sight, by: ByGateway, obstacle: Word | None) -> tuple[Step, ...]:
    match sight.answer(job):
        case SeenJob() as seen if not _has_begun(seen):
            return ()
        case SeenJob() as seen if _never_began(seen):
            return _say(job, words.never_started(), sight)
        case SeenJob() as seen:
            if _LOOPBACK.fullmatch(by.url):
                obstacle = words.loopback(sight.cluster, by)
            return _say(job, obstacle, sight) if obstacle else (MakeCompanion(seen.ref),)
        case Absence.NEVER:
            return _say(job, words.never_started(), sight)
        case Absence.LOST:
            number = str(job.status.get("jobId"))
            return (ForgetToken(), *_say(job, words.forgotten(number, sight.cluster.name), sight))
        case Doubt():
            return ()


def _follow(job: SlurmJob, pod: Pod, results: Results, sight: Sight) -> tuple[Step, ...]:
    match pod.state:
        case Waiting(""):
            return ()
        case Waiting(why):
            return _say(job, words.waits(job, why), sight)
        case Working():
            seen = sight.answer(job)
            runs = isinstance(seen, SeenJob) and not _is_over(seen)
            return _say(job, words.follows(job) if runs else words.copies(), sight)
        case Ended(code, told, why) as ended:
            if code == COLLECTED and told:
                word = words.not_asked_for(told) if told.words else words.collected(told, results)
                return (ForgetToken(), *_say(job, word, sight, told))
            if code == FAILED:
                word = words.collect_failed(job, told.words if told else why)
                return (ForgetToken(), *_say(job, word, sight, told))
            return _make_again(job, pod, ended, sight)


def _make_again(job: SlurmJob, pod: Pod, ended: Ended, sight: Sight) -> tuple[Step, ...]:
    why = ended.told.words if ended.told else ended.why
    said = _say(job, words.made_again(job, why or f"exit code {ended.code}"), sight)
    seen = sight.answer(job)
    is_due = ended.at is None or sight.now >= ended.at + _pause(pod.attempt)
    if not is_due or not isinstance(seen, SeenJob):
        return said
    return (*said, MakeCompanion(seen.ref, pod.attempt + 1, pod))


def _pause(attempt: int) -> timedelta:
    grown: int = 2 ** min(attempt - 1, 8)
    return min(FIRST_PAUSE * grown, LONGEST_PAUSE)


def _has_begun(seen: SeenJob) -> bool:
    phase = standing_of(seen).phase
    return phase is JobPhase.RUNNING or phase.is_over


def _never_began(seen: SeenJob) -> bool:
    return standing_of(seen).phase is JobPhase.CANCELLED and seen.started is None


def _is_over(seen: SeenJob) -> bool:
    return standing_of(seen).phase.is_over


def _say(
    job: SlurmJob, word: Word, sight: Sight, told: Collected | None = None
) -> tuple[Step, ...]:
    after = status.noted(job, [word], sight.now)
    if told and told.count:
        after["results"] = status.results(told)
    if after == job.status:
        return ()
    news = status.news(job, [word])
    return (*(Tell(each.told()) for each in news), SetStatus(after))
