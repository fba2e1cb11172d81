"""One writes, all read; what was said to be written is written."""

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from waldur_slurm.errors import StateError
from waldur_slurm.gateway.store.migrate import Migration
from waldur_slurm.gateway.store.sqlite import Database

NUMBERS = (Migration(1, "CREATE TABLE numbers (number INTEGER UNIQUE);"),)


@pytest.fixture
def numbers(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "state" / "numbers.sqlite", NUMBERS, busy_s=0.05)
    yield made
    made.close()


def add(number: int, database: Database) -> None:
    database.write(lambda on: on.execute("INSERT INTO numbers VALUES (?)", (number,)))


def held(database: Database) -> list[int]:
    rows = database.read(lambda on: on.execute("SELECT number FROM numbers").fetchall())
    return [number for (number,) in rows]


def test_what_is_written_is_read_by_whoever_asks_next(numbers: Database) -> None:
    add(1, numbers)

    assert held(numbers) == [1]


def test_nothing_is_opened_before_it_is_needed(numbers: Database) -> None:
    assert not numbers.path.parent.exists()


def test_only_its_owner_may_open_any_of_its_files(numbers: Database) -> None:
    add(1, numbers)
    held(numbers)

    folder = numbers.path.parent
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes.keys() == {"numbers.sqlite", "numbers.sqlite-wal", "numbers.sqlite-shm"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_piece_of_work_that_fails_leaves_nothing(numbers: Database) -> None:
    def work(on: sqlite3.Connection) -> None:
        on.execute("INSERT INTO numbers VALUES (1)")
        raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        numbers.write(work)

    assert held(numbers) == []
    add(2, numbers)
    assert held(numbers) == [2]


def test_a_commit_waits_for_the_disk(numbers: Database) -> None:
    (level,) = numbers.write(lambda on: on.execute("PRAGMA synchronous").fetchone())
    (journal,) = numbers.write(lambda on: on.execute("PRAGMA journal_mode").fetchone())

    assert (level, journal) == (2, "wal")


def test_who_reads_cannot_write(numbers: Database) -> None:
    add(1, numbers)

    with pytest.raises(StateError, match="may only be read"):
        numbers.read(lambda on: on.execute("DELETE FROM numbers"))

    assert held(numbers) == [1]


def test_a_reader_sees_one_moment_while_others_write(numbers: Database) -> None:
    def twice(on: sqlite3.Connection) -> tuple[int, int]:
        (before,) = on.execute("SELECT count(*) FROM numbers").fetchone()
        add(1, numbers)
        (after,) = on.execute("SELECT count(*) FROM numbers").fetchone()
        return before, after

    assert numbers.read(twice) == (0, 0)
    assert held(numbers) == [1]


def test_many_who_write_and_read_at_once_lose_nothing(numbers: Database) -> None:
    def write_and_read(number: int) -> bool:
        add(number, numbers)
        return number in held(numbers)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write_and_read, range(100)))

    assert sorted(held(numbers)) == list(range(100))


def test_closing_lets_what_was_asked_end_and_refuses_the_rest(numbers: Database) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(on: sqlite3.Connection) -> None:
        began.set()
        go_on.wait(10)
        on.execute("INSERT INTO numbers VALUES (1)")

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(numbers.write, slow)
        began.wait(10)
        second = pool.submit(add, 2, numbers)
        while numbers._asked.empty():
            pass
        closing = pool.submit(numbers.close)
        while not numbers._is_closed:
            pass
        with pytest.raises(StateError, match="the gateway ends"):
            add(3, numbers)
        go_on.set()
        for future in (first, second, closing):
            future.result(10)

    with pytest.raises(StateError, match="the gateway ends"):
        held(numbers)
    assert held(Database(numbers.path, NUMBERS)) == [1, 2]


def test_after_closing_one_file_holds_all_as_whoever_copies_it_thinks(numbers: Database) -> None:
    add(1, numbers)
    assert held(numbers) == [1]
    numbers.close()

    assert [path.name for path in numbers.path.parent.iterdir()] == ["numbers.sqlite"]
    assert held(Database(numbers.path, NUMBERS)) == [1]


def test_a_full_disk_is_told_with_what_to_do_and_the_next_write_is_tried_anew(
    numbers: Database,
) -> None:
    add(1, numbers)
    (most,) = numbers.write(lambda on: on.execute("PRAGMA max_page_count").fetchone())
    numbers.write(lambda on: on.execute("PRAGMA max_page_count = 1").fetchone())

    with pytest.raises(StateError, match=r"numbers\.sqlite: .*make room there; nothing was"):
        numbers.write(lambda on: on.execute("CREATE TABLE more AS SELECT randomblob(9999)"))

    numbers.write(lambda on: on.execute(f"PRAGMA max_page_count = {most}").fetchone())
    add(2, numbers)
    assert held(numbers) == [1, 2]


def test_another_process_that_holds_it_is_told_of_after_a_while(numbers: Database) -> None:
    add(1, numbers)
    other = sqlite3.connect(numbers.path)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StateError, match="another process holds it"):
        add(2, numbers)
    assert held(numbers) == [1]

    other.rollback()
    other.close()
    add(2, numbers)
    assert held(numbers) == [1, 2]


@pytest.mark.parametrize("found", [b"no database" * 500, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_told_of_and_left_as_it_is(tmp_path: Path, found: bytes) -> None:
    path = tmp_path / "gateway.sqlite"
    path.write_bytes(found)
    path.parent.chmod(0o700)

    with pytest.raises(StateError, match="put a backup in its place"):
        Database(path, NUMBERS).read(lambda on: on.execute("SELECT 1").fetchone())

    assert path.read_bytes() == found


def test_one_that_is_found_damaged_is_neither_read_nor_written_any_more(tmp_path: Path) -> None:
    """Other pages of it may be whole; what they do not know may be on this one."""
    told: list[str] = []
    numbers = Database(tmp_path / "state" / "numbers.sqlite", NUMBERS, on_damage=told.append)
    add(1, numbers)
    damaged = "SELECT CAST(x'ff' AS TEXT)"

    with pytest.raises(StateError, match="put a backup in its place"):
        numbers.read(lambda on: on.execute(damaged).fetchall())

    for ask in (lambda: held(numbers), lambda: add(2, numbers)):
        with pytest.raises(StateError, match="put a backup in its place"):
            ask()
    assert len(told) == 1
    numbers.close()
    assert held(Database(numbers.path, NUMBERS)) == [1]


def test_a_defect_in_a_query_is_not_taken_for_trouble_with_the_disk(numbers: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        numbers.read(lambda on: on.execute("SELECT * FROM nowhere"))


@pytest.mark.usefixtures("as_root")
def test_a_folder_of_somebody_else_is_refused_with_his_name(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    os.chown(folder, 65534, 65534)

    with pytest.raises(StateError, match="belongs to nobody; run this as nobody"):
        Database(folder / "gateway.sqlite", NUMBERS).read(lambda on: on.execute("SELECT 1"))

    assert list(folder.iterdir()) == []


_WRITER = """
import sys
from pathlib import Path
from waldur_slurm.gateway.store.migrate import Migration
from waldur_slurm.gateway.store.sqlite import Database
database = Database(
    Path(sys.argv[1]), (Migration(1, "CREATE TABLE numbers (number INTEGER UNIQUE);"),)
)
for number in range(1_000_000):
    database.write(lambda on: on.execute("INSERT INTO numbers VALUES (?)", (number,)))
    print(number, flush=True)
"""


def test_whatever_was_said_to_be_written_outlives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "state" / "numbers.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, path], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        said = [int(writer.stdout.readline()) for _ in range(25)]
        writer.kill()
        said += [int(line) for line in writer.stdout if line.endswith("\n")]

    found = held(Database(path, NUMBERS))

    assert found[: len(said)] == said
    assert len(found) <= len(said) + 1
