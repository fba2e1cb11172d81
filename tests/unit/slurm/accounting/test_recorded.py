"""What real Slurm said, of each release that was recorded, is understood as it was meant.

`tests/recorded/record.py` wrote the calls and says how the site was furnished.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.transport import read_calls, replay
from tests.places import RECORDED
from waldur_slurm.errors import AccountingDown, CommandFailed
from waldur_slurm.model.accounts import Account, Association
from waldur_slurm.model.jobs import JobRecord
from waldur_slurm.model.names import AccountName, UserName
from waldur_slurm.model.period import Window
from waldur_slurm.model.tres import TresName
from waldur_slurm.slurm.accounting.client import SlurmClient
from waldur_slurm.slurm.tools import Tools

RELEASES = sorted(folder for folder in RECORDED.iterdir() if (folder / "snapshot.json").exists())
PHYSICS, CHEMISTRY = AccountName("physics"), AccountName("chemistry")
ANN, BOB, EVE = map(UserName, ("wsat-ann", "wsat-bob", "wsat-eve"))
CPU = TresName("cpu")


@pytest.fixture(params=RELEASES, ids=lambda folder: folder.name)
def release(request: pytest.FixtureRequest) -> Path:
    found = request.param
    assert isinstance(found, Path)
    return found


def replayed(release: Path, scene: str) -> SlurmClient:
    return SlurmClient(replay(release / f"{scene}.json"))


def test_the_releases_of_debian_are_recorded() -> None:
    assert [folder.name for folder in RELEASES] == ["22.05.8", "24.11.5", "26.05.5"]


def test_a_furnished_site_is_read_in_full(release: Path) -> None:
    found = replayed(release, "snapshot").read_snapshot()
    assert sorted(found.accounts) == [
        "chemistry", "elsewhere", "full", "physics", "pi|pe", "root", "waldur",
    ]  # fmt: skip
    assert found.accounts[PHYSICS] == Account(
        name=PHYSICS,
        description="waldur resource=0123456789abcdef0123456789abcdef physics",
        organization="hpc",
        parent=AccountName("waldur"),
        limits={CPU: 60000},
        fairshare="5",
        associations=(
            Association(ANN),
            Association(BOB),
            Association(EVE, partition="main"),
        ),
    )
    assert found.accounts[CHEMISTRY].limits == {"mem": 1573376}
    assert found.accounts[CHEMISTRY].associations == (Association(ANN),)


def test_limits_holds_and_qos_of_every_kind_are_read(release: Path) -> None:
    full = replayed(release, "snapshot").read_snapshot().accounts[AccountName("full")]
    assert full.limits == {
        "billing": 7, "cpu": 100000, "energy": 5000000000,
        "gres/gpu": 6000, "mem": 1500000, "node": 9,
    }  # fmt: skip
    assert (full.grp_jobs, full.grp_submit_jobs, full.fairshare) == (0, 0, "parent")
    assert (set(full.qos), full.default_qos) == ({"high", "low"}, "low")
    assert full.associations == (
        Association(UserName("ghost"), max_submit_jobs=0, limits={CPU: 500}),
    )


def test_hostile_names_and_texts_shift_nothing(release: Path) -> None:
    accounts = replayed(release, "snapshot").read_snapshot().accounts
    assert accounts[AccountName("full")].description == "one | two\nthree"
    odd = accounts[AccountName("pi|pe")]
    assert (odd.parent, odd.organization, odd.description) == ("root", "o", "a | b")


def test_what_is_only_in_another_cluster_has_no_place_here(release: Path) -> None:
    found = replayed(release, "snapshot").read_snapshot()
    assert found.accounts[AccountName("elsewhere")].parent is None


def test_the_default_accounts_of_this_cluster_are_read(release: Path) -> None:
    ghost = UserName("ghost")
    everybody = [ANN, BOB, EVE, ghost, UserName("stranger")]
    assert replayed(release, "default-accounts").read_default_accounts(everybody) == {
        ANN: CHEMISTRY, BOB: PHYSICS, EVE: PHYSICS, ghost: AccountName("full"),
    }  # fmt: skip


def test_records_and_queue_are_read(release: Path) -> None:
    client = replayed(release, "jobs")
    hour = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    records = [r for r in client.read_job_records(hour) if isinstance(r, JobRecord)]
    by_id = {(record.id, record.state): record for record in records}
    first = by_id["1", "SUSPENDED"]
    assert first.allocated == {"billing": 8, "cpu": 4, "gres/gpu": 2, "mem": 10, "node": 1}
    assert (first.account, first.user, first.is_suspended) == (PHYSICS, ANN, True)
    assert by_id["2_1", "REQUEUED"].seconds > 0
    (failed,) = [record for record in records if record.state == "FAILED"]
    assert failed.allocated == {}
    assert failed.requested[TresName("gres/gpu")] == 99
    # Waiting tasks of an array take numbers of their own when they start, early or late.
    leader = next(record.id for record in records if record.id.endswith("+0")).removesuffix("+0")
    assert {f"{leader}+0", f"{leader}+1", "2_2"} <= {r.id for r in records if r.is_open}
    queue = {job.id: job for job in client.read_queue([PHYSICS, CHEMISTRY])}
    assert queue["3"].is_pending
    assert queue["2_[1,4-9]"].is_pending
    assert queue[f"{leader}+1"].user == BOB
    assert queue["1"].run == first.run


def test_an_honest_jobs_suspension_is_read_and_a_forgers_is_not(release: Path) -> None:
    client = replayed(release, "jobs")
    always = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    records = [r for r in client.read_job_records(always) if isinstance(r, JobRecord)]
    honest, forger = sorted((r for r in records if r.is_suspended), key=lambda each: each.user)
    ((run, since),) = client.read_suspended([honest.id, forger.id]).items()
    assert run == honest.run
    assert honest.start is not None
    assert honest.start <= since < honest.start + timedelta(seconds=30)


def test_versions_tres_configuration_and_users_are_read(release: Path) -> None:
    assert replayed(release, "version").read_version() == release.name
    assert {"cpu", "mem", "gres/gpu", "fs/disk"} <= replayed(release, "tres").read_tres()
    configuration = replayed(release, "configuration").read_configuration()
    assert configuration["PriorityUsageResetPeriod"] == "MONTHLY"
    assert configuration["AuthAltTypes"] == ""
    nobody = UserName("wsat-no")
    missing = replayed(release, "unix-users").read_missing_unix_users([ANN, nobody])
    assert missing == {nobody}


@pytest.mark.parametrize("daemon", ["slurmdbd", "mariadbd", "slurmctld"])
def test_every_failure_without_a_daemon_is_silence(release: Path, daemon: str) -> None:
    calls = [c for c in read_calls(release / f"without-{daemon}.json") if c.completed.code]
    assert calls
    for call in calls:
        with pytest.raises(AccountingDown):
            Tools(replay(release / f"without-{daemon}.json")).believe(call.argv, call.completed)


def test_every_refusal_is_told_from_silence(release: Path) -> None:
    calls = [c for c in read_calls(release / "refused.json") if c.completed.code]
    assert len(calls) >= 6
    for call in calls:
        line = Tools(replay(release / "refused.json"))
        with pytest.raises(CommandFailed) as refused:
            line.believe(call.argv, call.completed)
        assert not refused.value.transient
