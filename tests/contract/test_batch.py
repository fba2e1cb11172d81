"""Jobs are handed in, steered and ended as the user asked, or Slurm's no has a name."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.batch_site import ANN, BOB, FULL, BatchSite, sheet
from waldur_slurm.errors import AccountingDown, TransportError
from waldur_slurm.model.batch import (
    BatchSheet,
    Cancelled,
    GuardedState,
    JobId,
    Refusal,
    Refused,
    Span,
    Task,
    Tasks,
    Verb,
)
from waldur_slurm.slurm.batch.port import JobRefused, OutcomeUnknown

NOWHERE = JobId(999_999)

REFUSED = {
    Refusal.PARTITION: sheet(partition="nosuch"),
    Refusal.ACCOUNT: sheet(account="nosuch"),
    Refusal.QOS: sheet(qos="nosuch"),
    Refusal.LIMIT: sheet(account=FULL),
    Refusal.SCRIPT: BatchSheet("echo\n", sheet().options),
    Refusal.OPTION: sheet(uid="0"),
}


def test_a_job_that_was_handed_in_is_in_the_queue(batch_site: BatchSite) -> None:
    submitted = batch_site.of(ANN).submit(sheet(hold=None))
    assert batch_site.states() == {str(submitted.id): "HELD"}


def test_a_cluster_that_was_not_asked_for_is_not_told(batch_site: BatchSite) -> None:
    assert batch_site.of(ANN).submit(sheet()).cluster is None


@pytest.mark.parametrize("refusal", REFUSED)
def test_what_slurm_does_not_take_has_a_kind_and_its_words(
    batch_site: BatchSite, refusal: Refusal
) -> None:
    with pytest.raises(JobRefused) as refused:
        batch_site.of(ANN).submit(REFUSED[refusal])
    assert refused.value.why.refusal is refusal
    assert refused.value.why.words
    assert not refused.value.transient
    assert batch_site.states() == {}


def test_a_limit_that_was_met_is_named(batch_site: BatchSite) -> None:
    with pytest.raises(JobRefused) as refused:
        batch_site.of(ANN).submit(sheet(account=FULL))
    assert refused.value.why.limit == "AssocGrpSubmitJobsLimit"


def test_an_estimate_leaves_no_job_behind(batch_site: BatchSite) -> None:
    estimate = batch_site.of(ANN).estimate(sheet())
    assert estimate.partition == "main"
    assert estimate.processors == 1
    assert estimate.nodes.startswith("n")
    assert estimate.starts.tzinfo is not None
    assert batch_site.states() == {}


def test_an_estimate_is_refused_as_the_job_would_be(batch_site: BatchSite) -> None:
    with pytest.raises(JobRefused) as refused:
        batch_site.of(ANN).estimate(sheet(partition="nosuch"))
    assert refused.value.why.refusal is Refusal.PARTITION


@pytest.mark.parametrize("option", ["parsable", "test-only"])
def test_a_sheet_does_not_say_what_becomes_of_the_answer(
    batch_site: BatchSite, option: str
) -> None:
    with pytest.raises(JobRefused):
        batch_site.of(ANN).submit(BatchSheet("#!/bin/sh\n", {option: None}))
    assert batch_site.states() == {}


def test_cancelling_tells_of_each_job(batch_site: BatchSite) -> None:
    own = batch_site.of(ANN).submit(sheet(hold=None)).id
    other = batch_site.of(BOB).submit(sheet(hold=None)).id
    outcomes = batch_site.of(ANN).cancel([own, other, NOWHERE])
    assert outcomes[own] is Cancelled.SENT
    assert outcomes[NOWHERE] is Cancelled.ABSENT
    refused = outcomes[other]
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.NOT_ALLOWED
    assert batch_site.states() == {str(other): "HELD"}
    assert batch_site.of(ANN).cancel([own]) == {own: Cancelled.OVER}


def test_nothing_is_cancelled_where_nothing_is_named(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(hold=None)).id
    assert batch_site.of(ANN).cancel([], only=GuardedState.PENDING) == {}
    assert batch_site.states() == {str(job): "HELD"}


def test_a_job_in_another_state_is_spared(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(hold=None)).id
    spared = batch_site.of(ANN).cancel([job], only=GuardedState.RUNNING)
    assert spared == {job: Cancelled.SPARED}
    assert batch_site.states() == {str(job): "HELD"}
    sent = batch_site.of(ANN).cancel([job], only=GuardedState.PENDING)
    assert sent == {job: Cancelled.SENT}
    assert batch_site.states() == {}


def test_a_part_of_an_array_is_cancelled_without_the_rest(batch_site: BatchSite) -> None:
    whole = batch_site.of(ANN).submit(sheet(hold=None, array="1-6")).id
    one = JobId(whole.number, Task(2))
    several = JobId(whole.number, Tasks((Span(4, 5),)))
    outcomes = batch_site.of(ANN).cancel([one, several])
    assert outcomes == {one: Cancelled.SENT, several: Cancelled.SENT}
    left = {f"{whole}_{task}" for task in (1, 3, 6)}
    assert batch_site.states().keys() == left


def test_a_job_is_held_and_released(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(hold=None)).id
    batch_site.of(ANN).control(Verb.RELEASE, job)
    batch_site.let_start(job)
    with pytest.raises(JobRefused):
        batch_site.of(BOB).control(Verb.HOLD, job)
    assert batch_site.states() == {str(job): "RUNNING"}


def test_a_pending_job_is_held(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(begin="now+1hour")).id
    batch_site.of(ANN).control(Verb.HOLD, job)
    assert batch_site.states() == {str(job): "HELD"}


def test_a_job_that_waits_cannot_be_requeued(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(hold=None)).id
    with pytest.raises(JobRefused) as refused:
        batch_site.of(ANN).control(Verb.REQUEUE, job)
    assert refused.value.why.refusal is Refusal.STATE


def test_a_running_job_is_requeued_and_waits_held(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet()).id
    batch_site.let_start(job)
    batch_site.of(ANN).control(Verb.REQUEUE_HELD, job)
    assert batch_site.states()[str(job)] in ("HELD", "COMPLETING", "PENDING")


@pytest.mark.parametrize("verb", [Verb.HOLD, Verb.RELEASE, Verb.REQUEUE])
def test_a_job_that_is_nowhere_is_refused_as_such(batch_site: BatchSite, verb: Verb) -> None:
    with pytest.raises(JobRefused) as refused:
        batch_site.of(ANN).control(verb, NOWHERE)
    assert refused.value.why.refusal is Refusal.JOB


@pytest.mark.parametrize("verb", [Verb.HOLD, Verb.RELEASE, Verb.REQUEUE])
def test_nobody_steers_anothers_job(batch_site: BatchSite, verb: Verb) -> None:
    job = batch_site.of(ANN).submit(sheet(begin="now+1hour")).id
    with pytest.raises(JobRefused) as refused:
        batch_site.of(BOB).control(verb, job)
    assert refused.value.why.refusal is Refusal.NOT_ALLOWED
    with pytest.raises(JobRefused):
        batch_site.of(BOB).update(job, {"Comment": "mine"})


def test_a_job_is_changed(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(hold=None)).id
    batch_site.of(ANN).update(job, {"TimeLimit": "10", "JobName": "a b=c|d"})
    with pytest.raises(JobRefused) as refused:
        batch_site.of(ANN).update(job, {"Partition": "nosuch"})
    assert refused.value.why.refusal is Refusal.PARTITION


def test_what_is_not_in_the_table_is_not_changed(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(hold=None)).id
    with pytest.raises(JobRefused) as refused:
        batch_site.of(ANN).update(job, {"UserId": "0"})
    assert refused.value.why.refusal is Refusal.OPTION


def test_holding_and_releasing_twice_is_as_good_as_once(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(begin="now+1hour")).id
    for _ in range(2):
        batch_site.of(ANN).control(Verb.HOLD_AS_USER, job)
    assert batch_site.states() == {str(job): "HELD"}
    for _ in range(2):
        batch_site.of(ANN).control(Verb.RELEASE, job)
    assert batch_site.states() == {str(job): "PENDING"}


def test_a_script_is_read_back_to_the_letter(batch_site: BatchSite) -> None:
    script = "#!/bin/sh\n# | ünïcödé ☃\nsleep 300\necho no line feed at the end"
    job = batch_site.of(ANN).submit(BatchSheet(script, sheet(hold=None).options)).id
    assert batch_site.of(ANN).read_script(job.number) == script


def test_nobody_reads_anothers_script(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(hold=None)).id
    with pytest.raises(JobRefused) as refused:
        batch_site.of(BOB).read_script(job.number)
    assert refused.value.why.refusal is Refusal.NOT_ALLOWED


def test_a_job_that_is_nowhere_has_no_script(batch_site: BatchSite) -> None:
    with pytest.raises(JobRefused) as refused:
        batch_site.of(ANN).read_script(NOWHERE.number)
    assert refused.value.why.refusal is Refusal.JOB


def test_a_slurm_that_is_away_was_handed_nothing(batch_site: BatchSite) -> None:
    job = batch_site.of(ANN).submit(sheet(hold=None)).id
    ann = batch_site.of(ANN)
    asked: tuple[Callable[[], object], ...] = (
        lambda: ann.submit(sheet(hold=None)),
        lambda: ann.cancel([job]),
        lambda: ann.read_script(job.number),
        lambda: ann.control(Verb.HOLD, job),
    )
    with batch_site.down(), ThreadPoolExecutor() as pool:  # each command waits some ten seconds
        said = [each.exception() for each in [pool.submit(ask) for ask in asked]]
    assert all(isinstance(each, AccountingDown) for each in said[:3]), said
    assert isinstance(said[3], AccountingDown | TransportError)  # by its words it cannot be told
    assert batch_site.states() == {str(job): "HELD"}


def test_a_job_whose_answer_was_lost_is_unknown_and_may_be_there(batch_site: BatchSite) -> None:
    with batch_site.losing_answers(), pytest.raises(OutcomeUnknown) as unknown:
        batch_site.of(ANN).submit(sheet(hold=None))
    assert not unknown.value.transient
    assert len(batch_site.states()) in (0, 1)
