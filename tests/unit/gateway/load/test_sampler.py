"""Samples are taken once a wait time, of what Slurm says, and never made up."""

import threading
from threading import Event as Bell

import pytest

from tests.fakes.samples import FakeSamples
from tests.patience import AT_ONCE_S
from tests.unit.gateway.site import GatewaySite
from waldur_slurm.gateway.load.plan import DAY_S, Span
from waldur_slurm.gateway.load.sample import Sample
from waldur_slurm.gateway.load.sampler import Sampler

NOW = 1_796_000_000.0
EVER = Span(0, 2**40)


class Wall:
    """The wall's clock, that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class Sampling:
    def __init__(self) -> None:
        self.site = GatewaySite()
        self.samples = FakeSamples()
        self.wall = Wall()
        self.sampler = self.another()

    def another(self) -> Sampler:
        return Sampler(
            [self.site.pictures],
            self.samples,
            self.site.told.append,
            wait_s=60,
            keep_s=30 * DAY_S,
            clock=self.wall,
        )

    @property
    def told(self) -> list[str]:
        return [event.name for event in self.site.told if event.name.startswith("load.")]


@pytest.fixture
def sampling() -> Sampling:
    return Sampling()


def test_one_sample_is_taken_a_wait_time_by_however_many(sampling: Sampling) -> None:
    others = [sampling.another() for _ in range(4)]
    for passed in (0, 1, 20, 60):
        sampling.wall.now = NOW + passed
        for each in (sampling.sampler, *others):
            each.take_all()
    assert sampling.samples.read_times("lab") == [NOW, NOW + 60]


def test_samples_cost_slurm_nothing_that_it_was_asked_for_a_moment_ago(
    sampling: Sampling,
) -> None:
    for _ in range(5):
        sampling.sampler.take_all()
    asked = sampling.site.cluster.calls
    assert {name: asked[name] for name in ("read_jobs", "read_nodes", "read_details")} == {
        "read_jobs": 1,
        "read_nodes": 1,
        "read_details": 1,
    }


def test_a_silent_slurm_leaves_a_gap_and_is_told_of_once(sampling: Sampling) -> None:
    sampling.site.cluster.go_down()
    sampling.sampler.take_all()
    sampling.wall.now += 60
    sampling.sampler.take_all()
    assert sampling.samples.read("lab", EVER) == []
    assert sampling.told == ["load.no_sample"]


def test_a_picture_from_before_a_silence_is_no_sample_of_now(sampling: Sampling) -> None:
    sampling.sampler.take_all()
    sampling.site.cluster.go_down()
    sampling.site.pictures.nodes.renew()
    sampling.wall.now += 60
    sampling.sampler.take_all()
    assert sampling.samples.read_times("lab") == [NOW]
    assert sampling.told == ["load.no_sample"]


def test_an_archive_that_takes_nothing_is_told_of_and_tried_again(sampling: Sampling) -> None:
    sampling.samples.broken = "the disk is full"
    sampling.sampler.take_all()
    sampling.samples.broken = ""
    sampling.sampler.take_all()
    assert len(sampling.samples.read("lab", EVER)) == 1
    assert sampling.told == ["load.no_sample"]


def test_a_defect_in_one_reading_does_not_end_the_archive(sampling: Sampling) -> None:
    nodes = sampling.site.cluster.nodes
    sampling.site.cluster.nodes = {"n1": None}  # type: ignore[dict-item]  # a defect
    sampling.sampler.take_all()
    assert sampling.told == ["load.crashed"]
    sampling.site.cluster.nodes = nodes
    sampling.site.pictures.nodes.forget()
    sampling.sampler.take_all()
    assert len(sampling.samples.read("lab", EVER)) == 1


def test_old_samples_are_let_go_once_an_hour(sampling: Sampling) -> None:
    old = Sample(int(NOW) - 31 * DAY_S, 0.0, 1, 1, 0, 0, {})
    sampling.samples.add_all("lab", [old])
    sampling.sampler.take_all()
    assert sampling.samples.read_times("lab") == [NOW]
    sampling.samples.add_all("lab", [old])
    sampling.wall.now += 60
    sampling.sampler.take_all()
    assert len(sampling.samples.read_times("lab")) == 3
    sampling.wall.now += 3600
    sampling.sampler.take_all()
    assert old.time not in sampling.samples.read_times("lab")


class Heard(FakeSamples):
    """Rings when something was added."""

    def __init__(self) -> None:
        super().__init__()
        self.bell = Bell()

    def add(self, cluster: str, slot: int, sample: Sample) -> bool:
        added = super().add(cluster, slot, sample)
        self.bell.set()
        return added


def test_its_thread_samples_with_the_next_wait_time_and_ends_with_the_service(
    sampling: Sampling,
) -> None:
    sampling.samples = heard = Heard()
    sampling.wall.now += 59.9 - sampling.wall.now % 60
    with sampling.another().running():
        assert heard.bell.wait(AT_ONCE_S)
    assert "sampler" not in {thread.name for thread in threading.enumerate()}
