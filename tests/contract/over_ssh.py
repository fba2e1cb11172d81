"""A transport to a test's own sshd, and what it says where it is not let in."""

from contextlib import closing
from datetime import timedelta

import pytest

from sandbox.slurm.daemons import user_name
from sandbox.ssh import SshServer
from waldur_slurm.errors import TransportError
from waldur_slurm.slurm.transports.ssh import SshTransport
from waldur_slurm.slurm.transports.ssh_master import HostKey, KeyFile, KeyText, KnownHosts

HERE = "127.0.0.1"


def over_ssh(
    server: SshServer,
    *,
    host_keys: KnownHosts | HostKey | None = None,
    key: KeyFile | KeyText | None = None,
    patience: timedelta = timedelta(seconds=10),
) -> SshTransport:
    return SshTransport(
        HERE,
        user=user_name(),
        port=server.port,
        host_keys=host_keys or KnownHosts(server.known_hosts),
        key=key or KeyFile(server.user_key),
        patience=patience,
    )


def refusal(transport: SshTransport) -> str:
    with closing(transport), pytest.raises(TransportError) as failed:
        transport.run(("true",))
    return str(failed.value)
