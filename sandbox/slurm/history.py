"""Fill a cluster's accounting with an invented past: 200,000 jobs in seconds.

People and accounts are made, and removed again, by Slurm itself; jobs go straight into its tables.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol
from zlib import crc32
from zoneinfo import ZoneInfo

from sandbox.slurm.history_jobs import SUSPENDED, HistoryOptions, Job, invent
from sandbox.slurm.history_sums import Share, exact_sums

NO_VALUE = 0xFFFFFFFE

JOB_COLUMNS = (
    "job_db_inx",
    "account",
    "id_assoc",
    "id_job",
    "id_user",
    "id_array_job",
    "id_array_task",
    "het_job_id",
    "het_job_offset",
    "state",
    "time_submit",
    "time_eligible",
    "time_start",
    "time_end",
    "time_suspended",
    "tres_alloc",
    "tres_req",
    "nodes_alloc",
    "nodelist",
    "cpus_req",
    "job_name",
    "mod_time",
    "id_group",
    "id_resv",
    "id_wckey",
    "state_reason_prev",
    "`partition`",
    "priority",
)
PAUSE_COLUMNS = ("job_db_inx", "id_assoc", "time_start", "time_end")


class Database(Protocol):
    """The part of a cluster that a history needs."""

    def must(self, *argv: str, timeout: float = ...) -> str: ...

    def sql(self, statement: str) -> str: ...

    def sql_load(self, table: str, path: Path, columns: Sequence[str] = ()) -> None: ...


@dataclass(frozen=True)
class History:
    """What was put into a cluster's accounting, and what it comes to."""

    options: HistoryOptions
    jobs: tuple[Job, ...]

    def sums(self, zone: str, basis: str = "allocated") -> Mapping[Share, int]:
        return exact_sums(self.jobs, ZoneInfo(zone), self.options.end, basis=basis)

    def to_json(self) -> dict[str, object]:
        """What was made, and its sums: account, month, person and TRES to TRES-seconds."""
        sums = self.sums(self.options.zone)
        return {
            "options": asdict(self.options),
            "open_jobs": [job.number for job in self.open_jobs],
            "sums": [[*share, sums[share]] for share in sorted(sums)],
        }

    @property
    def open_jobs(self) -> tuple[Job, ...]:
        """Jobs without an end that a slurmctld would know."""
        return tuple(job for job in self.jobs if not job.end and not job.is_forgotten)


def fill(cluster: Database, name: str, options: HistoryOptions, *, other: str = "") -> History:
    """Make accounts and people, load the jobs, then let those go who have left.

    `other` names a second cluster of the same database, which gets some of the same jobs.
    """
    if options.accounts < 8 or options.users < 8 or options.jobs < 1 or options.months < 3:
        raise ValueError("a history needs 8 accounts, 8 users, 3 months and a job at least")
    history = History(options, tuple(invent(options)))
    for account_cluster in filter(None, (name, other)):
        _add_people(cluster, account_cluster, options)
    load_jobs(cluster, name, history.jobs)
    if other:
        load_jobs(cluster, other, history.jobs[::100])
    _remove_leavers(cluster, name, options)
    return history


def _add_people(cluster: Database, name: str, options: HistoryOptions) -> None:
    accounts = options.account_names()
    lines = [f"Cluster - '{name}'", "Parent - 'root'"]
    lines += [f"Account - '{account}'" for account in accounts]
    defaults: dict[str, str] = {}
    for account in accounts:
        lines.append(f"Parent - '{account}'")
        for user in options.members(account):
            default = defaults.setdefault(user, account)
            lines.append(f"User - '{user}':DefaultAccount='{default}'")
    with tempfile.NamedTemporaryFile("w", prefix="history-", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        cluster.must("sacctmgr", "-i", "load", file.name, timeout=300)


def _remove_leavers(cluster: Database, name: str, options: HistoryOptions) -> None:
    """Remove people from one account, people altogether, and whole accounts."""

    def remove(*argv: str) -> None:
        cluster.must("sacctmgr", "-i", "remove", *argv, timeout=60)

    here = f"cluster={name}"

    for account, user in options.leavers:
        remove("user", user, f"account={account}", here)
    remove("user", ",".join(sorted(options.gone_users)))
    for account in options.gone_accounts:
        others = sorted(set(options.members(account)) - options.gone_users)
        remove("user", ",".join(others), f"account={account}", here)
        remove("account", account, here)


def load_jobs(cluster: Database, name: str, jobs: Iterable[Job]) -> None:
    """Put jobs into the accounting; their accounts' people must have associations."""
    rows = _Rows(_associations(cluster, name), _tres_numbers(cluster), _next_row(cluster, name))
    with tempfile.TemporaryDirectory(prefix="history-") as directory:
        job_file, pause_file = Path(directory, "jobs"), Path(directory, "pauses")
        with (
            job_file.open("w", encoding="ascii") as job_rows,
            pause_file.open("w", encoding="ascii") as pause_rows,
        ):
            for job in jobs:
                rows.write(job, job_rows.write, pause_rows.write)
        cluster.sql_load(f"{name}_job_table", job_file, JOB_COLUMNS)
        cluster.sql_load(f"{name}_suspend_table", pause_file, PAUSE_COLUMNS)


def _answer(cluster: Database, statement: str) -> list[list[str]]:
    """Rows without the line of column names."""
    return [line.split("\t") for line in cluster.sql(statement).splitlines()[1:]]


def _associations(cluster: Database, name: str) -> Mapping[tuple[str, str], str]:
    statement = f"select acct, user, id_assoc from {name}_assoc_table"
    found = _answer(cluster, statement)
    return {(account, user): number for account, user, number in found}


def _tres_numbers(cluster: Database) -> Mapping[str, str]:
    found = _answer(cluster, "select type, name, id from tres_table where deleted = 0")
    return {f"{kind}/{name}" if name else kind: number for kind, name, number in found}


def _next_row(cluster: Database, name: str) -> int:
    statement = f"select ifnull(max(job_db_inx), 0) from {name}_job_table"
    ((last,),) = _answer(cluster, statement)
    return int(last) + 1


class _Rows:
    """Writes jobs as Slurm 22.05 stores them."""

    def __init__(
        self,
        associations: Mapping[tuple[str, str], str],
        tres_numbers: Mapping[str, str],
        first_row: int,
    ) -> None:
        self._associations = associations
        self._tres_numbers = tres_numbers
        self._row = first_row
        self._written = lru_cache(maxsize=None)(self._tres)

    def write(
        self, job: Job, write_job: Callable[[str], object], write_pause: Callable[[str], object]
    ) -> None:
        association = self._associations[job.account, job.user]
        array, task = job.array or (0, NO_VALUE)
        het, offset = job.het or (0, NO_VALUE)
        columns = (
            self._row,
            job.account,
            association,
            job.number,
            _user_number(job.user),
            array,
            task,
            het,
            offset,
            job.state,
            job.submit,
            job.submit,
            job.start,
            job.end,
            _suspended(job),
            self._written(tuple(job.shape.allocated.items())),
            self._written(tuple(job.shape.requested.items())),
            job.shape.allocated.get("node", 0),
            "n1",
            job.shape.requested["cpu"],
            "invented",
            job.end or job.start,
            *(100, 0, 0, 0),
            "main",
            0,
        )
        write_job("\t".join(map(str, columns)) + "\n")
        for start, end in job.pauses:
            write_pause(f"{self._row}\t{association}\t{start}\t{end}\n")
        self._row += 1

    def _tres(self, amounts: tuple[tuple[str, int], ...]) -> str:
        return ",".join(f"{self._tres_numbers[name]}={amount}" for name, amount in amounts)


def _user_number(user: str) -> int:
    """Some number; accounting goes by the association."""
    return 20_000 + crc32(user.encode()) % 20_000


def _suspended(job: Job) -> int:
    """Slurm's column: the time suspended; while suspended, since when less the time before."""
    over = sum(end - start for start, end in job.pauses if end)
    return job.pauses[-1][0] - over if job.state == SUSPENDED else over
