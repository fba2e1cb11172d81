"""Samples of the load are kept once a wait time; the one in memory is held to the same."""

from pathlib import Path

import pytest

from tests.fakes.samples import FakeSamples
from waldur_slurm.gateway.load.archive import Samples
from waldur_slurm.gateway.load.plan import Span
from waldur_slurm.gateway.load.sample import PartitionSample, Sample
from waldur_slurm.gateway.store.samples import StoredSamples
from waldur_slurm.gateway.store.sqlite import Database

EVER = Span(0, 2**40)


def sample(time: int, load: float = 0.5) -> Sample:
    part = PartitionSample(1, 2, 3, 4, 5, 6, 7, load, "UP")
    return Sample(time, load, 8, 9, 1, 2, {"main": part})


@pytest.fixture(params=["stored", "in memory"])
def samples(request: pytest.FixtureRequest, database: Database) -> Samples:
    return StoredSamples(database) if request.param == "stored" else FakeSamples()


def test_a_sample_comes_back_as_it_was_kept(samples: Samples) -> None:
    assert samples.add("lab", 1, sample(60, 0.375))
    assert samples.read("lab", EVER) == [sample(60, 0.375)]
    assert samples.read("other", EVER) == []


def test_a_wait_time_has_one_sample_however_many_take_it(samples: Samples) -> None:
    assert samples.add("lab", 1, sample(60))
    assert not samples.add("lab", 1, sample(61))
    assert samples.add("other", 1, sample(61))
    assert samples.read_times("lab") == [60]


def test_a_span_holds_both_its_ends_the_oldest_first(samples: Samples) -> None:
    for slot in (3, 1, 2, 4):
        samples.add("lab", slot, sample(60 * slot))
    assert [each.time for each in samples.read("lab", Span(60, 180))] == [60, 120, 180]
    assert samples.read_newest("lab", Span(0, 200)) == sample(180)
    assert samples.read_newest("lab", Span(0, 59)) is None


def test_what_is_taken_over_does_not_replace_what_is_there(samples: Samples) -> None:
    samples.add("lab", 1, sample(60, 0.1))
    assert samples.add_all("lab", [sample(60, 0.9), sample(61), sample(62)]) == 2
    assert samples.read("lab", Span(60, 60)) == [sample(60, 0.1)]
    assert samples.add_all("lab", []) == 0


def test_those_that_are_dropped_are_gone_and_no_others(samples: Samples) -> None:
    samples.add_all("lab", [sample(1), sample(2), sample(3)])
    samples.drop("lab", [1, 3, 99])
    assert samples.read_times("lab") == [2]


def test_samples_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "state" / "gateway.sqlite"
    first = Database(path)
    StoredSamples(first).add("lab", 1, sample(60))
    first.close()
    second = Database(path)
    assert StoredSamples(second).read_times("lab") == [60]
    second.close()
