"""`Jobs` of several accounts of one login host: each job as the user that it is of.

A user's own key comes from a Secret. A password is refused: ssh takes one only of a terminal or of
a program that hands it over, and whatever that program is given others may come to see; a key need
never leave memory but for the moment in which a connection is made.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from waldur_slurm.errors import SettingsError
from waldur_slurm.operator.jobs.port import (
    ClusterFacts,
    Found,
    JobRef,
    Jobs,
    Refused,
    Stream,
    Unreached,
    Wanted,
)
from waldur_slurm.operator.model.cluster import BySsh
from waldur_slurm.operator.model.slurm_job import Ssh
from waldur_slurm.operator.ways.settling import COMMAND
from waldur_slurm.operator.ways.together import of_everybody
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
        )
    except SettingsError as error:
        raise Refused(str(error)) from error


class SshAccounts:
    """`accounts` are by users' names; what is added to it counts from the next question on."""

    def __init__(self, accounts: Mapping[str, Jobs]) -> None:
        self._accounts = accounts
        self._owners: dict[str, str] = {}
        """Of marks that were handed in here; others may copy them."""

    def read_facts(self) -> ClusterFacts:
        """All see the same Slurm: the first that answers tells."""
        why = Unreached("no account of the login host is known")
        for jobs in self._accounts.values():
            try:
                return jobs.read_facts()
            except Unreached as error:
                why = error
        raise why

    def submit(self, wanted: Wanted) -> JobRef:
        self._owners[wanted.mark] = wanted.user
        return self._of(wanted.user).submit(wanted)

    def look_up(self, marks: Collection[str], since: datetime | None = None) -> Found:
        """Whose a mark is nobody says, so all are asked; they share nothing but Slurm."""
        asked = datetime.now(UTC)
        parts = {user: jobs.look_up(marks, since) for user, jobs in self._accounts.items()}
        if not parts:
            why = "no account of the login host is known"
            return Found(asked, {}, frozenset(), frozenset(marks), why)
        return of_everybody(parts, self._owners)

    def list_marked(self, prefix: str) -> Found:
        parts = {user: jobs.list_marked(prefix) for user, jobs in self._accounts.items()}
        if not parts:
            raise Unreached("no account of the login host is known")
        return of_everybody(parts, self._owners)

    def cancel(self, job: JobRef) -> None:
        self._of(job.user).cancel(job)

    def hold(self, job: JobRef) -> None:
        self._of(job.user).hold(job)

    def release(self, job: JobRef) -> None:
        self._of(job.user).release(job)

    def requeue_held(self, job: JobRef) -> None:
        self._of(job.user).requeue_held(job)

    def read_tail(self, job: JobRef, stream: Stream, size: int) -> bytes:
        return self._of(job.user).read_tail(job, stream, size)

    def make_token(self, job: JobRef, lifetime: timedelta) -> str:
        return self._of(job.user).make_token(job, lifetime)

    def _of(self, user: str) -> Jobs:
        """Whose key is missing has not been refused: it may come with the next Secret."""
        jobs = self._accounts.get(user)
        if jobs is None:
            raise Unreached(f"nothing opens the account {user or '(none)'} of the login host")
        return jobs
