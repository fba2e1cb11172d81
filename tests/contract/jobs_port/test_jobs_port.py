"""Whichever way a Slurm is asked: one job for one key, and none but the one that is meant."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.contract.jobs_port.sites import FAILS, IS_KILLED, OF, SLEEPS, FakeJobsSite, JobsSite
from tests.fixtures_hand import ANN, BOB
from waldur_slurm.model.job_state import Phase
from waldur_slurm.operator.jobs.port import (
    AnotherJob,
    JobRef,
    Jobs,
    JobsError,
    OutcomeUnknown,
    Refused,
    SeenJob,
    TaskCounts,
    Unreached,
)

NEVER = f"{OF}never"


def has_ended(seen: SeenJob) -> bool:
    return seen.state.is_terminal


def runs(seen: SeenJob) -> bool:
    return seen.state.base == "RUNNING"


def is_held(seen: SeenJob) -> bool:
    return seen.is_held


# Handed in once


def test_a_job_that_is_handed_in_again_by_whomever_is_the_same_job(site: JobsSite) -> None:
    wanted = site.wanted()
    first = site.jobs.submit(wanted)
    again = [site.jobs.submit(wanted), site.again().submit(wanted)]
    assert {each.job_id for each in again} == {first.job_id}
    assert site.carrying(wanted.mark) == 1


def test_a_key_with_another_script_makes_no_second_job(site: JobsSite) -> None:
    wanted = site.wanted()
    site.jobs.submit(wanted)
    with pytest.raises(OutcomeUnknown):
        site.again().submit(replace(wanted, script=FAILS))
    assert site.carrying(wanted.mark) == 1


def test_several_operators_at_once_make_one_job(site: JobsSite) -> None:
    wanted = site.wanted()
    operators = [site.again() for _ in range(3)]

    def submit(jobs: Jobs) -> str:
        with suppress(OutcomeUnknown, Unreached):
            return jobs.submit(wanted).job_id
        return ""

    with ThreadPoolExecutor(len(operators)) as pool:
        made = {number for number in pool.map(submit, operators) if number}
    assert (len(made), site.carrying(wanted.mark)) == (1, 1)


def test_a_job_whose_answer_was_lost_is_found_and_not_made_again(site: JobsSite) -> None:
    wanted = site.wanted()
    with site.losing_answers(), suppress(OutcomeUnknown):
        site.jobs.submit(wanted)
    seen = site.until(JobRef("", None, wanted.mark, ANN), lambda _: True)
    assert site.again().submit(wanted).job_id == seen.ref.job_id
    assert site.carrying(wanted.mark) == 1


def test_what_slurm_refuses_is_told_in_its_words_and_may_be_asked_again(site: JobsSite) -> None:
    if isinstance(site, FakeJobsSite):
        site.queue.refuses = "Invalid partition name specified"
    wanted = site.wanted(partition="nowhere")
    for jobs in (site.jobs, site.again()):
        with pytest.raises(Refused, match="nvalid partition name"):
            jobs.submit(wanted)
    assert wanted.mark in site.jobs.look_up([wanted.mark]).absent


# Looked up


def test_one_look_tells_jobs_that_wait_run_or_ended_from_those_that_never_were(
    site: JobsSite,
) -> None:
    waiting, running, ended = (
        site.jobs.submit(site.wanted(script, **options))
        for script, options in ((SLEEPS, {"hold": True}), (SLEEPS, {}), (FAILS, {}))
    )
    site.until(running, runs)
    site.until(ended, has_ended)
    found = site.jobs.look_up([waiting.mark, running.mark, ended.mark, NEVER])
    phases = {mark: seen.state.phase for mark, seen in found.jobs.items()}
    assert phases == {
        waiting.mark: Phase.PENDING,
        running.mark: Phase.RUNNING,
        ended.mark: Phase.FINISHED,
    }
    assert ({*found.absent}, {*found.unknown}) == ({NEVER}, set())
    assert {seen.ref.user for seen in found.jobs.values()} == {ANN}


def test_how_a_script_ended_is_told(site: JobsSite) -> None:
    failed, killed = (site.jobs.submit(site.wanted(script)) for script in (FAILS, IS_KILLED))
    seen = site.until(failed, has_ended)
    assert (seen.state.base, seen.exit_code, seen.signal) == ("FAILED", 3, 0)
    seen = site.until(killed, has_ended)
    assert (seen.state.is_terminal, seen.exit_code, seen.signal) == (True, 0, 9)


def test_of_an_array_each_task_counts(site: JobsSite) -> None:
    script = "#!/bin/sh\n[ $SLURM_ARRAY_TASK_ID = 2 ] && sleep 600; exit $SLURM_ARRAY_TASK_ID\n"
    job = site.jobs.submit(site.wanted(script, array="0-2"))
    wanted = TaskCounts(total=3, pending=0, running=1, succeeded=1, failed=1)
    seen = site.until(job, lambda each: each.tasks == wanted)
    assert (seen.ref.job_id, seen.state.is_terminal) == (job.job_id, False)


def test_while_slurmctld_is_silent_nothing_is_absent_and_nothing_is_done(site: JobsSite) -> None:
    """What was seen before may be told as of then."""
    running, wanted = site.jobs.submit(site.wanted()), site.wanted()
    seen = site.until(running, runs)
    before = site.jobs.look_up([running.mark]).as_of + timedelta(seconds=5)
    with site.without_slurmctld():
        found = site.jobs.look_up([running.mark, NEVER])
        assert ({*found.absent}, bool(found.said)) == (set(), True)
        assert NEVER in found.unknown
        assert running.mark in found.unknown or found.as_of <= before
        with pytest.raises((Unreached, OutcomeUnknown)):
            site.jobs.cancel(seen.ref)
        with pytest.raises((Unreached, OutcomeUnknown)):
            site.jobs.submit(wanted)
    site.until(running, runs)
    assert site.carrying(wanted.mark) == 0


def test_a_job_that_slurmctld_has_forgotten_is_still_known(site: JobsSite) -> None:
    """Its mark is asked for by whoever knows of it, and by whoever lost all that he knew."""
    job = site.jobs.submit(site.wanted(FAILS))
    site.until(job, has_ended)
    site.forget(job)
    for jobs in (site.jobs, site.again()):
        seen = jobs.look_up([job.mark]).jobs[job.mark]
        assert (seen.ref.job_id, seen.state.base, seen.exit_code) == (job.job_id, "FAILED", 3)
    site.jobs.cancel(seen.ref)


def test_marked_jobs_that_have_not_ended_are_listed(site: JobsSite) -> None:
    running, ended = (site.jobs.submit(site.wanted(script)) for script in (SLEEPS, FAILS))
    site.until(ended, has_ended)
    listed = site.jobs.list_marked(OF)
    assert running.mark in listed.jobs
    assert ended.mark not in listed.jobs
    assert not site.jobs.list_marked("k8s:elsewhere:").jobs


# The one that is meant


def test_a_mark_that_was_copied_touches_nobody(site: JobsSite) -> None:
    job = site.jobs.submit(site.wanted())
    copies = [site.stranger(user, job.mark) for user in (ANN, BOB)]
    seen = site.until(job, runs)
    assert seen.ref.job_id == job.job_id
    for copy in copies:
        with pytest.raises(AnotherJob):
            site.jobs.cancel(JobRef(copy.job_id, seen.ref.submitted, job.mark, ANN))
    site.jobs.cancel(seen.ref)
    site.until(job, has_ended)
    assert {site.state(copy) for copy in copies} <= {"PENDING", "RUNNING"}


def test_a_mark_that_a_stranger_had_before_a_job_came_of_it_is_never_taken_for_it(
    site: JobsSite,
) -> None:
    """As where the first request was lost; over ssh it is not even shown."""
    wanted = site.wanted()
    copy = site.stranger(BOB, wanted.mark)
    shown = site.jobs.look_up([wanted.mark]).jobs
    assert {seen.ref.user for seen in shown.values()} <= {BOB}

    job = site.jobs.submit(wanted)
    assert (job.job_id != copy.job_id, site.carrying(wanted.mark)) == (True, 2)
    seen = site.until(job, runs)
    assert (seen.ref.job_id, seen.ref.user) == (job.job_id, ANN)
    site.jobs.cancel(seen.ref)
    site.until(job, has_ended)
    assert site.state(copy) in ("PENDING", "RUNNING")


def test_a_mark_that_its_owner_took_off_hides_no_job_and_makes_no_second(site: JobsSite) -> None:
    wanted = site.wanted()
    job = site.jobs.submit(wanted)
    site.write_comment(job, "my own words")
    seen = site.until(job, runs)
    assert site.again().submit(wanted).job_id == job.job_id
    site.jobs.cancel(seen.ref)
    assert site.until(job, has_ended).state.base == "CANCELLED"


def test_a_strangers_job_is_not_touched_whatever_is_known_of_it(site: JobsSite) -> None:
    own = site.jobs.submit(site.wanted())
    theirs = site.stranger(BOB, "k8s:theirs")
    seen = site.until(own, runs)
    for act in (site.jobs.cancel, site.jobs.hold, site.jobs.release, site.jobs.requeue_held):
        with pytest.raises(AnotherJob):
            act(JobRef(theirs.job_id, None, own.mark, ANN))
        with pytest.raises(AnotherJob):
            act(
                replace(
                    seen.ref, submitted=seen.ref.submitted and seen.ref.submitted - timedelta(9)
                )
            )
    assert site.state(theirs) in ("PENDING", "RUNNING")
    assert site.state(own) == "RUNNING"


def test_what_is_over_or_gone_needs_no_cancel(site: JobsSite) -> None:
    job = site.jobs.submit(site.wanted(FAILS))
    seen = site.until(job, has_ended)
    site.jobs.cancel(seen.ref)
    site.jobs.cancel(JobRef("4000000", None, NEVER, ANN))
    assert site.until(job, has_ended).state.base == "FAILED"


# Held


def test_a_job_is_held_and_released(site: JobsSite) -> None:
    job = site.jobs.submit(site.wanted(hold=True))
    ref = site.until(job, is_held).ref
    site.jobs.release(ref)
    ref = site.until(job, runs).ref
    site.jobs.requeue_held(ref)
    held = site.until(job, is_held)
    assert held.ref.job_id == job.job_id
    site.jobs.release(held.ref)
    site.jobs.hold(site.until(job, lambda seen: not is_held(seen)).ref)


def test_a_requeue_that_is_repeated_ends_no_second_run(site: JobsSite) -> None:
    job = site.jobs.submit(site.wanted())
    ref = site.until(job, runs).ref
    site.jobs.requeue_held(ref)
    site.until(job, is_held)
    with pytest.raises((AnotherJob, Refused)):
        site.jobs.requeue_held(ref)


def test_what_has_ended_can_be_neither_held_nor_released_nor_requeued(site: JobsSite) -> None:
    job = site.jobs.submit(site.wanted(FAILS))
    ref = site.until(job, has_ended).ref
    acts: tuple[Callable[[JobRef], None], ...] = (site.jobs.hold, site.jobs.release)
    for act in acts:
        with pytest.raises(Refused):
            act(ref)


# What it wrote, and what it was


def test_the_end_of_what_a_job_wrote_is_read(site: JobsSite) -> None:
    wanted = site.wanted(FAILS, **({} if isinstance(site, FakeJobsSite) else {"error": "err-%j"}))
    seen = site.until(site.jobs.submit(wanted), has_ended)
    assert site.jobs.read_tail(seen.ref, "out", 4096) == b"first\nlast\n"
    assert site.jobs.read_tail(seen.ref, "out", 5) == b"last\n"
    assert site.jobs.read_tail(seen.ref, "err", 4096) == b"why\n"


def test_a_large_script_arrives_whole(site: JobsSite) -> None:
    padding = "# " + "x" * 70 + "\n"
    script = FAILS.replace("\n", f"\n{padding * (280 * 1024 // len(padding))}", 1)
    job = site.jobs.submit(site.wanted(script))
    assert site.jobs.look_up([job.mark]).jobs[job.mark].ref.job_id == job.job_id


@pytest.mark.parametrize(
    "name", ["a|b", "x k8s:tests:1", "$(touch /tmp/pwned)", "; exit 1", "é ü", "comment=k8s:x"]
)
def test_a_hostile_name_is_a_name(site: JobsSite, name: str) -> None:
    try:
        job = site.jobs.submit(site.wanted(**{"job-name": name}))
    except Refused:
        return
    assert site.jobs.look_up([job.mark]).jobs[job.mark].ref.job_id == job.job_id


def test_no_line_of_a_script_takes_its_mark_away(site: JobsSite) -> None:
    lines = "#SBATCH --comment=mine\n#SBATCH --export=NONE\n#SBATCH --quiet\n"
    wanted = site.wanted(SLEEPS.replace("\n", f"\n{lines}", 1))
    with suppress(OutcomeUnknown):
        site.jobs.submit(wanted)
    job = site.until(JobRef("", None, wanted.mark, ANN), lambda _: True)
    assert job.ref.job_id == site.again().submit(wanted).job_id
    assert site.carrying(wanted.mark) == 1


@pytest.mark.parametrize("line", [f"--uid={BOB}", "--wait", "-W", "--test-only", "--clusters=x"])
def test_a_script_that_would_be_another_users_or_no_job_to_be_found_is_refused(
    site: JobsSite, line: str
) -> None:
    if isinstance(site, FakeJobsSite):
        site.queue.refuses = line
    wanted = site.wanted(SLEEPS.replace("\n", f"\n#SBATCH {line}\n", 1))
    with pytest.raises(Refused):
        site.jobs.submit(wanted)
    assert wanted.mark in site.jobs.look_up([wanted.mark]).absent


def test_facts_say_how_long_marks_are_kept(site: JobsSite) -> None:
    facts = site.jobs.read_facts()
    assert (facts.version.startswith("22.05"), facts.keeps_comments) == (True, True)
    assert facts.min_job_age in (timedelta(seconds=2), timedelta(minutes=5))


def test_nothing_but_errors_of_the_port_is_raised_of_a_job_that_never_was(site: JobsSite) -> None:
    nobody = JobRef("4000000", None, NEVER, ANN)
    for ask in (site.jobs.hold, site.jobs.release, site.jobs.requeue_held):
        with pytest.raises(JobsError):
            ask(nobody)
    with pytest.raises(JobsError):
        site.jobs.read_tail(nobody, "out", 9)
    with pytest.raises(JobsError):
        site.jobs.make_token(nobody, timedelta(hours=1))
