"""Accounts of a login host: opened by keys, each job as its own user."""

import pytest

from tests.fakes.jobs import FakeJobs, FakeSlurmQueue
from waldur_slurm.operator.jobs.port import JobRef, Jobs, Refused, Unreached, Wanted
from waldur_slurm.operator.model.cluster import BySsh
from waldur_slurm.operator.model.slurm_job import SecretKey, Ssh
from waldur_slurm.operator.ways.accounts import Account, SshAccounts, account_of, transport_to
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


def two_accounts() -> tuple[FakeSlurmQueue, FakeSlurmQueue, SshAccounts]:
    """Each sees its own jobs alone, as where PrivateData hides those of others."""
    anns, bobs = FakeSlurmQueue(), FakeSlurmQueue()
    accounts: dict[str, Jobs] = {"ann": FakeJobs(anns), "bob": FakeJobs(bobs)}
    return anns, bobs, SshAccounts(accounts)


def test_a_job_goes_to_its_users_account_and_is_found_whoever_has_it() -> None:
    anns, bobs, jobs = two_accounts()
    ref = jobs.submit(Wanted("k", "m", "#!/bin/sh\n", "bob"))
    assert (len(anns.jobs), len(bobs.jobs)) == (0, 1)
    found = jobs.look_up(["m", "n"])
    assert ({*found.jobs}, {*found.absent}, {*found.unknown}) == ({"m"}, {"n"}, set())
    jobs.cancel(ref)
    assert bobs.jobs[0].state.base == "CANCELLED"


def test_absent_is_what_every_account_says() -> None:
    _, bobs, jobs = two_accounts()
    bobs.is_silent = True
    found = jobs.look_up(["m"])
    assert ({*found.absent}, {*found.unknown}, bool(found.said)) == (set(), {"m"}, True)


def test_one_that_is_found_is_known_though_another_account_is_silent() -> None:
    anns, bobs, jobs = two_accounts()
    bobs.is_silent = True
    anns.add(Wanted("k", "m", "#!/bin/sh\n", "ann"))
    found = jobs.look_up(["m"])
    assert ({*found.jobs}, {*found.unknown}) == ({"m"}, set())


def test_a_copy_of_a_mark_in_another_account_takes_nobody_his_job() -> None:
    anns, bobs, jobs = two_accounts()
    ref = jobs.submit(Wanted("k", "m", "#!/bin/sh\n", "ann"))
    bobs.add(Wanted("", "m", "#!/bin/sh\n", "bob"))
    assert jobs.look_up(["m"]).jobs["m"].ref == ref
    after_a_restart = SshAccounts({"ann": FakeJobs(anns), "bob": FakeJobs(bobs)})
    found = after_a_restart.look_up(["m"])
    assert ({*found.jobs}, {*found.absent}, {*found.unknown}) == (set(), set(), {"m"})
    assert found.said == "ann and bob have jobs with the mark m"


def test_without_an_account_nothing_is_done_and_nothing_is_absent() -> None:
    jobs = SshAccounts({})
    assert jobs.look_up(["m"]).unknown == frozenset({"m"})
    with pytest.raises(Unreached):
        jobs.submit(Wanted("k", "m", "", "ann"))
    with pytest.raises(Unreached):
        jobs.cancel(JobRef("1", None, "m", "ann"))
    with pytest.raises(Unreached):
        jobs.read_facts()
