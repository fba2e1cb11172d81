"""What the limit that a job has met allows, and what is in use of it. Pure.

Of an account's own limits the gateway has no picture; a QoS tells its limits. What is in use is
counted where all jobs that count are seen.
"""

from collections.abc import Callable, Iterator

from waldur_slurm.gateway.reasons.limits import Limit, limit_of
from waldur_slurm.gateway.reasons.scene import Fact, Scene, holds
from waldur_slurm.gateway.reasons.words import word_of
from waldur_slurm.model.batch import Tasks
from waldur_slurm.model.cluster import Qos
from waldur_slurm.model.counting import counted
from waldur_slurm.model.live import LiveJob

Counts = Callable[[LiveJob], bool]
"""Whether a job counts against a limit."""

_JOBS: dict[tuple[str, str], Callable[[Qos], int | None]] = {
    ("", "jobs"): lambda qos: qos.group_jobs,
    ("", "submitjobs"): lambda qos: qos.group_submitted_jobs,
    ("User", "jobs"): lambda qos: qos.jobs_per_user,
    ("User", "submitjob"): lambda qos: qos.submitted_jobs_per_user,
    ("Account", "jobs"): lambda qos: qos.jobs_per_account,
    ("Account", "submitjobs"): lambda qos: qos.submitted_jobs_per_account,
}
_TRES: dict[str, Callable[[Qos], str]] = {
    "": lambda qos: qos.group_tres,
    "Job": lambda qos: qos.tres_per_job,
    "Node": lambda qos: qos.tres_per_node,
    "User": lambda qos: qos.tres_per_user,
    "Account": lambda qos: qos.tres_per_account,
}
_SPELLINGS = {"memory": "mem", "license": "license/", "gres": "gres/", "bb": "bb/"}


def limit_facts(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    word = word_of(job.reason)
    limit = limit_of(word)
    if word == "JobArrayTaskLimit":
        yield from _of_array(job, scene)
    elif limit is None or limit.is_of_qos:
        yield from _of_qos(job, limit, scene)
    elif limit.passes:
        yield from _of_account(job, scene)


def _of_array(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    running = [other for other in scene.jobs if other.id.number == job.id.number and holds(other)]
    at_once = job.id.part.at_once if isinstance(job.id.part, Tasks) else None
    bound = "" if at_once is None else f" of at most {at_once} at once"
    says = f"Running tasks of the array: {len(running)}{bound}."
    yield Fact("job", str(job.id.number), says, at_once, len(running))


def _of_account(job: LiveJob, scene: Scene) -> Iterator[Fact]:
    if not scene.sees_all or not job.account:
        return
    running = scene.holding(lambda other: other.account == job.account)
    cpus = sum(other.cpus for other in running)
    jobs = counted(len(running), "job")
    says = f"Account {job.account} has {jobs} running, with {counted(cpus, 'CPU')}."
    yield Fact("account", job.account, says, used=len(running))


def _of_qos(job: LiveJob, limit: Limit | None, scene: Scene) -> Iterator[Fact]:
    """Look at its own QoS and at those of its partitions: each may be the one that is met."""
    if limit is None:
        return
    partitions = {each.qos: each.name for each in scene.partitions_of(job) if each.qos}
    for qos in scene.qos or ():
        if qos.name == job.qos:
            yield from _allows(qos, limit, job, scene, _with_qos(qos.name))
        elif qos.name in partitions:
            yield from _allows(qos, limit, job, scene, _in_partition(partitions[qos.name]))


def _with_qos(name: str) -> Counts:
    return lambda other: other.qos == name


def _in_partition(name: str) -> Counts:
    return lambda other: other.partition == name


def _allows(qos: Qos, limit: Limit, job: LiveJob, scene: Scene, counts: Counts) -> Iterator[Fact]:
    used = _in_use(limit, job, scene, counts)
    if limit.thing == "wallduration":
        yield from _wall(qos, job)
    elif read := _JOBS.get((limit.per, limit.thing)):
        most = read(qos)
        if most is not None:
            number = None if used is None else _number(used, limit)
            yield Fact(
                "qos", qos.name, _says(qos, counted(most, "job"), limit, number), most, number
            )
    else:
        for name, amount in _amounts(qos, limit):
            held = (
                None
                if used is None or limit.minutes
                else sum(_of_tres(each, name) for each in used)
            )
            most = int(amount) if amount.isdecimal() else None
            yield Fact("qos", qos.name, _says(qos, f"{name}={amount}", limit, held), most, held)


def _wall(qos: Qos, job: LiveJob) -> Iterator[Fact]:
    if qos.max_wall_s is not None:
        says = f"QoS {qos.name} allows a job {qos.max_wall_s // 60} minutes."
        yield Fact("qos", qos.name, says, qos.max_wall_s, job.limit_s)


def _in_use(limit: Limit, job: LiveJob, scene: Scene, counts: Counts) -> list[LiveJob] | None:
    """Find what counts against it; None where not all that does is seen, or nothing does."""
    if limit.per in ("Job", "Node") or (limit.per != "User" and not scene.sees_all):
        return None
    return [
        other
        for other in scene.jobs
        if counts(other)
        and not other.state.is_terminal
        and (limit.per != "User" or other.user == job.user)
        and (limit.per != "Account" or other.account == job.account)
        and (limit.thing.startswith("submit") or holds(other))
    ]


def _number(used: list[LiveJob], limit: Limit) -> int:
    """Count jobs; tasks of an array that wait together are as many as they are."""
    if not limit.thing.startswith("submit"):
        return len(used)
    return sum(_tasks(each) for each in used)


def _tasks(job: LiveJob) -> int:
    part = job.id.part
    return sum(len(span.numbers) for span in part.spans) if isinstance(part, Tasks) else 1


def _amounts(qos: Qos, limit: Limit) -> Iterator[tuple[str, str]]:
    text = qos.group_tres_minutes if limit.minutes and not limit.per else _TRES[limit.per](qos)
    wanted = _SPELLINGS.get(limit.thing, limit.thing)
    for item in filter(None, text.split(",")):
        name, _, amount = item.partition("=")
        if name.startswith(wanted):
            yield name, amount


def _of_tres(job: LiveJob, name: str) -> int:
    return next((amount for each, amount in job.tres.items() if each == name), 0)


def _says(qos: Qos, what: str, limit: Limit, used: int | None) -> str:
    whom = {
        "User": " a user",
        "Account": " an account",
        "Job": " a job",
        "Node": " a job on a node",
    }
    in_use = "" if used is None else f"; {used} in use"
    minutes = " minutes" if limit.minutes else ""
    return f"QoS {qos.name} allows{whom.get(limit.per, '')} {what}{minutes}{in_use}."
