"""A store of which any page is not as it was written: nothing of it is served, nobody crashes.

What SQLite cannot know, such as another letter within somebody's text, is not found here either.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

import pytest

from tests.trust.size import IS_CAMPAIGN, SEED, count
from tests.unit.gateway.post.letters import NOW, letter
from tests.unit.gateway.store.test_submits import attempt
from tests.unit.gateway.watch.monitors import monitor
from waldur_slurm.errors import StateError
from waldur_slurm.gateway.store.letters import StoredLetters
from waldur_slurm.gateway.store.monitors import StoredMonitors
from waldur_slurm.gateway.store.sqlite import Database
from waldur_slurm.gateway.store.submits import StoredJournal
from waldur_slurm.gateway.store.tokens import StoredTokens
from waldur_slurm.gateway.watch.port import Wanted

MANY = 12
PAGE = 4096
EVERY = 1 if IS_CAMPAIGN else 2
"""The short form damages every second page."""

Damage = Callable[[bytes, int, Random], bytes]


def zeroed(whole: bytes, at: int, _chance: Random) -> bytes:
    return whole[:at] + bytes(PAGE) + whole[at + PAGE :]


def flipped(whole: bytes, at: int, chance: Random) -> bytes:
    """A third of its bytes, so that no whole row is left in it."""
    page = bytearray(whole[at : at + PAGE])
    for place in chance.sample(range(PAGE), PAGE // 3):
        page[place] ^= 1 << chance.randrange(8)
    return whole[:at] + bytes(page) + whole[at + PAGE :]


def cut(whole: bytes, at: int, _chance: Random) -> bytes:
    return whole[: at + 100]


def answers(database: Database) -> Iterator[tuple[str, object]]:
    """What the parts of a gateway ask for, and what they are told."""
    letters, monitors = StoredLetters(database), StoredMonitors(database)
    journal, tokens = StoredJournal(database), StoredTokens(database)
    asked: Mapping[str, Callable[[], object]] = {
        "letters that are due": lambda: letters.heads(NOW),
        "letters": lambda: letters.latest(100),
        "monitors": lambda: monitors.watching("lab"),
        "all monitors": lambda: monitors.search(Wanted(), 100),
        "open submits": journal.unsettled,
        "keys": lambda: [journal.find(attempt(f"k{each}").key) for each in range(MANY)],
        "tokens": lambda: tokens.since(0),
        "a key in use": lambda: journal.open(attempt("k3")),
    }
    for thing, ask in asked.items():
        try:
            yield thing, ask()
        except StateError as error:
            yield thing, None if "put a backup in its place" in str(error) else error


def fill(database: Database) -> None:
    for each in range(MANY):
        StoredLetters(database).add(letter(f"l{each}"))
        StoredMonitors(database).add(monitor(f"m{each}", each + 1))
        StoredJournal(database).open(attempt(f"k{each}"))


@pytest.mark.parametrize("damage", [zeroed, flipped, cut])
def test_whatever_page_is_damaged_each_answer_is_the_true_one_or_none(
    tmp_path: Path, damage: Damage
) -> None:
    path, chance = tmp_path / "state" / "gateway.sqlite", Random(SEED)  # noqa: S311 - the same ways every time
    database = Database(path)
    fill(database)
    true = dict(answers(database))
    database.close()
    whole, refused = path.read_bytes(), 0

    for at in range(0, len(whole), EVERY * PAGE):
        path.write_bytes(damage(whole, at, chance))
        told: list[str] = []
        found = Database(path, on_damage=told.append)
        for thing, answer in answers(found):
            assert answer in (None, true[thing]), (at // PAGE, thing)
            refused += answer is None
        found.close()
        assert len(told) <= 1
        count(f"page of the gateway's store: {damage.__name__}")
        for left in (path, *path.parent.glob("*-*")):
            left.unlink(missing_ok=True)
    assert refused > len(whole) // PAGE // EVERY
