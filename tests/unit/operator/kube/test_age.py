"""What is known of Kubernetes has an age: a watch that says nothing any more makes it old."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.fakes.kube_jobs import FakeKube
from waldur_slurm.operator.errors import Gone, KubeError, Silent
from waldur_slurm.operator.kube.store import Store, slurm_jobs
from waldur_slurm.operator.kube.talk import Talk
from waldur_slurm.telemetry.events import Event

JOBS = "/jobs"


@dataclass
class FakeTalk:
    """`Talk` over SlurmJobs in memory; `watches` is what each watch says before it ends so."""

    kube: FakeKube = field(default_factory=FakeKube)
    watches: list[KubeError | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    passed: float = 0.0

    def list(self, path: str) -> tuple[list[dict[str, Any]], str]:
        self.asked.append(f"list {path}")
        return [*self.kube.objects.values()], "7"

    def watch(self, path: str, version: str, seconds: int) -> Iterator[dict[str, Any]]:
        self.asked.append(f"watch {path} from {version}")
        self.passed += seconds
        if self.watches and (error := self.watches.pop(0)):
            raise error
        yield from ()


@dataclass
class Place:
    talk: FakeTalk = field(default_factory=FakeTalk)
    told: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        clock = lambda: self.talk.passed  # noqa: E731 - it is all that a clock is
        talk = cast("Talk", self.talk)
        self.store = Store(talk, JOBS, lambda: None, self.told.append, clock)

    @property
    def age(self) -> timedelta:
        return self.store.read().age


@pytest.mark.operator_fault("the API server hangs, or the watch is cut half-open")
def test_a_watch_that_says_nothing_not_even_that_it_ends_makes_all_too_old() -> None:
    place = Place(FakeTalk(watches=[None, *[Silent("nothing came")] * 3]))
    place.talk.kube.apply()
    place.store.follow()
    assert not slurm_jobs(place.store.read(), place.told.append).is_too_old

    for _ in range(3):
        with pytest.raises(Silent):
            place.store.follow()
    assert place.age == timedelta(seconds=75)
    assert slurm_jobs(place.store.read(), place.told.append).is_too_old

    place.store.follow()
    assert place.age == timedelta()


def test_what_was_never_listed_is_too_old_to_be_believed() -> None:
    assert Place().store.read().is_too_old


@pytest.mark.operator_fault("the API server answers 409 or 410")
def test_where_a_watch_cannot_be_continued_all_is_listed_anew() -> None:
    place = Place(FakeTalk(watches=[Gone("too old resource version")]))
    place.talk.kube.apply()
    with place.store.running():
        assert place.store.wait_known(30)
        while place.talk.asked.count(f"list {JOBS}") < 2:
            place.store.wait_known(0.01)

    assert place.talk.asked[:3] == [f"list {JOBS}", f"watch {JOBS} from 7", f"list {JOBS}"]
    assert "kube.silent" not in [event.name for event in place.told]
