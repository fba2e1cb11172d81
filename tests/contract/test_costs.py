"""How many processes each intent starts, whatever the number of accounts."""

from collections.abc import Callable

import pytest

from tests.contract.site import RealSite
from tests.fakes.transport import RecordingTransport
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.client import SlurmClient

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
        "add_accounts": processes(lambda: client.add_accounts(new)),
        "add_users": processes(lambda: client.add_users(members)),
        "add_users again": processes(lambda: client.add_users(members)),
        "set_limits": processes(lambda: client.set_limits(accounts[0], {CPU: 6})),
        "remove_users": processes(lambda: client.remove_users(accounts[0], users)),
        "read_snapshot again": processes(client.read_snapshot),
    }
    assert found == {
        "read_snapshot": 3,
        "add_accounts": 5,
        "add_users": 3,
        "add_users again": 1,
        "set_limits": 3,
        "remove_users": 4,
        "read_snapshot again": 3,
    }
    assert native_22_05.client.read_snapshot().accounts[accounts[-1]].users == frozenset(users)
