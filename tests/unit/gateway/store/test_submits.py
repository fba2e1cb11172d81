"""What a journal of submits does, of the real one and the fake alike."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.journal import FakeJournal
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.submits import StoredJournal
from waldur_slurm.gateway.submits.attempt import Attempt, Key, Placed
from waldur_slurm.gateway.submits.port import Journal
from waldur_slurm.model.batch import JobId
from waldur_slurm.model.names import UserName

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
JOB = Placed(JobId(12), "lab", NOW, "/home/ann", "/home/ann/out", "/home/ann/err")


@pytest.fixture(params=["fake", "sqlite"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "fake":
        yield FakeJournal()
        return
    database = Database(tmp_path / "state" / "gateway.sqlite")
    yield StoredJournal(database)
    database.close()


def attempt(text: str = "one", **changes: Any) -> Attempt:
    made = Attempt(
        key=Key("token:portal", text),
        cluster="lab",
        user=UserName("ann"),
        fingerprint="f" * 64,
        mark=f"mark-of-{text}",
        opened=NOW,
        doubt_until=LATER,
    )
    return replace(made, **changes)


def test_a_new_attempt_is_open_until_it_is_placed(journal: Journal) -> None:
    assert journal.open(attempt(may_wait=True)) is None
    assert journal.unsettled() == (attempt(may_wait=True),)

    journal.place(attempt().key, JOB)

    assert journal.unsettled() == ()
    assert journal.open(attempt()) == attempt(may_wait=True, placed=JOB)


def test_a_keys_attempt_is_found_open_and_placed(journal: Journal) -> None:
    assert journal.find(attempt().key) is None
    journal.open(attempt())
    assert journal.find(attempt().key) == attempt()

    journal.place(attempt().key, JOB)
    assert journal.find(attempt().key) == attempt(placed=JOB)
    assert journal.find(Key("token:other", "one")) is None


def test_a_job_is_found_by_its_number_and_when_it_was_handed_in(journal: Journal) -> None:
    for text, placed in (("one", JOB), ("two", replace(JOB, submitted=LATER, stdout=None))):
        journal.open(attempt(text))
        journal.place(attempt(text).key, placed)

    assert journal.job_of("lab", JOB.job_id, NOW) == JOB
    assert journal.job_of("lab", JOB.job_id, LATER) == replace(JOB, submitted=LATER, stdout=None)
    assert journal.job_of("lab", JobId(13), NOW) is None
    assert journal.job_of("other", JOB.job_id, NOW) is None


def test_the_keys_own_attempt_stands_in_the_way_of_another(journal: Journal) -> None:
    journal.open(attempt())

    other = attempt(fingerprint="0" * 64, mark="another", opened=LATER)
    assert journal.open(other) == attempt()
    assert journal.unsettled() == (attempt(),)


def test_two_owners_have_two_keys(journal: Journal) -> None:
    theirs = attempt("one", key=Key("token:other", "one"), mark="theirs")

    assert journal.open(attempt()) is None
    assert journal.open(theirs) is None
    assert journal.unsettled() == (theirs, attempt())


def test_an_open_mark_stands_in_the_way_of_another_key_until_it_is_placed(
    journal: Journal,
) -> None:
    journal.open(attempt("one", mark="M"))
    second = attempt("two", mark="M")

    assert journal.open(second) == attempt("one", mark="M")
    assert journal.open(attempt("bobs", mark="M", user=UserName("bob"))) is None
    assert journal.open(attempt("elsewhere", mark="M", cluster="far")) is None
    journal.place(attempt("one").key, JOB)
    assert journal.open(second) is None


def test_of_a_key_and_a_mark_the_key_stands_first_in_the_way(journal: Journal) -> None:
    journal.open(attempt("a", mark="M"))
    journal.open(attempt("z", mark="N"))

    assert journal.open(attempt("z", mark="M")) == attempt("z", mark="N")


def test_a_placed_key_keeps_its_job_and_learns_more_of_it_alone(journal: Journal) -> None:
    journal.open(attempt())
    journal.place(attempt().key, Placed(JobId(12), "lab"))
    assert journal.open(attempt()) == attempt(placed=Placed(JobId(12), "lab"))

    journal.place(attempt().key, JOB)
    journal.place(attempt().key, Placed(JobId(13), "lab", LATER))

    assert journal.open(attempt()) == attempt(placed=JOB)


def test_what_is_freed_is_forgotten_and_what_is_placed_is_not(journal: Journal) -> None:
    journal.open(attempt("one"))
    journal.open(attempt("two"))
    journal.place(attempt("two").key, JOB)

    journal.free(attempt("one").key)
    journal.free(attempt("two").key)

    assert journal.open(attempt("one", opened=LATER)) is None
    assert journal.open(attempt("two")) == attempt("two", placed=JOB)


def test_an_open_attempt_begins_anew_and_a_placed_one_does_not(journal: Journal) -> None:
    journal.open(attempt("one"))
    journal.open(attempt("two"))
    journal.place(attempt("two").key, JOB)

    for text in ("one", "two"):
        journal.reopen(attempt(text).key, LATER, LATER + timedelta(minutes=5))

    assert journal.unsettled() == (
        attempt("one", opened=LATER, doubt_until=LATER + timedelta(minutes=5)),
    )
    assert journal.open(attempt("two")) == attempt("two", placed=JOB)


def test_jobs_of_other_attempts_with_a_mark_are_known(journal: Journal) -> None:
    for number, text in enumerate(("one", "two"), 1):
        journal.open(attempt(text, mark="M"))
        journal.place(attempt(text).key, Placed(JobId(number), "lab"))
    third = attempt("three", mark="M")

    assert journal.known(third) == {JobId(1), JobId(2)}
    assert journal.known(attempt("one", mark="M")) == {JobId(2)}
    assert journal.known(attempt("three", mark="N")) == frozenset()
    assert journal.known(replace(third, user=UserName("bob"))) == frozenset()
    assert journal.known(replace(third, cluster="far")) == frozenset()


def test_attempts_are_found_by_their_marks_open_and_placed(journal: Journal) -> None:
    theirs = attempt("theirs", key=Key("app:1", "x"), mark="M", user=UserName("bob"))
    for each in (attempt("one", mark="M"), attempt("two", mark="N"), theirs, attempt("three")):
        journal.open(each)
    journal.place(theirs.key, JOB)

    assert journal.marked("lab", ["M", "N", "none"]) == (
        replace(theirs, placed=JOB), attempt("one", mark="M"), attempt("two", mark="N"),
    )  # fmt: skip
    assert journal.marked("far", ["M"]) == ()
    assert journal.marked("lab", []) == ()


def test_old_ones_are_forgotten_but_for_the_open(journal: Journal) -> None:
    for text, opened in (("old", NOW), ("open", NOW), ("new", LATER)):
        journal.open(attempt(text, opened=opened))
    for text in ("old", "new"):
        journal.place(attempt(text).key, JOB)

    journal.forget(LATER)

    assert journal.open(attempt("old")) is None
    assert journal.open(attempt("open")) == attempt("open")
    assert journal.open(attempt("new")) == attempt("new", opened=LATER, placed=JOB)
