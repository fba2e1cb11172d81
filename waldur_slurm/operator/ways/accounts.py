"""An account of a login host, and the way there.

A user's own key comes from a Secret. A password is refused: ssh takes one only of a terminal or of
a program that hands it over, and whatever that program is given others may come to see; a key need
never leave memory but for the moment in which a connection is made.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from waldur_slurm.errors import SettingsError
from waldur_slurm.operator.jobs.port import Refused
from waldur_slurm.operator.model.cluster import BySsh
from waldur_slurm.operator.model.slurm_job import Ssh
from waldur_slurm.operator.ways.settling import COMMAND
from waldur_slurm.slurm.transports.ssh import SshTransport
from waldur_slurm.slurm.transports.ssh_master import KeyFile, KeyText, KnownHosts

USE_A_KEY = (
    "spec.ssh.password is not used, as no password can be handed to ssh unseen: put the user's"
    " public key into ~/.ssh/authorized_keys of the login host, and name the private key's Secret"
    " in spec.ssh.key"
)
NO_KEY = "spec.ssh names no key: name the Secret that has the user's private key in spec.ssh.key"
PATIENCE = timedelta(seconds=10)
"""How long a login host may take to let somebody in."""

MOST_OUTPUT = 64 * 1024 * 1024
"""What one command may say: a list of a hundred thousand jobs, not all that a user makes up."""


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    key: KeyFile | KeyText


def account_of(ssh: Ssh, private_key: str) -> Account:
    """Return a SlurmJob's own account; raises `Refused`. The key is what its Secret holds."""
    if ssh.key is None:
        raise Refused(USE_A_KEY if ssh.password else NO_KEY)
    if not private_key.strip():
        raise Refused(f"Secret {ssh.key.name} has no private key as {ssh.key.key}")
    return Account(ssh.user, KeyText(private_key))


def transport_to(host: BySsh, account: Account) -> SshTransport:
    """Return the way to a login host that is known beforehand; raises `Refused`."""
    try:
        return SshTransport(
            host.host,
            user=account.user,
            port=host.port,
            host_keys=KnownHosts(Path(host.known_hosts)),
            key=account.key,
            timeout=COMMAND,
            patience=PATIENCE,
            most_output=MOST_OUTPUT,
        )
    except SettingsError as error:
        raise Refused(str(error)) from error
