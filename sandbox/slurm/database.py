"""The private MariaDB: a data directory from a cached template, and queries as its root."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sandbox.slurm.cache import CACHE, cached
from sandbox.slurm.commands import run_command
from sandbox.slurm.configuration import DATABASE, DATABASE_USER
from sandbox.slurm.daemons import find_program, user_name
from sandbox.slurm.environment import client_environ
from sandbox.slurm.errors import SandboxError
from sandbox.slurm.site import Site

INSTALL_DEADLINE = 120.0
QUERY_DEADLINE = 900.0


def template_name(site: Site) -> str:
    """Name the template after all that it depends on."""
    said = [
        run_command(argv, client_environ(site), timeout=10).out
        for argv in (("sacctmgr", "-V"), ("mariadb", "--version"))
    ]
    versions = [re.findall(r"\d+\.\d+\.\d+", text)[-1] for text in said]
    return f"database-slurm-{versions[0]}-mariadb-{versions[1]}-{user_name()}"


def is_made(site: Site) -> bool:
    """Say whether the data directory is complete; who made it may have been killed half-way."""
    return site.database_mark.exists()


def make_from_template(site: Site) -> bool:
    """Copy the cached template, if there is one, and say so."""
    shutil.rmtree(site.database)
    site.database.mkdir(0o700)
    template = CACHE / template_name(site)
    if not template.is_dir():
        return False
    _copy(template, site.database)
    site.database_mark.touch()
    return True


def keep_as_template(site: Site) -> None:
    """Put a copy of the data into the cache; the database must have been shut down cleanly."""
    cached(template_name(site), lambda place: _copy(site.database, place))
    site.database_mark.touch()


def _copy(source: Path, destination: Path) -> None:
    argv = (find_program("cp"), "-a", "--sparse=always", f"{source}/.", str(destination))
    subprocess.run(argv, check=True)


def install(site: Site) -> None:
    made = run_command(
        (
            "mariadb-install-db",
            "--no-defaults",
            f"--user={user_name()}",
            f"--datadir={site.database}",
            f"--tmpdir={site.temporary}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ),
        client_environ(site),
        timeout=INSTALL_DEADLINE,
    )
    if made.code:
        raise SandboxError(f"mariadb-install-db failed:\n{made.out}{made.err}")


def create_account(site: Site) -> None:
    query(
        site,
        f"create database {DATABASE};"
        f"create user {DATABASE_USER}@'127.0.0.1' identified by '{DATABASE_USER}';"
        f"grant all on {DATABASE}.* to {DATABASE_USER}@'127.0.0.1'",
        database="mysql",
    )


def add_tres(site: Site) -> None:
    """Make the tracked TRES, as slurmctld would when it registers.

    So they exist, with the same numbers, in a cluster without a controller too. slurmdbd reads
    them when it starts.
    """
    rows = [
        f"(unix_timestamp(), '{kind}', '{name}')"
        for kind, _, name in (tres.partition("/") for tres in site.options.tres)
        if name
    ]
    if rows:
        values = ", ".join(rows)
        query(site, f"insert ignore into tres_table (creation_time, type, name) values {values}")


def query(site: Site, statement: str, *, database: str = DATABASE) -> str:
    """Return what the database answers: a line of column names, then rows, tab-separated."""
    argv = (
        "mariadb",
        "--no-defaults",
        "--host=127.0.0.1",
        f"--port={site.mariadb_port}",
        "--user=root",
        "--batch",
        "--local-infile=1",
        f"--execute={statement}",
        database,
    )
    done = run_command(argv, client_environ(site), timeout=QUERY_DEADLINE)
    if done.code:
        raise SandboxError(f"{statement[:200]}: {done.err.strip()}")
    return done.out


def load(site: Site, table: str, file: Path, columns: Sequence[str]) -> None:
    """Fill a table from a tab-separated file, as fast as MariaDB can."""
    named = f" ({', '.join(columns)})" if columns else ""
    query(
        site,
        "set foreign_key_checks = 0, unique_checks = 0;"
        f"load data local infile '{file}' into table {table} character set utf8mb4{named}",
    )
