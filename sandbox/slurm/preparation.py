"""What must be true before the first daemon starts: files written, ports claimed, keeper alive."""

import os
from pathlib import Path

from sandbox.slurm import configuration
from sandbox.slurm.cache import shim
from sandbox.slurm.daemons import missing_programs, user_name
from sandbox.slurm.errors import MissingPrograms, SandboxError
from sandbox.slurm.keeping import Keeper, try_lock
from sandbox.slurm.options import MOST_NODES, ClusterOptions
from sandbox.slurm.ports import claim_ports
from sandbox.slurm.site import RECORD, Site, control_socket, make_subdirectories

KEY_BYTES = 128


def keeper_lock(directory: Path) -> Path:
    """Name the file that a living keeper holds a lock on."""
    return directory / "run" / "keeper.lock"


def launch(directory: Path, options: ClusterOptions | None, *, owned: bool) -> tuple[Site, Keeper]:
    """Prepare the directory and start its keeper; the caller holds the directory's start lock."""
    if missing := missing_programs():
        raise MissingPrograms(missing)
    before = Site.read(directory) if (directory / RECORD).exists() else None
    chosen = options or (before.options if before else ClusterOptions())
    ports = claim_ports(MOST_NODES + 10, before.first_port if before else None)
    with ports.claim:
        site = Site(directory, ports.first, chosen)
        write_files(site)
        keeper = Keeper(control_socket(directory), site.output("keeper"))
        with keeper_lock(directory).open("a") as lock:
            if not try_lock(lock):
                raise SandboxError(f"{directory} is run by somebody else")
            hold = (ports.claim.fileno(), lock.fileno())
            keeper.launch(chosen.lifetime.total_seconds(), hold, owned=owned)
    return site, keeper


def write_files(site: Site) -> None:
    make_subdirectories(site)
    user = user_name()
    etc = site.directory / "etc"
    _write(etc / "slurm.conf", configuration.slurm_conf(site, user), 0o644)
    _write(etc / "gres.conf", configuration.gres_conf(site), 0o644)
    _write(etc / "slurmdbd.conf", configuration.slurmdbd_conf(site, user), 0o600)
    if not site.munge_key.exists():
        site.munge_key.touch(0o600)
        site.munge_key.write_bytes(os.urandom(KEY_BYTES))
    for number in range(site.options.gpus):
        (site.directory / "dev" / f"gpu{number}").touch()
    for name in ("nodelay", "loopback"):
        shim(name, site.library(name))
    site.record()


def _write(file: Path, text: str, mode: int) -> None:
    file.touch(mode)
    file.chmod(mode)
    file.write_text(text)
