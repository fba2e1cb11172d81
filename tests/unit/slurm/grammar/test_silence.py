"""What Slurm's words prove: silence, or an answer."""

import pytest

from waldur_slurm.processes.port import Completed
from waldur_slurm.slurm.grammar.evidence import is_silence


@pytest.mark.parametrize("name", ["hpc_12345_timeout", "hpc_1_slurm_persist_conn", "hpc_timeout-2"])
def test_a_name_that_a_customer_chose_is_not_taken_for_silence(name: str) -> None:
    words = (
        f" Error with request: Job(s) active, cancel job(s) before remove\n  JobID = 3 A = {name}"
    )

    assert not is_silence(Completed(1, "", words))


@pytest.mark.parametrize(
    "words",
    [
        "sacctmgr: error: Timeout waiting for slurmdbd",
        "Socket timed out on send/recv operation",
        "sacctmgr: error: slurm_persist_conn_open: connect",
    ],
)
def test_silence_is_still_heard(words: str) -> None:
    assert is_silence(Completed(1, "", words))
