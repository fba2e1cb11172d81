"""Killed at any moment, an operator leaves what leads the next one to the same results."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.operator.jobs.results_bench import DONE, POD, RESULTS, ResultsBench


class Killed(BaseException):
    """As kill -9: nothing of ours runs any more."""


def die_at(bench: ResultsBench, effect: int, *, after: bool) -> list[str]:
    """Let the process die before or after its effect of that number; returns what it did."""
    done: list[str] = []

    def mortal(name: str, really: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any) -> Any:
            done.append(name)
            if len(done) == effect and not after:
                raise Killed
            answer = really(*args)
            if len(done) == effect:
                raise Killed
            return answer

        return act

    port: object
    for port, names in ((bench.kube, ("patch_status", "tell")), (bench.pods, EFFECTS_ON_PODS)):
        for name in names:
            setattr(port, name, mortal(name, getattr(port, name)))
    return done


EFFECTS_ON_PODS = ("make_companion", "end_companion", "forget_token")


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_effect_the_next_one_comes_to_the_same_end(*, after: bool) -> None:
    kills = 0
    for effect in range(1, 30):
        bench = ResultsBench()
        uid, job = bench.submitted(results=RESULTS)
        bench.queue.tick()
        done = die_at(bench, effect, after=after)
        for turn in range(12):
            if turn == 5:
                job.end()
            kubelet(bench, turn)
            try:
                bench.turn(after=15)
            except Killed:
                kills += 1
                bench.restart()
        assert bench.said(uid) == ("True", "Collected"), done
        assert bench.pods.secrets == {}, done
        assert [*bench.pods.pods] == [("physics", POD)], done
        assert bench.pods.made == 2, done  # the first one dies
        assert len(bench.queue.jobs) == 1
        if len(done) < effect:
            break
    assert kills >= 12


def kubelet(bench: ResultsBench, turn: int) -> None:
    """Run what there is: the first companion dies, the second one ends well."""
    if ("physics", POD) not in bench.pods.pods:
        return
    if bench.pods.made == 1:
        bench.pods.ends(POD, 137)
    elif turn >= 7:
        bench.pods.ends(POD, 0, DONE)
    else:
        bench.pods.runs(POD)
