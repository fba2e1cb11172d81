"""Laws of watching, for any jobs, looks, silences and crashes."""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.monitors import FakeMonitors
from tests.unit.gateway.watch.looks import MINUTE, RULES, listing, memory, row, run
from tests.unit.gateway.watch.monitors import NOW, monitor
from waldur_slurm.gateway.post.letter import Letter, Method, Occasion
from waldur_slurm.gateway.watch.monitor import Monitor, Stage
from waldur_slurm.gateway.watch.plan import SILENT, Listing, Memory, Voice, overdue, turn
from waldur_slurm.model.batch import JobId, Task
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.past import PastRun

OPEN = ("PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", "REQUEUE_HOLD", "NEW_WORD")
ENDS = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED")
ALL = frozenset({Occasion.TERMINAL, Occasion.STARTED, Occasion.SUSPENDED, Occasion.REQUEUED})
WAYS = {Method.EMAIL: {"recipient": "ann@example.org"}, Method.TEST: {}}
LATER = timedelta(days=2)


class Looked(NamedTuple):
    """One look: what is listed, what is recalled, and how much later it is."""

    listing: Listing
    memory: Memory
    after: timedelta


numbers = st.sampled_from((1, 2))
tasks = st.sampled_from((None, Task(0), Task(1)))
submits = st.sampled_from((NOW, NOW + LATER))
users = st.sampled_from(("ann", "ann", "ann", "ben"))
pauses = st.sampled_from((MINUTE, 30 * MINUTE, timedelta(days=1), timedelta(days=5)))


@st.composite
def rows(draw: st.DrawFn, states: tuple[str, ...]) -> LiveJob:
    number, task = draw(numbers), draw(tasks)
    return row(
        draw(st.sampled_from(states)),
        number if task is None else 100 + number + task.number,
        id=JobId(number, task),
        submitted=draw(submits),
        user=draw(users),
        restarts=draw(st.integers(0, 2)),
    )


@st.composite
def runs(draw: st.DrawFn, states: tuple[str, ...]) -> PastRun:
    state = draw(st.sampled_from(states))
    return run(
        state,
        id=JobId(draw(numbers), draw(tasks)),
        submitted=draw(submits),
        user=draw(users),
        end=NOW + LATER if state in ENDS else None,
    )


@st.composite
def looks(draw: st.DrawFn, states: tuple[str, ...]) -> Looked:
    listed = draw(st.lists(rows(states), max_size=3, unique_by=lambda job: job.id))
    seen = listing(
        *listed,
        unreadable=tuple(draw(st.lists(st.sampled_from(("1", "2", "?")), max_size=1))),
        is_whole=draw(st.booleans()),
    )
    known = memory(*draw(st.lists(runs(states), max_size=3)), is_whole=draw(st.booleans()))
    voice = draw(st.sampled_from(Voice))
    return Looked(seen, known if voice is Voice.SAID else Memory(voice), draw(pauses))


monitors = st.builds(
    lambda job, task, known, ways, wanted: monitor(
        job=None if job is None else JobId(job, task),
        submitted=NOW if known else None,
        methods=ways,
        occasions=wanted,
    ),
    st.sampled_from((1, 2, None)),
    tasks,
    st.booleans(),
    st.sampled_from(({}, WAYS)),
    st.sampled_from((ALL, frozenset({Occasion.TERMINAL}), frozenset({Occasion.STARTED}))),
)


def follow(start: Monitor, looked: list[Looked], store: FakeMonitors) -> None:
    """Watch until it stops: each turn is written before the next look."""
    at = NOW
    for look in looked:
        at += look.after
        (found,) = [each for each in store.kept.values() if each.id == start.id]
        if found.stage is not Stage.WATCHING:
            return
        made = turn(found, look.listing, look.memory, RULES, at)
        store.note([made] if made else [])


def kept(start: Monitor) -> FakeMonitors:
    store = FakeMonitors()
    store.add(start)
    return store


@given(monitors, st.lists(looks(OPEN), max_size=8))
def test_nothing_is_called_ended_while_nobody_says_that_it_ended(
    start: Monitor, looked: list[Looked]
) -> None:
    store = kept(start)

    follow(start, looked, store)

    assert store.kept["m"].stage is not Stage.ENDED
    assert all(letter.event is not Occasion.TERMINAL for letter in store.letters("m"))


@given(monitors, st.lists(looks(ENDS + OPEN), max_size=6), st.lists(pauses, max_size=6))
def test_silence_says_nothing_but_that_it_is_no_longer_watched(
    start: Monitor, looked: list[Looked], silent: list[timedelta]
) -> None:
    store = kept(start)
    follow(start, looked, store)
    before, at = store.kept["m"], NOW + timedelta(days=40)
    if before.stage is not Stage.WATCHING:
        return

    for pause in silent:
        at += pause
        made = turn(store.kept["m"], listing(), SILENT, RULES, at)
        store.note([made] if made and store.kept["m"].job else [])
        if store.kept["m"].job:
            assert store.kept["m"].stage is Stage.WATCHING
    late = overdue(store.kept["m"], RULES, at)
    assert late is not None
    assert late.monitor.stage is Stage.EXPIRED


@given(monitors, st.lists(looks(ENDS + OPEN), max_size=8))
def test_each_monitor_event_and_method_has_one_letter_in_any_order(
    start: Monitor, looked: list[Looked]
) -> None:
    at, current = NOW, start
    written: list[Letter] = []
    for look in looked:
        at += look.after
        made = turn(current, look.listing, look.memory, RULES, at)
        if made:
            written += made.letters
            current = made.monitor
        if current.stage is not Stage.WATCHING:
            break

    keys = [(letter.monitor, letter.event, letter.method) for letter in written]
    assert len(keys) == len({*keys})
    assert len({letter.message_id for letter in written}) == len(keys)
    wanted = current.occasions | {Occasion.VANISHED, Occasion.EXPIRED}
    assert {letter.event for letter in written} <= wanted
    is_over = current.stage is not Stage.WATCHING
    last = {Occasion.TERMINAL, Occasion.VANISHED, Occasion.EXPIRED}
    if is_over and start.methods and Occasion.TERMINAL in start.occasions:
        of_end = [letter for letter in written if letter.event in last]
        assert len(of_end) == len(start.methods)


@given(
    monitors, st.lists(looks(ENDS + OPEN), max_size=8), st.sets(st.integers(0, 7)), st.booleans()
)
def test_a_crash_before_or_after_any_write_loses_no_letter_and_makes_none_twice(
    start: Monitor,
    looked: list[Looked],
    crashes: set[int],
    is_after: bool,
) -> None:
    smooth, rough = kept(start), kept(start)
    follow(start, looked, smooth)

    at = NOW
    for number, look in enumerate(looked):
        at += look.after
        for _ in range(2 if number in crashes else 1):
            found = rough.kept["m"]
            made = turn(found, look.listing, look.memory, RULES, at)
            is_lost = number in crashes and not is_after and _ == 0
            if found.stage is Stage.WATCHING and made and not is_lost:
                rough.note([made])

    assert rough.outbox.kept == smooth.outbox.kept
    assert rough.kept == smooth.kept


@given(monitors, looks(ENDS + OPEN))
def test_a_look_that_is_taken_twice_says_nothing_new(start: Monitor, look: Looked) -> None:
    made = turn(start, look.listing, look.memory, RULES, NOW)
    after = made.monitor if made else start
    if after.stage is not Stage.WATCHING:
        return

    again = turn(after, look.listing, look.memory, RULES, NOW)

    assert again is None or (again.letters, again.transition) == ((), None)
    assert again is None or replace(again.monitor, updated=after.updated) == after
