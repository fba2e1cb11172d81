"""A cluster's daemons as one names them: start, end, freeze, and know when each answers."""

import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sandbox.slurm.commands import run_command
from sandbox.slurm.daemons import Daemon, daemon, listens, names, speaks
from sandbox.slurm.environment import client_environ, daemon_environ
from sandbox.slurm.errors import DeadlinePassed, SandboxError, with_tails
from sandbox.slurm.keeping import PAUSE, Keeper
from sandbox.slurm.site import Site

START_DEADLINE = 30.0
LONGEST_PAUSE = 0.25
PROBE_DEADLINE = 15.0
PATIENCE = 5.0
SERVING = ("idle", "mixed", "allocated", "draining", "drained", "completing", "reserved")


class Crew:
    """The daemons of one site, kept by its keeper."""

    def __init__(self, site: Site, keeper: Keeper) -> None:
        self._site = site
        self._keeper = keeper
        self.names = names(site)

    def states(self) -> dict[str, str]:
        """Return for each daemon "up", "frozen", "down", or how it ended."""
        known = self._keeper.states()
        return {name: known.get(name, "down") for name in self.names}

    def pids(self) -> dict[str, int]:
        return self._keeper.pids()

    def port(self, name: str) -> int | None:
        return self._daemon(name).port

    def start(self, *group: str) -> None:
        """Start them all, and return when each answers."""
        chosen = [self._daemon(name) for name in group]
        for one in chosen:
            self._keeper.ask(
                "spawn",
                name=one.name,
                argv=one.argv,
                environ=dict(one.environ),
                output=str(self._site.output(one.name)),
            )
        for one in chosen:
            ready = partial(self._is_ready, one)
            self.wait(ready, START_DEADLINE, "no answer", one.name, must_live=True)

    def end(self, *group: str, patience: float = PATIENCE) -> None:
        """Ask them all to end, kill those that do not, and return when they are gone."""
        alive = [name for name in group if self._lives(self._daemon(name).name)]
        for name in alive:
            self._keeper.ask("terminate", name=name)
        for name in alive:
            try:
                self._wait_for_end(name, patience)
            except DeadlinePassed:
                self.kill(name)

    def kill(self, name: str) -> None:
        self._signal(name, signal.SIGKILL)
        self._wait_for_end(name, PATIENCE)

    def freeze(self, name: str) -> None:
        self._signal(name, signal.SIGSTOP)
        self.wait(lambda: self.states()[name] == "frozen", PATIENCE, "it ran on", name)

    def thaw(self, name: str) -> None:
        self._signal(name, signal.SIGCONT)
        self.wait(lambda: self.states()[name] == "up", PATIENCE, "it stayed frozen", name)

    def wait(
        self,
        happened: Callable[[], bool],
        seconds: float,
        otherwise: str,
        *daemons: str,
        pause: float = PAUSE,
        must_live: bool = False,
    ) -> None:
        """Return when it happened; give up early if a daemon that must live has ended."""
        who = ", ".join(daemons)
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() >= deadline:
                message = f"{who}: {otherwise} within {seconds:g} s"
                raise DeadlinePassed(with_tails(message, self._logs(*daemons)))
            if must_live and (dead := [name for name in daemons if not self._lives(name)]):
                raise self.failure(f"{dead[0]}: {self.states()[dead[0]]}", dead[0])
            time.sleep(pause)
            pause = min(pause * 1.1, LONGEST_PAUSE)

    def failure(self, message: str, *daemons: str) -> SandboxError:
        """Return an error that shows the last lines of these daemons' logs."""
        return SandboxError(with_tails(message, self._logs(*daemons)))

    def _daemon(self, name: str) -> Daemon:
        return daemon(self._site, name, daemon_environ(self._site))

    def _signal(self, name: str, number: signal.Signals) -> None:
        self._keeper.ask("signal", name=self._daemon(name).name, number=number)

    def _wait_for_end(self, name: str, seconds: float) -> None:
        self.wait(lambda: not self._lives(name), seconds, "no end", name)

    def _lives(self, name: str) -> bool:
        return self.states()[name] in ("up", "frozen")

    def _logs(self, *daemons: str) -> list[Path]:
        return [self._site.output(name) for name in daemons]

    def _is_ready(self, one: Daemon) -> bool:
        if one.port is not None and not listens(one.port):
            return False
        match one.name:
            case "mariadbd":
                return speaks(self._site.mariadb_port)
            case "munged":
                return bool(self._said("munge", "-n", "-S", str(self._site.munge_socket)))
            case "slurmdbd":
                return bool(self._said("sacctmgr", "list", "cluster"))
            case "slurmctld":
                return "is UP" in self._said("scontrol", "ping")
            case node:
                return self._serves(node)

    def _serves(self, node: str) -> bool:
        """Say whether slurmctld, if it runs, takes the node for one that runs jobs."""
        if self.states()["slurmctld"] != "up":
            return True
        return self._said("sinfo", "-hN", "-n", node, "-o", "%T").strip() in SERVING

    def _said(self, *argv: str) -> str:
        done = run_command(argv, client_environ(self._site), timeout=PROBE_DEADLINE)
        return "" if done.code else done.out
