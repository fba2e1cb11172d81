"""From a job's end to the letter about it, by the interval and by the epilog; and many watched.

The letters are webhooks that nobody takes: what counts is when each is written down. Slurm tells
ends in whole seconds, so a job writes down itself when its last command was over.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.gateway.bed import NotServed
from benchmarks.progress import say
from benchmarks.rows import Row
from benchmarks.scale import Scale
from sandbox.demo.place import own_directory
from sandbox.slurm import Cluster, ClusterOptions
from sandbox.slurm.users import ensure_users, remove_users
from tests.e2e.gateway.watching import (
    SECRET,
    USER,
    WatchGateway,
    WatchSite,
    epilog,
    tell_epilog,
    watch_site,
)
from tests.e2e.program import fast_tools
from waldur_slurm.gateway.watch.monitor import Stage
from waldur_slurm.model.batch import JobId, Task

INTERVAL_S = 5
JOBS = 4
MOST_AFTER_INTERVAL_S, MOST_BY_HOOK_S = 1.0, 2.0
PATIENCE_S = 120.0
A_LOOK_S = 0.02
LOOKS = 4
BEFORE = 2
"""Looks that belong to no whole interval: at the start, and at the end."""
WHY_LATE = "slurmctld learns of the end, and tells of it, only after its own clean-up of the job"


def measure_letters(scale: Scale) -> Iterator[Row]:
    with watching_site() as (site, hooks):
        yield from _ends(site, hooks)
        yield from _watched(site, scale.watched_jobs)


def _ends(site: WatchSite, hooks: Path) -> Iterator[Row]:
    name = "gateway: a job's end to the letter"
    with site.running(MONITOR_POLLING_INTERVAL=f"{INTERVAL_S}s") as gateway:
        after = [_seconds_to_letter(site, gateway, hooks) for _ in range(JOBS)]
    yield Row(
        name=f"{name}, looking every {INTERVAL_S} s, the slowest",
        unit="s",
        samples=[max(after)],
        bound=INTERVAL_S + MOST_AFTER_INTERVAL_S,
        reason=WHY_LATE,
    )
    with site.running(MONITOR_POLLING_INTERVAL="60", GATEWAY_HOOK_SECRET=SECRET) as gateway:
        tell_epilog(hooks, gateway.port)
        after = [_seconds_to_letter(site, gateway, hooks) for _ in range(JOBS)]
        (hooks / "hook.conf").unlink()
    yield Row(
        name=f"{name}, told by an epilog, the slowest",
        unit="s",
        samples=[max(after)],
        bound=MOST_BY_HOOK_S,
        reason=WHY_LATE,
    )


def _seconds_to_letter(site: WatchSite, gateway: WatchGateway, place: Path) -> float:
    ended = place / f"ended-{time.monotonic_ns()}"
    job = site.submit(f"sleep 3; date +%s.%N >{ended}; exit 4")
    monitor = gateway.watch(job, site.ways)
    until = time.monotonic() + PATIENCE_S
    while not _is_told(site, monitor):
        if time.monotonic() > until:
            raise NotServed(f"no letter about job {job}")
        time.sleep(A_LOOK_S)
    return time.time() - float(ended.read_text())


def _is_told(site: WatchSite, monitor: str) -> bool:
    return any(each.monitor == monitor for each in site.letters())


def _watched(site: WatchSite, many: int) -> Iterator[Row]:
    """Held tasks of one array, watched for some intervals, and then gone at once."""
    site.ways = {}
    before = site.stages().get(Stage.ENDED, 0)
    array = site.submit("true", f"--array=0-{many - 1}", "--hold").number
    site.watch({f"m{task}": JobId(array, Task(task)) for task in range(many)})
    with site.running(MONITOR_POLLING_INTERVAL=f"{INTERVAL_S}s") as gateway:
        began = datetime.now(UTC)
        await_looks(gateway, LOOKS)
        site.lab.must("scancel", str(array))
        _await_ends(site, before + many)
        took = datetime.now(UTC) - began
        lists, questions = len(lists_of_all(gateway)), len(gateway.commands("sacct"))
    intervals = took / timedelta(seconds=INTERVAL_S) + BEFORE
    name = f"gateway: {many:,} watched jobs"
    yield Row(name=f"{name}: squeue an interval", unit="", samples=[lists / intervals], bound=1)
    yield Row(name=f"{name}: sacct an interval", unit="", samples=[questions / intervals], bound=1)


def lists_of_all(gateway: WatchGateway) -> list[str]:
    """Readings of all jobs, not of one that an epilog told of."""
    return [each for each in gateway.commands("squeue") if "--jobs" not in each]


def await_looks(gateway: WatchGateway, looks: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while len(gateway.commands("squeue")) < looks:
        if time.monotonic() > until:
            raise NotServed("jobs are not looked at")
        time.sleep(0.2)


def _await_ends(site: WatchSite, many: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while site.stages() != {Stage.ENDED: many}:
        if time.monotonic() > until:
            raise NotServed(f"not all have ended: {site.stages()}")
        time.sleep(0.2)


@contextmanager
def watching_site() -> Iterator[tuple[WatchSite, Path]]:
    """A Slurm whose epilog tells of each end, where `hook.conf` says whom."""
    ensure_users((USER,))
    hooks = Path(tempfile.mkdtemp(prefix="wsat-hooks-"))
    hooks.chmod(0o777)  # jobs write down when they ended
    try:
        with own_directory() as directory:
            options = ClusterOptions(
                lifetime=timedelta(hours=1), slurm_conf={"EpilogSlurmctld": str(epilog(hooks))}
            )
            cluster = Cluster.start(directory / "slurm", options)
            try:
                say("jobs that are watched")
                cluster.must("sacctmgr", "-i", "add", "account", "physics")
                cluster.must("sacctmgr", "-i", "add", "user", USER, "account=physics")
                tools = fast_tools(directory / "tools", cluster.environ)
                with watch_site(cluster, tools, directory) as site:
                    yield site, hooks
            finally:
                cluster.wipe()
    finally:
        shutil.rmtree(hooks)
        remove_users()
