"""A real sshd on loopback, with keys of its own, that ends with whoever started it.

It takes nobody but this user, and reads nothing of the machine's own sshd.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from sandbox.slurm.daemons import find_program, speaks
from sandbox.slurm.errors import SandboxError
from sandbox.slurm.keeper import descendants
from sandbox.slurm.keeping import PATH, Keeper, wait_until
from sandbox.slurm.ports import claim_ports

NAME = "sshd"
PRIVILEGE_SEPARATION = Path("/run/sshd")
"""Compiled into Debian's sshd, which does not start as root without it; empty."""
PATIENCE_S = 10.0

CONFIGURATION = """\
ListenAddress 127.0.0.1:{port}
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/authorized_keys
TrustedUserCAKeys {directory}/authority.pub
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PrintMotd no
{more}
"""


class SshServer:
    """One sshd: `user_key` opens it, `host_key` is what it shows, `authority` signs for users."""

    def __init__(self, directory: Path, port: int, keeper: Keeper) -> None:
        self.directory = directory
        self.port = port
        self._keeper = keeper

    @property
    def user_key(self) -> Path:
        return self.directory / "user_key"

    @property
    def host_key(self) -> str:
        return (self.directory / "host_key.pub").read_text()

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def pid(self) -> int:
        return self._keeper.pids()[NAME]

    def start(self) -> None:
        """Start it, and return when it greets."""
        config = self.directory / "sshd_config"
        argv = [find_program(NAME), "-D", "-e", "-f", str(config)]
        log = str(self.directory / "sshd.log")
        self._keeper.ask("spawn", name=NAME, argv=argv, environ={"PATH": PATH}, output=log)
        wait_until(lambda: speaks(self.port), PATIENCE_S, "sshd does not answer", [Path(log)])

    def end(self) -> None:
        """End it and every connection to it, and return when it is gone."""
        of_it = [self.pid, *descendants(self.pid)]
        for pid in of_it:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: NAME not in self._keeper.pids(), PATIENCE_S, "sshd did not end")

    def freeze(self) -> None:
        for pid in (self.pid, *descendants(self.pid)):
            os.kill(pid, signal.SIGSTOP)

    def sign(self, key: Path, principal: str) -> Path:
        """Make a certificate for a key and return its file."""
        _keygen("-s", self.directory / "authority", "-I", "test", "-n", principal, f"{key}.pub")
        return key.with_name(f"{key.name}-cert.pub")


@contextmanager
def running_sshd(
    directory: Path, *, more: str = "", lifetime: timedelta = timedelta(minutes=30)
) -> Iterator[SshServer]:
    """Run an sshd in that empty directory; `more` is added to its configuration."""
    if os.geteuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    for name in ("host_key", "user_key", "authority"):
        make_key(directory / name)
    block = claim_ports(1)
    config = CONFIGURATION.format(port=block.first, directory=directory, more=more)
    (directory / "sshd_config").write_text(config)
    shutil.copy(directory / "user_key.pub", directory / "authorized_keys")
    keeper = Keeper(directory / "control", directory / "keeper.log")
    server = SshServer(directory, block.first, keeper)
    host = f"[127.0.0.1]:{block.first}"
    server.known_hosts.write_text(f"{host} {server.host_key}")
    with block.claim:
        keeper.launch(lifetime.total_seconds(), [block.claim.fileno()], owned=True)
        try:
            server.start()
            yield server
        finally:
            keeper.end(lambda: not speaks(block.first))


def make_key(file: Path, *, passphrase: str = "") -> Path:
    _keygen("-q", "-t", "ed25519", "-N", passphrase, "-C", "sandbox", "-f", file)
    return file


def _keygen(*words: str | Path) -> None:
    argv = (find_program("ssh-keygen"), *map(str, words))
    made = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if made.returncode:
        raise SandboxError(f"ssh-keygen: {made.stderr.strip()}")
