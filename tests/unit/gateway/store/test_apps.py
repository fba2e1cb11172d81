"""What a store of apps and managed jobs does, of the real one and the fake alike."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.apps import FakeApps, FakeJobs
from waldur_slurm.gateway.apps.app import App, Apps
from waldur_slurm.gateway.apps.job import End, Jobs, ManagedJob, Run, Stage
from waldur_slurm.gateway.store.apps import StoredApps, StoredJobs
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.model.names import UserName

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
APP = App("a9a5fc66-9bed-4a13-874a-d8d7d1756224", "portal", NOW)
JOB = ManagedJob("4a0eb4bf-845f-44c3-9253-9e214bf5031f", APP.id, UserName("ann"), 2001, "x", NOW)
RUN = Run("11111111-2222-4333-8444-555555555555", 1, NOW)
END = End("FAILED", 3, 0, NOW, NOW + timedelta(hours=1), "NonZeroExitCode")


@dataclass
class Kept:
    apps: Apps
    jobs: Jobs


@pytest.fixture(params=["fake", "sqlite"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    if request.param == "fake":
        jobs = FakeJobs()
        yield Kept(FakeApps(jobs), jobs)
        return
    database = Database(tmp_path / "state" / "gateway.sqlite")
    yield Kept(StoredApps(database), StoredJobs(database))
    database.close()


def with_job(kept: Kept, stage: Stage = Stage.READY) -> None:
    kept.apps.put(APP)
    kept.jobs.add(JOB)
    kept.jobs.set_stage(JOB.id, stage)


def found(kept: Kept) -> ManagedJob:
    job = kept.jobs.find(APP.id, JOB.id)
    assert job is not None
    return job


def test_an_app_comes_back_as_it_was_put_and_keeps_its_age_when_it_is_changed(kept: Kept) -> None:
    kept.apps.put(APP)
    changed = replace(APP, name="other", cross_user=True, made=NOW + timedelta(days=1))
    kept.apps.put(changed)

    assert kept.apps.find(APP.id) == replace(changed, made=NOW)
    assert kept.apps.find("nobody's") is None


def test_apps_are_listed_the_oldest_first(kept: Kept) -> None:
    younger = App("b", "younger", NOW + timedelta(days=1))
    kept.apps.put(younger)
    kept.apps.put(APP)

    assert kept.apps.all() == (APP, younger)


def test_an_app_with_jobs_stays(kept: Kept) -> None:
    with_job(kept)

    assert not kept.apps.drop(APP.id)
    kept.jobs.forget(JOB.id)
    assert kept.apps.drop(APP.id)
    assert not kept.apps.drop(APP.id)


def test_a_job_is_found_in_its_app_alone(kept: Kept) -> None:
    with_job(kept)

    assert found(kept) == replace(JOB, stage=Stage.READY)
    assert kept.jobs.find("another app", JOB.id) is None


@pytest.mark.parametrize("stage", [Stage.MAKING, Stage.DELETING])
def test_what_is_half_made_or_half_removed_is_not_listed_but_is_unsettled(
    kept: Kept, stage: Stage
) -> None:
    with_job(kept, stage)

    assert list(kept.jobs.of_app(APP.id)) == []
    assert [job.id for job in kept.jobs.unsettled()] == [JOB.id]


def test_a_run_is_unsettled_until_it_is_known_to_be_sent(kept: Kept) -> None:
    with_job(kept)
    kept.jobs.add_run(JOB.id, RUN, "#!/bin/sh\n")
    assert [job.last for job in kept.jobs.unsettled()] == [RUN]
    assert kept.jobs.script_of(RUN.id) == "#!/bin/sh\n"

    kept.jobs.note_submitted(RUN.id, 12)

    assert list(kept.jobs.unsettled()) == []
    assert found(kept).runs == (replace(RUN, slurm_id=12),)
    assert kept.jobs.script_of(RUN.id) == "", "what Slurm has is kept there alone"


def test_a_run_that_was_sent_is_not_dropped(kept: Kept) -> None:
    with_job(kept)
    kept.jobs.add_run(JOB.id, RUN, "")
    kept.jobs.drop_run(RUN.id)
    assert found(kept).runs == ()

    kept.jobs.add_run(JOB.id, RUN, "")
    kept.jobs.note_submitted(RUN.id, 12)
    kept.jobs.drop_run(RUN.id)
    assert len(found(kept).runs) == 1


def test_what_was_seen_first_stays(kept: Kept) -> None:
    with_job(kept)
    kept.jobs.add_run(JOB.id, RUN, "")
    kept.jobs.note_seen(RUN.id, "physics", "")
    kept.jobs.note_seen(RUN.id, "other", "/out")

    assert found(kept).runs == (replace(RUN, account="physics", stdout="/out"),)


def test_the_first_end_that_is_known_counts(kept: Kept) -> None:
    with_job(kept)
    kept.jobs.add_run(JOB.id, RUN, "")
    kept.jobs.note_end(RUN.id, END)
    kept.jobs.note_end(RUN.id, End("COMPLETED"))

    assert found(kept).runs == (replace(RUN, end=END),)
    assert [job.runs for job in kept.jobs.of_app(APP.id)] == [(replace(RUN, end=END),)]


def test_runs_come_in_the_order_in_which_they_began(kept: Kept) -> None:
    with_job(kept)
    second = replace(RUN, id="another", number=2)
    kept.jobs.add_run(JOB.id, RUN, "")
    kept.jobs.note_submitted(RUN.id, 1)
    kept.jobs.add_run(JOB.id, second, "")

    assert [run.number for run in found(kept).runs] == [1, 2]
    assert found(kept).open_run == second


def test_a_job_takes_its_runs_along(kept: Kept) -> None:
    with_job(kept)
    kept.jobs.add_run(JOB.id, RUN, "")
    kept.jobs.forget(JOB.id)
    kept.jobs.add(JOB)

    assert found(kept).runs == ()


def test_a_job_that_is_taken_over_comes_with_its_runs_and_is_settled(kept: Kept) -> None:
    kept.apps.put(APP)
    job = replace(
        JOB, stage=Stage.READY, runs=(replace(RUN, slurm_id=12, account="x", stdout="/out"),)
    )
    kept.jobs.take_over(job)

    assert found(kept) == job
    assert list(kept.jobs.unsettled()) == []
