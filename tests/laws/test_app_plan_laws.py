"""Laws of plans for managed jobs, whatever their record, what is wished and what Slurm says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.cluster import live_job
from waldur_slurm.gateway.apps.job import End, ManagedJob, Run, Stage
from waldur_slurm.gateway.apps.plan import (
    Cancel,
    Empty,
    Forget,
    Gone,
    Idle,
    Live,
    NoteEnd,
    OpenRun,
    Over,
    RemoveTree,
    Said,
    SetStage,
    Silent,
    Step,
    Submit,
    Unsent,
    Wish,
    is_started,
    plan,
    plan_rest,
)
from waldur_slurm.gateway.errors import Busy, GatewayError, NotNow
from waldur_slurm.model.names import UserName

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ENDED = Run("first", 1, NOW, 11, end=End("COMPLETED", 0, 0))
UNSENT = Run("second", 2, NOW)
SENT = replace(UNSENT, slurm_id=12)
SILENT = Silent("Slurm does not answer")
LIVE = Live(live_job(12))

OF_OPEN_RUN: st.SearchStrategy[Said] = st.sampled_from(
    [LIVE, Over(End("FAILED", 1, 0)), Gone(), SILENT]
)
WISHES = st.sampled_from([Wish.START, Wish.STOP, Wish.PRUNE, Wish.PRUNE_ANYWAY, Wish.DELETE])


@st.composite
def scenes(draw: st.DrawFn) -> tuple[ManagedJob, Said]:
    """Draw a record with what can be said of it."""
    runs = draw(st.sampled_from([(), (ENDED,), (ENDED, UNSENT), (ENDED, SENT), (SENT,)]))
    job = ManagedJob("job", "app", UserName("ann"), 2001, "name", NOW, Stage.READY, runs)
    if job.open_run is None:
        return job, Idle()
    return job, Unsent() if job.open_run.slurm_id is None else draw(OF_OPEN_RUN)


def planned(job: ManagedJob, wish: Wish, said: Said) -> tuple[Step, ...]:
    try:
        return plan(job, wish, said)
    except GatewayError:
        return ()


@given(scenes(), WISHES)
def test_silence_starts_stops_and_removes_nothing(
    scene: tuple[ManagedJob, Said], wish: Wish
) -> None:
    job, said = scene
    if not isinstance(said, Silent) or wish is Wish.PRUNE_ANYWAY:
        return
    with pytest.raises(NotNow):
        plan(job, wish, said)


@given(scenes())
def test_what_waits_or_runs_is_not_started_again(scene: tuple[ManagedJob, Said]) -> None:
    job, said = scene
    steps = planned(job, Wish.START, said)

    if isinstance(said, Live):
        assert steps == ()
    assert steps.count(OpenRun()) <= 1
    assert (OpenRun() in steps) <= (not is_started(job, said))


@given(scenes())
def test_a_start_ends_with_one_submission_unless_it_is_started(
    scene: tuple[ManagedJob, Said],
) -> None:
    job, said = scene
    if isinstance(said, Live | Silent):
        return

    steps = plan(job, Wish.START, said)

    assert steps[-1] == Submit()
    assert steps.count(Submit()) == 1


@given(scenes(), WISHES)
def test_a_run_is_opened_before_it_is_handed_in_and_the_one_before_is_closed(
    scene: tuple[ManagedJob, Said], wish: Wish
) -> None:
    job, said = scene
    steps = planned(job, wish, said)

    if OpenRun() in steps:
        assert steps.index(OpenRun()) < steps.index(Submit())
        ended = [step for step in steps if isinstance(step, NoteEnd)]
        assert (job.open_run is not None) == bool(ended)
        assert all(steps.index(step) < steps.index(OpenRun()) for step in ended)


@given(scenes())
def test_nothing_is_cancelled_but_what_is_started_and_stopping_never_starts(
    scene: tuple[ManagedJob, Said],
) -> None:
    job, said = scene
    steps = planned(job, Wish.STOP, said)

    assert (Cancel() in steps) == isinstance(said, Live | Unsent)
    assert OpenRun() not in steps


@given(scenes())
def test_a_started_job_is_pruned_by_force_alone(scene: tuple[ManagedJob, Said]) -> None:
    job, said = scene
    assert planned(job, Wish.PRUNE_ANYWAY, said) == (Empty(),)
    if isinstance(said, Live | Unsent):
        with pytest.raises(Busy):
            plan(job, Wish.PRUNE, said)


@given(scenes())
def test_a_job_is_hidden_when_it_is_stopped_and_forgotten_when_nothing_of_it_is_left(
    scene: tuple[ManagedJob, Said],
) -> None:
    job, said = scene
    steps = planned(job, Wish.DELETE, said)
    if steps:
        hidden = steps.index(SetStage(Stage.DELETING))
        assert all(hidden > at for at, step in enumerate(steps) if step == Cancel())
        assert steps[hidden + 1 :] == (RemoveTree(), Forget())


@given(scenes(), WISHES)
def test_after_any_prefix_the_rest_follows_from_the_record(
    scene: tuple[ManagedJob, Said], wish: Wish
) -> None:
    """What is asked again after a crash does what is left: never a second run, never less."""
    job, said = scene
    steps = planned(job, wish, said)
    for done in range(len(steps)):
        later, heard = after(job, said, steps[:done])
        if later.stage is Stage.DELETING:
            assert plan_rest(later, heard)[-2:] == (RemoveTree(), Forget())
            continue
        again = planned(later, wish, heard)
        assert again == steps[done:] or set(again) <= set(steps)
        assert len(later.runs) + again.count(OpenRun()) == len(job.runs) + steps.count(OpenRun())


def after(job: ManagedJob, said: Said, steps: tuple[Step, ...]) -> tuple[ManagedJob, Said]:
    """Do steps to a record, as the store would, and say what is then said."""
    for step in steps:
        match step:
            case SetStage(stage):
                job = replace(job, stage=stage)
            case NoteEnd(run, end):
                runs = tuple(
                    replace(each, end=end) if each.id == run else each for each in job.runs
                )
                job, said = replace(job, runs=runs), Idle()
            case OpenRun():
                job = replace(job, runs=(*job.runs, replace(UNSENT, id="new")))
                said = Unsent()
            case Submit():
                job = replace(job, runs=(*job.runs[:-1], replace(job.runs[-1], slurm_id=12)))
                said = LIVE
            case _:
                pass
    return job, said
