"""What slurmrestd answers is read in both forms that it has, and nothing is guessed."""

from datetime import UTC, datetime

import pytest

from waldur_slurm.errors import UnparsableOutput
from waldur_slurm.model.batch import JobId, Refusal, Task, job_id
from waldur_slurm.model.live import ExitCode, LiveJob
from waldur_slurm.slurm.rest.grammar.answers import parse_listing, parse_submitted, refused

NOW = datetime.fromtimestamp(2000, UTC)
OLD = {"job_id": 7, "job_state": "RUNNING", "submit_time": 1000, "start_time": 1500}
NEW = {
    "job_id": 7,
    "job_state": ["RUNNING"],
    "submit_time": {"set": True, "infinite": False, "number": 1000},
    "start_time": {"set": True, "infinite": False, "number": 1500},
}


def _job(**said: object) -> LiveJob:
    (job,) = parse_listing({"jobs": [said]}, NOW).jobs
    return job


def test_both_forms_of_a_number_and_a_state_are_the_same_job() -> None:
    assert _job(**OLD) == _job(**NEW)
    assert _job(**OLD).elapsed_s == 500


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [
        (60, 3600),
        (None, None),
        (2**32 - 1, None),
        ({"set": True, "infinite": True, "number": 0}, None),
        ({"set": False, "infinite": False, "number": 0}, None),
        ({"set": True, "infinite": False, "number": 60}, 3600),
    ],
)
def test_what_is_not_set_or_has_no_limit_is_none(limit: object, seconds: int | None) -> None:
    assert _job(**OLD, time_limit=limit).limit_s == seconds


def test_flags_beside_a_state_are_kept() -> None:
    state = _job(**{**NEW, "job_state": ["COMPLETED", "COMPLETING"]}).state
    assert (state.base, state.flags, state.is_terminal) == ("COMPLETED", ("COMPLETING",), False)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"array_job_id": 5, "array_task_id": 0}, JobId(5, Task(0))),
        ({"array_job_id": 5, "array_task_string": "1-9", "array_max_tasks": 2}, "5_[1-9%2]"),
        ({"array_job_id": 5, "array_task_string": "1-9%2", "array_max_tasks": 2}, "5_[1-9%2]"),
        ({"het_job_id": 6, "het_job_offset": 1}, "6+1"),
        ({"array_job_id": {"set": True, "number": 0}, "het_job_id": 0}, JobId(7)),
    ],
)
def test_a_part_has_the_name_that_squeue_gives_it(
    said: dict[str, object], name: JobId | str
) -> None:
    assert _job(**OLD, **said).id == (job_id(name) if isinstance(name, str) else name)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (768, ExitCode(3, 0)),
        (9, ExitCode(0, 9)),
        ({"return_code": {"set": True, "number": 3}, "signal": {"id": {"set": False}}}, (3, 0)),
        ({"return_code": {"set": False}, "signal": {"id": {"set": True, "number": 9}}}, (0, 9)),
    ],
)
def test_an_exit_code_is_read_in_both_forms(said: object, code: ExitCode) -> None:
    assert _job(**OLD, exit_code=said).exit == code


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"job_state": "PENDING", "start_time": 3000}, 0),
        ({"job_state": "SUSPENDED", "pre_sus_time": 120, "suspend_time": 1900}, 120),
        ({"pre_sus_time": 120, "suspend_time": 1900}, 220),
        ({"job_state": "COMPLETED", "end_time": 1700}, 200),
    ],
)
def test_the_time_of_being_suspended_is_no_time_of_running(
    said: dict[str, object], seconds: int
) -> None:
    assert _job(**{**OLD, **said}).elapsed_s == seconds


@pytest.mark.parametrize("job", [{}, [], {"job_id": 1}, {**OLD, "job_state": "no word"}])
def test_a_job_that_is_not_understood_is_counted_and_hurts_no_other(job: object) -> None:
    listing = parse_listing({"jobs": [job, OLD]}, NOW)
    assert [each.id for each in listing.jobs] == [JobId(7)]
    assert len(listing.unreadable) == 1


@pytest.mark.parametrize("answer", [{}, {"jobs": None}, {"jobs": {}}])
def test_an_answer_without_a_list_is_no_empty_list(answer: dict[str, object]) -> None:
    with pytest.raises(UnparsableOutput):
        parse_listing(answer, NOW)


def test_a_submission_has_a_number_or_reasons() -> None:
    submitted = parse_submitted({"job_id": 12, "errors": []})
    assert submitted is not None
    assert submitted.id == JobId(12)
    no = {"errors": [{"error": "Invalid partition name specified"}, {"description": "Batch job"}]}
    assert parse_submitted(no) is None
    assert refused(no).refusal is Refusal.PARTITION
    assert refused(no).words == "Invalid partition name specified; Batch job"
    assert refused({}).refusal is Refusal.OTHER
