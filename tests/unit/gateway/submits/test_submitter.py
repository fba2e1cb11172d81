"""One key, one job: whatever is refused, lost, repeated or forgotten on the way."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.unit.gateway.submits.desk import SCRIPT, Desk
from waldur_slurm.errors import AccountingDown, StateError
from waldur_slurm.gateway.errors import (
    Busy,
    GatewayError,
    NotNow,
    OtherBody,
    OutcomeUnknown,
    Refused,
)
from waldur_slurm.gateway.submits.attempt import Key, Wanted
from waldur_slurm.gateway.submits.marks import marked
from waldur_slurm.model.batch import BatchSheet, JobId, Submitted
from waldur_slurm.model.names import UserName


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_first_time_a_job_is_made_and_then_it_is_told_again(desk: Desk) -> None:
    first, again = desk.submit(), desk.submit()

    assert first == (again[0], False)
    assert again[1]
    assert len(desk.queue.jobs) == 1
    job = desk.cluster.jobs[1]
    assert (first[0].job_id, first[0].cluster) == (JobId(1), "lab")
    assert (first[0].submitted, first[0].work_dir) == (job.submitted, job.work_dir)
    assert (first[0].stdout, first[0].stderr) == (job.stdout, job.stderr)


def test_the_act_is_written_down_once(desk: Desk) -> None:
    desk.submit()
    desk.submit()

    (act,) = desk.events("job.submit")
    mark = desk.cluster.jobs[1].comment
    assert act.fields == {
        "who": "token:ann", "user": "ann", "request_id": "r1", "cluster": "lab", "key": "k",
        "mark": mark, "job": "1", "ended": "done",
    }  # fmt: skip


def test_a_clients_mark_is_the_jobs_comment_and_ours_stands_before_the_owners_words(
    desk: Desk,
) -> None:
    desk.submit("a", mark="op:42")
    desk.submit("b")
    desk.submit("c", comment="my own words")

    first, second, third = (job.comment for job in desk.cluster.jobs.values())
    assert first == "op:42"
    assert marked(second) == (second, "")
    assert marked(third).words == "my own words"
    assert len({second, marked(third).mark}) == 2


def test_a_key_is_taken_for_nothing_else(desk: Desk) -> None:
    desk.submit()
    for change in ({"script": "#!/bin/sh\n"}, {"user": "bob"}, {"mark": "m"}, {"time": "5"}):
        with pytest.raises(OtherBody):
            desk.submit(**change)

    assert len(desk.queue.jobs) == 1


def test_what_slurm_refuses_leaves_the_key_free(desk: Desk) -> None:
    with pytest.raises(Refused) as refused:
        desk.submit(partition="nowhere")

    assert refused.value.refusal == "no-such-partition"
    assert desk.journal.kept == {}
    assert desk.submit(partition="main")[1] is False


def test_what_was_never_sent_leaves_the_key_free(desk: Desk) -> None:
    desk.queue.is_down = True
    with pytest.raises(NotNow):
        desk.submit()
    desk.queue.is_down = False

    assert desk.journal.kept == {}
    assert desk.submit()[0].job_id == JobId(1)


def test_a_lost_answer_is_found_again_by_the_mark(desk: Desk) -> None:
    with desk.losing("answers"), pytest.raises(OutcomeUnknown):
        desk.submit()

    placed, is_again = desk.submit()

    assert (placed.job_id, is_again) == (JobId(1), True)
    assert len(desk.queue.jobs) == 1
    assert placed.stdout == desk.cluster.jobs[1].stdout
    assert desk.submit() == (placed, True)


def test_a_restart_forgets_nothing(desk: Desk) -> None:
    desk.lose()
    desk.start()
    desk.submitter.settler.settle_all()

    assert [str(event.fields["job"]) for event in desk.events("submit.adopted")] == ["1"]
    assert desk.submit()[0].job_id == JobId(1)
    assert len(desk.queue.jobs) == 1


def test_while_sbatch_may_still_run_nothing_is_done_again(desk: Desk) -> None:
    desk.lose("requests")
    with pytest.raises(OutcomeUnknown) as unknown:
        desk.submit()

    assert desk.queue.jobs == []
    assert 50 < unknown.value.after_s <= 62


def test_once_it_cannot_the_job_is_handed_in_again_with_the_same_mark(desk: Desk) -> None:
    desk.lose("requests")
    (attempt,) = desk.journal.unsettled()
    desk.wait(minutes=2)

    placed, is_again = desk.submit()

    assert (placed.job_id, is_again) == (JobId(1), False)
    assert desk.cluster.jobs[1].comment == attempt.mark


def test_each_time_that_it_is_handed_in_the_doubt_begins_anew(desk: Desk) -> None:
    desk.lose("requests")
    desk.wait(minutes=2)
    desk.lose("requests")

    with pytest.raises(OutcomeUnknown, match="on its way"):
        desk.submit()


def test_in_the_background_a_key_without_a_job_comes_free(desk: Desk) -> None:
    desk.lose("requests")
    desk.submitter.settler.settle_all()
    assert len(desk.journal.kept) == 1
    desk.wait(minutes=2)
    desk.submitter.settler.settle_all()

    assert desk.journal.kept == {}
    assert [event.fields["key"] for event in desk.events("submit.freed")] == ["k"]


def test_a_job_that_slurmctld_has_forgotten_is_found_in_the_accounting(desk: Desk) -> None:
    desk.lose()
    desk.end(1)
    desk.wait(minutes=10)
    desk.cluster.forget(1)

    placed, is_again = desk.submit()

    assert (placed.job_id, is_again, placed.stdout) == (JobId(1), True, None)
    assert len(desk.queue.jobs) == 1


def test_what_neither_knows_is_handed_in_again(desk: Desk) -> None:
    desk.lose("requests")
    desk.wait(minutes=10)

    assert desk.submit()[0].job_id == JobId(1)


@pytest.mark.parametrize("trouble", ["no comments", "no accounting", "behind", "silent", "held"])
def test_where_the_accounting_cannot_tell_nothing_is_handed_in_again(
    desk: Desk, trouble: str
) -> None:
    options: dict[str, str] = {"begin": "now+1hour"} if trouble == "held" else {}
    desk.lose("requests", **options)
    desk.wait(minutes=10)
    if trouble == "no comments":
        desk.cluster.configuration["AccountingStoreFlags"] = "(null)"
    elif trouble == "no accounting":
        desk.cluster.configuration["AccountingStorageType"] = "accounting_storage/none"
    elif trouble == "behind":
        desk.cluster.untold = 1
    elif trouble == "silent":
        desk.history.go_down()

    with pytest.raises(OutcomeUnknown):
        desk.submit(**options)

    assert desk.queue.jobs == []
    is_for_ever = trouble in ("no comments", "no accounting", "held")
    assert len(desk.events("submit.unknown")) == is_for_ever


def test_that_a_person_has_to_decide_is_told_once(desk: Desk) -> None:
    desk.lose("requests")
    desk.cluster.configuration["AccountingStoreFlags"] = "(null)"
    desk.wait(minutes=10)
    for _ in range(3):
        desk.submitter.settler.settle_all()
        with pytest.raises(OutcomeUnknown, match="with a new key and a new mark"):
            desk.submit()

    (told,) = desk.events("submit.unknown")
    assert told.fields["why"] == (
        "slurmctld may have forgotten it, and the accounting keeps no comments"
    )


def test_a_slurm_that_is_silent_settles_nothing(desk: Desk) -> None:
    desk.lose("requests")
    desk.wait(minutes=2)
    desk.cluster.go_down()
    with pytest.raises(OutcomeUnknown, match="Slurm does not tell"):
        desk.submit()
    desk.submitter.settler.settle_all()

    assert len(desk.journal.kept) == 1
    assert desk.queue.jobs == []


def test_a_mark_counts_of_the_users_own_job_alone(desk: Desk) -> None:
    desk.submit("bobs", user="bob")
    desk.lose("requests")
    (attempt,) = desk.journal.unsettled()
    desk.comment(1, attempt.mark)
    desk.wait(minutes=2)

    assert desk.submit()[0].job_id == JobId(2)


def test_a_mark_that_was_copied_to_an_older_job_makes_nobody_believe_it(desk: Desk) -> None:
    desk.submit("older")
    desk.wait(minutes=20)
    desk.lose("requests", mark="M")
    desk.comment(1, "M")
    desk.wait(minutes=2)

    assert desk.submit(mark="M")[0].job_id == JobId(2)


def test_of_a_copy_that_might_be_the_job_by_another_clock_nobody_is_sure(desk: Desk) -> None:
    desk.submit("older")
    desk.wait(minutes=1)
    desk.lose("requests")
    (attempt,) = desk.journal.unsettled()
    desk.comment(1, attempt.mark)
    desk.wait(minutes=2)

    with pytest.raises(OutcomeUnknown, match="clocks differ"):
        desk.submit()
    assert len(desk.queue.jobs) == 1


def test_a_placed_key_keeps_its_job_whatever_becomes_of_the_comment(desk: Desk) -> None:
    first = desk.submit("one", mark="M")
    desk.submit("two", mark="N")
    desk.comment(1, "")
    desk.comment(2, "M")

    assert desk.submit("one", mark="M") == (first[0], True)
    assert desk.submit("two", mark="N")[0].job_id == JobId(2)


def test_another_keys_job_with_the_same_mark_is_not_adopted(desk: Desk) -> None:
    desk.submit("one", mark="M")
    desk.lose("requests", text="two", mark="M")
    desk.wait(minutes=2)

    assert desk.submit("two", mark="M")[0].job_id == JobId(2)


def test_a_mark_is_open_for_one_key_at_a_time(desk: Desk) -> None:
    desk.lose("requests", text="one", mark="M")
    with pytest.raises(Busy):
        desk.submit("two", mark="M")
    assert desk.submit("three", user="bob", mark="M")[0].job_id == JobId(1)


def test_of_two_threads_with_one_key_one_hands_in(desk: Desk) -> None:
    together = Barrier(8)

    def ask(_: int) -> str:
        together.wait()
        try:
            return str(desk.submit()[0].job_id)
        except Busy as busy:
            return f"busy for {busy.after_s:.0f} s"

    with ThreadPoolExecutor(8) as pool:
        found = {*pool.map(ask, range(8))}

    assert len(desk.queue.jobs) == 1
    assert "1" in found
    assert found <= {"1", "busy for 1 s"}


def test_what_slurm_does_not_tell_in_time_is_told_later(desk: Desk) -> None:
    desk.queue.on_new = lambda _job: None
    first, _ = desk.submit()
    assert (first.submitted, first.stdout) == (None, None)

    desk.queue.on_new = desk._show
    desk._show(desk.queue.jobs[0])
    later, is_again = desk.submit()

    assert is_again
    assert later.submitted == desk.cluster.jobs[1].submitted
    assert desk.journal.kept[Key("token:portal", "k")].placed == later


def test_a_submit_costs_no_list_of_all_jobs(desk: Desk) -> None:
    for number in range(20):
        desk.submit(str(number))

    assert desk.cluster.calls == {"read_job": 20}


@pytest.mark.parametrize("line", ["--clusters=other", "-M other", "--wait", "-W", "--test-only"])
def test_a_script_that_would_lead_astray_is_refused_before_anything_else(
    desk: Desk, line: str
) -> None:
    with pytest.raises(Refused) as refused:
        desk.submit(script=f"#!/bin/sh\n#SBATCH {line}\nhostname\n")

    assert refused.value.refusal == "invalid-option"
    assert (desk.journal.kept, desk.queue.jobs) == ({}, [])


def test_without_a_journal_nothing_is_handed_in(desk: Desk) -> None:
    desk.journal.is_broken = True
    with pytest.raises(NotNow, match="nothing was done: the disk is full"):
        desk.submit()

    assert desk.queue.jobs == []


def test_a_job_that_cannot_be_written_down_is_found_again(desk: Desk) -> None:
    def break_the_disk(sheet: BatchSheet) -> Submitted:
        submitted = actor.batch.__class__.submit(actor.batch, sheet)
        desk.journal.is_broken = True
        return submitted

    actor = desk.actor()
    actor.batch.submit = break_the_disk  # type: ignore[method-assign]  # a disk that fills up now
    wanted = Wanted("lab", UserName("ann"), BatchSheet(SCRIPT))
    with pytest.raises(OutcomeUnknown, match="the disk is full"):
        desk.submitter.submit(actor, Key("token:portal", "k"), wanted)
    desk.journal.is_broken = False

    assert desk.submit()[0].job_id == JobId(1)
    assert len(desk.queue.jobs) == 1


def test_old_keys_are_forgotten_but_for_the_open(desk: Desk) -> None:
    desk.submit("old")
    desk.lose("requests", text="open")
    desk.cluster.configuration["AccountingStoreFlags"] = "(null)"
    desk.wait(minutes=32 * 24 * 60)
    desk.submit("new")
    desk.submitter.settler.settle_all()

    assert {key.text for key in desk.journal.kept} == {"open", "new"}


def test_a_refusal_of_the_audit_log_leaves_the_key_free(desk: Desk) -> None:
    class FullBook:
        def ensure_writable(self) -> None:
            raise StateError("the disk is full")

    desk.submitter._audit._book = FullBook()
    with pytest.raises(NotNow):
        desk.submit()

    assert (desk.journal.kept, desk.queue.jobs) == ({}, [])


def test_an_outage_that_begins_after_the_submit_costs_only_what_is_told(desk: Desk) -> None:
    desk.cluster.go_down(AccountingDown(("squeue",), 1, "Unable to contact slurm controller"))

    placed, _ = desk.submit()

    assert (placed.job_id, placed.submitted) == (JobId(1), None)
    with pytest.raises(GatewayError):
        desk.submit(script="#!/bin/sh\nother\n")
