"""A Slurm that hangs costs the wait for one request of a kind, not one for each SlurmJob."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes.jobs import FakeJobs
from tests.fakes.kube_jobs import KUBERNETES
from tests.unit.operator.jobs.bench import ALPHA, Bench
from waldur_slurm.operator.jobs.cycle import MOST_IN_VAIN
from waldur_slurm.operator.jobs.port import (
    JobRef,
    JobsError,
    OutcomeUnknown,
    Stream,
    Unreached,
    Wanted,
)
from waldur_slurm.operator.model.cluster import BySsh, RunsAs
from waldur_slurm.operator.model.identity import Identity

MANY = 500
Fails = Callable[[str], JobsError | None]


class Hanging(FakeJobs):
    """A way that shows all, and on which what is done may hang; `fails` says for whom, and how."""

    def __init__(self, bench: Bench, fails: Fails) -> None:
        super().__init__(bench.queue)
        self.fails = fails
        self.asked: Counter[str] = Counter()

    def submit(self, wanted: Wanted) -> JobRef:
        self._wait("submit", wanted.user)
        return super().submit(wanted)

    def cancel(self, job: JobRef) -> None:
        self._wait("cancel", job.user)
        super().cancel(job)

    def hold(self, job: JobRef) -> None:
        self._wait("hold", job.user)
        super().hold(job)

    def read_tail(self, job: JobRef, stream: Stream, size: int) -> bytes:
        self._wait("read_tail", job.user)
        return super().read_tail(job, stream, size)

    def _wait(self, what: str, user: str) -> None:
        self.asked[what] += 1
        if error := self.fails(user):
            raise error


def hanging(bench: Bench, fails: Fails) -> Hanging:
    jobs = bench.jobs = Hanging(bench, fails)
    bench.restart()
    return jobs


def silent(_: str) -> JobsError:
    return Unreached("no answer for 45 s")


def lost(_: str) -> JobsError:
    return OutcomeUnknown("no answer for 45 s")


def well(_: str) -> None:
    return None


@pytest.mark.parametrize("fails", [silent, lost])
def test_where_handing_in_is_in_vain_it_is_asked_once_a_turn_and_nothing_else_is_begun(
    fails: Fails,
) -> None:
    bench = Bench()
    uids = [bench.kube.apply(f"cow-{number}") for number in range(MANY)]
    jobs = hanging(bench, fails)
    bench.turn(3)

    assert jobs.asked == {"submit": 3}
    assert len({uid for uid in uids if bench.kube.job(uid).is_held}) == 3
    assert bench.cycle.turn().is_more is False

    jobs.fails = well
    bench.turn(20)
    assert len(bench.queue.jobs) == MANY


@pytest.mark.parametrize("fails", [silent, lost])
def test_so_it_is_for_what_is_cancelled_held_or_read(fails: Fails) -> None:
    bench = Bench()
    uids = [bench.kube.apply(f"cow-{number}") for number in range(15)]
    bench.turn()
    for uid in uids[:5]:
        bench.kube.delete(uid)
    for number in range(5, 10):
        bench.kube.apply(f"cow-{number}", suspend=True)
    for job in bench.queue.jobs[10:]:
        job.end()
    jobs = hanging(bench, fails)
    bench.turn()
    assert jobs.asked == {"cancel": 1, "hold": 1, "read_tail": 1}
    assert [bench.kube.reasons(uid).count("Cancelling") for uid in uids[:5]] == [1, 0, 0, 0, 0]
    assert {bench.phase(uid)[0] for uid in uids[10:]} == {"Succeeded"}

    jobs.fails = well
    bench.turn(10)
    assert not {*uids[:5]} & bench.kube.objects.keys()
    assert {job.reason for job in bench.queue.jobs[5:10]} == {"JobHeldUser"}
    assert all("output" in bench.kube.status(uid) for uid in uids[10:])


def test_one_for_whom_it_is_always_in_vain_holds_up_no_other_for_long() -> None:
    bench = Bench()
    bench.let_in(namespaces={each: RunsAs(f"svc-{each}") for each in ("bad", "good")})
    bad = [bench.kube.apply(f"cow-{number}", "bad") for number in range(3)]
    good = [bench.kube.apply(f"cow-{number}", "good") for number in range(60)]
    hanging(bench, lambda user: silent("") if user == "svc-bad" else None)
    bench.turn(len(bad) + 2)

    assert all(bench.kube.status(uid).get("jobId") for uid in good)
    assert not any(bench.kube.status(uid) for uid in bad)


def test_over_ssh_one_account_that_is_shut_keeps_nobody_else_out() -> None:
    bench = Bench()
    by = BySsh("login1", 22, "keys")
    opened = {each: RunsAs("", may_use_ssh=True) for each in ("bad", "good")}
    bench.clusters["alpha"] = replace(ALPHA, by=by, namespaces=opened)
    key = {"secretKeyRef": {"name": "s", "key": "id"}}
    for name in ("bad", "good"):
        for number in range(3):
            bench.kube.apply(f"cow-{number}", name, ssh={"user": name, "key": key})
    jobs = hanging(bench, lambda user: silent("") if user == "bad" else None)
    bench.turn()

    assert [job.user for job in bench.queue.jobs] == ["good"] * 3
    assert jobs.asked == {"submit": 4}


def test_strays_of_a_slurm_that_hangs_are_left_for_the_next_sweep() -> None:
    bench = Bench()
    for number in range(10):
        mark = Identity(KUBERNETES, f"00000000-0000-4000-8000-0000000000{number:02}").mark
        bench.queue.add(Wanted(f"key-{number}", mark, "#!/bin/sh\n", "svc-physics"))
    bench.turn()
    jobs = hanging(bench, silent)
    bench.turn(2, after=301)
    assert jobs.asked == {"cancel": MOST_IN_VAIN}

    jobs.fails = well
    bench.turn(after=301)
    assert {job.state.base for job in bench.queue.jobs} == {"CANCELLED"}
