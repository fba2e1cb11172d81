"""What has just been read is not read again, and what came to be meanwhile is left as it is."""

import pytest

from tests.contract.site import PEOPLE, RealSite
from tests.fakes.transport import RecordingTransport
from waldur_slurm.errors import CommandFailed
from waldur_slurm.model.accounts import Account, NewAccount
from waldur_slurm.model.names import AccountName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.accounting.grammar import commands
from waldur_slurm.slurm.accounting.port import Outcome

ANN, BOB, _ = PEOPLE
CPU = TresName("cpu")
THEIRS = ("description=theirs", "organization=theirs", "grptresmins=cpu=7")


@pytest.fixture
def top(real: RealSite, name: AccountName) -> AccountName:
    real.add_top(name)
    return name


@pytest.fixture
def recording(real: RealSite) -> RecordingTransport:
    return RecordingTransport(real.transport)


@pytest.fixture
def client(recording: RecordingTransport) -> SlurmClient:
    client = SlurmClient(recording)
    client.read_snapshot()  # which also learns, once, what the local cluster is called
    recording.calls.clear()
    return client


def new_account(top: AccountName, suffix: str = "a") -> NewAccount:
    return NewAccount(AccountName(f"{top}-{suffix}"), top, "ours", "ours", {CPU: 5})


def made(real: RealSite, account: NewAccount) -> Account:
    return real.client.read_snapshot().accounts[account.name]


def look_at(client: SlurmClient, *accounts: NewAccount) -> None:
    names = [name for account in accounts for name in (account.name, account.parent)]
    client.read_part(names, lambda _: False)


def made_by_hand(real: RealSite, account: NewAccount) -> None:
    place = ("cluster=lab", f"parent={account.parent}")
    real.hand("add", "account", account.name, *place, *THEIRS)


def left_behind(real: RealSite, account: NewAccount) -> None:
    """A record without a place, as a removal from one of two clusters and then the other leaves."""
    made_by_hand(real, account)
    real.hand("add", "account", account.name, "cluster=other")
    for cluster in ("lab", "other"):
        real.hand("delete", "account", "where", f"name={account.name}", f"cluster={cluster}")


def test_after_a_look_an_account_with_its_people_is_two_writes_each_read_back_once(
    real: RealSite, recording: RecordingTransport, client: SlurmClient, top: AccountName
) -> None:
    new = new_account(top)
    look_at(client, new)
    recording.calls.clear()

    client.add_accounts([new])
    client.add_users({new.name: [ANN, BOB]})

    written = [call.argv == commands.obey_lines() for call in recording.calls]
    assert written == [True, False, False, True, False]
    found = made(real, new)
    assert (found.limits, found.description) == ({CPU: 5}, "ours")
    assert found.users == {ANN, BOB}


def test_an_account_that_somebody_made_since_the_look_stays_as_it_was_made(
    real: RealSite, client: SlurmClient, top: AccountName
) -> None:
    new = new_account(top)
    look_at(client, new)
    made_by_hand(real, new)
    before = real.inventory()

    with pytest.raises(CommandFailed):
        client.add_accounts([new])

    assert real.inventory() == before


def test_an_account_that_somebody_removed_since_the_look_is_no_parent(
    real: RealSite, client: SlurmClient, top: AccountName
) -> None:
    parent = new_account(top)
    made_by_hand(real, parent)
    new = new_account(parent.name)
    look_at(client, parent, new)
    real.hand("delete", "account", parent.name)

    with pytest.raises(CommandFailed):
        client.add_accounts([new])

    assert parent.name not in real.client.read_snapshot().accounts
    assert new.name not in real.client.read_snapshot().accounts


def test_before_a_load_which_would_change_what_is_there_all_is_read_again(
    real: RealSite, recording: RecordingTransport, top: AccountName
) -> None:
    client = SlurmClient(recording, few_lines=0)
    new, other = new_account(top), new_account(top, "b")
    look_at(client, new, other)
    made_by_hand(real, new)

    client.add_accounts([new, other])

    assert (made(real, new).description, made(real, new).limits) == ("theirs", {CPU: 7})
    assert made(real, other).description == "ours"


def test_text_that_was_left_behind_is_replaced_also_after_a_look(
    real: RealSite, client: SlurmClient, top: AccountName
) -> None:
    new = new_account(top)
    left_behind(real, new)
    look_at(client, new)

    client.add_accounts([new])

    assert (made(real, new).description, made(real, new).limits) == ("ours", {CPU: 5})


def test_where_text_to_be_replaced_makes_it_a_load_all_is_read_again(
    real: RealSite, recording: RecordingTransport, top: AccountName
) -> None:
    client = SlurmClient(recording, few_lines=1)
    new = new_account(top)
    left_behind(real, new)
    look_at(client, new)
    made_by_hand(real, new)

    assert client.add_accounts([new]) is Outcome.ALREADY_SO

    assert made(real, new).limits == {CPU: 7}


def test_somebody_who_has_come_since_an_account_was_made_keeps_his_own_limits(
    real: RealSite, client: SlurmClient, top: AccountName
) -> None:
    new = new_account(top)
    client.add_accounts([new])
    real.hand("add", "user", ANN, f"account={new.name}", "cluster=lab", "maxsubmitjobs=3")

    assert client.add_users({new.name: [ANN, BOB]}) is Outcome.CHANGED

    held = {each.user: each.max_submit_jobs for each in made(real, new).associations}
    assert held == {ANN: 3, BOB: None}


def test_who_was_in_an_account_when_it_was_made_is_believed_once(
    real: RealSite, recording: RecordingTransport, client: SlurmClient, top: AccountName
) -> None:
    new = new_account(top)
    client.add_accounts([new])
    client.add_users({new.name: [ANN]})
    recording.calls.clear()

    assert client.add_users({new.name: [ANN]}) is Outcome.ALREADY_SO

    assert [call.argv for call in recording.calls] == [
        commands.show_members(client.cluster, [new.name, AccountName("root")])
    ]
