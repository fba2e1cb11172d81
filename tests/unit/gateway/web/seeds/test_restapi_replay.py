"""Every recorded exchange of the second original is asked again, in the state it was recorded in.

Status, type, keys, their order and the kinds of values are as they were. What is different on
purpose is in `differences.MEANT`, or has a test of its own here or beside.
"""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.cluster import live_job, main_partition
from tests.unit.gateway.web.seeds.differences import MEANT, Found, differences, is_meant
from tests.unit.gateway.web.seeds.recorded import Exchange, RecordedCluster, recorded
from tests.unit.gateway.web.seeds.replaying import CASES, DATA, ask, site_of

OTHER_WORD = "users, README's other word"
OTHERS = [each for each in DATA if not each.path.startswith("/history") and each.case != OTHER_WORD]


def kind_of(content_type: str) -> str:
    return content_type.partition(";")[0]


HONEST = {
    "slurmctld down: /queue": 503,
    "slurmctld down: /nodes": 503,
    "slurmctld down: /usage": 503,
    "slurmctld down: /stats": 503,
    "history, database down": 503,
    "users, database down": 503,
}
"""Where the original says 200 and means that it does not know."""


@pytest.mark.parametrize("case", CASES)
def test_status_and_type_are_as_they_were(case: str) -> None:
    exchange = CASES[case]
    answered = ask(exchange)
    assert answered.status == HONEST.get(case, exchange.response["status"])
    assert kind_of(answered.headers["content-type"]) == kind_of(exchange.response["content_type"])


@pytest.mark.parametrize("case", [case for case in CASES if "down" not in case])
def test_pages_of_other_sites_are_let_in_as_they_were(case: str) -> None:
    exchange = CASES[case]
    told = exchange.response.get("access_control_allow_origin")
    assert ask(exchange).headers.get("access-control-allow-origin") == told


@pytest.mark.parametrize("exchange", OTHERS, ids=lambda each: each.case)
def test_bodies_are_as_they_were_but_for_what_is_meant(exchange: Exchange) -> None:
    route = exchange.path.strip("/").partition("?")[0]
    found = [*differences(exchange.json, ask(exchange).json)]
    keys = [each for each in found if each.kind == "order"]
    unmeant = [each for each in found if each not in keys and not is_meant(route, each)]
    assert unmeant == []
    assert [each for each in keys if not _has_only_moved(each)] == []


def _has_only_moved(found: Found) -> bool:
    """PySlurm 22.5 has the keys of heterogeneous jobs, and sums of cycles, at another place."""
    moved = ("het_", "schedule_cycle", "bf_", "jobs_", "job_states", "priority_job", "schedule_q")
    theirs, ours = (
        [key for key in keys if not key.startswith(moved)] for keys in (found.theirs, found.ours)
    )
    return bool(theirs == ours)


def test_each_difference_that_is_meant_is_there() -> None:
    found = {
        (exchange.path.strip("/"), each.path, each.kind)
        for exchange in OTHERS
        for each in differences(exchange.json, ask(exchange).json)
    }
    idle = [
        (route, path, kind)
        for route, path, kind in MEANT
        if not any(
            (where, which) == (route, kind) and re.fullmatch(path, at) for where, at, which in found
        )
    ]
    assert idle == []


@pytest.mark.parametrize(
    "case",
    [
        "history, limit -1",
        "history, limit not a number",
        "history, jobid not a number",
        "history, jobid empty",
        "history, state not a number",
        "load, time not a number",
        "load, fraction (front end sends integers)",
    ],
)
def test_what_is_asked_wrongly_is_200_with_errors_that_say_what(case: str) -> None:
    theirs, ours = CASES[case].json, ask(CASES[case]).json
    assert [each.kind for each in differences(theirs, ours)] in (["value"], ["length"])
    (error,) = ours["errors"]
    assert error["title"] == "Python Exception"
    (said,) = error["meta"]["args"]
    assert said.split(":")[0] in exchange_words(case)


def exchange_words(case: str) -> tuple[str, ...]:
    return (
        CASES[case].path.partition("?")[2].partition("=")[0],
        "limit and offset are not below 0",
    )


def test_the_front_ends_other_word_for_a_user_serves() -> None:
    named = ask(CASES["users by name"])
    assert ask(CASES[OTHER_WORD]).json == named.json


def test_a_job_in_a_filtered_partition_breaks_nothing() -> None:
    exchange = CASES["usage, a job runs in the filtered partition"]
    site = site_of(exchange)
    hidden = live_job(900, state="RUNNING", partition="secret", hosts="n4", user="dana")
    site.cluster.put(hidden)
    found = site.get(exchange.path).json["data"]
    assert found["partitions"] == recorded_with_memory("usage, filtered")


def recorded_with_memory(case: str) -> Any:
    """Return the recorded rows; memory that was asked for by CPU counts."""
    rows = recorded(case)["partitions"]
    for name, memory in (("n1", 3000), ("n2", 1000)):
        rows["high"]["nodes"][name]["mem_allocated"] = memory
    rows["high"]["alloc_mem"] = 4000
    return rows


def test_a_partition_without_nodes_is_a_row_without_load() -> None:
    exchange = CASES["usage, a partition without nodes"]
    site = site_of(exchange)
    assert isinstance(site.cluster, RecordedCluster)
    site.cluster.partitions.append(
        replace(main_partition(), name="empty", hosts="", node_count=0, cpus=0)
    )
    row = site.get(exchange.path).json["data"]["partitions"]["empty"]
    assert (row["total_nodes"], row["partition_load"]) == (0, 0.0)
    assert {name: cell["active"] for name, cell in row["nodes"].items()} == dict.fromkeys(
        ("n1", "n2", "n3", "n4"), False
    )


def test_a_job_of_a_user_without_a_name_breaks_no_list() -> None:
    exchange = CASES["queue, one job's uid has no name"]
    site = site_of(exchange)
    site.cluster.put(live_job(901, uid=2099, user="2099"))
    found = site.get(exchange.path).json["data"]
    assert (found["901"]["user_id"], found["901"]["user_name"]) == (2099, "2099")
    assert recorded("queue").keys() < found.keys()
