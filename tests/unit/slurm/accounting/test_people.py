"""Default accounts: who has none is told from a listing that nobody filled."""

import pytest

from tests.fakes.transport import ScriptedTransport
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.names import ClusterName, UserName
from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.accounting.client import SlurmClient

ANN, BOB = UserName("ann"), UserName("bob")


def answered(out: str) -> SlurmClient:
    return SlurmClient(ScriptedTransport([Completed(0, out, "")]), cluster=ClusterName("lab"))


def test_who_has_no_default_account_is_left_out() -> None:
    client = answered("ann|physics|\nbob||\nroot|root|\n")

    assert client.read_default_accounts([ANN, BOB]) == {ANN: "physics"}


@pytest.mark.parametrize("out", ["", "ann|physics|\n"])
def test_a_listing_without_root_is_silence(out: str) -> None:
    with pytest.raises(AccountingDown, match="not even root"):
        answered(out).read_default_accounts([ANN])


def test_root_is_told_only_to_who_asks_for_it() -> None:
    root = UserName("root")

    assert answered("ann|physics|\nroot|root|\n").read_default_accounts([ANN]) == {ANN: "physics"}
    assert answered("root|root|\n").read_default_accounts([root]) == {root: "root"}
