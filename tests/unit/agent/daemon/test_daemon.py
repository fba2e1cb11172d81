"""The daemon goes on through failures, heeds signals, and ends when asked."""

import os
import signal
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.patience import AT_ONCE_S
from waldur_slurm.agent.daemon.daemon import Daemon
from waldur_slurm.agent.daemon.looks import Looks
from waldur_slurm.agent.daemon.pace import Pace
from waldur_slurm.agent.errors import WaldurUnreachable
from waldur_slurm.agent.report.look import Look
from waldur_slurm.errors import SettingsError, StateError
from waldur_slurm.service.notify import Notifier
from waldur_slurm.service.signals import Signals, listening
from waldur_slurm.telemetry.events import Event, Level

SOON = timedelta(milliseconds=5)
NEVER = timedelta(days=1)


@pytest.fixture
def signals() -> Iterator[Signals]:
    with listening() as noted:
        yield noted


class Script:
    """A cycle that does one thing after the other, and ends the daemon after the last."""

    def __init__(self, *acts: Callable[[], None]) -> None:
        self.acts = list(acts)
        self.runs = 0

    def __call__(self) -> None:
        self.runs += 1
        act = self.acts.pop(0)
        if not self.acts:
            os.kill(os.getpid(), signal.SIGTERM)
        act()


def well() -> None:
    pass


def failing(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def sending(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def run(
    cycle: Callable[[], None],
    signals: Signals,
    interval: timedelta = SOON,
    reload: Callable[[], None] = well,
    notifier: Notifier | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    zone: ZoneInfo | None = None,
    look: Callable[[], Look] | None = None,
) -> list[Event]:
    told: list[Event] = []
    looks = Looks(look, interval=SOON, longest=SOON, tell=told.append) if look else None
    Daemon(
        run_cycle=cycle,
        reload=reload,
        pace=Pace(interval, zone),
        signals=signals,
        notifier=notifier or Notifier(),
        tell=told.append,
        looks=looks,
        now=now,
        dice=lambda: 0.5,
    ).run()
    return told


def test_cycles_follow_each_other_until_it_is_asked_to_stop(signals: Signals) -> None:
    cycle = Script(well, well, well)

    assert run(cycle, signals) == []
    assert cycle.runs == 3


def test_between_two_cycles_it_looks_until_a_look_wants_a_cycle(signals: Signals) -> None:
    looked: list[Look] = [Look(is_cycle_wanted=True), Look(), Look()]

    cycle = Script(well, well)
    run(cycle, signals, interval=NEVER, look=looked.pop)

    assert cycle.runs == 2
    assert looked == []


def test_after_a_cycle_that_failed_it_does_not_look_before_one_ends_well(signals: Signals) -> None:
    order: list[str] = []

    def look() -> Look:
        order.append("look")
        return Look(is_cycle_wanted=True)

    def failed() -> None:
        order.append("failed")
        raise WaldurUnreachable("refused")

    rare = timedelta(milliseconds=200)
    run(Script(failed, lambda: order.append("well"), well), signals, rare, look=look)

    assert order == ["failed", "well", "look"]


class Ring:
    """Refers to itself, so that only a collection lets go of it."""

    def __init__(self) -> None:
        self.itself = self


def test_objects_that_refer_to_each_other_are_collected_before_the_next_cycle(
    signals: Signals,
) -> None:
    left: list[weakref.ref[Ring]] = []
    seen: list[Ring | None] = []

    run(Script(lambda: left.append(weakref.ref(Ring())), lambda: seen.append(left[0]())), signals)

    assert seen == [None]


def test_what_may_pass_is_a_warning_and_what_needs_a_person_is_an_error(signals: Signals) -> None:
    told = run(
        Script(failing(WaldurUnreachable("refused")), failing(StateError("disk full")), well),
        signals,
    )

    assert [(event.name, event.level) for event in told] == [
        ("cycle.failed", Level.WARNING),
        ("cycle.failed", Level.ERROR),
        ("cycle.recovered", Level.INFO),
    ]
    assert told[1].fields == {"error": "disk full", "in_a_row": 2}


def test_a_defect_in_one_cycle_does_not_end_the_service(signals: Signals) -> None:
    (crashed, recovered) = run(Script(failing(KeyError("oops")), well), signals)

    assert crashed.name == "cycle.crashed"
    assert "KeyError: 'oops'" in str(crashed.fields["traceback"])
    assert recovered.name == "cycle.recovered"


def test_a_signal_runs_a_cycle_now(signals: Signals) -> None:
    cycle = Script(sending(signal.SIGUSR1), well)
    began = time.monotonic()

    run(cycle, signals, interval=NEVER)

    assert cycle.runs == 2
    assert time.monotonic() - began < AT_ONCE_S


def test_a_wait_ends_at_once_when_it_is_asked_to_stop(signals: Signals) -> None:
    timer = threading.Timer(0.1, sending(signal.SIGTERM))
    timer.start()
    began = time.monotonic()

    run(well, signals, interval=NEVER)

    timer.join()
    assert time.monotonic() - began < AT_ONCE_S


def test_hangup_reads_the_files_again_and_waits_on(signals: Signals) -> None:
    reloads: list[int] = []

    def reload() -> None:
        reloads.append(1)
        os.kill(os.getpid(), signal.SIGUSR1)

    told = run(Script(sending(signal.SIGHUP), well), signals, interval=NEVER, reload=reload)

    assert reloads == [1]
    assert [event.name for event in told] == ["reload.done"]


def test_files_with_mistakes_are_refused_and_the_daemon_goes_on(signals: Signals) -> None:
    def reload() -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        raise SettingsError(["tres.yaml:3: unknown key"])

    (told,) = run(Script(sending(signal.SIGHUP), well), signals, interval=NEVER, reload=reload)

    assert told.level is Level.ERROR
    assert told.fields["mistakes"] == ["tres.yaml:3: unknown key"]


def test_no_wait_sleeps_through_the_last_call_before_a_month_closes(signals: Signals) -> None:
    clock = iter([datetime(2026, 11, 30, 23, 49, 59, 900_000, tzinfo=UTC)])
    began = time.monotonic()

    def now() -> datetime:
        first = next(clock, None)
        return first or datetime(2026, 11, 30, 23, 50, tzinfo=UTC)

    cycle = Script(failing(WaldurUnreachable("refused")), well)
    run(cycle, signals, interval=NEVER, now=now, zone=ZoneInfo("UTC"))

    assert cycle.runs == 2
    assert time.monotonic() - began < AT_ONCE_S


def test_the_service_manager_follows_what_happens(signals: Signals, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(0)
        run(
            Script(failing(WaldurUnreachable("refused")), well),
            signals,
            notifier=Notifier(manager.getsockname(), timedelta(seconds=60)),
            now=lambda: datetime(2026, 11, 21, 12, tzinfo=UTC),
        )
        heard = [manager.recv(512).decode() for _ in range(7)]

    assert heard == [
        "READY=1",
        "WATCHDOG=1",
        "STATUS=a cycle is running",
        "STATUS=failed 1 time in a row: refused",
        "STATUS=a cycle is running",
        "STATUS=last cycle ended well at 2026-11-21 12:00:00 UTC",
        "STOPPING=1",
    ]


def test_who_types_twice_does_not_want_to_wait(signals: Signals) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    assert signals.is_stopping

    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_afterwards_signals_mean_what_they_meant_before() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with listening():
        assert signal.getsignal(signal.SIGTERM) != before

    assert signal.getsignal(signal.SIGTERM) == before
