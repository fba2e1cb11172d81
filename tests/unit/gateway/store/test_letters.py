"""What an outbox does, the real one and the fake alike."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from tests.fakes.letters import FakeLetters
from tests.unit.gateway.post.letters import FACTS, NOW, letter
from waldur_slurm.gateway.post.letter import Letter, Method, Occasion, Stage
from waldur_slurm.gateway.post.port import Letters, Sought, Tally
from waldur_slurm.gateway.store.letters import StoredLetters, add_letter
from waldur_slurm.gateway.store.sqlite import Database

LATER = NOW + timedelta(minutes=5)
SOON = NOW - timedelta(seconds=1)


@pytest.fixture(params=["fake", "sqlite"])
def letters(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Letters]:
    if request.param == "fake":
        yield FakeLetters()
        return
    database = Database(tmp_path / "state" / "gateway.sqlite")
    yield StoredLetters(database)
    database.close()


def webhook(message_id: str, host: str, tries: int = 0) -> Letter:
    url = {"url": f"https://{host}/x"}
    return letter(message_id, method=Method.WEBHOOK, parameters=url, tries=tries)


def test_one_that_was_put_off_by_a_clock_that_was_set_back_is_due_and_can_be_claimed(
    letters: Letters,
) -> None:
    letters.add(letter(next_try=NOW + timedelta(days=1)))
    letters.add(webhook("two", "a.example.org"))
    letters.note(replace(webhook("two", "a.example.org"), next_try=NOW + timedelta(hours=1)))

    assert [each.message_id for each in letters.heads(NOW)] == ["one"]
    assert letters.claim(letter(), NOW, LATER)
    assert not letters.claim(letter(), NOW, LATER)
    assert letters.heads(NOW) == ()


def test_a_letter_is_kept_with_all_that_is_known_of_it(letters: Letters) -> None:
    bare = letter(
        "bare", facts=None, event=Occasion.TRIAL, owner="token:a", tries=3, last_words="busy: ö\n"
    )

    assert letters.add(letter())
    assert letters.add(bare)

    assert letters.latest(9) == (bare, letter())
    assert letters.latest(1) == (bare,)


def test_a_monitor_has_one_letter_for_each_event_and_method(letters: Letters) -> None:
    first = letter("one", monitor="m")
    others = [
        letter("event", monitor="m", event=Occasion.STARTED),
        letter("method", monitor="m", method=Method.SLACK),
        letter("monitor", monitor="n"),
    ]

    assert letters.add(first)
    assert not letters.add(letter("two", monitor="m", parameters={"recipient": "b@example.org"}))
    assert all(letters.add(each) for each in others)
    assert letters.latest(9) == (*others[::-1], first)


def test_each_sink_shows_the_letter_whose_turn_it_is(letters: Letters) -> None:
    dead = webhook("dead", "gone.example.org", tries=1)
    for each in (
        dead,
        replace(webhook("dead2", "gone.example.org", tries=2), next_try=SOON),
        webhook("early", "here.example.org"),
        webhook("late", "here.example.org"),
        letter("mail", next_try=LATER),
    ):
        letters.add(each)

    assert letters.heads(NOW) == (dead, webhook("early", "here.example.org"))
    assert letters.heads(SOON) == (
        replace(webhook("dead2", "gone.example.org", tries=2), next_try=SOON),
    )
    assert [each.message_id for each in letters.heads(LATER)] == ["dead", "early", "mail"]


def test_a_claimed_letter_is_nobody_elses_until_then(letters: Letters) -> None:
    letters.add(letter())

    assert letters.claim(letter(), NOW, LATER)
    assert not letters.claim(letter(), NOW, LATER)
    assert letters.heads(NOW) == ()
    assert letters.heads(LATER) == (letter(next_try=LATER),)
    assert not letters.claim(letter("unheard-of"), NOW, LATER)


def test_what_became_of_a_try_is_noted_and_an_end_is_an_end(letters: Letters) -> None:
    letters.add(letter())
    busy = letter(tries=1, next_try=LATER, last_words="busy")
    letters.note(busy)
    assert letters.latest(9) == (busy,)

    for stage in (Stage.DELIVERED, Stage.DEAD, Stage.WAITING):
        letters.note(replace(busy, stage=stage))

    assert letters.latest(9) == (replace(busy, stage=Stage.DELIVERED),)
    assert letters.heads(LATER) == ()
    assert not letters.claim(letter(), LATER, LATER)


def test_old_ones_are_forgotten_but_for_those_that_wait(letters: Letters) -> None:
    old, new = (letter(name, made=at) for name, at in (("old", NOW), ("new", LATER)))
    waiting = letter("waiting")
    for each in (old, waiting, new):
        letters.add(each)
    for each in (old, new):
        letters.note(replace(each, stage=Stage.DEAD))

    letters.forget(LATER)

    assert letters.latest(9) == (replace(new, stage=Stage.DEAD), waiting)


def test_of_many_who_claim_a_letter_one_has_it(letters: Letters) -> None:
    letters.add(letter())
    start, won = Barrier(8), list[bool]()

    def claim() -> None:
        start.wait()
        won.append(letters.claim(letter(), NOW, LATER))

    threads = [Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == [False] * 7 + [True]


def test_a_letter_and_what_it_tells_of_are_written_together_or_not_at_all(
    database: Database,
) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        assert add_letter(connection, letter())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(fail)
    assert StoredLetters(database).latest(9) == ()

    assert database.write(lambda connection: add_letter(connection, letter()))
    assert StoredLetters(database).latest(9) == (letter(),)


def test_letters_are_sought_by_who_may_see_them(letters: Letters) -> None:
    bens = replace(FACTS, user="ben")
    for each in (
        letter("own", owner="token:a", facts=None),
        letter("anns", owner="token:b", stage=Stage.DEAD),
        letter("bens", owner="token:b", facts=bens),
    ):
        letters.add(each)

    def found(limit: int = 9, **sought: Any) -> list[str]:
        return [each.message_id for _, each in letters.search(Sought(**sought), limit)]

    assert found() == ["bens", "anns", "own"]
    assert found(limit=1) == ["bens"]
    assert found(owner="token:a", users=()) == ["own"]
    assert found(owner="token:a", users=["ann"]) == ["anns", "own"]
    assert found(stage=Stage.DEAD) == found(message_id="anns") == ["anns"]
    [(number, whole)] = letters.search(Sought(message_id="anns"), 9)
    assert whole == letter("anns", owner="token:b", stage=Stage.DEAD)
    assert found(before=number) == ["own"]


def test_a_dead_letter_is_tried_for_a_day_more_where_somebody_asks(letters: Letters) -> None:
    dead = letter("dead", stage=Stage.DEAD, tries=9, last_words="refused")
    letters.add(dead)
    letters.add(letter("live"))

    assert letters.try_again(dead, LATER)
    assert not letters.try_again(dead, LATER)
    assert not letters.try_again(letter("live"), LATER)

    [(_, again)] = letters.search(Sought(message_id="dead"), 9)
    assert again == replace(dead, stage=Stage.WAITING, tries=0, made=LATER, next_try=LATER)


def test_letters_are_counted_and_the_first_that_waits_is_known(letters: Letters) -> None:
    assert letters.tally() == Tally({}, None)
    letters.add(letter("dead", stage=Stage.DEAD, made=SOON))
    assert letters.tally() == Tally({Stage.DEAD: 1}, None)

    letters.add(letter("late", made=LATER))
    letters.add(letter("early"))

    assert letters.tally() == Tally({Stage.DEAD: 1, Stage.WAITING: 2}, NOW)
