"""A SlurmJob has one job in Slurm, whoever is killed at whichever effect of its life.

Killed are the operator, the API server under it, and the gateway. All is real.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count as numbers
from itertools import product
from typing import Any

import pytest

from tests.e2e.operator.scene import MOO, SLEEP, Scene, Served, wait
from tests.e2e.program import Daemon
from tests.trust.size import IS_CAMPAIGN, count, size

API_SERVER = "kube-apiserver"
REFUSED = {"partition": "nowhere"}
LATER = {"begin": "now+1hour", "mem": "10"}

OF_A_SUBMIT = [*product(range(4), ("before", "after"))] if IS_CAMPAIGN else [(1, "after")]
"""At which of the gateway's own effects it is killed: tests of the gateway do so at all of them."""

Moments = list[tuple[str, str]]


def moments(*effects: str) -> Moments:
    """At which to kill: between two effects nothing changes, so before each, and after the last.

    `make campaign` takes both sides of each.
    """
    if IS_CAMPAIGN:
        return [*product(effects, ("before", "after"))]
    return [*((each, "before") for each in effects), (effects[-1], "after")]


UNTOLD: Moments = [("accept", "before"), ("patch_status", "before")]
UNLEFT: Moments = [("let_go", "before")]
"""Before nothing was done, and after something was done that cannot be written any more."""
if IS_CAMPAIGN:
    UNTOLD = moments("accept", "submit", "tell", "patch_status")
    UNLEFT = moments("cancel", "let_go")


@dataclass
class Sweep:
    """Kills at moments in the lives of SlurmJobs, one after the other; `killed` is how often."""

    scene: Scene
    served: Served
    killed: int = 0
    names: Iterator[str] = field(default_factory=lambda: (f"job-{each}" for each in numbers()))

    def begin(self, batch: str, **spec: Any) -> str:
        name = next(self.names)
        self.scene.apply(name, batch, **spec)
        return name

    def kill_operator(self, name: str, effect: str, when: str) -> None:
        with self._mortal(name, effect, when) as daemon:
            assert daemon.process.wait(120) == -9, daemon.log

    def kill_api_server(self, name: str, effect: str, when: str) -> None:
        """The operator that did it lives on for a while, with the server that is started again."""
        bed = self.scene.bed
        with self._mortal(name, effect, when, bed.pids()[API_SERVER]) as daemon:
            wait(lambda: bed.states()[API_SERVER] != "up", lambda: daemon.log)
            bed.start_daemon(API_SERVER)

    def kill_gateway(self, name: str, effect: str, when: str) -> None:
        """The next one is found at another address, as the ConfigMap says."""
        process = self.served.one().daemon.process
        with self._mortal(name, effect, when, process.pid) as daemon:
            wait(lambda: process.poll() is not None, lambda: daemon.log)
        self.serve()

    def serve(self, dies: tuple[str, ...] = ()) -> None:
        """Start the gateway, which dies as its own `mortal` has it."""
        self.scene.say({"lab": self.scene.lab_behind(self.served.serve(dies))})

    @contextmanager
    def _mortal(self, name: str, effect: str, when: str, *victim: int) -> Iterator[Daemon]:
        program = self.scene.program
        program.module = "tests.e2e.operator.mortal"
        program.always = (self.scene.uid(name), effect, when, *map(str, victim))
        with program.daemon() as daemon:
            yield daemon
            self.killed += 1

    def hold_each_to_one_job(self, uids: Mapping[str, str]) -> None:
        found = {name: len(self.scene.numbers(uid)) for name, uid in uids.items()}
        assert found == dict.fromkeys(uids, 1)


@pytest.fixture
def sweep(scene: Scene, served: Served) -> Sweep:
    return Sweep(scene, served)


def test_an_operator_killed_at_any_effect_costs_no_job_and_makes_no_second(sweep: Sweep) -> None:
    scene, names = sweep.scene, list[str]()
    points = moments("accept", "submit", "tell", "patch_status", "patch_status#2")
    for effect, when in points * size(1, 3):
        names.append(sweep.begin(MOO))
        sweep.kill_operator(names[-1], effect, when)

    with scene.operating() as daemon:
        for name in names:
            scene.wait_phase("Succeeded", name=name, daemon=daemon)
    sweep.hold_each_to_one_job({name: scene.uid(name) for name in names})
    count("kill of the operator: a job's beginning and end", sweep.killed)


def test_an_operator_killed_over_what_slurm_refuses_says_so_later(sweep: Sweep) -> None:
    scene, names = sweep.scene, list[str]()
    for effect, when in moments("submit", "tell", "patch_status"):
        names.append(sweep.begin(MOO, options=REFUSED))
        sweep.kill_operator(names[-1], effect, when)

    with scene.operating() as daemon:
        for name in names:
            scene.wait_phase("Failed", name=name, daemon=daemon)
    assert [number for name in names for number in scene.numbers(scene.uid(name))] == []
    assert "invalid partition" in str(scene.status(names[0])["conditions"])
    count("kill of the operator: a job that Slurm refuses", sweep.killed)


def test_an_operator_killed_while_it_cancels_cancels_that_job_and_no_other(sweep: Sweep) -> None:
    scene, points = sweep.scene, moments("cancel", "let_go")
    names = [sweep.begin(SLEEP) for _ in points]
    spared = sweep.begin(SLEEP)
    with scene.operating() as daemon:
        for name in (*names, spared):
            scene.wait_phase("Running", name=name, daemon=daemon)
    uids = {name: scene.uid(name) for name in names}

    for (effect, when), name in zip(points, names, strict=True):
        scene.delete(name)
        sweep.kill_operator(name, effect, when)
    with scene.operating() as daemon:
        for name in names:
            scene.wait_gone(name, daemon)

    sweep.hold_each_to_one_job(uids)
    assert scene.running() == scene.numbers(scene.uid(spared))
    count("kill of the operator: a cancellation", sweep.killed)


def test_an_operator_killed_while_it_leaves_a_job_running_leaves_it(sweep: Sweep) -> None:
    scene, points = sweep.scene, moments("keep", "let_go")
    names = [sweep.begin(SLEEP, cancelPolicy="Orphan") for _ in points]
    with scene.operating() as daemon:
        for name in names:
            scene.wait_phase("Running", name=name, daemon=daemon)
    uids = {name: scene.uid(name) for name in names}

    for (effect, when), name in zip(points, names, strict=True):
        scene.delete(name)
        sweep.kill_operator(name, effect, when)
    with scene.operating() as daemon:
        for name in names:
            scene.wait_gone(name, daemon)

    sweep.hold_each_to_one_job(uids)
    assert len(scene.running()) == len(names)
    count("kill of the operator: a job that is left running", sweep.killed)


def test_an_operator_killed_while_it_suspends_or_resumes_makes_no_second_job(
    sweep: Sweep,
) -> None:
    scene, points = sweep.scene, moments("hold", "release")
    names = [sweep.begin(MOO, options=LATER) for _ in points]
    with scene.operating() as daemon:
        for (effect, _), name in zip(points, names, strict=True):
            scene.wait_phase("Submitted", name=name, daemon=daemon)
            if effect == "release":
                scene.change(name, suspend=True)
                scene.wait_held(name, True, daemon)

    for (effect, when), name in zip(points, names, strict=True):
        scene.change(name, suspend=effect == "hold")
        sweep.kill_operator(name, effect, when)
    with scene.operating() as daemon:
        for (effect, _), name in zip(points, names, strict=True):
            scene.wait_held(name, effect == "hold", daemon)

    sweep.hold_each_to_one_job({name: scene.uid(name) for name in names})
    count("kill of the operator: a suspension", sweep.killed)


def test_an_api_server_killed_at_any_effect_costs_no_job_and_makes_no_second(
    sweep: Sweep,
) -> None:
    scene, names = sweep.scene, list[str]()
    for effect, when in UNTOLD:
        names.append(sweep.begin(SLEEP))
        sweep.kill_api_server(names[-1], effect, when)
    with scene.operating() as daemon:
        for name in names:
            scene.wait_phase("Running", name=name, daemon=daemon)
    uids = {name: scene.uid(name) for name in names}
    sweep.hold_each_to_one_job(uids)

    for (effect, when), name in zip(UNLEFT, names, strict=False):
        scene.delete(name)
        sweep.kill_api_server(name, effect, when)
    with scene.operating() as daemon:
        for name in names:
            if scene.job(name):
                scene.delete(name)
            scene.wait_gone(name, daemon)

    sweep.hold_each_to_one_job(uids)
    assert scene.running() == []
    count("kill of the API server", sweep.killed)


def test_a_gateway_killed_around_any_request_costs_no_job_and_makes_no_second(
    sweep: Sweep,
) -> None:
    scene, uids, cancelled = sweep.scene, dict[str, str](), set[str]()
    for effect, when in moments("submit", "cancel"):
        name = sweep.begin(SLEEP)
        uids[name] = scene.uid(name)
        if effect == "cancel":
            cancelled.add(name)
            with scene.operating() as daemon:
                scene.wait_phase("Running", name=name, daemon=daemon)
            scene.delete(name)
        sweep.kill_gateway(name, effect, when)

    with scene.operating() as daemon:
        for name in uids:
            if name in cancelled:
                scene.wait_gone(name, daemon)
            else:
                scene.wait_phase("Running", name=name, daemon=daemon)
    sweep.hold_each_to_one_job(uids)
    count("kill of the gateway: the operator's requests", sweep.killed)


def test_a_gateway_killed_at_any_effect_of_its_own_costs_no_job_and_makes_no_second(
    sweep: Sweep,
) -> None:
    scene, uids = sweep.scene, dict[str, str]()
    with scene.operating() as daemon:
        for effect, when in OF_A_SUBMIT:
            sweep.serve((str(effect), when, "open"))
            name = sweep.begin(MOO)
            uids[name] = scene.uid(name)
            assert sweep.served.last
            assert sweep.served.last.daemon.process.wait(120) == -9
            sweep.killed += 1
        sweep.serve()
        for name in uids:
            scene.wait_phase("Succeeded", name=name, daemon=daemon)
    sweep.hold_each_to_one_job(uids)
    count("kill of the gateway: at its own effects, for the operator", sweep.killed)
