"""A document is there whole, or as it was before."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from waldur_slurm.errors import StateError
from waldur_slurm.state import StateDirectory


def test_what_was_replaced_is_read_back(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)

    state.replace("journal/holds", {"hpc_1": {"grp_jobs": None}})

    assert StateDirectory(tmp_path).read("journal/holds") == {"hpc_1": {"grp_jobs": None}}


def test_a_document_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert StateDirectory(tmp_path).read("journal/holds") == {}


@pytest.mark.parametrize("broken", ["", "{", "[]", "\ufeff{}"])
def test_a_broken_document_is_an_error_not_an_empty_one(tmp_path: Path, broken: str) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "holds.json").write_text(broken, encoding="utf-8")

    with pytest.raises(StateError, match=r"holds\.json does not hold what it should") as caught:
        StateDirectory(tmp_path).read("journal/holds")
    assert "put a backup in its place or move it away" in str(caught.value)


def test_a_broken_cache_is_to_be_removed(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "days.json").write_text("{", encoding="utf-8")

    with pytest.raises(StateError, match=r"stop the service, remove it"):
        StateDirectory(tmp_path).read("cache/days")


def test_a_document_that_may_not_be_read_is_not_called_spoilt(tmp_path: Path) -> None:
    (tmp_path / "journal" / "holds.json").mkdir(parents=True)

    with pytest.raises(StateError, match=r"^cannot read .*holds\.json: Is a directory$"):
        StateDirectory(tmp_path).read("journal/holds")


def test_a_write_that_fails_leaves_the_old_document(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.replace("journal/holds", {"old": True})

    with pytest.raises(StateError, match="File name too long"):
        state.replace("journal/" + "x" * 300, {"new": True})

    assert state.read("journal/holds") == {"old": True}


def test_nothing_else_is_left_in_the_directory(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    for count in range(3):
        state.replace("cache/days", {"count": count})

    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["days.json"]


def test_two_processes_that_write_the_same_document_leave_one_whole(tmp_path: Path) -> None:
    def write(number: int) -> None:
        state = StateDirectory(tmp_path)
        for _ in range(50):
            state.replace("cache/days", {"by": [number] * 10_000 * (number + 1)})

    with ThreadPoolExecutor() as both:
        list(both.map(write, range(2)))

    found = set(StateDirectory(tmp_path).read("cache/days")["by"])
    assert len(found) == 1


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    StateDirectory(tmp_path).replace("journal/holds", {})

    assert (tmp_path / "journal" / "holds.json").stat().st_mode & 0o077 == 0
