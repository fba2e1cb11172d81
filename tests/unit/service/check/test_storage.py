"""What could be written, and by whom, is known without writing."""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from tests.fixtures_slurm import open_directory
from waldur_slurm.service.check import storage
from waldur_slurm.service.check.findings import Obstacle
from waldur_slurm.service.check.storage import Wanted, obstacle
from waldur_slurm.service.check.unit import Unit

UNIT = Unit(name="the-unit", user="nobody", ignores_modes=False)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody may enter, and its owner alone may write to."""
    place = open_directory()
    yield place
    rmtree(place)


def state(path: Path, unit: Unit | None = None) -> str | Obstacle:
    return obstacle(Wanted(path, is_directory=True), [], unit)


def log(path: Path, unit: Unit | None = None) -> str | Obstacle:
    return obstacle(Wanted(path, is_directory=False), [], unit)


def refusal(found: str | Obstacle) -> Obstacle:
    assert isinstance(found, Obstacle), found
    return found


def test_a_directory_that_could_be_made_is_no_obstacle_and_is_not_made(tmp_path: Path) -> None:
    assert state(tmp_path / "agent" / "offering" / "pull") == "can be written"
    assert list(tmp_path.iterdir()) == []


def test_a_file_needs_its_directory(tmp_path: Path) -> None:
    assert log(tmp_path / "audit.jsonl") == "can be written"
    missing = refusal(log(tmp_path / "none" / "audit.jsonl"))

    assert missing.found == f"{tmp_path}/none does not exist"
    assert (
        missing.cure
        == f"install -d -m 0700 -o {pwd.getpwuid(os.geteuid()).pw_name} {tmp_path}/none"
    )


@pytest.mark.parametrize("is_directory", [True, False])
def test_a_directory_that_the_unit_will_make_is_no_obstacle(
    tmp_path: Path, is_directory: bool
) -> None:
    made = tmp_path / "made"

    found = obstacle(Wanted(made / "some" / "where", is_directory), [made])

    assert found == f"{made} is made when the service starts"


@pytest.mark.parametrize("is_directory", [True, False])
def test_a_file_in_the_way_is_an_obstacle_from_which_only_moving_helps(
    tmp_path: Path, is_directory: bool
) -> None:
    (tmp_path / "file").write_text("")

    found = obstacle(Wanted(tmp_path / "file" / "pull", is_directory), [])

    assert found == Obstacle(f"{tmp_path}/file is not a directory")


def test_a_disk_without_room_is_an_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "ROOM", 10**18)

    found = refusal(state(tmp_path / "pull"))

    assert found.found == f"no space left on the file system of {tmp_path}"
    assert f"df -h {tmp_path}" in found.cure


# The unit's user and its sandbox


def test_a_place_that_the_units_user_may_not_write_is_given_to_it(place: Path) -> None:
    assert refusal(state(place / "pull", UNIT)) == Obstacle(
        f"the-unit runs as 'nobody', who may not use {place}",
        f"install -d -m 0700 -o nobody {place}/pull",
    )
    (place / "audit.jsonl").write_text("")
    assert refusal(log(place / "audit.jsonl", UNIT)).cure == f"chown -R nobody: {place}/audit.jsonl"
    assert refusal(log(place / "new", UNIT)).cure == (
        f"install -m 0600 -o nobody /dev/null {place}/new"
    )


def test_what_somebody_else_left_in_the_state_directory_is_found(place: Path) -> None:
    place.chmod(0o777)
    (place / "journal").mkdir()
    (place / "journal" / "holds.json").touch(mode=0o600)

    found = refusal(state(place, UNIT))

    assert found.found.endswith(f"may not use {place}/journal")
    assert found.cure == f"chown -R nobody: {place}"


def test_a_way_that_is_shut_to_the_units_user_is_no_reason_to_open_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "state").mkdir(mode=0o777)

    assert refusal(state(tmp_path / "state", UNIT)).cure == ""


def test_systemd_gives_its_own_directories_to_the_user_of_the_unit(place: Path) -> None:
    unit = Unit(name="the-unit", user="nobody", ignores_modes=False, made=(place,))

    assert state(place / "pull", unit) == "can be written"


def test_a_root_that_may_ignore_modes_may_write_everywhere(place: Path) -> None:
    assert state(place / "pull", Unit(name="the-unit")) == "can be written"


def test_a_user_that_does_not_exist_is_an_obstacle(place: Path) -> None:
    unit = Unit(name="the-unit", user="wsat-nobody-at-all", ignores_modes=False)

    assert refusal(state(place, unit)).cure == "useradd --system wsat-nobody-at-all"


def test_a_sandbox_is_opened_for_the_place_or_never(tmp_path: Path) -> None:
    shut = Unit(name="the-unit", read_only=(Path("/"),))
    hidden = Unit(name="the-unit", hidden=(tmp_path,))

    assert f"ReadWritePaths={tmp_path}/pull" in refusal(state(tmp_path / "pull", shut)).cure
    assert refusal(state(tmp_path / "pull", hidden)).cure == ""
