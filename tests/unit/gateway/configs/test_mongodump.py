"""The collection of slurm-proxy's monitors, in each form that `mongoexport` has."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from waldur_slurm.gateway.configs.mongodump import KeptMonitor, read_monitors

MADE = datetime(2026, 11, 30, 1, 23, 32, 648_000, UTC)
MILLIS = 1_796_001_812_648
OID = "6b0cd014a77506345f91ede4"
TASK = {"uuid": "ec253d0e-c0e4-4349-b924-491ef5add41f", "username": "ann", "params": ["600"]}


def record(**changed: Any) -> dict[str, Any]:
    return {
        "_id": {"$oid": OID},
        "slurm_username": "ann",
        "slurm_job_id": 70,
        "slurm_job_state": "RUNNING",
        "task": TASK,
        "created_at": {"$date": "2026-11-30T01:23:32.648Z"},
        "updated_at": None,
        **changed,
    }


KEPT = KeptMonitor(OID, "ann", 70, "RUNNING", TASK, MADE, None)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"created_at": {"$date": MILLIS}},
        {
            "created_at": {"$date": {"$numberLong": str(MILLIS)}},
            "slurm_job_id": {"$numberInt": "70"},
        },
        {"created_at": "2026-11-30T01:23:32.648000", "_id": OID},
        {"created_at": {"$date": "2026-11-30T03:23:32.648+02:00"}},
        {"slurm_job_id": {"$numberDouble": "70.0"}},
        {"slurm_job_id": "70"},
    ],
    ids=["second, relaxed", "first", "second, canonical", "plain", "zone", "double", "text"],
)
def test_a_record_is_read_in_each_form_of_extended_json(changed: dict[str, Any]) -> None:
    assert read_monitors(json.dumps(record(**changed))) == ([KEPT], 0)


def test_lines_and_arrays_and_records_over_several_lines_are_read_alike() -> None:
    other = record(_id={"$oid": "6b0cd022a77506345f91ede6"})
    each = [record(), other]
    lines = "\n".join(json.dumps(item) for item in each)
    pretty = "\n".join(json.dumps(item, indent=4) for item in each)

    found = read_monitors(lines)
    assert [kept.id for kept in found[0]] == [OID, "6b0cd022a77506345f91ede6"]
    assert read_monitors(json.dumps(each)) == read_monitors(pretty) == found


@pytest.mark.parametrize(
    "broken",
    [
        record(task=None),
        record(task={"username": "ann"}),
        record(slurm_job_id=None),
        record(slurm_job_id=-1),
        record(slurm_job_id=1.5),
        record(slurm_job_id=True),
        record(created_at="yesterday"),
        record(created_at={"$date": 10**30}),
        {"$oid": OID},
        "text",
        None,
    ],
)
def test_a_record_that_is_not_understood_is_counted_and_stops_no_other(broken: Any) -> None:
    assert read_monitors(f"{json.dumps(broken)}\n{json.dumps(record())}") == ([KEPT], 1)


def test_a_line_that_is_cut_off_is_counted_and_stops_no_other() -> None:
    text = f"{json.dumps(record())[:100]}\n{json.dumps(record())}"

    assert read_monitors(text) == ([KEPT], 1)


def test_a_record_that_is_there_twice_is_one() -> None:
    assert read_monitors(f"{json.dumps(record())}\n{json.dumps(record())}") == ([KEPT], 0)
