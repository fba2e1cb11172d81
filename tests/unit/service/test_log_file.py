"""A log that goes to a file as well: added to, private, and no trouble where the disk is full."""

import io
import stat
from pathlib import Path

import pytest

from waldur_slurm.errors import SettingsError
from waldur_slurm.service.log_file import also_in_file


def test_what_is_written_goes_to_both_and_a_restart_adds_to_it(tmp_path: Path) -> None:
    path, stream = tmp_path / "log", io.StringIO()
    for line in ("first ☃\n", "second\n"):
        log = also_in_file(stream, path)
        log.write(line)
        log.flush()

    assert stream.getvalue() == path.read_text("utf-8") == "first ☃\nsecond\n"
    assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0


def test_a_full_disk_takes_nothing_from_the_stream() -> None:
    stream = io.StringIO()
    also_in_file(stream, Path("/dev/full")).write("line\n")

    assert stream.getvalue() == "line\n"


def test_a_file_that_cannot_be_written_is_a_mistake_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot write the log"):
        also_in_file(io.StringIO(), tmp_path / "nowhere" / "log")
