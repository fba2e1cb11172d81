"""One picture for all who ask: one reading at a time, and never a guess about a silent Slurm."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier, Event, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waldur_slurm.errors import AccountingDown
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.picture.freshness import (
    LONGEST_REST_S,
    PATIENCE_S,
    SILENCE_BORNE_S,
    life_s,
)
from waldur_slurm.gateway.picture.keeper import Keeper, Look, Seen
from waldur_slurm.gateway.picture.picture import Picture
from waldur_slurm.telemetry.events import Event as Told


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


class Source:
    """What is read: a number that counts the readings, or silence."""

    def __init__(self) -> None:
        self.readings = 0
        self.is_silent = False
        self.crashes = False
        self.on_read: Callable[[], None] | None = None
        self._lock = Lock()

    def read(self) -> int:
        with self._lock:
            self.readings += 1
        if self.on_read:
            self.on_read()
        if self.is_silent:
            raise AccountingDown(("squeue",), 1, "connect failure")
        if self.crashes:
            raise ZeroDivisionError
        return self.readings


class Site:
    def __init__(self, on_new: Callable[..., None] | None = None, ttl_s: float = 5.0) -> None:
        self.clock = Clock()
        self.source = Source()
        self.told: list[Told] = []
        self.keeper = Keeper(
            "jobs", self.source.read, ttl_s, self.told.append, on_new=on_new, clock=self.clock
        )

    def see(self, *, younger_than: float = 0.0) -> Seen[int]:
        """Do what the web does, in one thread."""
        asked = self.clock.now
        while True:
            look = self.keeper.look(younger_than=younger_than, asked=asked)
            if look.to_take:
                look.to_take.take()
            if isinstance(look.answer, Seen):
                return look.answer
            if isinstance(look.answer, NotNow):
                raise look.answer
            look.answer.result(timeout=10)

    @property
    def life_s(self) -> float:
        last = self.keeper.last
        return life_s(self.keeper.ttl_s, last.took_s if last else 0.0)

    def ask_each_second(self) -> bool:
        """Ask, a second later; say whether Slurm was asked for it."""
        self.clock.forward(1.0)
        look = self.keeper.look()
        if look.to_take:
            look.to_take.take()
        return look.to_take is not None

    def names(self) -> list[str]:
        return [event.name for event in self.told]


def test_the_first_who_asks_takes_the_picture_and_the_others_wait_for_it() -> None:
    site = Site()

    first, second = site.keeper.look(), site.keeper.look()

    assert first.to_take is not None
    assert second.to_take is None
    assert isinstance(second.answer, Future)
    assert not second.answer.done()
    first.to_take.take()
    assert second.answer.done()
    assert site.see().picture.value == 1


def test_a_hundred_who_ask_at_once_cost_one_reading() -> None:
    site, gate = Site(), Barrier(20)

    def ask(_: int) -> int:
        gate.wait(timeout=30)
        return site.see().picture.value

    with ThreadPoolExecutor(20) as pool:
        values = list(pool.map(ask, range(100)))

    assert values == [1] * 100
    assert site.source.readings == 1


def test_a_picture_is_shown_until_its_life_is_over_and_then_taken_anew() -> None:
    site = Site()
    assert site.see().picture.value == 1

    site.clock.now += 5.0
    assert site.see().picture.value == 1
    site.clock.now += 3.0
    seen = site.see()

    assert seen.picture.value == 2
    assert seen.picture.generation == 2
    assert seen.age_s == 0.0


def test_whoever_needs_to_know_what_was_after_a_moment_is_shown_nothing_from_before() -> None:
    site = Site()
    site.see()
    moment = site.clock.now
    site.clock.now += 1.0

    assert site.see(younger_than=moment).picture.value == 2
    assert site.see(younger_than=moment).picture.value == 2


def test_a_silent_slurm_leaves_the_last_picture_marked_with_its_words() -> None:
    site = Site()
    site.see()
    site.source.is_silent = True
    site.clock.now += 30.0

    seen = site.see()

    assert seen.picture.value == 1
    assert seen.age_s == 30.0
    assert "connect failure" in seen.silence


def test_after_a_minute_of_silence_nobody_is_shown_the_picture_any_more() -> None:
    site = Site()
    site.see()
    site.source.is_silent = True
    site.clock.now += 30.0
    site.see()
    site.clock.now += 61.0

    with pytest.raises(NotNow, match=r"does not tell of jobs.*connect failure") as refused:
        site.see()

    assert refused.value.after_s >= 1


@given(
    ttl_s=st.sampled_from((1.0, 5.0, 60.0, 300.0)),
    took_s=st.sampled_from((0.0, 3.0, 40.0)),
    silent_for=st.integers(1, 400),
)
def test_the_first_reading_that_begins_when_slurm_answers_again_is_what_all_are_shown(
    ttl_s: float, took_s: float, silent_for: int
) -> None:
    site = Site(ttl_s=ttl_s)
    site.source.on_read = lambda: site.clock.forward(took_s)
    site.see()
    site.clock.forward(site.life_s + 1)
    site.source.is_silent = True
    site.source.on_read = None
    asked = [second for second in range(silent_for) if site.ask_each_second()]
    failed = site.source.readings

    site.source.is_silent = False
    seconds = next(second for second in range(1000) if site.ask_each_second())

    assert all(after - before <= LONGEST_REST_S for before, after in pairwise(asked))
    assert seconds <= min(ttl_s, LONGEST_REST_S)
    assert site.source.readings == failed + 1
    shown = site.see()
    assert (shown.picture.value, shown.silence) == (failed + 1, "")


def test_silence_is_told_once_and_so_is_its_end() -> None:
    site = Site()
    site.see()
    site.source.is_silent = True
    for _ in range(3):
        site.clock.now += 30.0
        look: Look[int] = site.keeper.look()
        if look.to_take:
            look.to_take.take()
    site.source.is_silent = False
    site.clock.now += 30.0
    with pytest.raises(NotNow):  # the one who asks is refused, and takes the picture beside
        site.see()

    assert site.see().silence == ""
    assert site.names() == ["slurm.silent", "slurm.answers"]


def test_a_defect_in_reading_is_told_and_lets_nobody_wait_for_ever() -> None:
    site = Site()
    site.source.crashes = True
    look = site.keeper.look()
    assert look.to_take is not None
    assert isinstance(look.answer, Future)

    look.to_take.take()

    assert look.answer.done()
    with pytest.raises(NotNow, match="ZeroDivisionError"):
        site.see()
    assert "ZeroDivisionError" in str(site.told[-1].fields["traceback"])


def test_a_flight_that_nobody_can_take_is_a_refusal_for_all_who_wait() -> None:
    site = Site()
    look = site.keeper.look()
    assert look.to_take is not None

    look.to_take.drop("too many wait for Slurm already")

    with pytest.raises(NotNow, match="too many wait"):
        site.see()


def test_what_was_changed_is_read_again_before_it_is_shown() -> None:
    site = Site()
    site.see()

    site.keeper.forget()

    assert site.see().picture.value == 2


def test_a_picture_that_was_being_taken_when_something_was_changed_is_not_shown_as_fresh() -> None:
    site = Site()
    read = site.source.read

    def read_while_it_changes() -> int:
        if site.source.readings == 0:
            site.keeper.forget()
        return read()

    site.keeper._read = read_while_it_changes

    assert site.see().picture.value == 2


def test_changes_without_end_keep_nobody_waiting() -> None:
    site = Site()
    site.see()

    def change() -> None:
        site.clock.forward(0.5)
        site.keeper.forget()
        site.clock.forward(0.5)
        assert site.source.readings < 10

    site.source.on_read = change
    site.keeper.forget()
    site.clock.forward(0.5)

    assert site.see().picture.value == 3


def test_the_last_picture_stands_for_a_silent_slurm_after_a_change_too() -> None:
    site = Site()
    site.see()
    site.keeper.forget()
    site.source.is_silent = True

    seen = site.see()

    assert (seen.picture.value, "connect failure" in seen.silence) == (1, True)


def test_each_new_picture_is_handed_on_with_the_one_before() -> None:
    pairs: list[tuple[Picture[int] | None, Picture[int]]] = []
    site = Site(on_new=lambda before, after: pairs.append((before, after)))
    site.see()
    site.clock.now += 10.0
    site.see()

    assert [(before and before.value, after.value) for before, after in pairs] == [
        (None, 1),
        (1, 2),
    ]


def test_a_reading_that_takes_long_holds_nobody_up_who_may_be_shown_the_picture() -> None:
    site, is_asked, may_answer = Site(), Event(), Event()
    site.see()

    def slow() -> int:
        is_asked.set()
        may_answer.wait(timeout=30)
        return 7

    site.keeper._read = slow
    site.clock.now += 6.0
    with ThreadPoolExecutor(1) as pool:
        look = site.keeper.look()
        assert look.to_take is not None
        taken = pool.submit(look.to_take.take)
        assert is_asked.wait(timeout=30)
        assert isinstance(site.keeper.look().answer, Seen)
        assert site.keeper.look().to_take is None
        may_answer.set()
        taken.result(timeout=30)

    assert site.see().picture.value == 7


# A Slurm that neither answers nor refuses


def test_a_reading_that_hangs_is_a_silence_once_it_was_waited_for_long_enough() -> None:
    site = Site()
    first = site.see()
    site.clock.now += 20.0
    hanging = site.keeper.look()
    assert isinstance(hanging.answer, Future)

    site.clock.now += PATIENCE_S + 1
    look = site.keeper.look()

    assert isinstance(look.answer, Seen)
    assert look.answer.picture == first.picture
    assert "no answer for 11 s" in look.answer.silence
    assert look.to_take is None
    assert hanging.to_take
    hanging.to_take.take()
    assert site.see().silence == ""


def test_nobody_is_shown_a_picture_older_than_a_question_while_a_reading_hangs() -> None:
    site = Site()
    site.see()
    site.clock.now += 20.0
    site.keeper.look()
    site.clock.now += PATIENCE_S + 1

    assert isinstance(site.keeper.look(younger_than=site.clock.now - 1).answer, NotNow)


def test_the_first_reading_of_all_is_not_waited_for_for_ever() -> None:
    site = Site()
    site.keeper.look()
    site.clock.now += PATIENCE_S + 1

    assert isinstance(site.keeper.look().answer, NotNow)


def test_a_reading_that_hangs_for_longer_than_silence_is_borne_is_refused() -> None:
    site = Site()
    site.see()
    site.clock.now += 20.0
    site.keeper.look()
    site.clock.now += SILENCE_BORNE_S + 1

    assert isinstance(site.keeper.look().answer, NotNow)


def test_a_flight_that_has_landed_is_not_dropped_afterwards() -> None:
    site = Site()
    flight = site.keeper.look().to_take
    assert flight
    flight.take()

    flight.drop("the gateway stops")

    assert site.see().silence == ""
