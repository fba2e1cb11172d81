"""A file is believed only where nobody but its owners can have written it."""

import os
from pathlib import Path

import pytest

from waldur_slurm.hand.errors import Refused
from waldur_slurm.hand.trusted import read_trusted

OWNERS = {0, os.getuid()}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir(mode=0o755)
    path = tmp_path / "etc" / "hand.conf"
    path.write_text("caller = gate\n")
    path.chmod(0o644)
    return path


def test_a_file_of_its_owners_is_read(conf: Path) -> None:
    assert read_trusted(str(conf), OWNERS) == "caller = gate\n"


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write_is_not(conf: Path, mode: int) -> None:
    conf.chmod(mode)

    with pytest.raises(Refused, match=r"hand\.conf may be written by others"):
        read_trusted(str(conf), OWNERS)


def test_nor_one_in_a_directory_where_others_may_change_names(conf: Path) -> None:
    conf.parent.chmod(0o777)

    with pytest.raises(Refused, match="etc may be written by others"):
        read_trusted(str(conf), OWNERS)


def test_in_a_sticky_directory_nobody_takes_away_what_is_not_his(conf: Path) -> None:
    conf.parent.chmod(0o1777)

    assert read_trusted(str(conf), OWNERS) == "caller = gate\n"


def test_a_file_of_somebody_else_is_not_read(conf: Path) -> None:
    with pytest.raises(Refused, match="belongs to uid"):
        read_trusted(str(conf), {os.getuid() + 1})


def test_links_are_not_followed_on_the_way_or_at_the_end(conf: Path) -> None:
    (conf.parent.parent / "way").symlink_to(conf.parent)
    (conf.parent / "link").symlink_to(conf)
    for path in (conf.parent.parent / "way" / "hand.conf", conf.parent / "link"):
        with pytest.raises(Refused, match="links are not followed"):
            read_trusted(str(path), OWNERS)


def test_what_is_no_file_is_refused_at_once(conf: Path) -> None:
    os.mkfifo(conf.parent / "pipe", 0o600)

    with pytest.raises(Refused, match="neither a file nor a directory"):
        read_trusted(str(conf.parent / "pipe"), OWNERS)
