"""Living and working are two questions, and the second says why not."""

from datetime import timedelta

from waldur_slurm.agent.daemon.health import STUCK_AFTER, Health
from waldur_slurm.telemetry.events import Event, Level

MINUTE = timedelta(minutes=1)
OK = Event(name="cycle.ended", level=Level.DEBUG, fields={"outcome": "ok"})
PARTIAL = Event(name="cycle.ended", level=Level.DEBUG, fields={"outcome": "partial"})
ENDED_BADLY = Event(name="cycle.ended", level=Level.DEBUG, fields={"outcome": "failed"})


def failed(error: str) -> Event:
    return Event(name="cycle.failed", level=Level.ERROR, fields={"error": error})


class Daemon:
    """A daemon's clock and its last sign of life, both moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.quiet = timedelta(0)
        self.health = Health(
            MINUTE,
            lambda: self.quiet,
            lambda text: text.replace("token", "***"),
            lambda: self.time,
        )

    def passes(self, time: timedelta) -> None:
        self.time += time.total_seconds()


def test_it_lives_as_long_as_it_gives_signs_of_life() -> None:
    daemon = Daemon()

    daemon.quiet = STUCK_AFTER
    assert daemon.health.life().is_well
    daemon.quiet = STUCK_AFTER + timedelta(seconds=1)
    assert daemon.health.life().words == "no sign of life for 901 s"
    assert not daemon.health.life().is_well


def test_it_lives_while_nothing_succeeds() -> None:
    daemon = Daemon()
    daemon.health(failed("Waldur is down"))
    daemon.passes(timedelta(days=1))

    assert daemon.health.life().is_well
    assert not daemon.health.work().is_well


def test_it_does_not_work_before_the_first_good_cycle() -> None:
    daemon = Daemon()
    daemon.passes(timedelta(seconds=7))

    assert daemon.health.work().words == "no cycle has ended well in the 7 s so far"
    assert not daemon.health.work().is_well


def test_it_works_for_three_intervals_and_a_minute_after_a_good_cycle() -> None:
    daemon = Daemon()
    daemon.health(OK)

    daemon.passes(4 * MINUTE)
    assert daemon.health.work().is_well
    daemon.passes(timedelta(seconds=1))
    assert not daemon.health.work().is_well
    assert daemon.health.work().words == "the last good cycle ended 241 s ago"


def test_a_cycle_with_single_failures_counts_and_one_that_failed_whole_does_not() -> None:
    daemon = Daemon()

    daemon.health(ENDED_BADLY)
    assert not daemon.health.work().is_well
    daemon.health(PARTIAL)
    assert daemon.health.work().is_well


def test_it_says_what_went_wrong_last_on_one_line_without_secrets() -> None:
    daemon = Daemon()
    daemon.health(failed("first"))
    daemon.health(failed("no answer\n  for token"))

    assert daemon.health.work().words.endswith("so far: no answer for ***")


def test_trouble_is_forgotten_once_a_cycle_ends_well() -> None:
    daemon = Daemon()
    daemon.health(failed("passing"))
    daemon.health(OK)
    daemon.passes(timedelta(hours=1))

    assert daemon.health.work().words == "the last good cycle ended 3600 s ago"
