"""The table of options against the tools of a real Slurm: what it allows, they know."""

from collections.abc import Iterator

import pytest

from sandbox.slurm import Cluster
from tests.unit.hand.test_options import FLAGS, SAMPLES
from waldur_slurm.hand.options import SCANCEL, SCONTROL, UPDATED, built_argv

UNKNOWN = ("unrecognized option", "requires an argument", "doesn't allow an argument", "ambiguous")
ASKED = [name for name in (*SAMPLES, *FLAGS) if name != "export-file"]
"""The hand opens the file of that one itself (`acting/test_tools`)."""

UPDATES_NOT_YET = ("StdErr", "StdIn")
"""22.05 does not update these; what it says of them is a refusal like any other."""

CHANGED = {
    "Account": "root", "ArrayTaskThrottle": "2", "Comment": "a b", "Contiguous": "yes",
    "Deadline": "now+10days", "Dependency": "singleton", "ExcNodeList": "n2", "Features": "a",
    "JobName": "a b", "Licenses": "a:1", "MailType": "END", "MailUser": "root",
    "MinCPUsNode": "1", "MinMemoryCPU": "10", "MinMemoryNode": "20", "MinTmpDiskNode": "0",
    "Nice": "5", "NumCPUs": "1", "NumNodes": "1", "NumTasks": "1", "OverSubscribe": "no",
    "Partition": "main", "QOS": "normal", "ReqNodeList": "", "Requeue": "0",
    "ReservationName": "a", "StartTime": "now+10minutes", "StdErr": "e", "StdIn": "i",
    "StdOut": "o", "Switches": "1@10:00", "TimeLimit": "10", "TimeMin": "5", "WCKey": "k",
    "WorkDir": "/",
}  # fmt: skip


@pytest.fixture(scope="module")
def held(slurm_cluster: Cluster) -> Iterator[str]:
    """A job that waits."""
    slurm_cluster.run("sacctmgr", "-i", "add", "user", "root", "account=root")
    job = slurm_cluster.must(
        "sbatch", "--parsable", "--hold", "--chdir=/", "--mem=10", "--wrap=true"
    ).strip()
    yield job
    slurm_cluster.run("scancel", job)


@pytest.mark.parametrize("name", ASKED)
def test_sbatch_knows_every_option_and_reads_its_value(slurm_cluster: Cluster, name: str) -> None:
    for value in SAMPLES.get(name, (None,)):
        options = {name: value, "test-only": None} if name != "test-only" else {name: value}
        done = slurm_cluster.run(*built_argv("sbatch", options), "--wrap=true")

        assert not any(words in done.err for words in UNKNOWN), done.err
        assert "nvalid --" not in done.err, done.err


@pytest.mark.parametrize("name", [*SCANCEL])
def test_scancel_knows_every_option(slurm_cluster: Cluster, name: str) -> None:
    values = {"clusters": "lab", "signal": "TERM", "state": "PENDING"}

    done = slurm_cluster.run(*built_argv("scancel", {name: values.get(name)}, ("999999",)))

    assert not any(words in done.err for words in UNKNOWN), done.err


@pytest.mark.parametrize("name", [*SCONTROL])
def test_scontrol_knows_every_option(slurm_cluster: Cluster, held: str, name: str) -> None:
    values = {"clusters": "lab"}

    done = slurm_cluster.run(*built_argv("scontrol", {name: values.get(name)}, ("hold", held)))

    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("key", [*UPDATED])
def test_scontrol_knows_every_change(slurm_cluster: Cluster, held: str, key: str) -> None:
    change = f"{key}={CHANGED[key]}"

    done = slurm_cluster.run(*built_argv("scontrol", {}, ("update", f"JobId={held}", change)))

    is_unknown = "not supported" in done.out + done.err
    assert is_unknown == (key in UPDATES_NOT_YET), done.out + done.err
    assert "scontrol: error: Invalid" not in done.err
