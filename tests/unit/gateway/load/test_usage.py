"""The matrix of partitions and nodes, on partitions that overlap, and on what is odd."""

from dataclasses import replace

import pytest

from tests.fakes.cluster import BEGAN, CPU, MEM, idle_node, live_job, main_partition
from tests.fakes.details import holding
from waldur_slurm.gateway.load.sample import sample_of
from waldur_slurm.gateway.load.usage import Held, Usage, load_of, usage_of
from waldur_slurm.model.cluster import Node, Partition
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import LiveJob, NodeShare


def partition(name: str, nodes: int, **changes: object) -> Partition:
    made = replace(main_partition(), name=name, node_count=nodes, cpus=8 * nodes)
    return replace(made, **changes)  # type: ignore[arg-type]  # a typo fails at once


def node(name: str, *partitions: str, cpus: int = 0, memory: int = 0) -> Node:
    made = replace(idle_node(name), partitions=partitions)
    return replace(made, allocated_cpus=cpus, allocated_memory_mib=memory)


MAIN, HIGH, LOW = partition("main", 3), partition("high", 2), partition("low", 2)
NODES = (
    node("n1", "main", "high", cpus=4, memory=8000),
    node("n2", "main", "high", "low", cpus=8, memory=4000),
    node("n3", "main", "low"),
)


def running(number: int, partition: str, hosts: str, state: str = "RUNNING") -> LiveJob:
    return live_job(number, state=state, partition=partition, hosts=hosts, start=BEGAN)


TWO_NODES = running(1, "high", "n[1-2]")
ONE_NODE = running(2, "low", "n2")
JOBS = (TWO_NODES, ONE_NODE)
DETAILS = {
    TWO_NODES.run: holding(NodeShare("n1", "0-2", 8000, ""), NodeShare("n2", "1", 2000, "")),
    ONE_NODE.run: holding(NodeShare("n2", "2-3", 2000, "")),
}


def usage(**changes: object) -> Usage:
    asked: dict[str, object] = {
        "partitions": (MAIN, HIGH, LOW),
        "nodes": NODES,
        "jobs": JOBS,
        "details": DETAILS,
        **changes,
    }
    return usage_of(**asked)  # type: ignore[arg-type]  # a typo fails at once


def held(found: Usage) -> dict[str, dict[str, Held | None]]:
    return {
        row.partition.name: {
            name: None if cell is None else cell.held for name, cell in row.nodes.items()
        }
        for row in found.partitions
    }


def test_a_row_counts_its_own_jobs_alone_and_has_every_node() -> None:
    none = Held()
    assert held(usage()) == {
        "main": {"n1": none, "n2": none, "n3": none},
        "high": {"n1": Held(3, 8000, 1), "n2": Held(1, 2000, 1), "n3": None},
        "low": {"n1": None, "n2": Held(2, 2000, 1), "n3": none},
    }


def test_every_row_has_the_nodes_in_one_order() -> None:
    assert {tuple(row.nodes) for row in usage().partitions} == {("n1", "n2", "n3")}


def test_a_partitions_load_is_the_mean_of_what_its_own_jobs_fill() -> None:
    main, high, low = usage().partitions
    assert (main.load, high.load, low.load) == (0.0, (3 / 8 + 1 / 8) / 2, 2 / 8 / 2)


def test_the_clusters_load_is_the_mean_of_what_is_allocated_on_all_nodes() -> None:
    assert usage().load == pytest.approx((0.5 + 1.0 + 0.0) / 3)
    assert usage(hidden=frozenset({"main"})).load == usage().load


def test_sums_of_a_sample_fit_the_matrix() -> None:
    found = sample_of(usage(), 77)
    assert (found.time, found.alloc_cpus, found.total_cpus, found.alloc_mem) == (77, 12, 24, 12000)
    high = found.partitions["high"]
    assert (high.alloc_cpus, high.alloc_mem, high.total_mem, high.total_nodes) == (
        4,
        10000,
        64000,
        2,
    )
    assert (high.total_used_cpus_on_active_nodes, high.total_used_mem_on_active_nodes) == (
        12,
        12000,
    )


def test_a_partition_that_is_left_out_breaks_no_other_row_although_jobs_run_there() -> None:
    found = held(usage(hidden=frozenset({"high"})))
    assert [*found] == ["main", "low"]
    assert found["low"] == held(usage())["low"]


def test_a_node_of_hidden_partitions_alone_is_in_no_row() -> None:
    nodes = (*NODES, node("n4", "secret"))
    secret = partition("secret", 1)
    found = usage(partitions=(MAIN, secret), nodes=nodes, hidden=frozenset({"secret"}))
    assert [*held(found)["main"]] == ["n1", "n2", "n3"]


def test_a_partition_without_nodes_is_an_empty_row_with_no_load() -> None:
    row = usage(partitions=(partition("empty", 0, hosts=""),)).partitions[0]
    assert (row.load, row.own) == (0.0, ())


def test_no_partition_and_no_node_is_no_load() -> None:
    found = usage_of((), (), (), {})
    assert (found.load, found.partitions) == (0.0, ())


def test_a_suspended_job_still_holds_what_it_holds() -> None:
    job = running(3, "main", "n3", state="SUSPENDED")
    details = {job.run: holding(NodeShare("n3", "0", 100, ""))}
    assert held(usage(jobs=(job,), details=details))["main"]["n3"] == Held(1, 100, 1)


@pytest.mark.parametrize("state", ["PENDING", "COMPLETED", "FAILED", "CANCELLED"])
def test_a_job_that_does_not_run_holds_nothing(state: str) -> None:
    job = running(3, "main", "n3", state=state)
    details = {job.run: holding(NodeShare("n3", "0", 100, ""))}
    assert held(usage(jobs=(job,), details=details))["main"]["n3"] == Held()


def test_of_a_job_whose_details_are_not_certain_only_what_is_certain_counts() -> None:
    alone = running(3, "main", "n3")._replace(cpus=5, tres={CPU: 5, MEM: 70})
    spread = running(4, "main", "n[1-2]")._replace(cpus=6)
    found = held(usage(jobs=(alone, spread), details={}))["main"]
    assert found == {"n1": Held(0, 0, 1), "n2": Held(0, 0, 1), "n3": Held(5, 70, 1)}


def test_hosts_that_cannot_be_read_change_no_other_job() -> None:
    odd = running(3, "high", "n[1-")
    assert held(usage(jobs=(odd, *JOBS))) == held(usage())
    details = {**DETAILS, odd.run: holding(NodeShare("n[", "0", 1, ""))}
    assert held(usage(jobs=(odd, *JOBS), details=details)) == held(usage())


def test_a_row_with_a_state_of_two_words_is_as_any_other() -> None:
    job = running(3, "main", "n3")._replace(state=JobState("RUNNING", ("COMPLETING",)))
    details = {job.run: holding(NodeShare("n3", "0", 100, ""))}
    assert held(usage(jobs=(job,), details=details))["main"]["n3"] == Held(1, 100, 1)


def test_what_a_node_has_none_of_it_is_not_full_of() -> None:
    assert load_of(3, 0, 10, 0) == 0.0
    assert load_of(1, 2, 0, 0) == 0.5
