"""A real RabbitMQ on loopback, with a node, a cookie, ports and directories of its own.

It ends with whoever started it, and so does its epmd; the machine's own broker is never met.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

from sandbox.slurm.daemons import find_program, listens
from sandbox.slurm.keeping import PATH, Keeper, wait_until
from sandbox.slurm.ports import claim_ports

NAME, NAMES_NAME = "rabbitmq", "epmd"
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's own; what is in the PATH becomes another user first, and writes below /var."""
PATIENCE_S = 90.0
USER, PASSWORD = "gateway", "secret-of-the-broker"
SEALED = "amq.fanout"
"""Every broker has this exchange; the user may neither write to it nor read from it.

Release 3.10 takes the setting of one for the other.
"""

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{plain}
{tls}
distribution.listener.interface = 127.0.0.1
distribution.listener.port_range.min = {distribution}
distribution.listener.port_range.max = {distribution}
default_user = {user}
default_pass = {password}
default_permissions.configure = .*
default_permissions.read = ^(?!{sealed}$).*
default_permissions.write = ^(?!{sealed}$).*
log.file = {directory}/rabbitmq.log
"""

TLS = """\
listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {certificate}
ssl_options.cacertfile = {certificate}
ssl_options.versions.1 = tlsv1.2
"""


@dataclass(frozen=True)
class Broker:
    """`port` speaks in the open, `tls_port` by TLS, where there is a certificate."""

    directory: Path
    port: int
    tls_port: int
    keeper: Keeper

    @property
    def pids(self) -> Mapping[str, int]:
        return self.keeper.pids()


def is_rabbitmq_here() -> bool:
    return PROGRAM.exists()


@contextmanager
def running_rabbitmq(
    directory: Path,
    *,
    certificate: Path | None = None,
    lifetime: timedelta = timedelta(minutes=30),
) -> Iterator[Broker]:
    """Run one in that empty directory; `certificate` is a PEM file that has its key as well."""
    block = claim_ports(4)
    plain, tls, distribution, names = range(block.first, block.first + 4)
    shown = TLS.format(port=tls, certificate=certificate) if certificate else ""
    (directory / "rabbitmq.conf").write_text(
        CONFIGURATION.format(
            plain=plain, tls=shown, distribution=distribution, user=USER, password=PASSWORD,
            sealed=SEALED, directory=directory,
        )
    )  # fmt: skip
    (directory / "plugins").write_text("[].\n")
    cookie = directory / ".erlang.cookie"
    cookie.write_text(token_hex(16))
    cookie.chmod(0o400)
    keeper = Keeper(directory / "control", directory / "keeper.log")
    broker = Broker(directory, plain, tls, keeper)
    environ = _environ(directory, names, distribution)
    with block.claim:
        keeper.launch(lifetime.total_seconds(), [block.claim.fileno()], owned=True)
        try:
            _start(broker, names, environ)
            yield broker
        finally:
            keeper.end(lambda: not listens(plain) and not listens(names))


def _start(broker: Broker, names: int, environ: dict[str, str]) -> None:
    """Start the register of names first: Erlang would leave one of its own behind."""
    log = broker.directory / "broker.out"
    epmd = [find_program("epmd"), "-port", str(names), "-address", "127.0.0.1"]
    broker.keeper.ask("spawn", name=NAMES_NAME, argv=epmd, environ=environ, output=str(log))
    wait_until(lambda: listens(names), PATIENCE_S, "epmd does not answer", [log])
    argv = [str(PROGRAM)]
    broker.keeper.ask("spawn", name=NAME, argv=argv, environ=environ, output=str(log))
    wait_until(lambda: _is_ready(broker), PATIENCE_S, "RabbitMQ does not answer", [log])


def _is_ready(broker: Broker) -> bool:
    return (
        listens(broker.port) and "completed with" in (broker.directory / "broker.out").read_text()
    )


def _environ(directory: Path, names: int, distribution: int) -> dict[str, str]:
    return {
        "PATH": PATH,
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"sandbox-{distribution}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "none.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "generated"),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_LOGS": str(directory / "rabbitmq.log"),
        "RABBITMQ_PID_FILE": str(directory / "broker.pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
    }
