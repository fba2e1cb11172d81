"""slurm-controller as a person builds and starts it: an ordinary user, in a checkout of his own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.slurm import Cluster
from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.gateway import Gateway
from tests.e2e.lesser_program import LesserProgram, becoming
from tests.e2e.program import fast_tools
from tests.fixtures_slurm import open_directory
from tests.places import PROJECT

LENT = ("Makefile", "setup.cfg", "pyproject.toml", "sandbox", "waldur_slurm", ".venv")
"""What its checkout has of this one."""


@dataclass
class Launcher(LesserProgram):
    """The file that `make` made, typed as the document types it."""

    always: tuple[str, ...] = ()
    place: Path = field(default_factory=Path)

    def argv(self, *arguments: str) -> list[str]:
        asked = ("/bin/sh", str(self.place / "bin/slurm-controller"))
        become = logged_in(self.user, asked) if self.user else ()
        there = ("env", f"--chdir={self.place}")
        return [*become, *there, "./bin/slurm-controller", *self.always, *arguments]


def logged_in(user: str, asked: tuple[str, ...]) -> list[str]:
    """Return what to put before a command: the user, in his groups, as a login has them."""
    lowered = becoming(user, asked)
    return ["--init-groups" if word == "--clear-groups" else word for word in lowered]


@dataclass(frozen=True)
class ControllerSite:
    lab: Cluster
    user: str
    checkout: Path

    @classmethod
    @contextmanager
    def make(cls, lab: Cluster, user: str) -> Iterator["ControllerSite"]:
        """Let `make` build it, and Slurm's tools be found by PATH."""
        around = open_directory()
        checkout = around / "checkout"
        checkout.mkdir()
        for name in LENT:
            (checkout / name).symlink_to(PROJECT / name)
        shutil.chown(checkout, user)
        fast_tools(around / "tools", lab.environ, "sbatch")
        site = cls(lab, user, checkout)
        built = site.type("make bin/slurm-controller")
        assert built.returncode == 0, built.stderr
        try:
            yield site
        finally:
            lab.must("scancel", f"--user={user}")
            shutil.rmtree(around)

    @property
    def environ(self) -> dict[str, str]:
        tools = self.checkout.parent / "tools"
        return {
            "PATH": f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin",
            "SLURM_CONF": self.lab.environ["SLURM_CONF"],
            "XDG_STATE_HOME": str(self.checkout / "state"),
            "GATEWAY_JOBS_AGE": "1s",
        }

    def type(self, line: str) -> "subprocess.CompletedProcess[str]":
        """Type a line into a shell in the checkout, as its user."""
        made = self.checkout / "bin" / "slurm-controller"
        asked = ("/bin/sh", str(made)) if made.exists() else ("/bin/true",)
        become = logged_in(self.user, asked)
        return subprocess.run(
            [*become, "/bin/bash", "-c", line],
            cwd=self.checkout,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def launcher(self, *words: str, user: str | None = None, **more: str) -> Launcher:
        return Launcher(
            self.environ | more,
            self.checkout.parent,
            user=self.user if user is None else user,
            always=words,
            place=self.checkout,
        )

    @contextmanager
    def running(self, *words: str) -> Iterator[Gateway]:
        """Serve until the body ends."""
        claimed = claim_ports(2)
        try:
            launcher = self.launcher("-port", str(claimed.first), *words)
            with launcher.daemon() as daemon:
                daemon.hears("READY=1", timeout=120)
                yield Gateway(launcher, daemon, claimed.first)
        finally:
            claimed.claim.close()

    def owner(self, job: str) -> str:
        """Whose a job is, as Slurm has it."""
        return self.lab.must(
            "squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%u"
        ).strip()
