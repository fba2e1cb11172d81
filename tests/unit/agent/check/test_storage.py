"""What could be written is known without writing."""

from pathlib import Path

import pytest

from waldur_slurm.agent.check.storage import obstacle


def test_a_directory_that_could_be_made_is_no_obstacle_and_is_not_made(tmp_path: Path) -> None:
    wanted = tmp_path / "agent" / "offering" / "pull"

    assert obstacle(wanted, is_directory=True) is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_needs_its_directory(tmp_path: Path) -> None:
    assert obstacle(tmp_path / "audit.jsonl", is_directory=False) is None
    missing = obstacle(tmp_path / "none" / "audit.jsonl", is_directory=False)
    assert str(missing) == f"{tmp_path}/none does not exist"


@pytest.mark.parametrize("is_directory", [True, False])
def test_a_file_in_the_way_is_an_obstacle(tmp_path: Path, is_directory: bool) -> None:
    (tmp_path / "file").write_text("")

    found = obstacle(tmp_path / "file" / "pull", is_directory=is_directory)

    assert str(found) == f"{tmp_path}/file is not a directory"
