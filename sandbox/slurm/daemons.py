"""How each daemon is started, and how one knows that it answers. Order is that of their needs."""

import os
import pwd
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.slurm.errors import MissingPrograms, SandboxError
from sandbox.slurm.keeping import PATH
from sandbox.slurm.site import Site

PROGRAMS = (
    "mariadbd", "mariadb", "mariadb-install-db", "munged", "munge", "slurmdbd", "slurmctld",
    "slurmd", "sacctmgr", "scontrol", "sinfo", "sbatch", "cc", "setpriv",
)  # fmt: skip
ACCOUNTING = ("mariadbd", "munged", "slurmdbd")


@dataclass(frozen=True)
class Daemon:
    """A process in the foreground; `port` is where it listens, if on TCP."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str]
    port: int | None = None


def daemon(site: Site, name: str, environ: Mapping[str, str]) -> Daemon:
    """Return the daemon of that name; `environ` is what all of this cluster's daemons need."""
    if name in site.options.node_names:
        return Daemon(name, ("slurmd", "-D", "-N", name), environ, site.slurmd_port(name))
    match name:
        case "mariadbd":
            return Daemon(name, mariadbd_argv(site), environ, site.mariadb_port)
        case "munged":
            return Daemon(name, munged_argv(site), environ)
        case "slurmdbd":
            return Daemon(name, ("slurmdbd", "-D"), environ, site.slurmdbd_port)
        case "slurmctld":
            return Daemon(name, ("slurmctld", "-D", "-i"), environ, site.slurmctld_port)
        case _:
            raise SandboxError(f"no daemon {name!r} here: {', '.join(names(site))}")


def names(site: Site) -> tuple[str, ...]:
    accounting = () if site.options.accounting_of else ACCOUNTING
    if not site.options.with_controller:
        return accounting
    return (*accounting, "slurmctld", *site.options.node_names)


def mariadbd_argv(site: Site) -> tuple[str, ...]:
    return (
        "mariadbd",
        "--no-defaults",
        f"--user={user_name()}",
        f"--datadir={site.database}",
        f"--tmpdir={site.temporary}",  # a starting server empties it, whoever else uses it
        "--bind-address=127.0.0.1",
        f"--port={site.mariadb_port}",
        "--socket=mariadb.sock",  # relative to the data, so that a long path does not matter
        "--pid-file=mariadbd.pid",
        "--skip-name-resolve",
        "--skip-log-bin",
        "--performance-schema=OFF",
        "--local-infile=1",
        "--max-allowed-packet=64M",
        "--innodb-buffer-pool-size=512M",
        "--innodb-lock-wait-timeout=900",
        "--innodb-flush-log-at-trx-commit=2",  # survives kill -9, though not a power cut
        "--debug-no-sync",
    )


def munged_argv(site: Site) -> tuple[str, ...]:
    return (
        "munged",
        "--foreground",
        "--force",  # it dislikes directories that others may write, such as /tmp
        f"--socket={site.munge_socket}",
        f"--key-file={site.munge_key}",
        f"--log-file={site.log('munged')}",
        f"--pid-file={site.directory}/run/munged.pid",
        f"--seed-file={site.directory}/state/munge.seed",
        "--num-threads=4",
    )


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def speaks(port: int) -> bool:
    """Say whether a server greets us first, as MariaDB does when it takes queries."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return bool(connection.recv(1))
    except OSError:
        return False


def user_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def find_program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        raise MissingPrograms([name])
    return found


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


def faketime_library() -> Path:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise MissingPrograms(["libfaketime"])
    return found[0]
