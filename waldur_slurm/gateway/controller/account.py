"""The account that a controller is: what may be done by whoever asks it, and so not every one."""

import os
import pwd
from collections.abc import Callable, Mapping
from pathlib import Path

from waldur_slurm.errors import ExpectedError, SettingsError
from waldur_slurm.hand import place
from waldur_slurm.hand.conf import BadConf, parse_conf
from waldur_slurm.hand.people import uid_of
from waldur_slurm.model.names import UserName

DO = (
    "start it as an account of its own, such as one made by"
    " `useradd --create-home slurm-jobs` and known to Slurm"
)
"""What to do about any other."""


def find_account() -> UserName:
    """Return whose this process is; raises `SettingsError` for who must not be lent to others."""
    return account_of(os.geteuid(), os.getegid(), Path(place.CONF))


def account_of(uid: int, gid: int, hand_conf: Path) -> UserName:
    if uid == 0:
        raise _refused("this is root, and jobs would be root's, whoever asks")
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise _refused(f"uid {uid} has no name on this machine") from None
    if 0 in (entry.pw_gid, gid):
        raise _refused(f"the group of {entry.pw_name} is root's")
    _refuse_caller(entry, hand_conf)
    return UserName(entry.pw_name)


def refuse_slurm_user(account: UserName, slurm_user: str) -> None:
    """Refuse to be who runs slurmctld, whose jobs may do anything to Slurm."""
    if uid_of(account) == uid_of(slurm_user):
        raise _refused(f"{account} is SlurmUser, whose jobs may do anything to Slurm")


def find_slurm_user(read: Callable[[], Mapping[str, str]], conf: Callable[[], str | None]) -> str:
    """Ask Slurm who runs slurmctld; while it is silent believe what slurm.conf says.

    Raises what Slurm's silence is where that says nothing either.
    """
    try:
        told = read().get("SlurmUser", "").partition("(")[0]
    except ExpectedError:
        told = conf() or ""
        if not told:
            raise
    return told or "root"


def _refuse_caller(entry: pwd.struct_passwd, hand_conf: Path) -> None:
    """Refuse who may act as others by a hand: then whoever asks here might, by a job."""
    try:
        conf = parse_conf(hand_conf.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError, BadConf) as error:
        raise SettingsError(
            [
                f"whether {entry.pw_name} may act as others is not known: {hand_conf} cannot be"
                f" read ({error}); let root put it right, and readable for all, as it is no secret"
            ]
        ) from error
    if entry.pw_name == conf.caller or uid_of(conf.caller) == entry.pw_uid:
        raise _refused(
            f"{entry.pw_name} is heard by the hand ({hand_conf}), so that whoever asks could act"
            " as every user whom it lists"
        )


def _refused(why: str) -> SettingsError:
    return SettingsError([f"{why}; {DO}"])
