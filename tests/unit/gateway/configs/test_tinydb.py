"""The original's archive is taken over, but for what is no sample."""

import json

from tests.unit.gateway.web.seeds.recorded import recorded
from waldur_slurm.gateway.configs.tinydb import read_archive


def test_samples_of_every_table_come_out_by_their_time() -> None:
    one, two, three = recorded("load time=86400 (front end)")
    document = {"_default": {"1": three, "2": one}, "other": {"1": two, "2": one}}
    samples, unreadable = read_archive(json.loads(json.dumps(document)))
    assert [each.time for each in samples] == [one["time"], two["time"], three["time"]]
    assert unreadable == 0
    assert samples[0].partitions["high"].partition_load == 0.25


def test_what_is_no_sample_is_counted_and_left_out() -> None:
    (one, *_) = recorded("load time=86400 (front end)")
    odd = {**one, "time": "yesterday"}
    samples, unreadable = read_archive({"_default": {"1": odd, "2": one, "3": {}, "4": None}})
    assert (len(samples), unreadable) == (1, 3)


def test_what_is_no_archive_holds_no_samples() -> None:
    assert read_archive([]) == read_archive({"a": 1}) == read_archive(None) == ([], 0)
