"""Letters are tried again and again, not for ever, and none holds up another sink's."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateway.post.letters import NOW, letter
from waldur_slurm.gateway.post.letter import Letter, Method, Stage
from waldur_slurm.gateway.post.plan import (
    AT_ONCE,
    FIRST_PAUSE,
    LIFETIME,
    LONGEST_PAUSE,
    after,
    due,
)
from waldur_slurm.gateway.post.port import Delivered, Later, Never

ASKED = st.floats(min_value=-1e9, max_value=1e9)


def letters() -> st.SearchStrategy[list[Letter]]:
    one = st.builds(
        lambda number, method, host, tries, wait: letter(
            str(number),
            method=method,
            parameters={"url": f"https://{host}.example.org/x"},
            tries=tries,
            next_try=NOW + timedelta(seconds=wait),
        ),
        st.integers(),
        st.sampled_from(Method),
        st.sampled_from("abcdefg"),
        st.integers(0, 30),
        st.integers(-100, 100),
    )
    return st.lists(one, max_size=30, unique_by=lambda letter: letter.message_id)


@given(ASKED, st.integers(0, 900))
def test_a_sink_that_never_takes_a_letter_is_tried_for_a_day_and_no_longer(
    asks_for_s: float, takes_s: int
) -> None:
    tried, now, pauses = letter(), NOW, list[timedelta]()
    while tried.stage is Stage.WAITING:
        now = max(now, tried.next_try) + timedelta(seconds=takes_s)
        tried = after(tried, Later("busy", asks_for_s), now)
        pauses.append(tried.next_try - now)

    assert tried.stage is Stage.DEAD
    assert tried.last_words == "busy"
    assert 20 <= tried.tries == len(pauses) <= 50
    assert LIFETIME <= now - NOW <= LIFETIME + 2 * timedelta(seconds=takes_s)
    assert all(FIRST_PAUSE <= pause <= LONGEST_PAUSE for pause in pauses[:-2])


@given(st.integers(1, 40))
def test_pauses_grow(tries: int) -> None:
    def pause(number: int) -> timedelta:
        return after(letter(tries=number), Later("busy"), NOW).next_try - NOW

    assert FIRST_PAUSE <= pause(tries - 1) <= pause(tries) <= LONGEST_PAUSE


@given(ASKED)
def test_a_sink_that_names_a_time_is_not_asked_before_within_an_hour(after_s: float) -> None:
    pause = after(letter(), Later("slowly", after_s), NOW).next_try - NOW

    assert pause >= min(timedelta(seconds=max(after_s, 0)), LONGEST_PAUSE)
    assert FIRST_PAUSE <= pause <= LONGEST_PAUSE


@given(st.integers(0, 30))
def test_what_is_taken_or_refused_for_good_is_not_tried_again(tries: int) -> None:
    waiting = letter(tries=tries, last_words="busy")

    assert after(waiting, Delivered(), NOW) == replace(
        waiting, tries=tries + 1, stage=Stage.DELIVERED, last_words=""
    )
    assert after(waiting, Never("nobody of that name"), NOW) == replace(
        waiting, tries=tries + 1, stage=Stage.DEAD, last_words="nobody of that name"
    )


@given(letters(), letters())
def test_no_sink_gets_two_letters_at_once_and_none_waits_without_a_reason(
    heads: list[Letter], sent: list[Letter]
) -> None:
    busy = {letter.sink for letter in due(sent, NOW, set())}
    begun = [*due(heads, NOW, busy)]

    sinks = [letter.sink for letter in begun]
    assert len({*sinks, *busy}) == len(sinks) + len(busy)
    assert all(letter.next_try <= NOW for letter in begun)
    lanes = Counter(sink.method for sink in {*sinks, *busy})
    assert all(count <= AT_ONCE for count in lanes.values())
    for left in heads:
        is_held = left.sink in {*sinks, *busy} or lanes[left.method] == AT_ONCE
        assert left in begun or left.next_try > NOW or is_held
