"""A complete private Slurm with accounting, in one directory.

Whoever starts it owns it: when that process ends, however it ends, every daemon ends with it.
"""

import shlex
import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.slurm import database, preparation
from sandbox.slurm.commands import Completed, run_command
from sandbox.slurm.crew import START_DEADLINE, Crew
from sandbox.slurm.daemons import ACCOUNTING
from sandbox.slurm.environment import client_environ, client_part
from sandbox.slurm.errors import DeadlinePassed, NoKeeper, SandboxError
from sandbox.slurm.keeping import Keeper, is_locked, locked
from sandbox.slurm.options import ClusterOptions
from sandbox.slurm.preparation import keeper_lock
from sandbox.slurm.site import Site, claim_directory, control_socket, short_directory

JOBS_PAUSE = 0.05
UNFINISHED = {"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUED"}


class Cluster:
    """A cluster on this machine, running or stopped."""

    def __init__(self, site: Site, keeper: Keeper) -> None:
        self._site = site
        self._keeper = keeper
        self._crew = Crew(site, keeper)

    @classmethod
    def start(
        cls, directory: Path | str, options: ClusterOptions | None = None, *, owned: bool = True
    ) -> Self:
        """Start the cluster of that directory, or join it if it runs.

        Without options: those it was last started with. Not owned: it ends when its lifetime is
        over, and not with this process.
        """
        place = claim_directory(Path(directory))
        with locked(place / "start.lock", START_DEADLINE):
            if is_locked(keeper_lock(place)):
                return cls._join(place, options)
            site, keeper = preparation.launch(place, options, owned=owned)
            cluster = cls(site, keeper)
            try:
                cluster._boot()
            except BaseException:
                cluster._end_keeper()
                raise
        return cluster

    @classmethod
    def attach(cls, directory: Path | str) -> Self:
        """Return the cluster of that directory without starting anything."""
        place = Path(directory).resolve()
        site = Site.read(place)
        return cls(site, Keeper(control_socket(place), site.output("keeper")))

    @classmethod
    def _join(cls, place: Path, options: ClusterOptions | None) -> Self:
        cluster = cls.attach(place)
        if options not in (None, cluster.options):
            raise SandboxError(f"{place} runs with other options; stop it first")
        return cluster

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def directory(self) -> Path:
        return self._site.directory

    @property
    def options(self) -> ClusterOptions:
        return self._site.options

    @property
    def environ(self) -> Mapping[str, str]:
        """What a client of this cluster needs in its environment, and nothing else."""
        return client_part(self._site)

    @property
    def daemon_names(self) -> tuple[str, ...]:
        return self._crew.names

    @property
    def is_running(self) -> bool:
        return is_locked(keeper_lock(self.directory))

    @property
    def ends_at(self) -> datetime:
        """When it ends by itself at the latest, by the machine's own clock."""
        return self._site.ends_at

    def states(self) -> dict[str, str]:
        """Return for each daemon "up", "frozen", "down", or how it ended by itself."""
        return self._crew.states() if self.is_running else dict.fromkeys(self.daemon_names, "down")

    def pids(self) -> dict[str, int]:
        """Return the process id of each daemon that lives."""
        return self._crew.pids() if self.is_running else {}

    def port(self, name: str) -> int | None:
        return self._crew.port(name)

    def run(self, *argv: str, user: str | None = None, timeout: float = 30.0) -> Completed:
        """Run a command as a client of this cluster, as root or as another unix user."""
        environ = client_environ(self._site)
        try:
            return run_command(argv, environ, timeout=timeout, user=user, directory=self._site.jobs)
        except DeadlinePassed as error:
            said = self._crew.failure(str(error), *self._talkative)
            raise DeadlinePassed(str(said)) from error

    def must(self, *argv: str, user: str | None = None, timeout: float = 30.0) -> str:
        """Run a command that has to succeed, and return what it said."""
        done = self.run(*argv, user=user, timeout=timeout)
        if done.code:
            said = (done.err or done.out).strip()
            message = f"{shlex.join(argv)} exited {done.code}: {said}"
            raise self._crew.failure(message, *self._talkative)
        return done.out

    def submit(self, user: str | None, account: str, command: str, *options: str) -> int:
        """Submit a batch job and return its number; the command is a line of shell."""
        argv = ("sbatch", "--parsable", f"--account={account}", *options, f"--wrap={command}")
        return int(self.must(*argv, user=user).partition(";")[0])

    def wait_for_jobs(self, timeout: float = 60.0) -> None:
        """Return when no job is left in the queue and the accounting knows each one's end.

        slurmctld sends what it knows of new jobs every 5 seconds, so this is how long it may take
        for a job that ends at once.
        """
        who = ("slurmctld", "slurmdbd")
        try:
            self._crew.wait(self._jobs_are_over, timeout, "jobs not over", *who, pause=JOBS_PAUSE)
        except DeadlinePassed as passed:
            left = self.run("squeue", "--states=all", "--format=%i %u %a %j %T %r").out
            raise DeadlinePassed(f"{passed}\nwhat slurmctld knows:\n{left}") from None

    def sql(self, statement: str) -> str:
        """Return the database's answer: a line of column names, then rows, tab-separated."""
        return database.query(self._site, statement)

    def sql_load(self, table: str, path: Path, columns: Sequence[str] = ()) -> None:
        """Fill a table from a tab-separated file."""
        database.load(self._site, table, path, columns)

    def start_daemon(self, name: str) -> None:
        """Start it and return when it answers."""
        self._crew.start(name)

    def stop_daemon(self, name: str) -> None:
        """End it, kindly at first, and return when it is gone; a stopped one stays stopped."""
        self._crew.end(name)

    def restart_daemon(self, name: str) -> None:
        self._crew.end(name)
        self._crew.start(name)

    def kill_daemon(self, name: str) -> None:
        """End it as kill -9 does, and return when it is gone."""
        self._crew.kill(name)

    def freeze(self, name: str) -> None:
        """Stop its time: the kernel still accepts connections, and nobody answers."""
        self._crew.freeze(name)

    def thaw(self, name: str) -> None:
        self._crew.thaw(name)

    def stop(self) -> None:
        """End every daemon and job; what is in the directory stays for the next start."""
        try:
            if self.is_running:
                self._crew.end(*reversed([n for n in self.daemon_names if n not in ACCOUNTING]))
                if not self.options.accounting_of:
                    self._crew.end("slurmdbd")
                    self._crew.end("mariadbd")
        except NoKeeper:
            pass  # it is being killed, and takes the daemons along; the next line waits for that
        finally:
            self._end_keeper()

    def wipe(self) -> None:
        """End every daemon and job at once, and remove the directory."""
        self._end_keeper()
        for place in (short_directory(self.directory), self.directory):
            if place.exists():
                shutil.rmtree(place)

    def _boot(self) -> None:
        if not self.options.accounting_of:
            self._start_accounting()
        self._register_clusters()
        if self.options.with_controller:
            self._crew.start("slurmctld")
            self._crew.start(*self.options.node_names)

    def _start_accounting(self) -> None:
        if not database.is_made(self._site) and not database.make_from_template(self._site):
            self._make_database()
        self._crew.start("mariadbd", "munged")
        database.add_tres(self._site)
        self._crew.start("slurmdbd")

    def _make_database(self) -> None:
        """Make a database with Slurm's tables the slow way, and keep a copy for next time."""
        database.install(self._site)
        self._crew.start("mariadbd", "munged")
        database.create_account(self._site)
        self._crew.start("slurmdbd")
        self._crew.end("slurmdbd")
        self._crew.end("mariadbd", patience=START_DEADLINE)  # killed, it would leave a bad template
        database.keep_as_template(self._site)

    def _register_clusters(self) -> None:
        wanted = (self.options.name, *self.options.other_clusters)
        known = self.must("sacctmgr", "-nP", "list", "cluster", "format=cluster").split()
        if missing := [name for name in wanted if name not in known]:
            self.must("sacctmgr", "-i", "add", "cluster", ",".join(missing))

    def _jobs_are_over(self) -> bool:
        listing = self.must("squeue", "--noheader", "--states=all", "--format=%A %T")
        queue = [row.split() for row in listing.splitlines()]
        numbers = {number for number, _ in queue}
        if not UNFINISHED.isdisjoint(state for _, state in queue):
            return False
        if not self._are_accounted(numbers):
            return False
        # sacct shows a job in a time window only once it is known when it became eligible; for one
        # that never ran this may stay unknown.
        unfinished = "time_end = 0 or (tres_alloc <> '' and time_eligible = 0)"
        counted = self.sql(f"select count(*) from {self.options.name}_job_table where {unfinished}")
        return counted.split()[-1] == "0"

    def _are_accounted(self, jobs: Collection[str]) -> bool:
        """Whether the accounting has heard of them at all: it hears of a short one late."""
        if not jobs:
            return True
        table, numbers = f"{self.options.name}_job_table", ",".join(jobs)
        known = self.sql(f"select distinct id_job from {table} where id_job in ({numbers})")
        return len(known.split()[1:]) == len(jobs)

    @property
    def _talkative(self) -> tuple[str, ...]:
        """Those whose logs say why a command failed."""
        return tuple(name for name in self.daemon_names if name in ("slurmdbd", "slurmctld"))

    def _end_keeper(self) -> None:
        self._keeper.end(lambda: not self.is_running)
