"""What a store of tokens does, of the real one and the fake alike."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.tokens import FakeTokens
from waldur_slurm.gateway.doors.principals import OneJob, run_as
from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.doors.tokens import Token, Tokens
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.tokens import StoredTokens

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(params=["fake", "sqlite"])
def tokens(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tokens]:
    if request.param == "fake":
        yield FakeTokens()
        return
    database = Database(tmp_path / "state" / "gateway.sqlite")
    yield StoredTokens(database)
    database.close()


def token(token_id: str = "abcdefgh", ends: datetime | None = None) -> Token:
    return Token(
        id=token_id,
        digest=token_id.encode() * 4,
        name="portal",
        scopes=frozenset({Scope.JOBS_READ, Scope.JOBS_SUBMIT}),
        run_as=run_as("ann,@physics"),
        made=NOW,
        ends=ends,
    )


def test_a_token_comes_back_as_it_was_added(tokens: Tokens) -> None:
    tokens.add(token(ends=NOW + HOUR))

    assert tokens.since(0).tokens == (token(ends=NOW + HOUR),)


def test_an_empty_store_has_had_no_change(tokens: Tokens) -> None:
    assert tokens.since(0) == (0, ())


def test_only_what_changed_since_is_told(tokens: Tokens) -> None:
    tokens.add(token("aaaaaaaa"))
    before = tokens.since(0).generation
    tokens.add(token("bbbbbbbb"))

    changed = tokens.since(before)

    assert changed.tokens == (token("bbbbbbbb"),)
    assert changed.generation > before
    assert tokens.since(changed.generation) == (changed.generation, ())


def test_a_token_that_ends_is_told_as_a_change(tokens: Tokens) -> None:
    tokens.add(token())
    before = tokens.since(0).generation

    assert tokens.end("abcdefgh", NOW)

    assert tokens.since(before).tokens == (token(ends=NOW),)


def test_an_end_only_ever_comes_nearer(tokens: Tokens) -> None:
    tokens.add(token(ends=NOW + HOUR))

    tokens.end("abcdefgh", NOW + 2 * HOUR)
    assert tokens.since(0).tokens == (token(ends=NOW + HOUR),)
    tokens.end("abcdefgh", NOW)
    assert tokens.since(0).tokens == (token(ends=NOW),)


def test_one_that_is_revoked_is_over_whatever_a_clock_says(tokens: Tokens) -> None:
    tokens.add(token())
    before = tokens.since(0).generation

    assert tokens.revoke("abcdefgh", NOW)

    (changed,) = tokens.since(before).tokens
    assert changed == replace(token(ends=NOW), is_revoked=True)
    assert changed.is_over(NOW - 1000 * HOUR)
    tokens.end("abcdefgh", NOW)
    assert tokens.since(0).tokens == (changed,)


def test_what_is_not_there_cannot_end(tokens: Tokens) -> None:
    assert not tokens.end("abcdefgh", NOW)
    assert not tokens.revoke("abcdefgh", NOW)


def test_a_use_is_noted_without_being_a_change(tokens: Tokens) -> None:
    tokens.add(token())
    before = tokens.since(0).generation

    tokens.note_uses({"abcdefgh": NOW + HOUR, "gone2345": NOW})
    tokens.note_uses({"abcdefgh": NOW})

    assert tokens.since(before).tokens == ()
    assert tokens.since(0).tokens == (replace(token(), last_used=NOW + HOUR),)


def test_a_token_for_one_job_comes_back_with_it(tokens: Tokens) -> None:
    one = replace(token(ends=NOW + HOUR), job=OneJob("lab", 12, NOW))
    tokens.add(one)

    assert tokens.since(0).tokens == (one,)


def test_what_ended_before_is_let_go_and_what_has_not_stays(tokens: Tokens) -> None:
    tokens.add(token("overlong", ends=NOW - HOUR))
    tokens.add(token("justover", ends=NOW))
    tokens.add(token("forever2"))

    assert tokens.forget(NOW, NOW) == ("overlong",)
    assert {each.id for each in tokens.since(0).tokens} == {"justover", "forever2"}
    assert tokens.forget(NOW, NOW) == ()


def test_tokens_for_one_job_are_let_go_sooner(tokens: Tokens) -> None:
    tokens.add(replace(token("ofajob22", ends=NOW - HOUR), job=OneJob("lab", 12, NOW)))
    tokens.add(token("ofaclock", ends=NOW - HOUR))
    tokens.add(token("forever2"))

    assert tokens.forget(NOW - DAY, NOW) == ("ofajob22",)


def test_whoever_has_heard_of_all_changes_misses_none_after_one_is_let_go(tokens: Tokens) -> None:
    tokens.add(token("forever2"))
    tokens.add(token("overlong", ends=NOW - HOUR))
    heard = tokens.since(0).generation

    tokens.forget(NOW, NOW)
    tokens.add(token("newcomer"))

    assert [each.id for each in tokens.since(heard).tokens] == ["newcomer"]
