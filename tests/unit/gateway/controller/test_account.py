"""Which accounts a controller may be, and what each other one is told to do."""

import pwd
from collections.abc import Mapping
from pathlib import Path

import pytest

from waldur_slurm.errors import AccountingDown, SettingsError
from waldur_slurm.gateway.controller.account import (
    account_of,
    find_slurm_user,
    refuse_slurm_user,
)
from waldur_slurm.model.names import UserName

GAMES = pwd.getpwnam("games")
"""An account that every Debian has, with a group that is not root's."""

NAME = UserName("games")
DO = "; start it as an account of its own, such as one made by"
NO_NAME = 64_999
CONF = "caller = {caller}\nusers = *\nroots = {{home}}\n"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    return tmp_path / "hand.conf"


def account(conf: Path, uid: int = GAMES.pw_uid, gid: int = GAMES.pw_gid) -> UserName:
    return account_of(uid, gid, conf)


def refusal(conf: Path, **changes: int) -> str:
    with pytest.raises(SettingsError) as raised:
        account(conf, **changes)
    return str(raised.value)


def test_an_account_of_no_rank_is_taken(conf: Path) -> None:
    assert account(conf) == "games"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"uid": 0}, "this is root"),
        ({"uid": NO_NAME}, f"uid {NO_NAME} has no name"),
        ({"gid": 0}, "the group of games is root's"),
    ],
)
def test_who_is_too_much_or_nobody_is_told_what_to_do(
    conf: Path, changes: dict[str, int], says: str
) -> None:
    said = refusal(conf, **changes)

    assert said.startswith(says)
    assert DO in said


def test_whom_the_hand_hears_is_refused_for_he_can_be_everybody(conf: Path) -> None:
    conf.write_text(CONF.format(caller="games"))

    assert "games is heard by the hand" in refusal(conf)
    assert DO in refusal(conf)


def test_another_name_of_the_same_uid_is_the_same_account(
    conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getpwnam(_name: str) -> pwd.struct_passwd:
        return GAMES

    conf.write_text(CONF.format(caller="toor-of-games"))
    monkeypatch.setattr(pwd, "getpwnam", getpwnam)

    assert "is heard by the hand" in refusal(conf)


def test_a_hand_that_hears_somebody_else_is_no_reason(conf: Path) -> None:
    conf.write_text(CONF.format(caller="slurm-gateway"))

    assert account(conf) == "games"


@pytest.mark.parametrize("text", ["caller = games", "nonsense\n", ""])
def test_a_hands_conf_that_is_not_understood_is_no_permission(conf: Path, text: str) -> None:
    conf.write_text(text)

    assert "is not known" in refusal(conf)
    assert "let root put it right" in refusal(conf)


def test_a_hands_conf_that_cannot_be_read_is_no_permission(conf: Path) -> None:
    conf.mkdir()

    assert "cannot be read" in refusal(conf)


def test_slurm_user_is_refused_by_name_and_by_uid() -> None:
    with pytest.raises(SettingsError) as raised:
        refuse_slurm_user(NAME, "games")

    assert "games is SlurmUser" in str(raised.value)
    assert DO in str(raised.value)
    refuse_slurm_user(NAME, "root")
    refuse_slurm_user(NAME, "nobody-of-this-name")


def says(user: str) -> Mapping[str, str]:
    return {"SlurmUser": user}


def silent() -> Mapping[str, str]:
    raise AccountingDown(("scontrol",), 1, "Unable to contact slurm controller")


def test_slurm_itself_says_who_slurm_user_is() -> None:
    assert find_slurm_user(lambda: says("slurm(64030)"), lambda: "other") == "slurm"


def test_while_slurm_is_silent_its_file_says_so_and_nobody_guesses() -> None:
    assert find_slurm_user(silent, lambda: "slurm") == "slurm"
    with pytest.raises(AccountingDown):
        find_slurm_user(silent, lambda: None)
