"""A database gets the shape of the release, whole or not at all."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.store.migrate import Migration, migrate, packaged
from waldur_slurm.gateway.store.queries import QUERIES, named
from waldur_slurm.gateway.store.sqlite import Database

FIRST = Migration(1, "CREATE TABLE a (x);\n-- a remark; with a semicolon\nCREATE TABLE b (x);\n")
SECOND = Migration(2, "CREATE TABLE c (x);")


@pytest.fixture
def memory() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


def tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found}


def version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def test_an_empty_database_gets_every_step_in_their_order(memory: sqlite3.Connection) -> None:
    migrate(memory, (FIRST, SECOND))

    assert tables(memory) == {"a", "b", "c"}
    assert version(memory) == 2


def test_an_older_one_gets_what_is_new_and_keeps_what_it_holds(memory: sqlite3.Connection) -> None:
    migrate(memory, (FIRST,))
    memory.execute("INSERT INTO a VALUES (7)")

    migrate(memory, (FIRST, SECOND))

    assert tables(memory) == {"a", "b", "c"}
    assert memory.execute("SELECT x FROM a").fetchall() == [(7,)]


def test_one_from_a_later_release_is_refused_and_left_alone(memory: sqlite3.Connection) -> None:
    migrate(memory, (FIRST, SECOND))

    with pytest.raises(StateError, match="a later release wrote it"):
        migrate(memory, (FIRST,))

    assert version(memory) == 2


def test_a_step_that_fails_leaves_all_as_it_was(memory: sqlite3.Connection) -> None:
    broken = Migration(2, "CREATE TABLE c (x);\nCREATE TABLE a (x);")

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(memory, (FIRST, broken))

    assert tables(memory) == set()
    assert version(memory) == 0


def test_the_steps_of_this_release_are_numbered_from_one_without_a_gap() -> None:
    steps = packaged()

    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert steps


def test_every_query_fits_the_shape_of_this_release(database: Database) -> None:
    assert QUERIES
    for query in QUERIES.values():
        assert database.write(partial(explained, query))


def explained(query: str, connection: sqlite3.Connection) -> list[object]:
    return connection.execute(f"EXPLAIN {query}", _Anything()).fetchall()


class _Anything(dict[str, None]):
    """A value for whatever a query asks for."""

    def __missing__(self, key: str) -> None:
        return None


def test_a_query_is_found_by_the_name_in_its_heading() -> None:
    text = "-- A remark.\n\n-- one: the first\nSELECT 1;\n\n-- two: the second\nSELECT 2\n;\n"

    assert dict(named(text)) == {"one": "SELECT 1;", "two": "SELECT 2\n;"}


def test_two_who_open_a_new_one_at_once_both_find_it_whole(tmp_path: Path) -> None:
    databases = [Database(tmp_path / "state" / "both.sqlite") for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda each: each.read(tables), databases))

    assert found[0] == found[1] >= {"tokens"}
    for each in databases:
        each.close()
