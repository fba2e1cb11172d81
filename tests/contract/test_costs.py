"""How many processes each intent starts, whatever the number of accounts."""

import re
from collections.abc import Callable

import pytest

from tests.contract.site import RealSite
from tests.fakes.transport import RecordingTransport
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.client import SlurmClient

PARENT = re.compile(r"^Parent - '(.+)'$", re.MULTILINE)
CPU = TresName("cpu")


@pytest.fixture
def recording(native_22_05: RealSite) -> RecordingTransport:
    return RecordingTransport(native_22_05.transport)


def test_the_number_of_processes_does_not_grow_with_the_number_of_accounts(
    native_22_05: RealSite, recording: RecordingTransport, name: AccountName
) -> None:
    native_22_05.add_top(name)
    client = SlurmClient(recording)
    client.read_snapshot()  # which also learns, once, what the local cluster is called

    def processes(intent: Callable[[], object]) -> int:
        recording.calls.clear()
        intent()
        return len(recording.calls)

    accounts = [AccountName(f"{name}-{number}") for number in range(40)]
    users = [UserName(f"{name}u{number}") for number in range(5)]
    new = [NewAccount(account, name, "text", "o", {CPU: 5}) for account in accounts]
    members = dict.fromkeys(accounts, users)
    found = {
        "read_snapshot": processes(client.read_snapshot),
        "read_default_accounts": processes(lambda: client.read_default_accounts(users)),
        "add_accounts": processes(lambda: client.add_accounts(new)),
        "add_users": processes(lambda: client.add_users(members)),
        "add_users again": processes(lambda: client.add_users(members)),
        "set_limits": processes(lambda: client.set_limits(accounts[0], {CPU: 6})),
        "remove_users": processes(lambda: client.remove_users(accounts[0], users)),
        "read_snapshot again": processes(client.read_snapshot),
    }
    assert found == {
        "read_snapshot": 2,
        "read_default_accounts": 1,
        "add_accounts": 5,
        "add_users": 2,
        "add_users again": 1,
        "set_limits": 3,
        "remove_users": 4,
        "read_snapshot again": 2,
    }
    assert native_22_05.client.read_snapshot().accounts[accounts[-1]].users == frozenset(users)


def test_families_are_loaded_in_the_order_in_which_sacctmgr_lists_them(
    native_22_05: RealSite, recording: RecordingTransport, name: AccountName
) -> None:
    """For each family slurmdbd renumbers all that is behind it."""
    native_22_05.add_top(name)
    client = SlurmClient(recording)
    parents = {"": "mza", "a": "21", "z": "21", "m": "1"}
    new = [
        NewAccount(AccountName(f"{name}{parent}{child}"), AccountName(name + parent), "text", "o")
        for parent, children in parents.items()
        for child in children
    ]
    client.add_accounts(new)
    client.add_users({account.name: [UserName(f"{name}u")] for account in reversed(new)})

    rows = native_22_05.hand("-nP", "show", "assoc", "format=account,user")
    listed = [row.removesuffix("|") for row in rows.splitlines() if row.endswith("|")]
    loads = [call.stdin for call in recording.calls if call.stdin]
    assert len(loads) == 2
    for load in loads:
        families = PARENT.findall(load)
        assert len(families) >= 4
        assert families == [account for account in listed if account in families]
