"""Programs in a container as its own processes start them, for a hundredth of a `docker exec`.

Rule: a process number that was given anew is never entered. Only root can enter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sandbox.docker.command import NOTHING, DockerFailed, docker
from sandbox.docker.owner import Owner

NAMESPACES = ("--mount", "--uts", "--ipc", "--net", "--pid")
WORKPLACE = "/tmp"  # noqa: S108 - everybody may write there


@dataclass(frozen=True)
class Inside:
    """A container that runs: its first process, and what `docker exec` gives to others."""

    first: Owner
    environ: Mapping[str, str]

    @classmethod
    def of(cls, container: str) -> Self:
        said = docker("inspect", "--format={{.State.Pid}}", container).stdout.strip()
        if said == "0":
            raise DockerFailed(f"{container} does not run")
        first = Owner.process(int(said))
        # The engine waits for the first process; until that has begun, its environment is another.
        given = docker("exec", container, "env").stdout.splitlines()
        pairs = (each.partition("=") for each in given)
        return cls(first, {name: value for name, _, value in pairs})

    @property
    def is_gone(self) -> bool:
        return self.first.is_gone

    def argv(
        self, *argv: str, user: str | None = None, environ: Mapping[str, str] = NOTHING
    ) -> tuple[str, ...]:
        """Return what runs `argv` there, as root or as another of the container's users."""
        enter = ("nsenter", f"--target={self.first.pid}", *NAMESPACES, f"--wdns={WORKPLACE}", "--")
        gid, home = self._account(user) if user else ("", "/root")
        who = ("setpriv", f"--reuid={user}", f"--regid={gid}", "--init-groups") if user else ()
        found = {**self.environ, "HOME": home, **environ}
        given = (f"{name}={value}" for name, value in found.items())
        return (*enter, "env", "--ignore-environment", *given, *who, *argv)

    def _account(self, user: str) -> tuple[str, str]:
        """Return his group and his home, as that place has them."""
        for line in Path(f"/proc/{self.first.pid}/root/etc/passwd").read_text().splitlines():
            name, _, _, gid, _, home, _ = line.split(":")
            if name == user:
                return gid, home
        raise DockerFailed(f"there is no user {user} in the container")
