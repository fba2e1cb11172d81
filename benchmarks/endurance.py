"""Idling for long: both daemons' memory after many cycles, one right after the other.

The program and Waldur's answers are real. Slurm's tools say again what they said on the real
cluster when they were first asked: ten thousand cycles would take hours otherwise.
"""

import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from benchmarks.cycles import ENDED_WELL
from benchmarks.proc import resident_megabytes
from benchmarks.progress import say
from benchmarks.replay import replaying_tools
from benchmarks.rows import Row
from benchmarks.site import Agent, Site
from sandbox.slurm.history import load_jobs
from sandbox.slurm.history_jobs import COMPLETED, Job, Shape

GROWTH_MB = 1.0
RESIDENT_MB = 60.0
BEGINNING = 100
"""Cycles after which all that is kept from the first ones is there."""
PATIENCE_S = 60.0
DIRECTIONS = ("pull", "push")


def measure_endurance(site: Site, cycles: int) -> Iterator[Row]:
    _add_a_job(site)
    tools = str(replaying_tools(site.directory / "replaying"))
    marks = sorted({BEGINNING, cycles // 10, cycles})
    say(f"daemons: {cycles} idle cycles of each")

    def idle(direction: str) -> Mapping[int, float]:
        agent = site.agent(direction)
        agent.environ["SLURM_BIN_PATH"] = tools
        return megabytes_at(agent, marks, site)

    with ThreadPoolExecutor() as pool:
        found = dict(zip(DIRECTIONS, pool.map(idle, DIRECTIONS), strict=True))
    for direction, megabytes in found.items():
        name = f"daemon ({direction}, replayed Slurm)"
        for mark in marks:
            yield Row(
                name=f"{name}: resident after {mark} idle cycles",
                unit="MB",
                samples=[megabytes[mark]],
                bound=RESIDENT_MB,
            )
        yield Row(
            name=f"{name}: growth from cycle {BEGINNING} to {cycles}",
            unit="MB",
            samples=[megabytes[cycles] - megabytes[BEGINNING]],
            bound=GROWTH_MB,
        )


def megabytes_at(agent: Agent, marks: list[int], site: Site) -> Mapping[int, float]:
    found: dict[int, float] = {}
    with agent.daemon() as daemon:
        for cycle in range(1, marks[-1] + 1):
            daemon.hears(ENDED_WELL, timeout=PATIENCE_S)
            if cycle in marks:
                found[cycle] = resident_megabytes(daemon.process.pid)
                say(f"cycle {cycle}: {found[cycle]:.1f} MB")
            if cycle % BEGINNING == 0:
                site.waldur.forget_requests()
            daemon.signal(signal.SIGUSR1)
    return found


def _add_a_job(site: Site) -> None:
    """So that push has something to read, which is the same in every cycle."""
    listed = site.cluster.must("sacctmgr", "-nP", "show", "assoc", "format=account,user")
    account, user = next(
        line.split("|")
        for line in sorted(listed.splitlines())
        if not line.startswith("root|") and not line.endswith("|")
    )
    ended = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    tres = {"cpu": 1, "mem": 1024, "node": 1, "billing": 1}
    job = Job(1, account, user, COMPLETED, ended - 120, ended - 60, ended, Shape(tres, tres))
    load_jobs(site.cluster, site.cluster.options.name, [job])
