"""What a look makes of a monitor whose job is not listed, or is too old."""

from datetime import timedelta

import pytest

from tests.unit.gateway.watch.looks import (
    ALL,
    MINUTE,
    NO_ACCOUNTING,
    RULES,
    listing,
    look,
    memory,
    row,
    run,
    seen,
    told,
)
from tests.unit.gateway.watch.monitors import NOW, monitor
from waldur_slurm.gateway.watch.monitor import Stage, Transition
from waldur_slurm.gateway.watch.plan import (
    GONE,
    RECORDED_WITHIN,
    SETTLED_AFTER,
    SILENCE_BORNE,
    Memory,
    overdue,
)
from waldur_slurm.gateway.watch.port import Turn
from waldur_slurm.model.names import UserName
from waldur_slurm.model.past import PastJob


def test_silence_of_the_accounting_ends_nothing_however_long() -> None:
    start = monitor(submitted=NOW, state="RUNNING")

    for hours in range(0, 24 * 13, 24):
        assert look(start, listing(), after=timedelta(hours=hours)) is None


def test_a_job_that_the_accounting_lacks_for_an_hour_is_given_up_and_not_called_ended() -> None:
    start = monitor(submitted=NOW, state="RUNNING")
    first = look(start, listing(), memory())
    assert first is not None
    assert (first.letters, first.transition) == ((), None)

    assert look(first.monitor, listing(), memory(), after=RECORDED_WITHIN - MINUTE) is None
    last = look(first.monitor, listing(), memory(), after=RECORDED_WITHIN)

    assert last is not None
    assert (last.monitor.stage, last.monitor.state) == (Stage.GIVEN_UP, "UNKNOWN")
    assert told([last]) == ["vanished"]
    assert last.transition == Transition(
        NOW + RECORDED_WITHIN, "RUNNING", "UNKNOWN", Stage.GIVEN_UP, GONE
    )


def test_silence_begins_the_hour_anew() -> None:
    missing = monitor(submitted=NOW, missing_since=NOW)

    silent = look(missing, listing(), after=MINUTE)

    assert silent is not None
    assert silent.monitor.missing_since is None


def test_without_accounting_a_job_that_left_is_given_up_soon_and_not_called_ended() -> None:
    turns = seen(
        (listing(row()), NO_ACCOUNTING),
        (listing(), NO_ACCOUNTING),
        (listing(), NO_ACCOUNTING),
        (listing(), NO_ACCOUNTING),
        start=monitor(),
    )

    assert told(turns) == ["vanished"]
    assert turns[-1].monitor.stage is Stage.GIVEN_UP
    assert turns[-1].monitor.updated == NOW + MINUTE + RULES.forgotten_after
    facts = turns[-1].letters[0].facts
    assert facts is not None
    assert (facts.state, facts.name, facts.exit_code, facts.ended) == ("UNKNOWN", "job", None, None)


def test_a_job_that_is_back_is_missing_no_more() -> None:
    turns = seen(
        (listing(), NO_ACCOUNTING), (listing(row()), NO_ACCOUNTING), start=monitor(submitted=NOW)
    )

    assert turns[-1].monitor.missing_since is None


@pytest.mark.parametrize("past", [NO_ACCOUNTING, memory()])
def test_where_jobs_are_hidden_nothing_is_given_up(past: Memory) -> None:
    hidden = listing(is_whole=False)
    start = monitor(submitted=NOW, missing_since=NOW - timedelta(days=2))

    found = look(start, hidden, past)

    assert found is not None
    assert found.monitor.stage is Stage.WATCHING


def test_where_jobs_are_hidden_an_end_is_believed_once_a_requeue_would_be_known() -> None:
    def at_end(ended: timedelta) -> Turn | None:
        past = memory(run("NODE_FAIL", end=NOW - ended))
        return look(monitor(submitted=NOW), listing(is_whole=False), past)

    fresh, settled = at_end(timedelta(0)), at_end(SETTLED_AFTER)

    assert fresh is None
    assert settled is not None
    assert settled.monitor.stage is Stage.ENDED


def test_a_row_that_is_not_understood_concerns_its_own_job_alone() -> None:
    torn = listing(unreadable=("1",))
    past = memory(run("NODE_FAIL"), run("FAILED", 2))

    assert look(monitor(submitted=NOW), torn, past) is None
    other = look(monitor(job=2, submitted=NOW), torn, past)
    assert other is not None
    assert other.monitor.stage is Stage.ENDED
    assert look(monitor(submitted=NOW), listing(unreadable=("x",)), past) is None


def test_a_job_that_has_the_number_later_is_another_one() -> None:
    later = row("FAILED", submitted=NOW + timedelta(days=1))
    own = monitor(submitted=NOW, state="RUNNING")

    assert look(own, listing(later)) is None
    found = look(own, listing(later), memory(run("TIMEOUT")))

    assert found is not None
    assert found.monitor.state == "TIMEOUT"
    assert look(own, listing(), memory(run("FAILED", submitted=NOW + MINUTE))) == look(
        own, listing(), memory()
    )


def test_another_users_job_of_the_number_is_none_of_it() -> None:
    ben = UserName("ben")

    assert look(monitor(), listing(row("FAILED", user=ben))) is None
    found = look(monitor(), listing(), memory(run("FAILED", user=ben)))
    assert found is not None
    assert found.monitor.state == "UNKNOWN"


def test_a_requeued_job_is_known_in_the_accounting_by_its_first_run() -> None:
    requeued = run("NODE_FAIL")
    second = run("COMPLETED", submitted=NOW + MINUTE, end=NOW + 2 * MINUTE)
    past = memory(PastJob((requeued, second)))

    found = look(monitor(submitted=NOW, occasions=ALL, sight=None), listing(), past)

    assert found is not None
    assert found.monitor.state == "COMPLETED"
    assert found.monitor.submitted == NOW


def test_of_a_number_alone_the_newest_job_of_the_accounting_is_meant() -> None:
    old = run("FAILED", submitted=NOW - timedelta(days=9), end=NOW - timedelta(days=9))

    found = look(monitor(), listing(), memory(old, run("COMPLETED")))

    assert found is not None
    assert (found.monitor.state, found.monitor.submitted) == ("COMPLETED", NOW)


def test_a_monitor_that_is_too_old_expires_and_says_so() -> None:
    start = monitor()
    turns = [
        look(start, listing(row()), after=RULES.max_age - MINUTE),
        look(start, listing(row()), after=RULES.max_age),
    ]

    young, old = turns
    assert young is not None
    assert young.monitor.stage is Stage.WATCHING
    assert old is not None
    assert (old.monitor.stage, old.monitor.state) == (Stage.EXPIRED, "RUNNING")
    assert told([old]) == ["expired"]
    assert old.transition == Transition(
        NOW + RULES.max_age,
        "UNKNOWN",
        "RUNNING",
        Stage.EXPIRED,
        "not seen to end within 14 days",
    )


def test_an_end_wins_over_old_age() -> None:
    found = look(monitor(), listing(row("COMPLETED")), after=RULES.max_age + MINUTE)

    assert found is not None
    assert found.monitor.stage is Stage.ENDED


def test_old_age_waits_a_day_for_a_slurm_that_is_silent() -> None:
    missing = monitor(submitted=NOW)

    assert look(missing, listing(), after=RULES.max_age + MINUTE) is None
    assert overdue(missing, RULES, NOW + RULES.max_age + MINUTE) is None
    found = overdue(missing, RULES, NOW + RULES.max_age + SILENCE_BORNE)
    assert found is not None
    assert (found.monitor.stage, told([found])) == (Stage.EXPIRED, ["expired"])


def test_a_monitor_without_a_job_waits_for_one_until_it_is_too_old() -> None:
    waiting = monitor(job=None)

    assert look(waiting, listing(row("FAILED")), memory(run())) is None
    found = look(waiting, listing(), after=RULES.max_age)
    assert found is not None
    assert found.monitor.stage is Stage.EXPIRED
