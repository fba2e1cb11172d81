"""A gateway that acts: as a user of its own, by a real hand, on a real Slurm, for real users."""

import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sandbox.slurm import Cluster
from sandbox.slurm.ports import claim_ports
from tests.e2e.gateway.gateway import Answer, Gateway, program_for
from tests.e2e.lesser_program import LesserProgram
from tests.e2e.program import TOOLS, fast_tools
from tests.fixtures_hand import ANN, BOB, CALLER, HandSite

SCOPES = (
    "cluster:read,jobs:read,jobs:submit,jobs:cancel,jobs:control,files:read,files:write,"
    "history:read"
)
HONEST = 'real "$@"'
LOSES_ITS_ANSWER = (
    'real "$@" >/dev/null; echo "sbatch: error: Batch job submission failed: Socket timed out on'
    ' send/recv operation" >&2; exit 1'
)
NEVER_ARRIVES = (
    'cat >/dev/null; echo "sbatch: error: Batch job submission failed: Socket timed out on'
    ' send/recv operation" >&2; exit 1'
)
NO_CHANGES: Mapping[str, str] = {}
SLEEP = "#!/bin/sh\nsleep 600\n"
SMALL = {"mem": "10", "account": "physics", "output": "/dev/null", "chdir": "/tmp"}  # noqa: S108 - where all users may be


@dataclass
class ActingProgram(LesserProgram):
    """`sudoers` are the rules that sudo reads where this program runs; `covers` go over files."""

    sudoers: Path = Path("/etc/sudoers")
    always: tuple[str, ...] = ()
    """Arguments that it is given before any other."""
    covers: tuple[tuple[Path, Path], ...] = ()
    """What is seen instead of a file, and which."""

    def argv(self, *arguments: str) -> list[str]:
        arguments = (*self.always, *arguments)
        covers = ((self.sudoers, Path("/etc/sudoers")), *self.covers)
        binds = "".join(f"mount --bind {seen} {file} && " for seen, file in covers)
        return ["unshare", "-m", "sh", "-c", f'{binds}exec "$@"', "sh", *super().argv(*arguments)]


@dataclass(frozen=True)
class ActingSite:
    """Where gateways may run one after the other, and remember what an earlier one did."""

    lab: Cluster
    hand: HandSite
    place: Path
    starts_anew: bool = False

    @classmethod
    def make(cls, lab: Cluster, hand: HandSite) -> "ActingSite":
        place = hand.directory / "gateway"
        place.mkdir()
        shutil.chown(place, CALLER)
        tools = fast_tools(hand.directory / "tools", lab.environ, "sbatch")
        (tools / "sbatch").rename(tools / "true-sbatch")
        hand.write_conf(slurm_bin=str(tools))
        site = cls(lab, hand, place)
        site.sbatch(HONEST)
        return site

    @classmethod
    @contextmanager
    def lasting(cls, lab: Cluster, installed: HandSite) -> Iterator["ActingSite"]:
        """One for several tests, with the hand as it was installed."""
        installed.write_conf()
        site = cls.make(lab, installed)
        yield site
        site.close()

    def close(self) -> None:
        shutil.rmtree(self.place)
        shutil.rmtree(self.tools)

    @property
    def tools(self) -> Path:
        return self.hand.directory / "tools"

    def sbatch(self, text: str) -> None:
        """Let the users' sbatch be this script, where `real` is the true one."""
        script = self.tools / "sbatch"
        fresh = script.with_suffix(".new")
        fresh.write_text(f'#!/bin/sh\nreal() {{ "{self.tools}/true-sbatch" "$@"; }}\n{text}\n')
        fresh.chmod(0o755)
        fresh.rename(script)

    @contextmanager
    def running(
        self,
        way: str = "sudo",
        dies: tuple[str, ...] = (),
        by: str = "mortal",
        hides_slurm: bool = False,
        **changes: str,
    ) -> Iterator["ActingGateway"]:
        """Serve until the body ends, acting by that way; `dies` is as the module `by` has it.

        One that dies may do so before it is ready: what the last one left open is settled at once.
        `hides_slurm` is a host that has neither Slurm's commands and slurm.conf nor these users.
        """
        claimed = claim_ports(2)
        try:
            program = self.program(claimed.first, way, changes)
            if dies:
                program = replace(program, module=f"tests.e2e.gateway.{by}", always=dies)
            if hides_slurm:
                program = self._without_slurm(program)
            with program.daemon() as daemon:
                is_ready = daemon.is_told("READY=1")
                assert is_ready or dies, daemon.log
                yield ActingGateway(program, daemon, claimed.first, is_ready=is_ready)
        finally:
            claimed.claim.close()

    def token(self, *users: str, name: str = "portal", scopes: str = SCOPES) -> str:
        """Make a token that acts for these users, else for Ann and Bob."""
        run_as = ",".join(users or (ANN, BOB))
        more = ("--name", name, "--scopes", scopes, "--run-as", run_as)
        done = self.program().run("token", "make", *more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def revoke(self, token: str) -> None:
        """Revoke a token, as its administrator does: by its id, which stands in it."""
        done = self.program().run("token", "revoke", token.split("_")[1])
        assert done.returncode == 0, done.stderr

    def program(
        self, port: int = 0, way: str = "sudo", changes: Mapping[str, str] = NO_CHANGES
    ) -> ActingProgram:
        """Return the program as it is started here; without a port it does not serve."""
        acting = {
            "GATEWAY_LISTEN": f"127.0.0.1:{port or 1}",
            "GATEWAY_EXECUTOR": way,
            "GATEWAY_HAND": str(self.hand.program),
            "GATEWAY_HAND_SOCKET": str(self.hand.socket),
            "GATEWAY_SETUID_PROGRAM": str(self.hand.executor),
            "GATEWAY_MIN_UID": "100",
            "GATEWAY_AUDIT_LOG": str(self.place / "audit.jsonl"),
            "GATEWAY_PACE_AT_ONCE": "1000",
            "GATEWAY_ANONYMOUS_SCOPES": "",
        }
        if way == "ssh":
            acting |= self._login()
        made = program_for(self.lab, self.tools, self.place, port, **{**acting, **changes})
        return ActingProgram(
            made.environ,
            made.directory,
            made.module,
            is_started_anew=self.starts_anew,
            user=CALLER,
            sudoers=self.hand.sudoers,
        )

    def _without_slurm(self, program: ActingProgram) -> ActingProgram:
        users = self.place / "passwd"
        lines = Path("/etc/passwd").read_text().splitlines(keepends=True)
        users.write_text("".join(line for line in lines if line.split(":")[0] not in (ANN, BOB)))
        nothing = self.place / "nothing"
        nothing.write_text("")
        missing = [Path("/usr/bin") / tool for tool in (*TOOLS, "sbatch")]
        hidden = [*missing, Path(self.lab.environ["SLURM_CONF"])]
        covers = ((users, Path("/etc/passwd")), *((nothing, each) for each in hidden))
        environ = {name: text for name, text in program.environ.items() if name != "SLURM_CONF"}
        return replace(program, environ=environ, covers=covers)

    def _login(self) -> dict[str, str]:
        """Ann's, by names that the original knows too; the key is the gateway's own copy."""
        key = self.place / "ssh_key"
        if not key.exists():
            shutil.copy(self.hand.sshd / "user_key", key)
            shutil.chown(key, CALLER)
            key.chmod(0o600)
        return {
            "TMPDIR": str(self.place),
            "SSH_HOSTNAME": "127.0.0.1",
            "SSH_USERNAME": ANN,
            "SSH_PRIVATE_KEY_PATH": str(key),
            "GATEWAY_SSH_PORT": self.hand.ssh_port.read_text(),
            "GATEWAY_SSH_KNOWN_HOSTS": str(self.hand.sshd / "known_hosts"),
            "GATEWAY_HAND_CONF": str(self.hand.conf),
        }

    def ssh_processes(self) -> Iterator[tuple[int, str]]:
        """Each of this site's gateways' own ssh processes, and how it was started.

        Other tests beside these have such processes of the same user: it is the room that tells.
        """
        for place in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                argv = (place / "cmdline").read_bytes().replace(b"\0", b" ")
                if argv.startswith(b"ssh") and b"%s/waldur-ssh-" % os.fsencode(self.place) in argv:
                    yield int(place.name), argv.decode(errors="replace")

    def kill_ssh(self) -> int:
        """Kill the connection of the gateway; return how many processes it were."""
        found = [number for number, _ in self.ssh_processes()]
        for number in found:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        return len(found)

    def jobs_marked(self, prefix: str) -> dict[int, str]:
        """All jobs that slurmctld knows whose comment begins so: number and comment."""
        listing = self.lab.must("squeue", "--noheader", "--all", "--states=all", "--format=%A %k")
        rows = (line.partition(" ") for line in listing.splitlines())
        return {int(number): mark for number, _, mark in rows if mark.startswith(prefix)}

    def acts(self) -> list[dict[str, Any]]:
        """What the audit log holds."""
        log = self.place / "audit.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        return [json.loads(line) for line in lines]


@dataclass
class ActingGateway(Gateway):
    """One that runs; asked with a token."""

    is_ready: bool = True
    """False where it was made to die, and did before it served."""

    def send(
        self, token: str, method: str, path: str, body: object = None, **headers: str
    ) -> Answer:
        """`headers` are names with _ for -; a body is sent as JSON."""
        told = {"Authorization": f"Bearer {token}", **headers}
        return self.ask(method, path, None if body is None else json.dumps(body).encode(), told)

    def submit(self, token: str, key: str = "", **body: object) -> Answer:
        """Hand in a small job that sleeps, as Ann, where nothing else is said."""
        options = {**SMALL, **body.pop("options", {})}  # type: ignore[dict-item]  # a test's own
        asked = {"script": SLEEP, "user": ANN, "options": options, **body}
        headers = {"Idempotency_Key": key} if key else {}
        return self.send(token, "POST", "/api/v1/jobs", asked, **headers)
