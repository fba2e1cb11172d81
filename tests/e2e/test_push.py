"""Push against a real Slurm and a served Waldur in its three dialects."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.push_site import GPU_MINUTES, HOUR, NOON, PushSite
from tests.fakes.makers import component
from tests.fixtures_slurm import NewCluster
from tests.fixtures_waldur import DIALECT_NAMES, StartWaldur
from waldur_slurm.agent.model.components import AccountingType
from waldur_slurm.agent.model.marketplace import OrderUuid
from waldur_slurm.agent.push.plan.findings import RefusalKind
from waldur_slurm.agent.push.plan.policy import Consent
from waldur_slurm.errors import SlurmError
from waldur_slurm.model.names import UserName
from waldur_slurm.model.tres import tres_name

ANN, BOB = "wsat-ann", "wsat-bob"
JUNE = "2026-06"


@pytest.fixture(scope="module")
def cluster(new_slurm_cluster: NewCluster) -> Iterator[Cluster]:
    with new_slurm_cluster(ClusterOptions(nodes=1)) as cluster:
        yield cluster


@pytest.fixture(params=DIALECT_NAMES)
def site(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
) -> PushSite:
    return PushSite(cluster, start_waldur(request.param, allocation_delay=0.0), tmp_path)


def test_usage_users_limits_and_people_arrive_and_then_nothing_more(site: PushSite) -> None:
    resource, account = site.allocate(ANN, BOB, gpu=5)
    idle, _ = site.allocate(ANN, gpu=7)
    site.held_job(account, ANN, NOON - 30 * HOUR, NOON - 3 * HOUR, cpu=4, mem=8192, gpu=2)
    site.held_job(account, BOB, NOON - 5 * HOUR, NOON - HOUR, cpu=2)
    site.slurm().set_limits(account, {tres_name("gres/gpu"): 9 * GPU_MINUTES})

    report = site.cycle().run()

    known = site.known(account, JUNE)
    assert report.failures == ()
    assert site.usage(resource, JUNE) == {
        "cpu": Decimal("116.00"),
        "mem": Decimal("220.00"),
        "gpu": Decimal("54.00"),
    }
    assert site.user_usage(resource, JUNE) == known
    assert site.usage(idle, JUNE) == {}
    assert site.limits(resource) == {"gpu": 9}
    if site.waldur.dialect != "today":
        assert site.waldur.associations(resource) == [ANN, BOB]
    site.told()

    again = site.cycle().run()

    assert again.is_idle
    assert site.told() == []


@pytest.mark.parametrize("daemon", ["slurmdbd", "mariadbd", "munged", "slurmctld"])
@pytest.mark.parametrize("trouble", ["stopped", "frozen"])
def test_while_slurm_is_silent_nothing_is_told_and_the_next_cycle_is_right(
    cluster: Cluster,
    slurm_users: tuple[str, ...],
    start_waldur: StartWaldur,
    tmp_path: Path,
    daemon: str,
    trouble: str,
) -> None:
    site = PushSite(cluster, start_waldur("today"), tmp_path)
    resource, account = site.allocate(ANN, gpu=5)
    site.held_job(account, ANN, NOON - 3 * HOUR, NOON - HOUR)
    site.told()
    (cluster.stop_daemon if trouble == "stopped" else cluster.freeze)(daemon)
    try:
        with pytest.raises(SlurmError):
            site.cycle(timeout=timedelta(seconds=3)).run()
        assert site.told() == []
    finally:
        (cluster.start_daemon if trouble == "stopped" else cluster.thaw)(daemon)

    site.cycle().run()

    assert site.usage(resource, JUNE)["cpu"] == Decimal("2.00")


def test_a_clock_that_was_stepped_tells_nothing(site: PushSite) -> None:
    _, account = site.allocate(ANN, gpu=5)
    site.held_job(account, ANN, NOON - 3 * HOUR, NOON - HOUR)
    site.told()
    cycle = site.cycle()
    cycle.clock = lambda: site.now() + 5 * HOUR

    with pytest.raises(Exception, match="clock"):
        cycle.run()

    assert site.told() == []


def test_an_account_that_is_gone_is_erred_and_one_that_is_back_is_well(site: PushSite) -> None:
    resource, account = site.allocate(ANN, gpu=5)
    others = [site.allocate(ANN, gpu=5) for _ in range(2)]
    site.held_job(account, ANN, NOON - 3 * HOUR, NOON - HOUR)
    site.slurm().remove_users(account, [ANN])  # type: ignore[list-item]  # a plain name will do
    site.slurm().remove_accounts([account])

    site.cycle().run()

    assert site.usage(resource, JUNE)["cpu"] == Decimal("2.00")
    assert site.waldur.resource(resource)["state"] == "Erred"
    assert {site.waldur.resource(other)["state"] for other, _ in others} == {"OK"}
    site.told()

    site.cycle().run()

    assert site.told() == []


def test_a_stranger_counts_in_the_total_and_is_told_by_name_to_nobody(site: PushSite) -> None:
    """Also not to a Waldur that takes any name."""
    resource, account = site.allocate(ANN, gpu=5)
    site.slurm().add_users({account: [UserName(BOB)]})
    site.held_job(account, ANN, NOON - 3 * HOUR, NOON - HOUR)
    site.held_job(account, BOB, NOON - 3 * HOUR, NOON - HOUR)

    report = site.cycle().run()

    assert site.usage(resource, JUNE)["cpu"] == Decimal("4.00")
    assert site.user_usage(resource, JUNE)["cpu"] == {ANN: Decimal("2.00")}
    assert [(each.account, each.user) for each in report.unlisted] == [(account, BOB)]
    assert report.standing.usage_of_unknown_users == 1
    assert site.cycle().plan().steps == ()


def test_what_a_failed_update_left_erred_is_told_and_ok_at_a_persons_word(site: PushSite) -> None:
    resource, account = site.allocate(ANN, gpu=5)
    site.held_job(account, ANN, NOON - 3 * HOUR, NOON - HOUR)
    order = OrderUuid(site.waldur.order_update(resource, {"gpu": 6}).uuid)
    agent = site.marketplace()
    agent.approve_order(order)
    agent.tell_order_erred(order, "no such limit")

    report = site.cycle().run()

    assert [refusal.kind for refusal in report.refusals] == [RefusalKind.ERRED]
    assert report.standing.erred_resources == 1
    assert site.usage(resource, JUNE) == {}

    site.cycle().run(Consent(repair_erred=True))
    report = site.cycle().run()

    assert site.waldur.resource(resource)["state"] == "OK"
    assert report.standing.erred_resources == 0
    assert site.usage(resource, JUNE)["cpu"] == Decimal("2.00")


def test_who_is_in_one_partition_only_is_told_to_nobody(site: PushSite) -> None:
    resource, account = site.allocate(ANN, gpu=5)
    where = (f"account={account}", "cluster=lab", "partition=main")
    site.cluster.must("sacctmgr", "-i", "add", "user", BOB, *where)

    site.cycle().run()

    if site.waldur.dialect != "today":
        assert site.waldur.associations(resource) == [ANN]
    assert site.cycle().plan().steps == ()


def test_later_in_the_day_a_cycle_costs_five_processes_and_one_page_of_each_list(
    cluster: Cluster, slurm_users: tuple[str, ...], start_waldur: StartWaldur, tmp_path: Path
) -> None:
    site = PushSite(cluster, start_waldur("today"), tmp_path)
    for _ in range(3):
        _, account = site.allocate(ANN, gpu=5)
        for day in range(16):
            start = NOON - timedelta(days=day, hours=3)
            site.held_job(account, ANN, start, start + HOUR)
    cycle = site.cycle()
    cycle.run()
    site.move_to(NOON + HOUR)
    site.commands.clear()
    site.told()

    cycle.run()

    assert len(site.commands) <= 5, site.commands
    assert [argv[0] for argv in site.commands].count("sacct") <= 2
    paths = [request.path for request in site.waldur.requests()]
    assert len(paths) <= 9, paths
    assert paths.count("marketplace-component-usages/") == 1, "the month's usages were read again"


def test_a_real_job_that_is_suspended_holds_nothing_meanwhile(
    cluster: Cluster, slurm_users: tuple[str, ...], start_waldur: StartWaldur, tmp_path: Path
) -> None:
    sold = (component("cpu", AccountingType.USAGE, factor=Decimal("0.01")),)
    site = PushSite(cluster, start_waldur("today"), tmp_path, datetime.now(UTC), components=sold)
    resource, account = site.allocate(ANN, gpu=6000)
    number = cluster.submit(ANN, account, "sleep 600", "--time=60")
    eventually(lambda: "RUNNING" in cluster.must("squeue", "-hj", str(number), "-o", "%T"))
    time.sleep(1)
    cluster.must("scontrol", "suspend", str(number))

    def rows() -> list[str]:
        """What is known of suspensions, once the job is listed: up to five seconds later."""
        found = cluster.sql(
            "select j.id_job, s.time_start - j.time_start from lab_suspend_table s"
            " join lab_job_table j on j.job_db_inx = s.job_db_inx where j.time_eligible > 0"
        )
        pairs = [line.split() for line in found.splitlines()[1:]]
        return [seconds for job, seconds in pairs if job == str(number)]

    def held() -> Decimal:
        site.cycle().run()
        usage = site.usage(resource, f"{site.now():%Y-%m}")
        assert "cpu" in usage, site.events
        return usage["cpu"]

    def before_it() -> Decimal:
        """What ran before the suspension began, by the database's own row."""
        (seconds,) = rows()
        return (int(seconds) / Decimal("0.6")).quantize(Decimal("0.01"))

    eventually(lambda: bool(rows()))
    time.sleep(2)
    assert held() == before_it()
    time.sleep(3)
    suspended = held()
    assert suspended == before_it()
    cluster.must("scontrol", "resume", str(number))
    time.sleep(2)
    cluster.must("scancel", str(number))
    cluster.wait_for_jobs()

    after = held()
    listed = cluster.must("sacct", "-XPnj", str(number), "--format=elapsedraw,suspended")
    elapsed = int(listed.partition("|")[0])
    assert after == (elapsed / Decimal("0.6")).quantize(Decimal("0.01"))
    assert after > suspended


def eventually(holds: Callable[[], bool], timeout: float = 30.0) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
