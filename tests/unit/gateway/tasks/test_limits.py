"""A time that its partition never gives is refused, and nothing that Slurm might take."""

from dataclasses import replace

import pytest

from tests.fakes.cluster import main_partition
from waldur_slurm.gateway.errors import Refused
from waldur_slurm.gateway.tasks.limits import demand_time

HOUR = replace(main_partition(), name="hour", max_time_s=3600, is_default=True)
DAY = replace(main_partition(), name="day", max_time_s=86_400, is_default=False)
EVER = replace(main_partition(), name="ever", max_time_s=None, is_default=False)
ALL = (HOUR, DAY, EVER)


@pytest.mark.parametrize(
    "options",
    [
        {"time": "61"},
        {"time": "61", "partition": "hour"},
        {"time": "1800", "partition": "hour,day"},
    ],
)
def test_what_no_partition_gives_is_refused(options: dict[str, str | None]) -> None:
    with pytest.raises(Refused, match=r"are more than the \d+ that") as raised:
        demand_time(options, ALL)
    assert (raised.value.refusal, raised.value.limit) == ("bad-time", "MaxTime")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"time": "60"},
        {"time": "1440", "partition": "hour,day"},
        {"time": "99999", "partition": "ever"},
        {"time": "99999", "partition": "hour,ever"},
        {"time": "99999", "partition": "hour,unknown"},
        {"time": "61", "qos": "long"},
        {"time": "1-00:00:00"},
    ],
)
def test_what_slurm_might_take_is_left_to_it(options: dict[str, str | None]) -> None:
    demand_time(options, ALL)
    demand_time(options, ())
