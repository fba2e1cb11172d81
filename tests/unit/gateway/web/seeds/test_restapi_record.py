"""What a job asks for has PySlurm's names and words, as its own source reads them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.cluster import live_job
from tests.fakes.details import NO_TRES, asked, job_record
from waldur_slurm.gateway.web.seeds.restapi_queue import QueuedView, queued_view
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.details import JobDetails, Layout, MemoryOf, Record, TasksPer
from waldur_slurm.model.live import ExitCode, LiveJob

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def shown(record: Record | None, job: LiveJob | None = None) -> QueuedView:
    return queued_view(job or live_job(), JobDetails((), record), UTC)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"is_batch": False}, {"batch_flag": 0}),
        (
            {"memory_mib": 64, "memory_of": MemoryOf.CPU},
            {"mem_per_cpu": True, "min_memory_cpu": 64, "mem_per_node": False,
             "min_memory_node": None, "pn_min_memory": 64},
        ),
        (
            {"memory_mib": 64, "memory_of": MemoryOf.NODE},
            {"mem_per_cpu": False, "min_memory_cpu": None, "mem_per_node": True,
             "min_memory_node": 64, "pn_min_memory": 64},
        ),
        (
            {"memory_mib": 64, "memory_of": MemoryOf.TRES},
            {"mem_per_cpu": False, "min_memory_cpu": None, "mem_per_node": False,
             "min_memory_node": None, "pn_min_memory": None},
        ),
        ({"min_cpus": 2, "min_disk_mib": 3}, {"pn_min_cpus": 2, "pn_min_tmp_disk": 3}),
        ({"cpus_per_task": 2}, {"cpus_per_task": 2}),
        ({"cpus_per_task": None}, {"cpus_per_task": "N/A"}),
        ({"max_cpus": 4, "max_nodes": 2}, {"max_cpus": 4, "max_nodes": 2}),
        (
            {"layout": Layout(1, 2, 3, 4, 5)},
            {"boards_per_node": 1, "sockets_per_board": 2, "sockets_per_node": 3,
             "cores_per_socket": 4, "threads_per_core": 5},
        ),
        (
            {"tasks_per": TasksPer(1, 2, 3, None)},
            {"ntasks_per_node": 1, "ntasks_per_board": 2, "ntasks_per_socket": 3,
             "ntasks_per_socket_str": "3", "ntasks_per_core": None,
             "ntasks_per_core_str": "UNLIMITED"},
        ),
        ({"specialized_cores": 1}, {"core_spec": 1}),
        ({"min_limit_s": 600}, {"time_min": 10}),
        ({"excluded_hosts": "n[1-2]"}, {"exc_nodes": ("n1", "n2")}),
        ({"is_contiguous": True, "reboots": True}, {"contiguous": True, "reboot": 1}),
        ({"sharing": "NO"}, {"shared": "0"}),
        ({"sharing": "YES"}, {"shared": "1"}),
        ({"sharing": "USER"}, {"shared": "USER"}),
        ({"sharing": "MCS"}, {"shared": "OK"}),
        ({"switches": 1, "switches_wait_s": 60}, {"req_switch": 1, "wait4switch": 60}),
        ({"power": "LEVEL"}, {"power_flags": 1}),
        ({"power": None}, {"power_flags": None}),
        ({"power": "HIGH"}, {"power_flags": None}),
        ({"network": "ib", "burst_buffer": "#BB"}, {"network": "ib", "burst_buffer": "#BB"}),
        ({"tres": NO_TRES._replace(per_job="gpu:1")}, {"tres_per_job": "gpu:1", "tres_bind": None}),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_in_pyslurms_words(
    changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = shown(job_record(asked=asked(**changes)))
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_is_its_own_is_in_pyslurms_words() -> None:
    record = job_record(accrued=NOON, suspended=NOON, resized=NOON, preempted=NOON, stdin=None)
    found = shown(record._replace(derived_exit=ExitCode(3, 9), components="2-3"))

    second = int(NOON.timestamp())
    assert found.accrue_time == "2026-11-30T12:00:00"
    assert found.preempt_time == found.accrue_time
    assert found.derived_ec == "3:9"
    assert (found.suspend_time, found.resize_time) == (second, second)
    assert (found.alloc_node, found.alloc_sid, found.std_in) == ("localhost", 4711, None)
    assert (found.het_job_id_set, found.pack_job_id_set) == ("2-3", "2-3")


def test_a_bound_on_nodes_is_told_of_a_job_that_waits_alone() -> None:
    record = job_record(asked=asked(max_nodes=2))
    assert shown(record, live_job(state="RUNNING", hosts="n1")).max_nodes is None


def test_what_a_job_asked_for_is_told_after_it_began_where_the_release_says_it() -> None:
    runs = live_job(state="RUNNING", hosts="n1")

    told = job_record(asked=asked(requested="cpu=1,mem=1G,node=1"))
    assert shown(told, runs).tres_req_str == "cpu=1,mem=1G,node=1"
    assert shown(job_record(), runs).tres_req_str is None


@pytest.mark.parametrize("number", ["4_[1-9%2]", "4_1"])
def test_how_many_tasks_run_at_once_is_told_of_each_part_of_an_array(number: str) -> None:
    found = shown(job_record(at_once=2), live_job(id=job_id(number)))
    assert (found.array_max_tasks, found.array_task_throttle) == (2, 2)


def test_a_job_whose_record_is_unclear_has_what_the_queue_says_and_null() -> None:
    found = shown(None, live_job(id=job_id("4_[1-9%2]"), association=7))

    assert (found.name, found.assoc_id, found.array_max_tasks) == ("job", 7, 2)
    assert (found.pn_min_memory, found.shared, found.accrue_time) == (None, None, None)


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("NotSet", 0),
        ("None", 1),
        ("Task", 4),
        ("Energy,Task", 6),
        ("Energy,Lustre,Network,Task", 4_294_967_295),
        ("Energy,Else", None),
    ],
)
def test_what_is_sampled_is_a_number(words: str, number: int | None) -> None:
    assert shown(job_record(), live_job(profile=words)).profile == number
