"""What the gateway's demo runs on: a private Slurm, people, the hand, the gateway, a mail relay.

Rule: all of it ends with the process that made it, which is root: it makes users. The gateway is a
user of its own, and acts as others through the hand's socket.
"""

import os
import pwd
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sandbox.demo.place import own_directory
from sandbox.demo.site import MACHINES, ROOT, Run
from sandbox.mail import Relay
from sandbox.slurm import Cluster, SandboxError
from sandbox.slurm.daemons import find_program
from sandbox.slurm.ports import claim_ports
from sandbox.slurm.users import ensure_users, remove_users

GATEWAY_USER = "wsat-gate"
PEOPLE = ("wsat-ann", "wsat-bob")
TOOLS = (
    *("sacct", "sacctmgr", "sbatch", "scancel", "scontrol"),
    *("sdiag", "sinfo", "squeue", "sreport", "srun"),
)
PATIENCE_S = 30.0
AS_THE_ORIGINALS = "cluster:read,jobs:read:all,history:read,accounts:read"
"""What clients of Slurm RestAPI may do, as they show nothing of who they are."""

AS_THEMSELVES = "jobs:submit jobs:read jobs:cancel monitor:read monitor:write"
"""What users of this machine may do, each as himself: so slurm-proxy's clients go on."""


class GatewayFailed(SandboxError):
    """A command of the tour ended in a way that it does not expect; the text is what it said."""


@dataclass
class GatewaySite:
    """A running site; `people` are Unix users whom the gateway acts as."""

    directory: Path
    cluster: Cluster
    relay: Relay
    people: tuple[str, ...]
    port: int
    program: tuple[str, ...]
    """How the gateway's command is started as the gateway's user."""
    environ: Mapping[str, str]
    token: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    """What later lines of the tour find in their shell."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def slurm_version(self) -> str:
        return self.cluster.must("sacctmgr", "--version").split()[-1]

    @property
    def ends_at(self) -> datetime:
        return self.cluster.ends_at

    @property
    def client(self) -> str:
        """How a shell starts the command that asks a gateway, from anywhere."""
        python = f"{shlex.quote(sys.executable)} -m waldur_slurm.gateway.main"
        return f"PYTHONPATH={shlex.quote(str(ROOT))} {python}"

    def gateway(self, *words: str) -> Run:
        """Type a command of the gateway's own, as its user."""
        return _run((*self.program, *words), self.environ, self.directory)

    def shell(self, line: str, user: str = "") -> Run:
        """Type a line as a client of the gateway would, who has no more than its address."""
        environ = {"PATH": os.defpath, "AT": self.url, **self.variables}
        become = _plainly(user) if user else ()
        return _run((*become, "/bin/bash", "-ec", line), environ, self.directory)


def _run(argv: Sequence[str], environ: Mapping[str, str], directory: Path) -> Run:
    begun = time.monotonic()
    done = subprocess.run(
        argv,
        cwd=directory,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if done.returncode:
        raise GatewayFailed(f"{argv[-1]} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return Run(done.stdout.strip(), time.monotonic() - begun)


@contextmanager
def running_site(lifetime: timedelta) -> Iterator[GatewaySite]:
    with ExitStack() as ends:
        directory = ends.enter_context(own_directory())
        relay = ends.enter_context(Relay())
        cluster = Cluster.start(directory / "slurm", replace(MACHINES, lifetime=lifetime))
        ends.callback(cluster.wipe)
        ensure_users((GATEWAY_USER, *PEOPLE))
        ends.callback(remove_users)
        _let_in(cluster)
        claimed = claim_ports(1)
        ends.callback(claimed.claim.close)
        site = _prepared(directory, cluster, relay, claimed.first)
        ends.enter_context(running((str(directory / "hand"), "serve"), {}, directory))
        ends.enter_context(running(site.program, site.environ, directory))
        _wait(lambda: _answers(site.url), "the gateway")
        yield site


def _let_in(cluster: Cluster) -> None:
    cluster.must("sacctmgr", "-i", "add", "account", "physics")
    for user in PEOPLE:
        cluster.must("sacctmgr", "-i", "add", "user", user, "account=physics")


def _prepared(directory: Path, cluster: Cluster, relay: Relay, port: int) -> GatewaySite:
    """Lay out what root would: Slurm's commands, homes, the hand with its hand.conf, a state."""
    tools = _tools(directory / "bin", cluster.environ)
    for user in PEOPLE:
        _owned(directory / "home" / user, user)
    own = _owned(directory / "gateway", GATEWAY_USER)
    _owned(own / "apps", GATEWAY_USER)
    conf = directory / "hand.conf"
    conf.write_text(_hand_conf(directory, tools))
    _pack_hand(directory / "hand", conf)
    environ = {
        "PATH": f"{tools}:{os.defpath}",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **_settings(own, relay, port),
        "GATEWAY_EXECUTOR": "socket",
        "GATEWAY_HAND_SOCKET": f"{directory}/hand.sock",
        **cluster.environ,
    }
    program = (sys.executable, "-m", "waldur_slurm.gateway.main")
    become = _becoming(GATEWAY_USER, program, environ)
    return GatewaySite(directory, cluster, relay, PEOPLE, port, (*become, *program), environ)


def _settings(own: Path, relay: Relay, port: int) -> Mapping[str, str]:
    return {
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_STATE_DIR": str(own / "state"),
        "GATEWAY_AUDIT_LOG": str(own / "audit.jsonl"),
        "GATEWAY_APPS_DIR": str(own / "apps"),
        "GATEWAY_ANONYMOUS_SCOPES": AS_THE_ORIGINALS,
        "GATEWAY_TRUSTED_NETWORKS": f"127.0.0.1 may {AS_THEMSELVES}",
        "MONITOR_POLLING_INTERVAL": "1s",
        "GATEWAY_JOBS_AGE": "1s",
        "GATEWAY_MIN_UID": "100",
        "SMTP_SERVER": "127.0.0.1",
        "SMTP_PORT": str(relay.port),
        "GATEWAY_SMTP_SECURITY": "none",
        "GATEWAY_SMTP_FROM": "slurm@hpc.example.org",
    }


def _hand_conf(directory: Path, tools: Path) -> str:
    return (
        f"caller = {GATEWAY_USER}\nusers = {' '.join(PEOPLE)}\nmin_uid = 100\nmax_uid = 65533\n"
        f"roots = {directory}/home/{{user}} {directory}/gateway/apps/applications\n"
        f"slurm_bin = {tools}\nsocket = {directory}/hand.sock\n"
    )


def _tools(place: Path, environ: Mapping[str, str]) -> Path:
    """Slurm's commands, as the sandbox starts them: the hand passes on no environment."""
    place.mkdir()
    told = " ".join(f"{n}={shlex.quote(v)}" for n, v in environ.items() if n != "PATH")
    for name in TOOLS:
        tool = place / name
        tool.write_text(f'#!/bin/sh\nexec /usr/bin/env {told} /usr/bin/{name} "$@"\n')
        tool.chmod(0o755)
    return place


def _owned(path: Path, user: str) -> Path:
    path.mkdir(parents=True)
    shutil.chown(path, user)
    path.chmod(0o711)
    return path


def _pack_hand(file: Path, conf: Path) -> None:
    """As `make hand` does: by the interpreter that will run it."""
    argv = ("/usr/bin/python3", "-m", "waldur_slurm.hand.pack", str(file), "--conf", str(conf))
    environ = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(argv, env=environ, check=True, capture_output=True, timeout=60)


def _becoming(user: str, program: Sequence[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what makes a command the user's.

    Where the project lies in root's own home he is lent the right to read there, and nothing else.
    """
    plain = _plainly(user)
    tried = subprocess.run(
        [*plain, *program, "--version"], env=dict(environ), capture_output=True, cwd="/"
    )
    if tried.returncode == 0:
        return plain
    return (*plain, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


def _plainly(user: str) -> tuple[str, ...]:
    """Whoever changes users loses the word that he ends with his parent, so it is said again."""
    gid = pwd.getpwnam(user).pw_gid
    who = (f"--reuid={user}", f"--regid={gid}", "--clear-groups")
    return (find_program("setpriv"), "--pdeathsig=KILL", *who)


@contextmanager
def running(argv: Sequence[str], environ: Mapping[str, str], directory: Path) -> Iterator[None]:
    """Run it until the end; it does not outlive whoever started it."""
    with (
        (directory / f"{Path(argv[0]).name}.log").open("ab") as log,
        subprocess.Popen(
            (find_program("setpriv"), "--pdeathsig=KILL", *argv),
            cwd=directory,
            env={"PATH": os.defpath, **environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as answer:  # noqa: S310 - ours
            return bool(answer.status == 200)
    except OSError:
        return False


def _wait(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise SandboxError(f"{what} did not answer within {PATIENCE_S:.0f} s")
        time.sleep(0.05)
