"""Accounts of a login host are opened by keys, and by hosts that are known."""

import pytest

from waldur_slurm.operator.jobs.port import Refused
from waldur_slurm.operator.model.cluster import BySsh
from waldur_slurm.operator.model.slurm_job import SecretKey, Ssh
from waldur_slurm.operator.ways.accounts import Account, account_of, transport_to
from waldur_slurm.slurm.transports.ssh_master import KeyText

KEY = SecretKey("ann-ssh", "id")


def test_a_users_own_key_stays_in_memory() -> None:
    account = account_of(Ssh("ann", key=KEY), "-----BEGIN")
    assert account == Account("ann", KeyText("-----BEGIN"))
    assert "BEGIN" not in repr(account)


@pytest.mark.parametrize(
    ("ssh", "text", "words"),
    [
        (Ssh("ann", password=KEY), "", r"authorized_keys .* spec.ssh.key"),
        (Ssh("ann"), "", "names no key"),
        (Ssh("ann", key=KEY), " \n", "Secret ann-ssh has no private key as id"),
    ],
)
def test_what_opens_nothing_says_what_would(ssh: Ssh, text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        account_of(ssh, text)


@pytest.mark.parametrize("user", ["-oProxyCommand=x", "ann\nbob", ""])
def test_a_user_who_would_be_an_option_of_ssh_is_refused(user: str) -> None:
    host = BySsh("login1", 22, "/etc/ssh/ssh_known_hosts")
    with pytest.raises(Refused, match="no user name"):
        transport_to(host, Account(user, KeyText("k")))
