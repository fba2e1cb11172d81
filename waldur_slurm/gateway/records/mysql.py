"""`Records` by slurmdbd's own database, read-only, where a site says that it is to be asked.

PyMySQL is an extra, imported where a connection is made. What the database says no with is told to
clients by its number alone: its words name hosts and users.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.errors import NotNow
from waldur_slurm.gateway.records.record import STATES, Belonging, Record, RecordsWanted
from waldur_slurm.model.names import AccountName, UserName

_TABLE = re.compile(r"[A-Za-z0-9_$-]{1,64}", re.ASCII)
_NO_LIMIT = 2**32 - 2
_BY_CPU = 2**63
_REQUEUED_WITHIN_S = 3600
_CONNECT_S, _READ_S, _AGAIN_S = 5, 60, 10.0

_JOBS = """\
SELECT j.id_job, j.id_user, coalesce(a.user, ''), j.id_assoc, j.job_name, j.cpus_req, j.mem_req,
    j.account, j.nodelist, j.`partition`, j.nodes_alloc, j.timelimit, j.time_submit, j.time_start,
    j.time_end, j.priority, j.state
FROM `{job}` j LEFT JOIN `{assoc}` a ON a.id_assoc = j.id_assoc
WHERE j.deleted = 0 AND NOT EXISTS (
    SELECT 1 FROM `{job}` later
    WHERE later.id_job = j.id_job AND later.id_assoc = j.id_assoc AND j.time_end > 0
        AND later.job_db_inx > j.job_db_inx
        AND later.time_submit BETWEEN j.time_submit AND j.time_end + {within}
){restricted}
ORDER BY j.time_submit DESC, j.id_job DESC LIMIT %s OFFSET %s"""
"""A run that was followed by another of the same job is not shown: the last one is."""

_BELONGINGS = """\
SELECT id_assoc, user, acct, `partition` FROM `{assoc}` WHERE user <> '' ORDER BY id_assoc"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the database is, and what its tables are called."""

    host: str
    port: int
    user: str
    password: str
    name: str
    assoc: str
    job: str


def source_of(url: str, cluster: str) -> Source:
    """Read `mysql://USER:PASSWORD@HOST/NAME?assoc=TABLE&job=TABLE`; tables are the cluster's."""
    parts = urlsplit(url)
    tables = parse_qs(parts.query)
    found = Source(
        host=parts.hostname or "",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        name=unquote(parts.path[1:]),
        assoc=tables.get("assoc", [f"{cluster}_assoc_table"])[0],
        job=tables.get("job", [f"{cluster}_job_table"])[0],
    )
    if not all(map(_TABLE.fullmatch, (found.assoc, found.job))):
        raise SettingsError(["GATEWAY_ACCOUNTING_DATABASE: assoc and job are names of tables"])
    return found


class MysqlRecords:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._driver = _driver()

    def read_jobs(self, wanted: RecordsWanted) -> Sequence[Record]:
        if not wanted.limit or wanted.owners == frozenset():
            return ()
        restrictions = [*_restrictions(wanted)]
        query = _JOBS.format(
            job=self._source.job,
            assoc=self._source.assoc,
            within=_REQUEUED_WITHIN_S,
            restricted="".join(f" AND {text}" for text, _ in restrictions),
        )
        values = [value for _, some in restrictions for value in some]
        rows = self._read(query, [*values, wanted.limit, wanted.offset])
        return tuple(_record(*row) for row in rows)

    def read_belongings(self) -> Sequence[Belonging]:
        rows = self._read(_BELONGINGS.format(assoc=self._source.assoc), [])
        return tuple(
            Belonging(number, UserName(user), AccountName(account), partition)
            for number, user, account, partition in rows
        )

    def _read(self, query: str, values: Sequence[object]) -> Sequence[tuple[Any, ...]]:
        with self._connected() as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return rows

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        source = self._source
        try:
            connection = self._driver.connect(
                host=source.host,
                port=source.port,
                user=source.user,
                password=source.password,
                database=source.name,
                charset="utf8mb4",
                connect_timeout=_CONNECT_S,
                read_timeout=_READ_S,
                write_timeout=_CONNECT_S,
                init_command="SET SESSION TRANSACTION READ ONLY",
            )
            try:
                yield connection
            finally:
                connection.close()
        except self._driver.MySQLError as error:
            number = error.args[0] if error.args else "unknown"
            words = f"the accounting's database does not answer: MySQL's error {number}"
            raise NotNow(words, _AGAIN_S) from error


def _driver() -> Any:
    try:
        return import_module("pymysql")
    except ImportError:
        raise SettingsError(
            [
                "GATEWAY_ACCOUNTING_DATABASE needs PyMySQL:"
                " pip install 'waldur-slurm-agent[gateway,mysql]'"
            ]
        ) from None


Restriction = tuple[str, Sequence[object]]


def _restrictions(wanted: RecordsWanted) -> Iterator[Restriction]:
    """Names of owners are told apart by case, as Unix does and the database does not."""
    numbers = {word: number for number, word in STATES.items()}
    state = None if wanted.state is None else numbers.get(wanted.state, -1)
    equal = {
        "a.user = %s": wanted.user,
        "j.`partition` = %s": wanted.partition,
        "j.job_name = %s": wanted.name,
        "j.id_assoc = %s": wanted.association,
        "j.state = %s": state,
        "j.id_job >= %s": wanted.numbers.least,
        "j.id_job <= %s": wanted.numbers.most,
    }
    yield from ((text, [value]) for text, value in equal.items() if value is not None)
    if wanted.owners is not None:
        yield f"BINARY a.user IN ({_places(wanted.owners)})", sorted(wanted.owners)
    if wanted.hidden:
        yield f"j.`partition` NOT IN ({_places(wanted.hidden)})", sorted(wanted.hidden)


def _places(values: frozenset[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _record(
    number: int,
    uid: int,
    user: str,
    association: int,
    name: str,
    cpus: int,
    memory: int,
    account: str,
    hosts: str,
    partition: str,
    nodes: int,
    limit: int,
    submitted: int,
    start: int,
    end: int,
    priority: int,
    state: int,
) -> Record:
    made = Record(
        number=number,
        uid=uid,
        user=UserName(user),
        association=association,
        name=name,
        cpus=cpus,
        memory_mib=memory,
        account=AccountName(account or ""),
        hosts="" if hosts in (None, "None assigned", "(null)") else hosts,
        partition=partition,
        node_count=nodes,
        limit_minutes=None if limit >= _NO_LIMIT else limit,
        submitted=datetime.fromtimestamp(submitted, UTC),
        start=_moment(start),
        end=_moment(end),
        priority=priority,
        state=STATES.get(state & 0xFF, f"STATE_{state}"),
    )
    if memory < _BY_CPU:
        return made
    return replace(made, memory_mib=(memory - _BY_CPU) * cpus // max(nodes, 1))


def _moment(second: int) -> datetime | None:
    return datetime.fromtimestamp(second, UTC) if second else None
