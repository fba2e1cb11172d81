"""What the demo runs on: a private Slurm, a Waldur, and the agent's settings, in one directory.

Rule: all of it ends with the process that made it.
"""

import getpass
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sandbox.demo.place import own_directory
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.users import ensure_users, remove_users
from sandbox.waldur import READY, Waldur

ROOT = Path(__file__).resolve().parents[2]
COMPONENTS = ROOT / "examples" / "docker-compose" / "config-components.yaml"
# Claimed, not there: Slurm only counts them.
MACHINES = ClusterOptions(nodes=2, cpus=128, memory_mb=512_000, gpus=8)
PATIENCE_S = 60

SHELL = """\
# Read by a shell: . {here}/shell
{exports}
_in_project() {{ (cd {root} && exec {python} -m "$@"); }}
pull() {{ _in_project waldur_slurm.main --env-file {here}/pull.env "$@"; }}
push() {{ _in_project waldur_slurm.main --env-file {here}/push.env "$@"; }}
waldur() {{
  _command=${{1:---help}}; [ $# = 0 ] || shift
  _in_project sandbox.waldur "$_command" {here}/waldur "$@"
}}
submit() {{
  _person=$1 _account=$2; shift 2
  {become}sbatch --account="$_account" --time=1 --chdir={here}/slurm/jobs "$@"
}}
"""


class AgentFailed(Exception):
    """The agent ended in a way that the tour does not expect; the text is what it said."""


@dataclass(frozen=True)
class Run:
    """One run of the agent."""

    out: str
    seconds: float


@dataclass(frozen=True)
class Site:
    """A running site; `people` are Unix users who may run jobs."""

    directory: Path
    cluster: Cluster
    waldur: Waldur
    people: tuple[str, ...]

    @property
    def slurm_version(self) -> str:
        return self.cluster.must("sacctmgr", "--version").split()[-1]

    @property
    def ends_at(self) -> datetime:
        return self.cluster.ends_at

    def agent(self, argv: Sequence[str], expect: int = 0) -> Run:
        """Run the agent as a person would who types this in the site's directory."""
        begun = time.monotonic()
        done = subprocess.run(
            (sys.executable, "-m", "waldur_slurm.main", *argv[1:]),
            cwd=self.directory,
            env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        if done.returncode != expect:
            raise AgentFailed(
                f"{shlex.join(argv)} exited {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return Run(done.stdout.rstrip(), time.monotonic() - begun)

    def submit(self, person: str, account: str, *options: str) -> int:
        """Submit a job as that person; who is not root can only be himself."""
        user = person if os.geteuid() == 0 else None
        return self.cluster.submit(user, account, "sleep 4", *options)

    def settings(self, direction: str) -> Mapping[str, str]:
        return {
            "WALDUR_SYNC_DIRECTION": direction,
            "WALDUR_API_URL": self.waldur.url,
            "WALDUR_API_TOKEN": self.waldur.tokens.provider,
            "WALDUR_OFFERING_UUID": self.waldur.offering_uuid,
            "SLURM_DEPLOYMENT_TYPE": "native",
            "SLURM_DEFAULT_ACCOUNT": "root",
            "SLURM_ACCOUNT_NAMING": "slug",
            "SLURM_TRES_CONFIG_PATH": str(COMPONENTS),
            "AGENT_STATE_DIR": str(self.directory / "state" / direction),
            **self.cluster.environ,
        }

    def shell(self) -> str:
        """Return what a shell reads to find Slurm, Waldur and the agent of this site."""
        return SHELL.format(
            here=shlex.quote(str(self.directory)),
            root=shlex.quote(str(ROOT)),
            python=shlex.quote(sys.executable),
            become='runuser -u "$_person" -- ' if os.geteuid() == 0 else "",
            exports="\n".join(
                f"export {name}={shlex.quote(value)}"
                for name, value in self.cluster.environ.items()
            ),
        )


@contextmanager
def running_site(lifetime: timedelta) -> Iterator[Site]:
    with ExitStack() as ends:
        directory = ends.enter_context(own_directory())
        with ThreadPoolExecutor() as pool:
            waldur = pool.submit(Waldur.start, directory / "waldur", setup=READY)
            ends.callback(lambda: waldur.result().stop())
            cluster = Cluster.start(directory / "slurm", replace(MACHINES, lifetime=lifetime))
            ends.callback(cluster.wipe)
        if os.geteuid() == 0:
            ends.callback(remove_users)
        site = Site(directory, cluster, waldur.result(), _people(cluster))
        for direction in ("pull", "push"):
            _write_settings(directory / f"{direction}.env", site.settings(direction))
        (directory / "shell").write_text(site.shell())
        yield site


def _people(cluster: Cluster) -> tuple[str, ...]:
    """Return who may run jobs; who is not root is the only one, and has to become an operator."""
    if os.geteuid() == 0:
        return ensure_users(("wsat-ann", "wsat-bob", "wsat-eve"))
    me = getpass.getuser()
    cluster.must("sacctmgr", "-i", "add", "account", "staff")
    cluster.must("sacctmgr", "-i", "add", "user", me, "account=staff", "adminlevel=operator")
    return (me,)


def _write_settings(file: Path, settings: Mapping[str, str]) -> None:
    file.touch(mode=0o600)  # it holds a token
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
