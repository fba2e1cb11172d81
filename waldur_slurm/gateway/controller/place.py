"""Where a controller keeps what it remembers, and the hand that it does things by, as itself.

The hand and its conf are named by what they hold: another one that is started beside, or a newer
one, writes files of its own and changes nothing under anybody's feet.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from waldur_slurm.errors import SettingsError, StateError
from waldur_slurm.hand import place
from waldur_slurm.hand.conf import BadConf, parse_conf
from waldur_slurm.hand.pack import packed
from waldur_slurm.model.names import UserName


@dataclass(frozen=True, slots=True)
class Own:
    """The hand as files."""

    hand: Path
    conf: Path


def find_state(told: Path | None, environ: Mapping[str, str], port: int) -> Path:
    """Return what was typed, systemd's own, or a folder in the account's home."""
    if told is not None:
        return told
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    home = environ.get("XDG_STATE_HOME") or str(Path("~/.local/state").expanduser())
    return Path(home) / "slurm-controller" / str(port)


def find_folder() -> str:
    """Return where it was started, which companions' paths are relative to."""
    folder = str(Path.cwd())
    if folder == "/":
        raise SettingsError(
            [
                "it was started in /, below which lies everything; start it in a folder where its"
                " account's jobs may write, such as its home"
            ]
        )
    return folder


def find_slurm(environ: Mapping[str, str]) -> str:
    """Return the folder that has sbatch."""
    told = environ.get("SLURM_BIN_PATH", "")
    found = shutil.which("sbatch", path=told or environ.get("PATH", os.defpath))
    if found is None:
        where = told or "PATH"
        raise SettingsError([f"there is no sbatch in {where}; set SLURM_BIN_PATH to its folder"])
    return str(Path(found).parent)


def hand_conf(account: UserName, uid: int, roots: Iterable[str], bin_path: str, conf: str) -> str:
    """Write what the hand allows: this account alone, below these roots."""
    lines = {
        "caller": account,
        "users": account,
        "roots": " ".join(roots),
        "min_uid": str(uid),
        "max_uid": str(uid),
        "slurm_bin": bin_path,
        "slurm_conf": conf,
    }
    text = "".join(f"{key} = {value}\n" for key, value in lines.items() if value)
    try:
        parse_conf(text)
    except BadConf as error:
        raise SettingsError([f"a folder's name cannot be used here: {error}"]) from error
    return text


def prepare(state: Path, conf: str) -> Own:
    """Write the hand and its conf, where they are not there already."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        own_conf = _kept(state, "hand", ".conf", conf.encode())
        program = packed(place.CONF, sys.executable)
        hand = _kept(state, "hand", "", program)
        hand.chmod(0o700)
    except OSError as error:
        raise StateError(f"cannot use {state}: {error}; -state names another folder") from error
    return Own(hand, own_conf)


def _kept(state: Path, name: str, ending: str, content: bytes) -> Path:
    """Have it whole under a name that says what it holds."""
    file = state / f"{name}-{sha256(content).hexdigest()[:16]}{ending}"
    if not file.exists():
        fresh = file.with_name(f"{file.name}.{os.getpid()}")
        fresh.write_bytes(content)
        fresh.chmod(0o600)
        fresh.replace(file)
    return file
