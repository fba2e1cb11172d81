"""Handing in once: no plan makes a second job for a key, and none loses one."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateway.submits.desk import Desk
from waldur_slurm.gateway.errors import GatewayError, OutcomeUnknown
from waldur_slurm.gateway.submits.attempt import Attempt, Key
from waldur_slurm.gateway.submits.plan import (
    Absent,
    Adopt,
    AskAccounting,
    Listed,
    Recalled,
    Settlement,
    Sighted,
    StillUnknown,
    settle,
    settle_by_accounting,
)
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName
from waldur_slurm.slurm.grammar.keeping import Rules

OPENED = datetime(2026, 11, 30, 9, tzinfo=UTC)
DOUBT = 60
AGE = 300
ANN, BOB = UserName("ann"), UserName("bob")
JOB = JobId(7)


def after(seconds: float) -> datetime:
    return OPENED + timedelta(seconds=seconds)


class World(NamedTuple):
    """What became of one attempt; seconds since it was opened, None for never."""

    submitted: int | None
    lasted: int
    """Until it ended; slurmctld forgets it an age later."""
    told_after: int
    """How long after its end the accounting has heard of it."""
    stores_comments: bool
    bobs_copy: bool
    old_copy: bool
    may_wait: bool
    listed_at: int
    asked_after: int
    """How long after the list the accounting is asked."""
    clock: int
    """By how much slurmctld's is ahead."""

    @property
    def ended(self) -> int:
        return (self.submitted or 0) + self.lasted


worlds = st.builds(
    World,
    submitted=st.none() | st.integers(0, DOUBT),
    lasted=st.integers(0, 1200),
    told_after=st.integers(0, 600),
    stores_comments=st.booleans(),
    bobs_copy=st.booleans(),
    old_copy=st.booleans(),
    may_wait=st.booleans(),
    listed_at=st.integers(0, 3000),
    asked_after=st.integers(0, 10),
    clock=st.integers(-2, 2),
)


def sighted(job: JobId, user: UserName, at: int) -> Sighted:
    return Sighted(job, user, after(at), "/home")


def settled(world: World) -> Settlement:
    attempt = Attempt(
        key=Key("o", "k"),
        cluster="lab",
        user=ANN,
        fingerprint="",
        mark="M",
        opened=OPENED,
        doubt_until=after(DOUBT),
        may_wait=world.may_wait,
    )
    rules = Rules(timedelta(seconds=AGE), world.stores_comments)
    listed = Listed(after(world.listed_at), timedelta(seconds=1), (*copies(world), *seen(world)))
    found = settle(attempt, (), rules, listed)
    if isinstance(found, AskAccounting):
        return settle_by_accounting(attempt, (), listed, recalled(world))
    return found


def copies(world: World) -> tuple[Sighted, ...]:
    bobs = [sighted(JobId(8), BOB, 1)] if world.bobs_copy else []
    olds = [sighted(JobId(3), ANN, -3600)] if world.old_copy else []
    return (*bobs, *olds)


def seen(world: World) -> tuple[Sighted, ...]:
    """What slurmctld lists of the attempt's own job."""
    if world.submitted is None or not world.submitted <= world.listed_at < world.ended + AGE:
        return ()
    return (sighted(JOB, ANN, world.submitted + world.clock),)


def recalled(world: World) -> Recalled:
    """A job that ended before it might begin is in no window of the accounting."""
    asked = world.listed_at + world.asked_after
    told = world.ended + world.told_after
    is_told = world.submitted is not None and told <= asked and not world.may_wait
    return Recalled(
        began=after(asked),
        jobs=(sighted(JOB, ANN, (world.submitted or 0) + world.clock),) if is_told else (),
        is_behind=world.submitted is not None and world.ended <= asked < told,
    )


@given(worlds)
def test_a_job_that_is_there_or_was_or_may_come_is_never_called_absent(world: World) -> None:
    found = settled(world)

    if world.submitted is not None:
        assert not isinstance(found, Absent)
    if isinstance(found, Adopt):
        assert world.submitted is not None
        assert found.job.job_id == JOB


@given(worlds)
def test_a_job_that_slurmctld_lists_is_adopted_at_once(world: World) -> None:
    if seen(world):
        assert isinstance(settled(world), Adopt)


@given(worlds)
def test_what_has_no_job_is_known_to_have_none_where_anything_can_tell(world: World) -> None:
    if world.submitted is not None or world.listed_at < DOUBT:
        return
    found = settled(world)
    if world.listed_at < AGE:
        assert isinstance(found, Absent)
    elif not world.stores_comments or world.may_wait:
        assert isinstance(found, StillUnknown)
    elif world.listed_at + world.asked_after >= DOUBT + 5:
        assert isinstance(found, Absent)


@given(worlds, st.sampled_from(["list", "accounting"]))
def test_what_is_not_understood_proves_nothing(world: World, torn: str) -> None:
    attempt = Attempt(Key("o", "k"), "lab", ANN, "", "M", OPENED, after(DOUBT))
    rules = Rules(timedelta(seconds=AGE), world.stores_comments)
    listed = Listed(after(world.listed_at), timedelta(), (), is_torn=torn == "list")
    found = settle(attempt, (), rules, listed)
    if isinstance(found, AskAccounting):
        recalled = Recalled(after(9999), (), is_torn=torn == "accounting")
        assert isinstance(settle_by_accounting(attempt, (), listed, recalled), StillUnknown)
    elif torn == "list":
        assert isinstance(found, StillUnknown)


KEYS = st.sampled_from(["a", "b", "c"])
FATES = st.sampled_from(["well", "answers", "requests", "refused", "down"])


class Ask(NamedTuple):
    key: str
    fate: str


STEPS = st.one_of(
    st.builds(Ask, KEYS, FATES),
    st.sampled_from(["restart", "settle", "end all", "forget ended"]),
    st.sampled_from([0.5, 2.0, 4.0, 20.0]),
)


@given(st.lists(STEPS, max_size=25))
def test_whatever_happens_in_whatever_order_a_key_has_one_job_in_the_end(
    steps: list[Ask | str | float],
) -> None:
    desk = Desk()
    for step in steps:
        take(desk, step)
        assert all(count <= 1 for count in jobs_by_key(desk).values())
    for key in "abc":
        desk.wait(minutes=3)
        placed = ask(desk, Ask(key, "well"))
        assert jobs_by_key(desk)[key] == 1
        assert desk.queue.jobs[int(placed) - 1].sheet.options["job-name"] == key


def take(desk: Desk, step: Ask | str | float) -> None:
    match step:
        case Ask():
            ask(desk, step)
        case "restart":
            desk.start()
        case "settle":
            desk.start()
            desk.submitter.settler.settle_all()
        case "end all":
            for number in ended(desk, False):
                desk.end(number)
        case "forget ended":
            desk.wait(minutes=6)
            for number in ended(desk, True):
                desk.cluster.forget(number)
        case _:
            desk.wait(minutes=float(step))


def ended(desk: Desk, wanted: bool) -> list[int]:
    jobs = desk.cluster.jobs.items()
    return [number for number, job in jobs if job.state.is_terminal is wanted]


def ask(desk: Desk, asked: Ask) -> str:
    """Hand in under this key; return the job's number, empty where there was no answer."""
    desk.queue.loses_answers = asked.fate == "answers"
    desk.queue.loses_requests = asked.fate == "requests"
    desk.queue.is_down = asked.fate == "down"
    desk.queue.partitions = set() if asked.fate == "refused" else {"main"}
    options = {"job-name": asked.key, "partition": "main"}
    try:
        placed, _ = desk.submit(asked.key, **options)
    except OutcomeUnknown:
        return ""
    except GatewayError:
        assert asked.fate in ("refused", "down")
        return ""
    return str(placed.job_id)


def jobs_by_key(desk: Desk) -> dict[str, int]:
    named = [job.sheet.options["job-name"] for job in desk.queue.jobs]
    return {key: named.count(key) for key in "abc"}
