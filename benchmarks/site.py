"""What is measured on: a private Slurm with the TCP of a production site, a Waldur, and the agent.

Rule: a site is checked to be what it is taken for before anything is measured on it.
"""

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.tools import Tools
from sandbox.demo.place import own_directory
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.waldur import READY, Waldur
from sandbox.waldur.dialects import DialectName
from tests.e2e.program import Program
from tests.places import PROJECT

STOCK = ClusterOptions(tcp="stock", lifetime=timedelta(hours=2))
TRES_FILE = PROJECT / "config-components.yaml"
LOCALE = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
BOUND = ("setpriv", "--pdeathsig", "KILL")
"""In front of an agent: it ends when the benchmark does, also after kill -9 of that."""


@dataclass
class Agent(Program):
    """The real program."""

    clock_offset: timedelta | None = None

    def argv(self, *arguments: str) -> list[str]:
        if self.clock_offset is None:
            return [*BOUND, *super().argv(*arguments)]
        seconds = str(self.clock_offset.total_seconds())
        return [*BOUND, sys.executable, "-m", "benchmarks.shifted", seconds, *arguments]


@dataclass(frozen=True)
class Site:
    directory: Path
    cluster: Cluster
    waldur: Waldur
    tools: Tools

    def agent(
        self,
        direction: str,
        tres_file: Path = TRES_FILE,
        clock_offset: timedelta | None = None,
    ) -> Agent:
        directory = self.directory / direction
        directory.mkdir(exist_ok=True)
        environ = {
            "PATH": os.defpath,
            "SLURM_DEPLOYMENT_TYPE": "native",
            "SLURM_BIN_PATH": str(self.tools.bin_path),
            "SLURM_DEFAULT_ACCOUNT": "root",
            "SLURM_REQUIRE_UNIX_USERS": "false",
            "SLURM_TRES_CONFIG_PATH": str(tres_file),
            "WALDUR_API_URL": self.waldur.url,
            "WALDUR_API_TOKEN": self.waldur.tokens.provider,
            "WALDUR_OFFERING_UUID": self.waldur.offering_uuid,
            "WALDUR_SYNC_DIRECTION": direction,
            "WALDUR_SYNC_INTERVAL": "1d",
            "PULL_ORDER_INTERVAL": "0",
            "AGENT_STATE_DIR": str(directory / "state"),
            **self.cluster.environ,
        }
        return Agent(environ, directory, clock_offset=clock_offset)

    def bare_seconds(self, *commands: Sequence[str]) -> float:
        """How long these commands take, one after the other, without an agent."""
        began = time.monotonic()
        for argv in commands:
            self.tools.run(argv, self._bare)
        return time.monotonic() - began

    def obeyed_seconds(self, *scripts: str) -> float:
        """How long sacctmgr takes to obey these scripts, one process each."""
        began = time.monotonic()
        for script in scripts:
            self.tools.run(("sacctmgr", "--immediate"), self._bare, script)
        return time.monotonic() - began

    @property
    def _bare(self) -> dict[str, str]:
        return {"PATH": os.defpath, **LOCALE, **self.cluster.environ}


@contextmanager
def running_site(options: ClusterOptions = STOCK, dialect: DialectName = "today") -> Iterator[Site]:
    with ExitStack() as ends:
        directory = ends.enter_context(own_directory())
        waldur = ends.enter_context(Waldur.start(directory / "waldur", dialect, READY))
        cluster = Cluster.start(directory / "slurm", options)
        ends.callback(cluster.wipe)
        yield Site(directory, cluster, waldur, Tools(directory / "bin"))


@contextmanager
def twin_of(site: Site) -> Iterator[Site]:
    """An empty Slurm of the same kind, and a copy of what that Waldur holds now.

    What can be done only once is done here by bare means, to learn the least that it can cost.
    """
    directory = site.directory / "twin"
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "waldur").mkdir(parents=True)
    with ExitStack() as ends:
        copy = directory / "waldur" / site.waldur.store.path.name
        with closing(sqlite3.connect(site.waldur.store.path)) as source:
            source.execute("VACUUM INTO ?", (str(copy),))
        waldur = ends.enter_context(Waldur.start(directory / "waldur"))
        cluster = Cluster.start(directory / "slurm", site.cluster.options)
        ends.callback(cluster.wipe)
        yield Site(directory, cluster, waldur, Tools(directory / "bin"))
