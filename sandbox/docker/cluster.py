"""A complete Slurm cluster in a container, with the same methods as the native one.

Rule: a container ends by itself after its lifetime; one whose starter is gone is removed by the
next start on this machine.
"""

import shlex
import subprocess
import uuid
from collections.abc import Iterable
from datetime import timedelta
from types import TracebackType
from typing import Literal, Self

from sandbox.docker.command import DockerFailed, docker
from sandbox.docker.engine import ensure_engine
from sandbox.docker.images import RELEASES, ensure_image
from sandbox.docker.inside import Inside
from sandbox.docker.owner import Owner
from sandbox.slurm import Completed, DeadlinePassed

OWNER_LABEL = "waldur-slurm-sandbox.owner"
BOOT_S = 60
# What `timeout` exits with when it had to end the command.
TIMED_OUT = 124


class ContainerCluster:
    """A running container; `docker exec NAME sacctmgr ...` works on it as on a real head node."""

    def __init__(self, container: str, release: str) -> None:
        self.container = container
        self.release = release
        self._inside: Inside | None = None

    @classmethod
    def start(
        cls,
        release: str = "22.05",
        name: str | None = None,
        *,
        lifetime: timedelta = timedelta(hours=1),
        nodes: int = 2,
        tres: Iterable[str] = ("gres/gpu",),
        tcp: Literal["fast", "stock"] = "fast",
    ) -> Self:
        """Return when every daemon answers; the options mean what they mean natively."""
        ensure_engine()
        ensure_image(RELEASES[release])
        remove_abandoned()
        container = name or f"wsat-{uuid.uuid4().hex[:12]}"
        settings = {
            "LIFETIME": round(lifetime.total_seconds()),
            "NODES": nodes,
            "TRES": ",".join(tres),
            "TCP": tcp,
        }
        argv = ["run", "--detach", "--rm", "--no-healthcheck", "--name", container]
        argv += ["--label", f"{OWNER_LABEL}={Owner.this_process()}"]
        argv += [word for key, value in settings.items() for word in ("--env", f"{key}={value}")]
        docker(*argv, RELEASES[release].tag)
        cluster = cls(container, release)
        try:
            cluster._say("ready", str(BOOT_S))
        except BaseException:
            cluster.stop()
            raise
        return cluster

    @property
    def inside(self) -> Inside:
        """Where its programs run; looked for anew when the container was started anew."""
        if self._inside is None or self._inside.is_gone:
            self._inside = Inside.of(self.container)
        return self._inside

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def run(self, *argv: str, user: str | None = None, timeout: float = 30.0) -> Completed:
        """Run a command in the container, as root or as another of its unix users.

        The deadline holds inside the container: nothing of the command is left there.
        """
        limited = ("timeout", "--kill-after=1", f"{timeout:g}", *argv)
        done = subprocess.run(
            self.inside.argv(*limited, user=user),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout + 30,
        )
        if done.returncode == TIMED_OUT:
            raise DeadlinePassed(f"no end of {argv} within {timeout:g} s")
        return Completed(done.returncode, done.stdout, done.stderr)

    def must(self, *argv: str, user: str | None = None, timeout: float = 30.0) -> str:
        """Run a command that has to succeed, and return what it said."""
        done = self.run(*argv, user=user, timeout=timeout)
        if done.code:
            said = (done.err or done.out).strip()
            raise DockerFailed(f"{shlex.join(argv)} exited {done.code}: {said}")
        return done.out

    def sql(self, statement: str) -> str:
        """Return the database's answer: a line of column names, then rows, tab-separated."""
        argv = ("mariadb", "--no-defaults", "--host=127.0.0.1", "--user=root", "--batch")
        return self.must(*argv, f"--execute={statement}", "slurm_acct_db")

    def ensure_users(self, names: Iterable[str]) -> tuple[str, ...]:
        """Make the unix users that the container does not have yet."""
        wanted = tuple(names)
        for name in wanted:
            if self.run("id", name).code:
                self.must("useradd", "--no-create-home", "--shell", "/usr/sbin/nologin", name)
        return wanted

    def start_daemon(self, name: str) -> None:
        """Start it and return when it answers."""
        self._say("start", name)

    def stop_daemon(self, name: str) -> None:
        """End it, kindly at first, and return when it is gone."""
        self._say("stop", name)

    def restart_daemon(self, name: str) -> None:
        self._say("stop", name)
        self._say("start", name)

    def kill_daemon(self, name: str) -> None:
        """End it as kill -9 does, and return when it is gone."""
        self._say("kill", name)

    def freeze(self, name: str) -> None:
        """Stop its time: the kernel still accepts connections, and nobody answers."""
        self._say("freeze", name)

    def thaw(self, name: str) -> None:
        self._say("thaw", name)

    def stop(self) -> None:
        """Remove the container with everything in it."""
        docker("rm", "--force", "--volumes", self.container, check=False)

    def _say(self, *order: str) -> None:
        done = self.run("cluster", *order, timeout=BOOT_S + 10)
        if done.code:
            logs = docker("logs", "--tail", "20", self.container, check=False)
            said = "\n".join((done.err, done.out, logs.stdout, logs.stderr)).strip()
            raise DockerFailed(f"{self.container}: {' '.join(order)} failed\n{said}")


def remove_abandoned() -> tuple[str, ...]:
    """Remove the containers whose starter is gone; return their names."""
    form = f'{{{{.Names}}}}\t{{{{.Label "{OWNER_LABEL}"}}}}'
    listed = docker("ps", "--all", "--filter", f"label={OWNER_LABEL}", "--format", form).stdout
    gone = []
    for line in listed.splitlines():
        name, _, label = line.partition("\t")
        owner = Owner.parse(label)
        if owner is not None and owner.is_gone:
            gone.append(name)
    if gone:
        # Another start may be removing the same ones.
        docker("rm", "--force", "--volumes", *gone, check=False)
    return tuple(gone)
