"""What a site's own wrapper says around Slurm's answers neither hides nor forges one."""

import shlex
from pathlib import Path

import pytest

from sandbox.slurm.daemons import find_program
from tests.contract.site import PEOPLE, RealSite
from waldur_slurm.errors import AccountingDown
from waldur_slurm.model.accounts import NewAccount
from waldur_slurm.model.names import AccountName
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.accounting.port import Outcome
from waldur_slurm.slurm.grammar.commands import SLURM_TOOLS

ON_STDERR = "echo \"site wrapper: timeout of $$ s in force, no route to host 'old'\" >&2"
ON_STDOUT = "echo 'Maintenance on Friday: mind | the | gap'; echo"

pytestmark = pytest.mark.parametrize("words", [ON_STDERR, ON_STDOUT, f"{ON_STDERR}; {ON_STDOUT}"])


@pytest.fixture
def wrapped(native_22_05: RealSite, tmp_path: Path, words: str) -> SlurmClient:
    for tool in SLURM_TOOLS:
        real = shlex.quote(find_program(tool))
        script = tmp_path / tool
        script.write_text(f'#!/bin/sh\n{words}\nexec {real} "$@"\n')
        script.chmod(0o700)
    return SlurmClient(native_22_05.transport, bin_path=str(tmp_path))


def test_everything_is_read_as_without_the_wrapper(
    native_22_05: RealSite, wrapped: SlurmClient, name: AccountName
) -> None:
    bare = native_22_05.client
    native_22_05.add_top(name)
    bare.add_users({name: PEOPLE[:1]})
    assert wrapped.read_snapshot() == bare.read_snapshot()
    assert wrapped.read_default_accounts(PEOPLE) == bare.read_default_accounts(PEOPLE)
    assert wrapped.read_tres() == bare.read_tres()
    assert wrapped.read_configuration() == bare.read_configuration()
    assert wrapped.read_version() == bare.read_version()
    assert wrapped.read_queue([name]) == bare.read_queue([name]) == ()
    assert wrapped.read_suspended(["1"]) == bare.read_suspended(["1"])


def test_what_is_written_is_believed(
    native_22_05: RealSite, wrapped: SlurmClient, name: AccountName
) -> None:
    native_22_05.add_top(name)
    child = NewAccount(AccountName(f"{name}-a"), name, "", "")
    assert wrapped.add_accounts([child]) is Outcome.CHANGED
    assert wrapped.add_accounts([child]) is Outcome.ALREADY_SO


def test_a_slurmdbd_that_is_down_is_silence_still(
    native_22_05: RealSite, wrapped: SlurmClient, name: AccountName
) -> None:
    assert wrapped.read_snapshot().accounts
    with native_22_05.down():
        with pytest.raises(AccountingDown):
            wrapped.read_snapshot()
        with pytest.raises(AccountingDown):
            wrapped.read_default_accounts(PEOPLE)
