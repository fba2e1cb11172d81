"""An env file is read as systemd reads it."""

from pathlib import Path

import pytest

from waldur_slurm.errors import SettingsError
from waldur_slurm.variables.env_file import read_env_file


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pull.env"
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_that_begin_with_either_sign_of_a_comment_are_left_out(tmp_path: Path) -> None:
    path = written(
        tmp_path, "# NAME=no\n; OLD=no, as in A=1\n  ;X\n\nWALDUR_API_URL = http://w/ \n"
    )

    assert read_env_file(path) == {"WALDUR_API_URL": " http://w/"}


def test_every_line_that_sets_nothing_is_named_with_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, "A=1\nWALDUR_API_URL http://w/\nB=2\nexport C=3\n")

    with pytest.raises(SettingsError) as caught:
        read_env_file(path)

    assert caught.value.mistakes == [
        f"--env-file: {path}:2: expected NAME=value",
        f"--env-file: {path}:4: expected NAME=value",
    ]
