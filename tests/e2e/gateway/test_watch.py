"""Jobs watched on a real Slurm: however they end, whoever is killed or silent on the way.

What is counted are letters, commands and what they say, never how long anything took.
"""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sandbox.slurm import Cluster, ClusterOptions
from tests.e2e.gateway.mortal import moments
from tests.e2e.gateway.reporting import report_failed_boot, report_out_of_memory
from tests.e2e.gateway.watching import (
    SECRET,
    USER,
    WatchGateway,
    WatchSite,
    epilog,
    tell_epilog,
    watch_site,
)
from tests.e2e.program import eventually, fast_tools
from tests.fixtures_slurm import NewCluster, open_directory
from tests.trust.size import count
from waldur_slurm.gateway.post.letter import Occasion
from waldur_slurm.gateway.post.letter import Stage as LetterStage
from waldur_slurm.gateway.watch.monitor import Stage
from waldur_slurm.model.batch import JobId, Task

PATIENCE_S = 200.0
EFFECTS = 8
"""Of one monitor with two ways: a list, a note, and of each letter a claim, a sending, a note."""


@pytest.fixture(scope="module")
def hook_directory() -> Iterator[Path]:
    directory = open_directory()
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def lab(
    new_slurm_cluster: NewCluster, slurm_users: tuple[str, ...], hook_directory: Path
) -> Cluster:
    """One of this module's own: jobs preempt each other, and an epilog tells of each end."""
    conf = {
        "PreemptType": "preempt/qos",
        "PreemptMode": "CANCEL",
        "EpilogSlurmctld": str(epilog(hook_directory)),
    }
    cluster = new_slurm_cluster(ClusterOptions(nodes=4, slurm_conf=conf))
    must = cluster.must
    must("sacctmgr", "--immediate", "add", "account", "physics")
    must("sacctmgr", "--immediate", "add", "user", slurm_users[0], "account=physics")
    must("sacctmgr", "--immediate", "add", "qos", "low")
    must("sacctmgr", "--immediate", "add", "qos", "high", "preempt=low")
    may = "set", "qos=normal,low,high"
    must("sacctmgr", "--immediate", "modify", "user", slurm_users[0], *may)
    return cluster


@pytest.fixture(scope="module")
def tools(lab: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fast_tools(tmp_path_factory.mktemp("watch-tools") / "bin", lab.environ)


@pytest.fixture
def site(lab: Cluster, tools: Path, tmp_path: Path) -> Iterator[WatchSite]:
    with watch_site(lab, tools, tmp_path) as made:
        yield made
    lab.must("scancel", f"--user={USER}")


def ended(gateway: WatchGateway, monitors: list[str]) -> bool:
    return all(gateway.monitor(each)["stage"] == "ended" for each in monitors)


def lists_read(gateway: WatchGateway) -> int:
    return len(gateway.commands("squeue"))


def pass_looks(gateway: WatchGateway, looks: int = 3) -> None:
    """Let it look so often more."""
    before = lists_read(gateway)
    eventually(lambda: lists_read(gateway) >= before + looks, "more looks", 60)


def test_each_end_that_a_job_can_come_to_is_told_once_by_each_way(
    site: WatchSite, lab: Cluster
) -> None:
    jobs = {
        "TIMEOUT": site.submit("sleep 600", "--time=1"),
        "COMPLETED": site.submit("sleep 2"),
        "FAILED": site.submit("sleep 2; exit 3"),
        "CANCELLED": site.submit("sleep 600"),
        "NODE_FAIL": site.submit("sleep 600", "--nodelist=n2", "--no-requeue"),
        "PREEMPTED": site.submit("sleep 600", "--nodelist=n3", "--exclusive", "--qos=low"),
        "DEADLINE": site.submit("true", "--nodelist=n4", "--time=1", "--deadline=now+3"),
        "OUT_OF_MEMORY": site.submit("sleep 600", "--nodelist=n1"),
        "BOOT_FAIL": site.submit("sleep 600", "--nodelist=n1", "--no-requeue"),
    }
    waits = site.submit("sleep 600", "--hold")
    with site.running() as gateway:
        monitors = {state: gateway.watch(job, site.ways) for state, job in jobs.items()}
        still = gateway.watch(waits, site.ways)
        ended_by_us = ("CANCELLED", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "BOOT_FAIL")
        held = {jobs[state] for state in ended_by_us}
        running = ("squeue", "--noheader", "--states=RUNNING", "--format=%A")
        eventually(lambda: {*map(str, held)} <= {*lab.must(*running).split()}, "these jobs run")
        lab.must("scancel", str(jobs["CANCELLED"]))
        lab.must("scontrol", "update", "nodename=n2", "state=down", "reason=test")
        site.submit("sleep 600", "--nodelist=n3", "--exclusive", "--qos=high")
        report_out_of_memory(lab, jobs["OUT_OF_MEMORY"])
        report_failed_boot(lab, jobs["BOOT_FAIL"])

        eventually(lambda: ended(gateway, [*monitors.values()]), "all ended", PATIENCE_S)
        pass_looks(gateway)
        eventually(lambda: len(site.relay.taken) == len(site.sink.heard) == len(jobs), "sent")

        for state, job in jobs.items():
            (mail,), (told,) = site.mails(job), site.told(job)
            assert mail.endswith(f" ended: {state}"), mail
            assert (told["event"], told["job"]["state"]) == ("terminal", state)
            stages = {each["stage"] for each in gateway.letters_of(monitors[state])}
            assert stages == {"delivered"}
        assert site.told(jobs["FAILED"])[0]["job"]["exit_code"] == "3:0"
        assert site.told(jobs["OUT_OF_MEMORY"])[0]["job"]["exit_code"] == "0:125"
        assert gateway.monitor(still)["stage"] == "watching"
        assert (site.told(waits), site.mails(waits)) == ([], [])


def test_an_array_and_a_requeued_job_are_told_of_once_when_all_is_over(
    site: WatchSite, lab: Cluster
) -> None:
    array = site.submit("exit $((SLURM_ARRAY_TASK_ID % 2))", "--array=0-5%2")
    again = site.submit("sleep 600", "--requeue")
    with site.running() as gateway:
        gateway.watch(site.submit("true", "--hold"), {})
        of_array = gateway.watch(array, site.ways)
        of_task = gateway.watch(JobId(array.number, Task(4)), site.ways)
        wanted = ["started", "requeued", "terminal"]
        of_again = gateway.watch(again, site.ways, occasions=wanted)
        eventually(lambda: gateway.monitor(of_again)["state"] == "RUNNING", "it runs")
        lab.must("scontrol", "requeue", str(again))
        pass_looks(gateway)
        assert gateway.monitor(of_again)["stage"] == "watching"
        lab.must("scancel", str(again))

        eventually(lambda: ended(gateway, [of_array, of_task, of_again]), "ended", PATIENCE_S)
        pass_looks(gateway)

        assert gateway.monitor(of_array)["state"] == "FAILED"
        assert gateway.monitor(of_task)["state"] == "COMPLETED"
        events = Counter(each["event"] for each in gateway.letters_of(of_again))
        assert events == {"started": 2, "requeued": 2, "terminal": 2}
        assert [len(gateway.letters_of(each)) for each in (of_array, of_task)] == [2, 2]
        eventually(lambda: bool(site.told(array)), "told of the array")
        assert site.told(array)[0]["job"]["state"] == "FAILED (3 COMPLETED, 3 FAILED)"


@pytest.mark.fault("the gateway is killed")
def test_a_kill_at_any_moment_of_watching_and_sending_loses_no_letter_and_writes_none_twice(
    site: WatchSite,
) -> None:
    killed, watched = 0, list[str]()
    job = site.submit("true")
    with site.running() as gateway:
        known = gateway.watch(job, {})
        eventually(lambda: ended(gateway, [known]), "the job has ended")

    for number, when in moments(EFFECTS):
        watched.append(f"m-{number}-{when}")
        site.watch({watched[-1]: job})
        with site.running((str(number), when)) as gateway:
            killed += gateway.daemon.process.wait(30) == -9
    with site.stored() as database:
        five_minutes_pass = "UPDATE letters SET next_try = 0 WHERE stage = 'waiting'"
        database.write(lambda connection: connection.execute(five_minutes_pass))
    with site.running() as gateway:
        eventually(lambda: ended(gateway, watched), "all ended")
        eventually(
            lambda: all(each.stage is LetterStage.DELIVERED for each in site.letters()), "sent", 60
        )

    written = Counter((each.monitor, each.event, each.method) for each in site.letters())
    expected = {(each, Occasion.TERMINAL, way): 1 for each in watched for way in site.ways}
    arrived = Counter(told["monitor"] for told in site.told(job))
    print(  # noqa: T201 - the proof
        f"killed {killed} times: {len(watched)} monitors, {len(written)} letters written,"
        f" {sum(arrived.values())} webhooks and {len(site.relay.taken)} mails arrived"
    )
    assert killed == len(watched)
    count("kill of watching and sending", killed)
    assert written == expected
    assert {*arrived} == {*watched}
    mails = Counter(str(message["Message-ID"]) for message in site.relay.taken)
    assert len(mails) == len(watched)


def test_a_thousand_watched_jobs_cost_one_list_an_interval_and_one_question_to_the_accounting(
    site: WatchSite, lab: Cluster
) -> None:
    interval_s, many = 3, 1000
    array = site.submit("true", f"--array=0-{many - 1}", "--hold").number
    site.ways = {}
    site.watch({f"m{task}": JobId(array, Task(task)) for task in range(many)})
    began = time.monotonic()
    with site.running(MONITOR_POLLING_INTERVAL=f"{interval_s}s") as gateway:
        pass_looks(gateway, 2)
        lab.must("scancel", str(array))
        eventually(lambda: site.stages() == {Stage.ENDED: many}, "all ended", PATIENCE_S)
        lists, questions = len(gateway.commands("squeue")), len(gateway.commands("sacct"))
        intervals = int((time.monotonic() - began) / interval_s) + 2
    print(f"{many} jobs, {intervals} intervals at most: {lists} squeue, {questions} sacct")  # noqa: T201 - the proof
    assert lists <= intervals
    assert questions <= lists


@pytest.mark.fault("slurmctld is down, or is restarted")
def test_a_slurmctld_that_is_away_while_a_job_ends_has_nobody_told_anything_false(
    site: WatchSite, lab: Cluster
) -> None:
    """A silence of some looks stands for one of a minute."""
    ends, goes_on = site.submit("sleep 5; exit 2"), site.submit("sleep 600")
    with site.running() as gateway:
        monitors = [gateway.watch(each, site.ways) for each in (ends, goes_on)]
        eventually(lambda: gateway.monitor(monitors[0])["state"] == "RUNNING", "it runs")
        lab.stop_daemon("slurmctld")
        before = lists_read(gateway)
        eventually(lambda: lists_read(gateway) >= before + 4, "it was asked in vain", 90)
        assert [gateway.monitor(each)["stage"] for each in monitors] == ["watching"] * 2
        assert site.letters() == []
        lab.start_daemon("slurmctld")

        eventually(lambda: ended(gateway, monitors[:1]), "the end is known", PATIENCE_S)
        pass_looks(gateway)

        assert gateway.monitor(monitors[0])["state"] == "FAILED"
        assert gateway.monitor(monitors[1])["stage"] == "watching"
        assert {each.monitor for each in site.letters()} == {monitors[0]}
        assert len(site.letters()) == len(site.ways)


def test_an_epilog_brings_the_letter_before_the_next_list_is_read(
    site: WatchSite, hook_directory: Path
) -> None:
    with site.running(MONITOR_POLLING_INTERVAL="60", GATEWAY_HOOK_SECRET=SECRET) as gateway:
        tell_epilog(hook_directory, gateway.port)
        job = site.submit("sleep 3; exit 4")
        monitor_id = gateway.watch(job, site.ways)
        eventually(lambda: gateway.monitor(monitor_id)["state"] != "UNKNOWN", "it was looked at")
        lists = lists_of_all(gateway)

        eventually(lambda: ended(gateway, [monitor_id]), "the end is known", 60)

        assert lists_of_all(gateway) == lists
        (told,) = (each for each in site.letters() if each.method == "webhook")
        assert told.facts is not None
        assert (told.facts.state, told.facts.exit_code) == ("FAILED", "4:0")
        assert isinstance(told.facts.ended, datetime)
        late = (told.made - told.facts.ended).total_seconds()
        print(f"end to letter by the epilog: {late:.0f} s, in whole seconds")  # noqa: T201 - the proof
    (hook_directory / "hook.conf").unlink()


def lists_of_all(gateway: WatchGateway) -> list[str]:
    """Readings of all jobs, not of one."""
    return [each for each in gateway.commands("squeue") if "--jobs" not in each]
