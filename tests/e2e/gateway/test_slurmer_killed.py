"""A kill at any moment of what is done to managed jobs, on a real Slurm: all is done, and once."""

from collections import Counter
from collections.abc import Callable
from http.client import HTTPException
from pwd import getpwnam
from typing import Any

import pytest

from tests.e2e.gateway.slurmer_site import APP, Slurmer, SlurmerSite
from tests.e2e.program import eventually
from tests.fixtures_hand import ANN
from tests.trust.size import IS_CAMPAIGN, count

JOBS = f"/apps/{APP}/jobs"
MOST_EFFECTS = 12
SOON = "2s"
"""So it is known within some twenty seconds that an sbatch hands nothing in any more."""

SLEEPER: dict[str, Any] = {"account": "physics", "command": "sleep", "args": ["600"]}
Act = Callable[[Slurmer, str], int]


def start(slurmer: Slurmer, job: str) -> int:
    return slurmer.send("PUT", f"{job}/start").status


def prune(slurmer: Slurmer, job: str) -> int:
    return slurmer.send("PUT", f"{job}/prune").status


def stop(slurmer: Slurmer, job: str) -> int:
    return slurmer.send("PUT", f"{job}/stop").status


def delete(slurmer: Slurmer, job: str) -> int:
    return slurmer.send("DELETE", job).status


def make(slurmer: Slurmer, _job: str) -> int:
    return slurmer.send("POST", JOBS, {**SLEEPER, "job_name": "made"}).status


def listed(site: SlurmerSite, *states: str) -> Counter[str]:
    """How many jobs wait or run, or are in such a state, of each name."""
    listing = site.acting.lab.must("squeue", "--noheader", "--all", "--format=%j", *states)
    return Counter(listing.splitlines())


def was_killed(site: SlurmerSite, act: Act, job: str, number: int, when: str) -> bool:
    """Do it before a gateway that dies at this effect; whether it did."""
    with site.running(dies=(str(number), when), GATEWAY_COMMAND_TIMEOUT=SOON) as slurmer:
        try:
            act(slurmer, job)
        except (OSError, HTTPException):
            return bool(slurmer.daemon.process.wait(60) == -9)
    return False


def sweep(
    site: SlurmerSite, name: str, act: Act, prepared: Callable[[Slurmer, str], str]
) -> list[str]:
    """Kill it at each effect that the act has; return the jobs that it was done to.

    After one effect nothing outside changes until the next: so all moments are those before each,
    and after the last. `make campaign` kills it on both sides of each effect.
    Jobs are named for the sweep: slurmctld still lists those of the one before.
    """
    jobs: list[str] = []

    def kill(number: int, when: str) -> bool:
        with site.running(GATEWAY_COMMAND_TIMEOUT=SOON) as slurmer:
            eventually(lambda: not half_done(site, slurmer), "the last one is settled", 60)
            job = prepared(slurmer, f"{name}-{number}-{when}")
        is_killed = was_killed(site, act, job, number, when)
        jobs.extend([job] * is_killed)
        return is_killed

    numbers = range(MOST_EFFECTS)
    if IS_CAMPAIGN:
        assert not all(kill(number, when) for number in numbers for when in ("before", "after"))
    else:
        effects = next(number for number in numbers if not kill(number, "before"))
        assert kill(effects - 1, "after")
    return jobs


def new(slurmer: Slurmer, name: str) -> str:
    return slurmer.new_job(**SLEEPER, job_name=name)


def started(slurmer: Slurmer, name: str) -> str:
    job = new(slurmer, name)
    assert start(slurmer, job) == 204
    return job


def ended(slurmer: Slurmer, name: str) -> str:
    """One whose first run is over; the second goes on, so that a start is one for good."""
    job = started(slurmer, name)
    assert stop(slurmer, job) == 204
    eventually(lambda: slurmer.status(job) == "stopped", "it has ended")
    return job


def done(slurmer: Slurmer, act: Act, job: str) -> None:
    """Ask as a client does that heard nothing, until he hears that it is done."""
    eventually(lambda: act(slurmer, job) in (200, 204, 404), f"{act.__name__} {job}", 60)


ACTS: dict[str, tuple[Act, Callable[[Slurmer, str], str], int]] = {
    "make": (make, lambda _slurmer, name: name, 4),
    "start": (start, new, 6),
    "start again": (start, ended, 6),
    "stop": (stop, started, 2),
    "prune": (prune, new, 1),
    "delete": (delete, started, 5),
}
"""What is done, to what, and how many effects it has at least."""


HOW_MANY = {"start": 1, "start again": 2, "stop": 0}
"""Jobs of Slurm that there are then."""


@pytest.mark.parametrize("name", ACTS)
@pytest.mark.fault("the gateway is killed")
def test_a_kill_at_any_moment_loses_nothing_and_does_nothing_twice(
    slurmer_site: SlurmerSite, name: str
) -> None:
    site = slurmer_site
    act, prepared, effects = ACTS[name]
    jobs = sweep(site, name.replace(" ", "-"), act, prepared)
    print(f"killed {len(jobs)} times: {name}")  # noqa: T201 - the proof
    assert len(jobs) >= (2 * effects if IS_CAMPAIGN else effects + 1)
    count(f"kill of an app's job: {name}", len(jobs))

    with site.running(GATEWAY_COMMAND_TIMEOUT=SOON) as slurmer:
        for job in jobs if act is not make else ():
            done(slurmer, act, job)
        eventually(lambda: not half_done(site, slurmer), "what was begun is finished", 60)
        there = [job["name"] for job in slurmer.send("GET", JOBS).json]
        assert len(there) == len(set(there)) or act is make
        if act is stop:
            eventually(lambda: not listed(site) & Counter(there), "what was ended is gone", 60)
        running, all_of_them = listed(site), listed(site, "--states=all")
        for job in jobs if act in (start, stop) else ():
            called = slurmer.send("GET", job).json["name"]
            found = all_of_them if prepared is ended else running
            assert found[called] == HOW_MANY[name], called
        assert not (act is delete and (there or running))
    owners = {path.stat().st_uid for path in site.directory("").rglob("*")}
    assert owners <= {getpwnam(ANN).pw_uid}


def half_done(site: SlurmerSite, slurmer: Slurmer) -> set[str]:
    """Directories without a job, jobs without one, and those of which nobody knows a number."""
    directories = {path.name for path in site.directory("").iterdir()}
    jobs = slurmer.send("GET", JOBS).json
    unsent = {job["id"] for job in jobs if job["status"] == "started" and not job["slurm_id"]}
    return unsent | (directories ^ {job["id"] for job in jobs})
