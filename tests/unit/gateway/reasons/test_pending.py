"""Why a job waits is borne out by what the cluster shows, and by no more than may be seen."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.cluster import BEGAN, CPU, MEM, idle_node, live_job, main_partition, qos
from waldur_slurm.gateway.reasons.evidence import MOST_FACTS
from waldur_slurm.gateway.reasons.pending import explain
from waldur_slurm.gateway.reasons.scene import Scene
from waldur_slurm.model.batch import job_id
from waldur_slurm.model.cluster import License, NodeState, Reservation, Why
from waldur_slurm.model.job_state import JobState
from waldur_slurm.model.live import LiveJob
from waldur_slurm.model.names import UserName
from waldur_slurm.model.tres import tres_name

GPU = tres_name("gres/gpu")


def reservation(**changes: Any) -> Reservation:
    made = Reservation(
        name="upkeep",
        state="INACTIVE",
        start=BEGAN + timedelta(hours=1),
        end=BEGAN + timedelta(hours=3),
        hosts="n1",
        node_count=1,
        cores=8,
        partition="",
        flags=("MAINT",),
        users=("root",),
        accounts=(),
        licenses="",
    )
    return replace(made, **changes)


def scene(**changes: Any) -> Scene:
    nodes = (idle_node("n1"), idle_node("n2"))
    whole = Scene(BEGAN, (), True, nodes, (main_partition(),), (), (), (qos("normal"),))
    return replace(whole, **changes)


def running(number: int, **changes: Any) -> LiveJob:
    return live_job(number, state="RUNNING", hosts="n1", **changes)


def said(job: LiveJob, of: Scene) -> list[str]:
    reason = explain(job, of)
    assert reason is not None
    return [fact.says for fact in reason.evidence]


@pytest.mark.parametrize("state", ["RUNNING", "COMPLETED", "SUSPENDED", "COMPLETING"])
def test_of_a_job_that_does_not_wait_nothing_is_said(state: str) -> None:
    assert explain(live_job(state=state, reason="None"), scene()) is None


def test_resources_are_told_by_what_is_free_on_nodes_in_service() -> None:
    busy = replace(idle_node("n1"), allocated_cpus=6)
    away = replace(idle_node("n2"), state=NodeState("IDLE", ("DRAIN",)))
    job = live_job(reason="Resources", cpus=4)
    assert said(job, scene(nodes=(busy, away))) == [
        "Partition main has 0 of 1 nodes, 2 of 8 CPUs free; the job asks for 1 node, 4 CPUs.",
        "Nodes of partition main that are out of service: 1 of 2.",
    ]


def test_gpus_are_told_where_it_asks_for_some() -> None:
    node = replace(idle_node("n1"), tres={CPU: 8, GPU: 4}, allocated_tres={GPU: 3})
    job = live_job(reason="Resources", tres={CPU: 1, GPU: 2})
    assert said(job, scene(nodes=(node,)))[0] == (
        "Partition main has 1 of 1 nodes, 8 of 8 CPUs, 1 of 4 GPUs free;"
        " the job asks for 1 node, 1 CPU, 2 GPUs."
    )


def test_a_reservation_that_begins_before_its_end_is_named_and_one_after_it_is_not() -> None:
    job = live_job(reason="ReqNodeNotAvail, Reserved for maintenance", limit_s=2 * 3600)
    named = "Reservation upkeep has 1 node from 2026-11-21 13:00:00 UTC to 2026-11-21 15:00:00 UTC."
    assert named in said(job, scene(reservations=(reservation(),)))
    assert named not in said(job._replace(limit_s=1800), scene(reservations=(reservation(),)))
    elsewhere = reservation(hosts="n9")
    assert named not in said(job, scene(reservations=(elsewhere,)))


def test_who_is_before_it_is_counted_only_where_all_are_seen() -> None:
    others = (
        live_job(2, priority=9),
        live_job(3, priority=5, partition="long,main"),
        live_job(4, priority=8, partition="long"),
        live_job(5, priority=9, reason="Dependency"),
        running(6, priority=10),
        live_job(8, priority=5),
    )
    job = live_job(7, reason="Priority", priority=5)
    before = "Jobs before it that wait for main: 2. Its priority is 5."
    assert before in said(job, scene(jobs=(job, *others)))
    assert before not in said(job, scene(jobs=(job, *others), sees_all=False))


def test_a_limit_of_a_qos_for_each_user_tells_what_the_user_has_in_use() -> None:
    rules = (qos("normal", jobs_per_user=2), qos("other", jobs_per_user=1))
    bob = UserName("bob")
    jobs = (running(2), running(3), running(4, user=bob), running(5, qos="other"), live_job(6))
    job = live_job(1, reason="QOSMaxJobsPerUserLimit")
    of_ann = scene(jobs=jobs, qos=rules, sees_all=False)
    reason = explain(job, of_ann)
    assert reason is not None
    (fact,) = reason.evidence
    assert (fact.about, fact.name, fact.limit, fact.used) == ("qos", "normal", 2, 2)
    assert fact.says == "QoS normal allows a user 2 jobs; 2 in use."


def test_a_limit_that_all_share_counts_only_where_all_are_seen() -> None:
    rules = (qos("normal", group_tres="cpu=10,mem=1T"),)
    jobs = (running(2, cpus=4, tres={CPU: 4, MEM: 1}), running(3, cpus=6, tres={CPU: 6, MEM: 1}))
    job = live_job(1, reason="QOSGrpCpuLimit")
    assert said(job, scene(jobs=jobs, qos=rules)) == ["QoS normal allows cpu=10; 10 in use."]
    hidden = scene(jobs=jobs, qos=rules, sees_all=False)
    assert said(job, hidden) == ["QoS normal allows cpu=10."]


def test_a_limit_of_the_partitions_own_qos_counts_the_partitions_jobs() -> None:
    partition = replace(main_partition(), qos="pq")
    jobs = (running(2), running(3, partition="long"))
    job = live_job(1, reason="QOSGrpJobsLimit")
    with_rules = scene(jobs=jobs, partitions=(partition,), qos=(qos("pq", group_jobs=1),))
    assert said(job, with_rules) == ["QoS pq allows 1 job; 1 in use."]


def test_waiting_tasks_of_an_array_count_as_many_as_they_are() -> None:
    array = live_job(2, id=job_id("2_[0-9]"))
    job = live_job(1, reason="QOSMaxSubmitJobPerUserLimit")
    rules = (qos("normal", submitted_jobs_per_user=11),)
    assert said(job, scene(jobs=(job, array), qos=rules)) == [
        "QoS normal allows a user 11 jobs; 11 in use."
    ]


def test_an_array_tells_how_many_of_its_tasks_run() -> None:
    job = live_job(7, id=job_id("7_[2-9%2]"), reason="JobArrayTaskLimit")
    tasks = (running(8, id=job_id("7_0")), running(9, id=job_id("7_1")))
    assert said(job, scene(jobs=(job, *tasks))) == [
        "Running tasks of the array: 2 of at most 2 at once."
    ]


def test_a_dependency_tells_where_each_job_is_and_when_it_ends_at_the_latest() -> None:
    first = running(2, end=BEGAN + timedelta(hours=1))
    last = live_job(3, state="FAILED")
    job = live_job(1, reason="Dependency", dependency="afterok:2(unfulfilled),afterany:3(failed)")
    assert said(job, scene(jobs=(first, last))) == [
        "Job 2 (afterok) is RUNNING. It ends at 2026-11-21 13:00:00 UTC at the latest.",
        "Job 3 (afterany) is FAILED.",
    ]


def test_of_a_job_of_others_a_dependency_tells_what_slurm_says_of_it() -> None:
    job = live_job(1, reason="Dependency", dependency="after:2+5(unfulfilled),afterok:3_*")
    assert said(job, scene(jobs=())) == [
        "Job 2 (after) is unfulfilled.",
        "Job 3 (afterok) is not known.",
    ]


def test_nodes_that_slurm_or_the_job_names_are_told_with_why_they_are_away() -> None:
    away = replace(idle_node("n1"), state=NodeState("DOWN"), why=Why("fan broken", "root", None))
    wanted = live_job(reason="ReqNodeNotAvail, UnavailableNodes:n1")
    named = live_job(reason="ReqNodeNotAvail", requested_hosts="n[1-2]")
    nodes = (away, idle_node("n2"))
    for job in (wanted, named):
        assert said(job, scene(nodes=nodes)) == ["Node n1 is DOWN: fan broken"]


def test_a_partition_tells_what_the_job_is_beyond() -> None:
    partition = replace(main_partition(), max_time_s=3600, max_nodes=1)
    job = live_job(reason="PartitionTimeLimit", limit_s=7200, node_count=2)
    assert said(job, scene(partitions=(partition,))) == [
        "Partition main allows 60 minutes; the job asks for 120 minutes.",
        "Partition main allows 1 node; it asks for 2.",
    ]


def test_licences_tell_how_many_are_free() -> None:
    job = live_job(reason="Licenses", licenses="matlab:2,ansys")
    have = (License("matlab", 5, 4, 1, 0, is_remote=False),)
    assert said(job, scene(licenses=have)) == [
        "1 of 5 licences matlab are free; the job asks for 2."
    ]


def test_a_reservation_of_its_own_tells_when_it_is_and_one_that_is_gone_is_said_to_be() -> None:
    job = live_job(reason="Reservation", reservation="upkeep")
    assert said(job, scene(reservations=(reservation(),))) == [
        "Reservation upkeep is inactive, from 2026-11-21 13:00:00 UTC to 2026-11-21 15:00:00 UTC."
    ]
    assert said(job, scene()) == ["There is no reservation upkeep, or it is hidden."]


def test_what_may_not_be_seen_is_not_told() -> None:
    for word in ("Resources", "Priority", "QOSGrpCpuLimit", "ReqNodeNotAvail", "Licenses"):
        job = live_job(reason=word, licenses="matlab", requested_hosts="n1")
        assert said(job, Scene(BEGAN, (job, running(2)))) == []


def test_hostile_names_of_hosts_and_ten_thousand_dependencies_break_nothing() -> None:
    many = ",".join(f"afterok:{number}(unfulfilled)" for number in range(10_000))
    job = live_job(reason="Dependency", dependency=many)
    assert len(said(job, scene())) == MOST_FACTS
    odd = live_job(reason="ReqNodeNotAvail, UnavailableNodes:n[1-,]]", requested_hosts="[[")
    assert "16 of 16 CPUs free" in said(odd, scene())[0]


def test_a_state_that_is_not_known_is_not_explained() -> None:
    assert explain(live_job()._replace(state=JobState("MYSTERY")), scene()) is None
