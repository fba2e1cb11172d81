"""What holds for every SlurmJob, whatever is wanted, found, remembered, forged or killed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.jobs import START
from tests.fakes.kube_jobs import KUBERNETES, FakeKube
from tests.unit.operator.jobs.bench import ALPHA, Bench
from waldur_slurm.model.job_state import JobState
from waldur_slurm.operator.jobs.memory import Attempt, Memory
from waldur_slurm.operator.jobs.phases import is_over
from waldur_slurm.operator.jobs.plan import JobPlan, cut, plan_job
from waldur_slurm.operator.jobs.port import ClusterFacts, Found, JobRef, SeenJob
from waldur_slurm.operator.jobs.sight import Sight
from waldur_slurm.operator.jobs.steps import (
    Accept,
    Cancel,
    Keep,
    LetGo,
    SetStatus,
    Steer,
    Step,
    Submit,
)
from waldur_slurm.operator.model.identity import Identity
from waldur_slurm.operator.model.slurm_job import ABANDON, CLUSTER, FINALIZER, SlurmJob

T = TypeVar("T")
NOW = START + timedelta(hours=1)
Where = Literal["there", "absent", "unknown", "tried", "not asked", "another's"]

# Worlds

words = st.sampled_from(
    ["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "REQUEUE_HOLD", "NEW_ONE"]
)
states = st.builds(JobState, words, st.sampled_from([(), ("COMPLETING",), ("REQUEUED",)]))
texts = st.sampled_from(["", "Pending", "Running", "Succeeded", "Failed", "Unknown", "1", "True"])
conditions = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Accepted", "Submitted", "Suspended", "Finished", "x"]),
            "status": st.sampled_from(["True", "False", "Unknown", 7]),
            "reason": st.sampled_from(["Suspended", "SuspendRefused", "Lost", "Refused", ""]),
        }
    ),
    max_size=3,
)
statuses: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "phase": texts,
        "reason": st.sampled_from(["OutcomeUnknown", "Suspended", ""]),
        "jobId": texts,
        "cluster": st.sampled_from(["alpha", "beta", "", 7]),
        "conditions": st.one_of(conditions, st.just(7)),
        "output": st.sampled_from([{"tail": "x"}, 7]),
        "observedGeneration": st.integers(0, 3),
    },
)
moments = st.integers(0, 3600).map(lambda seconds: START + timedelta(seconds=seconds))


def mostly(usual: T, odd: T) -> st.SearchStrategy[T]:
    """Choose the usual more often, so that worlds get far enough to be odd elsewhere."""
    return st.sampled_from([usual, usual, usual, odd])


@dataclass(frozen=True)
class World:
    """One SlurmJob of cluster alpha, and all that a turn knows of it."""

    job: SlurmJob
    sight: Sight
    where: Where

    @property
    def steps(self) -> tuple[Step, ...]:
        return plan_job(self.job, self.sight)

    @property
    def is_abandoned(self) -> bool:
        return self.job.annotations.get(ABANDON) == "true"


@st.composite
def worlds(draw: Callable[[st.SearchStrategy[Any]], Any]) -> World:
    kube = FakeKube()
    uid = kube.apply(
        namespace=draw(mostly("physics", "else")),
        suspend=draw(mostly(False, True)),
        cancelPolicy=draw(st.sampled_from(["Cancel", "Orphan"])),
        managedBy=draw(mostly("slurm.sylabs.io/operator", "somebody/else")),
        options=draw(mostly({"time": "1"}, {"comment": "x"})),
    )
    pinned: dict[str, str] = draw(st.sampled_from([{}, {CLUSTER: "alpha"}]))
    abandoned: dict[str, str] = draw(st.sampled_from([{}, {ABANDON: "true"}]))
    job = replace(
        kube.job(uid),
        is_deleted=draw(mostly(False, True)),
        finalizers=draw(st.sampled_from([(), (FINALIZER,)])),
        annotations=pinned | abandoned,
        status=draw(statuses),
    )
    where: Where = draw(
        st.sampled_from(["there", "absent", "unknown", "tried", "not asked", "another's"])
    )
    attempts = st.builds(Attempt, moments, moments, st.integers(1, 9), st.booleans())
    memory = Memory(
        attempts=draw(st.one_of(st.just({}), st.dictionaries(st.just(uid), attempts))),
        cancelled=draw(st.dictionaries(st.just(uid), moments)),
        missing=draw(st.dictionaries(st.sampled_from([uid, *"abcdefgh"]), moments)),
        doubtful=draw(st.dictionaries(st.just(uid), moments)),
    )
    facts = ClusterFacts("22.05", draw(st.booleans()), timedelta(minutes=5))
    sight = Sight(
        kubernetes=KUBERNETES,
        cluster=ALPHA,
        clusters={"alpha": ALPHA},
        now=NOW,
        found=found_of(uid, where, draw(states), draw(st.sampled_from(["JobHeldUser", "None"]))),
        facts=draw(st.sampled_from([None, facts])),
        memory=memory,
        known=draw(st.integers(0, 9)),
    )
    return World(job, sight, where)


def found_of(uid: str, where: Where, state: JobState, reason: str) -> Found | None:
    mark = Identity(KUBERNETES, uid).mark
    named = mark if where == "there" else "k8s:another"
    seen = SeenJob(JobRef("7", START, named, "svc-physics"), state, reason)
    jobs = {mark: seen} if where in ("there", "another's") else {}
    one, none = frozenset({mark}), frozenset[str]()
    match where:
        case "not asked":
            return None
        case "absent":
            return Found(NOW, jobs, one, none)
        case "tried":
            return Found(NOW, jobs, none, one, "not shown", one)
        case "unknown":
            return Found(NOW, jobs, none, one, "silent")
        case _:
            return Found(NOW, jobs, none, none)


def of(kind: type[T], steps: tuple[Step, ...]) -> list[T]:
    return [step for step in steps if isinstance(step, kind)]


def seen_of(world: World) -> SeenJob | None:
    if world.where != "there" or world.sight.found is None:
        return None
    (seen,) = world.sight.found.jobs.values()
    return seen


# Laws of one plan


@given(worlds())
def test_where_nobody_can_say_nothing_is_done_but_to_say_so(world: World) -> None:
    if world.where not in ("unknown", "not asked", "another's"):
        return
    steps = world.steps
    assert not of(Submit, steps)
    assert not of(Cancel, steps)
    assert not of(Steer, steps)
    if not (world.is_abandoned and world.job.is_deleted):
        assert not of(LetGo, steps)
    for step in of(SetStatus, steps):
        for key in ("jobId", "slurm", "exitCode"):
            assert step.status.get(key) == world.job.status.get(key)
        if "phase" in world.job.status:
            assert step.status["phase"] == world.job.status["phase"]


@given(worlds())
def test_only_what_was_found_by_its_own_mark_is_touched(world: World) -> None:
    seen = seen_of(world)
    steps: list[Cancel | Steer] = [*of(Cancel, world.steps), *of(Steer, world.steps)]
    for step in steps:
        assert seen is not None
        assert step.job == seen.ref
        assert not is_over(seen)


@given(worlds())
def test_it_is_handed_in_only_where_there_is_no_job_and_never_was(world: World) -> None:
    submits = of(Submit, world.steps)
    assert len(submits) <= 1
    if not submits:
        return
    job = world.job
    assert world.where in ("absent", "tried")
    assert not job.status.get("jobId")
    assert job.status.get("reason") != "OutcomeUnknown"
    assert (job.is_deleted, job.spec.suspend, job.is_ours) == (False, False, True)
    assert job.namespace == "physics"
    assert submits[0].wanted.key == job.uid
    assert submits[0].wanted.mark == Identity(KUBERNETES, job.uid).mark
    assert submits[0].wanted.user == "svc-physics"


@given(worlds())
def test_it_is_held_and_its_cluster_written_down_before_it_is_handed_in(world: World) -> None:
    steps = world.steps
    for at, step in enumerate(steps):
        if isinstance(step, Submit):
            is_taken = world.job.is_held and world.job.annotations.get(CLUSTER) == step.cluster
            assert is_taken or Accept(step.cluster) in steps[:at]


@given(worlds())
def test_it_is_let_go_only_where_its_job_is_over_kept_or_abandoned(world: World) -> None:
    steps = world.steps
    if not of(LetGo, steps):
        return
    assert world.job.is_deleted
    seen = seen_of(world)
    if seen is not None and not is_over(seen):
        assert isinstance(steps[0], Keep)
    elif world.where not in ("there", "absent"):
        assert world.is_abandoned


@given(worlds())
def test_what_others_manage_is_never_written_but_to_let_it_go(world: World) -> None:
    if world.job.is_ours or (world.job.is_deleted and world.job.is_held):
        return
    assert world.steps == ()


@given(st.lists(worlds(), max_size=12), st.integers(0, 3))
def test_a_cut_plan_submits_so_many_at_most_and_ends_before_it_begins(
    some: list[World], most: int
) -> None:
    plan = cut((JobPlan(each.job, each.steps) for each in some), most)
    kinds = [bool(of(Submit, each.steps)) for each in plan.jobs]
    endings = [each.job.is_deleted for each in plan.jobs]

    assert kinds.count(True) <= most
    assert kinds == sorted(kinds)
    assert endings == sorted(endings, reverse=True)
    assert len(plan.jobs) + plan.put_off == sum(bool(each.steps) for each in some)


# Laws of a life


class Killed(BaseException):
    """The operator was killed in this moment."""


class Mortal:
    """Whatever is asked through it is counted; the operator dies before or after one of them."""

    def __init__(self, real: object, countdown: list[int], *, before: bool) -> None:
        self._real = real
        self._countdown = countdown
        self._before = before

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if name.startswith(("read", "look", "list")):
            return real

        def asked(*given: Any) -> Any:
            self._countdown[0] -= 1
            if self._countdown[0] == 0 and self._before:
                raise Killed
            answer = real(*given)
            if self._countdown[0] == 0:
                raise Killed
            return answer

        return asked


Deed = Literal["suspend", "resume", "run", "end", "fail", "delete", "lose", "pass"]
REST: tuple[Deed, ...] = ("pass", "pass", "pass")
deeds = st.lists(
    st.sampled_from(["suspend", "resume", "run", "end", "fail", "delete", "lose", "pass"]),
    max_size=7,
)


def do(bench: Bench, uid: str, deed: Deed) -> None:
    match deed:
        case "suspend" | "resume" if uid in bench.kube.objects:
            bench.kube.apply(suspend=deed == "suspend")
        case "run":
            bench.queue.tick()
        case "end" | "fail":
            for job in bench.queue.jobs:
                if job.state == JobState("RUNNING"):
                    job.end("COMPLETED" if deed == "end" else "FAILED", int(deed == "fail"))
        case "delete" if uid in bench.kube.objects:
            bench.kube.delete(uid)
        case "lose":
            bench.queue.loses_answers = not bench.queue.loses_answers
        case _:
            pass


def settle(bench: Bench) -> None:
    bench.queue.loses_answers = False
    bench.turn(15, after=31)


def wanted(bench: Bench, uid: str) -> None:
    """What has to be so in the end, whatever happened on the way."""
    assert len(bench.queue.jobs) <= 1
    state = bench.queue.jobs[0].state if bench.queue.jobs else None
    if uid not in bench.kube.objects:
        assert state is None or state.is_terminal
        return
    status, spec = bench.kube.status(uid), bench.kube.job(uid).spec
    assert bench.kube.job(uid).is_held or spec.suspend
    if state is None:
        assert (spec.suspend, status["phase"]) == (True, "Pending")
        return
    assert status["jobId"] == "1"
    over = {"COMPLETED": "Succeeded", "FAILED": "Failed"}
    if state.is_terminal:
        assert (status["phase"], status["output"]) == (over[state.base], {"tail": ""})
    else:
        assert ("held" in bench.queue.jobs[0].reason.lower()) is spec.suspend


@given(deeds, st.integers(1, 40), st.booleans())
def test_a_kill_at_any_moment_costs_a_turn_and_nothing_else(
    plot: list[Deed], countdown: int, before: bool
) -> None:
    bench = Bench()
    uid = bench.kube.apply()
    left = [countdown]
    bench.cycle.kube = Mortal(bench.kube, left, before=before)
    bench.cycle.jobs = Mortal(bench.cycle.jobs, left, before=before)
    for deed in (*plot, *REST):
        do(bench, uid, deed)
        try:
            bench.turn()
        except Killed:
            bench.restart()
    bench.restart()
    settle(bench)

    wanted(bench, uid)


@given(deeds)
def test_where_all_is_as_wanted_no_step_is_left_and_nothing_is_written(plot: list[Deed]) -> None:
    bench = Bench()
    uid = bench.kube.apply()
    for deed in plot:
        do(bench, uid, deed)
        bench.turn()
    settle(bench)
    before = [*bench.kube.writes]
    assert bench.cycle.plan(bench.kube.snapshot()).jobs == ()
    bench.turn(3)

    assert bench.kube.writes == before
    assert all(count == 1 for (_, told), count in bench.kube.events.items() if told.reason in TOLD)


TOLD = ("Submitted", "Cancelling", "Succeeded")
