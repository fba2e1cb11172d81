"""Where a controller keeps what it remembers, and what its hand is allowed."""

from pathlib import Path

import pytest

from waldur_slurm.errors import SettingsError, StateError
from waldur_slurm.gateway.controller.place import (
    find_folder,
    find_slurm,
    find_state,
    hand_conf,
    prepare,
)
from waldur_slurm.hand.conf import parse_conf
from waldur_slurm.model.names import UserName

ANN = UserName("ann")


def conf(*roots: str, slurm_conf: str = "") -> str:
    return hand_conf(ANN, 1001, roots or ("/home/ann",), "/usr/bin", slurm_conf)


def test_the_hand_is_allowed_this_account_alone_and_these_roots() -> None:
    allowed = parse_conf(conf("/home/ann", "/scratch", slurm_conf="/etc/slurm/slurm.conf"))

    assert (allowed.caller, allowed.users) == ("ann", ("ann",))
    assert (allowed.min_uid, allowed.max_uid) == (1001, 1001)
    assert allowed.roots == ("/home/ann", "/scratch")
    assert allowed.slurm_conf == "/etc/slurm/slurm.conf"


def test_a_folder_that_the_hand_could_misread_is_refused() -> None:
    with pytest.raises(SettingsError, match="a folder's name cannot be used here"):
        conf("/home/{ann}")


def test_what_is_started_once_more_alike_uses_the_same_files(tmp_path: Path) -> None:
    first = prepare(tmp_path / "state", conf())
    before = first.hand.stat().st_ino

    again = prepare(tmp_path / "state", conf())

    assert again == first
    assert again.hand.stat().st_ino == before
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
    assert first.hand.stat().st_mode & 0o777 == 0o700


def test_another_one_beside_changes_nothing_under_its_feet(tmp_path: Path) -> None:
    first = prepare(tmp_path, conf("/home/ann"))
    other = prepare(tmp_path, conf("/scratch"))

    assert other.conf != first.conf
    assert parse_conf(first.conf.read_text()).roots == ("/home/ann",)


def test_a_state_directory_that_cannot_be_says_how_to_name_another(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateError, match="-state names another folder"):
        prepare(tmp_path / "file" / "state", conf())


def test_state_lies_where_it_was_typed_else_where_systemd_says_else_at_home() -> None:
    systemds = {"STATE_DIRECTORY": "/var/lib/slurm-controller:/other"}

    assert find_state(Path("/typed"), systemds, 8080) == Path("/typed")
    assert find_state(None, systemds, 8080) == Path("/var/lib/slurm-controller")
    assert find_state(None, {"XDG_STATE_HOME": "/x"}, 81) == Path("/x/slurm-controller/81")
    assert find_state(None, {}, 81) == Path.home() / ".local/state/slurm-controller/81"


def test_it_is_not_started_in_the_folder_that_holds_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_folder() == str(tmp_path)
    monkeypatch.chdir("/")
    with pytest.raises(SettingsError, match="start it in a folder"):
        find_folder()


def test_sbatch_is_looked_for_and_missed_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="set SLURM_BIN_PATH"):
        find_slurm({"PATH": str(tmp_path)})
    (tmp_path / "sbatch").touch(mode=0o755)
    assert find_slurm({"PATH": str(tmp_path)}) == str(tmp_path)
    assert find_slurm({"PATH": "/", "SLURM_BIN_PATH": str(tmp_path)}) == str(tmp_path)
