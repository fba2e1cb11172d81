"""Test users come and go without touching anybody else's."""

import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.slurm import SandboxError
from sandbox.slurm.users import ensure_users

REMOVE = "from sandbox.slurm.users import remove_users; print(*remove_users())"

# In a private copy of /etc and without a view of other processes, so that users of other test runs
# on this machine, and what runs in their names, are not in the way.
ALONE = """
mount --bind "$1" /etc
useradd wsat-made-by-an-administrator
useradd somebody-else
"$2" -c 'from sandbox.slurm.users import ensure_users as make; make(["wsat-x", "wsat-y"])'
"$2" -c 'from sandbox.slurm.users import ensure_users as make; make(["wsat-busy"])'
setpriv --reuid=wsat-busy --clear-groups sleep 60 &
"$2" -c 'from sandbox.slurm.users import remove_users; print(*remove_users())'
cut -d: -f1 /etc/passwd
"""


def test_users_that_another_process_uses_are_not_removed(slurm_users: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", REMOVE], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "\n")
    assert all(pwd.getpwnam(name) for name in slurm_users)


@pytest.mark.usefixtures("_slurm_is_here")
def test_only_users_that_were_made_here_and_run_nothing_are_removed(tmp_path: Path) -> None:
    etc = tmp_path / "etc"
    shutil.copytree("/etc", etc, symlinks=True)
    before = {line.partition(":")[0] for line in (etc / "passwd").read_text().splitlines()}
    alone = ("/usr/bin/unshare", "--mount", "--pid", "--fork", "--mount-proc")
    argv = [*alone, "sh", "-ec", ALONE, "sh", str(etc), sys.executable]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    removed, *left = done.stdout.splitlines()
    assert {"wsat-x", "wsat-y"} <= set(removed.split())
    others = {name for name in before if not name.startswith("wsat-")}
    assert set(left) == others | {"wsat-made-by-an-administrator", "somebody-else", "wsat-busy"}


@pytest.mark.parametrize("name", ["ann", "root", "wsat-", "wsat-An", "wsat-a b"])
def test_a_name_that_is_not_a_test_user_s_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="a test user's name is wsat-"):
        ensure_users([name])
