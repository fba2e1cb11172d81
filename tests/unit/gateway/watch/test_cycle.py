"""Watching: who is asked, how often, and that no odd thing stops it."""

import time
from collections.abc import Sequence
from datetime import timedelta
from threading import Event as Bell
from typing import Any

import pytest

from tests.fakes.monitors import FakeMonitors
from tests.unit.gateway.watch.lookout import INTERVAL_S, RULES, Post
from tests.unit.gateway.watch.looks import row, run
from tests.unit.gateway.watch.monitors import NOW, monitor
from waldur_slurm.gateway.watch.cycle import IDLE_S, LOOKS_AGAIN_S, Watch, watching
from waldur_slurm.gateway.watch.monitor import Sight, Stage, UnreadableMonitor
from waldur_slurm.gateway.watch.plan import SILENCE_BORNE
from waldur_slurm.gateway.watch.port import Turn
from waldur_slurm.gateway.watch.reading import MOST_ASKED, Reader, has_accounting
from waldur_slurm.telemetry.events import Event


def test_while_nothing_is_watched_nothing_is_asked() -> None:
    post = Post()

    assert post.watch.step() == IDLE_S
    assert post.cluster.calls == {}


def test_a_job_that_ended_is_written_with_its_letter() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row())
    post.watch.step()
    post.cluster.put(row("TIMEOUT"))

    post.look()

    assert post.stage() is Stage.ENDED
    assert post.letters == ["m-terminal-email"]
    assert [each.state for each in post.monitors.told["m"]] == ["RUNNING", "TIMEOUT"]


@pytest.mark.fault("the clock is set forward")
def test_a_clock_set_forward_has_no_job_given_up_that_the_accounting_has_yet_to_hear_of() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row())
    post.watch.step()
    post.cluster.forget(1)
    post.look()
    post.steps = timedelta(hours=30)

    post.look()
    assert post.stage() is Stage.WATCHING
    post.history.runs.append(run())
    post.look()

    assert post.stage() is Stage.ENDED
    assert post.letters == ["m-terminal-email"]


@pytest.mark.fault("the clock is set back")
def test_what_is_missing_is_given_up_in_its_time_after_the_clock_was_set() -> None:
    post = Post()
    post.add(monitor())
    post.look()
    post.steps = timedelta(hours=-30)
    for _ in range(6):
        post.look()
        assert post.stage() is Stage.WATCHING
    post.look()

    assert post.stage() is Stage.GIVEN_UP


def test_a_thousand_jobs_cost_one_list_an_interval_and_one_question_to_the_accounting() -> None:
    post = Post()
    for number in range(1, 1001):
        post.add(monitor(f"m{number}", number))
        post.cluster.put(row(number=number))
    post.watch.step()
    for number in range(1, 301):
        post.cluster.forget(number)
        post.history.runs.append(run(number=number))

    post.look()

    assert post.cluster.calls == {"read_jobs": 2, "read_configuration": 1}
    assert post.history.questions == 1
    assert len(post.letters) == 300
    post.watch.step()
    assert post.cluster.calls["read_jobs"] == 2


def test_those_that_were_not_asked_of_are_asked_of_first_the_next_time() -> None:
    post = Post()
    many = MOST_ASKED + 100
    for number in range(1, many + 1):
        post.add(monitor(f"m{number}", number, submitted=NOW))
        post.history.runs.append(run(number=number))

    post.look()
    assert post.monitors.counts() == {Stage.ENDED: MOST_ASKED, Stage.WATCHING: 100}

    post.look()
    assert post.monitors.counts() == {Stage.ENDED: many}
    assert post.history.questions == 2


def test_jobs_of_which_nothing_is_known_do_not_keep_others_from_being_asked_of() -> None:
    post = Post()
    for number in range(1, MOST_ASKED + 2):
        post.add(monitor(f"m{number}", number, submitted=NOW))
    post.history.runs.append(run(number=MOST_ASKED + 1))

    post.watch.step()
    post.look()

    assert post.stage(f"m{MOST_ASKED + 1}") is Stage.ENDED


def test_a_list_that_somebody_else_asked_for_is_looked_at_as_well() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row())
    post.watch.step()
    post.cluster.put(row("FAILED"))
    post.show()

    post.watch.step()

    assert post.stage() is Stage.ENDED
    assert post.cluster.calls["read_jobs"] == 2


def test_the_next_look_is_an_interval_after_the_list_was_begun() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row())

    after_s = post.watch.step()

    assert INTERVAL_S - 60 < after_s <= INTERVAL_S


def test_between_lists_the_accounting_is_asked_once_an_interval() -> None:
    post = Post()
    post.add(monitor(submitted=NOW))
    for _ in range(5):
        post.show()
        post.watch.step()

    assert post.history.questions == 1


def test_what_was_not_asked_of_stays_as_missing_as_it_was() -> None:
    post = Post()
    post.add(monitor(submitted=NOW))
    post.watch.step()
    since = post.monitors.kept["m"].missing_since
    assert since is not None

    post.wait(1)
    post.show()
    post.watch.step()

    assert post.monitors.kept["m"].missing_since == since


def test_a_silent_slurm_ends_nothing_and_is_tried_again_soon() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row())
    post.watch.step()
    post.cluster.go_down()
    post.cluster.forget(1)

    after_s = post.look()

    assert after_s <= LOOKS_AGAIN_S
    assert (post.stage(), post.letters) == (Stage.WATCHING, [])
    post.cluster.come_back()
    post.history.runs.append(run("FAILED"))
    post.look()
    assert (post.stage(), post.letters) == (Stage.ENDED, ["m-terminal-email"])


def test_a_silent_accounting_ends_nothing() -> None:
    post = Post()
    post.add(monitor(submitted=NOW))
    post.history.go_down()

    for _ in range(9):
        post.look()

    assert (post.stage(), post.letters) == (Stage.WATCHING, [])
    post.history.come_back()
    post.history.runs.append(run())
    post.look()
    assert post.stage() is Stage.ENDED


def test_without_accounting_a_job_that_left_is_told_as_vanished() -> None:
    post = Post()
    post.cluster.configuration["AccountingStorageType"] = "accounting_storage/none"
    post.history.go_down()
    post.add(monitor(submitted=NOW))

    post.watch.step()
    post.look()

    assert (post.stage(), post.letters) == (Stage.GIVEN_UP, ["m-vanished-email"])
    (event,) = post.events("monitor.given_up")
    assert event.fields["job"] == "1"


def test_a_silent_slurm_does_not_keep_monitors_for_ever() -> None:
    post = Post()
    post.add(monitor(submitted=NOW))
    post.cluster.go_down()

    post.wait((RULES.max_age + SILENCE_BORNE).total_seconds())
    post.watch.step()

    assert (post.stage(), post.letters) == (Stage.EXPIRED, ["m-expired-email"])
    assert len(post.events("monitor.expired")) == 1


def test_an_odd_record_and_an_odd_monitor_stop_no_other() -> None:
    post = Post()
    post.monitors.unreadable.append(UnreadableMonitor("torn", "not JSON"))
    post.add(monitor("odd", sight=Sight(run=NOW, open_tasks="x-y")), monitor("m", 2))
    post.cluster.put(row())
    post.cluster.put(row("FAILED", 2))

    post.watch.step()
    post.look()

    assert post.stage() is Stage.ENDED
    assert [event.fields["monitor"] for event in post.events("monitor.odd")] == ["torn", "odd"]


class Choosy(FakeMonitors):
    """Cannot write what it has of one monitor, nor anything together with that."""

    def note(self, turns: Sequence[Turn]) -> Sequence[Turn]:
        if any(turn.monitor.id == "odd" for turn in turns):
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
        return super().note(turns)


def test_a_turn_that_cannot_be_written_stops_no_other() -> None:
    post = Post(monitors=Choosy())
    post.add(monitor("odd", 1), monitor("m", 2))
    post.cluster.put(row("FAILED"))
    post.cluster.put(row("FAILED", 2))

    post.watch.step()

    assert (post.stage(), post.stage("odd")) == (Stage.ENDED, Stage.WATCHING)
    assert len(post.events("monitor.odd")) == 1


def test_monitors_are_forgotten_long_after_they_stopped() -> None:
    post = Post()
    post.add(monitor("old", stage=Stage.ENDED, updated=NOW - timedelta(days=91)))
    post.add(monitor("new", stage=Stage.ENDED, updated=NOW - timedelta(days=89)))

    post.watch.step()

    assert [*post.monitors.kept] == ["new"]


def test_the_thread_goes_on_after_a_full_disk_and_says_so_once() -> None:
    post = Post()
    post.add(monitor())
    post.cluster.put(row("FAILED"))
    post.monitors.is_broken = True
    is_told = Bell()

    def tell(event: Event) -> None:
        post.told.append(event)
        if event.name == "monitor.unwritten":
            is_told.set()

    watch = Watch("lab", post.monitors, Reader(post.pictures, lambda: NOW), tell, RULES, 600)
    with watching([watch]):
        assert is_told.wait(30)
        post.monitors.is_broken = False
        watch.wake()
        deadline = time.monotonic() + 30
        while post.stage() is Stage.WATCHING and time.monotonic() < deadline:
            time.sleep(0.01)

    assert post.stage() is Stage.ENDED
    assert len(post.events("monitor.unwritten")) == 1


def test_a_defect_is_said_and_does_not_end_it() -> None:
    post = Post()
    post.add(monitor())
    is_told = Bell()

    class Broken(Reader):
        def listing(self, _picture: Any) -> Any:
            raise ZeroDivisionError

    def tell(event: Event) -> None:
        post.told.append(event)
        if event.name == "monitor.crashed":
            is_told.set()

    watch = Watch("lab", post.monitors, Broken(post.pictures, lambda: NOW), tell, RULES, 600)
    with watching([watch]):
        assert is_told.wait(30)


def test_what_slurm_conf_does_not_say_of_accounting_is_not_concluded_from() -> None:
    assert has_accounting({})
    assert has_accounting({"AccountingStorageType": "accounting_storage/slurmdbd"})
    assert not has_accounting({"AccountingStorageType": "accounting_storage/none"})
    assert not has_accounting({"AccountingStorageType": "(null)"})


def test_a_configuration_that_is_not_told_is_silence() -> None:
    post = Post()
    post.cluster.silent.add("read_configuration")
    post.add(monitor(submitted=NOW))

    post.watch.step()

    assert post.history.questions == 0
    assert post.monitors.kept["m"].missing_since is None
